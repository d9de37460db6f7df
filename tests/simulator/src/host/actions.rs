//! The actions of a bookkeeper on the control surface.

use super::control::{missing, refuse, wants_page};
use super::find::{Found, Money, find};
use super::order::{Order, unreadable};
use super::organisation;
use super::overrides;
use crate::answer::Answer;
use crate::bookkeeper::{Bookkeeper, Refused};
use crate::books::Books;
use crate::books::allocation::Credit;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::simulator::Simulator;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The result of an action: the id of what it created, or success. `None` if the action does not
/// exist.
pub(super) type Done = Option<Result<Option<Uuid>, Refused>>;

/// Executes `POST /_simulator/organisations/{tenant}/{path}`.
pub(super) fn act(
    simulator: &mut Simulator,
    now: Timestamp,
    tenant: Uuid,
    path: &[&str],
    incoming: &Incoming<'_>,
) -> Answer {
    let order = Order::read(incoming);
    let Some(books) = simulator.books(tenant) else {
        return missing();
    };
    let known = Known::read(books, &order, path, now);
    let done = match path {
        [action @ ("disconnect" | "end-tokens" | "restrict" | "unrestrict")] => {
            Some(organisation::on_people(simulator, now, tenant, action, &order))
        }
        ["connections", "override"] => {
            Some(overrides::override_link_members(simulator, tenant, &order))
        }
        _ => {
            let Some(mut bookkeeper) = simulator.bookkeeper(now, tenant) else {
                return missing();
            };
            on_books(&mut bookkeeper, path, &order, &known)
        }
    };
    match done {
        None => missing(),
        Some(Err(refused)) => refuse(409, &refused.0),
        // The request comes from a form of the page: return to the page.
        Some(Ok(_)) if wants_page(incoming) => {
            Answer::empty(303).with_header("location", "/_simulator/")
        }
        Some(Ok(made)) => Answer::json(200, Object::new().with("done", true).with_some("id", made)),
    }
}

fn on_books(bookkeeper: &mut Bookkeeper<'_>, path: &[&str], order: &Order, known: &Known) -> Done {
    match (path, known.target) {
        (["override"] | [_, _, "override"], found) => {
            overrides::override_row_member(bookkeeper, path, found, order)
        }
        (["batches"], _) => Some(batch(bookkeeper, order, known)),
        ([action], _) => organisation::on_organisation(bookkeeper, action, order),
        (["accounts", code, "archive"], _) => Some(bookkeeper.archive_account(code).map(|()| None)),
        (["accounts", code, "restore"], _) => Some(bookkeeper.restore_account(code).map(|()| None)),
        ([_, _, action], Some(Found::Invoice(id))) => {
            on_invoice(bookkeeper, id, action, order, known)
        }
        ([_, _, action], Some(Found::Contact(id))) => {
            on_contact(bookkeeper, id, action, order, known)
        }
        ([_, _, action], Some(Found::Credit(credit))) => {
            on_credit(bookkeeper, credit, action, order, known)
        }
        ([_, _, action], Some(Found::Money(money))) => on_money(bookkeeper, money, action),
        _ => None,
    }
}

/// Changes the text fields that are sent; an empty one clears the field.
fn edit_contact(
    bookkeeper: &mut Bookkeeper<'_>,
    contact: Uuid,
    order: &Order,
) -> Result<(), Refused> {
    if let Some(name) = order.text("name") {
        bookkeeper.rename_contact(contact, &name)?;
    }
    bookkeeper.edit_contact(contact, |contact| {
        let texts: [(&str, &mut Option<String>); 6] = [
            ("number", &mut contact.number),
            ("accountNumber", &mut contact.account_number),
            ("firstName", &mut contact.first_name),
            ("lastName", &mut contact.last_name),
            ("email", &mut contact.email),
            ("taxNumber", &mut contact.tax_number),
        ];
        for (key, target) in texts {
            if let Some(text) = order.text(key) {
                *target = Some(text).filter(|text| !text.is_empty());
            }
        }
    })
}

