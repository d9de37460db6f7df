/** Two origins and a browser: the API with the bundle, and a page of the CRM with a strict policy. */
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { answer, scenario } from "./mocks.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const DIST = join(here, "../../dist");

const TYPES = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8" };
/** How long a step may take on a machine that does much else. */
const STEP_MS = 180_000;

const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
const readBody = async (request) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : undefined;
};

const tokenOf = (run, seconds) => {
  const payload = Buffer.from(JSON.stringify({ run, exp: Math.floor(Date.now() / 1000) + seconds })).toString("base64url");
  return `h.${payload}.s`;
};
const runOf = (header) => {
  try {
    return JSON.parse(Buffer.from(header.split(".")[1], "base64url").toString()).run;
  } catch {
    return undefined;
  }
};

const elementOf = (name) =>
  ({
    client: `<servicecortex-xero-client client-id="cl_17" client-name="Bo’s"></servicecortex-xero-client>`,
    invoice: `<servicecortex-xero-invoice invoice-id="inv_1042"></servicecortex-xero-invoice>`,
    badge: ["queued", "syncing", "waiting", "parked", "synced", "skipped", "never_send", "unknown"]
      .map((state) => `<p>${state}: <servicecortex-xero-badge kind="invoice" record-id="${state}"></servicecortex-xero-badge></p>`)
      .join(""),
  })[name] ?? `<servicecortex-xero-${name}></servicecortex-xero-${name}>`;

export class Harness {
  #runs = new Map();
  /** The requests of each page that are not answered yet, and how many it has made. */
  #traffic = new WeakMap();
  #count = 0;
  requests = [];

  static async start() {
    const made = new Harness();
    await made.#open();
    return made;
  }

