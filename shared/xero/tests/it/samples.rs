//! Documents, sessions and answers shared by the tests.

use std::sync::Arc;

use domain::contact_fields::WrittenContact;
use domain::document::contact::{
    AddressType, ContactAddress, ContactDocument, ContactPhone, PhoneType,
};
use domain::document::invoice::{InvoiceDocument, InvoiceType};
use domain::document::payment::{
    AccountReference, ApprovedStatus, BankTransactionDocument, MoneyDirection, PaymentDocument,
    PaymentTarget, TaxContained, TransactionContact, TransactionLine,
};
use domain::document::sales::{ContactReference, LineAmountTypes, LineItem, NewStatus};
use domain::entity::EntityKind;
use domain::idempotency::{ContentHash, IdempotencyKey, WriteIntent};
use domain::ids::{
    AccountId, InvoiceId, Ledger, TenantId, XeroBankTransactionId, XeroContactId, XeroInvoiceId,
    XeroPaymentId,
};
use domain::mapping::MappingKey;
use domain::money::Currency;
use jiff::civil::date;
use rust_decimal::Decimal;
use url::Url;
use uuid::Uuid;
use xero::{ApiSession, Transport};

pub const ACCESS_TOKEN: &str = "secret-access-token";

/// The access token for calls that concern no organisation.
pub fn token() -> xero::FixedToken {
    xero::FixedToken(ACCESS_TOKEN.into())
}

pub const TENANT: TenantId = TenantId(Uuid::from_u128(0xfe79_f7dd_b6d4_4a92_ba7b_538a_f628_9c58));
pub const CONTACT: XeroContactId =
    XeroContactId(Uuid::from_u128(0xeaa2_8f49_6028_4b6e_bb12_d8f6_278c_3504));
pub const INVOICE: XeroInvoiceId =
    XeroInvoiceId(Uuid::from_u128(0x55d8_a4b3_9f2c_4e1a_8d7e_0b1c_2d3e_4f50));
pub const PAYMENT: XeroPaymentId =
    XeroPaymentId(Uuid::from_u128(0x99ea_7f6b_c513_4066_bc27_b7c6_5dcd_76c2));
pub const TRANSACTION: XeroBankTransactionId =
    XeroBankTransactionId(Uuid::from_u128(0xdb54_aab0_ad40_4ced_bcff_0940_ba20_db2c));

pub fn api_url() -> Url {
    Url::parse("https://api.xero.com").unwrap()
}

pub fn a_session(transport: Arc<dyn Transport>) -> ApiSession {
    ApiSession::new(transport, api_url(), ACCESS_TOKEN.into(), TENANT)
}

pub fn a_key() -> IdempotencyKey {
    let ledger = Ledger { account: AccountId::new("acc_ridgeway").unwrap(), tenant: TENANT };
    let invoice = InvoiceId::new("inv_0001").unwrap();
    let mapping = MappingKey::new(ledger, EntityKind::Invoice, invoice.into());
    let intent = WriteIntent { generation: 1, revision: 1, serial: 0 };
    IdempotencyKey::for_write(&mapping, intent, &ContentHash::of_bytes(b"document"))
}

pub fn a_contact() -> ContactDocument {
    ContactDocument {
        contact_id: None,
        contact_number: Some("SC-cli_0001".to_owned()),
        name: Some("Ángela Núñez & Sons \"Plumbing\"".to_owned()),
        first_name: Some("Ángela".to_owned()),
        last_name: Some("Núñez".to_owned()),
        email_address: Some("ap@ridge.example".to_owned()),
        company_number: Some("01234567".to_owned()),
        tax_number: Some("GB123456789".to_owned()),
        phones: vec![
            ContactPhone {
                phone_type: PhoneType::Default,
                phone_number: "+44 20 7946 0018".to_owned(),
                clears_codes: false,
            },
            ContactPhone {
                phone_type: PhoneType::Mobile,
                phone_number: "+44 7700 900123".to_owned(),
                clears_codes: false,
            },
        ],
        addresses: vec![ContactAddress {
            address_type: AddressType::PoBox,
            address_line1: Some("1 Quay St".to_owned()),
            address_line2: None,
            city: Some("Napier".to_owned()),
            region: Some("Hawke's Bay".to_owned()),
            postal_code: Some("4110".to_owned()),
            country: Some("New Zealand".to_owned()),
        }],
        persons: None,
        known: WrittenContact::default(),
    }
}

