//! Finds given-up records that may continue although no list of changes says so: parts of payments,
//! refunds, and the records of clients whose contacts were archived.
//!
//! Xero does not change an invoice when the reconciliation of one of its payments is undone, and its
//! documentation leaves open whether the payment's own instant changes. So the poll looks at the
//! changed payments that it reads anyway, and once a day Xero is asked for each payment and bank
//! transaction that it did not remove. The credit notes of refunds are in no list of the poll: once a
//! day those of invoices with a refused refund are read. Neither are contacts: once a day those are
//! read because of which records of their clients were given up.
//!
//! If there are many stopped records, Xero is asked about some of them each day. They are found in
//! the list of all given-up records, and the progress of the poll keeps where the next day begins.
//! So Xero is asked about each of them in time, even if there are many newer records of other
//! kinds.

mod archived_contacts;
mod questions;

use std::collections::BTreeMap;

use domain::call_budget::CallPriority;
use domain::document::payment::RemotePayment;
use domain::entity::EntityKind;
use domain::ids::{XeroBankTransactionId, XeroPaymentId};
use domain::mapping::MappingKey;
use domain::poll::PollProgress;
use futures::FutureExt;
use futures::future::BoxFuture;
use store::ReadAheadKeys;
use store::table::PageCursor;
use xero::api::{bank_transactions, payments};
use xero::{ApiSession, DecodedRows, XeroError};

use self::archived_contacts::release_restored_clients;
use self::questions::{DailyQuestions, collect_questions};
use super::isolation::is_about_one_document;
use super::list_failures::ListFailures;
use super::read_by_ids::read_by_ids;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::refresh_refunds;
use crate::sync::release::{ReleaseTiming, release_if_reason_has_passed, release_refused_removals};

/// Releases the removals that Xero refused because these payments were reconciled or part of a batch
/// payment, if they no longer are. Costs nothing for payments that the integration did not write.
pub(super) async fn release_removals_of<'p>(
    tenant_session: &TenantSession<'_>,
    changed: impl IntoIterator<Item = &'p RemotePayment>,
) -> Result<(), PersistError> {
    let removable = changed.into_iter().filter(|one| one.is_removable() && one.has_reference_tag());
    let removable = removable.map(|one| one.id).collect::<Vec<XeroPaymentId>>();
    if removable.is_empty() {
        return Ok(());
    }
    let (engine, ledger, kind) =
        (tenant_session.engine, &tenant_session.ledger, EntityKind::Payment);
    let mut links = ReadAheadKeys::default();
    for id in &removable {
        links.add_linked_record(ledger, kind, (*id).into());
    }
    let ahead = engine.with_rows_read_ahead(links).await;
    let (mut keys, mut rows) = (Vec::new(), ReadAheadKeys::default());
    for id in removable {
        let linked = ahead.store.find_linked_record(ledger, kind, id.into());
        let owner = engine.skip_failing(&ledger.account, linked).await?.flatten();
        let Some(crm_id) = owner else { continue };
        let key = MappingKey::new(ledger.clone(), kind, crm_id);
        rows.add_mapping(&key);
        keys.push(key);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    release_refused_removals(&ahead, ledger, keys).boxed().await
}

/// Asks Xero about the given-up parts of payments, refunds, and records of clients with archived
/// contacts, and releases those that may continue. Makes no call if there are none. Those beyond the
/// limits of a day follow on the next days: `progress` is set to where the next day begins. If the
/// remaining calls are reserved for more urgent work, that place stays, and the caller repeats the
/// questions. After any other failure the next day continues, so that a question that always fails
/// does not prevent the others. Repeating it does no harm.
pub(super) async fn check_stopped_records(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
) -> Result<(), AttemptError> {
    let start = progress.stopped_payments_after.clone().map(PageCursor::at_sort_key);
    let (questions, next) = collect_questions(tenant_session, start.as_ref()).boxed().await?;
    let asked = ask_questions(tenant_session, &questions).boxed().await;
    if !asked.as_ref().is_err_and(AttemptError::is_not_permitted) {
        progress.stopped_payments_after = next.map(|place| place.sort_key().to_owned());
    }
    asked
}

/// Asks the questions of a day, and releases what may continue after each kind of them. If Xero fails
/// to answer those of one kind, the others are asked, and the failure is returned at the end.
async fn ask_questions(
    tenant_session: &TenantSession<'_>,
    questions: &DailyQuestions,
) -> Result<(), AttemptError> {
    if questions.is_empty() {
        return Ok(());
    }
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let patient = tenant_session.session_with_priority(CallPriority::Verification);
    let mut failures = ListFailures::new(ledger);
    let found = find_removable_payments(&patient, &questions.payments).boxed().await;
    let removable = failures.keep_failure("/Payments", found)?;
    release_refused_removals(engine, ledger, removable).boxed().await?;
    let transactions = &questions.transactions;
    let found = find_removable_transactions(&patient, transactions).boxed().await;
    let removable = failures.keep_failure("/BankTransactions", found)?;
    release_refused_removals(engine, ledger, removable).boxed().await?;
    for refused in &questions.refunds {
        match refresh_refunds(tenant_session, &patient, refused).boxed().await {
            // Code that needs the unreadable row itself reports it.
            Err(AttemptError::Persist(error)) if error.is_about_the_record() => continue,
            Err(AttemptError::Xero(error)) if is_about_one_document(&error) => {
                warn_unanswered(&refused.key, &error);
                continue;
            }
            refreshed => failures.keep_failure("/CreditNotes", refreshed)?,
        }
        release_if_reason_has_passed(engine, refused, ReleaseTiming::AtOnce).boxed().await?;
    }
    let clients = &questions.clients;
    release_restored_clients(engine, &patient, clients, &mut failures).boxed().await?;
    failures.into_result(())
}

/// Returns the parts with those of these payments that Xero may remove now.
async fn find_removable_payments(
    session: &ApiSession,
    asked: &BTreeMap<XeroPaymentId, MappingKey>,
) -> Result<Vec<MappingKey>, AttemptError> {
    let ids = asked.keys().copied().collect::<Vec<_>>();
    let found = read_by_ids(session, &ids, find_payments).await?;
    let found = found.rows.iter().filter(|payment| payment.is_removable());
    Ok(found.filter_map(|payment| asked.get(&payment.id).cloned()).collect())
}

fn find_payments<'s>(
    session: &'s ApiSession,
    ids: &'s [XeroPaymentId],
) -> BoxFuture<'s, Result<DecodedRows<RemotePayment>, XeroError>> {
    payments::find_by_ids(session, ids).boxed()
}

/// Returns the parts with those of these bank transactions that Xero may remove now. One that Xero
/// does not show is left out.
async fn find_removable_transactions(
    session: &ApiSession,
    asked: &[(XeroBankTransactionId, MappingKey)],
) -> Result<Vec<MappingKey>, AttemptError> {
    let mut removable = Vec::new();
    for (id, key) in asked {
        match bank_transactions::get(session, *id).await {
            Ok(Some(transaction)) if transaction.is_removable() => removable.push(key.clone()),
            Ok(Some(_) | None) => {}
            Err(error) if is_about_one_document(&error) => warn_unanswered(key, &error),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(removable)
}

fn warn_unanswered(key: &MappingKey, error: &XeroError) {
    tracing::warn!(
        error = %ErrorChain(error),
        account.id = %key.ledger.account,
        crm.id = %key.crm_id,
        "Xero did not show the document of a stopped payment; the others are checked"
    );
}
