//! A contact, as stored in the books.

use crate::variants::every_variant;
use jiff::Timestamp;
use uuid::Uuid;

/// A customer or supplier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Xero's id.
    pub id: Uuid,
    /// The contact number, which another system assigns; unique, including archived contacts.
    pub number: Option<String>,
    /// The account number, which users assign; unique.
    pub account_number: Option<String>,
    /// Its status.
    pub status: ContactStatus,
    /// The name, unique among active contacts.
    pub name: String,
    /// First name of the contact person.
    pub first_name: Option<String>,
    /// Last name of the contact person.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Company registration number.
    pub company_number: Option<String>,
    /// VAT, GST or tax number.
    pub tax_number: Option<String>,
    /// Bank account for payments to it.
    pub bank_account: Option<String>,
    /// The default currency of its documents.
    pub default_currency: Option<String>,
    /// By type, at most one each.
    pub addresses: Vec<Address>,
    /// By type, at most one each.
    pub phones: Vec<Phone>,
    /// Up to five further people.
    pub persons: Vec<ContactPerson>,
    /// Days and rule of the payment terms for sales.
    pub sales_terms: Option<PaymentTerms>,
    /// Set by the first sales document.
    pub is_customer: bool,
    /// Set by the first purchase document.
    pub is_supplier: bool,
    /// The contact that this one was merged into.
    pub merged_into: Option<Uuid>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The client id of the app that created it; `None` for one created by hand.
    pub created_by: Option<String>,
}

impl Contact {
    /// An active contact with only a name.
    pub(crate) fn named(id: Uuid, name: &str, now: Timestamp) -> Self {
        Self {
            id,
            number: None,
            account_number: None,
            status: ContactStatus::Active,
            name: name.to_owned(),
            first_name: None,
            last_name: None,
            email: None,
            company_number: None,
            tax_number: None,
            bank_account: None,
            default_currency: None,
            addresses: Vec::new(),
            phones: Vec::new(),
            persons: Vec::new(),
            sales_terms: None,
            is_customer: false,
            is_supplier: false,
            merged_into: None,
            updated_at: now,
            created_by: None,
        }
    }
}

/// Xero's `ContactStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactStatus {
    /// In use.
    Active,
    /// Archived: hidden from lists and refused on documents.
    Archived,
    /// Archived because of a request for erasure.
    GdprRequest,
}

impl ContactStatus {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
            Self::GdprRequest => "GDPRREQUEST",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        let all: [Self; 3] = every_variant![Active, Archived, GdprRequest];
        all.into_iter().find(|status| status.as_str() == word)
    }
}

/// An address of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// `POBOX` or `STREET`.
    pub kind: String,
    /// Up to four lines.
    pub lines: [Option<String>; 4],
    /// City.
    pub city: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country, letters only.
    pub country: Option<String>,
    /// The recipient on the envelope.
    pub attention_to: Option<String>,
}

/// A phone number of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phone {
    /// `DEFAULT`, `DDI`, `FAX`, `MOBILE` or `OFFICE`.
    pub kind: String,
    /// The number.
    pub number: Option<String>,
    /// The area code.
    pub area_code: Option<String>,
    /// The country code.
    pub country_code: Option<String>,
}

/// A further person of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactPerson {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether e-mails about documents are also sent to this person.
    pub include_in_emails: bool,
}

/// When a document falls due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentTerms {
    /// Number of days or day of the month.
    pub day: u32,
    /// `DAYSAFTERBILLDATE`, `DAYSAFTERBILLMONTH`, `OFCURRENTMONTH` or `OFFOLLOWINGMONTH`.
    pub rule: String,
}
