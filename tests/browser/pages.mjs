// Looks at every page in every situation, as tests/browser/run starts it.

import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { Programs } from "./programs.mjs";
import { scenes } from "./scenes.mjs";
import { credentials, failingRefresh, firstOperation, keyboard, measure, proxied, refresh, withoutScript } from "./behavior.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
/** The strictest policy that the pages work under; the exporter's own takes precedence. */
const POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
/** Every page is in the first two views, so each width and each color occurs; those of `IN_ALL_VIEWS` are in all four. */
const VIEWS = [
  { name: "wide-light", viewport: WIDE, colorScheme: "light" },
  { name: "narrow-dark", viewport: NARROW, colorScheme: "dark" },
  { name: "wide-dark", viewport: WIDE, colorScheme: "dark" },
  { name: "narrow-light", viewport: NARROW, colorScheme: "light" },
];
const IN_ALL_VIEWS = ["five", "named-operation", "unauthorized", "fresh"];

const { values } = parseArgs({ options: {
  exporter: { type: "string", default: join(ROOT, "target/debug/twilio-email-exporter") },
  scene: { type: "string", multiple: true },
} });
const shots = join(ROOT, "target/browser");
rmSync(shots, { recursive: true, force: true });
mkdirSync(shots, { recursive: true });
const problems = [];

/** A page whose every response has a strict policy, and whose errors are problems unless they match `expected`. */
async function open(browser, view, name, { expected, ...options } = {}) {
  const context = await browser.newContext({ viewport: view.viewport, colorScheme: view.colorScheme, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  await page.route("**/*", async (route) => {
    const response = await route.fetch();
    const headers = { "content-security-policy": POLICY, ...response.headers() };
    await route.fulfill({ response, headers });
  });
  page.on("console", (message) => {
    const isOwn404 = message.text().includes("404") && name === "no-operation";
    if (["error", "warning"].includes(message.type()) && !isOwn404 && !expected?.test(message.text())) problems.push(`${name} ${view.name}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${name} ${view.name}: ${error}`));
  return page;
}

/** Closes a page once its last request has been answered. */
async function close(page) {
  await page.unrouteAll({ behavior: "wait" });
  await page.context().close();
}

async function look(browser, view, { name, url, words }) {
  const page = await open(browser, view, name);
  const say = (problem) => problems.push(`${name} ${view.name}: ${problem}`);
  await page.goto(url);
  const text = await page.innerText("body");
  for (const word of words) if (!text.includes(word)) say(`does not say "${word}"`);
  const wider = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const isUnseen = (element) => element.closest(".unseen, .skip, .operations thead");
    const outside = [...document.querySelectorAll("body *")].filter((element) => {
      const box = element.getBoundingClientRect();
      return !isUnseen(element) && box.width > 0 && (box.right > width + 1 || box.left < -1);
    });
    // Text that its own box cuts off.
    const cut = [...document.querySelectorAll("dd, dt, td, th, p, h1, h2, h3, a, span, code")].filter(
      (element) => !isUnseen(element) && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline");
    return { page: document.documentElement.scrollWidth - width, outside: outside.concat(cut).slice(0, 3).map((element) => element.outerHTML.slice(0, 120)) };
  });
  if (wider.page > 0) say(`scrolls sideways by ${wider.page} px`);
  for (const element of wider.outside) say(`is cut off: ${element}`);
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  for (const violation of found.violations) {
    say(`axe: ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
  if ((await page.title()) === "pwned") say("a label became code");
  await page.screenshot({ path: join(shots, `${name}-${view.name}.png`), fullPage: true });
  await close(page);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
});
const programs = new Programs(resolve(values.exporter));
let looked = 0;
try {
  for (const [name, scene] of Object.entries(scenes)) {
    if (values.scene && !values.scene.includes(name)) continue;
    const pages = await scene(programs);
    for (const each of pages) {
      const views = IN_ALL_VIEWS.includes(each.name) ? VIEWS : VIEWS.slice(0, 2);
      for (const view of views) {
        await look(browser, view, each);
        looked += 1;
      }
    }
    const behavior = { open: (options) => open(browser, VIEWS[0], name, options), close, say: (problem) => problems.push(problem), url: pages[0].url };
    if (name === "five") await keyboard(behavior);
    if (name === "proxied") await proxied(behavior);
    if (name === "fresh") {
      await refresh(behavior);
      for (const each of [failingRefresh, firstOperation, credentials]) await each(behavior);
    }
    if (name === "thousand") {
      await withoutScript(behavior);
      console.log(await measure(behavior));
    }
    await programs.stop();
  }
} finally {
  await programs.stop();
  await browser.close();
}
if (looked === 0) problems.push("no page was looked at");
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`tests/browser: ${problems.length} problems; the screenshots are in ${shots}`);
  process.exit(1);
}
console.log(`tests/browser: ${looked} pages in Chromium, wide and narrow, light and dark: no finding`);
