//! Finds the row named by a path of the control surface.

use crate::books::Books;
use crate::books::allocation::Credit;
use uuid::Uuid;

/// The row named by a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Invoice(Uuid),
    Contact(Uuid),
    Credit(Credit),
    Money(Money),
}

impl Found {
    /// The id of the row.
    pub(super) fn id(self) -> Uuid {
        match self {
            Self::Invoice(id)
            | Self::Contact(id)
            | Self::Money(
                Money::Payment(id)
                | Money::Batch(id)
                | Money::Transaction(id)
                | Money::Allocation(id),
            ) => id,
            Self::Credit(credit) => credit.id(),
        }
    }
}

/// Rows of money, which can only be deleted or reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Money {
    Payment(Uuid),
    Batch(Uuid),
    Transaction(Uuid),
    Allocation(Uuid),
}

/// A row by its id; an invoice, a credit note or a contact also by its number.
pub(super) fn find(books: &Books, collection: &str, name: &str) -> Option<Found> {
    let id = Uuid::parse_str(name).ok();
    match collection {
        "invoices" => id
            .filter(|id| books.invoice(*id).is_some())
            .or_else(|| {
                let numbered = books.invoices_numbered(name);
                numbered.min_by_key(|one| (one.status.is_gone(), one.id)).map(|one| one.id)
            })
            .map(Found::Invoice),
        "contacts" => id
            .filter(|id| books.contact(*id).is_some())
            .or_else(|| books.contact_numbered(name).map(|contact| contact.id))
            .map(Found::Contact),
        "credit-notes" => id
            .filter(|id| books.credit_note(*id).is_some())
            .or_else(|| {
                let numbered = books.credit_notes_numbered(name);
                numbered.min_by_key(|one| (one.status.is_gone(), one.id)).map(|one| one.id)
            })
            .map(|id| Found::Credit(Credit::CreditNote(id))),
        "overpayments" | "prepayments" => books.credit(id?).map(Found::Credit),
        "payments" => id.map(Money::Payment).map(Found::Money),
        "batches" => id.map(Money::Batch).map(Found::Money),
        "transactions" => id.map(Money::Transaction).map(Found::Money),
        "allocations" => id.map(Money::Allocation).map(Found::Money),
        _ => None,
    }
}
