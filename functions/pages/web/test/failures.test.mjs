/** What people see when an address is wrong or something cannot be read: a sentence, and nothing beside it that is not true. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startSession } from "./session.mjs";
import { button } from "./stack/stack.mjs";

const session = startSession();
const { open, asked } = session;

test("a framed page whose id is not encoded correctly shows why the record cannot be read", async () => {
  const says = "client_id: must be 1 to 40 letters, digits, '_', '-' or '.'";
  for (const [id, encoded] of [["%zz", "%25zz"], ["%", "%25"], ["%E4%F6", "%25E4%25F6"]]) {
    const path = `/v1/clients/${encoded}`;
    const change = (state) => (state.fail = { [path]: [400, says] });
    const { page, close } = await session.harness.openScenario("invoice-open", { framed: `clients/${id}`, change });
    await page.frameLocator("iframe").getByText(says).waitFor();
    assert.notEqual(asked("GET", path).length, 0, id);
    await close();
  }
});

test("a page of the CRM that does not answer is reported with a remedy, until it answers", async () => {
  const says = "ServiceCortex is not responding. Reload the page.";
  for (const framed of ["settings", "clients/cl_17", undefined]) {
    const { page, close } = await session.harness.openScenario("settings", { framed, silent: true });
    const shown = framed ? page.frameLocator("iframe") : page;
    await shown.getByText("Loading…").first().waitFor();
    assert.equal(await shown.getByText(says).count(), 0);
    await page.clock.runFor(15_000);
    await shown.getByText(says).waitFor();
    assert.equal(await shown.getByText("Loading…").count(), 0);
    // Nothing on the page of the elements can help, so no button promises it.
    assert.equal(await shown.getByRole("button", { name: "Try again" }).count(), 0);
    if (!framed) {
      await page.evaluate(() => window.configureLate());
      await shown.getByText("Ridgeway Plumbing Ltd").first().waitFor();
      assert.equal(await shown.getByText(says).count(), 0);
    }
    await close();
  }
});

test("a history that cannot be read says so, and not that it is being read", async () => {
  const change = (state) => (state.fail = { "/v1/sync-log": [503, "Try again in a minute."] });
  const { page, close } = await open("invoice-open", { change });
  await page.getByText("History").click();
  await page.getByText("Try again in a minute.").waitFor();
  await page.getByText("Reading…").waitFor({ state: "detached" });
  await close();
});

test("a search that fails does not ask for more characters, and its failure ends with its text", async () => {
  const change = (state) => (state.fail = { "/v1/contacts": [409, "Xero did not respond. Try again in a few minutes."] });
  const { page, close } = await open("client-queued", { change });
  await button(page, "Search Xero contacts").click();
  const failure = page.getByText("Xero did not respond. Try again in a few minutes.");
  await failure.waitFor();
  assert.equal(await page.getByText("Type at least two characters.").count(), 0);
  await page.getByLabel("Name, e-mail or number in Xero").fill("b");
  await page.getByText("Type at least two characters.").waitFor();
  assert.equal(await failure.count(), 0);
  await close();
});
