//! Why Xero could not be read, as a person reads it who waits for the answer to a request.

use engine::Engine;
use engine::connection::tenant_session::AttemptError;
use xero::{NotPermitted, XeroError};

use crate::http::ProblemDetails;

/// Explains why Xero could not be read. No attempt follows by itself, so the text does not leave the
/// work to one.
pub(super) fn describe_attempt_error(engine: &Engine, error: &AttemptError) -> String {
    let failure = match error {
        // Its failure is about a run that continues later. A request ends here.
        AttemptError::Xero(error)
            if matches!(**error, XeroError::NotPermitted { source: NotPermitted::Late }) =>
        {
            return ProblemDetails::too_slow().into_detail();
        }
        AttemptError::Xero(error) => error.to_failure(engine.clock.now()),
        AttemptError::Failure(failure)
        | AttemptError::Explained(failure)
        | AttemptError::Blocked { failure, on: _ } => failure.clone(),
        AttemptError::Persist(_) => {
            return "The settings could not be read. Try again in a minute.".to_owned();
        }
    };
    failure.without_next_attempt().to_string()
}
