/** What the connection shows in each of its states. */
import { html, nothing } from "lit-html";
import { type ConnectionProblem, type Status, type SyncAll, walkState } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { Part, type View } from "../ui/part.js";
import { styles } from "../ui/styles.js";
import { kindWord, recordName, type Tone } from "../ui/words.js";
import { connectionStyles } from "./styles/connection.js";

const STATES: Record<string, { word: string; tone: Tone }> = {
  active: { word: "Active", tone: "good" },
  error: { word: "Error", tone: "bad" },
  pending: { word: "Pending", tone: "info" },
  token_expired: { word: "Token expired", tone: "bad" },
  organisation_unavailable: { word: "Organisation unavailable", tone: "warn" },
  disconnected: { word: "Disconnected", tone: "quiet" },
};

export abstract class ConnectionView extends Part {
  static override styles = [...styles, connectionStyles];
  static override properties = { ...Part.properties, embedded: { type: Boolean } };

  /** Whether other elements on the page show the attention list and the set-up. */
  declare embedded: boolean | undefined;

  protected syncAll: SyncAll | undefined;

  /** Whether the person has just come back from Xero. */
  protected abstract get isReturning(): boolean;
  /** Tries the record of a failure again. */
  protected abstract retry(problem: ConnectionProblem): Promise<void>;

  protected override heading(): string {
    return "Xero";
  }

  protected override aside(): View {
    const status = this.status;
    if (!status) return nothing;
    const name = status.status === "disconnected" && !status.organisation ? "Not connected" : status.status;
    return this.badge(STATES[name]?.word ?? name, STATES[name]?.tone ?? "quiet");
  }

  protected renderReader(): View {
    return html`<p class="muted small">
      Only an Owner or Admin can connect, disconnect or start a sync.
    </p>`;
  }

  protected renderState(status: Status): View {
    switch (status.status) {
      case "disconnected":
        return status.organisation ? this.#renderEnded(status) : this.#renderNever();
      case "pending":
        return this.isReturning ? nothing : this.#renderPending(status);
      case "token_expired":
        return html`${this.notice(
          "bad",
          html`<span class="strong">${status.connection_problem?.message ?? "Xero no longer accepts this connection."}</span>
            ${status.connection_problem?.remedy ?? "Reconnect to Xero."}
            <span class="muted">${this.#waitingSentence(status)} Nothing is sent twice after you reconnect.</span>`,
        )}${this.#renderFacts(status)}`;
      case "organisation_unavailable":
        return html`${this.notice(
          "warn",
          html`<span class="strong">${status.connection_problem?.message}</span>
            ${status.connection_problem?.remedy}
            <span class="muted">
              ${status.next_look_at ? html`The next check is at ${this.formats.timeOf(status.next_look_at)}.` : nothing}
              Nothing is lost.
            </span>`,
        )}${this.#renderFacts(status)}`;
      default:
        return html`${this.#renderProblem(status)} ${this.#renderPauses(status)}
        ${this.#renderFacts(status)} ${this.#renderWarnings(status)} ${this.#renderSyncAll()}`;
    }
  }

