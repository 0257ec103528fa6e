// A browser for the tests of the console, and what is checked of every page.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// A page has at most so many bytes.
const PAGE_MAX = 100_000;

export function fail(what) {
  throw new Error(what);
}

export function check(holds, what) {
  if (!holds) fail(what);
}

// A browser without a sandbox of its own: tests run in containers as root.
export function launch() {
  return puppeteer.launch({
    executablePath: process.env.RINGMASTER_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
}

// A tab that collects errors, violations of the content policy, and requests to anywhere else.
export async function tab(browser, root, options = {}) {
  const page = await browser.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error") faults.push(`console: ${message.text()}`); });
  page.on("request", (request) => {
    // The pictures of Chromium's own inputs, such as the calendar of a date, are data. The policy refuses those of a page.
    if (!request.url().startsWith(new URL(root).origin) && !request.url().startsWith("data:")) faults.push(`elsewhere: ${request.url()}`);
  });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: options.dark ? "dark" : "light" }]);
  await page.setViewport({ width: options.width ?? 1280, height: 900 });
  await page.setJavaScriptEnabled(options.script ?? true);
  return { page, faults };
}

// Opens a page. It must be there, within its width, and without a fault.
export async function open({ page, faults }, address, expected = 200) {
  faults.length = 0;
  const answer = await page.goto(address, { waitUntil: "load" });
  check(answer.status() === expected, `${address}: ${answer.status()}`);
  if (page.isJavaScriptEnabled()) {
    const [shown, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    check(shown <= room + 1, `${address} is ${shown} wide in ${room}`);
  }
  const size = (await answer.buffer()).length;
  check(size <= PAGE_MAX, `${address} has ${size} bytes`);
  check(expected !== 200 || faults.length === 0, `${address}: ${faults.join("; ")}`);
  return answer;
}

// What axe finds that keeps people from using the page.
export async function accessible({ page }, address) {
  // The policy of the page forbids foreign scripts, so axe is evaluated by the debugger.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.filter((one) => ["serious", "critical"].includes(one.impact))
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ") + " " + node.failureSummary).join(" | ")}`);
  });
  check(found.length === 0, `${address}: ${found.join("\n")}`);
}
