//! Drops the fields of a contact that Xero rejects: a name or number that another contact has, an
//! e-mail address that Xero considers invalid, or persons beside whom the contact has no e-mail
//! address. The rest is written, with a warning.

use domain::document::contact::ContactDocument;
use domain::failure::FailureCause;
use domain::rejection;
use xero::XeroError;

use super::{ContactDraft, ContactDraftResult};
use crate::sync::write::{DocumentDraft, DraftResult};

/// Returns the drafts to send again without their refused fields, and the results that cannot be
/// resolved this way.
pub(super) fn drop_fields<I>(
    sent: Vec<ContactDraftResult<I>>,
) -> (Vec<ContactDraft<I>>, Vec<ContactDraftResult<I>>) {
    let (mut again, mut finished) = (Vec::new(), Vec::new());
    for one in sent {
        let reduced = match &one.result {
            Err(error) => without_rejected_fields(&one.document, error),
            Ok(_) => None,
        };
        match reduced {
            Some((document, warnings)) => {
                let DraftResult { item, document: _, operation, mut remarks, result: _ } = one;
                remarks.extend(warnings.into_iter().map(str::to_owned));
                again.push(DocumentDraft { item, document, operation, remarks });
            }
            None => finished.push(one),
        }
    }
    (again, finished)
}

/// Returns the document without the fields that Xero's sentences name, and warnings for people, or
/// `None` if sending it again would not help. A new contact needs its name and its number, so these
/// are never dropped from one.
fn without_rejected_fields(
    document: &ContactDocument,
    error: &XeroError,
) -> Option<(ContactDocument, Vec<&'static str>)> {
    let (XeroError::Rejected { messages } | XeroError::NotUnique { messages }) = error else {
        return None;
    };
    let exists = document.contact_id.is_some();
    if !exists && messages.iter().any(|message| rejection::is_about_something_taken(message)) {
        return None;
    }
    let mut reduced = document.clone();
    let mut warnings = Vec::new();
    for message in messages {
        if rejection::find_cause(message) == Some(FailureCause::EmailInvalid)
            && drop_person_emails(&mut reduced)
        {
            warnings.push(PERSON_EMAIL_LEFT_OUT);
        }
        if rejection::find_cause(message) == Some(FailureCause::PrimaryEmailMissing) {
            warnings.extend(keep_email_or_drop_persons(&mut reduced));
        }
        let (field, warning) = match rejection::find_cause(message) {
            Some(FailureCause::ContactNameTaken) => (&mut reduced.name, NAME_KEPT),
            Some(FailureCause::ContactNumberTaken) => (&mut reduced.contact_number, NUMBER_KEPT),
            Some(FailureCause::EmailInvalid) => (&mut reduced.email_address, EMAIL_LEFT_OUT),
            Some(_) | None => continue,
        };
        // A field that was dropped before is not the reason.
        if field.take().is_some() {
            warnings.push(warning);
        }
    }
    (!warnings.is_empty()).then_some((reduced, warnings))
}

/// Drops the e-mail addresses of the persons that this integration writes: Xero does not say which
/// address it rejects. Returns whether there was one.
fn drop_person_emails(document: &mut ContactDocument) -> bool {
    let known = &mut document.known.values.details.persons;
    let mut had = false;
    for person in document.persons.iter_mut().flatten() {
        if known.contains(person) {
            had |= person.email_address.take().is_some();
        }
    }
    if had {
        for own in known.iter_mut() {
            own.email_address = None;
        }
    }
    had
}

/// Resolves that a contact with further persons must have an e-mail address: the one in Xero is not
/// cleared, or, if there is none, no persons are sent. Returns the warning, or `None` if neither
/// was to be sent.
fn keep_email_or_drop_persons(document: &mut ContactDocument) -> Option<&'static str> {
    if document.email_address.as_deref() == Some("") {
        document.email_address = None;
        return Some(EMAIL_KEPT);
    }
    document.persons.take()?;
    // The next push reads the contact and decides about its persons again.
    document.known.values.details.persons.clear();
    Some(PERSONS_LEFT_OUT)
}

const PERSONS_LEFT_OUT: &str = "The contact persons were left out, because Xero accepts them only if the contact has an e-mail address.";
const EMAIL_KEPT: &str = "The e-mail address stays as it is in Xero, because Xero does not remove it from a contact with further persons.";
const PERSON_EMAIL_LEFT_OUT: &str =
    "The e-mail addresses of the contact persons were left out, because Xero does not accept them.";
const NAME_KEPT: &str = "The name stays as it is in Xero, because another contact has the new one. Rename one of the two.";
const NUMBER_KEPT: &str =
    "The contact number stays as it is in Xero, because another contact already has this number.";
