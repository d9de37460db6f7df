/** What people see when others change the same settings, and when they leave with changes that are not saved. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { violationsOf } from "./harness.mjs";
import { startSession } from "./session.mjs";
import { button } from "./stack/stack.mjs";

const { open, asked } = startSession();
const CONFLICT = "Someone else changed these settings in the meantime.";

/** What someone else saves. */
function saveElsewhere(state, change) {
  Object.assign(state, change);
  state.etag = (state.etag ?? 1) + 1;
}
const namedChanges = async (page) => (await page.getByRole("alert").getByRole("listitem").allInnerTexts()).map((text) => text.trim());

test("settings that someone else changed keep both people's changes, name those of the other one, and are saved next", async () => {
  const { page, state, close } = await open("accounts-chosen");
  await page.getByLabel("Gift card account code").selectOption("");
  saveElsewhere(state, { codes: { ...state.codes, stripe_fee: "310", stripe_bank: undefined, tax_types: { 20: "OUTPUT2", 5: "RRCONSTR" } } });
  await button(page, "Save").click();
  await page.getByText(CONFLICT).waitFor();
  // The button is far below the message.
  await page.waitForFunction(() => document.querySelector("servicecortex-xero-accounts").shadowRoot.activeElement?.role === "alert");
  assert.deepEqual(await namedChanges(page), ["Stripe fee account code: 310 – Cost of goods sold", "Tax 5%: 5% (Construction)", "Stripe bank account code: None"]);
  await page.getByText("Your changes are kept, but not saved yet. Check the form, then save it.").waitFor();
  assert.equal(state.codes.gift_card, "835");
  assert.deepEqual(await violationsOf(page), []);
  const values = ["Gift card account code", "Stripe fee account code", "Stripe bank account code", "5%"].map((label) => page.getByLabel(label).inputValue());
  assert.deepEqual(await Promise.all(values), ["", "310", "", "RRCONSTR"]);
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.equal(await page.getByText(CONFLICT).count(), 0);
  assert.deepEqual(asked("PUT", "/v1/account-codes").at(-1).body, { sales: "200", stripe_fee: "310", tax_types: { 5: "RRCONSTR", 20: "OUTPUT2" } });
  await close();
});

test("a field that two people changed keeps the user's choice, and says what the other person chose", async () => {
  const { page, state, close } = await open("accounts-chosen");
  await page.getByLabel("Gift card account code").selectOption("090");
  saveElsewhere(state, { codes: { ...state.codes, gift_card: "610" } });
  await button(page, "Save").click();
  await page.getByText(CONFLICT).waitFor();
  assert.deepEqual(await namedChanges(page), ["Gift card account code: they chose “610 – Cash float”. Your choice is kept."]);
  assert.equal(await page.getByLabel("Gift card account code").inputValue(), "090");
  await button(page, "Discard changes").click();
  assert.equal(await page.getByText(CONFLICT).count(), 0);
  assert.equal(await page.getByLabel("Gift card account code").inputValue(), "610");
  await close();
});

test("two people choose tracking options of different categories", async () => {
  const { page, state, close } = await open("accounts-chosen");
  await page.getByLabel("Region").selectOption("South");
  saveElsewhere(state, { codes: { ...state.codes, tracking: [{ category: "Team", option: "Plumbing" }] } });
  await button(page, "Save").click();
  await page.getByText(CONFLICT).waitFor();
  assert.deepEqual(await namedChanges(page), ["Team: Plumbing"]);
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  const byCategory = (a, b) => a.category.localeCompare(b.category);
  assert.deepEqual([...state.codes.tracking].sort(byCategory), [{ category: "Region", option: "South" }, { category: "Team", option: "Plumbing" }]);
  await close();
});

