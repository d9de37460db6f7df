/** What people see when a page, an answer or a setting changes while they look, or differs from what is usual. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startSession } from "./session.mjs";
import { button } from "./stack/stack.mjs";

const { open, asked } = startSession();

test("a refused ticket is not offered again, and a new attempt is", async () => {
  for (const status of [403, 409, 410]) {
    const change = (state) => (state.fail = { "/v1/connection/complete": [status, "Click Connect to Xero to begin again."] });
    const { page, close } = await open("connection-authorised", { change });
    await button(page, "Finish connecting").click();
    await page.getByText("Click Connect to Xero to begin again.").waitFor();
    await button(page, "Start over").waitFor();
    assert.equal(await button(page, "Finish connecting").count(), 0, String(status));
    await close();
  }
});

test("a completion that fails for a passing reason is offered again with the same ticket", async () => {
  const change = (state) => (state.fail = { "/v1/connection/complete": [503, "Try again in a minute."] });
  const { page, state, close } = await open("connection-authorised", { change });
  await button(page, "Finish connecting").click();
  await page.getByText("Try again in a minute.").waitFor();
  state.fail = undefined;
  await button(page, "Finish connecting").click();
  await page.getByText("Connected to Ridgeway Plumbing Ltd.").first().waitFor();
  await close();
});

test("a completion in progress is asked for again after some seconds, and not at once", async () => {
  const { page, close } = await open("connection-authorised", { change: (state) => (state.unfinished = 1) });
  await button(page, "Finish connecting").click();
  await page.getByText("Connected to Ridgeway Plumbing Ltd.").first().waitFor();
  const [first, second, ...others] = asked("POST", "/v1/connection/complete");
  assert.ok(second.at - first.at >= 2_000, `${second.at - first.at} ms`);
  assert.deepEqual([second.body, others], [first.body, []]);
  await close();
});

test("a failed authorisation says that nothing has changed and what to do, and an unknown outcome says nothing", async () => {
  const { page, close } = await open("connection-failed");
  await page.getByText(/Nothing has changed\. Connect again; if it fails again, contact support\./).waitFor();
  await button(page, "Connect to Xero").waitFor();
  await close();
  const odd = await open("connection-failed", { change: (state) => (state.landing = "?xero=constructor") });
  assert.equal(await odd.page.locator(".notice").count(), 0);
  await odd.close();
});

test("payments that are not read come with what happens next and what to do", async () => {
  const { page, close } = await open("connection-paused");
  await page.getByText(/Payments have not been read from Xero since .*checked\s+again every 15 minutes, and none is lost/).waitFor();
  await page.getByText(/an Owner or Admin can reconnect to Xero; if that does not help, contact support/).waitFor();
  await close();
});

test("a tax rate that is refused can be corrected, although no listed document has it", async () => {
  const { page, close } = await open("accounts-rare-tax");
  await page.getByRole("link", { name: /^Tax 12\.5% names tax type GONE/ }).click();
  const field = page.getByLabel("12.5%", { exact: true });
  assert.equal(await field.evaluate((one) => one.getRootNode().activeElement === one), true);
  await field.selectOption("");
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.deepEqual(asked("PUT", "/v1/account-codes")[0].body.tax_types, { 20: "OUTPUT2" });
  await close();
});

test("a name of one letter opens the search for a contact without an error", async () => {
  const { page, close } = await open("client-queued");
  await page.evaluate(() => (document.querySelector("servicecortex-xero-client").clientName = "B"));
  await button(page, "Search Xero contacts").click();
  await page.getByText("Type at least two characters.").waitFor();
  assert.equal(asked("GET", "/v1/contacts").length, 0);
  await close();
});

test("a refusal stands beside its record alone, and not beside one whose id begins alike", async () => {
  const change = (state) => {
    const { records } = state.attention.given_up.groups.find((one) => one.code === "account_code_archived");
    records[2].record.crm_id = "inv_104";
    state.fail = { "/v1/invoices/inv_1042/sync": [409, "It is being sent at this moment."] };
  };
  const { page, close } = await open("attention-some", { change });
  await button(page, "Retry Invoice INV-1042").click();
  await page.getByText("It is being sent at this moment.").first().waitFor();
  assert.equal(await page.getByRole("alert").count(), 1);
  await close();
});

test("each entry of the log names its operation, an unknown one as it is", async () => {
  const { page, close } = await open("sync-log-operations");
  await page.getByRole("columnheader", { name: "Operation" }).waitFor();
  const texts = await page.locator("td.took").allInnerTexts();
  const words = texts.map((one) => one.trim().replace(/\s*[\d.]+ s$/, ""));
  assert.deepEqual(words, ["Create", "Update", "Void", "Match", "Send", "Import", "Receive", "Link", "Never send", "Another"]);
  await page.setViewportSize({ width: 320, height: 800 });
  assert.ok(await page.locator("td.took").first().isVisible());
  await close();
});

test("the log is filtered by days of the zone that the CRM names, also on a day of 23 hours", async () => {
  const { page, close } = await open("sync-log-full", { timezone: "America/Los_Angeles" });
  const isFiltered = (name) => (request) => new URL(request.url()).searchParams.has(name);
  const [from] = await Promise.all([page.waitForRequest(isFiltered("from")), page.getByLabel("From", { exact: true }).fill("2026-09-27")]);
  assert.equal(new URL(from.url()).searchParams.get("from"), "2026-09-26T12:00:00.000Z");
  const [to] = await Promise.all([page.waitForRequest(isFiltered("before")), page.getByLabel("To", { exact: true }).fill("2026-09-27")]);
  assert.equal(new URL(to.url()).searchParams.get("before"), "2026-09-27T11:00:00.000Z");
  await close();
});

test("a day of the log that would end the span before it begins moves the other day", async () => {
  const { page, close } = await open("sync-log-full", { timezone: "America/Los_Angeles" });
  const [from, to] = [page.getByLabel("From", { exact: true }), page.getByLabel("To", { exact: true })];
  const isSpan = (request) => new URL(request.url()).searchParams.has("from") && new URL(request.url()).searchParams.has("before");
  await from.fill("2026-09-28");
  await Promise.all([page.waitForRequest(isSpan), to.fill("2026-09-26")]);
  assert.deepEqual([await from.inputValue(), await to.inputValue()], ["2026-09-26", "2026-09-26"]);
  await Promise.all([page.waitForRequest(isSpan), from.fill("2026-09-28")]);
  assert.deepEqual([await from.inputValue(), await to.inputValue()], ["2026-09-28", "2026-09-28"]);
  await close();
});

test("the days of the log can be chosen in a language with another calendar and other digits", async () => {
  const { page, close } = await open("sync-log-full", { locale: "th-TH-u-ca-buddhist-nu-thai" });
  const [earliest, latest] = await page.getByLabel(/^(From|To)$/).evaluateAll(([field]) => [field.min, field.max]);
  assert.match(earliest, /^20\d\d-\d\d-\d\d$/);
  assert.match(latest, /^20\d\d-\d\d-\d\d$/);
  await close();
});

test("an element that gets another record shows nothing of the one before, even if the new one cannot be read", async () => {
  const change = (state) => (state.fail = { "/v1/invoices/inv_2": [503, "Try again in a minute."] });
  const { page, close } = await open("invoice-open", { change });
  await page.getByText("INV-1042").first().waitFor();
  await page.evaluate(() => (document.querySelector("servicecortex-xero-invoice").invoiceId = "inv_2"));
  await page.getByText("Try again in a minute.").waitFor();
  assert.equal(await page.getByText("INV-1042").count(), 0);
  assert.equal(await button(page, "Sync now").count(), 0);
  await close();
});

test("an element that gets its record late reads it at once", async () => {
  const { page, close } = await open("invoice-open");
  await page.evaluate(() => document.querySelector("servicecortex-xero-invoice").replaceWith(document.createElement("servicecortex-xero-invoice")));
  await page.getByText("Not sent to Xero yet.").waitFor();
  await page.evaluate(() => (document.querySelector("servicecortex-xero-invoice").invoiceId = "inv_1042"));
  await page.getByText("INV-1042").first().waitFor();
  await close();
});

test("a property that the page sets before the script has arrived applies", async () => {
  const prepare = () => {
    new MutationObserver((_, observer) => {
      const element = document.querySelector("servicecortex-xero-invoice");
      if (!element) return;
      element.invoiceId = "inv_2";
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  };
  const { page, close } = await open("invoice-open", { prepare });
  await page.getByText("Not sent to Xero yet.").waitFor();
  assert.equal(asked("GET", "/v1/invoices/inv_2").length, 1);
  await close();
});
