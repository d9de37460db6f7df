//! Refunds on invoices that no longer count: deleted in Xero, or never to be sent.

use domain::crm::payment::{PartRole, PaymentPart, RefundSource};
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, PaymentId};
use domain::invoice_payments::PaymentChanges;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{OperationState, WriteTrace};
use domain::translate::refund::refund_note_number;
use futures::FutureExt;
use store::StoreError;

use super::change_invoice_payments;
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::sync::is_withheld_before_write;
use crate::sync::release::try_release_refused_refunds;

/// Forgets a refund on an invoice that was deleted in Xero or is never to be sent, so that another
/// one may return the money.
pub(crate) async fn forget_refund(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    refund: &PaymentId,
) -> Result<(), StoreError> {
    let changed = change_invoice_payments(engine, ledger, invoice, None, |payments| {
        let changes = PaymentChanges { notices: Vec::new(), is_all: true };
        payments.forget_refund(refund).then_some(changes)
    });
    changed.await.map(drop)
}

/// Frees the room of a refund on its invoice, if `withheld` is its credit note, which a user has just
/// marked as Never send and Xero cannot have. Refunds that were refused because of it continue at
/// once. The decision of the user is recorded, so a failure is only logged: the sweep releases them
/// later.
///
/// Returns a remark for the user if Xero has the credit note or may have it. The refund then still
/// counts: the credit note reduces the revenue and is the client's credit until it is voided there.
pub(crate) async fn try_free_withheld_refund(
    engine: &Engine,
    withheld: &Mapping,
) -> Option<String> {
    match free_withheld_refund(engine, withheld).boxed().await {
        Ok(note) => note,
        Err(error) => {
            tracing::error!(
                error = %ErrorChain(&error),
                account.id = %withheld.key.ledger.account,
                crm.id = %withheld.key.crm_id,
                "the room of a refund that is never sent was not freed; the sweep tries again"
            );
            None
        }
    }
}

async fn free_withheld_refund(
    engine: &Engine,
    withheld: &Mapping,
) -> Result<Option<String>, StoreError> {
    if withheld.key.kind != EntityKind::Payment {
        return Ok(None);
    }
    let Ok(part) = withheld.snapshot.parse_text::<PaymentPart>() else {
        return Ok(None);
    };
    match &part.role {
        PartRole::RefundNote(invoice) => {
            if !is_withheld_before_write(withheld) {
                return Ok(Some(describe_counting_note(&part, withheld)));
            }
            let ledger = &withheld.key.ledger;
            let invoice = CrmId::from(invoice.clone());
            forget_refund(engine, ledger, &invoice, &part.payment).await?;
            let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice);
            try_release_refused_refunds(engine, key).await;
            Ok(None)
        }
        PartRole::Refund(RefundSource::Part(note)) if withheld.link.is_none() => {
            let ledger = withheld.key.ledger.clone();
            let key = MappingKey::new(ledger, EntityKind::Payment, note.clone());
            let note = engine.store.find_mapping(&key).await?.map(|row| row.record);
            let noted = note.filter(|note| {
                note.link.is_some() || note.operation.trace == WriteTrace::Uncertain
            });
            Ok(noted.map(|note| describe_counting_note(&part, &note)))
        }
        PartRole::Refund(_)
        | PartRole::Invoice(_)
        | PartRole::Fee
        | PartRole::Surcharge(_)
        | PartRole::RefundFee => Ok(None),
    }
}

/// Says until when the credit note of a refund counts. A note that is never to be sent and may be in
/// Xero is looked up there once a day, if another refund was refused because of it.
fn describe_counting_note(part: &PaymentPart, note: &Mapping) -> String {
    let number = refund_note_number(part);
    if note.link.is_some() {
        return format!(
            "Its credit note {number} is in Xero and counts as returned until it is voided there."
        );
    }
    let counts = format!(
        "Its credit note {number} may be in Xero and counts as returned until it is voided there."
    );
    if note.operation.state == OperationState::Withheld {
        format!(
            "{counts} If Xero does not have it, another refund can return the money, usually within a day."
        )
    } else {
        counts
    }
}