test("preferences that someone else changed are named in the words of the form", async () => {
  const { page, state, close } = await open("preferences-usual");
  await page.getByRole("radio", { name: /^Xero’s/ }).check();
  saveElsewhere(state, { preferences: { ...state.preferences, new_invoices: "draft", mark_as_sent: true } });
  await button(page, "Save").click();
  await page.getByText(CONFLICT).waitFor();
  assert.deepEqual(await namedChanges(page), ["New invoices: Draft", "Mark them as sent: Yes"]);
  assert.ok(await page.getByRole("radio", { name: /^Draft/ }).isChecked());
  assert.ok(await page.getByRole("radio", { name: /^Xero’s/ }).isChecked());
  await button(page, "Save").click();
  await page.getByText("Saved.").waitFor();
  assert.deepEqual(state.preferences, { contacts: "xero", new_invoices: "draft", mark_as_sent: true });
  await close();
});

test("a change that someone else made as well needs no save", async () => {
  const { page, state, close } = await open("preferences-usual");
  await page.getByRole("radio", { name: /^Draft/ }).check();
  saveElsewhere(state, { preferences: { ...state.preferences, new_invoices: "draft" } });
  await button(page, "Save").click();
  await page.getByText("They are the same as yours, so there is nothing to save.").waitFor();
  assert.equal(await button(page, "Discard changes").count(), 0);
  await close();
});

test("a choice that is changed and changed back is no change", async () => {
  const { page, close } = await open("accounts-chosen");
  await page.getByLabel("Stripe fee account code").selectOption("");
  await button(page, "Discard changes").waitFor();
  await page.getByLabel("Stripe fee account code").selectOption("404");
  await button(page, "Discard changes").waitFor({ state: "detached" });
  await close();
});

/** Tries to leave the page. Returns whether the browser asked first. */
async function isAskedBeforeLeaving(page) {
  let isAsked = false;
  page.on("dialog", (dialog) => {
    isAsked = dialog.type() === "beforeunload";
    void dialog.accept();
  });
  await page.goto("about:blank");
  return isAsked;
}

test("the browser asks before a page with changes that are not saved is closed, and only then", async () => {
  const leave = async (prepare) => {
    const { page, close } = await open("settings");
    await prepare(page);
    const isAsked = await isAskedBeforeLeaving(page);
    await close();
    return isAsked;
  };
  const edit = (page) => page.getByRole("radio", { name: /^Draft/ }).check();
  assert.equal(await leave(edit), true);
  assert.equal(await leave(() => undefined), false);
  assert.equal(
    await leave(async (page) => {
      await edit(page);
      await button(page, "Save").last().click();
      await page.getByText("Saved.", { exact: true }).waitFor();
    }),
    false,
  );
  assert.equal(
    await leave(async (page) => {
      await edit(page);
      await page.evaluate(() => document.querySelector("servicecortex-xero-settings").remove());
    }),
    false,
  );
});

test("a link of the elements asks first while a form has changes that are not saved, and is followed on request", async () => {
  const { page, close } = await open("settings");
  const link = page.getByRole("link", { name: "Invoice INV-0988" });
  await page.evaluate(() => {
    window.unsaved = [];
    document.addEventListener("servicecortex-xero-unsaved", ({ detail }) => window.unsaved.push(detail.isUnsaved));
    // As the router of a CRM does, which shows another page without leaving this one.
    document.addEventListener("click", (event) => {
      const followed = event.composedPath().find((one) => one.localName === "a");
      if (!followed) return;
      window.followed = followed.pathname;
      event.preventDefault();
    });
  });
  await page.getByRole("radio", { name: /^Draft/ }).check();
  await link.click();
  await page.getByRole("dialog").getByText("Your changes to “How documents are sent” are not saved.").waitFor();
  assert.deepEqual(await violationsOf(page), []);
  await button(page, "Stay on this page").click();
  assert.ok(await page.getByRole("radio", { name: /^Draft/ }).isChecked());
  assert.equal(await page.evaluate(() => window.followed), undefined);
  await link.click();
  await button(page, "Leave").click();
  await page.waitForFunction(() => window.followed === "/invoice/inv_0988");
  assert.deepEqual(await page.evaluate(() => window.unsaved), [true, false]);
  await link.click();
  assert.equal(await page.getByRole("dialog").count(), 0);
  await close();
});
