//! The messages for people: a sentence about what happened and one about what to do.
//!
//! The reader keeps books and does not know tokens or status codes. The messages quote no answer,
//! except the sentences with which Xero rejects a document.

use domain::failure::{Failure, FailureCause, FailureCode};
use domain::rejection;
use jiff::{SignedDuration, Timestamp};

use super::{AccessMode, OutageKind, RateLimit, XeroError, XeroPermission};
use crate::rate_limiter::NotPermitted;

/// The time after which Xero asks to retry when one organisation is offline.
const ORGANISATION_OFFLINE: SignedDuration = SignedDuration::from_mins(5);

impl XeroError {
    /// The failure as it is stored and shown. `now` is the instant of the answer. If Xero names a
    /// wait, the earliest next attempt is counted from it.
    pub fn to_failure(&self, now: Timestamp) -> Failure {
        if let Self::NoAccessToken { is_answered: _, source } = self {
            return source.failure.clone();
        }
        let failure = if let Self::Rejected { messages } | Self::NotUnique { messages } = self {
            Failure { class: self.failure_class(), ..rejection::explain_rejection(messages) }
        } else {
            let UserMessage { code, message, remedy } = self.user_message();
            Failure::new(self.failure_class(), code, message, remedy)
        };
        match self.requested_wait() {
            Some(wait) => failure.with_not_before(now.checked_add(wait).unwrap_or(Timestamp::MAX)),
            None => failure,
        }
    }

    /// How long Xero asked to wait, if it did.
    fn requested_wait(&self) -> Option<SignedDuration> {
        if let Self::Throttled { retry_after: wait, .. }
        | Self::NotPermitted { source: NotPermitted::Full { wait, .. } } = self
        {
            Some(*wait)
        } else if let Self::Offline { outage: OutageKind::Organisation, .. } = self {
            Some(ORGANISATION_OFFLINE)
        } else {
            None
        }
    }

    fn user_message(&self) -> UserMessage {
        match self {
            Self::Unanswered { access: AccessMode::Read, .. } => SILENT,
            Self::Unanswered { access: AccessMode::Write, .. }
            | Self::Edge { access: AccessMode::Write, status: 200..=299 } => SILENT_ON_WRITE,
            Self::AnswerTooLarge { access: AccessMode::Read, .. } => TOO_LARGE,
            Self::AnswerTooLarge { access: AccessMode::Write, .. } => TOO_LARGE_ON_WRITE,
            Self::NotSent { .. } | Self::Edge { .. } => UNREACHABLE,
            Self::ServerFault { access: AccessMode::Read, .. } => FAULTY,
            Self::ServerFault { access: AccessMode::Write, .. } => FAULTY_ON_WRITE,
            Self::Offline { outage: OutageKind::Organisation, .. } => ORGANISATION_IS_OFFLINE,
            Self::Offline { outage: OutageKind::Maintenance, .. } => MAINTENANCE,
            Self::Offline { outage: OutageKind::Unavailable, .. } => UNAVAILABLE,
            Self::Throttled { limit: RateLimit::Day, .. } => DAY_LIMIT,
            Self::NotPermitted { source } => not_permitted_message(source),
            Self::Throttled {
                limit:
                    RateLimit::Concurrent
                    | RateLimit::Minute
                    | RateLimit::AppMinute
                    | RateLimit::Unknown,
                ..
            } => SHORT_LIMIT,
            Self::NoAccessToken { .. } | Self::TokenRejected { .. } => LOGIN_REJECTED,
            Self::ScopeMissing { permission } => permission_message(*permission),
            Self::TenantRefused => NOT_CONNECTED,
            Self::Forbidden => USER_NOT_PERMITTED,
            Self::GrantRefused => GRANT_REFUSED,
            Self::Rejected { .. } | Self::NotUnique { .. } | Self::Unexplained => UNEXPLAINED,
            Self::KeyReused => KEY_REUSED,
            Self::Unidentified { .. } => UNIDENTIFIED,
            Self::BatchRejected { .. } => BATCH_REJECTED,
            Self::NotFound { .. } => NOT_FOUND,
            Self::Unsendable { .. } => UNSENDABLE,
            Self::CallRefused { .. } => CALL_REFUSED,
            Self::Undecodable { .. } => UNDECODABLE,
            Self::OperatorFault { .. } => OPERATOR_FAULT,
            Self::IdentityUnavailable { .. } | Self::IdentityUnanswered { .. } => LOGIN_UNAVAILABLE,
        }
    }
}

