//! The fields of each type of message.

use crate::body::{Field, Shape};
use crate::crm::allocation::Allocation;
use crate::crm::client::Client;
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::payment::Payment;

/// The fields that every message has, followed by those of one type.
macro_rules! fields {
    ($($field:expr),+) => {
        &[
            Field::value("version"),
            Field::value("type"),
            Field::value("message_id"),
            Field::value("account_id"),
            Field::value("sent_at"),
            $($field),+
        ]
    };
}

const CLIENT: &[Field] = fields![Field::new("client", Client::SHAPE), Field::value("mode")];
const INVOICE: &[Field] =
    fields![Field::new("client", Client::SHAPE), Field::new("invoice", Invoice::SHAPE)];
const CREDIT_NOTE: &[Field] =
    fields![Field::new("client", Client::SHAPE), Field::new("credit_note", CreditNote::SHAPE)];
const ALLOCATION: &[Field] = fields![Field::new("allocation", Allocation::SHAPE)];
const PAYMENT: &[Field] = fields![Field::new("payment", Payment::SHAPE)];

/// The shape of a message of this type, or `None` if the contract does not have the type.
pub fn shape_of(message_type: &str) -> Option<Shape> {
    match message_type {
        "client.upserted" => Some(Shape::Object(CLIENT)),
        "invoice.sent" | "invoice.updated" | "invoice.voided" => Some(Shape::Object(INVOICE)),
        "credit_note.issued" | "credit_note.updated" | "credit_note.voided" => {
            Some(Shape::Object(CREDIT_NOTE))
        }
        "credit_note.allocated" | "credit_note.deallocated" => Some(Shape::Object(ALLOCATION)),
        "payment.recorded" | "payment.deleted" => Some(Shape::Object(PAYMENT)),
        _ => None,
    }
}
