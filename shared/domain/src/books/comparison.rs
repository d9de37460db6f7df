//! A comparison of all records of a ledger, page by page, and its result.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{BalanceDifference, ComparedRecord};
use crate::entity::EntityKind;
use crate::ids::Ledger;
use crate::money::Money;

/// The maximum number of differences that a result lists. It counts all of them.
pub const DIFFERENCES_MAX: usize = 50;
/// The maximum number of currencies of a result. Xero supports fewer. A record in a further one
/// counts as not compared.
pub const CURRENCIES_MAX: usize = 200;

/// The comparison of a ledger's books. One row, which the daily verification writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BooksComparison {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The comparison in progress, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningComparison>,
    /// The newest result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<CompletedComparison>,
}

/// A comparison in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningComparison {
    /// When the verification that it follows was completed. It identifies the comparison.
    pub verified_at: Timestamp,
    /// The kind of record that is read: first invoices, then credit notes, then allocations.
    pub kind: EntityKind,
    /// The sort key of the last record that was read; `None` at the beginning of a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The result so far.
    pub tally: BooksTally,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedComparison {
    /// When all open invoices had been read from Xero for the comparison.
    pub verified_at: Timestamp,
    /// When the comparison was completed.
    pub compared_at: Timestamp,
    /// The result.
    pub tally: BooksTally,
}

/// Sums and differences of the records that were compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BooksTally {
    /// The number of invoices that were compared.
    pub invoices: u64,
    /// The number of records that could not be compared, because their rows cannot be read.
    pub not_compared: u64,
    /// The open balances, one for each currency, in the order of their codes.
    pub balances: Vec<OpenBalance>,
    /// The number of records whose balances differ.
    pub difference_count: u64,
    /// The first of them, at most [`DIFFERENCES_MAX`].
    pub differences: Vec<BalanceDifference>,
}

/// The sums of the open balances in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBalance {
    /// In the CRM.
    pub crm: Money,
    /// In Xero.
    pub xero: Money,
}

impl BooksComparison {
    /// The books of a ledger that were never compared.
    pub const fn new(ledger: Ledger) -> Self {
        Self { ledger, running: None, newest: None }
    }

    /// The comparison that follows a verification: the one in progress, or a new one. `None` if it
    /// is complete.
    pub fn resume_after(&self, verified_at: Timestamp) -> Option<RunningComparison> {
        if self.newest.as_ref().is_some_and(|newest| newest.verified_at == verified_at) {
            return None;
        }
        let running = self.running.clone().filter(|running| running.verified_at == verified_at);
        Some(running.unwrap_or_else(|| RunningComparison::new(verified_at)))
    }

    /// The books with a comparison in progress.
    #[must_use]
    pub fn with_running(self, running: RunningComparison) -> Self {
        Self { running: Some(running), ..self }
    }

    /// The books with a comparison that is complete now.
    #[must_use]
    pub fn with_completed(self, running: RunningComparison, now: Timestamp) -> Self {
        let RunningComparison { verified_at, kind: _, after: _, tally } = running;
        let newest = Some(CompletedComparison { verified_at, compared_at: now, tally });
        Self { running: None, newest, ..self }
    }
}

impl RunningComparison {
    fn new(verified_at: Timestamp) -> Self {
        let tally = BooksTally::default();
        Self { verified_at, kind: EntityKind::Invoice, after: None, tally }
    }

    /// Advances to the page after `next`, or to the next kind without one. Returns whether the
    /// comparison is complete.
    pub fn advance_after(&mut self, next: Option<String>) -> bool {
        let is_last = next.is_none();
        self.after = next;
        if !is_last {
            return false;
        }
        self.kind = match self.kind {
            EntityKind::Invoice => EntityKind::CreditNote,
            EntityKind::CreditNote => EntityKind::Allocation,
            EntityKind::Allocation | EntityKind::Contact | EntityKind::Payment => return true,
        };
        false
    }
}

impl BooksTally {
    /// Whether the books are equal: every record was compared, and none differs.
    pub const fn is_equal(&self) -> bool {
        self.difference_count == 0 && self.not_compared == 0
    }

    /// Whether there was nothing to compare.
    pub const fn is_empty(&self) -> bool {
        self.invoices == 0 && self.not_compared == 0 && self.difference_count == 0
    }

    /// Adds a record of a kind, or counts it if it could not be compared.
    pub fn add_record(&mut self, kind: EntityKind, compared: Option<ComparedRecord>) {
        let Some(compared) = compared.filter(|compared| self.has_room_for(compared)) else {
            self.count_uncompared(1);
            return;
        };
        self.add_balance(compared.crm, |sums| &mut sums.crm);
        self.add_balance(compared.xero, |sums| &mut sums.xero);
        if kind == EntityKind::Invoice {
            self.invoices = self.invoices.saturating_add(1);
        }
        let Some(difference) = compared.difference else { return };
        self.difference_count = self.difference_count.saturating_add(1);
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }

    /// Counts records that could not be compared.
    pub fn count_uncompared(&mut self, records: usize) {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        self.not_compared = self.not_compared.saturating_add(records);
    }

    /// Whether the record's currencies fit into the result.
    fn has_room_for(&self, compared: &ComparedRecord) -> bool {
        let is_known = |money: Money| {
            money.amount.is_zero()
                || self.balances.iter().any(|sums| sums.crm.currency == money.currency)
        };
        // A record adds at most two currencies.
        self.balances.len().saturating_add(2) <= CURRENCIES_MAX
            || (is_known(compared.crm) && is_known(compared.xero))
    }

    /// Adds a balance to the sum of one side. A balance of zero adds no currency.
    fn add_balance(&mut self, balance: Money, side: impl Fn(&mut OpenBalance) -> &mut Money) {
        if balance.amount.is_zero() {
            return;
        }
        let code = balance.currency;
        let found = self.balances.binary_search_by_key(&code, |sums| sums.crm.currency);
        let place = found.unwrap_or_else(|place| {
            let zero = Money::new(Decimal::ZERO, code).in_cents();
            self.balances.insert(place, OpenBalance { crm: zero, xero: zero });
            place
        });
        if let Some(sums) = self.balances.get_mut(place) {
            let sum = side(sums);
            sum.amount = sum.amount.saturating_add(balance.amount);
        }
    }
}
