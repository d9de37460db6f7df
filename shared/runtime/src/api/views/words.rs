//! The words of the API. Each type names the words of one field; later releases may add words, so
//! callers show a word that they do not know as it is.

use domain::books::DifferenceCode;
use domain::connection::ConnectionStatus;
use domain::crm::payment::{PaymentMethod, PaymentRecordStatus};
use domain::document::contact::PhoneType;
use domain::document::invoice::CreditKind;
use domain::entity::EntityKind;
use domain::failure::{FailureClass, ResponsibleParty};
use domain::matching::MatchEvidence;
use domain::operation::AttentionReason;
use domain::surplus::SurplusKind;
use domain::sync_log::{LogStatus, LoggedOperation};
use engine::commands::setup::{SetupState, SetupTask};
use engine::commands::views::RecordState as EngineRecordState;
use serde::Serialize;
use utoipa::ToSchema;

/// Declares words that are the variants of a type of the engine, so that a variant without a word
/// does not compile.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident of $source:ident { $($word:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($word),*
        }

        impl From<$source> for $name {
            fn from(source: $source) -> Self {
                match source {
                    $($source::$word => Self::$word),*
                }
            }
        }
    };
}

words! {
    /// A kind of record. `contact` is a client, `payment` is one part of a payment.
    RecordKind of EntityKind { Contact, Invoice, CreditNote, Allocation, Payment }
}

words! {
    /// The state of a record's sync: `queued` and `syncing` end by themselves, `waiting` is tried
    /// again, `parked` waits for another record or a reconnect, `synced` is in Xero, `skipped` was
    /// given up, and `never_send` was withheld by a person.
    RecordState of EngineRecordState { Queued, Syncing, Waiting, Parked, Synced, Skipped, NeverSend }
}

words! {
    /// What a failure means: `rejected`, `untranslatable` and `unauthorized` need a person,
    /// `defect` needs support, and all others end by themselves.
    FailureKind of FailureClass {
        Transient, Uncertain, Throttled, Unauthorized, Rejected, Blocked, Untranslatable, Defect
    }
}

words! {
    /// Who must act on a failure: a `user` of the CRM, the `bookkeeper`, who corrects something in
    /// Xero, `support`, or `nobody`, because it ends by itself.
    ResponsibleWord of ResponsibleParty { User, Bookkeeper, Support, Nobody }
}

words! {
    /// The status of a connection.
    ConnectionWord of ConnectionStatus {
        Active, Pending, TokenExpired, OrganisationUnavailable, Error, Disconnected
    }
}

words! {
    /// The outcome of an attempt.
    LogOutcome of LogStatus { Synced, Unchanged, Retrying, Waiting, Skipped }
}

words! {
    /// What an attempt did in Xero. `push` ended before any of the others.
    LogAction of LoggedOperation {
        Create, Update, Void, Adopt, Push, Import, Receive, Link, Withhold
    }
}

words! {
    /// A value that a client and a contact have in common.
    MatchCriterion of MatchEvidence {
        Number, VatNumber, CompanyNumber, Email, Name, Phone, Address
    }
}

words! {
    /// Why the open balances of a record differ: `not_sent`, `change_not_sent`, `payment_not_sent`,
    /// `payment_not_banked` and `change_unread` end by themselves, all others need a person.
    DifferenceWord of DifferenceCode {
        NotSent, ChangeNotSent, GivenUp, NeverSend, NotApproved, GoneInXero, TotalDiffers,
        CurrencyDiffers, PaymentNotSent, PaymentNotBanked, PaymentUnclear, PaymentAmountDiffers,
        PaymentDeleted, CreditUsedInXero, ChangeUnread, Unexplained
    }
}

words! {
    /// How a payment was made.
    PaymentKind of PaymentMethod { Stripe, GiftCard, Cash, Cheque, BankTransfer, Card }
}

words! {
    /// Whether a payment is in effect in the CRM.
    PaymentStanding of PaymentRecordStatus { Recorded, Deleted }
}

words! {
    /// A kind of credit that reduces an invoice.
    CreditWord of CreditKind { CreditNote, Overpayment, Prepayment }
}

words! {
    /// Why a record is listed: it was given up, its last attempt failed and will be repeated, or it
    /// waits for a limit, a reconnect or another record and needs no action.
    AttentionWord of AttentionReason { Failing, GivenUp, Waiting }
}

words! {
    /// A telephone number of a contact.
    PhoneKind of PhoneType { Default, Mobile }
}

words! {
    /// A task of the set-up.
    SetupTaskWord of SetupTask { Organisation, Accounts, TaxRates, Clients, FirstSync }
}

words! {
    /// The state of a task: nothing is left to do, a person has to do it, or it cannot be done
    /// before the organisation is connected and read.
    SetupStateWord of SetupState { Done, ToDo, Blocked }
}

words! {
    /// A kind of money that no invoice has used up: `overpayment` is money paid in excess of what
    /// was due, `prepayment` money paid in advance.
    SurplusWord of SurplusKind { Overpayment, Prepayment }
}

/// The progress of work that a person started: `none` was started yet, or it is `running`, `done`
/// or `stopped` for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProgressWord {
    None,
    Running,
    Done,
    Stopped,
}
