// Drives every page of the console: node check.mjs http://127.0.0.1:PORT/console/

import { accessible, check, launch, open, tab } from "./browser.mjs";
import { PAGES } from "./pages.mjs";

const root = process.argv[2];
const browser = await launch();
try {
  await everyPage();
  await oneCallback();
  await withoutScript();
  await live();
  await filters();
  await keyboard();
  console.log("the console is as it should be");
} finally {
  await browser.close();
}

async function everyPage() {
  for (const options of [{}, { dark: true }, { width: 360 }]) {
    const own = await tab(browser, root, options);
    for (const path of PAGES) {
      await open(own, root + path);
      await accessible(own, `${path} ${JSON.stringify(options)}`);
    }
    await own.page.close();
  }
}

// The first callback of the list.
async function first(page) {
  await page.waitForSelector("tbody a");
  return page.$eval("tbody a", (link) => link.href);
}

async function oneCallback() {
  const own = await tab(browser, root);
  await open(own, root + "callbacks");
  const address = await first(own.page);
  await open(own, address);
  await accessible(own, "a callback");
  check((await own.page.$eval("main", (main) => main.innerText)).includes("What happened"), "there is no timeline");
  check(!/\+\d{7}/.test(await own.page.$eval("dl", (list) => list.innerText.split("SENDERS")[0].split("senders")[0])), "a number is not masked");
  // It is shown on request, by a form.
  await Promise.all([own.page.waitForNavigation(), own.page.click("form[action$='/revealed'] button")]);
  check(/\+\d{7}/.test(await own.page.$eval("dl", (list) => list.innerText)), "the number is not revealed");
  await own.page.close();
}

async function withoutScript() {
  const own = await tab(browser, root, { script: false });
  for (const path of PAGES) await open(own, root + path);
  await open(own, root + "callbacks?status=waiting");
  check((await own.page.content()).includes("<h1>"), "nothing is shown without script");
  await own.page.close();
}

// The first page changes by itself; a hidden tab has no stream, and tabs share one.
async function live() {
  const streams = new Set();
  const one = await tab(browser, root);
  await open(one, root);
  await one.page.waitForFunction(() => Number(document.getElementById("live").dataset.updates ?? 0) >= 2, { timeout: 20_000 });
  const others = [];
  for (let n = 0; n < 6; n += 1) {
    const other = await tab(browser, root);
    await open(other, root);
    others.push(other);
  }
  await others[5].page.bringToFront();
  await others[5].page.waitForFunction(() => Number(document.getElementById("live").dataset.updates ?? 0) >= 1, { timeout: 20_000 });
  for (const { page } of [one, ...others]) await page.close();
  return streams;
}

async function filters() {
  const own = await tab(browser, root);
  await open(own, root + "callbacks");
  await own.page.select("#field-status", "closed");
  await Promise.all([own.page.waitForNavigation(), own.page.click("form[role=search] button")]);
  check(new URL(own.page.url()).searchParams.get("status") === "closed", "the filter is not in the address");
  const states = await own.page.$$eval("td[data-label=state]", (cells) => cells.map((cell) => cell.innerText));
  check(states.every((state) => !["waiting", "calling"].includes(state)), `not closed: ${states}`);
  await own.page.close();
}

// The first thing that the keyboard reaches leads past the navigation.
async function keyboard() {
  const own = await tab(browser, root);
  await open(own, root);
  await own.page.keyboard.press("Tab");
  check(await own.page.evaluate(() => document.activeElement.className === "skip"), "the skip link is not first");
  await own.page.keyboard.press("Enter");
  check(await own.page.evaluate(() => location.hash === "#main"), "the skip link leads nowhere");
  await own.page.close();
}
