/** S1: the connection to Xero in all its states. */
import { html, nothing } from "lit-html";
import { type Answer, ApiError, type Session } from "../api/session.js";
import { type Completion, type ConnectionProblem, type Status, type SyncAll, walkState } from "../api/shapes.js";
import type { Changes } from "../ui/element.js";
import { define, safeUrl, type View } from "../ui/part.js";
import { kindWord, recordPath } from "../ui/words.js";
import { ConnectionView } from "./connection-view.js";
import { type Landing, LANDINGS, type Message, messageOf, takeLanding } from "./landing.js";

/** The pause before an unfinished completion is asked for again, in milliseconds. */
const COMPLETE_AGAIN = 3_000;

export class Connection extends ConnectionView {
  static override properties = {
    ...ConnectionView.properties,
    landing: {},
    ticket: { attribute: "" },
  };

  /** The outcome of a consent, if the CRM removes it from the address itself. */
  declare landing: string | undefined;
  /** The ticket that came with the outcome. */
  declare ticket: string | undefined;

  #landing: Landing | undefined;
  #message: Message | undefined;
  #completion: Completion | undefined;
  #chosen: string | undefined;

  override connectedCallback(): void {
    if (!this.landing) this.#land(takeLanding());
    super.connectedCallback();
  }

  protected override willUpdate(changes: Changes): void {
    if (changes.has("landing") && this.landing) this.#land({ word: this.landing, ticket: this.ticket });
  }

