//! The prerequisites of payment parts: the invoice in Xero, or the client's contact.

use bytes::Bytes;
use domain::crm::credit_note::negative_invoice_record_id;
use domain::crm::payment::{PartRole, PaymentPart, PaymentRecordStatus, RefundSource};
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::idempotency::IdempotencyKey;
use domain::ids::{CrmId, InvoiceId, Ledger, XeroContactId, XeroCreditNoteId, XeroInvoiceId};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Currency;
use futures::FutureExt;
use store::ReadAheadKeys;

use super::PaymentTasks;
use super::invoice_client::{find_client, require_contact};
use super::refund_limit::admit_refund;
use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::prerequisite::{
    fetch_credit_note_currency, fetch_invoice_currency, gone_document_failure,
    missing_prerequisite_error, read_prerequisite, require_invoice, unapproved_invoice_error,
    unlinked_prerequisite_error,
};
use crate::sync::write::WriteSubject;
use crate::sync::{SyncTask, WriteState, select_unfinished_tasks};

/// The prerequisite of a part.
#[derive(Debug, Clone, Copy)]
pub(super) enum PaymentPrerequisite {
    /// The invoice that the part pays.
    Invoice(XeroInvoiceId),
    /// The contact that paid the surcharge.
    Contact(XeroContactId),
    /// The contact whose invoice is refunded.
    RefundedContact(XeroContactId),
    /// The credit note that is refunded.
    CreditNote(XeroCreditNoteId),
    /// No prerequisite. A fee has none.
    None,
}

/// A task with its prerequisite.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartWithPrerequisite<'a> {
    pub(super) task: &'a SyncTask<'a, PaymentPart>,
    pub(super) prerequisite: PaymentPrerequisite,
}

impl WriteSubject for PartWithPrerequisite<'_> {
    fn write_key(&self, body: &Bytes) -> IdempotencyKey {
        self.task.idempotency_key(body)
    }

    fn writes(&self) -> &WriteState {
        self.task.writes
    }
}

/// Returns all parts that are to be in Xero with their prerequisites. A part whose prerequisite is
/// missing gets a blocked outcome.
pub(super) async fn require_prerequisites<'a>(
    tenant_session: &TenantSession<'_>,
    tasks: &'a PaymentTasks<'a>,
) -> Vec<PartWithPrerequisite<'a>> {
    let ledger = &tenant_session.ledger;
    let wanted = select_unfinished_tasks(tasks, |task| {
        task.snapshot.standing == PaymentRecordStatus::Recorded
    });
    let with_invoices = read_invoices_ahead(tenant_session, &wanted).await;
    let with_contacts = read_contacts_ahead(&with_invoices, ledger, &wanted).await;
    let mut parts = Vec::new();
    for task in wanted {
        let found = require_prerequisite(tenant_session, &with_contacts, &task.snapshot).boxed();
        match found.await {
            Ok(prerequisite) => parts.push(PartWithPrerequisite { task, prerequisite }),
            Err(error) => task.set_outcome(Err(error)),
        }
    }
    parts
}

/// Returns the invoice on which a part depends.
pub(crate) fn find_paid_invoice(ledger: &Ledger, part: &PaymentPart) -> Option<MappingKey> {
    match &part.role {
        PartRole::Invoice(id) | PartRole::Surcharge(id) | PartRole::RefundNote(id) => {
            Some(MappingKey::new(ledger.clone(), EntityKind::Invoice, id.clone().into()))
        }
        PartRole::Fee | PartRole::Refund(_) | PartRole::RefundFee => None,
    }
}

