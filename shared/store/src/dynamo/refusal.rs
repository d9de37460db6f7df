//! Interprets a failed write: performed after all, refused, or unknown.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::CancellationReason,
};

use super::{into_cause, into_unavailable, write_id::WriteId};
use crate::table::TableError;

pub(super) fn resolve_put_refusal(
    refused: SdkError<PutItemError>,
    write_id: &WriteId,
) -> Result<(), TableError> {
    match refused.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(failed)) => {
            let ours = failed.item().is_some_and(|item| write_id.wrote_item(item));
            if ours { Ok(()) } else { Err(TableError::Conflict) }
        }
        // Another transaction is writing the item at this moment.
        Some(error) if error.is_transaction_conflict_exception() => Err(TableError::Conflict),
        _ => Err(into_unavailable("put item", refused)),
    }
}

pub(super) fn resolve_transaction_refusal(
    refused: SdkError<TransactWriteItemsError>,
    write_id: &WriteId,
) -> Result<(), TableError> {
    const OPERATION: &str = "write transaction";
    let service_error = refused.as_service_error();
    // These two also show that no earlier try was performed: DynamoDB repeats its answer to a
    // token, and a request is as valid as it was before. The other errors do not tell what became
    // of an earlier try whose answer was lost.
    let is_refused = service_error.is_some_and(|error| {
        error.is_transaction_canceled_exception() || error.code() == Some("ValidationException")
    });
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = service_error {
        let reasons = cancelled.cancellation_reasons();
        // A transaction is atomic, so one of our items is enough to show that it was performed.
        if reasons.iter().filter_map(CancellationReason::item).any(|item| write_id.wrote_item(item))
        {
            return Ok(());
        }
        if reasons.iter().any(is_conflict) {
            return Err(TableError::Conflict);
        }
    }
    let source = into_cause(refused);
    Err(if is_refused {
        TableError::Refused { operation: OPERATION, source }
    } else {
        TableError::Unavailable { operation: OPERATION, source }
    })
}

/// Returns whether a reason is a conflict. DynamoDB gives one reason per step in the order of the
/// steps; most are `None`, others report throttling. A conflict in any step decides, because a
/// retry cannot resolve it.
fn is_conflict(reason: &CancellationReason) -> bool {
    matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))
}
