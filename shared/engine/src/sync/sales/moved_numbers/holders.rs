//! Reads which documents have the numbers, and to which records these documents belong.

use domain::document::sales::SalesDocument;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroId};
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
use crate::sync::sales::SalesEntity;

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

/// Returns the failure of a document that was found to be foreign, with what the books know about it.
pub(in crate::sync::sales) async fn explain_foreign_document<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
    found: &[T::Remote],
    failure: Failure,
) -> Failure {
    let number = T::record_number(&task.snapshot);
    let url = read_url::<T>(tenant_session, task);
    let holder = select_holder(found, &number, url.as_deref());
    let owned = read_owners::<T>(tenant_session, vec![(number.clone(), holder)]).boxed();
    let owned = owned.await.map(|owned| owned.into_iter().find_map(|(_, holding)| holding));
    match owned.map(|holding| holding.map(|holding| holding.owner)) {
        Ok(Some(NumberOwner::Record(holder))) => {
            add_explanation(&failure, held_number_failure(T::KIND, &number, &holder, None))
        }
        Ok(Some(NumberOwner::OtherInstallation)) => {
            add_explanation(&failure, other_installation_failure(T::KIND, &number))
        }
        Ok(Some(NumberOwner::Foreign) | None) => failure,
        Err(error) => {
            report_unread_owner(tenant_session, &task.mapping.key.crm_id, &error);
            failure
        }
    }
}

fn report_unread_owner(tenant_session: &TenantSession<'_>, crm_id: &CrmId, error: &StoreError) {
    tracing::warn!(
        error = %ErrorChain(error),
        account.id = %tenant_session.ledger.account,
        crm.id = %crm_id,
        "the record with the same number could not be read"
    );
}

/// Returns the failure with the sentence that describes the document, followed by the explanation.
fn add_explanation(failure: &Failure, explained: Failure) -> Failure {
    let message = format!("{} {}", failure.message, explained.message);
    Failure { message, ..explained }
}
