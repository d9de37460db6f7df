//! Pushes records whose snapshots are in the table already.

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::operation::Urgency;

use crate::entity::{Allocation, Contact, CreditNote, Invoice, Payment};
use crate::errors::Unrecorded;
use crate::push::{self, Offer, Pushed};
use crate::{Engine, Invocation};

/// Pushes the newest known snapshots of records of one kind.
pub async fn push_known(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    records: &[CrmId],
    urgency: Urgency,
    invocation: Invocation,
) -> Vec<Result<Pushed, Unrecorded>> {
    match kind {
        EntityKind::Contact => {
            push::push::<Contact>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::Invoice => {
            push::push::<Invoice>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::CreditNote => {
            push::push::<CreditNote>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::Allocation => {
            push::push::<Allocation>(engine, ledger, &known(records), urgency, invocation).await
        }
        EntityKind::Payment => {
            push::push::<Payment>(engine, ledger, &known(records), urgency, invocation).await
        }
    }
}

fn known<S>(records: &[CrmId]) -> Vec<Offer<'static, S>> {
    records.iter().map(|crm_id| Offer { crm_id: crm_id.clone(), snapshot: None }).collect()
}
