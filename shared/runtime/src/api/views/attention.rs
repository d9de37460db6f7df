//! Records that need a person, in responses.

use domain::operation::AttentionReason;
use engine::commands::attention::{
    AttentionGroup, AttentionList, AttentionRecord, BulkOutcome, NamedRecord, UnclearPayment,
};
use engine::commands::links::XeroPages;
use jiff::Timestamp;
use requests::RecordKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::payments::ReceivedPaymentView;
use super::records::RecordView;
use super::surpluses::SurplusView;
use super::words::{AttentionWord, FailureKind, ResponsibleWord};

/// A page of the records that need attention, by cause.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttentionView {
    /// Why these records need attention.
    pub(crate) state: AttentionWord,
    /// The number of records on all pages.
    pub(crate) count: u32,
    /// The causes, the newest failure first.
    pub(crate) groups: Vec<AttentionGroupView>,
    /// The cursor of the next page, on which a cause may continue. Without it, there are no more
    /// records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// Payments in Xero that a person must decide about. Only on the first page.
    pub(crate) unclear: Vec<UnclearPaymentView>,
    /// Overpayments and prepayments in Xero that a person must decide about. Only on the first
    /// page.
    pub(crate) overpaid: Vec<SurplusView>,
}

/// A payment in Xero that may be one of the CRM's. The answer is sent to the payment's address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnclearPaymentView {
    /// The invoice in the CRM.
    pub(crate) invoice_id: String,
    /// The payment, with its candidates.
    pub(crate) payment: ReceivedPaymentView,
}

/// Records that failed for the same cause.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttentionGroupView {
    /// What the failure means.
    pub(crate) class: FailureKind,
    /// A stable name of the cause, such as `account_code_unknown`.
    pub(crate) code: String,
    /// What happened, as a sentence about the newest of the records.
    pub(crate) message: String,
    /// What a person can do. Empty if the failure only needs time.
    pub(crate) remedy: String,
    /// Who must act.
    pub(crate) responsible: ResponsibleWord,
    /// The records.
    pub(crate) records: Vec<AttentionRecordView>,
}

/// A record that needs attention.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttentionRecordView {
    /// The record, with its own failure.
    pub(crate) record: RecordView,
    /// The number that people know it by.
    pub(crate) number: String,
    /// When its last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed_at: Option<Timestamp>,
    /// The number of counted attempts that failed.
    pub(crate) failures: u8,
}

impl AttentionView {
    /// A page of the records that need attention for this reason.
    pub(crate) fn of_list(reason: AttentionReason, list: AttentionList, pages: &XeroPages) -> Self {
        let groups = list.groups.into_iter();
        let groups =
            groups.map(|group| AttentionGroupView::of_group(reason, group, pages)).collect();
        let unclear = list.unclear.into_iter().map(UnclearPaymentView::from).collect();
        let overpaid = list.overpaid.into_iter().map(SurplusView::from).collect();
        Self { state: reason.into(), count: list.count, groups, next: list.next, unclear, overpaid }
    }
}

impl From<UnclearPayment> for UnclearPaymentView {
    fn from(unclear: UnclearPayment) -> Self {
        let UnclearPayment { invoice, payment } = unclear;
        Self { invoice_id: invoice.to_string(), payment: payment.into() }
    }
}

impl AttentionGroupView {
    fn of_group(reason: AttentionReason, group: AttentionGroup, pages: &XeroPages) -> Self {
        let AttentionGroup { failure, records } = group;
        let responsible = match reason {
            AttentionReason::GivenUp => failure.find_responsible_party_once_given_up(),
            AttentionReason::Failing | AttentionReason::Waiting => failure.find_responsible_party(),
        };
        let records = records.into_iter();
        Self {
            class: failure.class.into(),
            code: failure.code.into_owned(),
            message: failure.message,
            remedy: failure.remedy,
            responsible: responsible.into(),
            records: records.map(|one| AttentionRecordView::of_record(one, pages)).collect(),
        }
    }
}

impl AttentionRecordView {
    fn of_record(one: AttentionRecord, pages: &XeroPages) -> Self {
        let AttentionRecord { record, number, failed_at, failures } = one;
        let record = RecordView::of_record(record, pages);
        Self { record, number, failed_at, failures }
    }
}

/// The result of a request about several records.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkOutcomeView {
    /// Records to which it was applied.
    pub(crate) done: Vec<NamedRecordView>,
    /// Records that are being sent at this moment. Try them again in a minute or two.
    pub(crate) being_sent: Vec<NamedRecordView>,
    /// Records that did not need it any more, or that are unknown.
    pub(crate) not_needed: Vec<NamedRecordView>,
}

/// A record by its kind and id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NamedRecordView {
    /// Its kind.
    pub(crate) entity: RecordKind,
    /// Its id.
    pub(crate) crm_id: String,
}

impl From<BulkOutcome> for BulkOutcomeView {
    fn from(outcome: BulkOutcome) -> Self {
        let named =
            |records: Vec<NamedRecord>| records.into_iter().map(NamedRecordView::from).collect();
        Self {
            done: named(outcome.done),
            being_sent: named(outcome.being_sent),
            not_needed: named(outcome.not_needed),
        }
    }
}

impl From<NamedRecord> for NamedRecordView {
    fn from(record: NamedRecord) -> Self {
        Self { entity: record.kind.into(), crm_id: record.crm_id.to_string() }
    }
}
