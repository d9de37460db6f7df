/** S4: the comparison of all clients with the contacts in Xero. */
import { html, nothing } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import type { Session } from "../api/session.js";
import { type Candidate, type Contact, type Finding, type Reconciliation, walkState } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { define, Part, type View } from "../ui/part.js";
import { evidenceList, evidenceWord, recordPath } from "../ui/words.js";
import { restoreLink } from "./contact-search.js";
import { searchDialog, unlinkDialog } from "./dialogs.js";
import { styles } from "../ui/styles.js";
import { matchingStyles } from "./styles/matching.js";

type Outcome = Finding["outcome"];

/** The findings of one outcome, as far as they have been read. */
interface Listing {
  outcome: Outcome;
  findings: Finding[];
  nextPage: number;
  reading: Promise<void> | undefined;
}

/** The number of findings that a reading adds at least, if there are as many. */
const FINDINGS_MIN = 10;

const TABS: { outcome: Outcome; label: string; empty: string }[] = [
  { outcome: "ambiguous", label: "To decide", empty: "Nothing to decide." },
  { outcome: "proposed", label: "To confirm", empty: "No matches to confirm." },
  { outcome: "linked", label: "Linked", empty: "The latest comparison linked no clients." },
  { outcome: "missing", label: "Not in Xero", empty: "Every client has a contact in Xero." },
];

export class Matching extends Part {
  static override styles = [...styles, matchingStyles];
  #run: Reconciliation | undefined;
  #outcome: Outcome = "ambiguous";
  #list: Listing = startListing("ambiguous");
  #readFor = "";

  protected override heading(): string {
    return "Reconciliation";
  }

  protected override refreshAfter(): number {
    return walkState(this.#run) === "running" ? 3 : 0;
  }

  protected override async load(session: Session): Promise<void> {
    await this.readStatus(session);
    const { value } = await session.get<Reconciliation>("/v1/reconciliation");
    this.#run = value;
    if (this.#key !== this.#readFor) await this.#restart(session);
    // A comparison adds pages until it is done, so the last reading may have found too few.
    else if (this.#list.findings.length < FINDINGS_MIN) await this.#readMore(session);
  }

  /** What the list of findings belongs to. */
  get #key(): string {
    return `${this.#run?.started_at ?? ""} ${this.#outcome}`;
  }

  async #restart(session: Session): Promise<void> {
    this.#readFor = this.#key;
    this.#list = startListing(this.#outcome);
    await this.#readMore(session);
  }

  /** Reads pages until there is something to show. A list is read once at a time, each page once. */
  #readMore(session: Session): Promise<void> {
    const list = this.#list;
    list.reading ??= this.#readPages(session, list).finally(() => (list.reading = undefined));
    return list.reading;
  }

