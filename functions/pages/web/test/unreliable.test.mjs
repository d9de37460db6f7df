/** What people see when the network is slow or fails, when something changes elsewhere, and where the focus goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { restorePage } from "./harness.mjs";
import { startSession } from "./session.mjs";
import { button } from "./stack/stack.mjs";

const session = startSession();
const { open, asked } = session;

/** Holds the requests for which `isHeld` is true, until `release` is called. */
function holdRequests(isHeld) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  return { hold: (path) => (isHeld(path) ? released : undefined), release };
}
/** What has the focus inside the element, as the text of a heading or a button. */
const focusedText = (page, element) => page.evaluate((name) => document.querySelector(name).shadowRoot.activeElement?.textContent.trim(), `servicecortex-xero-${element}`);
const announced = (page) => page.locator("p[role=status][aria-live]");

test("all sections appear when the first reading of the status fails and a later one succeeds", async () => {
  const change = (state) => (state.fail = { "/v1/connection": [503, "Try again in a minute."] });
  const { page, state, close } = await open("settings", { change });
  await page.locator(".notice").getByText("Try again in a minute.").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Account mapping" }).count(), 0);
  state.fail = undefined;
  await button(page, "Try again").click();
  await page.getByRole("heading", { name: "Account mapping" }).waitFor();
  await close();
});

test("all sections show a connection that ended elsewhere, as soon as one of them has read it", async () => {
  const { page, state, close } = await session.harness.openScenario("settings", { silent: true });
  await page.waitForFunction(() => window.configureLate);
  await page.evaluate(() => window.configureLate());
  await page.getByLabel("Default account code").waitFor();
  state.status = { ...state.status, status: "disconnected", problem: undefined };
  await page.clock.runFor(31_000);
  await page.getByText("Connect to Xero to choose accounts.").waitFor();
  await close();
});

test("another organisation brings its own accounts", async () => {
  const change = (state) => (state.status.choices = [{ tenant_id: "t-1", name: "Ridgeway Heating NZ" }]);
  const { page, state, close } = await open("settings", { change });
  await page.getByLabel("Default account code").locator("option", { hasText: "200 – Sales" }).waitFor({ state: "attached" });
  state.choices.income = [{ code: "4000", name: "Heating", type: "REVENUE" }];
  await page.getByLabel("Ridgeway Heating NZ").check();
  await button(page, "Use this organisation…").click();
  await button(page, "Use this organisation").click();
  await page.getByLabel("Default account code").locator("option", { hasText: "4000 – Heating" }).waitFor({ state: "attached" });
  await close();
});

test("a request that is never answered ends with a message", async () => {
  const { hold, release } = holdRequests((path) => path === "/v1/connection");
  const { page, close } = await session.harness.openScenario("connection-active", { silent: true, change: (state) => (state.hold = hold) });
  await page.waitForFunction(() => window.configureLate);
  await Promise.all([page.waitForRequest((request) => request.method() === "GET" && request.url().endsWith("/v1/connection")), page.evaluate(() => window.configureLate())]);
  await page.clock.runFor(46_000);
  await page.getByText("The Xero integration cannot be reached.").first().waitFor();
  release();
  await close();
});

test("a failure of the first reading is said to screen readers", async () => {
  const { page, close } = await open("error-first");
  await page.getByRole("status").getByText(/did not respond\. Try again in a minute\./).waitFor();
  await close();
});

test("clearing the filter of the log keeps the filter and its focus, and claims nothing while it reads", async () => {
  const { page, state, close } = await open("sync-log-full");
  const { log } = state;
  const field = page.getByLabel("Number or id");
  state.log = [];
  await field.fill("INV-9");
  await page.getByText("No entries from the last 30 days match.").waitFor();
  const { hold, release } = holdRequests((path) => path === "/v1/sync-log");
  Object.assign(state, { log, hold });
  await page.evaluate(() => {
    window.claims = [];
    const { shadowRoot } = document.querySelector("servicecortex-xero-sync-log");
    new MutationObserver(() => window.claims.push(shadowRoot.querySelector(".empty")?.textContent.trim())).observe(shadowRoot, { childList: true, subtree: true, characterData: true });
  });
  await field.fill("");
  await page.getByText("Loading…").waitFor();
  assert.equal(await page.evaluate(() => document.querySelector("servicecortex-xero-sync-log").shadowRoot.activeElement?.id), "text");
  release();
  await page.locator("table.log tbody tr").first().waitFor();
  assert.equal((await page.evaluate(() => window.claims)).includes("Nothing has been synced in the last 30 days."), false);
  await close();
});

