/** A running stack, as its file of addresses describes it, and a browser on the pages of the CRM's stand-in. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

/**
 * How long a step may take. A step may start a function, Xero answers at its own speed, and the machine
 * may do much else: the bounds only end a test that would never pass.
 */
const STEP_MS = 300_000;
/** Longer than the first delays before a failed attempt is repeated. */
const PATIENCE_MS = 900_000;
/** How often the API is asked. */
const POLL_MS = 1_000;
/** How often payments are checked: Xero limits calls. */
const CHECK_MS = 10_000;
/** How long a button that may go away is waited for at once. */
const TRY_MS = 5_000;
/** How often a step may be refused because the service is busy. */
const REFUSALS_MAX = 5;

export const stackFile = process.env.STACK_FILE;
export const addresses = stackFile ? JSON.parse(await readFile(stackFile, "utf8")) : undefined;
/** `cargo verify --only browser` names the file; without it there is nothing to test. */
export const options = { skip: addresses ? false : "STACK_FILE is not set; `cargo verify --only browser` runs this" };

/** What the browser reports about an answer that only asks to try again. */
const BUSY = /^Failed to load resource: the server responded with a status of (429|503|504)/;

const clientOf = (id, name, more = {}) => ({ id, revision: 1, name, ...more });

/** What one account does: its users, its messages, its business in Xero. */
export class Account {
  #messages = 0;

  constructor(id, owner, login) {
    this.id = id;
    this.owner = owner;
    this.login = login;
  }

  /** Calls the API as an Owner. Returns the status and the body. */
  async call(method, path, body) {
    const token = await (await fetch(`${addresses.token}?account_id=${this.id}&role=Owner`)).text();
    const response = await fetch(`${addresses.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    return { status: response.status, body: await response.json().catch(() => undefined) };
  }

  /** Waits until the API answers as wanted. `attempt` is made before each further question. */
  waitFor(path, isWanted, { attempt = async () => undefined, everyMs = POLL_MS } = {}) {
    return waitUntil(path, everyMs, async () => {
      const answer = await this.call("GET", path);
      if (answer.status === 200 && isWanted(answer.body)) return { found: answer.body };
      await attempt();
      return { instead: answer };
    });
  }

  /** Waits until the API answers as wanted, while the payments in Xero are checked again and again. */
  waitForCheck(path, isWanted) {
    return this.waitFor(path, isWanted, { attempt: checkPayments, everyMs: CHECK_MS });
  }

  /** Waits until Xero has no link to the organisations of the demo any more. `attempt` is made before each further look. */
  waitForFreeOrganisations(attempt) {
    return waitUntil("the organisations of the demo", POLL_MS, async () => {
      const linked = (await listOrganisations()).slice(0, 2).filter((one) => one.isConnected);
      if (linked.length === 0) return { found: true };
      const { status } = await attempt();
      return { instead: { linked, status } };
    });
  }

  async #send(type, content) {
    this.#messages += 1;
    const envelope = { version: 1, type, message_id: `msg_${this.id}_${this.#messages}`, account_id: this.id, sent_at: new Date().toISOString() };
    const response = await fetch(`${addresses.queues}messages`, { method: "POST", body: JSON.stringify({ ...envelope, ...content }) });
    if (!response.ok) throw new Error(`${type}: ${response.status} ${await response.text()}`);
  }

  /** Sends a client that is recorded without being sent to Xero. */
  async sendClient(id, name, more) {
    await this.#send("client.upserted", { mode: "record", client: clientOf(id, name, more) });
    return this.waitFor(`/v1/clients/${id}`, () => true);
  }

  /** Sends an invoice of £85.00 over one line. */
  sendInvoice(id, number) {
    const client = clientOf(`cl_${id}`, `Tom Bexley of ${id}`);
    const lines = [{ name: "Unblock kitchen sink", quantity: "1", unit_price: "85.00" }];
    const invoice = { id, revision: 1, number, client_id: client.id, issue_date: "2026-10-05", currency: "GBP", lines, total: "85.00" };
    return this.#send("invoice.sent", { client, invoice });
  }

  sendPayment(id, invoice, amount, { method = "bank_transfer", reference, date }) {
    const allocations = [{ invoice_id: invoice, amount }];
    return this.#send("payment.recorded", { payment: { id, revision: 1, method, date, currency: "GBP", reference, allocations } });
  }

  /** The rows of a collection in Xero, such as `payments`. */
  async listInXero(collection) {
    const { id } = await this.organisation();
    return (await fetch(`${addresses.xero}/_simulator/organisations/${id}/${collection}`)).json();
  }

  /** The organisation in Xero that the account uses. */
  async organisation() {
    const { body } = await this.call("GET", "/v1/connection");
    return organisationNamed(body.organisation);
  }

  /** Something that a bookkeeper does in Xero. */
  async actInXero(action, body = {}) {
    const { id } = await this.organisation();
    const response = await fetch(`${addresses.xero}/_simulator/organisations/${id}/${action}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
  }

  /** Enters contacts in Xero with another app, as if they had always been there. */
  async enterContacts(organisation, contacts) {
    const { client_id, client_secret, redirect_uri } = addresses.other_app;
    const query = new URLSearchParams({ response_type: "code", client_id, redirect_uri, scope: "accounting.contacts", state: "s", login_hint: this.login });
    const page = await (await fetch(`${addresses.xero}/identity/connect/authorize?${query}`)).text();
    const field = (name) => unescapeHtml(new RegExp(`name="${name}" value="([^"]*)"`).exec(page)[1]);
    const { id } = await organisationNamed(organisation);
    const form = new URLSearchParams({ request: field("request"), user: field("user"), tenant: id, decision: "allow" });
    const consent = await fetch(`${addresses.xero}/identity/connect/authorize`, { method: "POST", body: form, redirect: "manual" });
    const code = new URL(consent.headers.get("location")).searchParams.get("code");
    const basic = Buffer.from(`${client_id}:${client_secret}`).toString("base64");
    const tokens = await fetch(`${addresses.xero}/connect/token`, {
      method: "POST",
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri }),
    });
    const { access_token } = await tokens.json();
    const entered = await fetch(`${addresses.xero}/api.xro/2.0/Contacts`, {
      method: "PUT",
      headers: { authorization: `Bearer ${access_token}`, "xero-tenant-id": id, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ Contacts: contacts }),
    });
    if (!entered.ok) throw new Error(`Contacts: ${entered.status} ${await entered.text()}`);
  }
}

