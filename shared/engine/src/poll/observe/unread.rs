//! Reads the invoices of changed payments, which the list of changed invoices did not show.

use std::collections::{BTreeMap, BTreeSet};

use domain::document::invoice::RemoteInvoice;
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::ids::{CrmId, XeroInvoiceId, XeroPaymentId};
use domain::invoice_payments::PaymentMatch;
use domain::mapping::Mapping;
use futures::FutureExt;
use xero::DecodedRows;

use super::mapping_key;
use crate::concurrency;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;
use crate::poll::isolation::{isolate_invoice, known_payments};
use crate::poll::read_by_ids::{find_invoices, read_by_ids};
use crate::poll::unreadable::report_unreadable_rows;

/// Returns those of these invoices that have to be read: with a change that could not be read, or
/// with a payment that differs from the known one.
pub(super) async fn find_unread(
    tenant_session: &TenantSession<'_>,
    invoices: &[(&XeroInvoiceId, &CrmId)],
    touched: &BTreeSet<XeroInvoiceId>,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<Vec<XeroInvoiceId>, PersistError> {
    let compared = invoices.iter().map(|(id, crm_id)| {
        let id = **id;
        async move {
            let is_unread = touched.contains(&id)
                || has_other_payment(tenant_session, id, crm_id, details).await?;
            Ok::<_, PersistError>(is_unread.then_some(id))
        }
        .boxed()
    });
    let compared = concurrency::map_concurrently(compared.collect()).await;
    let unread = compared.into_iter().collect::<Result<Vec<_>, PersistError>>()?;
    Ok(unread.into_iter().flatten().collect())
}

/// Reads invoices of ours, as many as one call takes, and returns those that Xero shows. The others
/// are marked as unseen, so that the next polls read them: their payments are not listed again.
/// An invoice whose row cannot be read is reported instead, if the row names it.
pub(super) async fn read_unread(
    tenant_session: &TenantSession<'_>,
    ids: &[XeroInvoiceId],
    ours: &BTreeMap<XeroInvoiceId, CrmId>,
) -> Result<Vec<(CrmId, RemoteInvoice)>, AttemptError> {
    let DecodedRows { rows, undecodable } =
        read_by_ids(&tenant_session.api, ids, find_invoices).await?;
    report_unreadable_rows(tenant_session, &undecodable).await?;
    let is_shown = |id: &XeroInvoiceId| {
        rows.iter().any(|one| one.id == *id) || undecodable.iter().any(|odd| odd.id == Some(id.0))
    };
    for id in ids {
        if !is_shown(id)
            && let Some(crm_id) = ours.get(id)
        {
            mark_as_unseen(tenant_session, crm_id).boxed().await?;
        }
    }
    let known = rows.into_iter();
    Ok(known.filter_map(|one| Some((ours.get(&one.id)?.clone(), one))).collect())
}

/// Records that the newest change of an invoice in Xero was not observed.
async fn mark_as_unseen(
    tenant_session: &TenantSession<'_>,
    crm_id: &CrmId,
) -> Result<(), PersistError> {
    let marked = async {
        let (store, key) = (&tenant_session.engine.store, mapping_key(tenant_session, crm_id));
        let unseen = |known: Option<Mapping>| known.map(Mapping::with_unobserved_change).ok_or(());
        store.update_mapping(&key, unseen).await.map_err(PersistError::from)
    };
    isolate_invoice(tenant_session, crm_id, marked.boxed()).await.map(drop)
}

/// Returns whether a payment on an invoice differs from the known one. Payments that were read
/// again because polls overlap do not.
async fn has_other_payment(
    tenant_session: &TenantSession<'_>,
    id: XeroInvoiceId,
    crm_id: &CrmId,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<bool, PersistError> {
    // Observing the invoice reports that its rows cannot be read.
    let Some(received) = known_payments(tenant_session, crm_id).await? else { return Ok(true) };
    let is_other = |payment: &RemotePayment| {
        let known = received.iter().find(|one| one.id == payment.id);
        let counts = known.is_some_and(|one| one.is != PaymentMatch::Removed);
        counts != (payment.status == MoneyStatus::Authorised)
    };
    Ok(details.values().filter(|one| one.invoice == Some(id)).any(is_other))
}