fn not_permitted_message(barred: &NotPermitted) -> UserMessage {
    match barred {
        NotPermitted::Full { limit: RateLimit::Day, .. } => DAY_RESERVED,
        NotPermitted::Full {
            limit:
                RateLimit::Concurrent | RateLimit::Minute | RateLimit::AppMinute | RateLimit::Unknown,
            ..
        } => SPACED,
        NotPermitted::Closed => NOT_CONNECTED,
        NotPermitted::Late => NEXT_TURN,
        NotPermitted::Uncounted { .. } => UNREACHABLE,
    }
}

struct UserMessage {
    /// The cause, if a decision depends on it; otherwise a stable name for people and metrics.
    code: FailureCode,
    /// What happened.
    message: &'static str,
    /// What to do. Empty when no action is needed.
    remedy: &'static str,
}

/// Xero or the network is unavailable. Users cannot do anything about it.
const fn describe_outage(cause: FailureCause, message: &'static str) -> UserMessage {
    UserMessage { code: FailureCode::Cause(cause), message, remedy: "" }
}

const CONTACT_SUPPORT: &str =
    "This is a fault in the integration, not in your books. If this persists, contact support.";

const UNREACHABLE: UserMessage =
    describe_outage(FailureCause::XeroUnreachable, "Xero could not be reached.");

const SILENT: UserMessage = describe_outage(FailureCause::XeroSilent, "Xero did not respond.");

const SILENT_ON_WRITE: UserMessage = UserMessage {
    code: FailureCode::Cause(FailureCause::XeroSilent),
    message: "Xero did not respond, so it is not yet known whether the document arrived.",
    remedy: "No action is needed: the next attempt checks first and creates no second copy.",
};

const TOO_LARGE: UserMessage = UserMessage {
    code: FailureCode::Name("answer_too_large"),
    message: "Xero's response is too large to be read.",
    remedy: "A record with very many lines or payments may be the cause. If this persists, contact support.",
};

const TOO_LARGE_ON_WRITE: UserMessage = UserMessage {
    code: FailureCode::Name("answer_too_large"),
    message: "Xero's response is too large to be read, so it is not yet known whether the document arrived.",
    remedy: "No action is needed: the next attempt checks first and creates no second copy.",
};

const FAULTY: UserMessage =
    describe_outage(FailureCause::XeroFaulty, "Xero had an internal error.");

const FAULTY_ON_WRITE: UserMessage = UserMessage {
    code: FailureCode::Cause(FailureCause::XeroFaulty),
    message: "Xero had an internal error, so it is not yet known whether the document arrived.",
    remedy: "No action is needed: the next attempt checks first and creates no second copy.",
};

const ORGANISATION_IS_OFFLINE: UserMessage = describe_outage(
    FailureCause::OrganisationOffline,
    "Xero has taken this organisation offline temporarily.",
);

const MAINTENANCE: UserMessage =
    describe_outage(FailureCause::XeroMaintenance, "Xero is offline for maintenance.");

const UNAVAILABLE: UserMessage =
    describe_outage(FailureCause::XeroUnavailable, "Xero is temporarily unavailable.");

const DAY_LIMIT: UserMessage = UserMessage {
    code: FailureCode::Name("day_limit_reached"),
    message: "Xero's daily limit on requests for this organisation is used up.",
    remedy: "Syncing resumes automatically when Xero allows it. Other apps connected to the organisation have separate limits.",
};

const DAY_RESERVED: UserMessage = UserMessage {
    code: FailureCode::Name("day_limit_reserved"),
    message: "Xero's daily limit on requests is nearly used up, and the remaining requests are reserved for what users ask for.",
    remedy: "Syncing resumes automatically when Xero resets the limit. Individual records can be synced manually.",
};

const SPACED: UserMessage = UserMessage {
    code: FailureCode::Name("calls_spaced"),
    message: "Many records are being synced, and Xero limits the requests per minute.",
    remedy: "No action is needed: syncing resumes automatically.",
};

const NEXT_TURN: UserMessage = UserMessage {
    code: FailureCode::Name("next_turn"),
    message: "This run ended before all records were processed.",
    remedy: "No action is needed: syncing continues at once.",
};

const SHORT_LIMIT: UserMessage = UserMessage {
    code: FailureCode::Name("rate_limited"),
    message: "Xero asked the integration to slow down.",
    remedy: "No action is needed: syncing resumes automatically.",
};

