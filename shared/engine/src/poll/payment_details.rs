//! The details of payments that an invoice lists: it lists them without their bank accounts.

use std::collections::{BTreeMap, BTreeSet};

use domain::chart::Chart;
use domain::document::invoice::{AppliedPayment, RemoteInvoice};
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::ids::{CrmId, XeroPaymentId};
use domain::invoice_payments::{PaymentMatch, ReceivedPayment};
use domain::money::Money;
use store::Store;

use super::isolation::known_payments;
use crate::connection::chart;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;

/// Whether each payment of an invoice is among the details or known from an earlier poll. An
/// invoice lists its payments without their bank accounts.
pub(super) async fn has_details(
    tenant_session: &TenantSession<'_>,
    crm_id: &CrmId,
    remote: &RemoteInvoice,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<bool, PersistError> {
    let unread = remote.settlement.payments.iter().filter(|one| !details.contains_key(&one.id));
    let unread = unread.map(|one| one.id).collect::<Vec<_>>();
    if unread.is_empty() {
        return Ok(true);
    }
    // Observing the invoice reports that its rows cannot be read.
    let Some(received) = known_payments(tenant_session, crm_id).await? else { return Ok(true) };
    let known: BTreeSet<XeroPaymentId> = received.iter().map(|one| one.id).collect();
    Ok(unread.iter().all(|id| known.contains(id)))
}

/// Returns the payments on these invoices whose accounts have to be named, which takes the chart.
pub(super) fn list_deposits<'d>(
    known: &[(CrmId, RemoteInvoice)],
    details: &'d BTreeMap<XeroPaymentId, RemotePayment>,
) -> Vec<&'d RemotePayment> {
    let paid = known.iter().flat_map(|(_, remote)| &remote.settlement.payments);
    paid.filter_map(|one| details.get(&one.id)).collect()
}

/// Returns the chart that names the accounts of these payments, from a store that may have read it
/// ahead. It is read from Xero again if an account is missing, unless that was done a moment ago.
pub(super) async fn load_chart_for_deposits(
    tenant_session: &TenantSession<'_>,
    store: &Store,
    deposits: &[&RemotePayment],
) -> Result<Chart, AttemptError> {
    let chart = chart::load_chart_from(tenant_session, store).await?;
    let is_named = |one: &&RemotePayment| {
        chart.find_deposit_account(one.account_id, one.account_code.as_deref()).is_some()
    };
    if deposits.iter().all(is_named) {
        return Ok(chart);
    }
    chart::load_recent_chart(tenant_session).await
}

/// Returns all payments of an invoice.
pub(super) fn collect_payments(
    tenant_session: &TenantSession<'_>,
    remote: &RemoteInvoice,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
    chart: Option<&Chart>,
) -> Vec<ReceivedPayment> {
    let one = |applied: &AppliedPayment| {
        let detail = details.get(&applied.id);
        if detail.is_some_and(|one| one.status == MoneyStatus::Deleted) {
            return None;
        }
        let account = detail.and_then(|one| {
            chart?.find_deposit_account(one.account_id, one.account_code.as_deref()).cloned()
        });
        let reference = detail.and_then(|one| one.reference.clone());
        let received = ReceivedPayment {
            id: applied.id,
            amount: Money::new(applied.amount, remote.total.currency),
            date: applied.date.or(detail.and_then(|one| one.date)),
            reference: reference.or_else(|| applied.reference.clone()),
            account,
            batch: detail.and_then(|one| one.batch),
            is: PaymentMatch::Imported,
            seen_at: tenant_session.engine.clock.now(),
            compared_with: Vec::new(),
        };
        Some(received.with_clipped_texts())
    };
    remote.settlement.payments.iter().filter_map(one).collect()
}
