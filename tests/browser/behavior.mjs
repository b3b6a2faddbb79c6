// What a page does: with the keyboard, when it refreshes, and without its script; how large it is and how long it takes.

/** The keyboard reaches everything in the order of the page, and shows where it is. */
export async function keyboard({ open, close, say, url }) {
  const page = await open();
  await page.goto(url);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.textContent);
  if (first !== "Skip to the content") say(`keyboard: the first stop is "${first}"`);
  const stops = await page.evaluate(() => {
    const all = document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, pre[tabindex]");
    return [...all].filter((element) => !element.hidden).length;
  });
  let last = -1;
  for (let stop = 1; stop < stops; stop += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const box = element.getBoundingClientRect();
      return {
        at: [...document.querySelectorAll("*")].indexOf(element),
        name: `${element.nodeName} ${element.textContent.slice(0, 40)}`,
        isShown: box.width > 0 && getComputedStyle(element).outlineStyle !== "none",
      };
    });
    if (at.at <= last) say(`keyboard: ${at.name} is out of order`);
    if (!at.isShown) say(`keyboard: ${at.name} shows no focus`);
    last = at.at;
  }
  await page.goto(url);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  if ((await page.evaluate(() => document.activeElement.id)) !== "content") say("keyboard: the skip link does not lead to the content");
  await close(page);
}

/** A refresh changes what differs, and moves neither focus nor scroll position nor what was typed. */
export async function refresh({ open, close, say, url }) {
  const page = await open();
  await page.clock.install();
  await page.goto(url);
  await page.locator("#q").focus();
  await page.keyboard.type("half a wo");
  await page.evaluate(() => window.scrollTo(0, 500));
  const state = () => page.evaluate(() => ({
    focus: document.activeElement.id,
    text: document.querySelector("#q").value,
    scrolled: Math.round(document.querySelector("#q").getBoundingClientRect().top),
    scraped: document.querySelector("#problems").textContent.includes("Scraped"),
    start: document.querySelector("#start").childElementCount,
  }));
  const before = await state();
  if (before.scraped || before.start === 0) say("refresh: the exporter was scraped before the test");
  await fetch(new URL("/metrics", url)).then((response) => response.text());
  const answered = page.waitForResponse((response) => response.request().resourceType() === "fetch");
  await page.clock.fastForward(11_000);
  await answered;
  await page.waitForFunction(() => document.querySelector("#problems").textContent.includes("Scraped"), null, { timeout: 10_000 })
    .catch(() => say("refresh: the scrape does not show"));
  const after = await state();
  if (after.focus !== "q" || after.text !== "half a wo") say(`refresh: focus or text changed: ${JSON.stringify(after)}`);
  // The focused field stays where it is, although the section above it is gone.
  if (Math.abs(after.scrolled - before.scrolled) > 2) say(`refresh: the page moved from ${before.scrolled} to ${after.scrolled}`);
  // An operation that appears above a focused one does not take its place.
  const second = page.locator(".operations tbody tr").nth(1).locator("a");
  const wanted = await second.getAttribute("href");
  await second.focus();
  await page.evaluate(() => document.querySelector(".operations tbody tr").remove());
  await page.clock.fastForward(11_000);
  await page.waitForFunction(() => document.querySelectorAll(".operations tbody tr").length === 25, null, { timeout: 10_000 })
    .catch(() => say("refresh: the row does not come back"));
  const focused = await page.evaluate(() => document.activeElement.getAttribute("href"));
  if (focused !== wanted) say(`refresh: the focus moved from ${wanted} to ${focused}`);
  await page.locator("#pause").click();
  if ((await page.locator("#pause").textContent()) !== "Continue updates") say("refresh: it cannot be paused");
  await close(page);
}

/** Everything is there without the script, and the form works. */
export async function withoutScript({ open, close, say, url }) {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(url);
  if (await page.locator("#pause").isVisible()) say("without script: a button that does nothing is shown");
  const id = await page.locator(".operations a.title").nth(3).textContent();
  await page.locator("#q").fill(id.slice(-12));
  await page.locator("#state").selectOption({ index: 0 });
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/q=/);
  if ((await page.locator(".operations tbody tr").count()) !== 1) say("without script: the search does not find one operation");
  await page.locator(".operations a.title").click();
  await page.waitForURL(/\/operations\//);
  await page.goto(url);
  await page.getByRole("link", { name: "Worst" }).click();
  await page.getByRole("link", { name: "Next" }).click();
  if (!page.url().includes("sort=worst") || !page.url().includes("page=2")) say(`without script: the address is ${page.url()}`);
  await close(page);
}

/** The size of the page must be below 100 KiB; its time depends on the machine and the build, so it is only printed. */
export async function measure({ say, url }) {
  const times = [];
  let bytes = 0;
  for (let round = 0; round < 21; round += 1) {
    const begin = performance.now();
    bytes = (await (await fetch(url)).arrayBuffer()).byteLength;
    times.push(performance.now() - begin);
  }
  times.sort((one, other) => one - other);
  if (bytes >= 100 * 1024) say(`measure: the page has ${bytes} bytes`);
  return `tests/browser: a page over 1,000 operations has ${(bytes / 1024).toFixed(0)} KiB and takes ${times[10].toFixed(1)} ms (median)`;
}
