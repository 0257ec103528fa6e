// Pictures of the pages: node pictures.mjs http://127.0.0.1:PORT/console/ FOLDER [all]
//
// Those of docs/CONSOLE.md; with "all", every page that is checked, wide, narrow and dark.

import { launch, open, tab } from "./browser.mjs";
import { PAGES } from "./pages.mjs";

const [root, folder, which] = process.argv.slice(2);
const browser = await launch();
const looks = which === "all"
  ? [["", { width: 1280 }], ["-narrow", { width: 380 }], ["-dark", { width: 1280, dark: true }]]
  : [["", { width: 1100 }], ["-dark", { width: 1100, dark: true }]];
const named = (path) => path.replaceAll(/[^a-z0-9]+/gi, "-").slice(0, 40) || "now";
try {
  for (const [look, options] of looks) {
    const own = await tab(browser, root, options);
    const pages = which === "all" ? [...PAGES] : ["", "callbacks", "calls"];
    if (which === "all") {
      await open(own, root + "callbacks?status=waiting");
      const one = await own.page.$("tbody a");
      if (one) pages.push(new URL(await one.evaluate((link) => link.href)).pathname.split("/console/")[1]);
    }
    for (const path of pages) {
      await open(own, root + path);
      const name = path.startsWith("callbacks/") ? "callback" : named(path);
      await own.page.screenshot({ path: `${folder}/${name}${look}.png`, fullPage: which === "all" });
    }
    await own.page.close();
  }
} finally {
  await browser.close();
}
