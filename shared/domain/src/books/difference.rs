//! A difference between the open balances of a record, and its reasons.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::CrmId;
use crate::mapping::Mapping;
use crate::money::{Currency, Money};
use crate::operation::OperationState;

/// A record whose open balances differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceDifference {
    /// The kind of record: an invoice, a credit note or an allocation.
    pub entity: EntityKind,
    /// The record in the CRM.
    pub crm_id: CrmId,
    /// The number people know it by.
    pub number: String,
    /// Its open balance in the CRM.
    pub crm: Money,
    /// Its open balance in Xero.
    pub xero: Money,
    /// The reasons. If both balances are in the same currency, their amounts add up to the CRM's
    /// balance minus Xero's.
    pub reasons: Vec<DifferenceReason>,
}

/// A reason for a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceReason {
    /// A stable name of the reason, for programs.
    pub code: DifferenceCode,
    /// Its part of the CRM's balance minus Xero's.
    pub amount: Money,
    /// What it means and what a person can do, in sentences.
    pub message: String,
}

/// Why the open balances of a record differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceCode {
    /// The record is not in Xero yet.
    NotSent,
    /// The newest version of the record is not in Xero yet.
    ChangeNotSent,
    /// Sending the newest version of the record was given up.
    GivenUp,
    /// A user marked the record as never to be sent.
    NeverSend,
    /// The invoice is a draft in Xero, or waits for approval there.
    NotApproved,
    /// The invoice was voided or deleted in Xero.
    GoneInXero,
    /// The totals differ.
    TotalDiffers,
    /// The currencies differ.
    CurrencyDiffers,
    /// A payment of the CRM that the integration writes to Xero is not there yet.
    PaymentNotSent,
    /// A payment that was recorded in the CRM has not been found in Xero, which receives it through
    /// the bank.
    PaymentNotBanked,
    /// A payment in Xero may be one of the CRM's, and a user must decide.
    PaymentUnclear,
    /// A payment has different amounts on the two sides.
    PaymentAmountDiffers,
    /// A payment that was deleted in the CRM is still in Xero.
    PaymentDeleted,
    /// Credit of the note was applied to an invoice, or refunded, that ServiceCortex does not have.
    CreditUsedInXero,
    /// Xero has a change of the invoice that has not been observed.
    ChangeUnread,
    /// None of the other reasons.
    Unexplained,
}

impl DifferenceCode {
    /// What the reason means and what a person can do, in sentences.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::NotSent => "It is not in Xero yet. It will be sent.",
            Self::ChangeNotSent => "Its newest version is not in Xero yet. It will be sent.",
            Self::GivenUp => {
                "It could not be sent to Xero and is not retried. Open the records that need attention and follow the remedy."
            }
            Self::NeverSend => "It is marked Never send. Sync it if it should be in Xero.",
            Self::NotApproved => "It is not approved in Xero. Approve it there.",
            Self::GoneInXero => {
                "It was voided or deleted in Xero. Sync it again to create a new copy there, or \
                 void it in ServiceCortex."
            }
            Self::TotalDiffers => {
                "Its total in Xero is another one: Xero rounds the tax of each line, or the total was changed there. Correct it in ServiceCortex, or in Xero while nothing is paid on it. A cent that stays due after the payment can be credited in Xero."
            }
            Self::CurrencyDiffers => {
                "It has another currency in Xero. Void it there, then sync it again."
            }
            Self::PaymentNotSent => {
                "A payment is not in Xero yet. See the sync log of the payment."
            }
            Self::PaymentNotBanked => {
                "A payment that was recorded in ServiceCortex has not been found in Xero. It is \
                 recognised when it is entered or reconciled there."
            }
            Self::PaymentUnclear => {
                "A payment in Xero may be one that ServiceCortex recorded. Decide whether it is."
            }
            Self::PaymentAmountDiffers => {
                "A payment has different amounts in Xero and in ServiceCortex. Correct one of them."
            }
            Self::PaymentDeleted => {
                "A payment that was deleted in ServiceCortex is still in Xero. Remove it there."
            }
            Self::CreditUsedInXero => {
                "Credit of it was refunded in Xero, or applied there to an invoice that is not in ServiceCortex. Record the same in ServiceCortex, or undo it in Xero."
            }
            Self::ChangeUnread => {
                "It has just changed in Xero. The next comparison includes the change."
            }
            Self::Unexplained => {
                "The reason is unknown. Compare the payments and credits of the invoice in Xero \
                 with those in ServiceCortex."
            }
        }
    }

    /// The reason why Xero does not have a version that was to be sent: `pending` unless sending it
    /// has ended.
    pub(super) const fn of_unsent(mapping: &Mapping, pending: Self) -> Self {
        match mapping.operation.state {
            OperationState::Skipped => Self::GivenUp,
            OperationState::Withheld => Self::NeverSend,
            OperationState::Due
            | OperationState::Claimed { .. }
            | OperationState::Waiting { .. }
            | OperationState::Parked { .. }
            | OperationState::Synced => pending,
        }
    }
}

/// The reasons of one difference, with one entry for each code.
#[derive(Debug)]
pub(super) struct ReasonList {
    currency: Currency,
    reasons: Vec<DifferenceReason>,
}

impl ReasonList {
    pub(super) const fn new(currency: Currency) -> Self {
        Self { currency, reasons: Vec::new() }
    }

    /// Adds an amount to a reason, unless it is zero.
    pub(super) fn add_amount(&mut self, code: DifferenceCode, amount: Decimal) {
        if amount.is_zero() {
            return;
        }
        match self.reasons.iter_mut().find(|reason| reason.code == code) {
            Some(reason) => reason.amount.amount = reason.amount.amount.saturating_add(amount),
            None => self.reasons.push(DifferenceReason {
                code,
                amount: Money::new(amount, self.currency).in_cents(),
                message: code.explanation().to_owned(),
            }),
        }
    }

    /// The sum of the reasons.
    pub(super) fn total_amount(&self) -> Decimal {
        let amounts = self.reasons.iter().map(|reason| reason.amount.amount);
        amounts.fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// The reasons whose amounts are not zero.
    pub(super) fn into_reasons(self) -> Vec<DifferenceReason> {
        self.reasons.into_iter().filter(|reason| !reason.amount.amount.is_zero()).collect()
    }
}
