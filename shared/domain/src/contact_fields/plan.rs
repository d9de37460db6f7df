//! The decision which fields of a contact are written.

mod email_and_persons;

use self::email_and_persons::may_clear_email;
use super::address::with_kept_address_parts;
use super::field::ContactField;
use super::persons::{PersonsPlan, are_same_persons};
use super::{ContactDetails, ContactFields, ContactOrigin, ContactPrecedence, WrittenContact};
use crate::document::contact::{ContactAddress, ContactDocument, ContactPhone, PhoneType};
use crate::spelling::compose_accents;

/// The contact that a client is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DesiredContact {
    /// The values; absent ones are empty in the CRM.
    pub(crate) fields: ContactFields,
    /// The fields whose value in the CRM Xero would reject. They stay as they are.
    pub(crate) omitted: Vec<ContactField>,
}

/// What is known about an existing contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownContactState {
    /// The values that this integration wrote.
    pub written: WrittenContact,
    /// The values that Xero has, if the contact was read. It must be read if [`must_read_contact`].
    pub remote: Option<ContactFields>,
    /// The account's choice.
    pub precedence: ContactPrecedence,
}

/// Whether a contact must be read before it can be decided which fields are written.
pub fn must_read_contact(
    desired: &DesiredContact,
    written: &WrittenContact,
    precedence: ContactPrecedence,
) -> bool {
    let (wanted, known) = (&desired.fields.details.persons, &written.values.details.persons);
    !precedence.favours_servicecortex(written.origin)
        || !are_same_persons(wanted, known)
        || may_clear_email(desired, written)
}

/// Builds the document that creates or updates a contact, without id and number, and remarks for
/// people. `existing` is `None` for a contact that is to be created.
pub(crate) fn plan_contact(
    desired: &DesiredContact,
    existing: Option<&KnownContactState>,
) -> (ContactDocument, Vec<String>) {
    let new;
    let state = if let Some(state) = existing {
        state
    } else {
        new = KnownContactState {
            written: WrittenContact::of_origin(ContactOrigin::Created),
            remote: Some(ContactFields::default()),
            precedence: ContactPrecedence::Servicecortex,
        };
        &new
    };
    let leads = state.precedence.favours_servicecortex(state.written.origin);
    let desired = &with_kept_address_parts(desired, state);
    let planner = ContactPlanner { desired, state, leads, kept: Vec::new() };
    planner.plan_document(existing.is_some())
}

/// What happens to a field.
enum FieldChange<T> {
    Keep,
    Write(T),
    Clear,
}

/// What happens to a field, and the value that is known if it is not written.
struct FieldPlan<T> {
    change: FieldChange<T>,
    known: Option<T>,
}

impl FieldPlan<String> {
    /// The text to send: `None` keeps the field, an empty text clears it.
    fn into_text(self) -> (Option<String>, Option<String>) {
        let text = match self.change {
            FieldChange::Keep => None,
            FieldChange::Write(text) => Some(text),
            FieldChange::Clear => Some(String::new()),
        };
        (text, self.known)
    }
}

/// Returns the address to send, if any. That of an existing contact clears the parts that it lacks.
fn list_addresses(change: FieldChange<ContactAddress>, exists: bool) -> Vec<ContactAddress> {
    match change {
        FieldChange::Keep => Vec::new(),
        FieldChange::Write(address) if exists => vec![address.with_every_part()],
        FieldChange::Write(address) => vec![address],
        FieldChange::Clear => vec![ContactAddress::default().with_every_part()],
    }
}

/// First and last name.
type PersonName = (Option<String>, Option<String>);

struct ContactPlanner<'a> {
    desired: &'a DesiredContact,
    state: &'a KnownContactState,
    leads: bool,
    /// The fields that stay as they are in Xero.
    kept: Vec<ContactField>,
}

