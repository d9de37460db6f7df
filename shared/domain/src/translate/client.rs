//! The translation of a client into a contact.

use crate::crm::client::{BillingAddress, Client};
use crate::document::contact::{
    AddressType, ContactAddress, ContactDocument, ContactPhone, PhoneType,
};
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
    },
}

/// Translates a client into a contact with this contact number, unless the contact already has
/// another.
///
/// An optional field that Xero would reject is omitted with a warning: an invalid e-mail address
/// must not prevent an invoice from being synced.
pub fn translate_client(
    client: &Client,
    number: &str,
    target: &ContactTarget,
) -> TranslatedDocument<ContactDocument> {
    let mut texts = DocumentTexts::default();
    let person = client.primary_contact.as_ref();
    let tax_number = fit_or_warn("VAT number", client.vat_number.as_ref(), &mut texts);
    let company_number = fit_or_warn("company number", client.company_number.as_ref(), &mut texts);
    let phone = fit_or_warn("phone number", client.phone.as_ref(), &mut texts);
    let mobile = person.and_then(|person| person.phone.as_ref());
    let mobile = fit_or_warn("primary contact's phone number", mobile, &mut texts);
    let address = client.billing_address.as_ref();
    let address = address.and_then(|billing| address_of(billing, &mut texts));
    let (contact_id, taken) = match target {
        ContactTarget::New => (None, None),
        ContactTarget::Existing { id, number } => (Some(*id), number.as_ref()),
    };
    let first_name = person.and_then(|person| person.first_name.as_ref());
    let last_name = person.and_then(|person| person.last_name.as_ref());
    let document = ContactDocument {
        contact_id,
        contact_number: taken.is_none().then(|| number.to_owned()),
        name: Some(name_of(client, &mut texts)),
        first_name: texts.prepare_optional("primary contact's name", first_name),
        last_name: texts.prepare_optional("primary contact's name", last_name),
        email_address: choose_email(client, &mut texts),
        company_number,
        tax_number,
        phones: build_phones(phone, mobile),
        addresses: address.into_iter().collect(),
    };
    TranslatedDocument { document, warnings: texts.warnings }
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

fn build_phones(phone: Option<String>, mobile: Option<String>) -> Vec<ContactPhone> {
    let numbers = [(PhoneType::Default, phone), (PhoneType::Mobile, mobile)];
    numbers
        .into_iter()
        .filter_map(|(phone_type, number)| Some(ContactPhone { phone_type, phone_number: number? }))
        .collect()
}

/// The client's own e-mail address, or else its primary contact's.
fn choose_email(client: &Client, texts: &mut DocumentTexts) -> Option<String> {
    let of_person = client.primary_contact.as_ref().and_then(|person| person.email.as_ref());
    let candidates = [client.email.as_ref(), of_person];
    for candidate in candidates.into_iter().flatten() {
        let candidate = texts.prepare_line("e-mail address", candidate);
        if is_email(&candidate) {
            return Some(candidate);
        }
        texts.warnings.push(
            "The e-mail address was left out: Xero accepts only valid addresses without accents or other special characters."
                .to_owned(),
        );
    }
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

/// The address, or `None` if all its parts are empty: an empty address could clear the contact's.
fn address_of(billing: &BillingAddress, texts: &mut DocumentTexts) -> Option<ContactAddress> {
    let BillingAddress { line1, line2, city, region, postal_code, country } = billing;
    let mut text = |part: &Option<String>| texts.prepare_optional("address", part.as_ref());
    let (line1, line2, city, region) = (text(line1), text(line2), text(city), text(region));
    let country = text(country);
    let postal_code = fit_or_warn("postal code", postal_code.as_ref(), texts);
    let letters = |name: &String| {
        name.chars().count() <= SHORT_LIMIT
            && name.chars().all(|sign| sign.is_alphabetic() || sign == ' ')
    };
    let named = country.clone().filter(letters);
    if country.is_some() && named.is_none() {
        let warning = "The country was left out: Xero accepts only letters and spaces.";
        texts.warnings.push(warning.to_owned());
    }
    if [&line1, &line2, &city, &region, &postal_code, &named].iter().all(|part| part.is_none()) {
        return None;
    }
    Some(ContactAddress {
        address_type: AddressType::PoBox,
        address_line1: line1,
        address_line2: line2,
        city,
        region,
        postal_code,
        country: named,
    })
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
