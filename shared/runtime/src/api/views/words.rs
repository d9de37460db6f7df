//! The words of the API. Each type names the words of one field; later releases may add words, so
//! callers show a word that they do not know as it is.

use domain::books::DifferenceCode;
use domain::connection::ConnectionStatus;
use domain::crm::payment::{PaymentMethod, PaymentRecordStatus};
use domain::document::contact::PhoneType;
use domain::document::invoice::CreditKind;
use domain::failure::{FailureClass, ResponsibleParty};
use domain::operation::AttentionReason;
use domain::surplus::SurplusKind;
use domain::sync_log::{LogStatus, LoggedOperation};
use engine::commands::setup::{SetupState, SetupTask};
use engine::commands::views::RecordState as EngineRecordState;
use requests::declare_words;
use serde::Serialize;
use utoipa::ToSchema;

declare_words! {
    /// The state of a record's sync: `queued` and `syncing` end by themselves, `waiting` is tried
    /// again, `parked` waits for another record or a reconnect, `synced` is in Xero, `skipped` was
    /// given up, and `never_send` was withheld by a person.
    pub(crate) RecordState of EngineRecordState {
        Queued, Syncing, Waiting, Parked, Synced, Skipped, NeverSend
    }
}

declare_words! {
    /// What a failure means: `rejected`, `untranslatable` and `unauthorized` need a person,
    /// `defect` needs support, and all others end by themselves.
    pub(crate) FailureKind of FailureClass {
        Transient, Uncertain, Throttled, Unauthorized, Rejected, Blocked, Untranslatable, Defect
    }
}

declare_words! {
    /// Who must act on a failure: a `user` of the CRM, the `bookkeeper`, who corrects something in
    /// Xero, `support`, or `nobody`, because it ends by itself.
    pub(crate) ResponsibleWord of ResponsibleParty { User, Bookkeeper, Support, Nobody }
}

declare_words! {
    /// The status of a connection.
    pub(crate) ConnectionWord of ConnectionStatus {
        Active, Pending, TokenExpired, OrganisationUnavailable, Error, Disconnected
    }
}

declare_words! {
    /// The outcome of an attempt.
    pub(crate) LogOutcome of LogStatus { Synced, Unchanged, Retrying, Waiting, Skipped }
}

declare_words! {
    /// What an attempt did in Xero. `push` ended before any of the others.
    pub(crate) LogAction of LoggedOperation {
        Create, Update, Void, Adopt, Push, Import, Receive, Link, Withhold
    }
}

declare_words! {
    /// Why the open balances of a record differ: `not_sent`, `change_not_sent`, `payment_not_sent`,
    /// `payment_not_banked` and `change_unread` end by themselves, all others need a person.
    pub(crate) DifferenceWord of DifferenceCode {
        NotSent, ChangeNotSent, GivenUp, NeverSend, NotApproved, GoneInXero, TotalDiffers,
        CurrencyDiffers, PaymentNotSent, PaymentNotBanked, PaymentUnclear, PaymentAmountDiffers,
        PaymentDeleted, CreditUsedInXero, ChangeUnread, Unexplained
    }
}

declare_words! {
    /// How a payment was made.
    pub(crate) PaymentKind of PaymentMethod { Stripe, GiftCard, Cash, Cheque, BankTransfer, Card }
}

declare_words! {
    /// Whether a payment is in effect in the CRM.
    pub(crate) PaymentStanding of PaymentRecordStatus { Recorded, Deleted }
}

declare_words! {
    /// A kind of credit that reduces an invoice.
    pub(crate) CreditWord of CreditKind { CreditNote, Overpayment, Prepayment }
}

declare_words! {
    /// Why a record is listed: it was given up, its last attempt failed and will be repeated, or it
    /// waits for a limit, a reconnect or another record and needs no action.
    pub(crate) AttentionWord of AttentionReason { Failing, GivenUp, Waiting }
}

declare_words! {
    /// A telephone number of a contact.
    pub(crate) PhoneKind of PhoneType { Default, Mobile }
}

declare_words! {
    /// A task of the set-up.
    pub(crate) SetupTaskWord of SetupTask { Organisation, Accounts, TaxRates, Clients, FirstSync }
}

declare_words! {
    /// The state of a task: nothing is left to do, a person has to do it, or it cannot be done
    /// before the organisation is connected and read.
    pub(crate) SetupStateWord of SetupState { Done, ToDo, Blocked }
}

declare_words! {
    /// A kind of money that no invoice has used up: `overpayment` is money paid in excess of what
    /// was due, `prepayment` money paid in advance.
    pub(crate) SurplusWord of SurplusKind { Overpayment, Prepayment }
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