impl ContactPlanner<'_> {
    fn plan_document(mut self, exists: bool) -> (ContactDocument, Vec<String>) {
        let (name, known_name) = self.plan_text(ContactField::Name, |all| all.name.clone());
        let (email_address, known_email) = self.plan_email().into_text();
        let (company_number, known_company_number) =
            self.plan_text(ContactField::CompanyNumber, |all| all.company_number.clone());
        let (tax_number, known_tax_number) =
            self.plan_text(ContactField::TaxNumber, |all| all.tax_number.clone());
        let (main_person, known_person) = self.plan_main_person();
        let (phones, known_phone, known_mobile) = self.plan_phones(exists);
        let address = self.plan_field(
            ContactField::Address,
            |all| all.details.address.clone(),
            ContactAddress::is_same_as,
        );
        let persons = self.plan_persons(email_address.as_deref());
        let remarks = self.describe_kept_fields(&persons);
        let values = ContactFields {
            name: known_name,
            email_address: known_email,
            company_number: known_company_number,
            tax_number: known_tax_number,
            details: ContactDetails {
                first_name: known_person.0,
                last_name: known_person.1,
                phone: known_phone,
                mobile: known_mobile,
                address: address.known,
                persons: persons.known,
            },
        };
        let document = ContactDocument {
            contact_id: None,
            contact_number: None,
            name,
            first_name: main_person.0,
            last_name: main_person.1,
            email_address,
            company_number,
            tax_number,
            phones,
            addresses: list_addresses(address.change, exists),
            persons: persons.persons,
            known: WrittenContact { origin: self.state.written.origin, values },
        };
        (document, remarks)
    }

    fn plan_text(
        &mut self,
        field: ContactField,
        read: impl Fn(&ContactFields) -> Option<String>,
    ) -> (Option<String>, Option<String>) {
        self.plan_field(field, read, |one, other| is_same_text(one, other)).into_text()
    }

    /// Returns the numbers to send, and the two that Xero then has.
    fn plan_phones(&mut self, exists: bool) -> (Vec<ContactPhone>, Option<String>, Option<String>) {
        let (phone, known_phone) =
            self.plan_phone(ContactField::Phone, |all| all.details.phone.clone());
        let (mobile, known_mobile) =
            self.plan_phone(ContactField::Mobile, |all| all.details.mobile.clone());
        let changes = [(PhoneType::Default, phone), (PhoneType::Mobile, mobile)];
        let changes = changes.into_iter().filter_map(|(phone_type, number)| {
            Some(ContactPhone { phone_type, phone_number: number?, clears_codes: exists })
        });
        (changes.collect(), known_phone, known_mobile)
    }

    /// Numbers are compared by their digits, because Xero keeps the codes apart.
    fn plan_phone(
        &mut self,
        field: ContactField,
        read: impl Fn(&ContactFields) -> Option<String>,
    ) -> (Option<String>, Option<String>) {
        let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
        let is_same = |one: &String, other: &String| {
            let (one_digits, other_digits) = (digits(one), digits(other));
            is_same_text(one, other) || (!one_digits.is_empty() && one_digits == other_digits)
        };
        self.plan_field(field, read, is_same).into_text()
    }

    /// First and last name belong to one person, so they are written together.
    fn plan_main_person(&mut self) -> (PersonName, PersonName) {
        let read = |all: &ContactFields| {
            let names = (all.details.first_name.clone(), all.details.last_name.clone());
            Some(names).filter(|(first, last)| first.is_some() || last.is_some())
        };
        let join = |(first, last): &PersonName| {
            [first.as_deref(), last.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let plan = self.plan_field(ContactField::MainPerson, read, |one, other| {
            is_same_text(&join(one), &join(other))
        });
        let has_names = self.state.remote.as_ref().is_none_or(|remote| read(remote).is_some());
        let names = match plan.change {
            FieldChange::Keep => (None, None),
            // An absent half must not stay beside the other person's half.
            FieldChange::Write((first, last)) if has_names => {
                (Some(first.unwrap_or_default()), Some(last.unwrap_or_default()))
            }
            FieldChange::Write(names) => names,
            FieldChange::Clear => (Some(String::new()), Some(String::new())),
        };
        (names, plan.known.unwrap_or_default())
    }

    fn plan_field<T>(
        &mut self,
        field: ContactField,
        read: impl Fn(&ContactFields) -> Option<T>,
        is_same: impl Fn(&T, &T) -> bool,
    ) -> FieldPlan<T> {
        let desired = read(&self.desired.fields);
        let written = read(&self.state.written.values);
        if self.desired.omitted.contains(&field) {
            return FieldPlan { change: FieldChange::Keep, known: written };
        }
        let has_written = written.is_some();
        let Some(remote) = &self.state.remote else {
            let change = match desired {
                Some(value) => FieldChange::Write(value),
                None if has_written => FieldChange::Clear,
                None => FieldChange::Keep,
            };
            return FieldPlan { change, known: written };
        };
        let remote = read(remote);
        let is_known = match (&written, &remote) {
            (Some(written), Some(remote)) => is_same(written, remote),
            (None, _) | (_, None) => false,
        };
        match (desired, remote) {
            (None, None) => FieldPlan { change: FieldChange::Keep, known: None },
            (Some(value), None) => FieldPlan { change: FieldChange::Write(value), known: written },
            (Some(value), Some(remote)) if is_same(&value, &remote) => {
                FieldPlan { change: FieldChange::Keep, known: Some(remote) }
            }
            (Some(value), Some(_)) if is_known || self.leads => {
                FieldPlan { change: FieldChange::Write(value), known: written }
            }
            (None, Some(_)) if is_known || (self.leads && has_written) => {
                FieldPlan { change: FieldChange::Clear, known: written }
            }
            (value, Some(_)) => {
                if value.is_some() || has_written {
                    self.kept.push(field);
                }
                FieldPlan { change: FieldChange::Keep, known: written }
            }
        }
    }

    /// Sentences about the fields that stay as they are in Xero.
    fn describe_kept_fields(&self, persons: &PersonsPlan) -> Vec<String> {
        let mut remarks = Vec::new();
        let labels = self.kept.iter().map(|field| field.display_label()).collect::<Vec<_>>();
        if !labels.is_empty() {
            remarks.push(format!(
                "These fields keep their values in Xero, which differ from those in ServiceCortex: {}.",
                labels.join(", ")
            ));
        }
        remarks.extend(persons.describe_left_out());
        remarks
    }
}

/// Whether two texts are the same to Xero, which removes superfluous spaces, and to readers.
fn is_same_text(one: &str, other: &str) -> bool {
    let (one, other) = (compose_accents(one), compose_accents(other));
    one.split_whitespace().eq(other.split_whitespace())
}
