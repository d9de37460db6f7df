/** Takes a picture of every scenario: light and dark, wide and narrow. Names select scenarios. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Harness } from "./harness.mjs";
import { SCENARIOS } from "./mocks.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../screenshots");
const wanted = process.argv.slice(2);
const names = Object.keys(SCENARIOS).filter((name) => wanted.length === 0 || wanted.some((one) => name.startsWith(one)));
await mkdir(folder, { recursive: true });
const harness = await Harness.start();
for (const name of names) {
  for (const [look, options] of [
    ["", {}],
    ["-dark", { scheme: "dark" }],
    ["-phone", { width: 390 }],
  ]) {
    // The picture of the README shows the top of the page.
    const isPicture = name === "settings" && look === "";
    const { page, close } = await harness.openScenario(name, { ...options, ...(isPicture ? { height: 1180 } : {}) });
    await harness.settle(page);
    await page.screenshot({ path: join(folder, `${name}${look}.png`), fullPage: !isPicture, scale: "css" });
    await close();
  }
}
await harness.stop();
console.log(`${names.length} scenarios in ${folder}`);
