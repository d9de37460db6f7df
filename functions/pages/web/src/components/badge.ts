/** The state of one record, as a word for lists. */
import { html, nothing } from "lit-html";
import { ApiError, sessionFor, type Options, type Session } from "../api/session.js";
import type { EntityKind, SyncRecord } from "../api/shapes.js";
import { BaseElement, type Changes, css } from "../ui/element.js";
import { define } from "../ui/part.js";
import { styles } from "../ui/styles.js";
import { RECORD_STATES, recordPath, type Tone } from "../ui/words.js";

/** What the CRM calls the kinds. */
const KINDS: Record<string, EntityKind> = {
  client: "contact",
  invoice: "invoice",
  "credit-note": "credit_note",
  allocation: "allocation",
};

export class Badge extends BaseElement {
  static override styles = [
    ...styles,
    css`
      :host {
        display: inline-block;
        container-type: normal;
        min-width: 5.5em;
        line-height: inherit;
      }
    `,
  ];
  static override properties = {
    options: { attribute: "" },
    kind: {},
    recordId: { attribute: "record-id" },
  };

  declare options: Options | undefined;
  declare kind: string | undefined;
  declare recordId: string | undefined;

  #session: Session | undefined;
  /** The newest question. */
  #reading: Promise<unknown> | undefined;
  #shown: { word: string; tone: Tone; says: string } | undefined;
  #observer: IntersectionObserver | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // A list may be long: only what is seen is asked for.
    this.#observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.#observer?.disconnect();
      void this.#load();
    });
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.#session?.removeEventListener("changed", this.#onChanged);
  }

  protected override updated(changes: Changes): void {
    if (changes.has("recordId") && changes.get("recordId") !== undefined) void this.#load();
  }

  readonly #onChanged = () => void this.#load();

  async #load(): Promise<void> {
    const kind = KINDS[this.kind ?? ""];
    if (!kind || !this.recordId) return;
    if (!this.#session) {
      this.#session = await sessionFor(this.options);
      this.#session.addEventListener("changed", this.#onChanged);
    }
    const path = recordPath(kind, this.recordId);
    const reading = this.#session.get<SyncRecord>(path, { emptyOn404: true, maxAge: 10_000 });
    this.#reading = reading;
    try {
      const { value } = await reading;
      // An answer about an earlier record, or from before a change, may arrive last.
      if (this.#reading !== reading) return;
      const failure = value?.failure && value.state !== "synced" ? ` ${value.failure.message}` : "";
      const state = value ? RECORD_STATES[value.state] : undefined;
      this.#shown = state
        ? { ...state, says: `${state.says}${failure}` }
        : { word: value?.state ?? "Not sent yet", tone: "quiet", says: value ? "" : "It has not been sent to Xero." };
    } catch (error) {
      if (this.#reading !== reading) return;
      const says = error instanceof ApiError ? error.message : "";
      this.#shown = { word: "Unknown", tone: "quiet", says };
    }
    this.requestUpdate();
  }

  protected override render(): unknown {
    const shown = this.#shown;
    if (!shown) return html`<span class="sr">Loading…</span>`;
    return html`<span class="badge ${shown.tone}" title=${shown.says || nothing}
      ><span class="dot" aria-hidden="true"></span><span class="sr">Xero: </span>${shown.word}</span
    >`;
  }
}

define("servicecortex-xero-badge", Badge);
