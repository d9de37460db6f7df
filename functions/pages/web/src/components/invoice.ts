/** S8: the Xero section on the page of an invoice or a credit note. */
import { html, nothing } from "lit-html";
import type { Session } from "../api/session.js";
import type { Amounts, EntityKind, InvoicePayments, Money, ReceivedPayment, RecordedPayment } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { define, type View } from "../ui/part.js";
import { DOCUMENT_STATES, methodWord, recordPath, type Tone } from "../ui/words.js";
import { unclearPayment } from "./decisions.js";
import { RecordPart } from "./record.js";

export class Invoice extends RecordPart {
  static override properties = {
    ...RecordPart.properties,
    invoiceId: { attribute: "invoice-id" },
    creditNoteId: { attribute: "credit-note-id" },
  };

  declare invoiceId: string | undefined;
  declare creditNoteId: string | undefined;

  #payments: InvoicePayments | undefined;

  protected override get entity(): EntityKind {
    return this.creditNoteId ? "credit_note" : "invoice";
  }

  protected override get recordId(): string {
    return this.creditNoteId ?? this.invoiceId ?? "";
  }

  /** Whether it is a credit note in Xero, as an invoice with a negative total is. */
  get #isCredit(): boolean {
    return (this.record?.entity ?? this.entity) === "credit_note";
  }

  protected override async load(session: Session): Promise<void> {
    await super.load(session);
    const path = `${recordPath("invoice", this.recordId)}/payments`;
    this.#payments = this.record && !this.#isCredit ? (await session.get<InvoicePayments>(path)).value : undefined;
  }

  protected override aside(): View {
    const status = this.record?.amounts?.status;
    if (!status || this.record?.state === "skipped" || this.record?.state === "waiting") return super.aside();
    const state = DOCUMENT_STATES[status];
    return this.badge(state?.word ?? status, state?.tone ?? "quiet");
  }

  protected override content(): View {
    const record = this.record;
    return html`<div class="stack loose">
      ${this.renderOff()} ${this.renderState()}
      ${!record && !this.isOff ? html`<p>Not sent to Xero yet.</p>` : nothing}
      ${this.#isCredit && this.entity === "invoice"
        ? html`<p class="muted">This invoice has a negative total, so it is a credit note in Xero.</p>`
        : nothing}
      ${record?.amounts ? this.#renderDocument(record.amounts) : nothing} ${this.#renderGone()} ${this.#renderMoney()}
      ${this.refusalOf("record")} ${this.refusalOf("preview")}
      ${this.renderRecordActions(this.#renderPreviewAction())} ${this.#renderEarlier()} ${this.renderHistory()}
    </div>`;
  }

  #renderDocument(amounts: Amounts): View {
    const record = this.record;
    const state = DOCUMENT_STATES[amounts.status];
    const number = record?.xero_number ?? record?.number ?? "Open";
    const isCredit = this.#isCredit;
    const difference = differenceOf(amounts);
    const figure = (label: string, money: Money | undefined, isMain = false): View =>
      money
        ? html`<div class=${isMain ? "main" : ""}><dt>${label}</dt><dd class="num">${this.formats.money(money)}</dd></div>`
        : nothing;
    return html`<div class="stack">
      <p>
        ${this.outside(record?.xero_url, number, "in Xero")}
        <span class="muted">${state?.says ?? amounts.status}${amounts.due_date && amounts.status === "AUTHORISED" && !isCredit ? html`, due ${this.formats.date(amounts.due_date)}` : nothing}${amounts.paid_on ? html` on ${this.formats.date(amounts.paid_on)}` : nothing}</span>
      </p>
      <dl class="figures-row">
        ${figure(isCredit ? "Credited" : "Billed", amounts.crm_total)}
        ${difference ? figure("Total in Xero", amounts.xero_total) : nothing}
        ${figure("Paid", amounts.amount_paid)} ${isCredit || Number(amounts.amount_credited?.amount ?? 0) === 0 ? nothing : figure("Credited", amounts.amount_credited)}
        ${isGone(amounts.status) ? nothing : figure(isCredit ? "Credit left" : "Due", amounts.amount_due, true)}
      </dl>
      ${difference
        ? this.notice("warn", `Xero’s total differs by ${this.formats.money(difference)}. Rounding explains differences of a cent or two.`)
        : nothing}
    </div>`;
  }

  #renderGone(): View {
    const status = this.record?.amounts?.status;
    if (!isGone(status ?? "")) return nothing;
    return this.notice(
      "info",
      html`This document no longer counts in Xero. <i>Sync now</i> sends a new copy, whose number may have a suffix such as ~2.`,
    );
  }

  #renderMoney(): View {
    const payments = this.#payments;
    if (!payments) return nothing;
    const same = new Set(payments.received.flatMap((one) => (one.is.what === "same" ? [one.is.payment] : [])));
    const only = payments.recorded.filter((one) => one.standing === "recorded" && !same.has(one.payment));
    const shown = payments.received.filter((one) => one.is.what !== "removed");
    if (shown.length + only.length === 0) return nothing;
    return html`<div class="stack">
      <div class="head">
        <h3 id="payments" tabindex="-1">Payments</h3>
        ${payments.unclear ? this.badge(`${payments.unclear} to decide`, "warn") : nothing}
      </div>
      <ul class="money">
        ${shown.map((one) => this.#renderReceived(one, payments.recorded))}
        ${only.map((one) => this.#renderRecorded(one))}
      </ul>
    </div>`;
  }

  #row(money: Money, date: string | undefined, what: View, side: View, below: View = nothing): View {
    return html`<li>
      <span class="num strong">${this.formats.money(money)}</span>
      <span class="muted nowrap">${this.formats.date(date)}</span>
      <span class="what">${what}</span>
      <span class="side">${side}</span>
      ${below === nothing ? nothing : html`<div class="below">${below}</div>`}
    </li>`;
  }

  #renderReceived(one: ReceivedPayment, recorded: RecordedPayment[]): View {
    const account = one.account ? (one.account.is_bank ? `Bank, ${one.account.name}` : one.account.name) : "In Xero";
    const what = html`${account}${one.reference ? html`, “${one.reference}”` : nothing}`;
    if (one.is.what === "unclear") {
      return this.#row(one.amount, one.date, what, this.badge("To decide", "warn"), this.#renderDecision(one, recorded));
    }
    const sides: Record<string, [string, Tone]> = {
      imported: ["Imported from Xero", "good"],
      same: ["In both", "good"],
    };
    const [word, tone] = sides[one.is.what] ?? [one.is.what, "quiet"];
    return this.#row(one.amount, one.date, what, this.badge(word, tone));
  }

  #renderRecorded(one: RecordedPayment): View {
    const what = html`Recorded here, ${methodWord(one.method)}${one.reference ? html`, “${one.reference}”` : nothing}`;
    return this.#row(one.amount, one.date, what, this.badge("Not in Xero", "quiet"));
  }

  #renderDecision(one: ReceivedPayment, recorded: RecordedPayment[]): View {
    const { path, title, question, answers } = unclearPayment(this.recordId, "this invoice", one, recorded, this.formats);
    return html`<p>${question}</p>
      ${this.renderAnswers(path, title, answers, async (isDone) => {
        await this.reload();
        if (!isDone) return;
        this.announce("The decision is saved.");
        await this.focusOn("#payments");
      })}`;
  }

  #renderPreviewAction(): View {
    const record = this.record;
    if (!record || record.state === "synced" || record.state === "syncing") return nothing;
    return this.button("Preview", "preview", () => this.showPreview("preview", record.entity, record.crm_id));
  }

  #renderEarlier(): View {
    const earlier = this.record?.earlier_xero_ids?.length ?? 0;
    if (earlier === 0) return nothing;
    return html`<p class="muted small">${count(earlier, "earlier copy", "earlier copies")} in Xero ${earlier === 1 ? "was" : "were"} voided or deleted there.</p>`;
  }
}

function isGone(status: string): boolean {
  return status === "VOIDED" || status === "DELETED";
}

/** Xero's total minus the CRM's, if they differ. Computed in hundredths of a cent. */
function differenceOf(amounts: Amounts): Money | undefined {
  const scale = (money: Money) => Math.round(Number(money.amount) * 10_000);
  const difference = Math.abs(scale(amounts.xero_total) - scale(amounts.crm_total));
  return difference === 0 ? undefined : { amount: (difference / 10_000).toFixed(2), currency: amounts.crm_total.currency };
}

define("servicecortex-xero-invoice", Invoice);
