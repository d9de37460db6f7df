//! The documents that would be sent for a payment: one for each of its parts.

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::payment::{PartRole, PaymentPart, PaymentRecordStatus};
use domain::document::payment::BankTransactionDocument;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId, Ledger, PaymentId, XeroCreditNoteId, XeroInvoiceId};
use domain::money::Money;
use domain::translate::payment::{
    translate_fee, translate_invoice_payment, translate_refund, translate_surcharge,
};
use jiff::civil::Date;
use store::StoreError;
use uuid::Uuid;

use super::{NO_CONTACT, chart_unknown_failure};
use crate::Engine;
use crate::commands::links::find_stored_chart;
use crate::connection::ledgers::find_records_ledger;
use crate::sync::payment_parts;

/// Takes the place of an invoice that may not exist yet. It is part of no response.
const NO_INVOICE: XeroInvoiceId = XeroInvoiceId(Uuid::nil());
/// Takes the place of a credit note that may not exist yet. It is part of no response.
const NO_CREDIT_NOTE: XeroCreditNoteId = XeroCreditNoteId(Uuid::nil());

/// The document of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPreview {
    /// The part.
    pub crm_id: CrmId,
    /// Its role.
    pub role: PartRole,
    /// The amount.
    pub amount: Money,
    /// The day on which the payment was taken.
    pub date: Date,
    /// The reference in Xero.
    pub reference: String,
    /// The accounts that it is booked to, or the reason why it cannot be sent.
    pub accounts: Result<PartAccounts, Failure>,
}

/// The accounts of a part's document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartAccounts {
    /// The code of the account that the money goes to, or comes from for a fee or a refund. `None`
    /// for the credit note of a refund, whose lines have the accounts of sales, and for a fee of
    /// zero, which is not sent.
    pub money: Option<String>,
    /// The code of the account that a fee or a surcharge is booked to.
    pub booked_to: Option<String>,
}

/// Translates the parts of a payment. Parts of a deleted payment, and parts whose rows cannot be
/// read, are left out. `None` if the payment is unknown or is not one that is sent.
pub async fn preview_payment(
    engine: &Engine,
    account: &AccountId,
    payment: &PaymentId,
) -> Result<Option<Vec<PartPreview>>, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let mappings = payment_parts::find_parts(engine, &ledger, payment).await?;
    if mappings.is_empty() {
        return Ok(None);
    }
    let chart = find_stored_chart(engine, &ledger).await?;
    let codes = engine.store.read_account_codes(account).await?;
    let parts = mappings.iter().filter_map(|mapping| payment_parts::read_snapshot(engine, mapping));
    let parts = parts.filter(|part| part.standing == PaymentRecordStatus::Recorded);
    Ok(Some(parts.map(|part| preview_part(part, &ledger, &codes, chart.as_ref())).collect()))
}

fn preview_part(
    part: PaymentPart,
    ledger: &Ledger,
    codes: &AccountCodes,
    chart: Option<&Chart>,
) -> PartPreview {
    let accounts = match chart {
        Some(chart) => find_accounts(&part, codes, chart),
        None => Err(chart_unknown_failure(ledger)),
    };
    PartPreview {
        reference: part.reference_tag(),
        crm_id: part.id,
        role: part.role,
        amount: part.amount,
        date: part.date,
        accounts,
    }
}

fn find_accounts(
    part: &PaymentPart,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<PartAccounts, Failure> {
    match &part.role {
        PartRole::Invoice(_) => {
            let document = translate_invoice_payment(part, NO_INVOICE, codes, chart)?;
            Ok(PartAccounts { money: Some(document.account.code), booked_to: None })
        }
        PartRole::Refund(_) => {
            let document = translate_refund(part, NO_CREDIT_NOTE, codes, chart)?;
            Ok(PartAccounts { money: Some(document.account.code), booked_to: None })
        }
        PartRole::RefundNote(_) => Ok(PartAccounts { money: None, booked_to: None }),
        PartRole::Fee | PartRole::RefundFee => Ok(match translate_fee(part, codes, chart)? {
            Some(document) => accounts_of_transaction(document),
            None => PartAccounts { money: None, booked_to: None },
        }),
        PartRole::Surcharge(_) => {
            Ok(accounts_of_transaction(translate_surcharge(part, NO_CONTACT, codes, chart)?))
        }
    }
}

fn accounts_of_transaction(document: BankTransactionDocument) -> PartAccounts {
    let [line] = document.line_items;
    PartAccounts { money: Some(document.bank_account.code), booked_to: Some(line.account_code) }
}
