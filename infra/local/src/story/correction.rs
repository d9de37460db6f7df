//! A bookkeeper corrects a field of a contact in Xero, and the next message about the client
//! preserves it.

use serde_json::Value;
use uuid::Uuid;
use xero_sim::Contact;

use super::Story;
use super::material::{Client, Material};
use super::post::Post;
use super::settle::Subject;
use super::views::LogEntry;
use crate::failure::Failure;
use crate::simulator::CLIENT_ID;

/// The client whose contact is corrected.
const CORRECTED: &str = "cli_0002";

/// The VAT number as the bookkeeper corrects it.
pub(super) const VAT_NUMBER: &str = "GB999000111";

/// The client's new e-mail address in the CRM.
pub(super) const EMAIL: &str = "ledger@obrienroofing.example";

/// The name of the field in the sync log.
const VAT_LABEL: &str = "VAT number";

impl Story<'_> {
    /// The bookkeeper corrects the VAT number in Xero. Returns the contact.
    pub(super) fn correct_contact(&self) -> Result<Uuid, Failure> {
        let known = known_vat_number(self.material)?;
        let xero = self.stack.xero();
        let (tenant, now) = (xero.tenant(), xero.now());
        let refused = |why: String| {
            Failure::new(format!("The contact of {CORRECTED} cannot be edited in Xero"))
                .because(why)
        };
        let mut simulator = xero.lock();
        let contact = simulator.books(tenant).and_then(|books| {
            let is_it = |contact: &&Contact| {
                contact.created_by.as_deref() == Some(CLIENT_ID)
                    && contact.tax_number.as_deref() == Some(known)
            };
            books.contacts().find(is_it)
        });
        let id = contact.map(|contact| contact.id);
        let id = id.ok_or_else(|| refused("It is not there".to_owned()))?;
        simulator
            .bookkeeper(now, tenant)
            .ok_or_else(|| refused("The organisation has no books".to_owned()))?
            .edit_contact(id, |contact| contact.tax_number = Some(VAT_NUMBER.to_owned()))
            .map_err(|error| refused(error.to_string()))?;
        Ok(id)
    }

    /// The CRM sends the client with the VAT number that it knows and a new e-mail address.
    pub(super) async fn send_corrected_client(&self, post: &mut Post<'_>) -> Result<(), Failure> {
        post.client(&with_new_email(self.material.client(CORRECTED)?)).await
    }

    /// How the contact differs from the expectation.
    pub(super) async fn check_correction(&self, contact: Uuid) -> Result<Vec<String>, Failure> {
        let found = self.books(|books| books.contact(contact).cloned())?;
        let log = self.api.client_log(CORRECTED).await?;
        let name = &self.material.client(CORRECTED)?.name;
        let problems = lost_corrections(name, found.as_ref(), &log.entries);
        if problems.is_empty() {
            self.console.done(&format!(
                "{name} has its new e-mail address, and the VAT number that was corrected in Xero"
            ));
        }
        Ok(problems)
    }
}

/// The record of the client.
pub(super) fn corrected_subject() -> Subject {
    Subject::Client(CORRECTED.to_owned())
}

/// The VAT number that the CRM knows.
fn known_vat_number(material: &Material) -> Result<&str, Failure> {
    let known = material.client(CORRECTED)?.snapshot.get("vat_number").and_then(Value::as_str);
    known.ok_or_else(|| Failure::new(format!("{CORRECTED} has no VAT number in clients.json")))
}

/// The next revision of the client, with another e-mail address.
fn with_new_email(client: &Client) -> Client {
    let mut snapshot = client.snapshot.clone();
    let revision = snapshot.get("revision").and_then(Value::as_u64).unwrap_or_default();
    if let Some(fields) = snapshot.as_object_mut() {
        fields.insert("revision".to_owned(), Value::from(revision.saturating_add(1)));
        fields.insert("email".to_owned(), Value::from(EMAIL));
    }
    Client { id: client.id.clone(), name: client.name.clone(), snapshot }
}

