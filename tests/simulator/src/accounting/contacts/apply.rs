//! Applies the members of a written element to a contact; omitted members keep their value.

use crate::accounting::fields::{Fields, Refusal, Sent};
use crate::books::contact::{Address, Contact, ContactPerson, ContactStatus, PaymentTerms, Phone};
use crate::fold::collapse_spaces;
use crate::settings::Unconfirmed;

/// Xero: a contact has at most five further people.
const MOST_PERSONS: usize = 5;
const ADDRESS_TYPES: [&str; 3] = ["POBOX", "STREET", "DELIVERY"];
const PHONE_TYPES: [&str; 5] = ["DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"];
const TERMS: [&str; 4] =
    ["DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"];

/// Xero's message for an invalid e-mail address.
const INVALID_EMAIL: &str = "Email address must be valid";

/// Xero's message for further people beside a main person without an address, as several other
/// integrations report it.
const NO_MAIN_EMAIL: &str =
    "Additional people cannot be added when the primary person has no email address set.";

/// Applies an element. Returns what is wrong with it.
pub(super) fn apply(
    contact: &mut Contact,
    fields: &Fields<'_>,
    unconfirmed: &Unconfirmed,
) -> Result<Vec<String>, Refusal> {
    let mut messages = Vec::new();
    if let Some(name) = fields.text("Name")? {
        contact.name = collapse_spaces(&name);
        if !unconfirmed.names_are_tidied && fields.raw("Name") != Some(contact.name.as_str()) {
            messages.push(unconfirmed.texts.untidy_name.clone());
        }
        if name.contains(['<', '>']) {
            messages.push(unconfirmed.texts.angle_bracket.clone());
        }
        // Longer names exist in real books (xero-python#70), and are kept as long as they are not
        // sent.
        if !unconfirmed.long_names_accepted {
            longest(&mut messages, "Contact Name", &contact.name, 255);
        }
    } else if fields.sent("Name")? == Sent::Empty {
        contact.name.clear();
    }
    let texts: [(&str, usize, &mut Option<String>); 9] = [
        ("ContactNumber", 50, &mut contact.number),
        ("AccountNumber", 50, &mut contact.account_number),
        ("FirstName", 255, &mut contact.first_name),
        ("LastName", 255, &mut contact.last_name),
        ("EmailAddress", 255, &mut contact.email),
        ("CompanyNumber", 50, &mut contact.company_number),
        ("TaxNumber", 50, &mut contact.tax_number),
        ("BankAccountDetails", 255, &mut contact.bank_account),
        ("DefaultCurrency", 3, &mut contact.default_currency),
    ];
    for (key, most, target) in texts {
        match fields.sent(key)? {
            Sent::Nothing => {}
            Sent::Empty if !unconfirmed.empty_text_clears => {}
            Sent::Empty => *target = None,
            Sent::Text(text) => {
                longest(&mut messages, key, &text, most);
                *target = Some(text);
            }
        }
    }
    let refused = unconfirmed.refused_email_domain.as_deref();
    let is_refused = |email: &String| {
        !is_address(email) || refused.is_some_and(|refused| email.ends_with(refused))
    };
    if contact.email.as_ref().is_some_and(is_refused) {
        messages.push(INVALID_EMAIL.to_owned());
    }
    if let Some(word) = fields.text("ContactStatus")? {
        match ContactStatus::parse(&word) {
            Some(status) => contact.status = status,
            None => messages.push(format!("'{word}' is not a valid contact status.")),
        }
    }
    apply_addresses(contact, fields, &mut messages)?;
    apply_phones(contact, fields, &mut messages)?;
    apply_persons(contact, fields, unconfirmed, &mut messages)?;
    apply_terms(contact, fields, &mut messages)?;
    Ok(messages)
}

