//! A contact in Xero's format, in four levels of detail.

use crate::books::Books;
use crate::books::allocation::Credit;
use crate::books::contact::{Address, Contact, ContactPerson, Phone};
use crate::books::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::json::{Json, Object};
use jiff::civil::Date;
use rust_decimal::Decimal;

/// The level of detail of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A single read, a page, the response to a write.
    Full,
    /// A row of a list that is not paged.
    Listed,
    /// A row of a list with `summaryOnly`.
    Summary,
    /// Inside a row of an invoice list: only its identity.
    Named,
}

/// Xero always lists these phones, empty or not.
const PHONES: [&str; 4] = ["DEFAULT", "DDI", "FAX", "MOBILE"];
/// And these addresses.
const ADDRESSES: [&str; 2] = ["STREET", "POBOX"];

/// One contact. `today` decides what is overdue.
pub(crate) fn contact(books: &Books, contact: &Contact, detail: Detail, today: Date) -> Object {
    if detail == Detail::Named {
        return named(contact);
    }
    let object = Object::new()
        .with("ContactID", contact.id)
        .with_some("ContactNumber", contact.number.as_ref())
        .with_some("AccountNumber", contact.account_number.as_ref())
        .with("ContactStatus", contact.status.as_str())
        .with("Name", &contact.name)
        .with_some("FirstName", contact.first_name.as_ref())
        .with_some("LastName", contact.last_name.as_ref())
        .with_some("CompanyNumber", contact.company_number.as_ref())
        .with("EmailAddress", contact.email.as_deref().unwrap_or_default())
        .with("BankAccountDetails", contact.bank_account.as_deref().unwrap_or_default())
        .with_some("TaxNumber", contact.tax_number.as_ref());
    let object = if detail == Detail::Summary {
        object
    } else {
        object.with("Addresses", addresses(contact))
    };
    let object = object
        .with("Phones", phones(contact))
        .with("UpdatedDateUTC", Json::instant(contact.updated_at))
        .with_some("DefaultCurrency", contact.default_currency.as_ref());
    let object = match detail {
        Detail::Summary | Detail::Named => object,
        Detail::Listed => rest(object, contact).with("ContactPersons", Vec::new()),
        Detail::Full => {
            let persons = contact.persons.iter().map(person).collect::<Vec<_>>();
            let terms = contact.sales_terms.as_ref().map(|terms| {
                let sales =
                    Object::new().with("Day", Json::whole(terms.day)).with("Type", &terms.rule);
                Object::new().with("Sales", sales)
            });
            rest(object, contact)
                .with_some("MergedToContactID", contact.merged_into)
                .with("SalesTrackingCategories", Vec::new())
                .with("PurchasesTrackingCategories", Vec::new())
                .with_some("PaymentTerms", terms)
                .with("ContactPersons", persons)
                .with_some("Balances", balances(books, contact, today))
        }
    };
    let object = object.with("HasAttachments", false).with("HasValidationErrors", false);
    books.shown(contact.id, object)
}

fn named(contact: &Contact) -> Object {
    Object::new()
        .with("ContactID", contact.id)
        .with("Name", &contact.name)
        .with("Addresses", Vec::new())
        .with("Phones", Vec::new())
        .with("ContactGroups", Vec::new())
        .with("ContactPersons", Vec::new())
        .with("HasValidationErrors", false)
}

fn rest(object: Object, contact: &Contact) -> Object {
    object
        .with("ContactGroups", Vec::new())
        .with("IsSupplier", contact.is_supplier)
        .with("IsCustomer", contact.is_customer)
}

fn addresses(contact: &Contact) -> Vec<Json> {
    ADDRESSES
        .into_iter()
        .map(|kind| {
            let found = contact.addresses.iter().find(|address| address.kind == kind);
            address(kind, found.unwrap_or(&Address::default()))
        })
        .collect()
}

fn address(kind: &str, address: &Address) -> Json {
    let [first, second, third, fourth] = &address.lines;
    let or_empty = |text: &Option<String>| Json::from(text.as_deref().unwrap_or_default());
    Object::new()
        .with("AddressType", kind)
        .with_some("AddressLine1", first.as_ref())
        .with_some("AddressLine2", second.as_ref())
        .with_some("AddressLine3", third.as_ref())
        .with_some("AddressLine4", fourth.as_ref())
        .with("City", or_empty(&address.city))
        .with("Region", or_empty(&address.region))
        .with("PostalCode", or_empty(&address.postal_code))
        .with("Country", or_empty(&address.country))
        .with_some("AttentionTo", address.attention_to.as_ref())
        .into()
}

fn phones(contact: &Contact) -> Vec<Json> {
    let further = contact.phones.iter().filter(|phone| !PHONES.contains(&phone.kind.as_str()));
    PHONES
        .into_iter()
        .map(|kind| {
            let found = contact.phones.iter().find(|phone| phone.kind == kind);
            phone(kind, found.unwrap_or(&Phone::default()))
        })
        .chain(further.map(|further| phone(&further.kind, further)))
        .collect()
}

fn phone(kind: &str, phone: &Phone) -> Json {
    let or_empty = |text: &Option<String>| Json::from(text.as_deref().unwrap_or_default());
    Object::new()
        .with("PhoneType", kind)
        .with("PhoneNumber", or_empty(&phone.number))
        .with("PhoneAreaCode", or_empty(&phone.area_code))
        .with("PhoneCountryCode", or_empty(&phone.country_code))
        .into()
}

fn person(person: &ContactPerson) -> Json {
    Object::new()
        .with_some("FirstName", person.first_name.as_ref())
        .with_some("LastName", person.last_name.as_ref())
        .with_some("EmailAddress", person.email.as_ref())
        .with("IncludeInEmails", person.include_in_emails)
        .into()
}

/// The amounts owed, once there has been a document. Remaining credit reduces the outstanding
/// amount.
fn balances(books: &Books, contact: &Contact, today: Date) -> Option<Object> {
    if !contact.is_customer && !contact.is_supplier {
        return None;
    }
    let owed = |kind: InvoiceKind| {
        let open = |invoice: &&Invoice| {
            invoice.kind == kind && invoice.status == InvoiceStatus::Authorised
        };
        let invoices = || books.invoices_of(contact.id).filter(open);
        let overdue =
            |invoice: &&Invoice| invoice.due_date.is_some_and(|due_date| due_date < today);
        let due: Decimal = invoices().map(Invoice::amount_due).sum();
        let credit: Decimal = books
            .credit_notes_of(contact.id)
            .filter(|note| {
                note.kind.invoice_kind() == kind && note.status == InvoiceStatus::Authorised
            })
            .map(|note| books.remaining_credit(Credit::CreditNote(note.id)))
            .sum();
        let outstanding = due - credit;
        let overdue: Decimal = invoices().filter(overdue).map(Invoice::amount_due).sum();
        Object::new()
            .with("Outstanding", Json::decimal(outstanding, 2))
            .with("Overdue", Json::decimal(overdue, 2))
    };
    let both = Object::new()
        .with("AccountsReceivable", owed(InvoiceKind::Sales))
        .with("AccountsPayable", owed(InvoiceKind::Bill));
    Some(both)
}
