/** The way back from the consent page of Xero. */
import type { Completion } from "../api/shapes.js";
import type { Tone } from "../ui/words.js";

/** What the callback appends to the address of the CRM's page. */
export interface Landing {
  word: string;
  ticket: string | undefined;
}

/** A message about what happened last. */
export interface Message {
  tone: Tone;
  says: string;
}

/** What people read after a consent that connected nothing. */
export const LANDINGS: Record<string, Message> = {
  denied: { tone: "info", says: "Access was not granted in Xero, so nothing has changed." },
  expired: { tone: "warn", says: "The connection attempt has expired or was replaced by a newer one. Start again." },
  no_organisation: { tone: "warn", says: "No organisation was selected in Xero. Connect again and select one." },
  failed: { tone: "warn", says: "Xero did not grant access, or the answer could not be saved. Nothing has changed. Connect again; if it fails again, contact support." },
};

/** Takes the outcome of a consent from the page's address, so that a reload does not repeat it. */
export function takeLanding(): Landing | undefined {
  const url = new URL(location.href);
  const word = url.searchParams.get("xero");
  if (!word) return undefined;
  const ticket = url.searchParams.get("ticket") ?? undefined;
  url.searchParams.delete("xero");
  url.searchParams.delete("ticket");
  history.replaceState(history.state, "", url);
  return { word, ticket };
}

/** What people read after a completion. */
export function messageOf(completion: Completion): Message | undefined {
  switch (completion.outcome) {
    case "connected":
      return { tone: "good", says: `Connected to ${completion.organisation ?? "Xero"}.` };
    case "no_organisation":
      return LANDINGS["no_organisation"];
    default:
      return undefined;
  }
}