/** Asks at this interval until there is something to return. `ask` returns what it found, or what it saw instead. */
async function waitUntil(what, everyMs, ask) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const { found, instead } = await ask();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`${what}: ${JSON.stringify(instead)}`);
    await pause(everyMs);
  }
}

async function listOrganisations() {
  return (await fetch(`${addresses.xero}/_simulator/organisations`)).json();
}

async function organisationNamed(name) {
  const found = (await listOrganisations()).find((one) => one.name === name);
  if (!found) throw new Error(`no organisation is named ${name}`);
  return found;
}

const unescapeHtml = (text) =>
  text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&apos;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Reads the payments from Xero now. */
async function checkPayments() {
  const response = await fetch(`${addresses.queues}payment-check`, { method: "POST" });
  if (!response.ok) throw new Error(`the payment check: ${response.status} ${await response.text()}`);
}

/** A browser, in which each person has a session of their own. */
export class StackBrowser {
  #browser;

  static async start() {
    const made = new StackBrowser();
    made.#browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    return made;
  }

  stop() {
    return this.#browser.close();
  }

  /** Signs a user in at the CRM, and shows the settings. */
  async signIn(account, role = "Owner") {
    const context = await this.#browser.newContext({ viewport: { width: 1100, height: 900 }, locale: "en-GB", timezoneId: "Europe/London" });
    context.setDefaultTimeout(STEP_MS);
    const page = await context.newPage();
    const lines = [];
    // What Xero's page says is not the CRM's, and the browser itself reports that the service is busy.
    page.on("console", (message) => {
      if (!message.location().url.startsWith(addresses.xero) && !BUSY.test(message.text())) lines.push(message.text());
    });
    page.on("pageerror", (error) => lines.push(String(error)));
    const user = new URLSearchParams({ sub: `usr_${role.toLowerCase()}`, account_id: account.id, role, name: `The ${role}` });
    await page.goto(`${addresses.crm}/sign-in?${user}`);
    return { page, lines, close: () => context.close() };
  }

  /** Keeps a picture of the page, if the run keeps pictures. */
  async keepPicture(page, name) {
    const folder = process.env.SCREENSHOTS;
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
}

export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Marks the alerts that were there before a button was pressed. */
const EARLIER = "data-before-press";

/** Clicks a control unless the effect shows first. Returns whether it has clicked. */
async function clickUnlessShown(control, effect) {
  for (let left = STEP_MS / TRY_MS; ; left -= 1) {
    if (await effect.first().isVisible()) return false;
    try {
      await control.click({ timeout: TRY_MS });
      return true;
    } catch (error) {
      if (left <= 0) throw error;
    }
  }
}

/**
 * Presses a button until its effect shows. The service may be busy, and then says so beside the button. An alert
 * that was there before is about another action: an element removes the alert of an action before it repeats it.
 */
export async function press(page, control, effect) {
  const alerts = page.getByRole("alert");
  const refusal = alerts.and(page.locator(`:not([${EARLIER}])`));
  for (let refusals = 0; ; refusals += 1) {
    await alerts.evaluateAll((earlier, mark) => earlier.forEach((alert) => alert.setAttribute(mark, "")), EARLIER);
    if (refusals === 0) await control.click();
    // An action that did not end in time may take effect nevertheless, and then its button goes away.
    else if (!(await clickUnlessShown(control, effect))) return;
    await effect.or(refusal).first().waitFor();
    if (await effect.first().isVisible()) return;
    if (refusals === REFUSALS_MAX) throw new Error(`refused: ${await refusal.first().textContent()}`);
  }
}

/** A button whose question is answered in its dialog, for `press`. */
export const confirmed = (page, control, answer) => ({
  click: async (settings) => {
    await control.click(settings);
    await page.getByRole("dialog").getByRole("button", { name: answer, exact: true }).click();
  },
});

/** Presses a button that leads to the consent page of Xero, and logs in there as the account's owner. */
export async function openConsent(page, account, name) {
  await press(page, button(page, name), page.getByRole("heading", { name: "wants access to" }));
  if (account.owner) await page.getByRole("link", { name: `Sign in as ${account.owner} instead`, exact: true }).click();
  await page.getByRole("button", { name: "Allow access" }).waitFor();
}

/** Connects the account as a person does, and waits until the page says so. */
export async function connect(page, account, name = "Connect to Xero") {
  await openConsent(page, account, name);
  await page.getByRole("button", { name: "Allow access" }).click();
  await press(page, button(page, "Finish connecting"), page.getByText(/^Connected to .+\.$/));
}
