/** The search for a contact in Xero, inside a dialog. Fires `pick` with the chosen contact. */
import { html, nothing } from "lit-html";
import { ApiError, type Session } from "../api/session.js";
import type { Contact, LinkedContact } from "../api/shapes.js";
import { BaseElement, type Changes } from "../ui/element.js";
import { count } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { define, safeUrl } from "../ui/part.js";
import { styles } from "../ui/styles.js";
import { contactSearchStyles } from "./styles/contact-search.js";

const QUERY_MIN = 2;
const QUERY_MAX = 100;
/** How long a person must stop typing before the search begins, in milliseconds. */
const PAUSE_MS = 300;

export class ContactSearch extends BaseElement {
  static override styles = [...styles, contactSearchStyles];
  static override properties = {
    session: { attribute: "" },
    clientId: { attribute: "" },
    query: { attribute: "" },
  };

  declare session: Session | undefined;
  declare clientId: string | undefined;
  declare query: string | undefined;

  #contacts: Contact[] | undefined;
  #failure: string | undefined;
  #isSearching = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#running?.abort();
  }

  /** Begins with the text that the search is opened with. */
  protected override updated(changes: Changes): void {
    if (!changes.has("session")) return;
    const input = this.renderRoot.querySelector("input");
    input?.focus();
    input?.select();
    if (this.query && this.query.trim().length >= QUERY_MIN) void this.#search(this.query);
  }

  #onInput(event: Event): void {
    const text = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.#timer);
    this.#running?.abort();
    if (text.length < QUERY_MIN) {
      this.#contacts = this.#failure = undefined;
      this.#isSearching = false;
      this.requestUpdate();
      return;
    }
    this.#timer = setTimeout(() => void this.#search(text), PAUSE_MS);
  }

  async #search(text: string): Promise<void> {
    const session = this.session;
    if (!session) return;
    // An answer to an older question is dropped.
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#isSearching = true;
    this.requestUpdate();
    try {
      const query = new URLSearchParams({ query: text.slice(0, QUERY_MAX) });
      const { value } = await session.get<{ contacts: Contact[] }>(`/v1/contacts?${query}`, {
        signal: running.signal,
      });
      if (running.signal.aborted) return;
      this.#contacts = value.contacts;
      this.#failure = undefined;
    } catch (error) {
      if (running.signal.aborted) return;
      this.#contacts = undefined;
      this.#failure = error instanceof ApiError ? error.message : "The search failed. Try again.";
    }
    this.#isSearching = false;
    this.requestUpdate();
  }

  protected override render(): unknown {
    const found = this.#contacts;
    const says = this.#isSearching
      ? "Searching…"
      : this.#failure
        ? ""
        : found === undefined
          ? "Type at least two characters."
          : found.length === 0
            ? "No contact in Xero matches this."
            : `${count(found.length, "contact")}${found.length === 50 ? " shown. Type more to narrow the search." : ""}`;
    return html`<div class="stack">
      <div class="field">
        <label for="query">Name, e-mail or number in Xero</label>
        <input
          class="control"
          id="query"
          type="text"
          inputmode="search"
          enterkeyhint="search"
          autocomplete="off"
          spellcheck="false"
          maxlength=${QUERY_MAX}
          .value=${this.query ?? ""}
          @input=${(event: Event) => this.#onInput(event)}
        />
        <span class="hint" role="status">${says}</span>
      </div>
      ${this.#failure ? html`<p class="error" role="alert">${this.#failure}</p>` : nothing}
      <ul class="results">
        ${(found ?? []).map((contact) => this.#renderContact(contact))}
      </ul>
    </div>`;
  }

  #renderContact(contact: Contact): unknown {
    const isOwn = contact.client_id !== undefined && contact.client_id === this.clientId;
    return html`<li>
      <div>
        <b>${contact.name}</b>
        <div class="muted small">${contactFacts(contact) || "No e-mail address and no numbers"}</div>
      </div>
      ${isOwn
        ? html`<span class="muted small">Linked to this client</span>`
        : contact.client_id
          ? html`<span class="muted small">Linked to client ${contact.client_id}</span>`
          : contact.is_archived
            ? html`<span class="muted small">Archived${restoreLink(contact.xero_url)}</span>`
            : html`<button
                class="button small"
                type="button"
                aria-label="Link to ${contact.name}"
                @click=${() => this.dispatchEvent(new CustomEvent("pick", { detail: contact }))}
              >
                Link
              </button>`}
    </li>`;
  }
}

/** The values by which people tell contacts apart. */
export function contactFacts(contact: Contact | LinkedContact): string {
  return [
    contact.email,
    contact.number && `No. ${contact.number}`,
    contact.vat_number && `VAT ${contact.vat_number}`,
    contact.company_number && `Company ${contact.company_number}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

export function restoreLink(url: string | undefined): unknown {
  const safe = safeUrl(url);
  if (!safe) return nothing;
  return html`, <a href=${safe} target="_blank" rel="noopener noreferrer">restore it in Xero${icon("out")}<span class="sr"> (opens in a new tab)</span></a>`;
}

define("servicecortex-xero-contact-search", ContactSearch);
