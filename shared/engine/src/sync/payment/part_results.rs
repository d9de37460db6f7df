//! Records what Xero answered to the documents of payment parts.

use domain::document::payment::{PaymentDocument, RemotePayment};
use domain::translate::payment::{describe_booked_difference, reference_warnings};

use super::amount_due::is_about_amount_due;
use super::{PartWithPrerequisite, RemotePart};
use crate::connection::tenant_session::AttemptError;
use crate::sync::write::DraftResult;
use crate::sync::{Synced, is_about_unused_contact};

/// The result of writing a payment.
type PaymentResult<'a> = DraftResult<PartWithPrerequisite<'a>, PaymentDocument, RemotePayment>;

/// A part that Xero refused for a reason that a further step explains or resolves.
pub(super) enum RefusedPart<'a> {
    /// The amount due on the invoice, or the credit left, does not allow it.
    AmountDue(PartWithPrerequisite<'a>),
    /// Its contact is archived or was merged into another one.
    UnusedContact(PartWithPrerequisite<'a>),
}

/// Adds a remark if Xero booked another amount in the account than expected.
pub(super) fn add_booked_remark(mut sent: PaymentResult<'_>) -> PaymentResult<'_> {
    if let Ok(remote) = &sent.result {
        let part = &sent.item.task.snapshot;
        let remark = describe_booked_difference(part, &sent.document, remote.bank_amount);
        sent.remarks.extend(remark);
    }
    sent
}

/// Records the result of a write as the outcome of its part. Returns the part if a further step
/// explains or resolves why Xero refused it.
pub(super) fn record_payment_result<D, R>(
    sent: DraftResult<PartWithPrerequisite<'_>, D, R>,
    as_remote: impl FnOnce(R) -> RemotePart,
) -> Option<RefusedPart<'_>> {
    let DraftResult { item: part, document: _, operation, mut remarks, result } = sent;
    let task = part.task;
    remarks.extend(reference_warnings(&task.snapshot));
    match result {
        Ok(remote) => {
            let link = Some(as_remote(remote).build_link(task));
            task.set_outcome(Ok(Synced { link, operation, remarks }));
            None
        }
        Err(error) => {
            let refused = if is_about_amount_due(&error) {
                Some(RefusedPart::AmountDue(part))
            } else {
                is_about_unused_contact(&error).then_some(RefusedPart::UnusedContact(part))
            };
            task.set_outcome(Err(AttemptError::Xero(error)));
            refused
        }
    }
}
