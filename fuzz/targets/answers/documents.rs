//! The documents that are written. Two of a kind are alike apart from their names.

use domain::contact_fields::WrittenContact;
use domain::document::allocation::{AllocationDocument, InvoiceReference};
use domain::document::contact::ContactDocument;
use domain::document::credit_note::{CreditNoteDocument, CreditNoteType};
use domain::document::invoice::{InvoiceDocument, InvoiceType};
use domain::document::payment::{
    AccountReference, ApprovedStatus, BankTransactionDocument, MoneyDirection, PaymentDocument,
    PaymentTarget, TaxContained, TransactionContact, TransactionLine,
};
use domain::document::sales::{ContactReference, LineAmountTypes, NewStatus};
use domain::ids::{XeroContactId, XeroInvoiceId};
use domain::money::Currency;
use jiff::civil::date;
use uuid::Uuid;

/// The ids of two documents.
pub(super) const IDS: [Uuid; 2] = [Uuid::from_u128(7), Uuid::from_u128(8)];

pub(super) const INVOICES: [&str; 2] = ["#INV-0001", "#INV-0002"];
pub(super) const CREDIT_NOTES: [&str; 2] = ["CN-1", "CN-2"];
pub(super) const CONTACTS: [&str; 2] = ["SC-cli_1", "SC-cli_2"];
pub(super) const PAYMENTS: [&str; 2] = ["Stripe (SC-pay_1)", "Stripe (SC-pay_2)"];
pub(super) const FEES: [&str; 2] = ["Stripe fee (SC-pay_1)", "Stripe fee (SC-pay_2)"];

/// The first names and their documents.
pub(super) fn first<D>(
    names: [&'static str; 2],
    count: usize,
    document: fn(&str) -> D,
) -> (Vec<&'static str>, Vec<D>) {
    let names = names.into_iter().take(count).collect::<Vec<_>>();
    let documents = names.iter().map(|name| document(name)).collect();
    (names, documents)
}

fn pounds() -> Currency {
    Currency::new("GBP").expect("a currency")
}

const fn client() -> ContactReference {
    ContactReference { contact_id: XeroContactId(Uuid::from_u128(3)) }
}

pub(super) fn invoice(number: &str) -> InvoiceDocument {
    InvoiceDocument {
        invoice_id: None,
        invoice_type: InvoiceType::Accrec,
        contact: client(),
        date: date(2026, 10, 3),
        due_date: date(2026, 10, 17),
        line_amount_types: LineAmountTypes::Exclusive,
        invoice_number: number.to_owned(),
        reference: None,
        currency_code: pounds(),
        status: Some(NewStatus::Authorised),
        url: "https://crm.example/invoices/inv_1".to_owned(),
        sent_to_contact: false,
        line_items: Vec::new(),
    }
}

pub(super) fn credit_note(number: &str) -> CreditNoteDocument {
    CreditNoteDocument {
        credit_note_id: None,
        credit_note_type: CreditNoteType::Accreccredit,
        contact: client(),
        date: date(2026, 10, 3),
        line_amount_types: LineAmountTypes::Exclusive,
        credit_note_number: number.to_owned(),
        reference: "SC-cn_1".to_owned(),
        currency_code: pounds(),
        status: Some(NewStatus::Authorised),
        line_items: Vec::new(),
    }
}

pub(super) fn contact(number: &str) -> ContactDocument {
    ContactDocument {
        contact_id: None,
        contact_number: Some(number.to_owned()),
        name: None,
        first_name: None,
        last_name: None,
        email_address: None,
        company_number: None,
        tax_number: None,
        phones: Vec::new(),
        addresses: Vec::new(),
        persons: None,
        known: WrittenContact::default(),
    }
}

pub(super) fn payment(reference: &str) -> PaymentDocument {
    let [id, _] = IDS;
    PaymentDocument {
        target: PaymentTarget::Invoice(XeroInvoiceId(id)),
        account: AccountReference { code: "090".to_owned() },
        date: date(2026, 10, 20),
        amount: "10.00".parse().expect("an amount"),
        currency_rate: None,
        booked: None,
        reference: reference.to_owned(),
    }
}

pub(super) fn fee(reference: &str) -> BankTransactionDocument {
    BankTransactionDocument {
        direction: MoneyDirection::Spend,
        contact: TransactionContact::Name("Stripe".to_owned()),
        bank_account: AccountReference { code: "090".to_owned() },
        line_amount_types: TaxContained::Inclusive,
        currency_code: pounds(),
        line_items: [TransactionLine {
            description: "Stripe fee".to_owned(),
            quantity: "1".parse().expect("a quantity"),
            unit_amount: "3.20".parse().expect("an amount"),
            account_code: "404".to_owned(),
        }],
        date: date(2026, 10, 20),
        reference: reference.to_owned(),
        status: ApprovedStatus::Authorised,
    }
}

pub(super) fn allocation(invoice: Uuid) -> AllocationDocument {
    AllocationDocument {
        invoice: InvoiceReference { invoice_id: XeroInvoiceId(invoice) },
        amount: "24.00".parse().expect("an amount"),
        date: date(2026, 11, 2),
    }
}
