//! The comparison of the books in responses.

use domain::books::{
    BalanceDifference, BooksComparison, CompletedComparison, DifferenceReason, OpenBalance,
};
use jiff::Timestamp;
use requests::RecordKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::records::MoneyView;
use super::words::DifferenceWord;

/// Whether the books agree.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BooksView {
    /// The newest comparison. Absent before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comparison: Option<ComparisonView>,
    /// Whether a further comparison is in progress.
    pub(crate) is_running: bool,
}

/// A comparison of the open balances of all invoices, credit notes and allocations in the CRM with
/// those in Xero. How much of a credit note is left is not part of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparisonView {
    /// Whether the books are equal: every record was compared, and none differs.
    pub(crate) is_equal: bool,
    /// When the invoices had been read from Xero.
    pub(crate) verified_at: Timestamp,
    /// When the comparison was completed.
    pub(crate) compared_at: Timestamp,
    /// The number of invoices that were compared.
    pub(crate) invoices: u64,
    /// The number of records that could not be compared. Support can find out why.
    pub(crate) not_compared: u64,
    /// The open balances, one for each currency.
    pub(crate) balances: Vec<OpenBalanceView>,
    /// The number of records whose balances differ.
    pub(crate) difference_count: u64,
    /// The first 50 of them.
    pub(crate) differences: Vec<BalanceDifferenceView>,
}

/// The sums of the open balances in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenBalanceView {
    /// In the CRM.
    pub(crate) crm: MoneyView,
    /// In Xero.
    pub(crate) xero: MoneyView,
}

/// A record whose open balances differ. Balances of credit are negative.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BalanceDifferenceView {
    /// The kind of record: `invoice`, `credit_note` or `allocation`.
    pub(crate) entity: RecordKind,
    /// Its id.
    pub(crate) crm_id: String,
    /// The number people know it by.
    pub(crate) number: String,
    /// The open balance in the CRM.
    pub(crate) crm: MoneyView,
    /// The open balance in Xero.
    pub(crate) xero: MoneyView,
    /// The reasons. In one currency, their amounts add up to the CRM's balance minus Xero's.
    pub(crate) reasons: Vec<DifferenceReasonView>,
}

/// A reason for a difference.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceReasonView {
    /// The reason.
    pub(crate) code: DifferenceWord,
    /// Its part of the CRM's balance minus Xero's.
    pub(crate) amount: MoneyView,
    /// What it means and what a person can do.
    pub(crate) message: String,
}

impl From<Option<BooksComparison>> for BooksView {
    fn from(books: Option<BooksComparison>) -> Self {
        let (newest, running) = books.map_or((None, None), |books| (books.newest, books.running));
        Self { comparison: newest.map(ComparisonView::from), is_running: running.is_some() }
    }
}

impl From<CompletedComparison> for ComparisonView {
    fn from(completed: CompletedComparison) -> Self {
        let CompletedComparison { verified_at, compared_at, tally } = completed;
        Self {
            is_equal: tally.is_equal(),
            verified_at,
            compared_at,
            invoices: tally.invoices,
            not_compared: tally.not_compared,
            balances: tally.balances.into_iter().map(OpenBalanceView::from).collect(),
            difference_count: tally.difference_count,
            differences: tally.differences.into_iter().map(BalanceDifferenceView::from).collect(),
        }
    }
}

impl From<OpenBalance> for OpenBalanceView {
    fn from(balance: OpenBalance) -> Self {
        Self { crm: balance.crm.into(), xero: balance.xero.into() }
    }
}

impl From<BalanceDifference> for BalanceDifferenceView {
    fn from(difference: BalanceDifference) -> Self {
        Self {
            entity: difference.entity.into(),
            crm_id: difference.crm_id.to_string(),
            number: difference.number,
            crm: difference.crm.into(),
            xero: difference.xero.into(),
            reasons: difference.reasons.into_iter().map(DifferenceReasonView::from).collect(),
        }
    }
}

impl From<DifferenceReason> for DifferenceReasonView {
    fn from(reason: DifferenceReason) -> Self {
        Self { code: reason.code.into(), amount: reason.amount.into(), message: reason.message }
    }
}
