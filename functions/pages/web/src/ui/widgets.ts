/** The pieces that elements are made of: buttons, links, messages, the dialog. */
import { html, nothing, type TemplateResult } from "lit-html";
import { BaseElement } from "./element.js";
import { icon, type Icon } from "./icons.js";
import { styles } from "./styles.js";
import type { Tone } from "./words.js";

export type View = TemplateResult | typeof nothing | string;

export interface Dialog {
  title: string;
  body: View | (() => View);
  cancel: string;
  confirm?: string;
  isDanger?: boolean;
  isWide?: boolean;
  run?(): unknown;
}

export interface ButtonLook {
  kind?: "primary" | "danger" | "quiet" | "quiet subdued";
  isSmall?: boolean;
  busy?: string;
  label?: string;
  icon?: Icon;
}

export abstract class Widgets extends BaseElement {
  static override styles = styles;

  /** The actions in progress. */
  protected busy = new Set<string>();

  #announcement = "";
  #dialog: Dialog | undefined;
  #opener: HTMLElement | undefined;

  /** Dispatches an event that the CRM's page can listen to. */
  protected tell(name: string, detail: unknown = undefined): void {
    this.dispatchEvent(
      new CustomEvent(`servicecortex-xero-${name}`, { bubbles: true, composed: true, detail }),
    );
  }

  /** Says something to screen readers. */
  protected announce(text: string): void {
    // A text that stays the same would not be said again.
    this.#announcement = text === this.#announcement ? `${text}\u00a0` : text;
    this.requestUpdate();
  }

  /** Moves the focus to an element of this part after the next rendering. */
  protected async focusOn(selector: string): Promise<void> {
    await this.updateComplete;
    const target = this.renderRoot.querySelector<HTMLElement>(selector);
    if (!target) return;
    if (target.tabIndex < 0 && !target.hasAttribute("tabindex")) target.tabIndex = -1;
    target.focus();
  }

  /** Asks before an action that has consequences. The harmless button has the focus. */
  protected confirm(dialog: Dialog): void {
    const active = this.renderRoot.activeElement;
    this.#opener = active instanceof HTMLElement ? active : undefined;
    this.#dialog = dialog;
    this.requestUpdate();
  }

  protected closeDialog(): void {
    this.renderRoot.querySelector<HTMLDialogElement>("dialog")?.close();
  }

  #onDialogClose(): void {
    const opener = this.#opener;
    this.#dialog = undefined;
    this.requestUpdate();
    if (opener?.isConnected) opener.focus();
  }

  /**
   * A row whose position changes is rendered anew: the focus stays with its action or link. It goes to
   * the heading if what had it is gone.
   */
  protected override update(): void {
    const root = this.renderRoot;
    const focused = root.activeElement;
    const name = placeOf(focused);
    super.update();
    const active = root.activeElement;
    const moved = name && placeOf(active) !== name ? root.querySelector<HTMLElement>(name) : null;
    const heading = focused && !active ? root.querySelector<HTMLElement>("#title") : null;
    (moved ?? heading)?.focus({ preventScroll: true });
  }

  protected override updated(): void {
    const dialog = this.renderRoot.querySelector<HTMLDialogElement>("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  #renderDialog(): View {
    const dialog = this.#dialog;
    if (!dialog) return nothing;
    const run = async () => {
      this.closeDialog();
      await dialog.run?.();
    };
    return html`<dialog
      class=${dialog.isWide ? "wide" : ""}
      aria-labelledby="dialog-title"
      @close=${() => this.#onDialogClose()}
    >
      <h3 id="dialog-title">${dialog.title}</h3>
      <div class="dialog-body">${typeof dialog.body === "function" ? dialog.body() : dialog.body}</div>
      <div class="actions end">
        <button class="button" autofocus @click=${() => this.closeDialog()}>${dialog.cancel}</button>
        ${dialog.confirm
          ? html`<button class="button ${dialog.isDanger ? "danger" : "primary"}" @click=${run}>
              ${dialog.confirm}
            </button>`
          : nothing}
      </div>
    </dialog>`;
  }

  /** A button that stays focusable while its action is in progress. */
  protected button(label: View, action: string, run: () => unknown, look: ButtonLook = {}): View {
    const isBusy = this.busy.has(action);
    const classes = ["button", look.kind ?? "", look.isSmall ? "small" : ""].join(" ");
    return html`<button
      class=${classes}
      type="button"
      aria-disabled=${isBusy ? "true" : nothing}
      aria-label=${look.label ?? nothing}
      data-action=${action}
      @click=${() => {
        if (!isBusy) void run();
      }}
    >
      ${look.icon ? icon(look.icon) : nothing}<span>${isBusy ? (look.busy ?? "Working…") : label}</span>
    </button>`;
  }

  /** A link that opens in a new tab. Screen readers hear that, and what the link is about. */
  protected outside(url: string | undefined, text: View, about = ""): View {
    const safe = safeUrl(url);
    if (!safe) return text;
    return html`<a href=${safe} target="_blank" rel="noopener noreferrer"
      >${text}${icon("out")}<span class="sr"> ${about} (opens in a new tab)</span></a
    >`;
  }

  protected badge(word: string, tone: Tone): View {
    return html`<span class="badge ${tone}"><span class="dot" aria-hidden="true"></span>${word}</span>`;
  }

  /** A message of importance with what to do about it. */
  protected notice(tone: Tone, body: View, actions: View = nothing): View {
    return html`<div class="notice ${tone}">
      ${icon(tone === "good" ? "check" : tone === "info" || tone === "quiet" ? "info" : "alert")}
      <div class="notice-body">
        <div>${body}</div>
        ${actions === nothing ? nothing : html`<div class="actions">${actions}</div>`}
      </div>
    </div>`;
  }

  /** What is shown until the first answer. The reserved space keeps the page from jumping. */
  protected skeleton(): View {
    return html`<div class="skeleton" aria-hidden="true"><i></i><i></i><i></i></div>`;
  }

  /** The dialog, and what screen readers hear. */
  protected renderAround(): View {
    return html`${this.#renderDialog()}
      <p class="sr" role="status" aria-live="polite">${this.#announcement}</p>`;
  }
}

/** The selector of a focused button or link, if it has one. */
function placeOf(focused: Element | null): string | undefined {
  for (const name of ["data-action", "href"]) {
    const value = focused?.getAttribute(name);
    if (value) return `[${name}="${CSS.escape(value)}"]`;
  }
  return undefined;
}

/** Only web addresses become links. */
export function safeUrl(url: string | undefined): string | undefined {
  if (!url) return undefined;
  try {
    const { protocol, href } = new URL(url, location.href);
    return protocol === "https:" || protocol === "http:" ? href : undefined;
  } catch {
    return undefined;
  }
}

/** Defines an element unless another copy of this script already has. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
