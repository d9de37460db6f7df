/** S5: what needs a person: money to decide about, and records that failed, by cause. */
import { html, nothing } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { ApiError, type Session } from "../api/session.js";
import type { AttentionPage, AttentionRecord, BulkOutcome } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { define, type View } from "../ui/part.js";
import { kindWord, placeOf, PLACES, recordPath } from "../ui/words.js";
import { styles } from "../ui/styles.js";
import { addPage, type Group, nameKey, RESPONSIBLE, titleOf } from "./attention-groups.js";
import { DecisionList } from "./decision-list.js";
import { withholdDialog } from "./dialogs.js";
import { attentionStyles } from "./styles/attention.js";

/** The largest number of records that one request may name. */
const BULK_MAX = 100;

export class AttentionList extends DecisionList {
  static override styles = [...styles, attentionStyles];
  static override properties = { ...DecisionList.properties, embedded: { type: Boolean } };

  /** Whether the elements that cure a cause are on the same page. */
  declare embedded: boolean | undefined;

  #pages: { givenUp: AttentionPage; failing: AttentionPage } | undefined;
  #groups: Group[] = [];
  /** How many pages beyond the first one the reader has asked for. */
  #further: Partial<Record<AttentionPage["state"], number>> = {};
  /** The causes that a person has opened or closed. */
  #open = new Map<string, boolean>();

  protected override heading(): string {
    return "Needs attention";
  }

  protected override refreshAfter(): number {
    return 30;
  }

  protected override async load(session: Session): Promise<void> {
    await this.readStatus(session);
    const groups: Group[] = [];
    const [givenUp, failing] = await Promise.all([this.#readPages(session, groups, "given_up"), this.#readPages(session, groups, "failing")]);
    this.#pages = { givenUp, failing };
    this.#groups = groups;
    await this.readDecisions(session, givenUp);
    this.tell("attention", { count: givenUp.count + this.decisions.length });
  }

  /** Reads as many pages as are shown. Returns the first one, with the cursor of the last one. */
  async #readPages(session: Session, groups: Group[], state: AttentionPage["state"]): Promise<AttentionPage> {
    const read = async (query: Record<string, string>) => {
      const { value } = await session.get<AttentionPage>(`/v1/attention?${new URLSearchParams(query)}`);
      addPage(groups, value);
      return value;
    };
    const first = await read({ state });
    let { next } = first;
    for (let left = this.#further[state] ?? 0; left > 0 && next; left -= 1) ({ next } = await read({ state, cursor: next }));
    return { ...first, next };
  }

  protected override aside(): View {
    const { givenUp, failing } = this.#pages ?? {};
    return [
      this.decisions.length ? `${this.formats.number(this.decisions.length)} to decide` : "",
      givenUp?.count ? `${this.formats.number(givenUp.count)} given up` : "",
      failing?.count ? `${this.formats.number(failing.count)} being retried` : "",
    ]
      .filter(Boolean)
      .join(" · ");
  }

  protected override content(): View {
    if (this.#groups.length + this.decisions.length === 0) return this.notice("good", "Nothing needs attention.");
    return html`<ul class="groups">
        ${this.renderDecisions()}
        ${this.#groups.map((group, index) => keyed(group.key, this.#renderGroup(group, index)))}
      </ul>
      ${this.#renderMore()}`;
  }

  #renderGroup(group: Group, index: number): View {
    const key = group.key;
    const size = group.records.length;
    const kinds = new Set(group.records.map(({ record }) => record.entity));
    const [kind] = kinds;
    const noun = kinds.size === 1 && kind ? kindWord(kind) : "record";
    const who = RESPONSIBLE[group.responsible];
    const isOpen = this.#open.get(key) ?? (group.responsible !== "nobody" && index < 3);
    return html`<li>
      <details
        ?open=${isOpen}
        @toggle=${(event: Event) => this.#open.set(key, (event.target as HTMLDetailsElement).open)}
      >
        ${this.renderSummary(count(size, noun), group.message, who ? this.badge(who, group.responsible === "nobody" ? "quiet" : "info") : nothing)}
        <div class="group-body stack">
          ${group.remedy || group.responsible !== "nobody"
            ? html`<div class="row">
                <p class="lead">${group.remedy}</p>
                ${this.#renderPlace(group)}
              </div>`
            : nothing}
          ${this.refusalOf(`group-${key}-`)}
          <ul class="records">
            ${group.records.map((one) => keyed(nameKey(one), this.#renderRecord(group, one)))}
          </ul>
          ${this.canChange && group.isGivenUp && size > 1
            ? html`<div class="actions">
                ${this.button(`Retry all ${this.formats.number(size)}`, `group-${key}-retry`, () => this.#retryAll(group), { isSmall: true, busy: "Starting…" })}
                ${this.button(`Never send these ${this.formats.number(size)}…`, `group-${key}-withhold`, () => this.#confirmWithholdAll(group), { isSmall: true, kind: "quiet subdued" })}
              </div>`
            : nothing}
        </div>
      </details>
    </li>`;
  }

  #renderPlace(group: Group): View {
    const place = placeOf(group.code);
    if (!this.embedded || place === "record") return nothing;
    return this.button(PLACES[place], `place-${group.key}`, () => this.tell("show", { part: place }), { isSmall: true });
  }

  #renderMore(): View {
    const pages = this.#pages;
    const page = pages?.givenUp.next ? pages.givenUp : pages?.failing;
    if (!pages || !page?.next) return nothing;
    const left = pages.givenUp.count + pages.failing.count - this.#groups.reduce((sum, group) => sum + group.records.length, 0);
    const label = left > 0 ? `Show more (${this.formats.number(left)} left)` : "Show more";
    return html`<div class="actions after">
      ${this.button(label, "more", () => this.#readMore(page.state), { isSmall: true, busy: "Loading…" })}
    </div>`;
  }

  async #readMore(state: AttentionPage["state"]): Promise<void> {
    this.#further[state] = (this.#further[state] ?? 0) + 1;
    await this.act("more", () => this.reload());
  }

  #renderRecord(group: Group, one: AttentionRecord): View {
    const { record } = one;
    const name = titleOf(one);
    // No id contains a space, so an action names one record, and not those whose ids begin alike.
    const action = `record-${nameKey(one)} `;
    const total = record.amounts?.crm_total;
    return html`<li data-record=${nameKey(one)}>
      <div class="what">
        ${this.renderName(record.entity, record.crm_id, name)}
        ${total ? html`<span class="muted">${this.formats.money(total)}</span>` : nothing}
        ${record.failure && record.failure.message !== group.message
          ? html`<span class="small cause-own">${record.failure.message} ${record.failure.remedy}</span>`
          : nothing}
        <span class="muted small">
          ${count(one.failures, "failed attempt")}${one.failed_at ? html`, last ${this.formats.timeAgo(one.failed_at)}` : nothing}${record.next_attempt_at
            ? html` · next at ${this.formats.timeOf(record.next_attempt_at)}`
            : nothing}
          ${record.xero_url ? html` · ${this.outside(record.xero_url, "View in Xero", name)}` : nothing}
        </span>
        ${this.refusalOf(action)}
      </div>
      ${this.canChange
        ? html`<div class="actions">
            ${this.button(group.isGivenUp ? "Retry" : "Try now", `${action}-retry`, () => this.#retry(one, `${action}-retry`), {
              isSmall: true,
              busy: "Syncing…",
              label: `${group.isGivenUp ? "Retry" : "Try now:"} ${name}`,
            })}
            ${this.button("Never send…", `${action}-withhold`, () => this.#confirmWithhold(one, `${action}-withhold`), {
              isSmall: true,
              kind: "quiet subdued",
              label: `Never send ${name}`,
            })}
          </div>`
        : nothing}
    </li>`;
  }

  async #retry(one: AttentionRecord, action: string): Promise<void> {
    const done = await this.sendChange(action, "POST", `${recordPath(one.record.entity, one.record.crm_id)}/sync`);
    await this.leave(nameKey(one), titleOf(one), done, `${titleOf(one)} is in Xero.`);
  }