const LOGIN_REJECTED: UserMessage = UserMessage {
    code: FailureCode::Name("login_rejected"),
    message: "Xero rejected a login that had just been renewed.",
    remedy: "If this persists, go to Settings > Integrations > Xero and click Reconnect.",
};

/// The missing permission, in the words of the consent page and with the name that support needs.
const fn permission_message(permission: XeroPermission) -> UserMessage {
    let message = match permission {
        XeroPermission::Contacts => {
            "This integration does not have the permission for contacts (accounting.contacts)."
        }
        XeroPermission::Invoices => {
            "This integration does not have the permission for invoices and credit notes (accounting.invoices)."
        }
        XeroPermission::Allocations => {
            "This integration does not have the permission for invoices and credit notes (accounting.invoices) or the one for payments (accounting.payments)."
        }
        XeroPermission::Payments => {
            "This integration does not have the permission for payments (accounting.payments)."
        }
        XeroPermission::BankTransactions => {
            "This integration does not have the permission for bank transactions (accounting.banktransactions)."
        }
        XeroPermission::Settings => {
            "This integration does not have the permission to read accounts and tax rates (accounting.settings.read)."
        }
        XeroPermission::Login => {
            "This integration does not have a permission that the request needs."
        }
    };
    UserMessage {
        code: FailureCode::Cause(FailureCause::PermissionMissing),
        message,
        remedy: "Ask an Owner or Admin to connect Xero again and to accept all permissions.",
    }
}

const NOT_CONNECTED: UserMessage = UserMessage {
    code: FailureCode::Name("organisation_not_connected"),
    message: "The Xero organisation is no longer connected.",
    remedy: "Ask an Owner or Admin to connect Xero again and to choose this organisation.",
};

const USER_NOT_PERMITTED: UserMessage = UserMessage {
    code: FailureCode::Name("not_permitted"),
    message: "The Xero user who connected the organisation does not have permission to do this.",
    remedy: "Give that user the Standard or Adviser role in Xero, or connect again as a user who has it.",
};

const GRANT_REFUSED: UserMessage = UserMessage {
    code: FailureCode::Name("connection_expired"),
    message: "The connection to Xero has expired or was withdrawn.",
    remedy: "Ask an Owner or Admin to connect Xero again.",
};

const UNEXPLAINED: UserMessage = UserMessage {
    code: FailureCode::Name("unexplained"),
    message: "Xero refused the document without saying why.",
    remedy: "The next attempt first checks whether Xero has it. If this persists, contact support.",
};

const KEY_REUSED: UserMessage = UserMessage {
    code: FailureCode::Name("key_reused"),
    message: "The integration sent another version of this document to Xero a few minutes ago.",
    remedy: "No action is needed: the next attempt first checks which version Xero has.",
};

const UNIDENTIFIED: UserMessage = UserMessage {
    code: FailureCode::Name("answer_incomplete"),
    message: "Xero's response does not say whether the document was saved.",
    remedy: "No action is needed: the next attempt checks first and creates no second copy.",
};

const BATCH_REJECTED: UserMessage = UserMessage {
    code: FailureCode::Name("batch_rejected"),
    message: "Xero rejected several documents together without identifying the one at fault.",
    remedy: "No action is needed: the next attempt checks what Xero has and sends fewer documents together.",
};

const NOT_FOUND: UserMessage = UserMessage {
    code: FailureCode::Name("not_found"),
    message: "Xero no longer has this document.",
    remedy: "Check whether it was removed or merged in Xero, or whether another organisation is connected.",
};

const UNSENDABLE: UserMessage = UserMessage {
    code: FailureCode::Name("call_invalid"),
    message: "The request to Xero could not be made.",
    remedy: CONTACT_SUPPORT,
};

const CALL_REFUSED: UserMessage = UserMessage {
    code: FailureCode::Name("call_refused"),
    message: "Xero did not understand the request.",
    remedy: CONTACT_SUPPORT,
};

const UNDECODABLE: UserMessage = UserMessage {
    code: FailureCode::Name("answer_unreadable"),
    message: "Xero's response could not be read.",
    remedy: CONTACT_SUPPORT,
};

const OPERATOR_FAULT: UserMessage = UserMessage {
    code: FailureCode::Name("app_refused"),
    message: "Xero does not accept this integration's credentials or settings.",
    remedy: CONTACT_SUPPORT,
};

const LOGIN_UNAVAILABLE: UserMessage = UserMessage {
    code: FailureCode::Name("login_unavailable"),
    message: "Xero's login service is not available right now.",
    remedy: "",
};
