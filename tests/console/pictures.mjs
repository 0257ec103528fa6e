// Pictures of the pages for docs/CONSOLE.md: node pictures.mjs http://127.0.0.1:PORT/console/ FOLDER

import { launch, open, tab } from "./browser.mjs";

const [root, folder] = process.argv.slice(2);
const browser = await launch();
try {
  for (const dark of [false, true]) {
    const own = await tab(browser, root, { dark, width: 1100 });
    for (const [name, path] of [["now", ""], ["callbacks", "callbacks"], ["calls", "calls"]]) {
      await open(own, root + path);
      await own.page.screenshot({ path: `${folder}/${name}${dark ? "-dark" : ""}.png`, fullPage: false });
    }
    await own.page.close();
  }
} finally {
  await browser.close();
}
