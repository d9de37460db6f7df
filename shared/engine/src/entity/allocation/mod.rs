//! Applies credit to invoices, and takes it back.
//!
//! Xero assigns no number to an allocation and accepts duplicates. So the existing allocations of
//! the credit note are read before every write: one with the same invoice and amount that is linked
//! to no other record is this one. An allocation that is to be taken back and is not linked is
//! reserved first, so that no other record adopts it.

mod explain;
mod ground;

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::allocation::{Allocation as Snapshot, Standing};
use domain::document::allocation::{AllocationDocument, InvoiceReference, RemoteAllocation};
use domain::document::credit_note::RemoteCreditNote;
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, XeroAllocationId, XeroId};
use domain::mapping::Link;
use domain::sync_log::LoggedOperation;
use futures::TryFutureExt;
use store::StoreError;
use xero::api::{Written, credit_notes};

use self::ground::Ground;
pub(crate) use self::ground::is_note_in_xero;
use super::write::write_one;
use super::{Brought, Entity, Task};
use crate::Memory;
use crate::desk::{Desk, Trouble};

/// Credit that is applied to invoices.
#[derive(Debug)]
pub struct Allocation;

/// Allocations that earlier records of the same attempt have taken and are not linked to yet.
type Taken = BTreeSet<XeroId>;

#[async_trait]
impl Entity for Allocation {
    const KIND: EntityKind = EntityKind::Allocation;
    type Snapshot = Snapshot;

    fn snapshot<'a>(content: &'a Content, _: &CrmId) -> Option<&'a Snapshot> {
        match content {
            Content::Allocation(allocation) => Some(allocation),
            Content::Client { .. }
            | Content::Invoice { .. }
            | Content::CreditNote { .. }
            | Content::Payment { .. } => None,
        }
    }

    fn is_wanted(allocation: &Snapshot) -> bool {
        allocation.standing == Standing::Applied
    }

    fn id(allocation: &Snapshot) -> CrmId {
        allocation.id.clone().into()
    }

    fn revision(allocation: &Snapshot) -> Revision {
        allocation.revision
    }

    fn number(allocation: &Snapshot) -> String {
        allocation.name()
    }

    /// Processes the tasks one after the other: each changes how much of its credit note remains
    /// for the next.
    async fn bring(desk: &Desk<'_>, tasks: &[Task<'_, Snapshot>]) {
        let mut taken = BTreeSet::new();
        for task in tasks {
            let outcome = match task.snapshot.standing {
                Standing::Applied => apply(desk, task, &taken).await,
                Standing::Removed => remove(desk, task, &taken).await,
            };
            let link = outcome.as_ref().ok().and_then(|brought| brought.link.as_ref());
            taken.extend(link.map(|link| link.xero_id));
            task.finish(outcome);
        }
    }
}

async fn apply(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    taken: &Taken,
) -> Result<Brought, Trouble> {
    let ground = ground::of(desk, task).await?;
    let note = note(desk, task, ground).await?;
    if let Some(link) = &task.mapping.link {
        // An applied allocation never changes, so there is nothing to send.
        let stands = has(&note, XeroAllocationId(link.xero_id.0));
        let told = "It was removed in Xero. Apply the credit again in the CRM to apply it there.";
        let remarks = if stands { Vec::new() } else { vec![told.to_owned()] };
        let link = Some(link.clone());
        return Ok(Brought { link, operation: LoggedOperation::Push, remarks });
    }
    if let Some(id) = unclaimed(desk, task, ground, &note, taken).await? {
        let told = "It had already been applied in Xero.";
        let remarks = if task.must_resolve() { Vec::new() } else { vec![told.to_owned()] };
        return Ok(brought(task, id, LoggedOperation::Adopt, remarks));
    }
    if let Some(failure) = explain::refused_by(&note, &task.snapshot) {
        return Err(failure.into());
    }
    write(desk, task, ground, taken).await
}

async fn write(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    ground: Ground,
    taken: &Taken,
) -> Result<Brought, Trouble> {
    let document = AllocationDocument {
        invoice: InvoiceReference { invoice_id: ground.invoice },
        amount: task.snapshot.amount,
        date: task.snapshot.date,
    };
    let key = task.idempotency_key(&credit_notes::allocation_body(&document));
    let call = credit_notes::allocate(&desk.session, ground.note, &document, &key);
    let is_named = |made: &RemoteAllocation| made.id.is_some();
    let (made, remarks) = match write_one(task, call, is_named).await {
        Ok(written) => written,
        Err(error) => return Err(explain::refusal(desk, ground, &task.snapshot, error).await),
    };
    let id = if let Some(id) = made.id {
        id
    } else {
        // Xero's examples answer without an id, but the credit note shows it. Until it is known,
        // the write is unconfirmed.
        let note = note(desk, task, ground).await?;
        unclaimed(desk, task, ground, &note, taken).await?.ok_or_else(not_shown)?
    };
    Ok(brought(task, id, LoggedOperation::Create, remarks))
}

