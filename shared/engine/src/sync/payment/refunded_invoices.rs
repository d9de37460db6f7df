//! Reads the invoices whose money is returned, as the CRM sent them and as Xero has them.

use std::collections::{BTreeMap, BTreeSet};

use domain::crm::invoice::Invoice as InvoiceSnapshot;
use domain::crm::payment::PartRole;
use domain::document::invoice::RemoteLine;
use domain::entity::EntityKind;
use domain::ids::{InvoiceId, XeroInvoiceId};
use xero::api::invoices;
use xero::{DecodedRows, XeroError};

use super::invoice_client::read_invoice_snapshot;
use super::prerequisites::PartWithPrerequisite;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::fail_tasks;
use crate::sync::prerequisite::read_prerequisite;

/// An invoice whose money is returned.
#[derive(Debug)]
pub(super) struct RefundedInvoice {
    /// The invoice as the CRM sent it.
    pub(super) snapshot: InvoiceSnapshot,
    /// Its lines in Xero.
    pub(super) lines_in_xero: Vec<RemoteLine>,
}

/// Returns the invoices whose money these parts return. If one cannot be read from Xero, its parts
/// get an outcome, because the accounts of its money are unknown. One that Xero no longer has
/// is returned without lines: its money is booked nowhere, so the usual rules choose the accounts.
pub(super) async fn read_refunded_invoices(
    tenant_session: &TenantSession<'_>,
    parts: &[PartWithPrerequisite<'_>],
) -> Result<BTreeMap<InvoiceId, RefundedInvoice>, AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let (mut refunded, mut sought) = (BTreeMap::new(), Vec::new());
    for part in parts {
        let PartRole::RefundNote(id) = &part.task.snapshot.role else { continue };
        let known = read_prerequisite(engine, ledger, EntityKind::Invoice, id.clone().into());
        let Some(known) = known.await? else { continue };
        let Some(snapshot) = read_invoice_snapshot(&known) else { continue };
        let invoice = RefundedInvoice { snapshot, lines_in_xero: Vec::new() };
        refunded.insert(id.clone(), invoice);
        if let Some(link) = &known.link {
            sought.push((part.task, id, XeroInvoiceId(link.xero_id.0)));
        }
    }
    if sought.is_empty() {
        return Ok(refunded);
    }
    let ids = sought.iter().map(|(_, _, xero_id)| *xero_id).collect::<BTreeSet<_>>();
    let ids = ids.into_iter().collect::<Vec<_>>();
    let DecodedRows { rows, undecodable } =
        match invoices::find_by_ids(&tenant_session.api, &ids).await {
            Ok(found) => found,
            Err(error) => {
                fail_tasks(sought.into_iter().map(|(task, _, _)| task), &error.into());
                return Ok(refunded);
            }
        };
    for (task, id, xero_id) in sought {
        let remote = rows.iter().find(|remote| remote.id == xero_id);
        let odd = undecodable.iter().find(|odd| odd.may_belong_to(xero_id.0));
        match (remote, odd, refunded.get_mut(id)) {
            (Some(remote), _, Some(invoice)) => invoice.lines_in_xero.clone_from(&remote.lines),
            (None, Some(odd), _) => task.set_outcome(Err(XeroError::from(odd).into())),
            (Some(_), _, None) | (None, None, _) => {}
        }
    }
    Ok(refunded)
}