test("a download has one filter from its first to its last page", async () => {
  const { page, state, close } = await open("sync-log-full", { change: (one) => (one.log = [...one.log, ...one.log]) });
  const { hold, release } = holdRequests((path) => path === "/v1/sync-log");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    (async () => {
      state.hold = hold;
      await Promise.all([page.waitForRequest((request) => request.url().includes("limit=200")), button(page, "Download CSV").click()]);
      await page.getByLabel("Record", { exact: true }).selectOption("invoice");
      release();
    })(),
  ]);
  assert.ok(download);
  const read = asked("GET", "/v1/sync-log").filter(({ query }) => query.get("limit") === "200");
  assert.deepEqual(read.map(({ query }) => query.get("entity")), [null, null]);
  await close();
});

test("further records stay on the list when it is read again", async () => {
  const { page, close } = await open("attention-some");
  await button(page, /^Show more/).click();
  await page.getByText("Invoice INV-1048").waitFor();
  await Promise.all([
    page.waitForResponse((response) => response.url().includes("cursor=c1")),
    restorePage(page),
  ]);
  await session.harness.settle(page);
  assert.equal(await page.getByText("Invoice INV-1048").count(), 1);
  await close();
});

test("what cannot be read on request is reported", async () => {
  const change = (state) => (state.fail = { "/v1/reconciliation/findings": [503, "Try again in a minute."] });
  const { page, state, close } = await open("contacts-done");
  change(state);
  await page.getByRole("button", { name: /^Linked/ }).click();
  await page.getByRole("alert").getByText("Try again in a minute.").waitFor();
  await close();
  const list = await open("attention-some");
  list.state.fail = { "/v1/attention": [503, "Try again in a minute."] };
  await button(list.page, /^Show more/).click();
  await list.page.getByText("Try again in a minute.").first().waitFor();
  await list.close();
});

test("what a person changes while the form is saved stays, and is saved next", async () => {
  const { page, state, close } = await open("accounts-chosen");
  await page.getByLabel("Cash").selectOption({ index: 1 });
  const { hold, release } = holdRequests((path) => path === "/v1/account-codes");
  state.hold = hold;
  await button(page, "Save").click();
  await page.getByText("Checking with Xero…").waitFor();
  await page.getByLabel("Cheques").selectOption({ index: 1 });
  const cheque = await page.getByLabel("Cheques").inputValue();
  release();
  await button(page, "Discard changes").waitFor();
  await button(page, "Save").waitFor();
  assert.equal(await page.getByLabel("Cheques").inputValue(), cheque);
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.deepEqual(asked("PUT", "/v1/account-codes").map(({ body }) => body.cheque), [undefined, cheque]);
  assert.equal(state.codes.cheque, cheque);
  await close();
});

test("changes that begin after a discard are based on the newest version", async () => {
  const { page, state, close } = await open("preferences-usual");
  await page.getByRole("radio", { name: /^Draft/ }).check();
  state.etag = 7;
  state.preferences = { ...state.preferences, contacts: "xero" };
  await Promise.all([
    page.waitForResponse((response) => response.url().endsWith("/v1/sync-preferences")),
    restorePage(page),
  ]);
  await session.harness.settle(page);
  await button(page, "Discard changes").click();
  await page.getByRole("radio", { name: /^Awaiting approval/ }).check();
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.deepEqual(state.preferences, { contacts: "xero", new_invoices: "submitted", mark_as_sent: false });
  await close();
});

