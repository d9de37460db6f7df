//! Failures of connections that cannot be used.

use domain::connection::UnusableConnection;
use domain::failure::{Failure, FailureClass};

use crate::connection::token;

/// The failure of records whose organisation Xero refuses.
pub(crate) fn organisation_unavailable_failure() -> Failure {
    Failure::new(
        FailureClass::Unauthorized,
        "organisation_unavailable",
        "Xero refuses every request for this organisation, although it is still connected. Its trial or subscription may have ended, or the Xero user who connected has lost access to it.",
        "Check the organisation's plan in Xero, and that user's access to it. ServiceCortex checks again several times a day and resumes automatically; to resume at once, click Reconnect in Settings > Integrations > Xero.",
    )
}

/// The failure of a call that Xero refused although the connection appears to be in order.
pub(crate) fn refused_once_failure() -> Failure {
    Failure::new(
        FailureClass::Transient,
        "refused_once",
        "Xero refused the request, although the organisation is connected.",
        "",
    )
}

/// The failure of records whose account has no connection.
pub(crate) fn not_connected_failure() -> Failure {
    Failure::new(
        FailureClass::Unauthorized,
        "not_connected",
        "Xero is not connected.",
        "Go to Settings > Integrations > Xero and click Connect to Xero.",
    )
}

pub(crate) fn unusable_connection_failure(unusable: UnusableConnection) -> Failure {
    match unusable {
        UnusableConnection::NotConnected => not_connected_failure(),
        UnusableConnection::TokenExpired => token::reconnect_failure(),
        UnusableConnection::Unavailable => organisation_unavailable_failure(),
        UnusableConnection::PausedUntil(until) => Failure::new(
            FailureClass::Throttled,
            "paused",
            "Xero asked the integration to wait before sending more requests.",
            "",
        )
        .with_not_before(until),
    }
}
