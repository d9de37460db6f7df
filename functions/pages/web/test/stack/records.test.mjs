/** Accounts, failing records, contacts and unclear money, against the real stack. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violationsOf } from "../harness.mjs";
import { Account, addresses, button, connect, options, press, StackBrowser } from "./stack.mjs";

let browser;
before(async () => {
  if (addresses) browser = await StackBrowser.start();
});
after(() => browser?.stop());

/** An account that is connected to the business of this number, with its settings on the screen. */
async function openConnected(name, number) {
  const account = new Account(`acc_browser_${name}`, `Owner ${number}`, `owner${number}@business.example`);
  const opened = await browser.signIn(account);
  await connect(opened.page, account);
  return { account, ...opened };
}

test("an account that Xero has archived is refused beside its field, and another one is saved", options, async () => {
  const { account, page, close } = await openConnected("accounts", 2);
  const accounts = page.locator("servicecortex-xero-accounts");
  const field = accounts.getByLabel("Stripe bank account code", { exact: true });
  await field.selectOption("091");
  await account.actInXero("accounts/091/archive");
  await press(page, button(accounts, "Save"), page.getByText("There is a problem"));
  await page.getByRole("link", { name: /^Stripe bank account code .*091/ }).click();
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "accounts-refused");
  const { body } = await account.call("GET", "/v1/account-codes");
  assert.equal(body.stripe_bank, undefined, "nothing is saved");

  await field.selectOption("092");
  await press(page, button(accounts, "Save"), accounts.getByText("Saved."));
  assert.equal((await account.call("GET", "/v1/account-codes")).body.stripe_bank, "092");

  const preferences = page.locator("servicecortex-xero-preferences");
  await preferences.getByRole("radio", { name: /^Draft/ }).check();
  await press(page, button(preferences, "Save"), preferences.getByText("Saved."));
  assert.equal((await account.call("GET", "/v1/sync-preferences")).body.new_invoices, "draft");
  await browser.keepPicture(page, "settings-saved");
  await close();
});

test("an invoice that Xero refuses is listed with its cause, and sent from the list when that is gone", options, async () => {
  const { account, page, close } = await openConnected("failing", 3);
  await account.actInXero("lock", { through: "2026-12-31" });
  await account.sendInvoice("inv_browser_failing", "#INV-BROWSER-1");
  const failed = await account.waitFor("/v1/invoices/inv_browser_failing", ({ failure }) => Boolean(failure));
  assert.equal(failed.failure.code, "period_locked");
  await page.reload();
  const nothing = page.getByText("Nothing needs attention.");
  const retry = page.getByRole("button", { name: /^(Retry|Try now:) Invoice #INV-BROWSER-1$/ });
  await retry.waitFor();
  await page.getByText("Ask your bookkeeper").first().waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "attention");

  await account.actInXero("lock");
  // The next attempt may begin by itself before the button is pressed, and the list is read again then.
  await Promise.any([retry.click(), nothing.waitFor()]);
  await nothing.waitFor();
  await account.waitFor("/v1/invoices/inv_browser_failing", ({ state }) => state === "synced");
  await page.goto(`${addresses.crm}/invoices/inv_browser_failing`);
  await page.getByText("Awaiting payment").first().waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "invoice");
  await close();
});

test("a client is linked to a contact that a person has found, and unlinked", options, async () => {
  const { account, page, lines, close } = await openConnected("links", 4);
  await account.enterContacts("Business 4", [{ Name: "Hinksey Ferries (since 1974)", EmailAddress: "ferry@hinksey.example" }]);
  await account.sendClient("cl_ferry", "Hinksey Ferry Company");
  await page.goto(`${addresses.crm}/clients/cl_ferry`);
  await button(page, "Search Xero contacts").click();
  await page.getByLabel("Name, e-mail or number in Xero").fill("hinksey");
  await button(page, "Link to Hinksey Ferries (since 1974)").click();
  await page.getByRole("dialog").getByRole("button", { name: "Link", exact: true }).click();
  await button(page, "Unlink…").waitFor();
  const linked = await account.waitFor("/v1/clients/cl_ferry", ({ xero_id }) => Boolean(xero_id));
  // A client that is being sent cannot be unlinked.
  await account.waitFor("/v1/clients/cl_ferry", ({ state }) => !["queued", "syncing"].includes(state));
  await browser.keepPicture(page, "client-linked");

  await button(page, "Unlink…").click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink", exact: true }).click();
  await button(page, "Unlink…").waitFor({ state: "detached" });
  const unlinked = await account.waitFor("/v1/clients/cl_ferry", ({ xero_id }) => !xero_id);
  assert.deepEqual(unlinked.earlier_xero_ids, [linked.xero_id]);
  assert.deepEqual(lines, []);
  await close();
});

test("a comparison leaves a client with two candidates to a person, who decides", options, async () => {
  const { account, page, close } = await openConnected("matching", 5);
  const EmailAddress = "hello@cowley.example";
  await account.enterContacts("Business 5", [
    { Name: "Cowley Launderette Trading", EmailAddress },
    { Name: "The Wash House", EmailAddress },
  ]);
  await account.sendClient("cl_cowley", "Cowley Road Laundry Ltd", { email: EmailAddress });
  await page.reload();
  const link = button(page, "Link Cowley Road Laundry Ltd to The Wash House");
  await press(page, button(page, "Compare now"), page.getByRole("group", { name: "Findings to show" }));
  await link.waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "matching");
  await press(page, link, page.getByText("Linked to The Wash House"));
  await account.waitFor("/v1/clients/cl_cowley", ({ xero_id }) => Boolean(xero_id));
  await close();
});

