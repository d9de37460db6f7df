/** Connecting, choosing an organisation, ending and renewing a connection, against the real stack. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violationsOf } from "../harness.mjs";
import { Account, addresses, button, confirmed, connect, openConsent, options, press, StackBrowser } from "./stack.mjs";

let browser;
before(async () => {
  if (addresses) browser = await StackBrowser.start();
});
after(() => browser?.stop());

test("a cancelled consent changes nothing, and an allowed one connects after a click", options, async () => {
  const account = new Account("acc_browser_connect", "Owner 1", "owner1@business.example");
  const { page, lines, close } = await browser.signIn(account);
  await openConsent(page, account, "Connect to Xero");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Access was not granted in Xero, so nothing has changed.").waitFor();
  await page.getByText("Not connected").first().waitFor();
  assert.equal(new URL(page.url()).search, "");
  await browser.keepPicture(page, "connection-cancelled");

  await openConsent(page, account, "Connect to Xero");
  await page.getByRole("button", { name: "Allow access" }).click();
  await button(page, "Finish connecting").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("ticket"), null);
  const before = await account.call("GET", "/v1/connection");
  assert.notEqual(before.body.status, "active", "only the click completes it");
  await press(page, button(page, "Finish connecting"), page.getByText("Connected to Business 1."));
  await account.waitFor("/v1/connection", ({ status }) => status === "active");
  await page.getByRole("heading", { name: "Account mapping" }).waitFor();
  assert.deepEqual(await violationsOf(page), []);
  assert.deepEqual(lines, []);
  await browser.keepPicture(page, "connection-active");

  await page.goto(`${addresses.crm}/framed/settings`);
  await page.frameLocator("#xero").getByText("Business 1").first().waitFor();
  await page.waitForFunction(() => Number(document.querySelector("#xero").height) > 300);
  assert.deepEqual(lines, []);
  await close();
});

test("a Member reads the settings and changes nothing", options, async () => {
  const account = new Account("acc_browser_connect");
  const { page, lines, close } = await browser.signIn(account, "Member");
  await page.getByText("Only an Owner or Admin can connect, disconnect or start a sync.").waitFor();
  const names = await page.getByRole("button").evaluateAll((buttons) => buttons.map((one) => one.textContent.trim()));
  assert.deepEqual(names.filter((name) => /Sync|Connect|Disconnect|Retry|Never|Save|Compare now|Use /.test(name)), []);
  assert.deepEqual(lines, []);
  await close();
});

test("of two organisations, the person chooses one and can change to the other", options, async () => {
  const account = new Account("acc_browser_two");
  const { page, close } = await browser.signIn(account);
  await openConsent(page, account, "Connect to Xero");
  await page.getByRole("checkbox", { name: "Ridgeway Property Services Ltd" }).check();
  await page.getByRole("checkbox", { name: "Kauri Grove Maintenance Limited" }).check();
  await page.getByRole("button", { name: "Allow access" }).click();
  const choice = page.getByRole("radio", { name: "Kauri Grove Maintenance Limited" });
  await press(page, button(page, "Finish connecting"), choice);
  await choice.check();
  await browser.keepPicture(page, "connection-choices");
  const use = confirmed(page, button(page, "Use this organisation…"), "Use this organisation");
  await press(page, use, page.getByText("Connected to Kauri Grove Maintenance Limited."));
  await account.waitFor("/v1/connection", ({ status, organisation }) => status === "active" && organisation.startsWith("Kauri"));
  await close();
  // The guide for integrators connects another account to these organisations.
  await account.waitForFreeOrganisations(() => account.call("DELETE", "/v1/connection"));
});

test("a connection is ended, renewed, and renewed again after its tokens have expired", options, async () => {
  const account = new Account("acc_browser_again", "Owner 7", "owner7@business.example");
  const { page, close } = await browser.signIn(account);
  await connect(page, account);
  await press(page, confirmed(page, button(page, "Disconnect…"), "Disconnect"), page.getByText("Disconnected", { exact: true }));
  await account.waitFor("/v1/connection", ({ status }) => status === "disconnected");
  await browser.keepPicture(page, "connection-ended");

  await connect(page, account, "Connect to Xero again");
  await account.waitFor("/v1/connection", ({ status }) => status === "active");

  await account.actInXero("end-tokens");
  await account.sendInvoice("inv_browser_again", "#INV-BROWSER-AGAIN");
  // A search reads from Xero, and so finds out that the tokens have expired.
  let searches = 0;
  const attempt = () => account.call("GET", `/v1/contacts?query=nobody${(searches += 1)}`);
  await account.waitFor("/v1/connection", ({ status }) => status === "token_expired", { attempt, everyMs: 3_000 });
  await page.reload();
  await page.getByText("Token expired").first().waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "connection-token-expired");

  await connect(page, account, "Reconnect to Xero");
  await account.waitFor("/v1/invoices/inv_browser_again", ({ state }) => state === "synced");
  await close();
});