const EMAIL_LEFT_OUT: &str = "The e-mail address was left out, because Xero does not accept it.";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::contact_fields::WrittenContact;
    use domain::document::contact::ContactPerson;
    use domain::ids::XeroContactId;
    use domain::sync_log::LoggedOperation;
    use uuid::Uuid;

    use super::*;

    const NAME: &str = "The contact name Ridge is already assigned to another contact.";
    const NUMBER: &str = "The contact number SC-1 is already assigned to another contact.";
    const EMAIL: &str = "Email address must be valid.";
    const NO_EMAIL: &str =
        "Additional people cannot be added when the primary person has no email address set.";
    const OTHER: &str = "The moon is in the wrong house.";

    fn a_contact(exists: bool) -> ContactDocument {
        ContactDocument {
            contact_id: exists.then(|| XeroContactId(Uuid::from_u128(1))),
            contact_number: Some("SC-1".to_owned()),
            name: Some("Ridge".to_owned()),
            first_name: None,
            last_name: None,
            email_address: Some("ana@ridge".to_owned()),
            company_number: None,
            tax_number: None,
            phones: Vec::new(),
            addresses: Vec::new(),
            persons: None,
            known: WrittenContact::default(),
        }
    }

    /// Which of name, number and e-mail address are sent again, and how many warnings there are.
    fn fields_sent_again(
        document: ContactDocument,
        messages: &[&str],
    ) -> Option<([bool; 3], usize)> {
        let messages = messages.iter().map(|message| (*message).to_owned()).collect();
        let sent = DraftResult {
            item: (),
            document,
            operation: LoggedOperation::Update,
            remarks: Vec::new(),
            result: Err(Arc::new(XeroError::NotUnique { messages })),
        };
        let (again, finished) = drop_fields(vec![sent]);
        assert_eq!(again.len() + finished.len(), 1);
        let DocumentDraft { document, remarks, .. } = again.into_iter().next()?;
        let kept = [&document.name, &document.contact_number, &document.email_address];
        Some((kept.map(Option::is_some), remarks.len()))
    }

    #[test]
    fn every_field_that_a_sentence_names_is_dropped_at_once() {
        let known = |messages: &[&str]| fields_sent_again(a_contact(true), messages);
        assert_eq!(known(&[NAME, EMAIL]), Some(([false, true, false], 2)));
        assert_eq!(known(&[EMAIL, NUMBER, NAME]), Some(([false; 3], 3)));
        assert_eq!(known(&[OTHER, EMAIL, EMAIL]), Some(([true, true, false], 1)));
        assert_eq!(known(&[OTHER]), None);
    }

    #[test]
    fn a_new_contact_keeps_its_name_and_its_number() {
        let new = |messages: &[&str]| fields_sent_again(a_contact(false), messages);
        assert_eq!(new(&[EMAIL]), Some(([true, true, false], 1)));
        assert_eq!(new(&[EMAIL, NAME]), None);
        assert_eq!(new(&[NUMBER]), None);
    }

    #[test]
    fn a_rejected_address_may_be_that_of_a_person() {
        let person = ContactPerson {
            first_name: Some("Ana".to_owned()),
            email_address: Some("ana@ridge".to_owned()),
            ..ContactPerson::default()
        };
        let mut known = WrittenContact::default();
        known.values.details.persons = vec![person.clone()];
        let document = ContactDocument {
            email_address: None,
            persons: Some(vec![person]),
            known,
            ..a_contact(true)
        };
        assert_eq!(fields_sent_again(document, &[EMAIL]), Some(([true, true, false], 1)));
    }

    /// Whether the e-mail address and the persons are sent again after Xero has refused the persons
    /// of a contact without an address.
    fn sent_beside_persons(email_address: Option<&str>) -> Option<(bool, bool)> {
        let error = XeroError::Rejected { messages: vec![NO_EMAIL.to_owned()] };
        let document = ContactDocument {
            email_address: email_address.map(str::to_owned),
            persons: Some(vec![ContactPerson::default()]),
            ..a_contact(true)
        };
        let (reduced, warnings) = without_rejected_fields(&document, &error)?;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        Some((reduced.email_address.is_some(), reduced.persons.is_some()))
    }

    #[test]
    fn an_address_is_not_cleared_beside_persons_and_persons_without_one_are_left_out() {
        assert_eq!(sent_beside_persons(Some("")), Some((false, true)));
        assert_eq!(sent_beside_persons(None), Some((false, false)));
        let error = XeroError::Rejected { messages: vec![NO_EMAIL.to_owned()] };
        let document = ContactDocument { email_address: None, ..a_contact(true) };
        assert!(without_rejected_fields(&document, &error).is_none(), "nothing is left to drop");
    }

    #[test]
    fn a_field_that_was_dropped_before_is_not_dropped_again() {
        let document = ContactDocument { email_address: None, ..a_contact(true) };
        assert_eq!(fields_sent_again(document, &[EMAIL]), None);
    }
}
