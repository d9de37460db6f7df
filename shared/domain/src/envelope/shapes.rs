//! The fields of each type of message.

use super::MessageType;
use crate::body::{BodyField, BodyShape};
use crate::crm::allocation::Allocation;
use crate::crm::client::Client;
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::payment::Payment;
use crate::crm::refund::Refund;
use crate::entity::EntityKind;

/// The fields that every message has, followed by those of one type.
macro_rules! fields {
    ($($field:expr),+) => {
        &[
            BodyField::single_value("version"),
            BodyField::single_value("type"),
            BodyField::single_value("message_id"),
            BodyField::single_value("account_id"),
            BodyField::single_value("sent_at"),
            $($field),+
        ]
    };
}

const CLIENT: &[BodyField] =
    fields![BodyField::new("client", Client::SHAPE), BodyField::single_value("mode")];
const INVOICE: &[BodyField] =
    fields![BodyField::new("client", Client::SHAPE), BodyField::new("invoice", Invoice::SHAPE)];
const CREDIT_NOTE: &[BodyField] = fields![
    BodyField::new("client", Client::SHAPE),
    BodyField::new("credit_note", CreditNote::SHAPE)
];
const ALLOCATION: &[BodyField] = fields![BodyField::new("allocation", Allocation::SHAPE)];
const PAYMENT: &[BodyField] = fields![BodyField::new("payment", Payment::SHAPE)];
const REFUND: &[BodyField] = fields![BodyField::new("refund", Refund::SHAPE)];

impl MessageType {
    /// The fields of a message of this type.
    pub const fn body_shape(self) -> BodyShape {
        match self.record_kind() {
            EntityKind::Payment if matches!(self, Self::PaymentRefunded) => {
                BodyShape::Object(REFUND)
            }
            EntityKind::Contact => BodyShape::Object(CLIENT),
            EntityKind::Invoice => BodyShape::Object(INVOICE),
            EntityKind::CreditNote => BodyShape::Object(CREDIT_NOTE),
            EntityKind::Allocation => BodyShape::Object(ALLOCATION),
            EntityKind::Payment => BodyShape::Object(PAYMENT),
        }
    }
}
