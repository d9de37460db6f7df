/** Every element in every state: accessible, silent on the console, and never wider than its column. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { violationsOf } from "./harness.mjs";
import { SCENARIOS } from "./mocks.mjs";
import { startSession } from "./session.mjs";

const session = startSession();

/** The browser reports refused requests itself; the scenarios that have them expect it. */
const isExpected = (line) => /^Failed to load resource: the server responded with a status of (401|404|409|503)/.test(line);

for (const [name, { element }] of Object.entries(SCENARIOS)) {
  test(`${name} meets WCAG 2.2 AA in light, dark and narrow, and logs nothing`, async () => {
    const { page, lines, close } = await session.harness.openScenario(name);
    await session.harness.settle(page);
    assert.deepEqual(await violationsOf(page), [], "light");
    await page.evaluate(() => {
      document.documentElement.style.colorScheme = "dark";
    });
    assert.deepEqual(await violationsOf(page), [], "dark");
    await page.setViewportSize({ width: 320, height: 800 });
    const [wanted, width] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.equal(wanted, width, `${element} needs ${wanted} pixels`);
    assert.deepEqual(await violationsOf(page), [], "narrow");
    assert.deepEqual(lines.filter((line) => !isExpected(line)), []);
    await close();
  });
}