  async #readPages(session: Session, list: Listing): Promise<void> {
    const pages = this.#run?.pages ?? 0;
    const wanted = list.findings.length + FINDINGS_MIN;
    while (list.nextPage < pages && list.findings.length < wanted) {
      const path = `/v1/reconciliation/findings?page=${list.nextPage}&outcome=${list.outcome}`;
      const { value } = await session.get<{ findings: Finding[] }>(path, { emptyOn404: true });
      list.nextPage += 1;
      list.findings.push(...(value?.findings ?? []).filter((finding) => finding.outcome === list.outcome));
    }
  }

  protected override aside(): View {
    const run = this.#run;
    if (!run || !["done", "stopped"].includes(walkState(run))) return nothing;
    const by = run.started_by ? ` by ${this.nameOf(run.started_by)}` : "";
    return html`<span>Compared ${this.formats.timeAgo(run.finished_at ?? run.started_at)}${by}</span>
      ${this.#canCompare ? this.button("Compare again", "compare", () => this.#compare(), { isSmall: true, busy: "Starting…" }) : nothing}`;
  }

  get #canCompare(): boolean {
    return this.canChange && ["active", "error"].includes(this.status?.status ?? "");
  }

  protected override content(): View {
    const run = this.#run;
    const state = walkState(run);
    if (!run || state === "none") {
      return html`<div class="stack">
        <p class="lead">
          Compare all clients with the contacts in Xero. A client that clearly matches one contact is
          linked to it; you decide on the others. Nothing in Xero is changed.
        </p>
        ${this.refusalOf("compare")}
        ${this.#canCompare
          ? html`<div class="actions">${this.button("Compare now", "compare", () => this.#compare(), { busy: "Starting…" })}</div>`
          : nothing}
      </div>`;
    }
    return html`<div class="stack loose">
      ${state === "running" ? this.#renderProgress(run) : nothing}
      ${state === "stopped"
        ? this.notice("warn", html`The comparison was stopped. ${run.stopped}`)
        : nothing}
      ${this.refusalOf("compare")} ${this.#renderTabs(run)} ${this.#renderFindings(run)}
    </div>`;
  }

  #renderProgress(run: Reconciliation): View {
    const done = run.linked_before + run.linked + run.proposed + run.ambiguous + run.missing + run.left_alone;
    const all = run.clients;
    return html`<div class="stack tight">
      <div class="actions"><span class="strong">Comparing</span><span class="muted push num">${done} of ${count(all, "client")}</span></div>
      <progress max=${Math.max(all, 1)} value=${Math.min(done, all)} aria-label="Comparing clients"></progress>
    </div>`;
  }

  #renderTabs(run: Reconciliation): View {
    const counts: Record<Outcome, number> = {
      ambiguous: run.ambiguous,
      proposed: run.proposed,
      linked: run.linked,
      missing: run.missing,
    };
    const before = run.linked_before;
    const left = run.left_alone;
    return html`<div class="stack tight">
      <div class="segments" role="group" aria-label="Findings to show">
        ${TABS.filter((tab) => tab.outcome !== "proposed" || counts.proposed > 0).map(
          (tab) => html`<button
            type="button"
            aria-pressed=${tab.outcome === this.#outcome ? "true" : "false"}
            @click=${() => this.#show(tab.outcome)}
          >
            ${tab.label} <span class="pill">${this.formats.number(counts[tab.outcome])}</span>
          </button>`,
        )}
      </div>
      <p class="muted small">
        ${count(run.clients, "client")}, ${count(run.contacts, "contact")} in Xero.
        ${before > 0 ? `${count(before, "client")} ${before === 1 ? "was" : "were"} already linked.` : nothing}
        ${left > 0 ? `${count(left, "client")} being sent or marked Never send ${left === 1 ? "was" : "were"} skipped.` : nothing}
      </p>
    </div>`;
  }

  #show(outcome: Outcome): void {
    this.#outcome = outcome;
    void this.act(`findings-${outcome}`, (session) => this.#restart(session));
  }

  #renderFindings(run: Reconciliation): View {
    const { findings, nextPage, reading } = this.#list;
    const hasMore = nextPage < run.pages;
    if (findings.length === 0 && (reading || !hasMore)) {
      return walkState(run) === "running"
        ? nothing
        : html`<p class="empty" role="status">${reading ? "Loading…" : TABS.find((tab) => tab.outcome === this.#outcome)?.empty}</p>`;
    }
    return html`<ul class="findings">
        ${findings.map((finding) => keyed(finding.client_id, this.#renderFinding(finding)))}
      </ul>
      ${this.refusalOf("findings")}
      ${hasMore
        ? html`<div class="actions">${this.button("Show more", "findings", () => this.act("findings", (session) => this.#readMore(session)), { busy: "Loading…" })}</div>`
        : nothing}`;
  }

  #renderFinding(finding: Finding): View {
    const id = `finding-${finding.client_id.replace(/[^A-Za-z0-9_-]/g, "-")}`;
    // A finding of the comparison itself names the contact by its id only.
    const isLinked = finding.contact !== undefined || finding.contact_id !== undefined;
    return html`<li>
      <fieldset class="stack" aria-labelledby=${id} data-client=${finding.client_id}>
        <div class="head">
          <h3 id=${id} tabindex="-1">${this.linkRecord("contact", finding.client_id, finding.name)}</h3>
          <span class="muted small">${finding.client_id}</span>
        </div>
        ${isLinked
          ? html`<div class="row">
              <div>${this.#renderLink(finding)}</div>
              ${this.canChange
                ? this.button("Unlink…", `unlink-${finding.client_id} `, () => this.#confirmUnlink(finding), { isSmall: true, kind: "quiet subdued", label: `Unlink… ${finding.name}` })
                : nothing}
            </div>`
          : html`<p class="muted">${finding.message} ${finding.remedy}</p>
              ${finding.candidates?.length
                ? html`<ul class="candidates">
                    ${finding.candidates.map((candidate) => this.#renderCandidate(finding, candidate))}
                  </ul>`
                : nothing}
              ${this.canChange
                ? html`<div class="actions">
                    ${this.button("Search for another", `search-${finding.client_id}`, () => this.#search(finding), { isSmall: true, kind: "quiet", icon: "search", label: `Search for another contact for ${finding.name}` })}
                  </div>`
                : nothing}`}
        ${this.refusalOf(`link-${finding.client_id} `)} ${this.refusalOf(`unlink-${finding.client_id} `)}
      </fieldset>
    </li>`;
  }

  #renderLink({ contact, by, message, remedy }: Finding): View {
    if (!contact) return html`<span class="muted">${message} ${remedy}</span>`;
    return html`Linked to <b>${this.outside(contact.xero_url, contact.name)}</b>
      ${by ? html`<span class="muted"> by ${evidenceWord(by)}</span>` : nothing}`;
  }

  #renderCandidate(finding: Finding, candidate: Candidate): View {
    return html`<li class="row">
      <div>
        ${this.outside(candidate.xero_url, candidate.name)}
        <div class="muted small">
          ${candidate.email ? html`${candidate.email} · ` : nothing}${evidenceList(candidate.by)}${candidate.is_archived
            ? html` · archived${restoreLink(candidate.xero_url)}`
            : nothing}
        </div>
      </div>
      ${this.canChange && !candidate.is_archived
        ? this.button("Link", `link-${finding.client_id} ${candidate.id}`, () => this.#link(finding, { contact_id: candidate.id, name: candidate.name }), {
            isSmall: true,
            busy: "Linking…",
            label: `Link ${finding.name} to ${candidate.name}`,
          })
        : nothing}
    </li>`;
  }

  async #link(finding: Finding, contact: { contact_id: string; name: string }): Promise<void> {
    const path = `${recordPath("contact", finding.client_id)}/contact`;
    const linked = await this.sendChange(`link-${finding.client_id} ${contact.contact_id}`, "PUT", path, { contact_id: contact.contact_id });
    if (!linked) return;
    const { findings } = this.#list;
    const next = findings[findings.indexOf(finding) + 1];
    finding.contact = { contact_id: contact.contact_id, name: contact.name };
    finding.by = undefined;
    this.tell("linked", { client: finding.client_id });
    this.announce(`${finding.name} is linked to ${contact.name}.`);
    this.requestUpdate();
    await this.focusOn(next ? `fieldset[data-client="${CSS.escape(next.client_id)}"] h3` : "#title");
  }

  #confirmUnlink(finding: Finding): void {
    const unlink = async () => {
      const path = `${recordPath("contact", finding.client_id)}/contact`;
      if (!(await this.sendChange(`unlink-${finding.client_id} `, "DELETE", path))) return;
      Object.assign(finding, { contact: undefined, contact_id: undefined, by: undefined, message: "No longer linked.", remedy: "" });
      this.tell("unlinked", { client: finding.client_id });
      this.announce(`${finding.name} is no longer linked.`);
      await this.focusOn(`fieldset[data-client="${CSS.escape(finding.client_id)}"] h3`);
    };
    this.confirm(unlinkDialog(finding.name, unlink));
  }

  #search(finding: Finding): void {
    const pick = (contact: Contact) => {
      this.closeDialog();
      void this.#link(finding, contact);
    };
    this.confirm(searchDialog(`Find the contact for ${finding.name}`, this.session, finding.client_id, finding.name, pick));
  }

  async #compare(): Promise<void> {
    const started = await this.sendChange("compare", "POST", "/v1/reconciliation");
    this.#readFor = "";
    await this.reload();
    if (started) this.announce("The comparison has started.");
  }
}

function startListing(outcome: Outcome): Listing {
  return { outcome, findings: [], nextPage: 0, reading: undefined };
}

define("servicecortex-xero-contacts", Matching);