/// Returns an engine with the invoices of the parts read ahead. The invoice of a surcharge is read
/// twice: it also says who the client is.
async fn read_invoices_ahead(
    tenant_session: &TenantSession<'_>,
    tasks: &[&SyncTask<'_, PaymentPart>],
) -> Box<Engine> {
    let mut rows = ReadAheadKeys::default();
    for task in tasks {
        let Some(invoice) = find_paid_invoice(&tenant_session.ledger, &task.snapshot) else {
            continue;
        };
        rows.add_mapping(&invoice);
        if matches!(task.snapshot.role, PartRole::Surcharge(_)) {
            rows.add_mapping(&invoice);
        }
    }
    tenant_session.engine.with_rows_read_ahead(rows).await
}

/// Returns an engine with the clients of surcharges read ahead, if there are several surcharges.
async fn read_contacts_ahead(
    engine: &Engine,
    ledger: &Ledger,
    tasks: &[&SyncTask<'_, PaymentPart>],
) -> Box<Engine> {
    let invoices = tasks.iter().filter_map(|task| match &task.snapshot.role {
        PartRole::Surcharge(id) => Some(CrmId::from(id.clone())),
        PartRole::Invoice(_)
        | PartRole::Fee
        | PartRole::RefundNote(_)
        | PartRole::Refund(_)
        | PartRole::RefundFee => None,
    });
    let invoices = invoices.collect::<Vec<_>>();
    let mut rows = ReadAheadKeys::default();
    if invoices.len() > 1 {
        for id in invoices {
            // An error is the outcome of the part when the row is read for it.
            let invoice = read_prerequisite(engine, ledger, EntityKind::Invoice, id).await;
            if let Some(client) = invoice.ok().flatten().as_ref().and_then(find_client) {
                rows.add_mapping(&MappingKey::new(ledger.clone(), EntityKind::Contact, client));
            }
        }
    }
    engine.with_rows_read_ahead(rows).await
}

/// Returns the prerequisite with which a part may have been sent. `None` if it cannot have been
/// sent. The invoice is read after the claim, not ahead: another process may have sent it since, and
/// the part as well.
pub(super) async fn find_prerequisite(
    tenant_session: &TenantSession<'_>,
    part: &PaymentPart,
) -> Result<Option<PaymentPrerequisite>, AttemptError> {
    match &part.role {
        PartRole::Fee
        | PartRole::Surcharge(_)
        | PartRole::RefundNote(_)
        | PartRole::Refund(_)
        | PartRole::RefundFee => Ok(Some(PaymentPrerequisite::None)),
        PartRole::Invoice(id) => {
            let engine = tenant_session.engine.without_read_ahead();
            let ledger = &tenant_session.ledger;
            let invoice =
                read_prerequisite(&engine, ledger, EntityKind::Invoice, id.clone().into()).await?;
            let link = invoice.and_then(|invoice| invoice.link);
            Ok(link.map(|link| PaymentPrerequisite::Invoice(XeroInvoiceId(link.xero_id.0))))
        }
    }
}

/// Returns the error of a part whose invoice is not in Xero yet.
pub(super) fn missing_invoice_error(part: &PaymentPart) -> AttemptError {
    let (PartRole::Invoice(id) | PartRole::Surcharge(id)) = &part.role else {
        return missing_prerequisite_error(EntityKind::Payment, part.id.clone());
    };
    missing_prerequisite_error(EntityKind::Invoice, id.clone())
}

async fn require_prerequisite(
    tenant_session: &TenantSession<'_>,
    engine: &Engine,
    part: &PaymentPart,
) -> Result<PaymentPrerequisite, AttemptError> {
    let ledger = &tenant_session.ledger;
    match &part.role {
        PartRole::Fee | PartRole::RefundFee => Ok(PaymentPrerequisite::None),
        PartRole::Invoice(id) => {
            let invoice = require_invoice(engine, ledger, id.clone().into()).await?;
            let paid = require_payable_invoice(tenant_session, id, &invoice, part).await?;
            Ok(PaymentPrerequisite::Invoice(paid))
        }
        PartRole::Surcharge(id) => {
            let invoice = require_invoice(engine, ledger, id.clone().into()).await?;
            let contact = require_contact(engine, ledger, id, &invoice).await?;
            Ok(PaymentPrerequisite::Contact(contact))
        }
        PartRole::RefundNote(id) => {
            let invoice = require_invoice(engine, ledger, id.clone().into()).await?;
            if invoice.link.is_none() {
                let kind = EntityKind::Invoice;
                return Err(unlinked_prerequisite_error(kind, id.clone(), &invoice));
            }
            if invoice.is_gone_in_xero() {
                return Err(gone_document_failure(&invoice, "it cannot be refunded").into());
            }
            if invoice.is_unapproved_in_xero() {
                return Err(unapproved_invoice_error(&invoice));
            }
            let contact = require_contact(engine, ledger, id, &invoice).await?;
            admit_refund(tenant_session, &invoice, contact, part).await?;
            Ok(PaymentPrerequisite::RefundedContact(contact))
        }
        PartRole::Refund(source) => {
            let note = require_credit_note(tenant_session, engine, source, part).await?;
            Ok(PaymentPrerequisite::CreditNote(note))
        }
    }
}

/// Returns the invoice in Xero that a share pays, if it may be paid in the share's currency.
async fn require_payable_invoice(
    tenant_session: &TenantSession<'_>,
    id: &InvoiceId,
    invoice: &Mapping,
    part: &PaymentPart,
) -> Result<XeroInvoiceId, AttemptError> {
    if invoice.is_gone_in_xero() {
        return Err(gone_document_failure(invoice, "it cannot be paid").into());
    }
    if invoice.is_unapproved_in_xero() {
        return Err(unapproved_invoice_error(invoice));
    }
    let link = invoice
        .link
        .as_ref()
        .ok_or_else(|| unlinked_prerequisite_error(EntityKind::Invoice, id.clone(), invoice))?;
    let xero_id = XeroInvoiceId(link.xero_id.0);
    let currency = match &link.amounts {
        Some(amounts) => Some(amounts.xero_total.currency),
        None => fetch_invoice_currency(tenant_session, xero_id).await?,
    };
    require_same_currency(invoice, currency, part)?;
    Ok(xero_id)
}

/// Returns the credit note that a refund pays back: the refund's own, or one of the CRM.
async fn require_credit_note(
    tenant_session: &TenantSession<'_>,
    engine: &Engine,
    source: &RefundSource,
    part: &PaymentPart,
) -> Result<XeroCreditNoteId, AttemptError> {
    let ledger = &tenant_session.ledger;
    let (kind, id) = match source {
        RefundSource::Part(id) => (EntityKind::Payment, id.clone()),
        RefundSource::CreditNote(id) => (EntityKind::CreditNote, CrmId::from(id.clone())),
    };
    let mut found = read_prerequisite(engine, ledger, kind, id.clone()).await?;
    if found.is_none() && kind == EntityKind::CreditNote {
        let of_invoice = negative_invoice_record_id(&id);
        found = read_prerequisite(engine, ledger, kind, of_invoice).await?;
    }
    let note = found.ok_or_else(|| missing_prerequisite_error(kind, id.clone()))?;
    if note.is_gone_in_xero() {
        return Err(gone_document_failure(&note, "it cannot be refunded").into());
    }
    let link = note.link.as_ref().ok_or_else(|| unlinked_prerequisite_error(kind, id, &note))?;
    let xero_id = XeroCreditNoteId(link.xero_id.0);
    let currency = match (&link.amounts, source) {
        (Some(amounts), _) => Some(amounts.xero_total.currency),
        // The refund's own credit note was written in the currency of the refund.
        (None, RefundSource::Part(_)) => None,
        (None, RefundSource::CreditNote(_)) => {
            fetch_credit_note_currency(tenant_session, xero_id).await?
        }
    };
    require_same_currency(&note, currency, part)?;
    Ok(xero_id)
}

/// Refuses a part in another currency than its document in Xero, if that one is known.
fn require_same_currency(
    document: &Mapping,
    in_xero: Option<Currency>,
    part: &PaymentPart,
) -> Result<(), Failure> {
    match in_xero {
        Some(currency) if currency != part.amount.currency => {
            Err(currency_mismatch_failure(document, currency, part))
        }
        Some(_) | None => Ok(()),
    }
}

fn currency_mismatch_failure(invoice: &Mapping, currency: Currency, part: &PaymentPart) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        "payment_currency_differs",
        format!(
            "{} is in {currency}; Xero does not accept a payment of {} on it.",
            invoice.snapshot.natural_key, part.amount
        ),
        "Record the payment in the invoice's currency.",
    )
}