/// The differences of the contact, and of the log, which must name the field that was kept.
fn lost_corrections(name: &str, contact: Option<&Contact>, log: &[LogEntry]) -> Vec<String> {
    let Some(contact) = contact else { return vec![format!("{name} is missing in Xero")] };
    let mut problems = Vec::new();
    let fields = [
        (VAT_LABEL, contact.tax_number.as_deref(), VAT_NUMBER),
        ("e-mail address", contact.email.as_deref(), EMAIL),
    ];
    for (label, found, expected) in fields {
        if found != Some(expected) {
            let found = found.unwrap_or("nothing");
            problems.push(format!(
                "the {label} of {name} should be {expected} in Xero, but is {found}"
            ));
        }
    }
    if !log.iter().any(|entry| entry.message.contains(VAT_LABEL)) {
        problems.push(format!("the sync log does not say that the {VAT_LABEL} of {name} was kept"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use xero_sim::Contact;

    use super::{
        CORRECTED, EMAIL, LogEntry, VAT_NUMBER, known_vat_number, lost_corrections, with_new_email,
    };
    use crate::simulator::Xero;
    use crate::story::material::tests::material;

    /// A contact of Xero with this VAT number and this e-mail address.
    fn contact(vat_number: &str, email: &str) -> Contact {
        let xero = Xero::open("http://localhost:9/oauth/callback", 0).unwrap();
        let (tenant, now) = (xero.tenant(), xero.now());
        let mut simulator = xero.lock();
        let mut bookkeeper = simulator.bookkeeper(now, tenant).unwrap();
        let id = bookkeeper.add_contact("O'Brien").unwrap();
        let edited = bookkeeper.edit_contact(id, |contact| {
            contact.tax_number = Some(vat_number.to_owned());
            contact.email = Some(email.to_owned());
        });
        edited.unwrap();
        simulator.books(tenant).unwrap().contact(id).unwrap().clone()
    }

    fn log(message: &str) -> Vec<LogEntry> {
        let json = format!(
            r#"[{{"at":"2026-11-02T09:00:00Z","operation":"update","entity":"contact",
            "status":"synced","message":"{message}"}}]"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_corrected_field_is_preserved_and_named_in_the_log() {
        let kept = log("These fields keep their values in Xero: VAT number.");
        let good = contact(VAT_NUMBER, EMAIL);
        assert_eq!(lost_corrections("O'Brien", Some(&good), &kept), Vec::<String>::new());
        let overwritten = contact("GB999000101", EMAIL);
        assert_eq!(
            lost_corrections("O'Brien", Some(&overwritten), &log("Updated.")),
            [
                "the VAT number of O'Brien should be GB999000111 in Xero, but is GB999000101",
                "the sync log does not say that the VAT number of O'Brien was kept",
            ]
        );
        let unsent = contact(VAT_NUMBER, "accounts@obrienroofing.example");
        assert_eq!(lost_corrections("O'Brien", Some(&unsent), &kept).len(), 1);
        assert_eq!(lost_corrections("O'Brien", None, &kept), ["O'Brien is missing in Xero"]);
    }

    #[test]
    fn the_client_keeps_its_vat_number_in_the_crm() {
        let material = material();
        let client = material.client(CORRECTED).unwrap();
        let changed = with_new_email(client);
        assert_eq!(changed.snapshot["email"], EMAIL);
        assert_eq!(changed.snapshot["revision"], 2);
        assert_eq!(changed.snapshot["vat_number"], client.snapshot["vat_number"]);
        assert_ne!(known_vat_number(&material).unwrap(), VAT_NUMBER);
    }

    #[test]
    fn no_other_client_has_the_same_vat_number() {
        let material = material();
        let known = known_vat_number(&material).unwrap();
        let same = material.clients.iter().filter(|one| one.snapshot["vat_number"] == known);
        assert_eq!(same.count(), 1);
    }
}