test("the focus goes to the heading when its button is gone, and the change is said", async () => {
  const { page, close } = await open("invoice-open");
  await button(page, "Never send…").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await button(page, "Send after all").waitFor();
  assert.equal(await focusedText(page, "invoice"), "Xero");
  // It is said when the record has been read once more, which a slow answer delays.
  await announced(page).filter({ hasText: "It is kept out of Xero." }).waitFor({ state: "attached" });
  await close();
});

test("the focus stays with a client that is no longer linked", async () => {
  const { page, close } = await open("contacts-done");
  await page.getByRole("button", { name: /^Linked/ }).click();
  await button(page, "Unlink… Kestrel Lettings").click();
  await button(page, "Unlink").click();
  await page.getByText("No longer linked.", { exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelector("servicecortex-xero-contacts").shadowRoot.activeElement?.localName === "h3");
  assert.equal(await focusedText(page, "contacts"), "Kestrel Lettings");
  await close();
});

test("a question about one record ends when the element gets another one", async () => {
  const { page, close } = await open("invoice-open");
  await button(page, "Never send…").click();
  await page.getByRole("dialog").waitFor();
  await page.evaluate(() => (document.querySelector("servicecortex-xero-invoice").invoiceId = "inv_2"));
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(asked("POST", "/v1/invoices/inv_2/never-send").length, 0);
  await close();
});

test("screen readers hear of no success that was refused", async () => {
  for (const [name, path, label] of [
    ["invoice-open", "/v1/invoices/inv_1042/sync", "Sync now"],
    ["contacts-done", "/v1/reconciliation", "Compare again"],
    ["accounts-chosen", "/v1/account-codes/choices", "Refresh the accounts from Xero"],
  ]) {
    const { page, state, close } = await open(name);
    state.fail = { [path]: [409, "Try again in a minute."] };
    await button(page, label).click();
    await page.getByText("Try again in a minute.").first().waitFor();
    await session.harness.settle(page);
    assert.doesNotMatch(await announced(page).textContent(), /is in Xero|has started|were read/, name);
    await close();
  }
});

test("a text that is announced twice is said twice", async () => {
  const { page, close } = await open("accounts-chosen");
  const texts = [];
  for (const before of ["", "The accounts were read from Xero."]) {
    await button(page, "Refresh the accounts from Xero").click();
    await page.waitForFunction((text) => document.querySelector("servicecortex-xero-accounts").shadowRoot.querySelector("p[role=status][aria-live]").textContent !== text, before);
    texts.push(await announced(page).textContent());
  }
  assert.deepEqual(texts.map((text) => text.trim()), Array(2).fill("The accounts were read from Xero."));
  assert.notEqual(texts[0], texts[1]);
  await close();
});

test("records that are being sent are reported when a cause is withheld", async () => {
  const { page, state, close } = await open("attention-some");
  state.beingSent = [{ entity: "invoice", crm_id: "inv_1042" }];
  await button(page, "Never send these 3…").click();
  await button(page, "Never send").click();
  await page.getByRole("alert").getByText("1 record is being sent at this moment. Try again in a minute.").waitFor();
  await close();
});

test("tax rates that cannot be read are not called done", async () => {
  const { page, close } = await open("setup-new", { change: (state) => (state.fail = { "/v1/account-codes/choices": [409, "Xero is offline."] }) });
  await page.getByText("They cannot be read from Xero at the moment").waitFor();
  await close();
});

test("English sentences and names in another script keep their order on a page that is read from right to left", async () => {
  const { page, close } = await open("settings");
  await page.evaluate(() => (document.documentElement.dir = "rtl"));
  const look = await page.locator("servicecortex-xero-connection").evaluate((one) => [getComputedStyle(one.shadowRoot.querySelector("section")).direction, getComputedStyle(one.shadowRoot.querySelector("dd b a")).unicodeBidi]);
  assert.deepEqual(look, ["ltr", "isolate"]);
  await close();
});
