//! Recognises calls that AWS refuses because of what they send, so that the same call fails every
//! time. Missing permissions and missing queues are not among them: an operator can correct those
//! while the call waits.

use std::error::Error;
use std::fmt::Debug;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use engine::ports::{BoxError, ContentRefusal};

/// The codes with which SQS (`SendMessage`) and EventBridge Scheduler (`CreateSchedule`) refuse
/// what is sent: characters that SQS does not accept, a body or a text that is too long, and a
/// value that a parameter does not allow.
///
/// Sources:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html> and
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>.
const CONTENT_CODES: [&str; 4] =
    ["InvalidMessageContents", "InvalidParameterValue", "ValidationError", "ValidationException"];

/// Part of the message with which EventBridge Scheduler reports, with the code of a refused value,
/// that it may not assume the schedule's role. That ends some seconds after the role was created,
/// or when an operator corrects the role
/// (<https://github.com/aws/aws-sdk-js-v3/issues/6494>).
const ROLE_REFUSAL: &str = "execution role";

/// Converts an error of an AWS client into a port's cause, which is a [`ContentRefusal`] if the
/// same call fails every time.
pub(super) fn classify_refusal<E, R>(error: SdkError<E, R>) -> BoxError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let code = error.as_service_error().and_then(content_code).map(str::to_owned);
    match code {
        Some(code) => ContentRefusal { code, source: error.into() }.into(),
        None => error.into(),
    }
}

/// Returns whether AWS refuses what a call sends, so that the same call fails every time.
pub(super) fn is_content_refused<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().and_then(content_code).is_some()
}

/// Returns the code of an error that refuses what was sent.
fn content_code<E: ProvideErrorMetadata>(error: &E) -> Option<&str> {
    let is_about_role = error.message().is_some_and(|message| message.contains(ROLE_REFUSAL));
    error.code().filter(|code| CONTENT_CODES.contains(code) && !is_about_role)
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::operation::send_message::SendMessageError;
    use aws_smithy_types::error::ErrorMetadata;
    use engine::ports::PortError;

    use super::*;

    fn refusal_with(code: &str, message: &str) -> PortError {
        let metadata = ErrorMetadata::builder().code(code).message(message).build();
        let error: SdkError<SendMessageError, ()> =
            SdkError::service_error(SendMessageError::generic(metadata), ());
        PortError { operation: "deliver an event", source: classify_refusal(error) }
    }

    #[test]
    fn only_a_refusal_of_the_content_lasts() {
        for (code, lasts) in [
            ("InvalidMessageContents", true),
            ("InvalidParameterValue", true),
            ("ValidationException", true),
            ("AccessDenied", false),
            ("AWS.SimpleQueueService.NonExistentQueue", false),
            ("RequestThrottled", false),
            ("ThrottlingException", false),
            ("InternalServerException", false),
        ] {
            let error = refusal_with(code, "no");
            let refusal = error.content_refusal().map(|refusal| refusal.code.as_str());
            assert_eq!(refusal, lasts.then_some(code), "{code}");
        }
        let lost: SdkError<SendMessageError, ()> = SdkError::timeout_error("no answer");
        let error = PortError { operation: "deliver an event", source: classify_refusal(lost) };
        assert!(error.content_refusal().is_none());
    }

    #[test]
    fn a_role_that_the_scheduler_may_not_assume_yet_does_not_last() {
        let error = refusal_with(
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        );
        assert!(error.content_refusal().is_none());
    }
}
