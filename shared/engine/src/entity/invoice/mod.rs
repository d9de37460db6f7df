//! Invoices to sales invoices.

mod void;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::invoice::{Invoice as Snapshot, Standing};
use domain::document::invoice::{InvoiceDocument, InvoiceStatus, NewStatus, RemoteInvoice};
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, XeroContactId, XeroInvoiceId};
use domain::mapping::{Amounts, Link, MappingKey};
use domain::money::Money;
use domain::operation::{Parking, State};
use domain::recognise::{self, ExpectedInvoice, FoundInvoice};
use domain::sync_log::LoggedOperation;
use domain::totals;
use domain::translate::Translated;
use domain::translate::invoice::{Context, crm_url, translate};
use jiff::SignedDuration;
use xero::XeroError;
use xero::api::invoices;

use super::{Brought, Contact, Entity, Task, only};
use crate::chart;
use crate::desk::{Desk, Trouble};
use crate::push;

/// When to look again for a client that somebody else is just pushing.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// Invoices to sales invoices.
#[derive(Debug)]
pub struct Invoice;

#[async_trait]
impl Entity for Invoice {
    const KIND: EntityKind = EntityKind::Invoice;
    type Snapshot = Snapshot;

    fn id(invoice: &Snapshot) -> CrmId {
        invoice.id.clone().into()
    }

    fn revision(invoice: &Snapshot) -> Revision {
        invoice.revision
    }

    fn number(invoice: &Snapshot) -> String {
        invoice.number.clone()
    }

    /// The contact first. An invoice that is linked is updated, or merely looked at when Xero has this
    /// revision already; otherwise it is created, after a look for what an unanswered try may have left.
    async fn bring(desk: &Desk<'_>, task: Task<'_, Snapshot>) -> Result<Brought, Trouble> {
        if task.snapshot.standing == Standing::Voided {
            return void::void(desk, &task).await;
        }
        let contact = contact(desk, task.snapshot).await?;
        if let Some(link) = &task.mapping.link {
            let id = XeroInvoiceId(link.xero_id.0);
            if task.mapping.synced_revision == Some(task.snapshot.revision) {
                return look(desk, &task, id).await;
            }
            let target = Target { id, status: None };
            return update(desk, &task, contact, target, LoggedOperation::Update).await;
        }
        if task.must_resolve()
            && let Some(brought) = resolve(desk, &task, contact).await?
        {
            return Ok(brought);
        }
        match create(desk, &task, contact).await {
            Err(Trouble::Xero(error @ XeroError::NotUnique { .. })) => {
                match resolve(desk, &task, contact).await {
                    Ok(found) => found.ok_or(Trouble::Xero(error)),
                    Err(Trouble::Failure(failure)) => Err(Trouble::Explained(failure)),
                    Err(trouble) => Err(trouble),
                }
            }
            result => result,
        }
    }
}

/// The contact of the invoice's client, pushed first if it is not in Xero yet.
async fn contact(desk: &Desk<'_>, invoice: &Snapshot) -> Result<XeroContactId, Trouble> {
    let crm_id = CrmId::from(invoice.client_id.clone());
    let key = MappingKey {
        ledger: desk.ledger.clone(),
        kind: EntityKind::Contact,
        crm_id: crm_id.clone(),
    };
    let store = &desk.engine.store;
    let mut row = store.mapping(&key).await?;
    if row.as_ref().is_some_and(|row| row.record.link.is_none()) {
        push::push::<Contact>(desk.engine, &key, None, desk.urgency, desk.invocation).await?;
        row = store.mapping(&key).await?;
    }
    let mapping = row.map(|row| row.record);
    if let Some(link) = mapping.as_ref().and_then(|mapping| mapping.link.as_ref()) {
        return Ok(XeroContactId(link.xero_id.0));
    }
    let operation = mapping.map(|mapping| mapping.operation);
    let why = operation.as_ref().and_then(|operation| operation.failure.clone());
    let told = why.map(|failure| format!(" {failure}")).unwrap_or_default();
    let blocked = Failure::new(
        FailureClass::Blocked,
        "client_not_in_xero",
        format!("The client {} is not in Xero yet.{told}", invoice.client_id),
        "",
    );
    let failure = match operation.map(|operation| operation.state) {
        Some(State::Waiting { until }) => blocked.not_before(until),
        // Somebody is pushing the client right now: long before the lease ends it will be there.
        Some(State::Claimed { by: _, until }) => {
            let soon = desk.engine.clock.now().saturating_add(LOOK_AGAIN);
            blocked.not_before(soon.map_or(until, |soon| soon.min(until)))
        }
        Some(State::Due | State::Parked { on: _ } | State::Synced | State::Skipped) | None => {
            blocked
        }
    };
    let on = Parking::Prerequisite { kind: EntityKind::Contact, crm_id };
    Err(Trouble::Blocked { failure, on })
}

