/** Short names for the shapes of the API, and the fields that it may add. */
import type { components } from "./types.js";

/** A shape without nulls: the API leaves absent fields out. */
type Present<T> = T extends (infer Item)[]
  ? Present<Item>[]
  : T extends object
    ? { [Name in keyof T]: Present<Exclude<T[Name], null>> }
    : T;
type Schemas = components["schemas"];
type Shape<Name extends keyof Schemas> = Present<Schemas[Name]>;

export type Money = Shape<"MoneyView">;
export type EntityKind = Shape<"RecordKind">;
export type RecordState = Shape<"RecordState">;
export type MatchEvidence = Shape<"MatchCriterion">;
export type Amounts = Shape<"AmountsView">;
export type Completion = Shape<"CompletionView">;
export type BulkOutcome = Shape<"BulkOutcomeView">;
export type AccountCodes = Shape<"AccountCodesView">;
export type FieldProblem = Shape<"FieldProblem">;
export type Problem = Shape<"ProblemDetails">;
export type Reconciliation = Shape<"ReconciliationView">;
export type Activity = Shape<"ActivityView">;
export type LogStatus = Shape<"LogOutcome">;
export type InvoicePayments = Shape<"InvoicePaymentsView">;
export type ReceivedPayment = Shape<"ReceivedPaymentView">;
export type RecordedPayment = Shape<"RecordedPaymentView">;
export type Preview = Shape<"PreviewView">;

/**
 * The fields below the shapes that follow are shown as soon as the API has them. Without them, the
 * elements leave the detail out.
 */
export type Status = Omit<Shape<"StatusView">, "problem"> & {
  problem?: ConnectionProblem;
  /** The page of the organisation in Xero. */
  organisation_url?: string;
  base_currency?: string;
  country?: string;
  is_demo?: boolean;
  ended_by?: string;
  ended_at?: string;
  /** Records that wait for a reconnect, a limit or another record. */
  waiting?: number;
};
export type ConnectionProblem = Omit<Shape<"ProblemView">, "record"> & { record: SyncRecord };
export type SyncRecord = Shape<"RecordView"> & {
  /** The number that people know the record by. */
  number?: string;
  /** Who marked the record as Never send, and when. */
  withheld_by?: string;
  withheld_at?: string;
  /** The contact to which a client is linked. */
  contact?: LinkedContact;
};
export type Contact = Shape<"ContactView"> & { xero_url?: string };
export type LinkedContact = Contact & { linked_by?: string; linked_at?: string; by?: MatchEvidence };
export type Candidate = Shape<"CandidateView"> & { xero_url?: string };
export type Finding = Omit<Shape<"FindingView">, "candidates"> & {
  candidates?: Candidate[];
  /** The contact to which the client is linked now. */
  contact?: Contact;
};
export type AttentionRecord = Omit<Shape<"AttentionRecordView">, "record"> & { record: SyncRecord };
export type AttentionPage = Omit<Shape<"AttentionView">, "groups"> & {
  groups: (Omit<Shape<"AttentionGroupView">, "records"> & { records: AttentionRecord[] })[];
};
export type SyncAll = Shape<"SyncAllView"> & {
  /** The kind that is being processed, and how many records there are in all. */
  entity?: EntityKind;
  total?: number;
};
export type AccountOption = Shape<"AccountView"> & { type?: string };
export type AccountChoices = Omit<Shape<"AccountChoicesView">, "income" | "expense" | "bank" | "gift_card"> & {
  income: AccountOption[];
  expense: AccountOption[];
  bank: AccountOption[];
  gift_card: AccountOption[];
  /** Suggested codes for the fields that have none. */
  suggested?: { [field: string]: string };
  chart_url?: string;
  /** The rates that the CRM's documents use, with what each becomes in Xero. */
  rates_used?: { rate: string; tax_type?: string; candidates?: string[] }[];
};
export type LogEntry = Shape<"LogEntryView"> & {
  remedy?: string;
  next_attempt_at?: string;
  by?: string;
};
export type LogPage = Omit<Shape<"LogPageView">, "entries"> & { entries: LogEntry[] };

/** The progress of a walk over all records or all clients. */
export type WalkState = Shape<"ProgressWord">;

/** Where a walk stands, as far as it has been read. */
export function walkState(walk: { state: WalkState } | undefined): WalkState {
  return walk?.state ?? "none";
}
