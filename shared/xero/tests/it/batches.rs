//! Tests of the answer to a batch, element by element: each belongs to the document that it names,
//! and an unreadable one does not affect the others.

use domain::document::contact::ContactDocument;
use domain::document::invoice::InvoiceDocument;
use domain::failure::FailureClass::Uncertain;
use domain::ids::{XeroContactId, XeroInvoiceId};
use uuid::Uuid;
use xero::XeroError;
use xero::api::{TargetStatus, WriteOutcome, contacts, invoices};

use crate::classification::{Meaning, check, refused as refused_whole};
use crate::samples::{
    CONTACT, INVOICE, a_contact, a_key, a_session, an_invoice, collection, contact_json,
    invoice_json,
};
use crate::scripted::Scripted;

fn numbered(number: u32) -> InvoiceDocument {
    InvoiceDocument { invoice_number: format!("#INV-{number:04}"), ..an_invoice() }
}

fn id(number: u32) -> XeroInvoiceId {
    XeroInvoiceId(Uuid::from_u128(number.into()))
}

fn done(number: u32) -> String {
    let row = invoice_json("").replace("INV-0001", &format!("INV-{number:04}"));
    row.replace(&INVOICE.to_string(), &id(number).to_string())
}

fn refused(number: u32, sentence: &str) -> String {
    format!(
        r##"{{"InvoiceNumber":"#INV-{number:04}","InvoiceID":"00000000-0000-0000-0000-000000000000",
        "HasErrors":true,"ValidationErrors":[{{"Message":"{sentence}"}}]}}"##
    )
}

/// The outcome of each document, as a word.
fn words<T>(outcomes: &[WriteOutcome<T>]) -> Vec<String> {
    let word = |outcome: &WriteOutcome<T>| match outcome {
        WriteOutcome::Done { .. } => "done".to_owned(),
        WriteOutcome::Refused(XeroError::Rejected { messages }) => messages.join(" "),
        WriteOutcome::Refused(XeroError::Unidentified { .. }) => "unknown".to_owned(),
        WriteOutcome::Refused(error) => error.to_string(),
    };
    outcomes.iter().map(word).collect()
}

async fn created(numbers: &[u32], rows: &[String]) -> Vec<String> {
    let documents = numbers.iter().map(|number| numbered(*number)).collect::<Vec<_>>();
    let session = a_session(Scripted::ok(&collection("Invoices", rows)));
    words(&invoices::create_invoices(&session, &documents, &a_key()).await.unwrap())
}

#[tokio::test]
async fn answers_in_another_order_are_matched_by_number() {
    let rows = [done(3), refused(1, "One."), done(2)];
    assert_eq!(created(&[1, 2, 3], &rows).await, ["One.", "done", "done"]);
}

