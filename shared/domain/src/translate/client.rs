//! The translation of a client into a contact.

mod persons;

use unicode_normalization::UnicodeNormalization;

use self::persons::arrange_persons;
use crate::contact_fields::{
    ContactDetails, ContactField, ContactFields, DesiredContact, KnownContactState, plan_contact,
};
use crate::crm::client::{BillingAddress, Client};
use crate::document::contact::{AddressType, ContactAddress, ContactDocument};
use crate::ids::{ClientId, XeroContactId};
use crate::translate::TranslatedDocument;
use crate::translate::text::DocumentTexts;

/// Xero's limit for tax numbers, company numbers, telephone numbers, postal codes and countries, in
/// characters.
const SHORT_LIMIT: usize = 50;

/// The prefix of this integration's contact numbers.
pub const NUMBER_PREFIX: &str = "SC-";

/// The contact number of a client, by which its contact is found again. Xero shows it as the
/// contact code; at most 50 characters.
pub fn contact_number(id: &ClientId) -> String {
    format!("{NUMBER_PREFIX}{id}")
}

/// The name of a client in Xero: the company's name, or else the client's own, with single spaces,
/// as Xero stores it, and without angle brackets, which Xero rejects. Never empty, because a
/// client's own name is not.
pub fn contact_name(client: &Client) -> String {
    name_of(client, &mut DocumentTexts::default())
}

fn name_of(client: &Client, texts: &mut DocumentTexts) -> String {
    let company = client.company.as_deref().map(|company| texts.prepare_name(company));
    company.filter(|name| !name.is_empty()).unwrap_or_else(|| texts.prepare_name(&client.name))
}

/// The contact to which a client's record is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactTarget {
    /// A contact that is to be created.
    New,
    /// An existing contact.
    Existing {
        /// Xero's id of the contact.
        id: XeroContactId,
        /// The contact number that it has. Only a contact without a number is given one.
        number: Option<String>,
        /// What is known about its other fields.
        state: Box<KnownContactState>,
    },
}

/// Translates a client into the document that creates or updates a contact, with this contact
/// number unless the contact already has another. Only fields that ServiceCortex may write are in
/// the document; see [`contact_fields`](crate::contact_fields).
///
/// An optional field that Xero would reject is omitted with a warning: an invalid e-mail address
/// must not prevent an invoice from being synced.
pub fn translate_client(
    client: &Client,
    number: &str,
    target: &ContactTarget,
) -> TranslatedDocument<ContactDocument> {
    let TranslatedDocument { document: desired, mut warnings } = build_desired_contact(client);
    let (contact_id, taken, state) = match target {
        ContactTarget::New => (None, None, None),
        ContactTarget::Existing { id, number, state } => {
            (Some(*id), number.as_ref(), Some(&**state))
        }
    };
    let (document, remarks) = plan_contact(&desired, state);
    warnings.extend(remarks);
    let contact_number = taken.is_none().then(|| number.to_owned());
    TranslatedDocument {
        document: ContactDocument { contact_id, contact_number, ..document },
        warnings,
    }
}

/// The contact that a client is to have, whatever Xero has. Every field of the client is in it: the
/// company or else the client is the contact's name, and the persons are the main person or further
/// persons.
pub fn build_desired_contact(client: &Client) -> TranslatedDocument<DesiredContact> {
    let mut texts = DocumentTexts::default();
    let mut omitted = Vec::new();
    let person = client.primary_contact.as_ref();
    let tax_number = client.vat_number.as_ref();
    let tax_number = fit_or_omit(ContactField::TaxNumber, tax_number, &mut texts, &mut omitted);
    let number = client.company_number.as_ref();
    let company_number = fit_or_omit(ContactField::CompanyNumber, number, &mut texts, &mut omitted);
    let phone = fit_or_omit(ContactField::Phone, client.phone.as_ref(), &mut texts, &mut omitted);
    let mobile = person.and_then(|person| person.phone.as_ref());
    let mobile = fit_or_omit(ContactField::Mobile, mobile, &mut texts, &mut omitted);
    let address = client.billing_address.as_ref();
    let address = address.and_then(|billing| address_of(billing, &mut texts, &mut omitted));
    let emails = [client.email.as_ref(), person.and_then(|person| person.email.as_ref())];
    let [own_email, person_email] = emails.map(|email| prepare_email(email, &mut texts));
    let has_email = own_email.is_some() || person_email.is_some();
    if !has_email && emails.iter().any(Option::is_some) {
        omitted.push(ContactField::Email);
    }
    let email_address = own_email.or_else(|| person_email.clone());
    let name = name_of(client, &mut texts);
    let persons = arrange_persons(
        client,
        &name,
        email_address.as_deref(),
        person_email.as_deref(),
        &mut texts,
    );
    let fields = ContactFields {
        name: Some(name),
        email_address,
        company_number,
        tax_number,
        details: ContactDetails {
            first_name: persons.first_name,
            last_name: persons.last_name,
            phone,
            mobile,
            address,
            persons: persons.further,
        },
    };
    TranslatedDocument { document: DesiredContact { fields, omitted }, warnings: texts.warnings }
}

