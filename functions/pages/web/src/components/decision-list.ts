/** A list of rows that people settle one by one, which begins with the money that needs a decision. */
import { html, nothing } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import type { Session } from "../api/session.js";
import type { AttentionPage, EntityKind } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { Part, type View } from "../ui/part.js";
import { type Decision, decisionsOf, type Known, pathsOf } from "./decisions.js";

/** How old the names of the records in question may be, in milliseconds. */
const NAMES_AGE = 60_000;

const DECIDED = "The decision is saved.";

export abstract class DecisionList extends Part {
  protected decisions: Decision[] = [];

  /** Takes the decisions of a page, with the names of their records. What cannot be read keeps its id. */
  protected async readDecisions(session: Session, page: AttentionPage): Promise<void> {
    const known: Known = new Map();
    await Promise.all(
      pathsOf(page).map(async (path) => {
        const answer = await session.get(path, { maxAge: NAMES_AGE }).catch(() => undefined);
        known.set(path, answer?.value);
      }),
    );
    this.decisions = decisionsOf(page, known, this.formats);
  }

  protected renderDecisions(): View {
    const { decisions } = this;
    if (decisions.length === 0) return nothing;
    return html`<li>
      <details open>
        ${this.renderSummary(count(decisions.length, "payment"), "Someone has to decide what this money in Xero is for.", this.badge("To decide", "warn"))}
        <div class="group-body">
          <ul class="records">
            ${decisions.map((one) => keyed(one.path, this.#renderDecision(one)))}
          </ul>
        </div>
      </details>
    </li>`;
  }

  #renderDecision(one: Decision): View {
    return html`<li data-record=${one.path}>
      <div class="what">
        ${this.renderName(one.entity, one.crm_id, one.title)} <span class="muted">${one.details.filter(Boolean).join(" · ")}</span>
        <span class="cause-own">${one.question}</span>
        ${this.renderAnswers(one.path, one.title, one.answers, (isDone) => this.leave(one.path, one.title, isDone, DECIDED))}
      </div>
    </li>`;
  }

  protected renderName(entity: EntityKind, id: string, name: string): View {
    return html`<span class="name" tabindex="-1">${this.linkRecord(entity, id, name)}</span>`;
  }

  protected renderSummary(size: string, message: string, badge: View): View {
    return html`<summary>
      <span class="cause">
        <span class="strong">${size}</span>
        <span>${message}</span>
      </span>
      ${badge}
    </summary>`;
  }

  /** The row with this key, and where the focus goes when it leaves the list: to the next one. */
  #findRow(key: string): { row: HTMLElement | undefined; neighbour: string } {
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>("[data-record]")];
    const at = rows.findIndex((row) => row.dataset["record"] === key);
    const next = rows[at + 1] ?? rows[at - 1];
    return { row: rows[at], neighbour: next ? `[data-record="${CSS.escape(next.dataset["record"] ?? "")}"] .name` : "#title" };
  }

  protected async leave(key: string, name: string, done: boolean, says: string): Promise<void> {
    const { neighbour } = this.#findRow(key);
    await this.reload();
    await this.updateComplete;
    const isLeft = this.#findRow(key).row !== undefined;
    if (isLeft && !done) return;
    this.announce(isLeft ? `${name} still needs attention.` : done ? says : (this.refusal?.error.message ?? ""));
    if (!isLeft) await this.focusOn(neighbour);
  }
}
