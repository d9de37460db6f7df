/** S6: the sync log of 30 days, with a chart of the activity and a download. */
import { html, nothing } from "lit-html";
import type { Session } from "../api/session.js";
import type { Activity, EntityKind, LogEntry, LogPage, LogStatus } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { define, Part, safeUrl, type View } from "../ui/part.js";
import { capitalise, kindWord, LOG_STATES, operationWord, recordName } from "../ui/words.js";
import { styles } from "../ui/styles.js";
import { ACTIVITY_DAYS, renderActivity } from "./activity-chart.js";
import { CSV_HEADER, csvRow, saveFile } from "./csv.js";
import { syncLogStyles } from "./styles/sync-log.js";

const PAGE = 25;
/** The API's largest page. */
const PAGE_DOWNLOAD = 200;

interface Filter {
  status: LogStatus | "";
  entity: EntityKind | "";
  from: string;
  to: string;
  text: string;
}

const KINDS: EntityKind[] = ["contact", "invoice", "credit_note", "allocation", "payment"];

export class SyncLog extends Part {
  static override styles = [...styles, syncLogStyles];
  #entries: LogEntry[] = [];
  #next: string | undefined;
  #downTo: string | undefined;
  #activity: Activity | undefined;
  #filter: Filter = { status: "", entity: "", from: "", to: "", text: "" };
  #download: { rows: number; stop: AbortController } | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** Whether the filter has changed since the entries were read. */
  #isFiltering = false;
  /** Whether there is no entry at all. */
  #isEmpty = false;
  /** Whether the reader has gone further back than the first page. */
  #isFurther = false;

  protected override heading(): string {
    return "Sync logs";
  }

  protected override refreshAfter(): number {
    // A reader who has gone further back is not interrupted. A filtered page may have few entries.
    return this.#isFurther ? 0 : 30;
  }

  protected override async load(session: Session): Promise<void> {
    const path = this.#pathOf(PAGE);
    const isFiltered = this.#isFiltered;
    const [page, activity] = await Promise.all([
      session.get<LogPage>(path),
      this.#activity && this.loadedAt && Date.now() - this.loadedAt.getTime() < 60_000
        ? undefined
        : session.get<Activity>(`/v1/activity?days=${ACTIVITY_DAYS}`),
    ]);
    this.#entries = page.value.entries;
    this.#isFurther = false;
    this.#isEmpty = this.#entries.length === 0 && !page.value.next && !isFiltered;
    this.#isFiltering = path !== this.#pathOf(PAGE);
    this.#take(page.value);
    if (activity) this.#activity = activity.value;
  }

