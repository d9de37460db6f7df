//! What a bookkeeper can do over the control surface.

use super::control::{missing, refuse};
use crate::answer::Answer;
use crate::bookkeeper::{Bookkeeper, Refused};
use crate::books::Books;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::simulator::Simulator;
use jiff::Timestamp;
use uuid::Uuid;

/// Carries out `POST /_simulator/organisations/{tenant}/{path}`.
pub(super) fn act(
    simulator: &mut Simulator,
    now: Timestamp,
    tenant: Uuid,
    path: &[&str],
    incoming: &Incoming<'_>,
) -> Answer {
    let Some(books) = simulator.books(tenant) else {
        return missing();
    };
    let Some(target) = target(books, path) else {
        return missing();
    };
    let order = Order::read(incoming, books, target, now);
    let Some(mut bookkeeper) = simulator.bookkeeper(now, tenant) else {
        return missing();
    };
    let done = match (path.first(), path.last()) {
        (Some(&"invoices"), Some(&"approve")) => bookkeeper.approve(target),
        (Some(&"invoices"), Some(&"void")) => bookkeeper.void(target),
        (Some(&"invoices"), Some(&"delete")) => bookkeeper.delete(target),
        (Some(&"invoices"), Some(&"pay")) => pay(&mut bookkeeper, target, &order),
        (Some(&"payments"), Some(&"delete")) => bookkeeper.remove_payment(target),
        (Some(&"contacts"), Some(&"archive")) => bookkeeper.archive_contact(target),
        (Some(&"contacts"), Some(&"restore")) => bookkeeper.restore_contact(target),
        _ => return missing(),
    };
    match done {
        Err(refused) => refuse(409, &refused.0),
        // Somebody pressed a button on the page: show the page again.
        Ok(()) if incoming.header("accept").is_some_and(|accept| accept.contains("text/html")) => {
            Answer::empty(303).with_header("location", "/_simulator/")
        }
        Ok(()) => Answer::json(200, Object::new().with("done", true)),
    }
}

/// What the call says about a payment.
struct Order {
    amount: Option<rust_decimal::Decimal>,
    date: Option<jiff::civil::Date>,
}

impl Order {
    /// The amount defaults to what is due, the date to the organisation's today.
    fn read(incoming: &Incoming<'_>, books: &Books, target: Uuid, now: Timestamp) -> Self {
        let body = Json::parse(incoming.body).ok();
        let member = |key: &str| body.as_ref()?.object()?.get(key);
        let sent = member("amount").map(Json::number);
        let date = member("date").map(|date| date.text().and_then(|text| text.parse().ok()));
        Self {
            amount: sent.unwrap_or_else(|| Some(books.invoice(target)?.amount_due())),
            date: date.unwrap_or_else(|| Some(books.organisation().today(now))),
        }
    }
}

fn pay(bookkeeper: &mut Bookkeeper<'_>, invoice: Uuid, order: &Order) -> Result<(), Refused> {
    match order.amount.zip(order.date) {
        Some((amount, date)) => bookkeeper.apply_payment(invoice, amount, date).map(|_| ()),
        None => Err(Refused("The amount or the date cannot be read.".to_owned())),
    }
}

/// The id of what the path names: by id, or an invoice or contact by number.
fn target(books: &Books, path: &[&str]) -> Option<Uuid> {
    let [collection, name, _action] = path else {
        return None;
    };
    let id = Uuid::parse_str(name).ok();
    match *collection {
        "invoices" => id.filter(|id| books.invoice(*id).is_some()).or_else(|| {
            let mut numbered: Vec<_> = books.invoices_numbered(name).collect();
            numbered.sort_by_key(|invoice| invoice.status.is_gone());
            numbered.first().map(|invoice| invoice.id)
        }),
        "contacts" => id
            .filter(|id| books.contact(*id).is_some())
            .or_else(|| books.contact_numbered(name).map(|contact| contact.id)),
        "payments" => id,
        _ => None,
    }
}