async fn remove(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    taken: &Taken,
) -> Result<Brought, Trouble> {
    let operation = LoggedOperation::Void;
    let nothing = || Brought {
        link: task.mapping.link.clone(),
        operation,
        remarks: vec!["It is not in Xero, so there is nothing to take back.".to_owned()],
    };
    if task.mapping.link.is_none() && !task.must_resolve() {
        return Ok(nothing());
    }
    let ground = match (ground::known(desk, task).await?, task.memory) {
        (Some(ground), _) => ground,
        (None, Memory::Whole) => return Ok(nothing()),
        // The restored table may lack the documents as well. They are sent again first.
        (None, Memory::Restored) => ground::of(desk, task).await?,
    };
    let note = note(desk, task, ground).await?;
    let ours = match &task.mapping.link {
        Some(link) => Some(XeroAllocationId(link.xero_id.0)).filter(|id| has(&note, *id)),
        None => reserved(desk, task, ground, &note, taken).await?,
    };
    let Some(id) = ours else { return Ok(nothing()) };
    let call = credit_notes::deallocate(&desk.session, ground.note, id);
    let call = call.map_ok(|remote| Written::Done { remote, warnings: Vec::new() });
    write_one(task, call, |_| true).await.map_err(Trouble::Xero)?;
    Ok(brought(task, id, operation, Vec::new()))
}

/// Reads the credit note from Xero.
async fn note(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    ground: Ground,
) -> Result<RemoteCreditNote, Trouble> {
    let note = credit_notes::get(&desk.session, ground.note).await?;
    note.ok_or_else(|| {
        let number = &task.snapshot.credit_note_number;
        let failure = Failure::new(
            FailureClass::Rejected,
            "document_missing",
            format!("{number} is no longer in Xero."),
            "Check in Xero what happened to it.",
        );
        failure.into()
    })
}

fn has(note: &RemoteCreditNote, id: XeroAllocationId) -> bool {
    note.allocations.iter().any(|one| one.id == Some(id))
}

/// Returns an allocation to the same invoice with the same amount that is linked to no other
/// record. One that this record has reserved before comes first: if the record took another one, no
/// record would ever take that one back.
async fn unclaimed(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    ground: Ground,
    note: &RemoteCreditNote,
    taken: &Taken,
) -> Result<Option<XeroAllocationId>, Trouble> {
    let same = |one: &&RemoteAllocation| {
        one.invoice == ground.invoice && one.amount == task.snapshot.amount
    };
    let of_nobody_here = |id: &XeroAllocationId| !taken.contains(&XeroId::from(*id));
    let ids = note.allocations.iter().filter(same).filter_map(|one| one.id);
    let mut free = None;
    for id in ids.filter(of_nobody_here) {
        let owner = desk.engine.store.linked(&desk.ledger, EntityKind::Allocation, id.into());
        match owner.await {
            Ok(Some(owner)) if owner == task.mapping.key.crm_id => return Ok(Some(id)),
            Ok(Some(_)) => {}
            Ok(None) => free = free.or(Some(id)),
            // It belongs to another record: nothing of this one can be in Xero.
            Err(error) if error.is_about_the_record() && !task.must_resolve() => {
                desk.engine.report_unreadable(&desk.ledger.account, [&error]);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(free)
}

/// Like [`unclaimed`], but reserves the allocation for this record, and skips those that another
/// record has just claimed.
async fn reserved(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    ground: Ground,
    note: &RemoteCreditNote,
    taken: &Taken,
) -> Result<Option<XeroAllocationId>, Trouble> {
    let mut taken = taken.clone();
    while let Some(id) = unclaimed(desk, task, ground, note, &taken).await? {
        let key = &task.mapping.key;
        match desk.engine.store.reserve(key, id.into()).await {
            Ok(()) => return Ok(Some(id)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        let owner = desk.engine.store.linked(&desk.ledger, key.kind, id.into()).await?;
        if owner.is_some_and(|owner| owner == key.crm_id) {
            return Ok(Some(id));
        }
        taken.insert(id.into());
    }
    Ok(None)
}

fn not_shown() -> Trouble {
    let failure = Failure::new(
        FailureClass::Uncertain,
        "allocation_not_shown",
        "Xero accepted the allocation but does not show it yet.",
        "No action is needed: the next attempt checks first and applies nothing twice.",
    );
    failure.into()
}

fn brought(
    task: &Task<'_, Snapshot>,
    id: XeroAllocationId,
    operation: LoggedOperation,
    remarks: Vec<String>,
) -> Brought {
    let number = Some(task.snapshot.name());
    let link = Link { xero_id: id.into(), number, xero_updated_at: None, amounts: None };
    Brought { link: Some(link), operation, remarks }
}