test("a payment in Xero that may be one of the CRM’s counts once after a person has decided", options, async () => {
  const { account, page, close } = await openConnected("money", 6);
  const path = "/v1/invoices/inv_browser_money";
  await account.sendInvoice("inv_browser_money", "#INV-BROWSER-2");
  const { xero_id } = await account.waitFor(path, ({ state }) => state === "synced");
  await account.sendPayment("pay_browser", "inv_browser_money", "50.00", { reference: "Transfer 4711 of Bexley", date: "2026-10-20" });
  await account.waitFor(`${path}/payments`, ({ recorded }) => recorded.length === 1);
  // The amount agrees and the reference does not, so only a person can know.
  await account.actInXero(`invoices/${xero_id}/pay`, { amount: 50, date: "2026-10-21", reference: "BACS 0815" });
  await account.waitForCheck(`${path}/payments`, ({ unclear }) => unclear === 1);
  await page.reload();
  await page.getByText(/^£50\.00 for invoice/).first().waitFor();
  await browser.keepPicture(page, "attention-unclear");
  await page.goto(`${addresses.crm}/invoices/inv_browser_money`);
  await page.getByText("To decide").first().waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "invoice-unclear");
  await press(page, page.getByRole("button", { name: /^Yes: £50\.00, bank transfer/ }), page.getByText("In both"));
  const { body } = await account.call("GET", `${path}/payments`);
  assert.equal(body.unclear, 0);
  await close();
});

test("of money that was paid in excess, one part is for an invoice and another stays as credit", options, async () => {
  const { account, page, close } = await openConnected("excess", 8);
  const attention = "/v1/attention?state=given_up";
  await account.sendInvoice("inv_browser_excess", "#INV-BROWSER-3");
  const { xero_id } = await account.waitFor("/v1/invoices/inv_browser_excess", ({ state }) => state === "synced");
  const client = await account.waitFor("/v1/clients/cl_inv_browser_excess", (one) => Boolean(one.xero_id));
  // The lists of both are read after a payment, so the deposit comes first.
  await account.actInXero(`contacts/${client.xero_id}/prepay`, { amount: 40, date: "2026-10-20", reference: "Deposit" });
  await account.actInXero(`invoices/${xero_id}/overpay`, { amount: 97.94, date: "2026-10-21", reference: "BACS 0816" });
  await account.waitForCheck(attention, ({ overpaid }) => overpaid.length === 2);
  await page.reload();
  const excess = page.getByText(/^£12\.94 overpaid by /).first();
  await excess.waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "attention-overpaid");
  await press(page, page.getByRole("button", { name: /^Invoice .* \(£12\.94 overpaid/ }), page.getByText("1 to decide"));
  await excess.waitFor({ state: "detached" });
  const left = await account.waitFor(attention, ({ overpaid }) => overpaid.length === 1);
  assert.equal(left.overpaid[0].kind, "prepayment");

  await press(page, page.getByRole("button", { name: /^Keep it as credit \(£40\.00 prepaid/ }), page.getByText("Nothing needs attention."));
  await account.waitFor(attention, ({ overpaid }) => overpaid.length === 0);
  await close();
});

test("a cheque is sent to the account of its method when a person says that it is not in Xero yet", options, async () => {
  const { account, page, close } = await openConnected("methods", 9);
  const accounts = page.locator("servicecortex-xero-accounts");
  await accounts.getByLabel("Cheques", { exact: true }).selectOption("091");
  await accounts.getByLabel("Region", { exact: true }).selectOption("North");
  await press(page, button(accounts, "Save"), accounts.getByText("Saved."));
  const { body } = await account.call("GET", "/v1/account-codes");
  assert.deepEqual([body.cheque, body.tracking], ["091", [{ category: "Region", option: "North" }]]);

  const path = "/v1/invoices/inv_browser_methods";
  await account.sendInvoice("inv_browser_methods", "#INV-BROWSER-4");
  const { xero_id } = await account.waitFor(path, ({ state }) => state === "synced");
  // The amount agrees and the dates are weeks apart, so only a person can know.
  await account.actInXero(`invoices/${xero_id}/pay`, { amount: 42.5, date: "2026-10-28" });
  await account.sendPayment("pay_cheque", "inv_browser_methods", "42.50", { method: "cheque", date: "2026-10-06" });
  await account.waitFor("/v1/payments/pay_cheque", ({ parts }) => parts[0]?.failure?.code === "payment_unclear");
  await account.waitForCheck(`${path}/payments`, ({ unclear }) => unclear === 1);
  await page.reload();
  const other = page.getByRole("button", { name: /^No, it is another payment \(£42\.50 for invoice/ });
  await other.waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await browser.keepPicture(page, "attention-cheque");
  await other.click();
  await other.waitFor({ state: "detached" });
  await account.waitFor("/v1/payments/pay_cheque", ({ parts }) => parts[0].state === "synced");
  const references = (await account.listInXero("payments")).map((one) => one.Reference ?? "");
  assert.equal(references.filter((one) => one.includes("SC-pay_cheque")).length, 1, references.join());
  await account.waitForCheck(path, ({ amounts }) => amounts?.status === "PAID");
  await page.goto(`${addresses.crm}/invoices/inv_browser_methods`);
  await page.getByText("Fully paid").waitFor();
  await close();
});
