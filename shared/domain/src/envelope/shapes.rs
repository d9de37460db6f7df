//! The fields of each type of message.

use super::MessageType;
use crate::body::{Field, Shape};
use crate::crm::allocation::Allocation;
use crate::crm::client::Client;
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::payment::Payment;
use crate::entity::EntityKind;

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

impl MessageType {
    /// The fields of a message of this type.
    pub const fn body_shape(self) -> Shape {
        match self.record_kind() {
            EntityKind::Contact => Shape::Object(CLIENT),
            EntityKind::Invoice => Shape::Object(INVOICE),
            EntityKind::CreditNote => Shape::Object(CREDIT_NOTE),
            EntityKind::Allocation => Shape::Object(ALLOCATION),
            EntityKind::Payment => Shape::Object(PAYMENT),
        }
    }
}