pub fn an_invoice() -> InvoiceDocument {
    InvoiceDocument {
        invoice_id: None,
        invoice_type: InvoiceType::Accrec,
        contact: ContactReference { contact_id: CONTACT },
        date: date(2026, 10, 3),
        due_date: date(2026, 10, 17),
        line_amount_types: LineAmountTypes::Exclusive,
        invoice_number: "#INV-0001".to_owned(),
        reference: Some("Job 1042".to_owned()),
        currency_code: Currency::new("GBP").unwrap(),
        status: Some(NewStatus::Authorised),
        url: "https://crm.example/invoices/inv_0001".to_owned(),
        sent_to_contact: false,
        line_items: vec![LineItem {
            description: "Boiler service".to_owned(),
            quantity: Decimal::new(13_333, 4),
            unit_amount: Decimal::new(950_725, 4),
            account_code: "200".to_owned(),
            tax_type: "OUTPUT2".to_owned(),
            discount_rate: Some(Decimal::new(10, 0)),
            discount_amount: None,
            item_code: None,
            tracking: Vec::new(),
        }],
    }
}

pub fn a_payment() -> PaymentDocument {
    PaymentDocument {
        target: PaymentTarget::Invoice(INVOICE),
        account: AccountReference { code: "090".to_owned() },
        date: date(2026, 10, 20),
        amount: Decimal::new(12_050, 2),
        currency_rate: None,
        booked: None,
        reference: "Stripe pi_3Q9 (SC-pay_0001)".to_owned(),
    }
}

/// Money spent, paid to a contact known by name.
pub fn a_fee() -> BankTransactionDocument {
    BankTransactionDocument {
        direction: MoneyDirection::Spend,
        contact: TransactionContact::Name("Stripe".to_owned()),
        bank_account: AccountReference { code: "090".to_owned() },
        line_amount_types: TaxContained::Inclusive,
        currency_code: Currency::new("GBP").unwrap(),
        line_items: [TransactionLine {
            description: "Stripe fee of payment pay_0001".to_owned(),
            quantity: Decimal::ONE,
            unit_amount: Decimal::new(210, 2),
            account_code: "404".to_owned(),
        }],
        date: date(2026, 10, 20),
        reference: "Stripe fee pi_3Q9 (SC-pay_0001)".to_owned(),
        status: ApprovedStatus::Authorised,
    }
}

/// Money received, from a contact.
pub fn a_surcharge() -> BankTransactionDocument {
    BankTransactionDocument {
        direction: MoneyDirection::Receive,
        contact: TransactionContact::Id(CONTACT),
        line_items: [TransactionLine {
            description: "Card surcharge of payment pay_0001".to_owned(),
            quantity: Decimal::ONE,
            unit_amount: Decimal::new(175, 2),
            account_code: "260".to_owned(),
        }],
        reference: "Stripe surcharge pi_3Q9 (SC-pay_0001)".to_owned(),
        ..a_fee()
    }
}

