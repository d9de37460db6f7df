/** What people do with the elements, with the keyboard where it matters. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { restorePage, violationsOf } from "./harness.mjs";
import { startSession } from "./session.mjs";
import { button } from "./stack/stack.mjs";

const session = startSession();
const { open, asked } = session;
/** Waits until the focused element's text begins with this one. */
const waitForFocus = (page, text) =>
  page.waitForFunction((wanted) => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active?.textContent?.trim().replace(/\s+/g, " ").startsWith(wanted);
  }, text);
/** Waits until the CRM's page has got exactly these events. */
const waitForEvents = (page, names) => page.waitForFunction((wanted) => window.events.join() === wanted, names.join());

test("connecting leads to the consent page of Xero, in the same window", async () => {
  const { page, close } = await open("connection-never");
  await button(page, "Connect to Xero").click();
  await page.waitForFunction(() => window.gone.length === 1);
  assert.match(await page.evaluate(() => window.gone[0]), /^https:\/\/login\.xero\.com\//);
  await close();
});

test("the settings page, too, has a button to connect, which a button of the CRM replaces", async () => {
  for (const name of ["settings-never", "connection-never"]) {
    const { page, close } = await open(name);
    await button(page, "Connect to Xero").waitFor();
    await page.evaluate((element) => {
      const own = document.createElement("button");
      own.slot = "connect-button";
      own.textContent = "Connect with the CRM’s button";
      document.querySelector(element).append(own);
    }, `servicecortex-xero-${name.split("-")[0]}`);
    await button(page, "Connect to Xero").waitFor({ state: "detached" });
    await button(page, "Connect with the CRM’s button").click();
    await page.waitForFunction(() => window.gone.length === 1);
    await page.evaluate(() => document.querySelector("[slot=connect-button]").remove());
    await button(page, "Connect to Xero").waitFor();
    await close();
  }
});

test("a consent is completed only when the person says so, and its ticket leaves the address", async () => {
  const { page, close } = await open("connection-authorised");
  assert.equal(new URL(page.url()).searchParams.get("ticket"), null);
  assert.equal(asked("POST", "/v1/connection/complete").length, 0);
  await button(page, "Finish connecting").click();
  await page.getByText("Connected to Ridgeway Plumbing Ltd.").first().waitFor();
  assert.deepEqual(asked("POST", "/v1/connection/complete")[0].body, { ticket: "t-1" });
  await waitForEvents(page, ["connected"]);
  await close();
});

test("disconnecting asks first, with the keyboard alone, and gives the focus back", async () => {
  const { page, close } = await open("connection-active");
  await button(page, "Disconnect…").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await waitForFocus(page, "Keep connected");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await waitForFocus(page, "Disconnect…");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Disconnected", { exact: true }).waitFor();
  assert.equal(asked("DELETE", "/v1/connection").length, 1);
  await waitForEvents(page, ["disconnected"]);
  await close();
});

test("each status has the word that the product’s documentation uses", async () => {
  const words = {
    "connection-active": "Active",
    "connection-pending": "Pending",
    "connection-error": "Error",
    "connection-token-expired": "Token expired",
    "connection-ended": "Disconnected",
    "connection-never": "Not connected",
  };
  for (const [name, word] of Object.entries(words)) {
    const { page, close } = await open(name);
    assert.equal(await page.getByText(word, { exact: true }).count(), 1, name);
    await close();
  }
});

test("a reconnect is offered wherever a message may ask for it", async () => {
  for (const name of ["connection-token-expired", "connection-unavailable", "connection-error"]) {
    const { page, close } = await open(name);
    await button(page, "Reconnect to Xero").click();
    await page.waitForFunction(() => window.gone.length === 1);
    await close();
  }
  const { page, close } = await open("connection-active");
  assert.equal(await button(page, "Reconnect to Xero").count(), 0);
  await close();
});

test("another organisation is used only after a confirmation that names both", async () => {
  const { page, close } = await open("connection-choices");
  await page.getByRole("radio", { name: "Ridgeway Heating NZ" }).check();
  await button(page, "Use this organisation…").click();
  await page.getByRole("dialog", { name: "Use Ridgeway Heating NZ?" }).getByText("Nothing in Ridgeway Plumbing Ltd is changed or deleted.").waitFor();
  await button(page, "Use this organisation").click();
  await page.getByText("Connected to Ridgeway Heating NZ.").first().waitFor();
  await close();
});

test("Sync all shows its progress", async () => {
  const { page, close } = await open("connection-active");
  await button(page, "Sync all").click();
  await page.getByRole("progressbar", { name: "Sync all" }).waitFor();
  assert.equal(asked("POST", "/v1/sync-all").length, 1);
  await close();
});

test("people who may only read have no buttons that change anything", async () => {
  for (const name of ["connection-active-reader", "setup-reader", "accounts-reader", "preferences-reader", "contacts-reader", "attention-reader", "attention-decisions-reader", "client-reader", "invoice-reader"]) {
    const { page, close } = await open(name);
    const names = await page.getByRole("button").evaluateAll((buttons) => buttons.map((one) => one.textContent.trim()));
    const changing = names.filter((one) => /Sync|Connect|Disconnect|Retry|Never|Link|Unlink|Save|Compare|Use|Yes|Keep/.test(one));
    assert.deepEqual(changing.filter((one) => !/^Linked \d/.test(one)), [], name);
    await close();
  }
});

test("a token is asked for once by all elements, and again shortly before it expires", async () => {
  const { page, close } = await open("settings");
  assert.deepEqual(await page.evaluate(() => window.asked), [false]);
  await close();
  const short = await open("connection-active", { seconds: 10 });
  await button(short.page, "Sync all").click();
  await short.page.getByRole("progressbar").waitFor();
  assert.ok((await short.page.evaluate(() => window.asked)).length >= 2);
  await short.close();
});

test("a refusal without CORS headers renews an expired token once", async () => {
  const { page, close } = await open("connection-active", { seconds: 5, refuseOnce: true });
  await page.getByText("Ridgeway Plumbing Ltd").first().waitFor();
  assert.ok((await page.evaluate(() => window.asked)).includes(true));
  await close();
});

test("an ended session says so and tells the CRM", async () => {
  const { page, close } = await open("session-ended");
  await page.getByText("Your session has ended. Sign in again.").waitFor();
  await waitForEvents(page, ["session-ended"]);
  await close();
});

test("what was read stays visible when the API does not answer, and is read again on request", async () => {
  const { page, state, close } = await open("connection-active");
  state.fail = { "/v1/connection": [503, "Try again in a minute."] };
  await button(page, "Sync all").click();
  await page.getByText("Try again in a minute.").waitFor();
  assert.ok(await page.getByText("Ridgeway Plumbing Ltd").first().isVisible());
  state.fail = undefined;
  await button(page, "Try again").click();
  await page.getByText("Try again in a minute.").waitFor({ state: "detached" });
  await close();
});

test("refused accounts are listed, linked to their fields and named for screen readers", async () => {
  const { page, state, close } = await open("accounts-chosen");
  state.refuse = [{ field: "stripe_bank", detail: "names account 091, which is archived in Xero" }];
  await page.getByLabel("Stripe bank account code").selectOption("091");
  await button(page, "Save").click();
  await page.getByText("There is a problem").waitFor();
  await waitForFocus(page, "There is a problem");
  assert.deepEqual(await violationsOf(page), []);
  await page.getByRole("link", { name: /Stripe bank account code names account 091/ }).click();
  const field = page.getByLabel("Stripe bank account code");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  state.refuse = undefined;
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.equal(asked("PUT", "/v1/account-codes").at(-1).body.stripe_bank, "091");
  await close();
});

test("a tax rate that fits twice is chosen by a person, and an unused account is not sent", async () => {
  const { page, close } = await open("accounts-chosen");
  await page.getByLabel("5%").selectOption("RRCONSTR");
  await page.getByLabel("Stripe fee account code").selectOption("");
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  const { body } = asked("PUT", "/v1/account-codes")[0];
  assert.deepEqual(body.tax_types, { 5: "RRCONSTR", 20: "OUTPUT2" });
  assert.equal("stripe_fee" in body, false);
  await close();
});

test("payments by a method are sent only while it has an account", async () => {
  const { page, close } = await open("accounts-chosen");
  assert.equal(await page.getByLabel("Cash").inputValue(), "");
  await page.getByLabel("Cash").selectOption("610");
  await page.getByLabel("Bank transfers").selectOption("090");
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  const { body } = asked("PUT", "/v1/account-codes")[0];
  assert.deepEqual([body.cash, body.bank_transfer, "cheque" in body, "card" in body], ["610", "090", false, false]);
  await close();
});

test("an unusable account of a payment method is named and reached from the summary", async () => {
  const { page, close } = await open("accounts-methods");
  await page.getByRole("link", { name: /^Bank transfers names account 999/ }).click();
  const field = page.getByLabel("Bank transfers");
  assert.equal(await field.evaluate((one) => one.getRootNode().activeElement === one), true);
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  await close();
});

test("default tracking options are chosen from those in use, and none is sent if none is chosen", async () => {
  const { page, close } = await open("accounts-chosen");
  const region = page.getByLabel("Region");
  assert.deepEqual(await region.locator("option").allTextContents(), ["None", "North", "South"]);
  await region.selectOption("South");
  await page.getByLabel("Team").selectOption("Plumbing");
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  const chosen = [{ category: "Region", option: "South" }, { category: "Team", option: "Plumbing" }];
  assert.deepEqual(asked("PUT", "/v1/account-codes")[0].body.tracking, chosen);
  await region.selectOption("");
  await page.getByLabel("Team").selectOption("");
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.equal("tracking" in asked("PUT", "/v1/account-codes")[1].body, false);
  await close();
});

test("a default tracking option that Xero no longer has is named, and reached from the summary", async () => {
  const { page, close } = await open("accounts-tracking");
  await page.getByRole("link", { name: /^Region names option West of tracking category Region/ }).click();
  await waitForFocus(page, "None");
  const field = page.getByLabel("Region");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  assert.match(await field.locator("option:checked").textContent(), /^West – cannot be used$/);
  await page.getByLabel("Season").selectOption("");
  await field.selectOption("North");
  assert.equal(await page.getByText("There is a problem").count(), 0);
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.deepEqual(asked("PUT", "/v1/account-codes")[0].body.tracking, [{ category: "Region", option: "North" }]);
  await close();
});

test("the first status of invoices is chosen with the keyboard, and saved for the newest version only", async () => {
  const { page, state, close } = await open("preferences-usual");
  await page.getByRole("checkbox", { name: /^Mark them as sent/ }).check();
  await page.getByRole("radio", { name: /^Approved/ }).focus();
  await page.keyboard.press("ArrowDown");
  assert.ok(await page.getByRole("radio", { name: /^Awaiting approval/ }).isChecked());
  // Only approved invoices can be marked as sent.
  assert.equal(await page.getByRole("checkbox").count(), 0);
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.deepEqual(asked("PUT", "/v1/sync-preferences")[0].body, { contacts: "by_origin", new_invoices: "submitted", mark_as_sent: true });
  // The form reads what was saved, and must not find what someone else saves.
  await session.harness.settle(page);

  await page.getByRole("radio", { name: /^Xero’s/ }).check();
  state.etag = 7;
  await button(page, "Save").click();
  await page.getByText("Someone else changed these settings").waitFor();
  assert.equal(state.preferences.contacts, "by_origin");
  await button(page, "Discard changes").click();
  assert.ok(await page.getByRole("radio", { name: /^By origin/ }).isChecked());
  await close();
});

test("an unclear payment is settled by one answer in the attention list", async () => {
  const { page, state, close } = await open("attention-decisions");
  await page.getByText("3 to decide").waitFor();
  await page.getByRole("button", { name: "Yes: £50.00, cash, 11 Nov 2026 (£50.00 for invoice INV-1042)" }).click();
  await page.getByText("£50.00 for invoice INV-1042").waitFor({ state: "detached" });
  assert.deepEqual(asked("POST", "/v1/invoices/inv_1042/payments/xp-2")[0].body, { same_as: "pay_1" });
  await waitForFocus(page, "£20.00 overpaid by Bo’s Bakery");
  assert.equal(state.attention.given_up.unclear.length, 0);
  await close();
});

test("an overpayment belongs to an invoice or stays as credit, as one answer says", async () => {
  const { page, close } = await open("attention-decisions");
  await page.getByRole("button", { name: "Invoice INV-1047 (£20.00 overpaid by Bo’s Bakery)" }).click();
  await page.getByText("£20.00 overpaid").waitFor({ state: "detached" });
  assert.deepEqual(asked("POST", "/v1/overpayments/op-1")[0].body, { invoice: "inv_1047" });
  await page.getByRole("button", { name: /^Keep it as credit/ }).click();
  await page.getByText("prepaid").waitFor({ state: "detached" });
  assert.deepEqual(asked("POST", "/v1/overpayments/pp-1")[0].body, { acknowledged: true });
  assert.equal(asked("POST", "/v1/overpayments/pp-1").length, 1);
  await close();
});

test("a decision that someone else has made meanwhile leaves the list, and the focus goes on", async () => {
  const { page, state, close } = await open("attention-decisions");
  state.attention.given_up.overpaid = state.attention.given_up.overpaid.slice(1);
  await page.getByRole("button", { name: /^Keep it as credit \(£20.00/ }).click();
  await page.getByText("£20.00 overpaid").waitFor({ state: "detached" });
  await page.getByText("This overpayment or prepayment is already closed or used up.").waitFor({ state: "attached" });
  await waitForFocus(page, "£300.00 prepaid by client cl_88");
  await close();
});

test("decisions count as records that need attention", async () => {
  const { page, close } = await open("attention-decisions");
  await page.waitForFunction(() => window.attention === 3);
  await close();
});

test("the differences of the books are listed with their reasons and lead to the records", async () => {
  const { page, close } = await open("books-differing");
  const first = page.getByRole("listitem").filter({ hasText: "INV-1042" }).first();
  assert.match(await first.getByRole("link").getAttribute("href"), /\/invoice\/inv_1042$/);
  assert.match(await first.innerText(), /£240\.00 here, £140\.01 in Xero\s+£100\.00\s+A payment in Xero may be one/);
  await close();
  const many = await open("books-long");
  await many.page.getByText("Showing the first 4 of 312.").waitFor();
  assert.match(await many.page.getByRole("table").innerText(), /FCFA\s123,456,789\.00(?!0)/);
  await many.close();
});

test("equal books say so, and an incomplete comparison does not", async () => {
  const equal = await open("books-equal");
  await equal.page.getByText("The open balances of 1,204 invoices are the same here and in Xero.").waitFor();
  await equal.close();
  const incomplete = await open("books-incomplete");
  await incomplete.page.getByText("2 records could not be compared.").waitFor();
  assert.equal(await incomplete.page.getByText("Equal").count(), 0);
  await incomplete.close();
});

test("retrying a record takes it off the list, and the focus goes to the next one", async () => {
  const { page, close } = await open("attention-some");
  await button(page, "Retry Invoice INV-1042").click();
  await page.getByText("Invoice INV-1042", { exact: true }).waitFor({ state: "detached" });
  await waitForFocus(page, "Invoice INV-1043");
  assert.equal(asked("POST", "/v1/invoices/inv_1042/sync").length, 1);
  await close();
});

test("a whole cause is retried, and withheld only after a confirmation", async () => {
  const { page, close } = await open("attention-some");
  await button(page, "Retry all 3").click();
  await page.getByText("Account 200 is archived").waitFor({ state: "detached" });
  assert.equal(asked("POST", "/v1/attention/retry")[0].body.records.length, 3);
  await button(page, "Never send these 2…").click();
  assert.equal(asked("POST", "/v1/attention/never-send").length, 0);
  await page.getByRole("dialog", { name: "Never send these 2 records?" }).waitFor();
  await button(page, "Never send").click();
  await page.getByText("Dated in a period").waitFor({ state: "detached" });
  assert.equal(asked("POST", "/v1/attention/never-send")[0].body.records.length, 2);
  await close();
});

test("the focus stays with its row, and a closed cause closed, when the list changes on its own", async () => {
  const { page, state, close } = await open("attention-some");
  await page.getByText("Dated in a period").click();
  await page.getByText("Invoice INV-0988").waitFor({ state: "hidden" });
  await button(page, "Retry Invoice INV-1043").focus();
  const { groups } = state.attention.given_up;
  const archived = groups.find((one) => one.code === "account_code_archived");
  const [moved] = archived.records.splice(0, 1);
  groups.unshift({ ...archived, code: "contact_name_taken", message: "Another contact has this name.", records: [moved] });
  await restorePage(page);
  await page.getByText("Another contact has this name.").first().waitFor({ state: "attached" });
  await session.harness.settle(page);
  const label = await page.evaluate(() => document.querySelector("servicecortex-xero-attention").shadowRoot.activeElement?.ariaLabel);
  assert.equal(label, "Retry Invoice INV-1043");
  assert.equal(await page.getByText("Invoice INV-0988").isVisible(), false);
  await close();
});

test("a cause is labelled with who must act, as the API says, and what the user resolves comes first", async () => {
  const change = (state) => {
    const [locked, archived] = state.attention.given_up.groups;
    Object.assign(locked, { code: "credit_note_used", message: "The credit note is used." });
    state.attention.given_up.groups.push({ ...archived, code: "made_up", message: "It is a fault.", responsible: "support" });
  };
  const { page, close } = await open("attention-some", { change });
  const texts = await page.locator("summary").allInnerTexts();
  const expected = [
    /archived in Xero\.$/,
    /e-mail address\.$/,
    /The credit note is used\.\s*Ask your bookkeeper$/,
    /It is a fault\.\s*Contact support$/,
    /did not respond\.\s*No action needed$/,
  ];
  assert.equal(texts.length, expected.length);
  texts.forEach((text, index) => assert.match(text.trim(), expected[index]));
  await close();
});

test("more records of a long list are read on request", async () => {
  const { page, close } = await open("attention-some");
  await button(page, "Show more (2 left)").click();
  await page.getByText("INV-1048").waitFor();
  await close();
});

test("a cause leads to the section that cures it", async () => {
  const { page, close } = await open("settings");
  await button(page, "Open account mapping").click();
  await waitForFocus(page, "Account mapping");
  await close();
});

test("the findings of a comparison that ends between two readings are shown", async () => {
  const { page, state, close } = await open("contacts-none", { refreshes: true });
  await button(page, "Compare now").click();
  // The first reading finds a comparison without pages, and the next one a finished comparison.
  await page.getByText("Comparing", { exact: true }).waitFor();
  state.reconciliation = { ...state.reconciliation, state: "done", finished_at: new Date().toISOString(), pages: 2, ambiguous: 2 };
  await button(page, "Link Bo’s Bakery to Bo’s Bakery").waitFor();
  assert.equal(await button(page, "Show more").count(), 0);
  await close();
});

test("a finding is listed once, whatever is read at the same time", async () => {
  let release;
  const { page, state, close } = await open("contacts-done");
  state.findings.push({ client_id: "cl_60", name: "Late Lettings", outcome: "linked", contact_id: "c-8", by: "email", message: "Linked by the e-mail address.", remedy: "" });
  const held = new Promise((resolve) => (release = resolve));
  state.hold = () => held;
  await page.getByRole("button", { name: /^To decide/ }).click();
  await page.getByRole("button", { name: /^Linked/ }).click();
  release();
  await page.getByRole("heading", { name: "Kestrel Lettings" }).waitFor();
  await page.getByRole("heading", { name: "Late Lettings" }).waitFor();
  assert.equal(await page.getByRole("heading", { name: "Bo’s Bakery" }).count(), 0);
  await close();
});

test("a candidate is linked, and the focus goes to the next client to decide on", async () => {
  const { page, close } = await open("contacts-done");
  await button(page, "Link Bo’s Bakery to Bo’s Bakery").click();
  await page.getByText("Linked to Bo’s Bakery", { exact: true }).waitFor();
  await waitForFocus(page, "Harbour Hotel Group");
  assert.deepEqual(asked("PUT", "/v1/clients/cl_17/contact")[0].body, { contact_id: "c-1" });
  await close();
});

test("a link that the comparison made is undone after a confirmation", async () => {
  const { page, close } = await open("contacts-done");
  await page.getByRole("button", { name: /^Linked/ }).click();
  await page.getByText("Linked by the VAT number.").waitFor();
  await button(page, "Unlink… Kestrel Lettings").click();
  assert.equal(asked("DELETE", "/v1/clients/cl_51/contact").length, 0);
  await button(page, "Unlink").click();
  await page.getByText("No longer linked.", { exact: true }).waitFor();
  assert.equal(asked("DELETE", "/v1/clients/cl_51/contact").length, 1);
  await close();
});

test("a contact is searched, and a linked or archived one cannot be taken", async () => {
  const { page, close } = await open("client-queued");
  await button(page, "Search Xero contacts").click();
  await page.getByRole("dialog").getByText("bo@bakery.example").waitFor();
  assert.deepEqual(await violationsOf(page), []);
  assert.equal(await page.getByRole("button", { name: /^Link to/ }).count(), 1);
  await page.getByText("Linked to client cl_9").waitFor();
  await button(page, "Link to Bo’s Bakery").click();
  await page.getByText("New invoices use this contact.").waitFor();
  await button(page, "Link").click();
  await page.waitForFunction(() => window.events.includes("linked"));
  await page.getByText("In Xero", { exact: true }).waitFor();
  assert.deepEqual(asked("PUT", "/v1/clients/cl_17/contact")[0].body, { contact_id: "c-1" });
  await close();
});

test("only the newest search counts, and short texts are not searched", async () => {
  const { page, close } = await open("client-queued");
  await button(page, "Search Xero contacts").click();
  const field = page.getByLabel("Name, e-mail or number in Xero");
  await page.getByRole("dialog").getByText("bo@bakery.example").waitFor();
  const before = asked("GET", "/v1/contacts").length;
  await field.fill("b");
  await page.getByText("Type at least two characters.").waitFor();
  // Typed faster than the search begins, however slow the machine is.
  await field.evaluate((input) => {
    for (const text of ["zz", "zz p", "zz plumbing"]) {
      input.value = text;
      input.dispatchEvent(new Event("input"));
    }
  });
  await page.getByText("No contact in Xero matches this.").waitFor();
  assert.deepEqual(asked("GET", "/v1/contacts").slice(before).map((one) => one.query.get("query")), ["zz plumbing"]);
  await close();
});

test("an unclear payment is decided once, by one of the named payments", async () => {
  const { page, close } = await open("invoice-open");
  await page.getByRole("button", { name: /^Yes: £50.00, cheque, 13 Nov 2026/ }).click();
  await page.getByText("In both").waitFor();
  await waitForFocus(page, "Payments");
  assert.deepEqual(asked("POST", "/v1/invoices/inv_1042/payments/xp-2")[0].body, { same_as: "pay_2" });
  await close();
});

test("an invoice with a negative total is shown as the credit note that it is in Xero", async () => {
  const { page, close } = await open("invoice-negative");
  await page.getByText("This invoice has a negative total, so it is a credit note in Xero.").waitFor();
  const figures = await page.getByRole("definition").or(page.getByRole("term")).allInnerTexts();
  assert.deepEqual(figures.map((one) => one.trim()), ["Credited", "£240.00", "Credit left", "£90.00"]);
  assert.equal(asked("GET", "/v1/invoices/inv_1042/payments").length, 0);
  await button(page, "Sync now").click();
  await session.harness.settle(page);
  assert.equal(asked("POST", "/v1/invoices/inv_1042/sync").length, 1);
  await close();
});

test("the preview of an invoice with a negative total is that of its credit note", async () => {
  const { page, close } = await open("invoice-negative-skipped");
  await button(page, "Preview").click();
  await page.getByText("The credit note as Xero would receive it").waitFor();
  await page.getByText("Replace the boiler’s pressure relief valve").waitFor();
  assert.equal(asked("GET", "/v1/credit-notes/inv_1042~credit/preview").length, 1);
  await close();
});

test("links lead to the record that the CRM has", async () => {
  const change = (state) => {
    const names = [["credit_note", "inv_1042~credit"], ["credit_note", "cn_18"], ["payment", "pay_31.fee"], ["contact", "cl_203"]];
    state.log = names.map(([entity, crm_id], index) => ({ ...state.log[index], entity, crm_id }));
  };
  const { page, close } = await open("sync-log-full", { change });
  const links = await page.locator("td.record a").evaluateAll((all) => all.map((one) => new URL(one.href).pathname));
  assert.deepEqual(links, ["/invoice/inv_1042", "/credit_note/cn_18", "/payment/pay_31", "/contact/cl_203"]);
  await close();
});

test("the document that would be sent is shown without sending it", async () => {
  const { page, close } = await open("invoice-skipped");
  await button(page, "Preview").click();
  await page.getByText("Replace the boiler’s pressure relief valve").waitFor();
  await page.getByText("less 10% · Item LABOUR · Region: North · Team: Plumbing").waitFor();
  await page.getByText("The e-mail address is left out").waitFor();
  assert.deepEqual(await violationsOf(page), []);
  assert.ok(session.harness.requests.every((one) => one.method === "GET"));
  await close();
});

test("the history of a record is read when it is opened", async () => {
  const { page, close } = await open("invoice-open");
  assert.equal(asked("GET", "/v1/sync-log").length, 0);
  await page.getByText("History").click();
  await page.getByText("Account 200 is archived in Xero.").first().waitFor();
  assert.equal(asked("GET", "/v1/sync-log")[0].query.get("crm_id"), "inv_1042");
  assert.deepEqual(await violationsOf(page), []);
  await close();
});

test("the log says what Xero did not keep of a document that was sent", async () => {
  const { page, close } = await open("sync-log-remarks");
  await page.getByRole("row").filter({ hasText: "INV-1051" }).getByText("Xero did not keep option North of tracking category Region on lines 1 and 3.").waitFor();
  await close();
});

test("the log is filtered, paged and counted by the reader’s days", async () => {
  const { page, close } = await open("sync-log-full");
  await button(page, "Show more").click();
  await page.getByRole("row").nth(40).waitFor();
  await page.getByLabel("Result").selectOption("skipped");
  await page.getByText("Account 200 is archived").first().waitFor();
  const statuses = asked("GET", "/v1/sync-log").map((one) => one.query.get("status"));
  assert.equal(statuses.at(-1), "skipped");
  const isSearch = (request) => new URL(request.url()).searchParams.get("q") === "INV-1042";
  await Promise.all([page.waitForRequest(isSearch), page.getByLabel("Number or id").fill("INV-1042")]);
  await page.getByText("Show figures").click();
  assert.ok((await page.getByRole("table", { name: /synced/ }).getByRole("row").count()) > 20);
  assert.deepEqual(await violationsOf(page), []);
  await close();
});

test("the download has every row, and no cell that a spreadsheet would run", async () => {
  const { page, close } = await open("sync-log-hostile");
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download CSV").click()]);
  const text = await readFile(await download.path(), "utf8");
  assert.ok(text.startsWith("\uFEFFtime,operation,record"));
  assert.ok(text.includes(`"'=HYPERLINK(""http://evil"")"`), text);
  await close();
});

test("text of the CRM and of Xero never becomes markup, and other schemes never become links", async () => {
  const { page, close } = await open("sync-log-hostile");
  await page.getByText("<img src=x onerror=alert(1)>").waitFor();
  assert.equal(await page.locator("a[href^='javascript']").count(), 0);
  await close();
});

test("a badge shows the record it names, whichever answer arrives last", async () => {
  let release;
  const { page, state, close } = await open("badge-all");
  for (const [id, word] of [["early", "skipped"], ["late", "synced"]]) {
    state.records[`/v1/invoices/${id}`] = { entity: "invoice", crm_id: id, state: word, revision: 1 };
  }
  const held = new Promise((resolve) => (release = resolve));
  state.hold = (path) => (path.endsWith("/early") ? held : undefined);
  const badge = page.locator("servicecortex-xero-badge").first();
  await Promise.all([page.waitForRequest(/early$/), badge.evaluate((one) => (one.recordId = "early"))]);
  await badge.evaluate((one) => (one.recordId = "late"));
  await badge.getByText("In Xero").waitFor();
  release();
  await session.harness.settle(page);
  assert.equal(await badge.getByText("In Xero").count(), 1);
  await close();
});

test("times are in the reader's zone, with the exact instant at hand", async () => {
  const { page, close } = await open("connection-token-expired");
  const time = page.locator("time").first();
  assert.match(await time.getAttribute("title"), /(NZDT|NZST|GMT\+1[23])$/);
  assert.match(await time.getAttribute("datetime"), /Z$/);
  await close();
});

test("nothing moves when the content arrives", async () => {
  let release;
  const hold = new Promise((resolve) => (release = resolve));
  const { page, close } = await session.harness.openScenario("connection-active", { hold });
  await page.getByText("Loading…").waitFor({ state: "attached" });
  await page.evaluate(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  const title = page.getByRole("heading", { name: "Xero" });
  const before = await title.boundingBox();
  release();
  await page.getByText("Ridgeway Plumbing Ltd").waitFor();
  assert.deepEqual(await title.boundingBox(), before);
  assert.ok((await page.evaluate(() => window.shift)) < 0.01);
  await close();
});

test("a framed page receives its token over a port, and reports its height and events", async () => {
  const { page, lines, close } = await session.harness.openScenario("settings", { framed: "settings" });
  const frame = page.frameLocator("iframe");
  await frame.getByText("Ridgeway Plumbing Ltd").first().waitFor();
  await page.waitForFunction(() => window.frameEvents.some((one) => one.type === "height" && one.height > 500));
  await frame.getByRole("button", { name: "Sync all" }).click();
  await frame.getByRole("progressbar", { name: "Sync all" }).waitFor();
  assert.deepEqual(lines, []);
  await close();
});

test("a framed record page shows the record of its address", async () => {
  for (const [path, text] of [["clients/cl_17", "Bo’s Bakery"], ["invoices/inv_1042", "INV-1042"]]) {
    const { page, close } = await session.harness.openScenario("invoice-open", {
      framed: path,
      change: (state) => (state.records["/v1/clients/cl_17"] = { crm_id: "cl_17", entity: "contact", state: "synced", revision: 1, contact: { contact_id: "c", name: "Bo’s Bakery", is_archived: false } }),
    });
    await page.frameLocator("iframe").getByText(text).first().waitFor();
    await close();
  }
});
