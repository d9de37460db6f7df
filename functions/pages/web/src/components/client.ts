/** S7: the Xero section on a client's page. */
import { html, nothing } from "lit-html";
import type { Contact, EntityKind } from "../api/shapes.js";
import { define, type View } from "../ui/part.js";
import { evidenceWord, recordPath } from "../ui/words.js";
import { contactFacts } from "./contact-search.js";
import { searchDialog, unlinkDialog } from "./dialogs.js";
import { RecordPart } from "./record.js";

export class Client extends RecordPart {
  static override properties = {
    ...RecordPart.properties,
    clientId: { attribute: "client-id" },
    clientName: { attribute: "client-name" },
  };

  declare clientId: string | undefined;
  /** The client's name, with which the search for a contact begins. */
  declare clientName: string | undefined;

  protected override get entity(): EntityKind {
    return "contact";
  }

  protected override get recordId(): string {
    return this.clientId ?? "";
  }

  protected override get ownPlace(): string {
    return "contacts";
  }

  protected override content(): View {
    const contact = this.record?.contact;
    return html`<div class="stack loose">
      ${this.renderOff()} ${this.renderState()} ${contact ? this.#renderContact(contact) : this.#renderUnlinked()}
      ${this.refusalOf("record")} ${this.refusalOf("link")} ${this.renderRecordActions(this.#renderSearch(), this.#renderUnlink())}
      ${this.renderHistory()}
    </div>`;
  }

  #renderContact(contact: NonNullable<RecordPart["record"]>["contact"] & {}): View {
    const how = [
      contact.linked_by ? `linked by ${this.nameOf(contact.linked_by)}` : "",
      contact.by ? `by ${evidenceWord(contact.by)}` : "",
    ].filter(Boolean);
    const facts = contactFacts(contact);
    return html`<div class="stack tight">
      <p>
        Linked to <b>${this.outside(contact.xero_url ?? this.record?.xero_url, contact.name)}</b>
      </p>
      <p class="muted small">
        ${facts}${facts && how.length ? " · " : ""}${how.join(", ")}${contact.linked_at ? html`, ${this.formats.dayOf(contact.linked_at)}` : nothing}
      </p>
    </div>`;
  }

  #renderUnlinked(): View {
    if (this.isOff) return nothing;
    if (!this.record) {
      return html`<p>Not sent to Xero yet. The client is sent with the first invoice.</p>`;
    }
    if (this.record.xero_id) {
      return html`<p>${this.outside(this.record.xero_url, "Open the contact in Xero")}</p>`;
    }
    return nothing;
  }

  #renderSearch(): View {
    return this.button("Search Xero contacts", "link-search", () => this.#search(), { icon: "search" });
  }

  #renderUnlink(): View {
    if (!this.record?.contact && !this.record?.xero_id) return nothing;
    return this.button("Unlink…", "link-end", () => this.#confirmUnlink(), { kind: "quiet subdued", busy: "Unlinking…" });
  }

  get #path(): string {
    return `${recordPath("contact", this.recordId)}/contact`;
  }

  #search(): void {
    const pick = (contact: Contact) => {
      this.closeDialog();
      void this.#confirmLink(contact);
    };
    this.confirm(searchDialog("Search Xero contacts", this.session, this.recordId, this.clientName ?? "", pick));
  }

  async #confirmLink(contact: Contact): Promise<void> {
    // The search has to close first: there is one dialog at a time.
    await new Promise((resolve) => setTimeout(resolve));
    this.confirm({
      title: `Link to ${contact.name}?`,
      body: html`<p class="muted">${contactFacts(contact)}</p>
        <p>New invoices use this contact. Its empty fields are filled; which of its other values are kept depends on the settings.</p>`,
      cancel: "Cancel",
      confirm: "Link",
      run: async () => {
        const linked = await this.sendChange("link-begin", "PUT", this.#path, { contact_id: contact.contact_id });
        await this.reload();
        if (!linked) return;
        this.tell("linked", { client: this.clientId, contact: contact.contact_id });
        this.announce(`Linked to ${contact.name}.`);
      },
    });
  }

  #confirmUnlink(): void {
    const unlink = async () => {
      const unlinked = await this.sendChange("link-end", "DELETE", this.#path);
      await this.reload();
      if (!unlinked) return;
      this.tell("unlinked", { client: this.clientId });
      this.announce("The client is no longer linked.");
    };
    this.confirm(unlinkDialog("this client", unlink));
  }
}

define("servicecortex-xero-client", Client);
