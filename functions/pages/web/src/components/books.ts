/** Whether the books agree: the newest comparison of the open balances. */
import { html, nothing } from "lit-html";
import type { Session } from "../api/session.js";
import type { Books, Comparison } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { define, Part, type View } from "../ui/part.js";
import { styles } from "../ui/styles.js";
import { recordName } from "../ui/words.js";
import { booksStyles } from "./styles/books.js";

type Difference = Comparison["differences"][number];

export class BooksPanel extends Part {
  static override styles = [...styles, booksStyles];
  #books: Books | undefined;

  protected override heading(): string {
    return "Do the books agree?";
  }

  protected override refreshAfter(): number {
    return this.#books?.is_running ? 30 : 0;
  }

  protected override async load(session: Session): Promise<void> {
    this.#books = (await session.get<Books>("/v1/books")).value;
  }

  protected override aside(): View {
    const { comparison, is_running } = this.#books ?? {};
    const differing = comparison?.difference_count ?? 0;
    return html`${is_running
      ? "Comparing now"
      : comparison
        ? html`<span>Compared ${this.formats.timeAgo(comparison.compared_at)}</span>`
        : nothing}
    ${comparison
      ? comparison.is_equal
        ? this.badge("Equal", "good")
        : this.badge(differing ? count(differing, "difference") : "Incomplete", "warn")
      : nothing}`;
  }

  protected override content(): View {
    const comparison = this.#books?.comparison;
    if (!comparison) {
      return html`<p class="lead">
        The open balance of every invoice is compared with Xero once a day. The first result appears here.
      </p>`;
    }
    const { invoices, not_compared, difference_count, differences } = comparison;
    const all = count(invoices, "invoice");
    return html`<div class="stack">
      ${comparison.is_equal
        ? this.notice("good", html`<span class="strong">Yes.</span> The open balances of ${all} are the same here and in Xero.`)
        : difference_count
          ? html`<p><span class="strong">No.</span> ${count(difference_count, "open balance")} ${difference_count === 1 ? "differs" : "differ"}. ${all} ${invoices === 1 ? "was" : "were"} compared.</p>`
          : nothing}
      ${not_compared
        ? this.notice("warn", `${count(not_compared, "record")} could not be compared. Contact support.`)
        : nothing}
      ${this.#renderBalances(comparison)}
      ${differences.length
        ? html`<ul class="differences">
            ${differences.map((one) => this.#renderDifference(one))}
          </ul>`
        : nothing}
      ${difference_count > differences.length
        ? html`<p class="muted small">Showing the first ${differences.length} of ${this.formats.number(difference_count)}.</p>`
        : nothing}
    </div>`;
  }

  #renderBalances({ balances }: Comparison): View {
    if (balances.length === 0) return nothing;
    return html`<table>
      <caption class="sr">Open balances</caption>
      <thead>
        <tr>
          <th scope="col">Open balance</th>
          <th scope="col" class="num">Here</th>
          <th scope="col" class="num">In Xero</th>
        </tr>
      </thead>
      <tbody>
        ${balances.map(
          ({ crm, xero }) => html`<tr>
            <th scope="row">${crm.currency}</th>
            <td class="num">${this.formats.money(crm)}</td>
            <td class="num">${this.formats.money(xero)}</td>
          </tr>`,
        )}
      </tbody>
    </table>`;
  }

  #renderDifference(one: Difference): View {
    const name = recordName({ ...one, number: one.number || undefined });
    return html`<li>
      <p class="row">
        <span class="name">${this.linkRecord(one.entity, one.crm_id, name)}</span>
        <span class="muted">${this.formats.money(one.crm)} here, ${this.formats.money(one.xero)} in Xero</span>
      </p>
      <ul class="reasons">
        ${one.reasons.map(
          ({ amount, message }) => html`<li><span class="num">${this.formats.money(amount)}</span><span>${message}</span></li>`,
        )}
      </ul>
    </li>`;
  }
}

define("servicecortex-xero-books", BooksPanel);
