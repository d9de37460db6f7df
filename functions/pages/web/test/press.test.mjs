/** How the tests against the stack press a button: again if the action was refused, once otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startSession } from "./session.mjs";
import { button, press } from "./stack/stack.mjs";

/** Longer than a browser takes to find what is on the page. */
const ANSWER_MS = 300;

const session = startSession();

/** A page with an alert of an earlier action, and a button whose action is refused so many times before it succeeds. */
async function openPage(refusals) {
  const page = await session.harness.browser.newPage();
  await page.setContent(`<p role="alert">An earlier action was refused.</p><button>Save</button><output></output>`);
  await page.evaluate(
    ([refusalsLeft, answerMs]) => {
      const output = document.querySelector("output");
      let left = refusalsLeft;
      window.presses = 0;
      document.querySelector("button").addEventListener("click", () => {
        window.presses += 1;
        output.replaceChildren();
        setTimeout(() => {
          const answer = document.createElement("p");
          answer.textContent = left > 0 ? "The service is busy." : "Saved.";
          if (left > 0) answer.setAttribute("role", "alert");
          left -= 1;
          output.replaceChildren(answer);
        }, answerMs);
      });
    },
    [refusals, ANSWER_MS],
  );
  return page;
}

const pressSave = (page) => press(page, button(page, "Save"), page.getByText("Saved."));

test("an alert that was there before is no refusal, so the button is pressed once", async () => {
  const page = await openPage(0);
  await pressSave(page);
  assert.equal(await page.evaluate(() => window.presses), 1);
  await page.close();
});

test("a refused action is repeated, and the alert of each attempt counts once", async () => {
  const page = await openPage(3);
  await pressSave(page);
  assert.equal(await page.evaluate(() => window.presses), 4);
  await page.close();
});

test("an action that takes effect although it was refused is not repeated", async () => {
  const page = await openPage(1);
  await page.evaluate((answerMs) => {
    const output = document.querySelector("output");
    new MutationObserver((_, observer) => {
      if (!output.querySelector("[role=alert]")) return;
      observer.disconnect();
      document.querySelector("button").remove();
      setTimeout(() => output.insertAdjacentHTML("beforeend", "<p>Saved.</p>"), answerMs);
    }).observe(output, { childList: true });
  }, ANSWER_MS);
  await pressSave(page);
  assert.equal(await page.evaluate(() => window.presses), 1);
  await page.close();
});

test("an action that is refused every time fails with the service’s reason", async () => {
  const page = await openPage(100);
  await assert.rejects(pressSave(page), /^Error: refused: The service is busy\.$/);
  await page.close();
});