  #confirmWithhold(one: AttentionRecord, action: string): void {
    const name = titleOf(one);
    const withhold = async () => {
      const done = await this.sendChange(action, "POST", `${recordPath(one.record.entity, one.record.crm_id)}/never-send`);
      await this.leave(nameKey(one), name, done, `${name} will not be sent.`);
    };
    this.confirm(withholdDialog(name, false, withhold));
  }

  /** Applies a change to all records of a group. Returns how many were being sent at that moment. */
  async #changeAll(session: Session, path: string, group: Group): Promise<number> {
    const named = group.records.map(({ record }) => ({ entity: record.entity, crm_id: record.crm_id }));
    let busy = 0;
    for (let from = 0; from < named.length; from += BULK_MAX) {
      const body = { records: named.slice(from, from + BULK_MAX) };
      busy += (await session.change<BulkOutcome>("POST", path, { body })).value.being_sent.length;
    }
    return busy;
  }

  async #retryAll(group: Group): Promise<void> {
    let busy = 0;
    const size = group.records.length;
    const started = await this.act(`group-${group.key}-retry`, async (session) => {
      busy = await this.#changeAll(session, "/v1/attention/retry", group);
    });
    if (started) this.announce(`${count(size - busy, "record")} will be retried within a minute or two.`);
    await this.reload();
    await this.focusOn("#title");
  }

  #confirmWithholdAll(group: Group): void {
    const size = count(group.records.length, "record");
    const withhold = async () => {
      const done = await this.act(`group-${group.key}-withhold`, async (session) => {
        const busy = await this.#changeAll(session, "/v1/attention/never-send", group);
        if (busy > 0) throw new ApiError("refused", `${count(busy, "record")} ${busy === 1 ? "is" : "are"} being sent at this moment. Try again in a minute.`);
      });
      await this.reload();
      if (!done) return;
      this.announce(`${size} will not be sent.`);
      await this.focusOn("#title");
    };
    this.confirm(withholdDialog(`these ${size}`, true, withhold));
  }
}

define("servicecortex-xero-attention", AttentionList);