  #land(landing: Landing | undefined): void {
    if (!landing) return;
    this.#landing = landing;
    // The word comes from the address of the page, so it may be any text.
    this.#message = Object.hasOwn(LANDINGS, landing.word) ? LANDINGS[landing.word] : undefined;
  }

  protected override refreshAfter(): number {
    return this.status?.status === "pending" || this.#isSyncing ? 3 : 30;
  }

  protected override get isReturning(): boolean {
    return this.#landing?.ticket !== undefined;
  }

  get #isSyncing(): boolean {
    return walkState(this.syncAll) === "running";
  }

  protected override async load(session: Session): Promise<void> {
    const { value } = await session.get<Status>("/v1/connection");
    const before = this.status;
    this.status = value;
    this.dispatchEvent(new CustomEvent("status", { detail: value }));
    // Another tab, another person or Xero may have changed it. The other elements show what depends on it.
    if (before && (before.status !== value.status || before.organisation !== value.organisation)) session.dispatchEvent(new Event("changed"));
    if (value.status !== "disconnected" && value.organisation) {
      const { value: walk } = await session.get<SyncAll>("/v1/sync-all");
      const wasSyncing = this.#isSyncing;
      this.syncAll = walk;
      if (wasSyncing && !this.#isSyncing) this.announce("Sync all is complete.");
    } else this.syncAll = undefined;
  }

  protected override content(): View {
    const status = this.status;
    if (!status) return nothing;
    return html`<div class="stack loose">
      ${this.#message ? this.notice(this.#message.tone, this.#message.says) : nothing}
      ${this.#renderLanding(status)} ${this.renderState(status)} ${this.#renderChoices(status)}
      ${this.refusalOf("connection")}
      ${status.can_change ? this.#renderActions(status) : this.renderReader()}
    </div>`;
  }

  /** The consent is complete only when the person who gave it says so on this page. */
  #renderLanding(status: Status): View {
    const landing = this.#landing;
    if (landing?.word !== "authorised" || !landing.ticket || !status.can_change) return nothing;
    return this.notice(
      "info",
      html`<span class="strong">Xero has granted access.</span> Finish connecting to start syncing.`,
      this.button("Finish connecting", "connection-complete", () => this.#complete(), {
        kind: "primary",
        busy: "Connecting…",
      }),
    );
  }

  async #complete(): Promise<void> {
    const ticket = this.#landing?.ticket;
    if (!ticket) return;
    await this.act("connection-complete", async (session) => {
      for (;;) {
        const { value } = await this.#present(session, ticket);
        // The API answers in time even if Xero does not; the same ticket resumes.
        if (value.outcome === "in_progress") {
          await new Promise((resolve) => setTimeout(resolve, COMPLETE_AGAIN));
          continue;
        }
        this.#landing = undefined;
        this.#completion = value;
        this.#message = messageOf(value);
        this.tell(value.outcome === "connected" ? "connected" : "changed", { outcome: value.outcome });
        break;
      }
    });
    await this.reload();
    await this.focusOn("#title");
    if (this.#message) this.announce(this.#message.says);
  }

  async #present(session: Session, ticket: string): Promise<Answer<Completion>> {
    try {
      return await session.change<Completion>("POST", "/v1/connection/complete", { body: { ticket } });
    } catch (error) {
      // The ticket will be refused again, so the buttons that begin a new attempt come back.
      if (error instanceof ApiError && error.kind === "refused" && !error.isPassing) this.#landing = undefined;
      throw error;
    }
  }

  protected override async retry(problem: ConnectionProblem): Promise<void> {
    const { entity, crm_id } = problem.record;
    const retried = await this.sendChange("connection-retry", "POST", `${recordPath(entity, crm_id)}/sync`);
    await this.reload();
    if (retried) this.announce(`The ${kindWord(entity)} was tried again.`);
  }

  #renderChoices(status: Status): View {
    const choices = status.choices ?? [];
    if (choices.length === 0) return nothing;
    const used = status.status !== "disconnected" ? status.organisation : undefined;
    const message = this.#completion?.message;
    const isReplacing = !used && status.organisation;
    return html`<div class="panel stack">
      <h3>${isReplacing ? "Another organisation was authorised" : choices.length === 1 ? "Another organisation is available" : "Choose an organisation"}</h3>
      <p class="lead">
        ${status.choices_by ? html`${status.choices_by} authorised ${choices.length === 1 ? "this organisation" : `${choices.length} organisations`} in Xero. ` : nothing}
        ${isReplacing
          ? html`This account was connected to <b>${status.organisation}</b>. If you use another organisation, all records are matched again there. Nothing in ${status.organisation} changes.`
          : used
            ? html`<b>${used}</b> is in use. To switch, choose another one.`
            : nothing}
      </p>
      ${message ? html`<p class="muted">${message}</p>` : nothing}
      <fieldset class="options">
        <legend class="sr">Organisations</legend>
        ${choices.map(
          (choice) => html`<label class="option">
            <input
              type="radio"
              name="organisation"
              value=${choice.tenant_id}
              .checked=${this.#chosen === choice.tenant_id}
              @change=${() => {
                this.#chosen = choice.tenant_id;
                this.requestUpdate();
              }}
            /><span>${choice.name}</span>
          </label>`,
        )}
      </fieldset>
      ${this.refusalOf("organisation")}
      ${this.button("Use this organisation…", "organisation", () => this.#confirmChoice(status))}
    </div>`;
  }

  #confirmChoice(status: Status): void {
    const choice = status.choices?.find((one) => one.tenant_id === this.#chosen);
    if (!choice) {
      this.announce("Choose an organisation first.");
      void this.focusOn("input[name=organisation]");
      return;
    }
    this.confirm({
      title: `Use ${choice.name}?`,
      body: html`<p>From now on, records are sent to <b>${choice.name}</b>. All records are matched again there.</p>
        ${status.organisation && status.organisation !== choice.name
          ? html`<p>Nothing in <b>${status.organisation}</b> is changed or deleted.</p>`
          : nothing}`,
      cancel: "Cancel",
      confirm: "Use this organisation",
      run: async () => {
        const isDone = await this.sendChange("organisation", "POST", "/v1/connection/organisation", { tenant_id: choice.tenant_id });
        if (!isDone) return;
        this.#completion = undefined;
        this.#message = { tone: "good", says: `Connected to ${choice.name}.` };
        this.tell("connected");
        await this.reload();
        await this.focusOn("#title");
      },
    });
  }

  #renderActions(status: Status): View {
    const disconnect = this.button("Disconnect…", "connection-end", () => this.#confirmEnd(status), {
      kind: "quiet subdued",
      busy: "Disconnecting…",
    });
    const connect = (label: string, kind: "primary" | "quiet" = "primary") =>
      this.button(label, "connection-begin", () => this.#begin(), { kind, busy: "Opening Xero…" });
    switch (status.status) {
      case "disconnected":
        if (this.isReturning) return nothing;
        return html`<div class="actions">
          <slot name="connect-button" @click=${() => this.#begin()} @slotchange=${() => this.requestUpdate()}></slot>
          ${this.#hasOwnButton ? nothing : connect(status.organisation ? "Connect to Xero again" : "Connect to Xero")}
        </div>`;
      case "pending":
        if (this.isReturning) return nothing;
        return html`<div class="actions">
          ${connect("Start over")}
          ${this.button("Cancel", "connection-cancel", () => this.#cancel(), { busy: "Cancelling…" })}
        </div>`;
      case "token_expired":
      case "organisation_unavailable":
        return html`<div class="actions">${connect("Reconnect to Xero")}<span class="push">${disconnect}</span></div>`;
      default:
        return html`<div class="actions bar">
          ${this.button(this.#isSyncing ? "Syncing…" : "Sync all", "connection-sync-all", () => this.#startSyncAll(), {
            icon: "sync",
            busy: "Starting…",
          })}
          ${status.status === "error" ? connect("Reconnect to Xero", "quiet") : nothing}
          <span class="push">${disconnect}</span>
        </div>`;
    }
  }

  /**
   * Whether the CRM's page brings a button of its own. The settings element hands its slot over even
   * if it is empty, and an outer slot does not show its fallback then.
   */
  get #hasOwnButton(): boolean {
    return [...this.children].some(
      (child) =>
        child.slot === "connect-button" &&
        !(child instanceof HTMLSlotElement && child.assignedElements({ flatten: true }).length === 0),
    );
  }

  async #begin(): Promise<void> {
    await this.act("connection-begin", async (session) => {
      const { value } = await session.change<{ authorize_url: string }>("POST", "/v1/connection");
      const url = safeUrl(value.authorize_url);
      if (!url) throw new Error("the address of the consent page is not a web address");
      const { navigate } = session.options;
      if (navigate) navigate(url);
      // From a frame, too, the whole window goes to Xero.
      else window.open(url, "_top");
    });
  }

  async #cancel(): Promise<void> {
    await this.sendChange("connection-cancel", "DELETE", "/v1/connection");
    await this.reload();
    await this.focusOn("#title");
  }

  #confirmEnd(status: Status): void {
    this.confirm({
      title: `Disconnect ${status.organisation ?? "Xero"}?`,
      body: html`<p>Syncing stops now. What is in Xero stays there, and nothing is sent twice if you reconnect.</p>`,
      cancel: "Keep connected",
      confirm: "Disconnect",
      isDanger: true,
      run: async () => {
        const ended = await this.sendChange("connection-end", "DELETE", "/v1/connection");
        this.#message = undefined;
        await this.reload();
        if (ended) {
          this.tell("disconnected");
          this.announce("Disconnected from Xero.");
          await this.focusOn("#title");
        }
      },
    });
  }

  async #startSyncAll(): Promise<void> {
    if (this.#isSyncing) return;
    const started = await this.sendChange("connection-sync-all", "POST", "/v1/sync-all");
    await this.reload();
    if (started) this.announce("All records are being synced.");
  }
}

define("servicecortex-xero-connection", Connection);