  async #open() {
    const names = await readdir(DIST);
    this.script = names.find((name) => /^xero\..*\.js$/.test(name));
    this.frameScript = names.find((name) => /^frame\..*\.js$/.test(name));
    this.frameStyle = names.find((name) => /^frame\..*\.css$/.test(name));
    this.api = createServer((request, response) => void this.#answerApi(request, response));
    this.crm = createServer((request, response) => this.#answerCrm(request, response));
    this.apiOrigin = `http://127.0.0.1:${await listen(this.api)}`;
    this.crmOrigin = `http://localhost:${await listen(this.crm)}`;
    this.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
  }

  async stop() {
    await this.browser.close();
    for (const server of [this.api, this.crm]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #answerApi(request, response) {
    const url = new URL(request.url, this.apiOrigin);
    const cors = { "access-control-allow-origin": this.crmOrigin, "access-control-expose-headers": "etag", vary: "origin" };
    const end = (status, headers, body) => response.writeHead(status, { "x-content-type-options": "nosniff", ...headers }).end(body);
    if (request.method === "OPTIONS") {
      return end(204, { ...cors, "access-control-allow-headers": "authorization,content-type,if-match", "access-control-allow-methods": "GET,POST,PUT,DELETE" });
    }
    if (url.pathname.startsWith("/pages/")) return this.#answerPage(url, cors, end);
    const run = this.#runs.get(runOf(request.headers.authorization ?? ""));
    const body = await readBody(request);
    this.requests.push({ method: request.method, path: url.pathname, query: url.searchParams, body, at: Date.now() });
    if (!run) return end(401, {}, JSON.stringify({ message: "Unauthorized" }));
    if (run.refuseOnce) {
      // As the gateway refuses a token: without CORS headers.
      run.refuseOnce = false;
      return end(401, {}, JSON.stringify({ message: "Unauthorized" }));
    }
    if (run.state.refuses) return end(401, cors, JSON.stringify({ message: "Unauthorized" }));
    await (run.state.hold?.(url.pathname) ?? run.hold);
    const [status, value, type = "application/json", headers = {}] = answer(run.state, request.method, url.pathname, url.searchParams, body, request.headers);
    return end(status, { ...cors, "content-type": type, ...headers }, value === undefined ? "" : JSON.stringify(value));
  }

  async #answerPage(url, cors, end) {
    const name = url.pathname.slice("/pages/".length);
    if (/^[a-z]+\.[0-9a-f]+\.(js|css)$/.test(name)) {
      const bytes = await readFile(join(DIST, name));
      return end(200, { ...cors, "content-type": TYPES[name.split(".").pop()], "cross-origin-resource-policy": "cross-origin" }, bytes);
    }
    const policy = `default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ${this.crmOrigin}; require-trusted-types-for 'script'; trusted-types lit-html`;
    return end(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy }, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Xero</title><meta name="crm-origins" content="${this.crmOrigin}"><link rel="stylesheet" href="/pages/${this.frameStyle}"><script type="module" src="/pages/${this.frameScript}"></script></head><body><main class="framed"></main></body></html>`);
  }

  #answerCrm(request, response) {
    const url = new URL(request.url, this.crmOrigin);
    const end = (type, text, headers = {}) => response.writeHead(200, { "content-type": `${type}; charset=utf-8`, ...headers }).end(text);
    if (url.pathname === "/page.css") {
      return end("text/css", `:root{color-scheme:${url.searchParams.get("scheme") ?? "light"};background:light-dark(#f2f4f7,#0e1217);color:light-dark(#1a2332,#e7ebf1);font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}body{margin:0;padding:24px;max-width:1040px;margin-inline:auto}iframe{width:100%;height:900px;border:0}@media(max-width:500px){body{padding:12px}}`);
    }
    const run = url.searchParams.get("run") ?? "";
    if (url.pathname === "/page.js" && this.#runs.get(run)?.silent) {
      // A page that neither configures its elements nor answers a frame, until a test makes it.
      const [token] = this.#runs.get(run).tokens;
      return end("text/javascript", `import { configure } from "${this.apiOrigin}/pages/${this.script}";\nwindow.configureLate = () => configure({ getToken: () => "${token}" });`);
    }
    if (url.pathname === "/page.js") {
      return end(
        "text/javascript",
        `import { configure } from "${this.apiOrigin}/pages/${this.script}";
const tokens = ${JSON.stringify(this.#runs.get(run)?.tokens ?? [])};
window.asked = [];
window.events = [];
window.gone = [];
const getToken = ({ expired }) => { window.asked.push(expired); return tokens[Math.min(window.asked.length, tokens.length) - 1]; };
for (const name of ["connected","disconnected","changed","linked","unlinked","session-ended"]) document.addEventListener("servicecortex-xero-" + name, () => window.events.push(name));
document.addEventListener("servicecortex-xero-attention", (event) => (window.attention = event.detail.count));
configure({ getToken, locale: ${JSON.stringify(this.#runs.get(run)?.locale ?? "en-GB")}, timeZone: "Pacific/Auckland", settingsUrl: "/settings", linkTo: (kind, id) => "/" + kind + "/" + id, nameOf: (user) => user === "usr_ana" ? "Ana Ruiz" : undefined, navigate: (to) => window.gone.push(to) });
window.frameEvents = [];
const frame = document.querySelector("iframe");
if (frame) window.addEventListener("message", (event) => {
  if (event.origin !== "${this.apiOrigin}" || event.source !== frame.contentWindow || event.data !== "servicecortex-xero:hello") return;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => {
    if (data.type === "token") port1.postMessage({ type: "token", id: data.id, token: getToken(data) });
    else window.frameEvents.push(data);
  };
  frame.contentWindow.postMessage("servicecortex-xero:port", event.origin, [port2]);
});`,
      );
    }
    const policy = `default-src 'none'; script-src 'self' ${this.apiOrigin}; connect-src ${this.apiOrigin}; style-src 'self'; frame-src ${this.apiOrigin}; img-src data:; require-trusted-types-for 'script'; trusted-types lit-html`;
    const element = url.searchParams.get("element");
    const content = url.pathname === "/framed" ? `<iframe title="Xero" src="${this.apiOrigin}/pages/${element}"></iframe>` : elementOf(element);
    return end(
      "text/html",
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>CRM</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css?scheme=${url.searchParams.get("scheme") ?? "light"}"><script type="module" src="/page.js?run=${run}"></script></head><body><main><h1 hidden>CRM</h1>${content}</main></body></html>`,
      { "content-security-policy": policy },
    );
  }

  /**
   * Opens a scenario in a new context. `tokens` are handed out one after the other. `locale` is what the CRM's page passes on,
   * and `timezone` is that of the browser; the CRM's page always passes Pacific/Auckland on. The time of a `silent` page is the test's.
   * `prepare` runs in the page before its scripts. A page reads again by itself only if it `refreshes`: otherwise it takes itself
   * for one in the background, and how long a step takes does not matter.
   */
  async openScenario(name, { width = 1040, height = 800, scheme = "light", change, seconds = 3600, framed, refuseOnce, hold, locale, silent, prepare, refreshes = silent, timezone = "Pacific/Auckland" } = {}) {
    const run = `r${(this.#count += 1)}`;
    const state = scenario(name);
    change?.(state);
    const tokens = [tokenOf(run, seconds), tokenOf(run, 3600)];
    this.#runs.set(run, { state, tokens, refuseOnce, hold, locale, silent });
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-GB", timezoneId: timezone, acceptDownloads: true });
    context.setDefaultTimeout(STEP_MS);
    const page = await context.newPage();
    if (prepare) await page.addInitScript(prepare);
    if (!refreshes) await page.addInitScript(() => Object.defineProperty(document, "hidden", { value: true }));
    if (silent) await page.clock.install();
    this.#watchTraffic(page);
    const lines = [];
    page.on("console", (message) => lines.push(message.text()));
    page.on("pageerror", (error) => lines.push(String(error)));
    const landing = (state.landing ?? "?").replace(/^\?/, "&");
    const path = framed ? `/framed?element=${encodeURIComponent(framed)}` : `/?element=${state.element}`;
    await page.goto(`${this.crmOrigin}${path}&run=${run}&scheme=${scheme}${landing === "&" ? "" : landing}`);
    return { page, state, lines, close: () => context.close() };
  }

  #watchTraffic(page) {
    const traffic = { open: new Set(), count: 0 };
    this.#traffic.set(page, traffic);
    page.on("request", (request) => {
      traffic.open.add(request);
      traffic.count += 1;
    });
    for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => traffic.open.delete(request));
  }

