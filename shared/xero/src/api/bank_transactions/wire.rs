//! A bank transaction in the forms in which Xero accepts and returns it.

use domain::document::payment::{
    ApprovedStatus, BankTransactionDocument, MoneyDirection, MoneyStatus, RemoteBankTransaction,
    TaxContained, TransactionContact, TransactionLine,
};
use domain::ids::{XeroBankTransactionId, XeroContactId};
use domain::money::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{OutgoingAccountCode, money_status};
use crate::date::optional_instant;
use crate::json::{currency_code, lenient_bool, optional_text, real_id};
use crate::json_number;

/// A bank transaction to create.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingTransaction<'a> {
    #[serde(rename = "Type")]
    direction: &'static str,
    contact: OutgoingParty<'a>,
    bank_account: OutgoingAccountCode<'a>,
    line_amount_types: &'static str,
    currency_code: Currency,
    line_items: [OutgoingTransactionLine<'a>; 1],
    date: Date,
    reference: &'a str,
    status: &'static str,
}

impl<'a> From<&'a BankTransactionDocument> for OutgoingTransaction<'a> {
    fn from(document: &'a BankTransactionDocument) -> Self {
        let BankTransactionDocument {
            direction,
            contact,
            bank_account,
            line_amount_types,
            currency_code,
            line_items: [line],
            date,
            reference,
            status,
        } = document;
        Self {
            direction: match direction {
                MoneyDirection::Spend => "SPEND",
                MoneyDirection::Receive => "RECEIVE",
            },
            contact: contact.into(),
            bank_account: bank_account.code.as_str().into(),
            line_amount_types: match line_amount_types {
                TaxContained::Inclusive => "Inclusive",
            },
            currency_code: *currency_code,
            line_items: [line.into()],
            date: *date,
            reference,
            status: match status {
                ApprovedStatus::Authorised => "AUTHORISED",
            },
        }
    }
}

/// The contact that was paid, or that paid: an object whose only member is the id or the name.
#[derive(Debug, Serialize)]
enum OutgoingParty<'a> {
    #[serde(rename = "ContactID")]
    Id(XeroContactId),
    Name(&'a str),
}

impl<'a> From<&'a TransactionContact> for OutgoingParty<'a> {
    fn from(contact: &'a TransactionContact) -> Self {
        match contact {
            TransactionContact::Id(id) => Self::Id(*id),
            TransactionContact::Name(name) => Self::Name(name),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutgoingTransactionLine<'a> {
    description: &'a str,
    #[serde(with = "json_number")]
    quantity: Decimal,
    #[serde(with = "json_number")]
    unit_amount: Decimal,
    account_code: &'a str,
}

impl<'a> From<&'a TransactionLine> for OutgoingTransactionLine<'a> {
    fn from(line: &'a TransactionLine) -> Self {
        let TransactionLine { description, quantity, unit_amount, account_code } = line;
        Self { description, quantity: *quantity, unit_amount: *unit_amount, account_code }
    }
}

/// A bank transaction as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireTransaction {
    #[serde(rename = "BankTransactionID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(deserialize_with = "money_status")]
    status: MoneyStatus,
    #[serde(deserialize_with = "currency_code")]
    currency_code: Currency,
    #[serde(with = "json_number")]
    total: Decimal,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    is_reconciled: bool,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

impl From<WireTransaction> for RemoteBankTransaction {
    fn from(wire: WireTransaction) -> Self {
        Self {
            id: XeroBankTransactionId(wire.id),
            status: wire.status,
            total: Money::new(wire.total, wire.currency_code),
            reference: wire.reference,
            is_reconciled: wire.is_reconciled,
            updated_at: wire.updated_at,
        }
    }
}
