/** Every element with names that are much longer than usual, in scripts with and without spaces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SCENARIOS } from "./mocks.mjs";
import { startSession } from "./session.mjs";

const { open } = startSession();
const LENGTH = 200;
const NAMES = {
  "without a space": "Donaudampfschifffahrtsgesellschaft".repeat(6).slice(0, LENGTH),
  "of three-byte characters": "東京都千代田区水道設備工業株式会社".repeat(12).slice(0, LENGTH),
};
/** The fields that people fill in, here or in Xero. */
const FILLED = new Set(["name", "organisation", "category", "option", "message", "remedy", "reference", "number", "xero_number", "choices_by", "description", "email"]);

/** Gives every field that people fill in the same value. */
function fillWith(value, name) {
  if (Array.isArray(value)) return value.map((one) => (typeof one === "string" && one.includes(" ") ? name : fillWith(one, name)));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, FILLED.has(field) && typeof one === "string" ? name : fillWith(one, name)]));
}

for (const [script, name] of Object.entries(NAMES)) {
  for (const scenario of ["settings", "settings-new", "connection-choices", "connection-other", "accounts-tracking", "contacts-done", "attention-decisions", "client-linked", "client-skipped", "invoice-open", "sync-log-full"]) {
    test(`${scenario} is never wider than its column with names ${script}`, async () => {
      assert.ok(SCENARIOS[scenario]);
      const { page, close } = await open(scenario, { width: 360, change: (state) => Object.assign(state, fillWith(state, name)) });
      for (const width of [360, 320, 1040]) {
        await page.setViewportSize({ width, height: 800 });
        const [wanted, present] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.equal(wanted, present, `needs ${wanted} pixels`);
      }
      await close();
    });
  }
}
