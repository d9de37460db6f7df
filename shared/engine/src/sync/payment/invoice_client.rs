//! The client of an invoice, to whom a surcharge or a refund belongs.

use domain::crm::invoice::Invoice as InvoiceSnapshot;
use domain::entity::EntityKind;
use domain::ids::{CrmId, InvoiceId, Ledger, XeroContactId};
use domain::mapping::Mapping;

use crate::Engine;
use crate::connection::tenant_session::AttemptError;
use crate::sync::prerequisite::{
    missing_prerequisite_error, read_prerequisite, unlinked_prerequisite_error,
};

/// Returns the invoice as the CRM sent it, or `None` if its row does not have it in readable form.
pub(super) fn read_invoice_snapshot(invoice: &Mapping) -> Option<InvoiceSnapshot> {
    invoice.snapshot.parse_text().ok()
}

/// Returns the client of an invoice. `None` if its snapshot cannot be read.
pub(super) fn find_client(invoice: &Mapping) -> Option<CrmId> {
    read_invoice_snapshot(invoice).map(|snapshot| snapshot.client_id.into())
}

/// Returns the contact of an invoice's client.
pub(super) async fn require_contact(
    engine: &Engine,
    ledger: &Ledger,
    id: &InvoiceId,
    invoice: &Mapping,
) -> Result<XeroContactId, AttemptError> {
    let client = find_client(invoice)
        .ok_or_else(|| missing_prerequisite_error(EntityKind::Invoice, id.clone()))?;
    let contact = read_prerequisite(engine, ledger, EntityKind::Contact, client.clone()).await?;
    let Some(contact) = contact else {
        return Err(missing_prerequisite_error(EntityKind::Contact, client));
    };
    match &contact.link {
        Some(link) => Ok(XeroContactId(link.xero_id.0)),
        None => Err(unlinked_prerequisite_error(EntityKind::Contact, client, &contact)),
    }
}
