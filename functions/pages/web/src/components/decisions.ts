/** Money in Xero that needs an answer: unclear payments, overpayments and prepayments. */
import type { AttentionPage, EntityKind, InvoicePayments, ReceivedPayment, RecordedPayment, SyncRecord } from "../api/shapes.js";
import type { Formats } from "../ui/format.js";
import type { Answer } from "../ui/part.js";
import { capitalise, kindWord, methodWord, recordPath } from "../ui/words.js";

/** The largest number of documents that are read to name the records in question. */
const NAMED_MAX = 40;

/** What is known beside the list itself, by its path in the API. */
export type Known = Map<string, unknown>;

/** A question about money in Xero, which one of the answers settles. */
export interface Decision {
  /** The path to which the answer is sent. */
  path: string;
  title: string;
  details: string[];
  question: string;
  /** The record of the CRM that it is about. */
  entity: EntityKind;
  crm_id: string;
  answers: Answer[];
}

const paymentsPath = (invoice: string) => `${recordPath("invoice", invoice)}/payments`;

/** The paths of what names the records and payments of a page. */
export function pathsOf(page: AttentionPage): string[] {
  const paths = [
    ...page.unclear.flatMap((one) => [recordPath("invoice", one.invoice_id), paymentsPath(one.invoice_id)]),
    ...(page.overpaid ?? []).flatMap((one) => [recordPath("contact", one.client_id), ...one.candidates.map((id) => recordPath("invoice", id))]),
  ];
  return [...new Set(paths)].slice(0, NAMED_MAX);
}

/** A question about a payment in Xero that may be one of those that the CRM recorded for the invoice. */
export function unclearPayment(invoice: string, name: string, payment: ReceivedPayment, recorded: RecordedPayment[], formats: Formats): Decision {
  const describe = (id: string) => {
    const known = recorded.find((one) => one.payment === id);
    return known ? `${formats.money(known.amount)}, ${methodWord(known.method)}, ${formats.date(known.date)}` : `payment ${id}`;
  };
  const candidates = payment.is.what === "unclear" ? payment.is.candidates : [];
  return {
    path: `${paymentsPath(invoice)}/${encodeURIComponent(payment.id)}`,
    title: `${formats.money(payment.amount)} for ${name}`,
    details: [formats.date(payment.date), payment.account?.name ?? "", quoted(payment.reference)],
    question: "Is this payment already recorded here? If so, it is counted only once.",
    entity: "invoice",
    crm_id: invoice,
    answers: [
      ...candidates.map((id) => ({ label: `Yes: ${describe(id)}`, body: { same_as: id } })),
      { label: "No, it is another payment", body: { import: true } },
    ],
  };
}

/** The decisions of a page. */
export function decisionsOf(page: AttentionPage, known: Known, formats: Formats): Decision[] {
  const nameOf = (entity: EntityKind, id: string) => {
    const record = known.get(recordPath(entity, id)) as SyncRecord | undefined;
    return record?.contact?.name ?? `${kindWord(entity)} ${record?.number ?? id}`;
  };
  const unclear = page.unclear.map(({ invoice_id, payment }) => {
    const payments = known.get(paymentsPath(invoice_id)) as InvoicePayments | undefined;
    return unclearPayment(invoice_id, nameOf("invoice", invoice_id), payment, payments?.recorded ?? [], formats);
  });
  const overpaid = (page.overpaid ?? []).map((one): Decision => {
    const isWhole = one.remaining.amount === one.amount.amount;
    const kind = one.kind === "prepayment" ? "prepaid" : "overpaid";
    return {
      path: `/v1/overpayments/${encodeURIComponent(one.xero_id)}`,
      title: `${formats.money(one.remaining)} ${kind} by ${nameOf("contact", one.client_id)}`,
      details: [isWhole ? "" : `of ${formats.money(one.amount)}`, formats.date(one.date), quoted(one.reference)],
      question: one.candidates.length
        ? "Which invoice is it for? Your answer does not change anything in Xero."
        : "It stays as credit in Xero until it is applied to an invoice or refunded there.",
      entity: "contact",
      crm_id: one.client_id,
      answers: [
        ...one.candidates.map((id) => ({ label: capitalise(nameOf("invoice", id)), body: { invoice: id } })),
        { label: "Keep it as credit", body: { acknowledged: true } },
      ],
    };
  });
  return [...unclear, ...overpaid];
}

function quoted(text: string | undefined): string {
  return text ? `“${text}”` : "";
}