/// The invoice as a document, by the chart as last read; by the chart as it is now when that one
/// says no, since a person may just have added the account or the tax rate.
async fn document(
    desk: &Desk<'_>,
    invoice: &Snapshot,
    contact: XeroContactId,
    existing: Option<XeroInvoiceId>,
) -> Result<Translated<InvoiceDocument>, Trouble> {
    let codes = desk.engine.store.account_codes(&desk.ledger.account).await?;
    let crm = desk.engine.places.crm.as_str();
    let chart = chart::known(desk).await?;
    let context = Context { contact, codes: &codes, chart: &chart, crm_url: crm };
    let refused = match translate(invoice, existing, context) {
        Ok(translated) => return Ok(translated),
        Err(failure) => failure,
    };
    if chart.read_at >= desk.engine.clock.now() {
        return Err(refused.into());
    }
    let chart = chart::current(desk).await?;
    Ok(translate(invoice, existing, Context { chart: &chart, ..context })?)
}

async fn create(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    contact: XeroContactId,
) -> Result<Brought, Trouble> {
    let translated = document(desk, task.snapshot, contact, None).await?;
    let documents = [translated.document];
    let key = task.idempotency_key(&invoices::body(&documents));
    let written = invoices::create(&desk.session, &documents, &key).await?;
    let (remote, warnings) = only(written)?;
    let remarks = translated.warnings.into_iter().chain(warnings).collect();
    Ok(brought(task.snapshot, &remote, LoggedOperation::Create, remarks))
}

/// An invoice to be updated.
#[derive(Debug, Clone, Copy)]
struct Target {
    id: XeroInvoiceId,
    /// The status to give it, if it has to change.
    status: Option<NewStatus>,
}

/// Xero has this revision already: somebody wants to know how it stands there. Nothing is written, so
/// that a paid invoice, or one in a closed period, stays as it is.
async fn look(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    id: XeroInvoiceId,
) -> Result<Brought, Trouble> {
    let remote = invoices::get(&desk.session, id).await?;
    let Some(remote) = remote else { return Err(gone_without_trace(task.snapshot).into()) };
    let remarks = told_if_gone(&remote).into_iter().collect();
    Ok(brought(task.snapshot, &remote, LoggedOperation::Push, remarks))
}

fn gone_without_trace(invoice: &Snapshot) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "document_missing",
        format!("{} is no longer in Xero.", invoice.number),
        "Check in Xero what became of it.",
    )
}

fn told_if_gone(remote: &RemoteInvoice) -> Option<String> {
    let status = remote.status.as_str();
    remote.status.is_gone().then(|| format!("In Xero it is {status}: it no longer counts there."))
}

async fn update(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    contact: XeroContactId,
    target: Target,
    operation: LoggedOperation,
) -> Result<Brought, Trouble> {
    let translated = document(desk, task.snapshot, contact, Some(target.id)).await?;
    let documents = [InvoiceDocument { status: target.status, ..translated.document }];
    let key = task.idempotency_key(&invoices::body(&documents));
    let written = invoices::update(&desk.session, &documents, &key).await?;
    let (remote, warnings) = only(written)?;
    let remarks = translated.warnings.into_iter().chain(warnings).collect();
    Ok(brought(task.snapshot, &remote, operation, remarks))
}

/// Looks the invoice up by its number: ours is adopted, somebody else's refused, none is none.
async fn resolve(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    contact: XeroContactId,
) -> Result<Option<Brought>, Trouble> {
    let remote = match find(desk, task, contact).await? {
        FoundInvoice::Nothing => return Ok(None),
        FoundInvoice::Foreign(failure) => return Err(failure.into()),
        FoundInvoice::Ours(remote) => remote,
    };
    // What was found may be of an older snapshot. An update settles that, where one is still allowed.
    let untouched = remote.amount_due == remote.total;
    let open = matches!(
        remote.status,
        InvoiceStatus::Draft | InvoiceStatus::Submitted | InvoiceStatus::Authorised
    );
    if open && untouched {
        // What we make is approved; so is what we take over.
        let draft = remote.status != InvoiceStatus::Authorised;
        let target = Target { id: remote.id, status: draft.then_some(NewStatus::Authorised) };
        return update(desk, task, contact, target, LoggedOperation::Adopt).await.map(Some);
    }
    let remarks = told_if_gone(&remote).into_iter().collect();
    Ok(Some(brought(task.snapshot, &remote, LoggedOperation::Adopt, remarks)))
}

async fn find(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
    contact: XeroContactId,
) -> Result<FoundInvoice, XeroError> {
    let invoice = task.snapshot;
    let numbers = task.mapping.natural_keys().collect::<Vec<_>>();
    let found = invoices::find_by_numbers(&desk.session, &numbers).await?;
    let url = crm_url(desk.engine.places.crm.as_str(), &invoice.id);
    let total = Money::new(totals::of(invoice).total, invoice.currency);
    let number = &invoice.number;
    let expected = ExpectedInvoice { number, numbers: &numbers, url: &url, contact, total };
    Ok(recognise::invoice(&found, expected))
}

fn brought(
    invoice: &Snapshot,
    remote: &RemoteInvoice,
    operation: LoggedOperation,
    mut remarks: Vec<String>,
) -> Brought {
    let amounts = Amounts::observed(invoice.billed(), remote);
    if let Some(difference) = amounts.difference() {
        remarks.push(format!(
            "The totals differ: {} in Xero, {} in the CRM ({}). Xero rounds the tax of each line.",
            amounts.xero_total, amounts.crm_total, difference.amount,
        ));
    }
    let link = Link {
        xero_id: remote.id.into(),
        number: remote.number.clone(),
        xero_updated_at: remote.updated_at,
        amounts: Some(amounts),
    };
    Brought { link: Some(link), operation, remarks }
}
