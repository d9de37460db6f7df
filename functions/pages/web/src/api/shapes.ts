/** Short names for the shapes of the API. */
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

export type Status = Shape<"StatusView">;
export type ConnectionProblem = Shape<"ProblemView">;
export type SyncRecord = Shape<"RecordView">;
export type Contact = Shape<"ContactView">;
export type LinkedContact = Shape<"LinkedContactView">;
export type Candidate = Shape<"CandidateView">;
export type Finding = Shape<"FindingView">;
export type AttentionRecord = Shape<"AttentionRecordView">;
export type ResponsibleParty = Shape<"ResponsibleWord">;
export type AttentionPage = Shape<"AttentionView">;
export type SyncPreferences = Shape<"SyncPreferencesView">;
export type Books = Shape<"BooksView">;
export type Comparison = Shape<"ComparisonView">;
export type SyncAll = Shape<"SyncAllView">;
export type AccountOption = Shape<"AccountView">;
export type AccountChoices = Shape<"AccountChoicesView">;
export type LogEntry = Shape<"LogEntryView">;
export type LogPage = Shape<"LogPageView">;

/** The progress of a walk over all records or all clients. */
export type WalkState = Shape<"ProgressWord">;

/** Where a walk stands, as far as it has been read. */
export function walkState(walk: { state: WalkState } | undefined): WalkState {
  return walk?.state ?? "none";
}