  #waitingSentence(status: Status): string {
    const { waiting } = status;
    return waiting > 0 ? `${count(waiting, "record")} ${waiting === 1 ? "is" : "are"} waiting and will continue automatically.` : "";
  }

  #renderNever(): View {
    return html`<div class="stack lead">
      <p>
        Connect Xero to send clients, invoices, credit notes and payments there, and to see here what
        has been paid.
      </p>
      <ul class="points">
        <li><b>Sends</b> clients as contacts, and invoices, credit notes and payments.</li>
        <li><b>Reads</b> payments, statuses and your chart of accounts.</li>
        <li><b>Never deletes</b> a contact, and never changes an invoice that it did not create.</li>
        <li><b>You need</b> the role Owner or Admin here, and a Xero user who can manage the organisation.</li>
      </ul>
    </div>`;
  }

  #renderEnded(status: Status): View {
    return html`<p class="lead">
      ${status.ended_by ? html`${this.nameOf(status.ended_by)} disconnected` : "Disconnected from"}
      <b>${status.organisation}</b>${status.ended_at ? html` on ${this.formats.dayOf(status.ended_at)}` : nothing}.
      Synced records stay linked, and nothing is sent twice after you reconnect.
      ${this.#waitingSentence(status)}
    </p>`;
  }

  #renderPending(status: Status): View {
    const pending = status.pending;
    if (!pending) return html`<p>The connection attempt was not finished. Start again.</p>`;
    return html`<p class="lead">
      ${this.nameOf(pending.by)} started connecting. Finish in Xero by
      ${this.formats.timeOf(pending.until)}.
    </p>`;
  }

  #renderProblem(status: Status): View {
    const problem = status.problem;
    const total = status.failing + status.skipped;
    if (!problem || total === 0) return nothing;
    const { record } = problem;
    const more = total > 1 ? ` ${count(total - 1, "other record", "other records")} also ${total === 2 ? "needs" : "need"} attention.` : "";
    return this.notice(
      record.state === "skipped" ? "bad" : "warn",
      html`<div class="stack tight">
        <p><b>${this.#recordLink(problem)}</b>${problem.failed_at ? html`<span class="muted"> · ${this.formats.timeAgo(problem.failed_at)}</span>` : nothing}</p>
        <p>${problem.message} ${problem.remedy}</p>
        <p class="muted small">
          ${record.next_attempt_at ? html`Next attempt at ${this.formats.timeOf(record.next_attempt_at)}. ` : nothing}Everything else continues.${more}
        </p>
      </div>`,
      html`${status.can_change
        ? this.button("Retry now", "connection-retry", () => this.retry(problem), { busy: "Syncing…" })
        : nothing}
      ${this.embedded
        ? this.button("See all", "see-all", () => this.tell("show", { part: "attention" }), { kind: "quiet" })
        : nothing}`,
    );
  }

  #recordLink(problem: ConnectionProblem): View {
    const { record } = problem;
    const name = recordName({ ...record, number: record.number ?? record.xero_number });
    return this.linkRecord(record.entity, record.crm_id, name);
  }

  #renderPauses(status: Status): View {
    if (!status.paused_until && !status.payment_checks_failing_since) return nothing;
    return html`${status.paused_until
      ? this.notice("info", html`Xero asked the integration to wait until ${this.formats.timeOf(status.paused_until)}. Nothing is lost.`)
      : nothing}
    ${status.payment_checks_failing_since
      ? this.notice("warn", html`Payments have not been read from Xero since ${this.formats.timeOf(status.payment_checks_failing_since)}. They are checked
          again every 15 minutes, and none is lost. If this lasts for hours, an Owner or Admin can reconnect to Xero; if that does not help, contact support.`)
      : nothing}`;
  }

  #renderFacts(status: Status): View {
    const extras = [this.formats.country(status.country), status.base_currency].filter(Boolean).join(", ");
    return html`<dl class="facts">
      <dt>Organisation</dt>
      <dd>
        <b>${this.outside(status.organisation_url, status.organisation ?? "")}</b>
        ${extras ? html`<span class="muted"> ${extras}</span>` : nothing}
        ${status.is_demo ? this.badge("Demo company", "info") : nothing}
      </dd>
      ${status.connected_at
        ? html`<dt>Connected</dt>
            <dd>${this.formats.dayOf(status.connected_at)}${status.connected_by ? `, by ${this.nameOf(status.connected_by)}` : ""}</dd>`
        : nothing}
      <dt>Last sync</dt>
      <dd>${status.last_sync_at ? this.formats.timeAgo(status.last_sync_at) : "Nothing has been synced yet"}</dd>
      ${status.last_payment_check_at
        ? html`<dt>Payments</dt>
            <dd>Checked ${this.formats.timeAgo(status.last_payment_check_at)}</dd>`
        : nothing}
    </dl>`;
  }

  #renderWarnings(status: Status): View {
    const warnings = status.warnings ?? [];
    if (warnings.length === 0) return nothing;
    const body =
      warnings.length === 1
        ? warnings[0]
        : html`<ul class="bullets">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`;
    const toAccounts = this.embedded
      ? this.button("Account mapping", "see-accounts", () => this.tell("show", { part: "accounts" }))
      : nothing;
    return this.notice("warn", body ?? "", toAccounts);
  }

  #renderSyncAll(): View {
    const walk = this.syncAll;
    const state = walkState(walk);
    if (!walk || state === "none") return nothing;
    const done = walk.looked_at;
    if (state === "running") {
      const known = walk.total ? `${done} of ${walk.total} records` : count(done, "record");
      return html`<div class="stack tight" role="group" aria-label="Sync all">
        <div class="actions"><span class="strong">Syncing all records</span><span class="muted push num">${known}</span></div>
        ${walk.total
          ? html`<progress max=${walk.total} value=${Math.min(done, walk.total)} aria-label="Sync all"></progress>`
          : html`<progress aria-label="Sync all"></progress>`}
        ${walk.entity ? html`<p class="muted small">Working on ${kindWord(walk.entity)}s.</p>` : nothing}
      </div>`;
    }
    const counts = [
      [walk.synced, "sent"],
      [walk.unchanged, "already in Xero"],
      [walk.waiting, "waiting"],
      [walk.skipped, "skipped"],
    ].filter(([value]) => value);
    return html`<p class="muted small">
      Last Sync all ${walk.finished_at ? this.formats.timeAgo(walk.finished_at) : nothing}:
      ${counts.length ? counts.map(([value, word]) => `${this.formats.number(Number(value))} ${word}`).join(", ") : "nothing to send"}.
    </p>`;
  }
}
