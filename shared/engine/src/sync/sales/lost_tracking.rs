//! Tracking options that a document in Xero does not have although its lines were sent with them.

use domain::document::sales::{SalesDocument, TrackingAssignment};
use domain::translate::describe_lost_tracking;

use super::SalesEntity;

/// Describes the tracking options of a written document that Xero's answer does not have.
pub(super) fn find_lost_tracking<T: SalesEntity>(
    document: &T::Document,
    remote: &T::Remote,
) -> Option<String> {
    let sent = T::document_lines(document).iter().map(|line| line.tracking.as_slice());
    describe_lost_tracking(&sent.collect::<Vec<_>>(), &remote.line_tracking())
}

/// Describes the tracking options that the lines of a snapshot name and that a found document does
/// not have. Default options are not compared.
pub(super) fn find_missing_tracking<T: SalesEntity>(
    snapshot: &T::Snapshot,
    remote: &T::Remote,
) -> Option<String> {
    let lines = T::sales_outline(snapshot).lines.iter();
    let named = lines.map(|line| {
        let options = line.tracking.as_deref().unwrap_or_default().iter();
        options.map(TrackingAssignment::from).collect::<Vec<_>>()
    });
    let named = named.collect::<Vec<_>>();
    let named = named.iter().map(Vec::as_slice).collect::<Vec<_>>();
    describe_lost_tracking(&named, &remote.line_tracking())
}
