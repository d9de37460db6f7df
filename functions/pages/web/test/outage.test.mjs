/** What people see during an outage: one message, whose button reads everything again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { restorePage, violationsOf } from "./harness.mjs";
import { startSession } from "./session.mjs";
import { button } from "./stack/stack.mjs";

const session = startSession();
const { open } = session;
const SAYS = "A service did not respond. Try again in a minute.";

/** Lets requests fail for which `isAffected` is true. */
const failRequests = (state, isAffected, refusal = [503, SAYS]) => {
  state.fail = new Proxy({}, { get: (_, path) => (isAffected(path) ? refusal : undefined) });
};
const readAgain = async (page) => {
  await restorePage(page);
  await session.harness.settle(page);
};

test("an outage during which nothing can be read gives one message, and one button reads everything again", async () => {
  const { page, state, close } = await open("settings");
  failRequests(state, () => true);
  await readAgain(page);
  await page.getByText(SAYS).first().waitFor();
  assert.equal(await page.getByText(SAYS).count(), 1);
  assert.equal(await button(page, "Try again").count(), 1);
  const speaker = await page.getByText(SAYS).evaluate((one) => one.getRootNode().host.localName);
  assert.equal(speaker, "servicecortex-xero-connection");
  assert.ok((await page.getByText(/^This is as of \d\d:\d\d\.$/).count()) > 5);
  assert.deepEqual(await violationsOf(page), []);
  state.fail = undefined;
  await button(page, "Try again").click();
  await page.getByText("This is as of").first().waitFor({ state: "detached" });
  await session.harness.settle(page);
  assert.equal(await page.getByText("This is as of").or(page.getByText(SAYS)).count(), 0);
  await close();
});

test("sections that were never read say so while another one says why, and appear with the same button", async () => {
  const isAffected = (path) => path === "/v1/books" || path.startsWith("/v1/attention") || path === "/v1/account-codes/choices";
  const { page, state, close } = await open("settings", { change: (one) => (one.fail = { "/v1/books": [503, SAYS], "/v1/attention": [503, SAYS], "/v1/account-codes/choices": [503, SAYS] }) });
  await page.getByText(SAYS).first().waitFor();
  assert.equal(await page.getByText(SAYS).count(), 1);
  assert.equal(await page.getByText("This cannot be shown at the moment.").count(), 1);
  failRequests(state, isAffected);
  await button(page, "Try again").click();
  await session.harness.settle(page);
  assert.equal(await page.getByText(SAYS).count(), 1);
  state.fail = undefined;
  await button(page, "Try again").click();
  await page.getByText("Yes.").waitFor();
  await page.getByLabel("Default account code").locator("option", { hasText: "200 – Sales" }).waitFor({ state: "attached" });
  await page.getByRole("button", { name: /^Retry / }).first().waitFor();
  assert.equal(await page.getByText(SAYS).count(), 0);
  await close();
});

test("a section with another trouble says its own", async () => {
  const { page, state, close } = await open("settings");
  state.fail = { "/v1/books": [503, SAYS], "/v1/sync-log": [403, "Your role does not allow this."] };
  await readAgain(page);
  await page.getByText(SAYS).waitFor();
  await page.getByText("Your role does not allow this.").waitFor();
  assert.equal(await button(page, "Try again").count(), 2);
  await close();
});

test("the message moves to a section that still cannot be read", async () => {
  const { page, state, close } = await open("settings");
  failRequests(state, (path) => path === "/v1/books" || path.startsWith("/v1/attention"));
  await readAgain(page);
  await page.getByText(SAYS).waitFor();
  failRequests(state, (path) => path === "/v1/books");
  await button(page, "Try again").click();
  await page.waitForFunction(() => {
    const books = document.querySelector("servicecortex-xero-settings").shadowRoot.querySelector("servicecortex-xero-books");
    return books.shadowRoot.textContent.includes("A service did not respond");
  });
  assert.equal(await page.getByText(SAYS).count(), 1);
  await close();
});
