//! Numbers that move between documents of the same books. Xero accepts a number only while no other
//! document has it, so a document waits until the holder has its new number. If documents swap their
//! numbers, each would wait for another one: then one of them gets an interim number.

use domain::document::sales::SalesDocument;
use domain::failure::Failure;
use domain::ids::XeroId;
use domain::mapping::MappingKey;
use domain::recognise::{NumberHolder, held_number_failure, is_marked, other_installation_failure};
use store::StoreError;

use super::document_writer::DocumentWriter;
use super::{DocumentTarget, PlannedDocument, SalesEntity, TaskWithContact};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::sync::SyncTask;

/// Maximum number of documents that are followed to find out whether they wait for each other.
const RING_MAX: usize = 8;

/// The document in Xero that has a number.
struct HoldingDocument {
    id: XeroId,
    /// Its record in these books, if it has one.
    holder: Option<NumberHolder>,
    is_marked: bool,
}

/// What is to be done about a document whose new number is taken.
enum NumberStep {
    /// The number is free by now.
    Write,
    /// The documents wait for each other.
    WriteInterim(NumberHolder),
    Fail(Failure),
    /// A document of another source has the number: Xero's refusal stays.
    Keep,
}

/// Writes the documents again whose update Xero refused because their new number is taken: with that
/// number if it is free by now, or with an interim one if the documents wait for each other. The others
/// are told who has the number.
pub(super) async fn resolve_moved_numbers<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    writer: &mut DocumentWriter<'_>,
    conflicting: Vec<TaskWithContact<'_, T::Snapshot>>,
) {
    for one in conflicting {
        let mapping = one.task.mapping;
        let Some(link) = &mapping.link else { continue };
        // A copy keeps the number that it was assigned.
        if link.number.as_ref().is_some_and(|number| mapping.is_copy_number(number)) {
            continue;
        }
        let id = link.xero_id;
        match choose_step::<T>(tenant_session, one.task, id).await {
            Ok(NumberStep::Write) => {
                let target = DocumentTarget::Renamed { id, number: None };
                write_one::<T>(writer, (one, target)).await;
            }
            Ok(NumberStep::WriteInterim(holder)) => {
                let interim = mapping.interim_number();
                let target = DocumentTarget::Renamed { id, number: Some(interim.clone()) };
                write_one::<T>(writer, (one, target)).await;
                // The document still has to get its own number.
                if one.task.outcome.is_success() {
                    let number = T::record_number(&one.task.snapshot);
                    let failure = held_number_failure(T::KIND, &number, &holder, Some(&interim));
                    one.task.set_outcome(Err(AttemptError::Explained(failure)));
                }
            }
            Ok(NumberStep::Fail(failure)) => {
                one.task.set_outcome(Err(AttemptError::Explained(failure)));
            }
            Ok(NumberStep::Keep) => {}
            Err(error) => one.task.set_outcome(Err(error)),
        }
    }
}

async fn write_one<T: SalesEntity>(
    writer: &mut DocumentWriter<'_>,
    planned: PlannedDocument<'_, T>,
) {
    drop(writer.write_documents::<T>(vec![planned]).await);
}

/// Follows the holders of the numbers, beginning with the number that the task's document is to have.
async fn choose_step<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
    own: XeroId,
) -> Result<NumberStep, AttemptError> {
    let number = T::record_number(&task.snapshot);
    let (mut sought, mut first) = (number.clone(), None);
    for _ in 0..RING_MAX {
        let found = find_holding_document::<T>(tenant_session, task, &sought).await?;
        let (found, first_holder) = match (found, first.take()) {
            (None, None) => return Ok(NumberStep::Write),
            (Some(found), None) if found.id == own => return Ok(NumberStep::Write),
            (Some(found), Some(holder)) if found.id == own => {
                return Ok(NumberStep::WriteInterim(holder));
            }
            (None, Some(holder)) => return Ok(fail_for::<T>(&number, &holder)),
            (Some(found), first_holder) => (found, first_holder),
        };
        let Some(holder) = found.holder else {
            return Ok(match first_holder {
                Some(holder) => fail_for::<T>(&number, &holder),
                None if found.is_marked => {
                    NumberStep::Fail(other_installation_failure(T::KIND, &number))
                }
                None => NumberStep::Keep,
            });
        };
        let next = holder.number.clone();
        let is_last = next == sought;
        let holder = first_holder.unwrap_or(holder);
        if is_last {
            return Ok(fail_for::<T>(&number, &holder));
        }
        sought = next;
        first = Some(holder);
    }
    Ok(first.map_or(NumberStep::Keep, |holder| fail_for::<T>(&number, &holder)))
}

fn fail_for<T: SalesEntity>(number: &str, holder: &NumberHolder) -> NumberStep {
    NumberStep::Fail(held_number_failure(T::KIND, number, holder, None))
}

/// Returns the document in effect that has a number.
async fn find_holding_document<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
    number: &str,
) -> Result<Option<HoldingDocument>, AttemptError> {
    let found = T::find_by_numbers(&tenant_session.api, &[number]).await?;
    Ok(select_holding_document::<T>(tenant_session, task, &found.rows, number).await?)
}

async fn select_holding_document<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
    found: &[T::Remote],
    number: &str,
) -> Result<Option<HoldingDocument>, StoreError> {
    let url = T::document_url(tenant_session.engine.endpoints.crm.as_str(), &task.snapshot);
    let holding = found
        .iter()
        .map(SalesDocument::document_head)
        .find(|head| head.is_sales && !head.status.is_gone() && head.number == Some(number));
    let Some((id, is_marked)) = holding.map(|head| (head.id, is_marked(&head, url.as_deref())))
    else {
        return Ok(None);
    };
    let (store, ledger) = (&tenant_session.engine.store, &tenant_session.ledger);
    let Some(crm_id) = store.find_linked_record(ledger, T::KIND, id).await? else {
        return Ok(Some(HoldingDocument { id, holder: None, is_marked }));
    };
    let key = MappingKey::new(ledger.clone(), T::KIND, crm_id.clone());
    let row = store.find_mapping(&key).await?;
    let holder = row.map(|row| NumberHolder { crm_id, number: row.record.snapshot.natural_key });
    Ok(Some(HoldingDocument { id, holder, is_marked }))
}

/// Returns the failure of a document that was found to be foreign, with what the books know about it.
pub(super) async fn explain_foreign_document<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, T::Snapshot>,
    found: &[T::Remote],
    failure: Failure,
) -> Failure {
    let number = T::record_number(&task.snapshot);
    let holding = select_holding_document::<T>(tenant_session, task, found, &number);
    match holding.await {
        Ok(Some(HoldingDocument { id: _, holder: Some(holder), is_marked: _ })) => {
            add_explanation(&failure, held_number_failure(T::KIND, &number, &holder, None))
        }
        Ok(Some(HoldingDocument { id: _, holder: None, is_marked: true })) => {
            add_explanation(&failure, other_installation_failure(T::KIND, &number))
        }
        Ok(Some(_) | None) => failure,
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                account.id = %tenant_session.ledger.account,
                crm.id = %task.mapping.key.crm_id,
                "the record with the same number could not be read"
            );
            failure
        }
    }
}

/// Returns the failure with the sentence that describes the document, followed by the explanation.
fn add_explanation(failure: &Failure, explained: Failure) -> Failure {
    let message = format!("{} {}", failure.message, explained.message);
    Failure { message, ..explained }
}