  #take(page: LogPage): void {
    this.#next = page.next;
    this.#downTo = this.#entries.at(-1)?.at;
  }

  #pathOf(limit: number, cursor?: string): string {
    const { status, entity, from, to, text } = this.#filter;
    const query = new URLSearchParams({ limit: String(limit) });
    if (status) query.set("status", status);
    if (entity) query.set("entity", entity);
    // The days are those of the reader; the API takes instants.
    if (from) query.set("from", this.formats.startOf(from));
    if (to) query.set("before", this.formats.startOf(to, 1));
    if (text.trim()) query.set("q", text.trim());
    if (cursor) query.set("cursor", cursor);
    return `/v1/sync-log?${query}`;
  }

  protected override aside(): View {
    return html`<span>Kept for ${ACTIVITY_DAYS} days</span>
      ${this.#download
        ? html`<span role="status">${count(this.#download.rows, "row")}</span>
            ${this.button("Stop", "stop", () => this.#download?.stop.abort(), { isSmall: true })}`
        : this.button("Download CSV", "download", () => this.#downloadAll(), { isSmall: true, icon: "down" })}`;
  }

  protected override content(): View {
    if (this.#isEmpty) return html`<p class="empty">Nothing has been synced in the last 30 days.</p>`;
    return html`<div class="stack loose">
      ${renderActivity(this.#activity, this.formats)} ${this.#renderFilters()} ${this.refusalOf("download")} ${this.#renderTable()}
    </div>`;
  }

  #setFilter(change: Partial<Filter>, delay = 0): void {
    Object.assign(this.#filter, change);
    clearTimeout(this.#typing);
    const read = () => {
      this.#isFiltering = true;
      this.requestUpdate();
      void this.reload();
    };
    if (delay) this.#typing = setTimeout(read, delay);
    else read();
    this.requestUpdate();
  }

  /** The other day follows one that would end the span before it begins, which the API refuses. */
  #setDay(change: { from: string } | { to: string }): void {
    const { from, to } = { ...this.#filter, ...change };
    const day = "from" in change ? change.from : change.to;
    this.#setFilter(from && to && from > to ? { from: day, to: day } : change);
  }

  #renderFilters(): View {
    const { status, entity, from, to, text } = this.#filter;
    const earliest = this.formats.dayKey(new Date(Date.now() - ACTIVITY_DAYS * 86_400_000));
    const latest = this.formats.dayKey(new Date());
    const valueOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
    return html`<div class="filters" role="search" aria-label="Filter the sync log">
      <div class="field grow">
        <label for="text">Number or id</label>
        <input class="control" id="text" type="text" inputmode="search" autocomplete="off" spellcheck="false" maxlength="100" .value=${text}
          @input=${(event: Event) => this.#setFilter({ text: valueOf(event) }, 400)} />
      </div>
      <div class="field">
        <label for="status">Result</label>
        <select class="control" id="status" @change=${(event: Event) => this.#setFilter({ status: valueOf(event) as LogStatus | "" })}>
          <option value="">All results</option>
          ${Object.entries(LOG_STATES).map(([value, { word }]) => html`<option value=${value} ?selected=${value === status}>${word}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="entity">Record</label>
        <select class="control" id="entity" @change=${(event: Event) => this.#setFilter({ entity: valueOf(event) as EntityKind | "" })}>
          <option value="">All records</option>
          ${KINDS.map((kind) => html`<option value=${kind} ?selected=${kind === entity}>${capitalise(kindWord(kind))}s</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="from">From</label>
        <input class="control" id="from" type="date" min=${earliest} max=${latest} .value=${from} @change=${(event: Event) => this.#setDay({ from: valueOf(event) })} />
      </div>
      <div class="field">
        <label for="to">To</label>
        <input class="control" id="to" type="date" min=${earliest} max=${latest} .value=${to} @change=${(event: Event) => this.#setDay({ to: valueOf(event) })} />
      </div>
    </div>`;
  }

  get #isFiltered(): boolean {
    return Object.values(this.#filter).some((value) => value !== "");
  }

  #renderTable(): View {
    // Why they cannot be read stands above.
    if (this.#isFiltering) return this.failure ? nothing : html`<p class="empty" role="status">Loading…</p>`;
    if (this.#entries.length === 0) {
      return html`<div class="stack">
        <p class="empty" role="status">
          ${this.#next
            ? html`No matches among the newest entries${this.#downTo ? html`, back to ${this.formats.dayOf(this.#downTo)}` : nothing}.`
            : "No entries from the last 30 days match."}
        </p>
        ${this.#renderMore("Look further back")}
      </div>`;
    }
    return html`<table class="cards log" role="table">
        <caption class="sr">Sync log, newest first</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">When</th>
            <th scope="col" role="columnheader">Record</th>
            <th scope="col" role="columnheader">Result</th>
            <th scope="col" role="columnheader">What happened</th>
            <th scope="col" role="columnheader" class="num">Operation</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${this.#entries.map((entry) => this.#renderEntry(entry))}
        </tbody>
      </table>
      ${this.#renderMore("Show more")}`;
  }

  #renderEntry(entry: LogEntry): View {
    const state = LOG_STATES[entry.status] ?? { word: entry.status, tone: "quiet" as const };
    const name = recordName(entry);
    return html`<tr role="row">
      <td role="cell" class="when nowrap muted">${this.formats.timeOf(entry.at)}</td>
      <td role="cell" class="record">${this.linkRecord(entry.entity, entry.crm_id, name)}</td>
      <td role="cell" class="result">${this.badge(state.word, state.tone)}</td>
      <td role="cell" class="wide">
        ${entry.message} ${entry.remedy ?? ""}
        ${entry.next_attempt_at ? html`<span class="muted">Next attempt at ${this.formats.timeOf(entry.next_attempt_at)}.</span>` : nothing}
        ${entry.by ? html`<span class="muted">By ${this.nameOf(entry.by)}.</span>` : nothing}
        ${entry.attempt > 1 ? html`<span class="muted">Attempt ${entry.attempt}.</span>` : nothing}
        ${safeUrl(entry.xero_url) ? html`<span class="nowrap">${this.outside(entry.xero_url, "View in Xero", name)}</span>` : nothing}
      </td>
      <td role="cell" class="num muted took">${operationWord(entry.operation)} <br />${seconds(entry.duration_ms)}</td>
    </tr>`;
  }

  #renderMore(label: string): View {
    const cursor = this.#next;
    if (!cursor) return nothing;
    return html`<div class="actions">
      ${this.button(label, "more", () => this.act("more", (session) => this.#readMore(session, cursor)), { busy: "Loading…" })}
      ${this.refusalOf("more")}
    </div>`;
  }

  async #readMore(session: Session, cursor: string): Promise<void> {
    const path = this.#pathOf(PAGE, cursor);
    const { value } = await session.get<LogPage>(path);
    // The filter may have changed meanwhile.
    if (path !== this.#pathOf(PAGE, this.#next)) return;
    this.#entries = [...this.#entries, ...value.entries];
    this.#isFurther = true;
    this.#take(value);
    this.announce(`${count(value.entries.length, "more entry", "more entries")}.`);
  }

  async #downloadAll(): Promise<void> {
    const stop = new AbortController();
    this.#download = { rows: 0, stop };
    // The filter may change meanwhile.
    const first = this.#pathOf(PAGE_DOWNLOAD);
    await this.act("download", async (session) => {
      const rows = [CSV_HEADER];
      let cursor: string | undefined;
      try {
        do {
          const path = cursor ? `${first}&cursor=${encodeURIComponent(cursor)}` : first;
          const { value } = await session.get<LogPage>(path, { signal: stop.signal });
          for (const entry of value.entries) rows.push(csvRow(entry));
          cursor = value.next;
          this.#download = { rows: rows.length - 1, stop };
          this.requestUpdate();
        } while (cursor);
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        this.announce("The download was stopped.");
        return;
      }
      saveFile(`xero-sync-log-${this.formats.dayKey(new Date())}.csv`, `\uFEFF${rows.join("\r\n")}\r\n`);
      this.announce(`${count(rows.length - 1, "row")} downloaded.`);
    });
    this.#download = undefined;
    this.requestUpdate();
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

define("servicecortex-xero-sync-log", SyncLog);