/// An invoice as Xero returns it, with these members added (`"A":1,`).
pub fn invoice_json(members: &str) -> String {
    format!(
        r#"{{{members}"Type":"ACCREC","InvoiceID":"{INVOICE}","InvoiceNumber":"\u0023INV-0001",
        "Reference":"Job 1042","Url":"https://crm.example/invoices/inv_0001","Payments":[],
        "AmountDue":129.4321,"AmountPaid":0.00,"CurrencyCode":"GBP","Status":"AUTHORISED",
        "Contact":{{"ContactID":"{CONTACT}","Name":"Ridge","ValidationErrors":[]}},
        "DateString":"2026-10-03T00:00:00","Date":"\/Date(1790985600000+0000)\/",
        "DueDateString":"2026-10-17T00:00:00","DueDate":"\/Date(1792195200000+0000)\/",
        "TotalTax":"21.57","Total":129.4321,"UpdatedDateUTC":"\/Date(1551981568133)\/",
        "LineItems":[]}}"#
    )
}

/// A contact as Xero returns it, with these members added (`"A":1,`).
pub fn contact_json(members: &str) -> String {
    format!(
        r#"{{{members}"ContactID":"{CONTACT}","ContactNumber":"SC-cli_0001","Name":"Ridge",
        "EmailAddress":"","TaxNumber":"GB123456789",
        "UpdatedDateUTC":"\/Date(1551981568133+0000)\/"}}"#
    )
}

/// A payment as Xero lists it, with these members added (`"A":1,`).
pub fn payment_json(members: &str) -> String {
    format!(
        r#"{{{members}"PaymentID":"{PAYMENT}","Date":"\/Date(1792454400000+0000)\/",
        "BankAmount":120.50,"Amount":120.50,"Reference":"Stripe pi_3Q9 (SC-pay_0001)",
        "CurrencyRate":1.0000000000,"PaymentType":"ACCRECPAYMENT","Status":"AUTHORISED",
        "UpdatedDateUTC":"\/Date(1792487730123+0000)\/","HasAccount":true,"IsReconciled":false,
        "Account":{{"AccountID":"5690f1e8-1d02-4893-90c2-ee1a69eff942","Code":"090"}},
        "Invoice":{{"Type":"ACCREC","InvoiceID":"{INVOICE}","InvoiceNumber":"\u0023INV-0001",
        "Payments":[],"CreditNotes":[],"Prepayments":[],"Overpayments":[],"HasErrors":false,
        "Contact":{{"ContactID":"{CONTACT}","Name":"Ridge","HasValidationErrors":false}},
        "LineItems":[],"CurrencyCode":"GBP"}},"HasValidationErrors":false}}"#
    )
}

/// Money spent as Xero returns it, with these members added (`"A":1,`).
pub fn transaction_json(members: &str) -> String {
    format!(
        r#"{{{members}"BankTransactionID":"{TRANSACTION}","Type":"SPEND",
        "BankAccount":{{"AccountID":"5690f1e8-1d02-4893-90c2-ee1a69eff942","Code":"090","Name":"Stripe"}},
        "Reference":"Stripe fee pi_3Q9 (SC-pay_0001)","IsReconciled":false,"HasAttachments":false,
        "Contact":{{"ContactID":"{CONTACT}","Name":"Stripe","HasValidationErrors":false}},
        "DateString":"2026-10-20T00:00:00","Date":"\/Date(1792454400000+0000)\/",
        "Status":"AUTHORISED","LineAmountTypes":"Inclusive","LineItems":[{{"UnitAmount":2.10,
        "TaxAmount":0.00,"LineAmount":2.10,"AccountCode":"404","Quantity":1.0000,
        "ValidationErrors":[]}}],"SubTotal":2.10,"TotalTax":0.00,"Total":2.10,
        "UpdatedDateUTC":"\/Date(1792487730123+0000)\/","CurrencyCode":"GBP"}}"#
    )
}

pub fn collection(name: &str, elements: &[String]) -> String {
    format!(
        r#"{{"Id":"7c2a4b0e-6d4d-4d0f-9a51-0a4b7f0a3d11","Status":"OK","DateTimeUTC":"\/Date(1552326816230)\/","{name}":[{}]}}"#,
        elements.join(",")
    )
}
