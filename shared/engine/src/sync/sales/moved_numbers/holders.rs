//! Reads which documents have the numbers, and to which records these documents belong.

use domain::document::sales::SalesDocument;
use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::XeroId;
use domain::mapping::MappingKey;
use domain::moved_numbers::{
    HoldingDocument, KnownHolders, LOOKUPS_MAX, NumberOwner, find_holding_document,
};
use domain::recognise::{NumberHolder, held_number_failure, is_marked, other_installation_failure};
use futures::FutureExt;
use store::{ReadAheadKeys, StoreError};

use super::MovingTask;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::sync::SyncTask;
use crate::sync::sales::{SalesEntity, TaskWithContact};

/// The document in effect that has a number.
#[derive(Clone, Copy)]
struct FoundHolder {
    id: XeroId,
    is_marked: bool,
}

/// Reads the holders of the tasks' numbers from Xero, then those of the numbers that the holders are to
/// have, and so on, for all tasks together.
pub(super) async fn read_holders<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    tasks: &[MovingTask<'_, T::Snapshot>],
) -> Result<KnownHolders, AttemptError> {
    let documents = tasks.iter().map(|moving| moving.document.clone()).collect::<Vec<_>>();
    // The page of any record tells the folder of all of them.
    let url = tasks.first().and_then(|moving| read_url::<T>(tenant_session, moving.one.task));
    let mut holders = KnownHolders::default();
    for _ in 0..LOOKUPS_MAX {
        let unread = holders.list_unread_numbers(&documents);
        if unread.is_empty() {
            break;
        }
        let numbers = unread.iter().map(String::as_str).collect::<Vec<_>>();
        let found = T::find_by_numbers(&tenant_session.api, &numbers).await?;
        let held = unread.into_iter().map(|number| {
            let holder = select_holder(&found.rows, &number, url.as_deref());
            (number, holder)
        });
        for (number, holding) in read_owners::<T>(tenant_session, held.collect()).await? {
            holders.add(number, holding);
        }
    }
    Ok(holders)
}

fn read_url<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
) -> Option<String> {
    T::document_url(tenant_session.engine.endpoints.crm.as_str(), &task.snapshot)
}

fn select_holder<R: SalesDocument>(
    found: &[R],
    number: &str,
    url: Option<&str>,
) -> Option<FoundHolder> {
    let head = find_holding_document(found, number)?;
    Some(FoundHolder { id: head.id, is_marked: is_marked(&head, url) })
}

/// Reads the owners of the documents that have numbers: their reverse links together, then their
/// mappings together. A row that cannot be read is reported, and its document counts as foreign.
async fn read_owners<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    held: Vec<(String, Option<FoundHolder>)>,
) -> Result<Vec<(String, Option<HoldingDocument>)>, StoreError> {
    let (ledger, account) = (&tenant_session.ledger, &tenant_session.ledger.account);
    // The rows may have changed since the beginning of the attempt.
    let engine = tenant_session.engine.without_read_ahead();
    let mut links = ReadAheadKeys::default();
    for holder in held.iter().filter_map(|(_, holder)| *holder) {
        links.add_linked_record(ledger, T::KIND, holder.id);
    }
    let ahead = engine.with_rows_read_ahead(links).await;
    let (mut owned, mut linked) = (Vec::with_capacity(held.len()), Vec::new());
    for (number, holder) in held {
        let Some(FoundHolder { id, is_marked }) = holder else {
            owned.push((number, None));
            continue;
        };
        let link = ahead.store.find_linked_record(ledger, T::KIND, id);
        let found = match engine.skip_failing(account, link).await? {
            Some(Some(crm_id)) => {
                linked.push((owned.len(), MappingKey::new(ledger.clone(), T::KIND, crm_id)));
                NumberOwner::Foreign
            }
            Some(None) if is_marked => NumberOwner::OtherInstallation,
            Some(None) | None => NumberOwner::Foreign,
        };
        owned.push((number, Some(HoldingDocument { id, owner: found })));
    }
    let (places, keys): (Vec<usize>, Vec<MappingKey>) = linked.into_iter().unzip();
    let numbers = engine.view_mappings(account, &keys, |mapping| mapping.snapshot.natural_key);
    let numbers = numbers.await?;
    for ((place, key), number) in places.into_iter().zip(&keys).zip(numbers) {
        let holding = owned.get_mut(place).and_then(|(_, holding)| holding.as_mut());
        if let (Some(holding), Some(number)) = (holding, number) {
            holding.owner =
                NumberOwner::Record(NumberHolder { crm_id: key.crm_id.clone(), number });
        }
    }
    Ok(owned)
}

/// Returns the tasks whose documents were found to be foreign, in their order, with failures that say
/// what the books know about the documents. The rows of their owners are read together. If the table
/// does not answer, the failures stay as they are.
pub(in crate::sync::sales) async fn explain_foreign_documents<'a, T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    foreign: Vec<(TaskWithContact<'a, T::Snapshot>, Failure)>,
    found: &[T::Remote],
) -> Vec<(TaskWithContact<'a, T::Snapshot>, Failure)> {
    if foreign.is_empty() {
        return foreign;
    }
    let held = foreign.iter().map(|(one, _)| {
        let number = T::record_number(&one.task.snapshot);
        let url = read_url::<T>(tenant_session, one.task);
        let holder = select_holder(found, &number, url.as_deref());
        (number, holder)
    });
    let held = held.collect::<Vec<_>>();
    let owned = match read_owners::<T>(tenant_session, held).boxed().await {
        Ok(owned) => owned,
        Err(error) => {
            report_unread_owners(tenant_session, &error);
            return foreign;
        }
    };
    let explained = foreign.into_iter().zip(owned).map(|((one, failure), (number, holding))| {
        let holder = holding.map_or(NumberOwner::Foreign, |holding| holding.owner);
        (one, explain_owner(T::KIND, &number, &holder, failure))
    });
    explained.collect()
}

fn report_unread_owners(tenant_session: &TenantSession<'_>, error: &StoreError) {
    tracing::warn!(
        error = %ErrorChain(error),
        account.id = %tenant_session.ledger.account,
        "the records with the same numbers could not be read"
    );
}

/// Returns the failure of a document whose number another one has, with what is known about that one.
fn explain_owner(kind: EntityKind, number: &str, owner: &NumberOwner, failure: Failure) -> Failure {
    let explained = match owner {
        NumberOwner::Record(holder) => held_number_failure(kind, number, holder, None),
        NumberOwner::OtherInstallation => other_installation_failure(kind, number),
        NumberOwner::Foreign => return failure,
    };
    let message = format!("{} {}", failure.message, explained.message);
    Failure { message, ..explained }
}
