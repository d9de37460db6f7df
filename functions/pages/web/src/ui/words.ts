/** The words for the values of the API. An unknown value is shown as it is. */
import type { EntityKind, LogStatus, MatchEvidence, RecordState } from "../api/shapes.js";

export type Tone = "good" | "info" | "warn" | "bad" | "quiet";

const KINDS: Record<EntityKind, string> = {
  contact: "client",
  invoice: "invoice",
  credit_note: "credit note",
  allocation: "credit allocation",
  payment: "payment",
};

/** The noun for a kind, in the words of the CRM. */
export function kindWord(kind: EntityKind): string {
  return KINDS[kind] ?? String(kind).replaceAll("_", " ");
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The noun of a kind, and the number or id of a record. */
export function recordName(record: { entity: EntityKind; crm_id: string; number?: string }): string {
  return `${capitalise(kindWord(record.entity))} ${record.number ?? record.crm_id}`;
}

const COLLECTIONS: Record<EntityKind, string> = {
  contact: "clients",
  invoice: "invoices",
  credit_note: "credit-notes",
  allocation: "allocations",
  payment: "payments",
};

/** What the API adds to the id of an invoice with a negative total, which is a credit note in Xero. */
const CREDIT = "~credit";

/** The id of the payment to which a part belongs; any other id as it is. */
function wholeId(entity: EntityKind, id: string): string {
  return entity === "payment" ? id.replace(/\.[^.]*$/, "") : id;
}

/** The path of a record in the API. A part of a payment is under its payment. */
export function recordPath(entity: EntityKind, id: string): string {
  return `/v1/${COLLECTIONS[entity]}/${encodeURIComponent(wholeId(entity, id))}`;
}

/** The kind and the id that a record has in the CRM. */
export function recordInCrm(entity: EntityKind, id: string): [EntityKind, string] {
  return entity === "credit_note" && id.endsWith(CREDIT)
    ? ["invoice", id.slice(0, -CREDIT.length)]
    : [entity, wholeId(entity, id)];
}

export const RECORD_STATES: Record<RecordState, { word: string; tone: Tone; says: string }> = {
  queued: { word: "Queued", tone: "info", says: "It will be sent to Xero in a moment." },
  syncing: { word: "Syncing", tone: "info", says: "It is being sent to Xero now." },
  waiting: { word: "Will retry", tone: "warn", says: "The last attempt failed. It will be retried automatically." },
  parked: { word: "Waiting", tone: "info", says: "It is waiting for another record or for the connection, and will continue automatically." },
  synced: { word: "In Xero", tone: "good", says: "Xero has the latest version." },
  skipped: { word: "Skipped", tone: "bad", says: "It could not be synced and will not be sent again until someone acts." },
  never_send: { word: "Never sent", tone: "quiet", says: "It is kept out of Xero." },
};

export const LOG_STATES: Record<LogStatus, { word: string; tone: Tone }> = {
  synced: { word: "Synced", tone: "good" },
  unchanged: { word: "Unchanged", tone: "quiet" },
  retrying: { word: "Will retry", tone: "warn" },
  waiting: { word: "Waiting", tone: "info" },
  skipped: { word: "Skipped", tone: "bad" },
};

const OPERATIONS: Record<string, string> = { adopt: "Match", push: "Send", withhold: "Never send" };

/** What an entry of the log is about, such as Create, Update or Void. */
export function operationWord(operation: string): string {
  return OPERATIONS[operation] ?? capitalise(operation);
}

const EVIDENCE: Record<MatchEvidence, string> = {
  number: "contact number",
  vat_number: "VAT number",
  company_number: "company number",
  email: "e-mail address",
  name: "name",
  phone: "telephone number",
  address: "postal address",
};

export function evidenceWord(by: MatchEvidence): string {
  return EVIDENCE[by] ?? String(by).replaceAll("_", " ");
}

/** "same e-mail address, same name". */
export function evidenceList(by: MatchEvidence[]): string {
  return by.map((one) => `same ${evidenceWord(one)}`).join(", ");
}

export const DOCUMENT_STATES: Record<string, { word: string; tone: Tone; says: string }> = {
  DRAFT: { word: "Draft", tone: "info", says: "Created in Xero, not approved yet" },
  SUBMITTED: { word: "Awaiting approval", tone: "info", says: "Waiting for approval in Xero" },
  AUTHORISED: { word: "Awaiting payment", tone: "info", says: "Approved, awaiting payment" },
  PAID: { word: "Paid", tone: "good", says: "Fully paid" },
  VOIDED: { word: "Voided", tone: "quiet", says: "Voided in Xero" },
  DELETED: { word: "Deleted", tone: "quiet", says: "Deleted in Xero" },
};

const METHODS: Record<string, string> = {
  stripe: "Stripe",
  gift_card: "gift card",
  cash: "cash",
  cheque: "cheque",
  bank_transfer: "bank transfer",
  card: "card terminal",
};

export function methodWord(method: string): string {
  return METHODS[method] ?? method.replaceAll("_", " ");
}

/** Where a failure with this code is resolved. */
export type Place = "accounts" | "contacts" | "connection" | "record";

/** What leads to a place. */
export const PLACES: Record<Place, string> = {
  accounts: "Open account mapping",
  contacts: "Open reconciliation",
  connection: "Open connection",
  record: "",
};

export function placeOf(code: string): Place {
  if (/^(account|tax|default_tracking)_/.test(code)) return "accounts";
  if (code.startsWith("contact_")) return "contacts";
  if (["permission_missing", "reconnect_needed", "not_connected", "organisation_offline", "organisation_unavailable"].includes(code)) {
    return "connection";
  }
  return "record";
}
