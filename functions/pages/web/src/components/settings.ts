/** The whole settings page: its sections in one column. */
import { html, nothing } from "lit-html";
import type { Options } from "../api/session.js";
import type { Status } from "../api/shapes.js";
import { BaseElement, css } from "../ui/element.js";
import { define } from "../ui/part.js";
import { isConnected } from "./setup.js";

export class Settings extends BaseElement {
  static override styles = css`
    :host {
      display: block;
    }
    .parts {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: 1.1em;
    }
  `;
  static override properties = { options: { attribute: "" }, landing: {}, ticket: { attribute: "" } };

  declare options: Options | undefined;
  /** The outcome of a consent, if the CRM removes it from the address itself. */
  declare landing: string | undefined;
  /** The ticket that came with the outcome. */
  declare ticket: string | undefined;

  /** The status that the section about the connection has read. */
  #status: Status | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("servicecortex-xero-show", this.#onShow);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("servicecortex-xero-show", this.#onShow);
  }

  /** A section asks for another one to be shown. */
  readonly #onShow = (event: Event) => {
    const { part } = (event as CustomEvent<{ part: string }>).detail;
    const target = this.renderRoot.querySelector<HTMLElement>(`servicecortex-xero-${part}`);
    if (!target) return;
    event.stopPropagation();
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target.scrollIntoView({ behavior: isCalm ? "auto" : "smooth", block: "start" });
    target.shadowRoot?.querySelector<HTMLElement>("#title")?.focus({ preventScroll: true });
  };

  protected override render(): unknown {
    const status = this.#status;
    const options = this.options;
    const isUsed = status?.organisation !== undefined;
    const isOn = status !== undefined && isConnected(status.status);
    return html`<div class="parts">
      <servicecortex-xero-connection
        embedded
        .options=${options}
        .ticket=${this.ticket}
        landing=${this.landing ?? nothing}
        @status=${({ detail }: CustomEvent<Status>) => {
          this.#status = detail;
          this.requestUpdate();
        }}
      ><slot name="connect-button" slot="connect-button"></slot></servicecortex-xero-connection>
      ${isOn ? html`<servicecortex-xero-setup .options=${options} hidden></servicecortex-xero-setup>` : nothing}
      ${isUsed
        ? html`<servicecortex-xero-attention embedded .options=${options}></servicecortex-xero-attention>
            <servicecortex-xero-books .options=${options}></servicecortex-xero-books>
            <servicecortex-xero-accounts .options=${options}></servicecortex-xero-accounts>
            <servicecortex-xero-preferences .options=${options}></servicecortex-xero-preferences>
            <servicecortex-xero-contacts .options=${options}></servicecortex-xero-contacts>
            <servicecortex-xero-sync-log .options=${options}></servicecortex-xero-sync-log>`
        : nothing}
    </div>`;
  }
}

define("servicecortex-xero-settings", Settings);
