/**
 * The script of the framed pages. The CRM's page passes tokens through a port that only a page of
 * the CRM's origins can open.
 *
 * The frame posts `servicecortex-xero:hello` to each allowed origin; only the one that embeds it
 * receives it. The CRM answers with `servicecortex-xero:port` and a MessagePort. Over the port the
 * frame asks `{type: "token", id, expired}` and receives `{type: "token", id, token}`; it reports
 * `{type: "height", height}` and `{type: "event", name, detail}`. The CRM may send `{type: "options",
 * theme, landing, ticket}`.
 */
import { configure } from "./index.js";

interface TokenAnswer {
  type: "token";
  id: number;
  token: string;
}

interface SettingsMessage {
  type: "options";
  theme?: "light" | "dark";
  /** What the callback appended to the address of the CRM's page. */
  landing?: string;
  ticket?: string;
}

const EVENTS = ["connected", "disconnected", "changed", "linked", "unlinked", "session-ended", "attention", "unsaved"];
/** How long the CRM may take to answer a question for a token, in milliseconds. */
const TOKEN_WITHIN = 15_000;

const origins = (document.querySelector<HTMLMetaElement>("meta[name=crm-origins]")?.content ?? "").split(" ").filter(Boolean);
const isFramed = window.parent !== window;
document.documentElement.dataset["framed"] = String(isFramed);

/** An id as the API can refuse it with a sentence, if it is not encoded correctly. */
function idOf(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The element of this page, by its address. */
function elementOf(path: string): HTMLElement | undefined {
  const [page = "", id = ""] = path.replace(/^.*\/pages\//, "").split("/");
  const names: Record<string, [string, string]> = {
    settings: ["settings", ""],
    clients: ["client", "client-id"],
    invoices: ["invoice", "invoice-id"],
    "credit-notes": ["invoice", "credit-note-id"],
  };
  const [name, attribute] = names[page] ?? [];
  if (!name) return undefined;
  const made = document.createElement(`servicecortex-xero-${name}`);
  if (attribute) made.setAttribute(attribute, idOf(id));
  return made;
}

const element = isFramed ? elementOf(location.pathname) : undefined;
if (element) document.querySelector("main.framed")?.append(element);

function connect(port: MessagePort): void {
  let questions = 0;
  const open = new Map<number, { resolve(token: string): void; reject(error: Error): void }>();
  port.onmessage = ({ data }: MessageEvent<TokenAnswer | SettingsMessage>) => {
    if (data.type === "token") {
      open.get(data.id)?.resolve(data.token);
      open.delete(data.id);
    } else if (data.type === "options") {
      if (data.theme) document.documentElement.dataset["theme"] = data.theme;
      if (data.landing) Object.assign(element ?? {}, { ticket: data.ticket, landing: data.landing });
    }
  };
  configure({
    getToken: ({ expired }) =>
      new Promise((resolve, reject) => {
        const id = (questions += 1);
        open.set(id, { resolve, reject });
        setTimeout(() => {
          if (open.delete(id)) reject(new Error("no token"));
        }, TOKEN_WITHIN);
        port.postMessage({ type: "token", id, expired });
      }),
  });
  const report = () => port.postMessage({ type: "height", height: document.documentElement.offsetHeight });
  new ResizeObserver(report).observe(document.documentElement);
  for (const name of EVENTS) {
    document.addEventListener(`servicecortex-xero-${name}`, (event) => {
      port.postMessage({ type: "event", name, detail: (event as CustomEvent<unknown>).detail });
    });
  }
}

if (isFramed) {
  const onMessage = ({ origin, source, data, ports }: MessageEvent<unknown>) => {
    const port = ports[0];
    if (source !== window.parent || !origins.includes(origin) || data !== "servicecortex-xero:port" || !port) return;
    window.removeEventListener("message", onMessage);
    connect(port);
  };
  window.addEventListener("message", onMessage);
  // Where the browser names the embedding page, the others need not be tried.
  const embedder = location.ancestorOrigins?.[0];
  for (const origin of origins) {
    if (!embedder || embedder === origin) window.parent.postMessage("servicecortex-xero:hello", origin);
  }
}