#[tokio::test]
async fn an_odd_element_hides_no_reasons_of_the_others() {
    let nil = r#"{"InvoiceID":"00000000-0000-0000-0000-000000000000"}"#.to_owned();
    for odd in [
        nil,
        "null".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        done(2).replace("GBP", ""),
        done(2).replace(&id(2).to_string(), &Uuid::nil().to_string()),
        done(2).replace("129.4321", "\"a lot\""),
        done(2).replace(r#""LineItems":[]"#, r#""HasErrors":null,"Warnings":{},"Total":null"#),
    ] {
        let rows = [refused(1, "One."), odd.clone(), done(3)];
        assert_eq!(created(&[1, 2, 3], &rows).await, ["One.", "unknown", "done"], "{odd}");
    }
}

#[tokio::test]
async fn an_element_without_a_name_is_believed_where_it_can_be_about_one_document_alone() {
    let anonymous =
        r#"{"StatusAttributeString":"ERROR","ValidationErrors":[{"Message":"No."}]}"#.to_owned();
    let rows = [anonymous.clone(), done(1)];
    assert_eq!(created(&[1, 2], &rows).await, ["done", "No."]);
    let rows = [anonymous.clone(), anonymous.replace("No.", "Never.")];
    assert_eq!(created(&[1, 2], &rows).await, ["unknown", "unknown"]);
    assert_eq!(created(&[1], &rows).await, ["unknown"]);
    assert_eq!(created(&[1], &rows[..1]).await, ["No."]);
}

#[tokio::test]
async fn a_document_without_an_answer_is_uncertain_and_an_answer_without_a_document_is_ignored() {
    assert_eq!(created(&[1, 2], &[done(2)]).await, ["unknown", "done"]);
    assert_eq!(created(&[1], &[done(7), done(1), done(8)]).await, ["done"]);
    assert_eq!(created(&[1, 2], &[]).await, ["unknown", "unknown"]);
}

#[tokio::test]
async fn a_refusal_is_read_although_a_value_beside_it_cannot_be_parsed() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let sign = r#""StatusAttributeString":"ERROR","ValidationErrors":[{"Message":"No."}],"#;
    for row in [
        done(1).replace(r#""Name":"Ridge""#, r#""Name":"\ud83d""#),
        done(1).replacen('{', r#"{"Extra":1e400,"#, 1),
        done(1).replacen('{', &format!(r#"{{"Extra":{deep},"#), 1),
    ] {
        let refused = row.replacen('{', &format!("{{{sign}"), 1);
        let rows = [refused, done(2)];
        assert_eq!(created(&[1, 2], &rows).await, ["No.", "done"], "{row}");
        assert_eq!(created(&[1], &[row]).await, ["done"]);
    }
}

#[tokio::test]
async fn an_error_at_a_part_of_a_document_refuses_the_document() {
    let contact = r#""Name":"Ridge","ValidationErrors":[]"#;
    let lines = r#""LineItems":[]"#;
    for row in [
        done(1).replace(contact, r#""Name":"Ridge","ValidationErrors":[{"Message":"No."}]"#),
        done(1).replace(lines, r#""LineItems":[{"ValidationErrors":[{"Message":"No."}]}]"#),
        done(1).replace(lines, r#""LineItems":[],"ValidationErrors":{"Message":"No."}"#),
    ] {
        assert_eq!(created(&[1, 2], &[row.clone(), done(2)]).await, ["No.", "done"], "{row}");
    }
}

#[tokio::test]
async fn a_batch_that_xero_rejects_as_a_whole_leaves_every_outcome_open() {
    for sentence in ["No.", "Invoice # must be unique."] {
        let session = || a_session(Scripted::new([refused_whole(sentence)]));
        let several = [numbered(1), numbered(2)];
        let error = invoices::create_invoices(&session(), &several, &a_key()).await.unwrap_err();
        let XeroError::BatchRejected { messages } = &error else { panic!("{error:?}") };
        assert_eq!(messages, &[sentence]);
        check(sentence, &error, &Meaning(Uncertain, "batch_rejected", None));
        assert!(error.is_answered());
        let one = invoices::create_invoices(&session(), &several[..1], &a_key()).await.unwrap_err();
        let is_about_one = matches!(one, XeroError::Rejected { .. } | XeroError::NotUnique { .. });
        assert!(is_about_one, "{one:?}");
    }
}

#[tokio::test]
async fn an_invoice_that_the_answer_shows_unchanged_is_not_voided() {
    let changes = [(id(1), TargetStatus::Voided), (id(2), TargetStatus::Voided)];
    let body = collection("Invoices", &[done(1), done(2).replace("AUTHORISED", "VOIDED")]);
    let session = a_session(Scripted::ok(&body));
    let outcomes = invoices::set_status(&session, &changes, &a_key()).await.unwrap();
    assert_eq!(words(&outcomes), ["unknown", "done"]);
}

#[tokio::test]
async fn changes_are_matched_by_id() {
    let changes = [(id(1), TargetStatus::Voided), (id(2), TargetStatus::Voided)];
    let gone = |number| done(number).replace("AUTHORISED", "VOIDED");
    let body = collection("Invoices", &[gone(2), gone(1)]);
    let session = a_session(Scripted::ok(&body));
    let outcomes = invoices::set_status(&session, &changes, &a_key()).await.unwrap();
    let ids = outcomes.iter().map(|outcome| match outcome {
        WriteOutcome::Done { remote, .. } => remote.id,
        WriteOutcome::Refused(error) => panic!("{error:?}"),
    });
    assert_eq!(ids.collect::<Vec<_>>(), [id(1), id(2)]);
}

#[tokio::test]
async fn contacts_are_matched_by_number_and_without_one_by_name() {
    let second = XeroContactId(Uuid::from_u128(2));
    let documents = [
        ContactDocument { name: Some("Ridge".to_owned()), ..a_contact() },
        ContactDocument {
            contact_number: Some("SC-cli_0002".to_owned()),
            name: Some("Kauri  Café".to_owned()),
            ..a_contact()
        },
    ];
    let other = contact_json("")
        .replace("SC-cli_0001", "SC-cli_0002")
        .replace(r#""Name":"Ridge""#, r#""Name":"Kauri Café""#)
        .replace(&CONTACT.to_string(), &second.to_string());
    let unnumbered = other.replace(r#""ContactNumber":"SC-cli_0002","#, "");
    for row in [other, unnumbered] {
        let body = collection("Contacts", &[row, contact_json("")]);
        let session = a_session(Scripted::ok(&body));
        let outcomes = contacts::create_contacts(&session, &documents, &a_key()).await.unwrap();
        let ids = outcomes.iter().map(|outcome| match outcome {
            WriteOutcome::Done { remote, .. } => remote.id,
            WriteOutcome::Refused(error) => panic!("{error:?}"),
        });
        assert_eq!(ids.collect::<Vec<_>>(), [CONTACT, second]);
    }
}

#[tokio::test]
async fn another_wording_of_a_taken_name_is_looked_up_like_the_known_one() {
    let sentence = "The Contact Name already exists. Please enter a different Contact Name.";
    let row = contact_json(&format!(r#""ValidationErrors":[{{"Message":"{sentence}"}}],"#));
    let session = a_session(Scripted::ok(&collection("Contacts", &[row])));
    let outcomes = contacts::create_contacts(&session, &[a_contact()], &a_key()).await.unwrap();
    let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(matches!(error, XeroError::NotUnique { .. }), "{error:?}");
    assert_eq!(error.failure_class(), Uncertain);
    assert_eq!(error.unknown_sentences(), 0);
}

#[tokio::test]
async fn sentences_that_are_not_in_the_table_are_counted() {
    let row = refused(1, "The moon is in the wrong house");
    let session = a_session(Scripted::ok(&collection("Invoices", &[row])));
    let outcomes = invoices::create_invoices(&session, &[numbered(1)], &a_key()).await.unwrap();
    let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(error.unknown_sentences(), 1);
}
