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
  await hidden();
  await polled();
  await described();
  await markup();
  await filters();
  await keyboard();
  await bulk();
  for (const script of [true, false]) await list(script);
  await refused();
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
}

// A page says whether it is looked at; the browser of a test has no windows that could cover it.
async function look(page, isHidden) {
  await page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

function updates(page) {
  return page.$eval("#live", (live) => Number(live.dataset.updates ?? 0));
}

async function updated(page, from) {
  await page.waitForFunction((from) => Number(document.getElementById("live").dataset.updates ?? 0) > from, { timeout: 20_000 }, from);
}

// While the only tab is hidden there is no stream, and nothing changes. Once it is seen again, it goes on.
async function hidden() {
  const own = await tab(browser, root);
  await open(own, root);
  await updated(own.page, 0);
  await look(own.page, true);
  // What was on its way arrives.
  await new Promise((done) => setTimeout(done, 1500));
  const before = await updates(own.page);
  await new Promise((done) => setTimeout(done, 4000));
  check(await updates(own.page) === before, "a hidden tab is changed");
  await look(own.page, false);
  await updated(own.page, before);
  await own.page.close();
}

// A browser whose stream is refused polls, and not while it is hidden.
async function polled() {
  const own = await tab(browser, root);
  await own.page.evaluateOnNewDocument(() => { delete window.SharedWorker; });
  await own.page.setRequestInterception(true);
  let polls = 0;
  own.page.on("request", (request) => {
    if (request.url().includes("console/live")) return request.respond({ status: 503, body: "" });
    if (request.headers()["console-part"] === "poll") polls += 1;
    request.continue();
  });
  await own.page.goto(root);
  await updated(own.page, 0);
  check(polls > 0, "a refused stream is not followed by polling");
  await look(own.page, true);
  await new Promise((done) => setTimeout(done, 500));
  const before = polls;
  await new Promise((done) => setTimeout(done, 6000));
  check(polls === before, "a hidden tab polls");
  const shown = await updates(own.page);
  await look(own.page, false);
  await updated(own.page, shown);
  await own.page.close();
}

// The description of the API is a page too, and the policy holds there.
async function described() {
  const own = await tab(browser, root);
  const answer = await own.page.goto(new URL("/docs", root).href, { waitUntil: "networkidle0" });
  check(answer.ok(), `/docs: ${answer.status()}`);
  check(answer.headers()["content-security-policy"]?.includes("default-src 'none'"), "/docs has no policy");
  check(own.faults.length === 0, `/docs: ${own.faults.join("; ")}`);
  await own.page.close();
}

// Markup in the name of a campaign is shown as text and does nothing.
async function markup() {
  const own = await tab(browser, root);
  own.page.on("dialog", (dialog) => { own.faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  const name = `<img src=x onerror=alert(1)><script>alert(2)</script>`;
  await open(own, root + "campaigns");
  await own.page.$eval("details.action", (details) => { details.open = true; });
  await own.page.type("details.action input[name=name]", name);
  await own.page.select("details.action select[name='defaults.sender']", "+551140000001");
  await own.page.type("details.action input[name='defaults.document']", "message");
  await own.page.type("details.action textarea[name='defaults.variables']", "message = hello");
  await Promise.all([own.page.waitForNavigation(), own.page.click("details.action form button")]);
  for (const path of ["campaigns", "callbacks", ""]) await open(own, root + path);
  await open(own, root + "campaigns");
  check((await own.page.$eval("main", (main) => main.innerText)).includes(name), "the name is not shown");
  check(own.faults.length === 0, own.faults.join("; "));
  await own.page.close();
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

// A list is checked and then imported into a new campaign, by the script and by the form alone.
async function list(script) {
  const own = await tab(browser, root, { script });
  await open(own, root + "campaigns");
  await own.page.$eval("details.action", (details) => { details.open = true; });
  await own.page.type("details.action input[name=name]", `List ${script}`);
  await own.page.select("details.action select[name='defaults.sender']", "+551140000001");
  await own.page.type("details.action input[name='defaults.document']", "message");
  await own.page.type("details.action textarea[name='defaults.variables']", "message = hello");
  await Promise.all([own.page.waitForNavigation(), own.page.click("details.action form button")]);
  const campaign = own.page.url().split("?")[0];
  for (const [button, expected] of [["button[name=check]", "nothing is imported yet"], ["button:not([name])", "All refused rows"]]) {
    await open(own, campaign + "/import");
    await own.page.$eval("#import input[name=name]", (input, name) => { input.value = name; }, `list-${script}`);
    const file = await own.page.$("input[type=file]");
    const rows = "phone\n+447700900101\nnonsense\n+447700900202\n";
    await file.evaluate((input, text) => {
      const chosen = new DataTransfer();
      chosen.items.add(new File([text], "list.csv"));
      input.files = chosen.files;
    }, rows);
    await Promise.all([own.page.waitForNavigation(), own.page.click(`#import ${button}`)]);
    const told = await own.page.$eval("main", (main) => main.innerText);
    check(told.includes(expected), `import with ${button}, script ${script}: ${told}`);
  }
  await open(own, campaign);
  check(!(await own.page.$("main .problem")), `the campaign: ${await own.page.$eval("main", (main) => main.innerText)}`);
  await own.page.close();
}

// A refused form keeps what was entered, and says at the field what is wrong.
async function refused() {
  const own = await tab(browser, root);
  await open(own, root + "callbacks?status=waiting");
  await open(own, await first(own.page));
  const form = "form[action$='/reschedule']";
  await own.page.$eval(form, (form) => {
    form.closest("details").open = true;
    form.elements.latest.value = "2020-01-01T10:00";
    form.elements.priority.value = "8";
    form.elements.reason.value = "a test";
  });
  await Promise.all([own.page.waitForNavigation(), own.page.click(`${form} button`)]);
  const shown = await own.page.$eval(form, (form) => [form.closest("details").open, form.elements.latest.value, form.elements.priority.value,
    form.elements.reason.value, form.elements.latest.getAttribute("aria-invalid")].join());
  check(shown === "true,2020-01-01T10:00,8,a test,true", `after a refusal: ${shown}`);
  await accessible(own, "a refused form");
  await own.page.close();
}

// One change of all that match: the preview, the count that is typed, and the progress.
async function bulk() {
  const own = await tab(browser, root);
  await open(own, root + "callbacks?status=waiting");
  await own.page.click("details.action summary");
  await own.page.select("form[action$='bulk'] select[name=act]", "priority");
  await own.page.select("form[action$='bulk'] select[name=priority]", "8");
  await own.page.type("form[action$='bulk'] input[name=why]", "a test");
  await Promise.all([own.page.waitForNavigation(), own.page.click("form[action$='bulk'] button")]);
  const told = await own.page.$eval("main", (main) => main.innerText);
  check(told.includes("Nothing has changed yet"), `no preview: ${told}`);
  await accessible(own, "a preview");
  const count = /([\d,]+) callbacks?/.exec(told)[1].replaceAll(",", "");
  await own.page.type("input[name=count]", count);
  await Promise.all([own.page.waitForNavigation(), own.page.click("form[action$='/confirm'] button")]);
  await own.page.waitForFunction(() => document.querySelector("#live .badge").innerText === "done", { timeout: 20_000 });
  check(own.faults.length === 0, own.faults.join("; "));
  await own.page.close();
}