/// The facts that the books contain before an action.
struct Known {
    today: Date,
    target: Option<Found>,
    /// The amount due on the target, or its remaining credit.
    open: Decimal,
    /// The invoice of an allocation, and the amount due on it.
    invoice: Option<(Uuid, Decimal)>,
    /// The contact to merge into.
    into: Option<Uuid>,
    /// The parts of a batch.
    parts: Option<Vec<(Uuid, Decimal)>>,
}

impl Known {
    fn read(books: &Books, order: &Order, path: &[&str], now: Timestamp) -> Self {
        let target = match path {
            [collection, name, _] => find(books, collection, name),
            _ => None,
        };
        let due = |id: Uuid| books.invoice(id).map(|invoice| (id, invoice.amount_due()));
        let invoice = order.text("invoice").and_then(|name| match find(books, "invoices", &name) {
            Some(Found::Invoice(id)) => due(id),
            _ => None,
        });
        let into = order.text("into").and_then(|name| match find(books, "contacts", &name) {
            Some(Found::Contact(id)) => Some(id),
            _ => None,
        });
        let open = match target {
            Some(Found::Invoice(id)) => due(id).map(|(_, due)| due),
            Some(Found::Credit(credit)) => Some(books.remaining_credit(credit)),
            Some(Found::Contact(_) | Found::Money(_)) | None => None,
        };
        let today = books.organisation().today(now);
        let parts = parts(books, order);
        Self { today, target, open: open.unwrap_or_default(), invoice, into, parts }
    }
}

/// The parts of a batch: a list of `{"invoice":…,"amount":…}`, or a text such as `INV-1,
/// INV-2=20.00`. The default of an amount is the amount due.
fn parts(books: &Books, order: &Order) -> Option<Vec<(Uuid, Decimal)>> {
    let part = |name: &str, amount: Option<Option<Decimal>>| match find(books, "invoices", name) {
        Some(Found::Invoice(id)) => {
            let due = books.invoice(id)?.amount_due();
            Some((id, amount.unwrap_or(Some(due))?))
        }
        _ => None,
    };
    if let Some(list) = order.list("invoices") {
        let parts = list.iter().map(|row| {
            let row = row.object()?;
            part(row.get("invoice")?.text()?, row.get("amount").map(Json::number))
        });
        return parts.collect();
    }
    let text = order.text("invoices")?;
    let parts = text.split(',').map(|row| match row.split_once('=') {
        Some((name, amount)) => part(name.trim(), Some(amount.trim().parse().ok())),
        None => part(row.trim(), None),
    });
    parts.collect()
}

fn batch(
    bookkeeper: &mut Bookkeeper<'_>,
    order: &Order,
    known: &Known,
) -> Result<Option<Uuid>, Refused> {
    let parts = known.parts.as_ref().ok_or_else(|| unreadable("list of invoices"))?;
    bookkeeper.batch_pay(parts, &order.receipt(known.today)?).map(Some)
}

fn on_invoice(
    bookkeeper: &mut Bookkeeper<'_>,
    id: Uuid,
    action: &str,
    order: &Order,
    known: &Known,
) -> Done {
    let nothing = |()| None;
    let pay = |bookkeeper: &mut Bookkeeper<'_>| {
        let amount = order.number("amount")?.unwrap_or(known.open);
        bookkeeper.pay(id, amount, &order.receipt(known.today)?).map(Some)
    };
    let overpay = |bookkeeper: &mut Bookkeeper<'_>| {
        let amount = order.number("amount")?.ok_or_else(|| unreadable("amount"))?;
        let receipt = order.receipt(known.today)?;
        bookkeeper.overpay(id, amount, &receipt).map(|(_, overpayment)| Some(overpayment))
    };
    let price = |bookkeeper: &mut Bookkeeper<'_>| {
        let price = order.number("price")?.ok_or_else(|| unreadable("price"))?;
        bookkeeper.change_price(id, order.line()?, price).map(nothing)
    };
    Some(match action {
        "approve" => bookkeeper.approve(id).map(nothing),
        "void" => bookkeeper.void(id).map(nothing),
        "delete" => bookkeeper.delete(id).map(nothing),
        "edit" => order.edit().and_then(|edit| bookkeeper.edit_invoice(id, edit)).map(nothing),
        "price" => price(bookkeeper),
        "pay" => pay(bookkeeper),
        "overpay" => overpay(bookkeeper),
        _ => return None,
    })
}