/// The text, or `None` with a warning if it is too long. Then the field stays as it is in Xero.
fn fit_or_omit(
    field: ContactField,
    value: Option<&String>,
    texts: &mut DocumentTexts,
    omitted: &mut Vec<ContactField>,
) -> Option<String> {
    let fitting = fit_or_warn(describe_field(field), value, texts);
    if fitting.is_none() && value.is_some() {
        omitted.push(field);
    }
    fitting
}

/// The name of a field in a client's record.
const fn describe_field(field: ContactField) -> &'static str {
    match field {
        ContactField::Mobile => "primary contact's phone number",
        ContactField::Name
        | ContactField::MainPerson
        | ContactField::Email
        | ContactField::CompanyNumber
        | ContactField::TaxNumber
        | ContactField::Phone
        | ContactField::Address
        | ContactField::PostalCode
        | ContactField::Country
        | ContactField::Persons => field.display_label(),
    }
}

/// The text, or `None` with a warning if it is too long.
fn fit_or_warn(field: &str, value: Option<&String>, texts: &mut DocumentTexts) -> Option<String> {
    let value = texts.prepare_optional(field, value)?;
    if value.chars().count() <= SHORT_LIMIT {
        return Some(value);
    }
    texts
        .warnings
        .push(format!("The {field} was left out: Xero accepts at most {SHORT_LIMIT} characters."));
    None
}

/// The e-mail address, or `None` with a warning if Xero would reject it.
fn prepare_email(email: Option<&String>, texts: &mut DocumentTexts) -> Option<String> {
    let email = texts.prepare_optional("e-mail address", email)?;
    if is_email(&email) {
        return Some(email);
    }
    texts.warnings.push(
        "The e-mail address was left out: Xero accepts only valid addresses without accents or other special characters."
            .to_owned(),
    );
    None
}

/// Whether Xero accepts the address: ASCII, with one `@` and a dot in the domain.
fn is_email(text: &str) -> bool {
    let printable = text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let labels = domain.split('.').collect::<Vec<_>>();
    let named = labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    let plain = !local.contains(['<', '>', '(', ')', ',', ';', ':', '"']);
    printable
        && named
        && plain
        && !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
}

/// The address, or `None` if all its parts are empty.
fn address_of(
    billing: &BillingAddress,
    texts: &mut DocumentTexts,
    omitted: &mut Vec<ContactField>,
) -> Option<ContactAddress> {
    let BillingAddress { line1, line2, city, region, postal_code, country } = billing;
    let mut text = |part: &Option<String>| texts.prepare_optional("address", part.as_ref());
    let (line1, line2, city, region) = (text(line1), text(line2), text(city), text(region));
    let country = text(country);
    let code = postal_code.as_ref();
    let postal_code = fit_or_omit(ContactField::PostalCode, code, texts, omitted);
    let spelled = country.as_deref().and_then(spell_country);
    let named = spelled.as_deref().and_then(shorten_country);
    if country.is_some() && named.is_none() {
        let warning = "The country was left out: Xero accepts only letters and spaces.";
        texts.warnings.push(warning.to_owned());
        omitted.push(ContactField::Country);
    } else if spelled != named {
        let warning =
            format!("The country was shortened: Xero accepts at most {SHORT_LIMIT} characters.");
        texts.warnings.push(warning);
    }
    let address = ContactAddress {
        address_type: AddressType::PoBox,
        address_line1: line1,
        address_line2: line2,
        city,
        region,
        postal_code,
        country: named,
    };
    address.into_filled()
}

/// The name of a country in the letters and spaces that Xero accepts: accents and apostrophes are
/// dropped, hyphens and other punctuation become spaces, `&` becomes "and".
/// `None` for a name with other characters, such as digits, or without letters.
fn spell_country(name: &str) -> Option<String> {
    let is_accent = |sign: &char| ('\u{300}'..='\u{36f}').contains(sign);
    let mut spelled = String::new();
    for sign in name.nfd().filter(|sign| !is_accent(sign)) {
        match sign {
            '&' => spelled.push_str(" and "),
            '\'' | '\u{2018}' | '\u{2019}' | '`' => {}
            '-' | '\u{2010}'..='\u{2015}' | '.' | ',' | '(' | ')' | '/' => spelled.push(' '),
            sign if sign.is_whitespace() => spelled.push(' '),
            sign if sign.is_alphabetic() => spelled.push(sign),
            _ => return None,
        }
    }
    let spelled = spelled.split_whitespace().collect::<Vec<_>>().join(" ");
    let spelled = spelled.nfc().collect::<String>();
    (!spelled.is_empty()).then_some(spelled)
}

/// The first words of a country's name that together have at most 50 characters. `None` if the first
/// one has more.
fn shorten_country(spelled: &str) -> Option<String> {
    let mut short = String::new();
    for word in spelled.split(' ') {
        let longer = if short.is_empty() { word.to_owned() } else { format!("{short} {word}") };
        if longer.chars().count() > SHORT_LIMIT {
            break;
        }
        short = longer;
    }
    (!short.is_empty()).then_some(short)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
