/** The questions and searches that several elements ask in a dialog. */
import { html } from "lit-html";
import type { Session } from "../api/session.js";
import type { Contact } from "../api/shapes.js";
import type { Dialog } from "../ui/widgets.js";
import "./contact-search.js";

/** Asks before something is kept out of Xero. `what` is one record, or some. */
export function withholdDialog(what: string, isMany: boolean, run: () => unknown): Dialog {
  return {
    title: `Never send ${what}?`,
    body: html`<p>${isMany ? "They are" : "It is"} kept out of Xero until someone syncs ${isMany ? "them" : "it"}. What is already in Xero stays there.</p>`,
    cancel: "Cancel",
    confirm: "Never send",
    isDanger: isMany,
    run,
  };
}

/** Asks before the link between a client and a contact is undone. */
export function unlinkDialog(client: string, run: () => unknown): Dialog {
  return {
    title: `Unlink ${client}?`,
    body: html`<p>
      The contact and its invoices stay in Xero. The next invoice creates a new contact unless you link another one.
    </p>`,
    cancel: "Keep the link",
    confirm: "Unlink",
    run,
  };
}

/** Searches the contact of a client. */
export function searchDialog(title: string, session: Session | undefined, client: string, query: string, pick: (contact: Contact) => void): Dialog {
  return {
    title,
    isWide: true,
    body: html`<servicecortex-xero-contact-search
      .session=${session}
      .clientId=${client}
      .query=${query}
      @pick=${(event: CustomEvent<Contact>) => pick(event.detail)}
    ></servicecortex-xero-contact-search>`,
    cancel: "Close",
  };
}
