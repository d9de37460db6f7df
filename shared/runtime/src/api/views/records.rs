//! Records, payments and failures in responses.

use domain::failure::Failure;
use domain::mapping::DocumentAmounts;
use domain::money::Money;
use engine::commands::links::XeroPages;
use engine::commands::{payments, status, views};
use jiff::Timestamp;
use jiff::civil::Date;
use requests::RecordKind;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::contacts::LinkedContactView;
use super::words::{CreditWord, FailureKind, RecordState};

/// One record of the CRM and its counterpart in Xero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordView {
    /// The record in the CRM.
    pub(crate) crm_id: String,
    /// Its kind.
    pub(crate) entity: RecordKind,
    /// The number that people know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    /// The state of its sync.
    pub(crate) state: RecordState,
    /// The newest revision received.
    pub(crate) revision: u64,
    /// The revision that Xero has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) synced_revision: Option<u64>,
    /// The id of its counterpart in Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_id: Option<Uuid>,
    /// Its number in Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_number: Option<String>,
    /// The page in Xero that shows it, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_url: Option<String>,
    /// Status and amounts in Xero, for invoices and credit notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amounts: Option<AmountsView>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureView>,
    /// Earlier counterparts in Xero that were voided or deleted there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier_xero_ids: Vec<Uuid>,
    /// The user who marked it as never to be sent, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) withheld_by: Option<String>,
    /// When that user marked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) withheld_at: Option<Timestamp>,
    /// For a client, the contact to which it is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<LinkedContactView>,
}

impl RecordView {
    /// A record whose page is one of these pages.
    pub(crate) fn of_record(view: views::RecordView, pages: &XeroPages) -> Self {
        let (withheld_by, withheld_at) =
            view.withheld.map(|mark| (mark.by.to_string(), mark.at)).unzip();
        Self {
            crm_id: view.crm_id.to_string(),
            entity: view.entity.into(),
            number: view.number,
            state: view.state.into(),
            revision: view.revision,
            synced_revision: view.synced_revision,
            xero_id: view.xero_id.map(|id| id.0),
            xero_number: view.xero_number,
            xero_url: view.xero_url.map(|url| pages.open_in_organisation(&url)),
            amounts: view.amounts.map(AmountsView::from),
            next_attempt_at: view.next_attempt_at,
            failure: view.failure.map(FailureView::from),
            earlier_xero_ids: view.earlier_xero_ids.into_iter().map(|id| id.0).collect(),
            withheld_by,
            withheld_at,
            contact: view.contact.map(|contact| LinkedContactView::of_contact(contact, pages)),
        }
    }
}

/// A failed attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// What it means.
    pub(crate) class: FailureKind,
    /// A stable name of the cause, such as `account_code_unknown`.
    pub(crate) code: String,
    /// What happened, as a sentence.
    pub(crate) message: String,
    /// What a person can do. Empty if the failure only needs time.
    pub(crate) remedy: String,
    /// No attempt is made before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<Timestamp>,
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        // The cause decides how records are retried, and is not for callers.
        let Failure { class, cause: _, code, message, remedy, not_before } = failure;
        Self { class: class.into(), code: code.into_owned(), message, remedy, not_before }
    }
}

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MoneyView {
    /// The amount in whole units of the currency, as decimal text such as `120.00`.
    pub(crate) amount: String,
    /// The currency, such as `GBP`.
    pub(crate) currency: String,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self { amount: money.amount.to_string(), currency: money.currency.to_string() }
    }
}

/// The status and the amounts of an invoice or a credit note in Xero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AmountsView {
    /// Xero's status, such as `AUTHORISED`.
    pub(crate) status: String,
    /// The total in the CRM.
    pub(crate) crm_total: MoneyView,
    /// The total in Xero.
    pub(crate) xero_total: MoneyView,
    /// What is due or, for a credit note, left to apply.
    pub(crate) amount_due: MoneyView,
    /// What was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount_paid: Option<MoneyView>,
    /// What was credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount_credited: Option<MoneyView>,
    /// The credits that were applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) credits: Vec<CreditView>,
    /// When payment is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_date: Option<Date>,
    /// When it was fully paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paid_on: Option<Date>,
}

/// A credit that was applied to an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditView {
    /// The kind of credit.
    pub(crate) kind: CreditWord,
    /// Its number, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    /// The amount that was applied, as decimal text.
    pub(crate) amount: String,
}

impl From<DocumentAmounts> for AmountsView {
    fn from(amounts: DocumentAmounts) -> Self {
        let credits = amounts.credits.into_iter().map(|credit| CreditView {
            kind: credit.kind.into(),
            number: credit.number,
            amount: credit.amount.to_string(),
        });
        Self {
            status: amounts.status.as_str().to_owned(),
            crm_total: amounts.crm_total.into(),
            xero_total: amounts.xero_total.into(),
            amount_due: amounts.amount_due.into(),
            amount_paid: amounts.amount_paid.map(MoneyView::from),
            amount_credited: amounts.amount_credited.map(MoneyView::from),
            credits: credits.collect(),
            due_date: amounts.due_date,
            paid_on: amounts.paid_on,
        }
    }
}

/// A payment of the CRM. Each part is one record in Xero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentView {
    /// The payment.
    pub(crate) payment_id: String,
    /// Its parts, each with its state.
    pub(crate) parts: Vec<RecordView>,
}

impl PaymentView {
    /// A payment whose parts have their pages among these.
    pub(crate) fn of_payment(view: payments::PaymentView, pages: &XeroPages) -> Self {
        let parts = view.parts.into_iter().map(|part| RecordView::of_record(part, pages));
        Self { payment_id: view.payment_id.to_string(), parts: parts.collect() }
    }
}

/// The newest failure of a record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemView {
    /// The record, with its kind, its state and the next attempt.
    pub(crate) record: RecordView,
    /// A stable name of the cause.
    pub(crate) code: String,
    /// What happened, as a sentence.
    pub(crate) message: String,
    /// What a person can do. Empty if the failure only needs time.
    pub(crate) remedy: String,
    /// When it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed_at: Option<Timestamp>,
    /// The page in Xero that shows the record, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_url: Option<String>,
}

impl ProblemView {
    /// A problem of a record whose page is one of these pages.
    pub(crate) fn of_problem(view: status::ProblemView, pages: &XeroPages) -> Self {
        let status::FailureView { code, message, remedy } = view.failure;
        Self {
            record: RecordView::of_record(view.record, pages),
            code,
            message,
            remedy,
            failed_at: view.failed_at,
            xero_url: view.xero_url.map(|url| pages.open_in_organisation(&url)),
        }
    }
}