/// A sent address replaces the one of its type; the other type is kept.
fn apply_addresses(
    contact: &mut Contact,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    for sent in fields.objects("Addresses")?.unwrap_or_default() {
        let sent = Fields::of(sent);
        let kind = sent.text("AddressType")?.unwrap_or_default();
        if !ADDRESS_TYPES.contains(&kind.as_str()) {
            messages.push(format!("'{kind}' is not a valid address type."));
            continue;
        }
        let mut text = |key: &str, most: usize| -> Result<Option<String>, Refusal> {
            let text = sent.text(key)?;
            longest(messages, key, text.as_deref().unwrap_or_default(), most);
            Ok(text)
        };
        let address = Address {
            lines: [
                text("AddressLine1", 500)?,
                text("AddressLine2", 500)?,
                text("AddressLine3", 500)?,
                text("AddressLine4", 500)?,
            ],
            city: text("City", 255)?,
            region: text("Region", 255)?,
            postal_code: text("PostalCode", 50)?,
            country: text("Country", 50)?,
            attention_to: text("AttentionTo", 255)?,
            kind,
        };
        let only_letters =
            |country: &String| country.chars().all(|c| c.is_alphabetic() || c == ' ');
        if !address.country.as_ref().is_none_or(only_letters) {
            messages.push("Country may contain only letters.".to_owned());
        }
        contact.addresses.retain(|other| other.kind != address.kind);
        contact.addresses.push(address);
    }
    Ok(())
}

fn apply_phones(
    contact: &mut Contact,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    for sent in fields.objects("Phones")?.unwrap_or_default() {
        let sent = Fields::of(sent);
        let kind = sent.text("PhoneType")?.unwrap_or_default();
        if !PHONE_TYPES.contains(&kind.as_str()) {
            messages.push(format!("'{kind}' is not a valid phone type."));
            continue;
        }
        let mut text = |key: &str, most: usize| -> Result<Option<String>, Refusal> {
            let text = sent.text(key)?;
            longest(messages, key, text.as_deref().unwrap_or_default(), most);
            Ok(text)
        };
        let phone = Phone {
            number: text("PhoneNumber", 50)?,
            area_code: text("PhoneAreaCode", 10)?,
            country_code: text("PhoneCountryCode", 20)?,
            kind,
        };
        contact.phones.retain(|other| other.kind != phone.kind);
        contact.phones.push(phone);
    }
    Ok(())
}

/// A sent list of people replaces all people.
fn apply_persons(
    contact: &mut Contact,
    fields: &Fields<'_>,
    unconfirmed: &Unconfirmed,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(sent) = fields.objects("ContactPersons")? else {
        return Ok(());
    };
    if sent.is_empty() && !unconfirmed.empty_persons_clear {
        return Ok(());
    }
    if sent.len() > MOST_PERSONS {
        messages.push(format!("A contact can have at most {MOST_PERSONS} contact persons."));
    }
    let persons: Result<Vec<ContactPerson>, Refusal> = sent
        .into_iter()
        .map(|person| {
            let person = Fields::of(person);
            Ok(ContactPerson {
                first_name: person.text("FirstName")?,
                last_name: person.text("LastName")?,
                email: person.text("EmailAddress")?,
                include_in_emails: person.boolean("IncludeInEmails")?.unwrap_or(false),
            })
        })
        .collect();
    contact.persons = persons?;
    let is_wrong =
        |person: &ContactPerson| person.email.as_ref().is_some_and(|email| !is_address(email));
    if contact.persons.iter().any(is_wrong) {
        messages.push(INVALID_EMAIL.to_owned());
    }
    let is_named = |person: &ContactPerson| {
        [&person.first_name, &person.last_name, &person.email].into_iter().any(Option::is_some)
    };
    if contact.email.is_none() && contact.persons.iter().any(is_named) {
        messages.push(NO_MAIN_EMAIL.to_owned());
    }
    Ok(())
}

fn apply_terms(
    contact: &mut Contact,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(terms) = fields.object("PaymentTerms")? else {
        return Ok(());
    };
    let Some(sales) = Fields::of(terms).object("Sales")? else {
        return Ok(());
    };
    let sales = Fields::of(sales);
    let day = sales.number("Day")?.and_then(|day| u32::try_from(day).ok());
    let rule = sales.text("Type")?.filter(|rule| TERMS.contains(&rule.as_str()));
    match day.zip(rule) {
        Some((day, rule)) => contact.sales_terms = Some(PaymentTerms { day, rule }),
        None => messages.push("The payment terms are not valid.".to_owned()),
    }
    Ok(())
}

fn longest(messages: &mut Vec<String>, label: &str, text: &str, most: usize) {
    if text.chars().count() > most {
        messages.push(format!("{label} must be {most} characters or fewer."));
    }
}

/// Xero accepts ASCII addresses only.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.contains('@')
            && part.chars().all(|character| character.is_ascii_graphic())
            && !part.contains([',', ';', '<', '>', '(', ')', '"'])
    };
    let is_dotted =
        domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
    is_plain(local) && is_plain(domain) && is_dotted
}