fn on_contact(
    bookkeeper: &mut Bookkeeper<'_>,
    id: Uuid,
    action: &str,
    order: &Order,
    known: &Known,
) -> Done {
    let nothing = |()| None;
    let received = || {
        let amount = order.number("amount")?.ok_or_else(|| unreadable("amount"))?;
        Ok((amount, order.receipt(known.today)?))
    };
    Some(match action {
        "edit" => edit_contact(bookkeeper, id, order).map(nothing),
        "archive" => bookkeeper.archive_contact(id).map(nothing),
        "restore" => bookkeeper.restore_contact(id).map(nothing),
        "merge" => match known.into {
            Some(into) => bookkeeper.merge_contacts(id, into).map(nothing),
            None => Err(unreadable("contact to merge into")),
        },
        "overpay" => received().and_then(|(amount, receipt)| {
            bookkeeper.receive_overpayment(id, amount, &receipt).map(Some)
        }),
        "prepay" => received()
            .and_then(|(amount, receipt)| bookkeeper.prepay(id, amount, &receipt).map(Some)),
        _ => return None,
    })
}

fn on_credit(
    bookkeeper: &mut Bookkeeper<'_>,
    credit: Credit,
    action: &str,
    order: &Order,
    known: &Known,
) -> Done {
    let allocate = |bookkeeper: &mut Bookkeeper<'_>| {
        let (invoice, due) = known.invoice.ok_or_else(|| unreadable("invoice"))?;
        let amount = order.number("amount")?.unwrap_or(known.open.min(due));
        let date = order.date("date")?.unwrap_or(known.today);
        bookkeeper.allocate(credit, invoice, amount, date).map(Some)
    };
    let refund = |bookkeeper: &mut Bookkeeper<'_>| {
        let amount = order.number("amount")?.unwrap_or(known.open);
        bookkeeper.refund(credit, amount, &order.receipt(known.today)?).map(Some)
    };
    let nothing = |()| None;
    Some(match (action, credit) {
        ("allocate", _) => allocate(bookkeeper),
        ("refund", _) => refund(bookkeeper),
        ("approve", Credit::CreditNote(id)) => bookkeeper.approve_credit_note(id).map(nothing),
        ("void", Credit::CreditNote(id)) => bookkeeper.void_credit_note(id).map(nothing),
        ("delete", Credit::CreditNote(id)) => bookkeeper.delete_credit_note(id).map(nothing),
        _ => return None,
    })
}

fn on_money(bookkeeper: &mut Bookkeeper<'_>, money: Money, action: &str) -> Done {
    use Money::{Allocation, Batch, Payment, Transaction};
    let done = match (money, action) {
        (Payment(id), "delete") => bookkeeper.remove_payment(id),
        (Payment(id), "reconcile") => bookkeeper.reconcile_payment(id),
        (Payment(id), "unreconcile") => bookkeeper.unreconcile_payment(id),
        (Batch(id), "delete") => bookkeeper.remove_batch(id),
        (Batch(id), "reconcile") => bookkeeper.reconcile_batch(id),
        (Transaction(id), "delete") => bookkeeper.remove_transaction(id),
        (Transaction(id), "reconcile") => bookkeeper.reconcile_transaction(id),
        (Transaction(id), "unreconcile") => bookkeeper.unreconcile_transaction(id),
        (Allocation(id), "delete") => bookkeeper.remove_allocation(id),
        (Payment(_) | Batch(_) | Transaction(_) | Allocation(_), _) => return None,
    };
    Some(done.map(|()| None))
}
