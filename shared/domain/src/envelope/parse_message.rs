//! Parses the body of a message of each type, and checks what its fields say together.

use jiff::Timestamp;
use serde::Deserialize;

use super::checks::{
    check_client, check_discounts, check_method, check_number, check_refund, check_settlement,
};
use super::{ClientSyncMode, CrmMessage, MessageContent, MessageType, UnreadableBody};
use crate::body::{self, BodyShape};
use crate::crm::allocation::{self, Allocation};
use crate::crm::client::Client;
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::lines::RecordStatus;
use crate::crm::payment::{self, Payment};
use crate::crm::refund::Refund;
use crate::crm::text;
use crate::ids::{AccountId, MessageId};

#[derive(Deserialize)]
struct ClientBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    client: Client,
    #[serde(default)]
    mode: ClientSyncMode,
}

#[derive(Deserialize)]
struct InvoiceBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    client: Client,
    invoice: Invoice,
}

#[derive(Deserialize)]
struct CreditNoteBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    client: Client,
    credit_note: CreditNote,
}

#[derive(Deserialize)]
struct AllocationBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    allocation: Allocation,
}

#[derive(Deserialize)]
struct RefundBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    refund: Refund,
}

#[derive(Deserialize)]
struct PaymentBody {
    message_id: MessageId,
    account_id: AccountId,
    #[serde(deserialize_with = "text::deserialize_instant")]
    sent_at: Timestamp,
    payment: Payment,
}

/// Parses a message whose envelope is known to be readable.
pub(super) fn parse_message(
    body: &str,
    message_type: Option<&str>,
) -> Result<CrmMessage, UnreadableBody> {
    let message_type = message_type.and_then(MessageType::from_name);
    let message_type = message_type.ok_or(UnreadableBody::UnknownType)?;
    let shape = message_type.body_shape();
    match message_type {
        MessageType::ClientUpserted => {
            let ClientBody { message_id, account_id, sent_at, client, mode } =
                body::parse_with_shape(body, shape)?;
            let content = MessageContent::Client { client, mode };
            Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
        }
        MessageType::InvoiceSent | MessageType::InvoiceUpdated => {
            parse_invoice_message(body, shape, RecordStatus::Sent)
        }
        MessageType::InvoiceVoided => parse_invoice_message(body, shape, RecordStatus::Voided),
        MessageType::CreditNoteIssued | MessageType::CreditNoteUpdated => {
            parse_credit_note_message(body, shape, RecordStatus::Sent)
        }
        MessageType::CreditNoteVoided => {
            parse_credit_note_message(body, shape, RecordStatus::Voided)
        }
        MessageType::CreditNoteAllocated => {
            parse_allocation_message(body, shape, allocation::AllocationRecordStatus::Applied)
        }
        MessageType::CreditNoteDeallocated => {
            parse_allocation_message(body, shape, allocation::AllocationRecordStatus::Removed)
        }
        MessageType::PaymentRecorded => {
            parse_payment_message(body, shape, payment::PaymentRecordStatus::Recorded)
        }
        MessageType::PaymentDeleted => {
            parse_payment_message(body, shape, payment::PaymentRecordStatus::Deleted)
        }
        MessageType::PaymentRefunded => {
            let RefundBody { message_id, account_id, sent_at, refund } =
                body::parse_with_shape(body, shape)?;
            check_refund(&refund)?;
            let parts = refund.split_into_parts();
            let content = MessageContent::Refund { refund, parts };
            Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
        }
    }
}

fn parse_invoice_message(
    body: &str,
    shape: BodyShape,
    standing: RecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let InvoiceBody { message_id, account_id, sent_at, client, invoice } =
        body::parse_with_shape(body, shape)?;
    check_client(&invoice.client_id, &client, "invoice.client_id")?;
    check_number(&invoice.number, "invoice.number")?;
    check_discounts(&invoice.lines, standing, "invoice")?;
    let invoice = Invoice { standing, ..invoice };
    let content = match CreditNote::from_negative_invoice(&invoice) {
        Some(note) => MessageContent::CreditNote { client, note },
        None => MessageContent::Invoice { client, invoice },
    };
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}

fn parse_credit_note_message(
    body: &str,
    shape: BodyShape,
    standing: RecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let CreditNoteBody { message_id, account_id, sent_at, client, credit_note } =
        body::parse_with_shape(body, shape)?;
    check_client(&credit_note.client_id, &client, "credit_note.client_id")?;
    check_number(&credit_note.number, "credit_note.number")?;
    check_discounts(&credit_note.lines, standing, "credit_note")?;
    let note = CreditNote { standing, is_negative_invoice: false, ..credit_note };
    let content = MessageContent::CreditNote { client, note };
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}

fn parse_allocation_message(
    body: &str,
    shape: BodyShape,
    standing: allocation::AllocationRecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let AllocationBody { message_id, account_id, sent_at, allocation } =
        body::parse_with_shape(body, shape)?;
    check_number(&allocation.credit_note_number, "allocation.credit_note_number")?;
    check_number(&allocation.invoice_number, "allocation.invoice_number")?;
    let content = MessageContent::Allocation(Allocation { standing, ..allocation });
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}

fn parse_payment_message(
    body: &str,
    shape: BodyShape,
    standing: payment::PaymentRecordStatus,
) -> Result<CrmMessage, UnreadableBody> {
    let PaymentBody { message_id, account_id, sent_at, payment } =
        body::parse_with_shape(body, shape)?;
    check_method(&payment)?;
    check_settlement(&payment)?;
    let payment = Payment { standing, ..payment };
    let parts = payment.split_into_parts();
    let content = MessageContent::Payment { payment, parts };
    Ok(CrmMessage { id: message_id, account: account_id, sent_at, content })
}
