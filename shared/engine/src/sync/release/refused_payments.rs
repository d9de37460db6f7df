//! Releases parts of payments and refunds whose refusal no change of a document ends: a refund that
//! exceeded what was paid, and the removal of a payment that was reconciled or part of a batch
//! payment.

use domain::ids::Ledger;
use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;

use super::{ChangedDocument, ReleaseTerms, release_changed_documents, release_mappings};
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;

/// Releases the refunds on an invoice that were refused because they exceeded what was paid, and no
/// longer do. The change that allows them is recorded, so a failure is only logged; the sweep
/// releases them later.
pub(crate) async fn try_release_refused_refunds(engine: &Engine, invoice: MappingKey) {
    let ledger = invoice.ledger.clone();
    let documents = [ChangedDocument::with_room_for_refunds(invoice)];
    let released = release_changed_documents(engine, &ledger, &documents).boxed();
    if let Err(error) = released.await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %ledger.account,
            "not every refund that exceeded the payments was released; the sweep tries again"
        );
    }
}

/// Releases those of these records that are removals which Xero refused because the payment was
/// reconciled or part of a batch payment. Call it once Xero shows that the payment no longer is.
pub(crate) async fn release_refused_removals(
    engine: &Engine,
    ledger: &Ledger,
    keys: Vec<MappingKey>,
) -> Result<(), PersistError> {
    let wanted = Mapping::is_refused_removal;
    release_mappings(engine, ledger, keys, ReleaseTerms::AT_ONCE, wanted).await.map(drop)
}
