/** What the sections on a client's and on an invoice's page share. */
import { html, nothing } from "lit-html";
import type { Session } from "../api/session.js";
import type { EntityKind, LogEntry, LogPage, SyncRecord } from "../api/shapes.js";
import { safeUrl, type View } from "../ui/part.js";
import { kindWord, LOG_STATES, placeOf, PLACES, RECORD_STATES, recordPath } from "../ui/words.js";
import { styles } from "../ui/styles.js";
import { withholdDialog } from "./dialogs.js";
import { PreviewPart } from "./preview.js";
import { previewStyles } from "./styles/preview.js";
import { recordStyles } from "./styles/record.js";

const HISTORY = 20;

export abstract class RecordPart extends PreviewPart {
  static override styles = [...styles, previewStyles, recordStyles];
  protected record: SyncRecord | undefined;
  #history: LogEntry[] | undefined;
  #isHistoryOpen = false;
  /** The path of the record that is shown. */
  #shown: string | undefined;

  protected abstract get entity(): EntityKind;
  protected abstract get recordId(): string;

  protected override heading(): string {
    return "Xero";
  }

  protected override refreshAfter(): number {
    const state = this.record?.state;
    return state === "queued" || state === "syncing" ? 3 : 30;
  }

  get #path(): string {
    return recordPath(this.entity, this.recordId);
  }

  /** What is known about one record is not shown for another one. */
  protected override willUpdate(): void {
    const before = this.#shown;
    this.#shown = this.#path;
    if (before === undefined || before === this.#shown) return;
    // What it asks is about the record before.
    this.closeDialog();
    this.record = undefined;
    this.#history = undefined;
    this.#isHistoryOpen = false;
    this.fail(undefined);
    this.refusal = undefined;
    this.isLoaded = false;
    void this.reload();
  }

  protected override async load(session: Session): Promise<void> {
    if (!this.recordId) return;
    const path = this.#path;
    const [, { value }] = await Promise.all([this.readStatus(session), session.get<SyncRecord>(path, { emptyOn404: true })]);
    // The element may have got another record meanwhile, which is read next.
    if (path !== this.#path) return;
    this.record = value;
    if (this.#isHistoryOpen) await this.#readHistory(session);
  }

  protected get isOff(): boolean {
    return this.status?.status === "disconnected" || this.status?.status === "pending";
  }

  protected override aside(): View {
    const record = this.record;
    if (!record) return this.badge(this.isOff ? "Not connected" : "Not sent yet", "quiet");
    const state = RECORD_STATES[record.state];
    return this.badge(state?.word ?? record.state, state?.tone ?? "quiet");
  }

  protected renderOff(): View {
    if (!this.isOff) return nothing;
    const url = safeUrl(this.session?.options.settingsUrl);
    return html`<p class="muted">
      Xero is not connected.${url ? html` <a href=${url}>Open the Xero settings</a>` : nothing}
    </p>`;
  }

  /** Why the record is not in Xero, what to do, and what happens next. */
  protected renderState(): View {
    const record = this.record;
    if (!record) return nothing;
    const { failure, state } = record;
    const next = record.next_attempt_at
      ? html`<span class="muted"> Next attempt at ${this.formats.timeOf(record.next_attempt_at)}.</span>`
      : nothing;
    if (state === "never_send") {
      const by = record.withheld_by ? ` ${this.nameOf(record.withheld_by)} chose this` : "";
      const at = record.withheld_at ? html` on ${this.formats.dayOf(record.withheld_at)}` : nothing;
      return this.notice("quiet", html`Never sent to Xero.${by}${by ? at : nothing}${by ? "." : ""}`);
    }
    if (failure && state !== "synced") {
      const tone = state === "skipped" ? "bad" : "warn";
      return this.notice(tone, html`<b>${failure.message}</b> ${failure.remedy}${next}`, this.#renderPlace(failure.code));
    }
    if (state === "synced") return nothing;
    return html`<p class="muted">${RECORD_STATES[state]?.says ?? ""}${next}</p>`;
  }

  #renderPlace(code: string): View {
    const url = safeUrl(this.session?.options.settingsUrl);
    const place = placeOf(code);
    if (!url || place === "record" || place === this.ownPlace) return nothing;
    return html`<a class="button small" href=${url}>${PLACES[place]}</a>`;
  }

  /** The place that this element itself is. */
  protected get ownPlace(): string {
    return "";
  }

  protected renderRecordActions(before: View = nothing, after: View = nothing): View {
    const record = this.record;
    if (!this.canChange || this.isOff) {
      return !this.canChange && this.status
        ? html`<p class="muted small">Only an Owner or Admin can change what is sent.</p>`
        : nothing;
    }
    if (!record) return before === nothing ? nothing : html`<div class="actions">${before}</div>`;
    const isOut = record.state === "never_send";
    return html`<div class="actions">
      ${before}
      ${this.button(isOut ? "Send after all" : "Sync now", "record-sync", () => this.#sync(), { busy: "Syncing…", icon: "sync" })}
      <span class="push actions"
        >${after}${isOut
          ? nothing
          : this.button("Never send…", "record-withhold", () => this.#confirmWithhold(), { kind: "quiet subdued" })}</span
      >
    </div>`;
  }

  async #sync(): Promise<void> {
    const done = await this.sendChange("record-sync", "POST", `${this.#path}/sync`);
    await this.reload();
    if (!done) return;
    const state = this.record?.state;
    this.announce(state === "synced" ? `The ${kindWord(this.entity)} is in Xero.` : (RECORD_STATES[state ?? "queued"]?.says ?? ""));
    if (state) this.tell("changed", { state });
  }

  #confirmWithhold(): void {
    const withhold = async () => {
      const done = await this.sendChange("record-withhold", "POST", `${this.#path}/never-send`);
      await this.reload();
      if (done) this.announce(RECORD_STATES.never_send.says);
    };
    this.confirm(withholdDialog(`this ${kindWord(this.entity)}`, false, withhold));
  }

  async #readHistory(session: Session): Promise<void> {
    const path = this.#path;
    const query = new URLSearchParams({ crm_id: this.recordId, entity: this.entity, limit: String(HISTORY) });
    const { value } = await session.get<LogPage>(`/v1/sync-log?${query}`);
    if (path !== this.#path) return;
    this.#history = value.entries;
    this.requestUpdate();
  }

  protected renderHistory(): View {
    if (!this.record) return nothing;
    const entries = this.#history;
    return html`<details
      class="history"
      @toggle=${(event: Event) => {
        this.#isHistoryOpen = (event.target as HTMLDetailsElement).open;
        if (this.#isHistoryOpen) void this.act("history", (session) => this.#readHistory(session));
      }}
    >
      <summary class="muted">History</summary>
      ${this.refusalOf("history")}
      ${entries === undefined
        ? this.busy.has("history")
          ? html`<p class="muted small">Reading…</p>`
          : nothing
        : entries.length === 0
          ? html`<p class="muted small">Nothing in the last 30 days.</p>`
          : html`<ol class="timeline">
              ${entries.map((entry) => {
                const state = LOG_STATES[entry.status];
                return html`<li>
                  <span class="muted small nowrap">${this.formats.timeOf(entry.at)}</span>
                  ${this.badge(state?.word ?? entry.status, state?.tone ?? "quiet")}
                  <span class="says">${entry.message} ${entry.remedy ?? ""}</span>
                </li>`;
              })}
            </ol>`}
    </details>`;
  }
}