  /** Waits until no element is loading, every request is answered, and the answers are on the screen. */
  async settle(page) {
    const traffic = this.#traffic.get(page);
    for (;;) {
      // The page needs time for an answer after its last byte, and may ask again then.
      const { count } = traffic;
      const isAnswered = traffic.open.size === 0;
      await this.#waitForContent(page);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      if (isAnswered && traffic.count === count) return;
    }
  }

  #waitForContent(page) {
    return page.waitForFunction(() => {
      const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
      const elements = all(document);
      const own = elements.filter((one) => one.localName.startsWith("servicecortex-xero-"));
      const isBusy = elements.some((one) => one.getAttribute("aria-busy") === "true" && !one.getRootNode().host?.hidden);
      return own.length > 0 && own.every((one) => one.shadowRoot?.childElementCount > 0) && !isBusy;
    });
  }
}

/**
 * Shows the page again, as the browser does when a person goes back to it. That takes the person some seconds, so an answer
 * from before is too old to be used again.
 */
export function restorePage(page) {
  return page.evaluate(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 5_001;
    window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  });
}

/** The violations of WCAG 2.2 AA and of axe's best practices, in one line each. */
export async function violationsOf(page) {
  await page.evaluate(axe.source);
  const result = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      rules: { "page-has-heading-one": { enabled: false } },
    }),
  );
  return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")} ${one.nodes[0].failureSummary}`);
}
