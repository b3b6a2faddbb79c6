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

/** Each way in which a refresh can fail is named, and disappears with the next one that succeeds. */
export async function failingRefresh({ open, close, say, url }) {
  const page = await open({ expected: /^Failed to load resource/ });
  await page.clock.install();
  await page.goto(url);
  let answer = null;
  const isRefresh = (request) => request.resourceType() === "fetch";
  let requests = 0;
  let hanging = null;
  await page.route("**/*", async (route) => {
    if (!isRefresh(route.request())) return route.fallback();
    requests += 1;
    return answer ? answer(route) : route.fallback();
  });
  const login = { status: 200, contentType: "text/html", body: "<h1>Log in</h1>" };
  for (const [words, each] of [
    ["the exporter does not respond", (route) => route.abort()],
    ["another server responds: reload the page", (route) => route.fulfill(login)],
    ["the exporter rejects this browser (403)", (route) => route.fulfill({ status: 403 })],
    ["the exporter returned 503", (route) => route.fulfill({ status: 503 })],
    ["this page is gone", (route) => route.fulfill({ status: 404 })],
    // Without a response: the refresh gives up, and no second one starts meanwhile.
    ["the exporter does not respond", (route) => { hanging = route; }],
    [null, null],
  ]) {
    answer = each;
    await page.clock.fastForward(11_000);
    const shown = await page.waitForFunction(
      (words) => {
        const text = document.querySelector("#updated").textContent;
        return words === null ? !text.includes("–") : text.includes(words);
      }, words, { timeout: 15_000 }).catch(() => null);
    if (shown === null) say(`refresh: it does not say "${words}", but "${await page.locator("#updated").textContent()}"`);
    if (words && !(await page.locator("#announcement").textContent()).includes(words)) say(`refresh: "${words}" is not announced`);
  }
  await hanging?.abort().catch(() => {});
  if (requests !== 7) say(`refresh: ${requests} requests instead of 7`);
  await close(page);
}

/** The form appears with the first operation, although the page had none when it was opened. */
export async function firstOperation({ open, close, say, url }) {
  const page = await open();
  await page.clock.install();
  // What the page was before the first operation.
  const empty = `<div id="operations-form" data-live></div>`;
  let isFirst = true;
  await page.route(url, async (route) => {
    const response = await route.fetch();
    let body = await response.text();
    if (isFirst) body = body.replace(/<div id="operations-form">.*?<\/nav><\/div>/s, empty);
    isFirst = false;
    await route.fulfill({ response, body });
  });
  await page.goto(url);
  if ((await page.locator("#q").count()) !== 0) say("form: the test did not remove it");
  await page.clock.fastForward(11_000);
  await page.locator("#q").waitFor({ timeout: 10_000 }).catch(() => say("form: it does not appear"));
  await page.locator("#q").fill("half a wo");
  await page.clock.fastForward(11_000);
  if ((await page.locator("#q").inputValue()) !== "half a wo") say("form: a refresh loses what was typed");
  await close(page);
}

/** A page whose address holds a user and a password refreshes as any other. */
export async function credentials({ open, close, say, url }) {
  const page = await open();
  await page.clock.install();
  await page.goto(url.replace("//", "//user:made-up@"));
  const answered = page.waitForResponse((response) => response.request().resourceType() === "fetch", { timeout: 10_000 });
  await page.clock.fastForward(11_000);
  await answered.catch(() => say("refresh: none with a password in the address"));
  await close(page);
}

/** Every link, the form and the refresh stay under the path of a proxy. */
export async function proxied({ open, close, say, url }) {
  const page = await open();
  await page.clock.install();
  await page.goto(url);
  const links = await page.evaluate(() => [...document.querySelectorAll("a[href]")].map((link) => link.href));
  for (const link of links.filter((link) => new URL(link).origin === new URL(url).origin)) {
    const { status } = await fetch(link);
    if (!link.startsWith(url) || status !== 200) say(`proxied: ${link} returns ${status}`);
  }
  await page.locator("#q").fill("operation");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/q=operation/);
  await page.locator(".operations a.title").first().click();
  await page.waitForURL(/operations\/comms/);
  const answered = page.waitForResponse((response) => response.request().resourceType() === "fetch", { timeout: 10_000 });
  await page.clock.fastForward(11_000);
  const status = await answered.then((response) => response.status(), () => "nothing");
  if (status !== 200) say(`proxied: the refresh of an operation returns ${status}`);
  if (!page.url().startsWith(url)) say(`proxied: the page is ${page.url()}`);
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
  await page.getByRole("link", { name: "Most lost" }).click();
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
