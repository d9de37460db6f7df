//! The prerequisites of payment parts: the invoice in Xero, or the client's contact.

use bytes::Bytes;
use domain::crm::invoice::Invoice as InvoiceSnapshot;
use domain::crm::payment::{PaymentPart, Role, Standing};
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::idempotency::IdempotencyKey;
use domain::ids::{CrmId, InvoiceId, XeroContactId, XeroInvoiceId};
use domain::mapping::Mapping;
use domain::money::Currency;

use super::Tasks;
use crate::desk::{Desk, Trouble};
use crate::entity::prerequisite::{blocked, gone, read};
use crate::entity::write::WriteSubject;
use crate::entity::{Task, WriteState, open};

/// The prerequisite of a part.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ground {
    /// The invoice that the part pays.
    Invoice(XeroInvoiceId),
    /// The contact that paid the surcharge.
    Contact(XeroContactId),
    /// No prerequisite. A fee has none.
    None,
}

/// A task with its prerequisite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) task: &'a Task<'a, PaymentPart>,
    pub(super) ground: Ground,
}

impl WriteSubject for Part<'_> {
    fn key(&self, body: &Bytes) -> IdempotencyKey {
        self.task.idempotency_key(body)
    }

    fn writes(&self) -> &WriteState {
        self.task.writes
    }
}

/// Returns all parts that are to be in Xero with their prerequisites. A part whose prerequisite is
/// missing gets a blocked outcome.
pub(super) async fn of<'a>(desk: &Desk<'_>, tasks: &'a Tasks<'a>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for task in open(tasks, |task| task.snapshot.standing == Standing::Recorded) {
        match ground(desk, &task.snapshot).await {
            Ok(ground) => parts.push(Part { task, ground }),
            Err(trouble) => task.finish(Err(trouble)),
        }
    }
    parts
}

/// Returns the prerequisite with which a part may have been sent. `None` if it cannot have been
/// sent.
pub(super) async fn known(desk: &Desk<'_>, part: &PaymentPart) -> Result<Option<Ground>, Trouble> {
    match &part.role {
        Role::Fee | Role::Surcharge(_) => Ok(Some(Ground::None)),
        Role::Invoice(id) => {
            let invoice = read(desk, EntityKind::Invoice, id.clone().into()).await?;
            let link = invoice.and_then(|invoice| invoice.link);
            Ok(link.map(|link| Ground::Invoice(XeroInvoiceId(link.xero_id.0))))
        }
    }
}

/// Returns the error of a part whose invoice is not in Xero yet.
pub(super) fn awaited(part: &PaymentPart) -> Trouble {
    let (Role::Invoice(id) | Role::Surcharge(id)) = &part.role else {
        return blocked(EntityKind::Payment, part.id.clone());
    };
    blocked(EntityKind::Invoice, id.clone())
}

async fn ground(desk: &Desk<'_>, part: &PaymentPart) -> Result<Ground, Trouble> {
    match &part.role {
        Role::Fee => Ok(Ground::None),
        Role::Invoice(id) => {
            let invoice = invoice(desk, id).await?;
            if invoice.is_gone_in_xero() {
                return Err(gone(&invoice, "it cannot be paid").into());
            }
            let link =
                invoice.link.as_ref().ok_or_else(|| blocked(EntityKind::Invoice, id.clone()))?;
            if let Some(amounts) = &link.amounts
                && amounts.xero_total.currency != part.amount.currency
            {
                return Err(other_currency(&invoice, amounts.xero_total.currency, part).into());
            }
            Ok(Ground::Invoice(XeroInvoiceId(link.xero_id.0)))
        }
        Role::Surcharge(id) => {
            let invoice = invoice(desk, id).await?;
            let snapshot: Option<InvoiceSnapshot> =
                serde_json::from_str(&invoice.snapshot.json).ok();
            let client: CrmId = match snapshot {
                Some(snapshot) => snapshot.client_id.into(),
                None => return Err(blocked(EntityKind::Invoice, id.clone())),
            };
            let contact = read(desk, EntityKind::Contact, client.clone()).await?;
            let link = contact.and_then(|contact| contact.link);
            let link = link.ok_or_else(|| blocked(EntityKind::Contact, client))?;
            Ok(Ground::Contact(XeroContactId(link.xero_id.0)))
        }
    }
}

async fn invoice(desk: &Desk<'_>, id: &InvoiceId) -> Result<Mapping, Trouble> {
    let found = read(desk, EntityKind::Invoice, id.clone().into()).await?;
    found.ok_or_else(|| blocked(EntityKind::Invoice, id.clone()))
}

fn other_currency(invoice: &Mapping, currency: Currency, part: &PaymentPart) -> Failure {
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
