//! Tests of bank transactions: reading, and the outcome of each document sent.

use domain::document::payment::{MoneyStatus, RemoteBankTransaction};
use domain::ids::XeroBankTransactionId;
use jiff::Timestamp;
use uuid::Uuid;
use xero::XeroError;
use xero::api::{WriteOutcome, bank_transactions};

use crate::classification::refused;
use crate::samples::{
    TRANSACTION, a_fee, a_key, a_session, a_surcharge, collection, transaction_json,
};
use crate::scripted::{Answer, Scripted, reply};

async fn read(row: &str) -> RemoteBankTransaction {
    let session = a_session(Scripted::ok(&collection("BankTransactions", &[row.to_owned()])));
    bank_transactions::get(&session, TRANSACTION).await.unwrap().unwrap()
}

async fn created(rows: &[String]) -> Result<Vec<WriteOutcome<RemoteBankTransaction>>, XeroError> {
    let session = a_session(Scripted::ok(&collection("BankTransactions", rows)));
    bank_transactions::create_bank_transactions(&session, &[a_fee(), a_surcharge()], &a_key()).await
}

async fn deleted(answer: Answer) -> Result<WriteOutcome<RemoteBankTransaction>, XeroError> {
    let session = a_session(Scripted::new([answer]));
    bank_transactions::delete_bank_transaction(&session, TRANSACTION, &a_key()).await
}

/// The id of [`received`].
const RECEIVED: XeroBankTransactionId = XeroBankTransactionId(Uuid::from_u128(2));

fn received() -> String {
    transaction_json("")
        .replace("Stripe fee", "Stripe surcharge")
        .replace("SPEND", "RECEIVE")
        .replace("\"Total\":2.10", "\"Total\":1.75")
        .replace(&TRANSACTION.to_string(), &RECEIVED.to_string())
}

#[tokio::test]
async fn a_bank_transaction_is_read_with_every_field() {
    let row = transaction_json("").replace(r#""IsReconciled":false"#, r#""IsReconciled":"true""#);
    let transaction = read(&row).await;
    assert_eq!(transaction.id, TRANSACTION);
    assert_eq!(transaction.status, MoneyStatus::Authorised);
    assert_eq!(transaction.total.to_string(), "GBP 2.10");
    assert_eq!(transaction.reference.as_deref(), Some("Stripe fee pi_3Q9 (SC-pay_0001)"));
    assert!(transaction.is_reconciled);
    assert_eq!(transaction.updated_at, Some("2026-10-20T09:15:30.123Z".parse().unwrap()));
}

#[tokio::test]
async fn a_bank_transaction_without_a_reference_has_none() {
    let named = r#""Reference":"Stripe fee pi_3Q9 (SC-pay_0001)","#;
    for nothing in ["", r#""Reference":"","#, r#""Reference":null,"#] {
        assert_eq!(read(&transaction_json("").replace(named, nothing)).await.reference, None);
    }
}

#[tokio::test]
async fn a_bank_transaction_that_no_longer_counts_is_distinguished_from_one_that_does() {
    for (word, status) in [
        ("DELETED", MoneyStatus::Deleted),
        // The final state of an overpayment or prepayment, which the same list contains.
        ("VOIDED", MoneyStatus::Other("VOIDED".to_owned())),
    ] {
        assert_eq!(read(&transaction_json("").replace("AUTHORISED", word)).await.status, status);
    }
}

#[tokio::test]
async fn the_total_of_a_bank_transaction_keeps_its_digits() {
    for digits in ["1234567890123.4567", "0.1", "2.10"] {
        for token in [digits.to_owned(), format!("\"{digits}\"")] {
            let total = format!(r#""Total":{token}"#);
            let row = transaction_json("").replace(r#""Total":2.10"#, &total);
            assert_eq!(read(&row).await.total.to_string(), format!("GBP {digits}"));
        }
    }
}

#[tokio::test]
async fn a_bank_transaction_that_does_not_exist_is_none() {
    let missing = reply(404, &[], "The resource you're looking for cannot be found");
    for answer in [missing, reply(200, &[], r#"{"BankTransactions":[]}"#)] {
        let session = a_session(Scripted::new([answer]));
        assert_eq!(bank_transactions::get(&session, TRANSACTION).await.unwrap(), None);
    }
}

#[tokio::test]
async fn every_bank_transaction_with_the_reference_is_found_deleted_ones_included() {
    let gone = transaction_json("").replace("AUTHORISED", "DELETED");
    let body = collection("BankTransactions", &[gone, transaction_json("")]);
    let session = a_session(Scripted::ok(&body));
    let found = bank_transactions::find_by_reference(&session, "Stripe fee").await.unwrap();
    let stand: Vec<_> = found.rows.into_iter().map(|one| one.status).collect();
    assert_eq!(stand, [MoneyStatus::Deleted, MoneyStatus::Authorised]);
}

#[tokio::test]
async fn deleted_bank_transactions_are_asked_for_by_their_status() {
    let gone = transaction_json("").replace("AUTHORISED", "DELETED");
    let transport = Scripted::ok(&collection("BankTransactions", &[gone]));
    let session = a_session(transport.clone());
    let found = bank_transactions::find_deleted_by_reference(&session, "Stripe fee").await.unwrap();
    assert_eq!(found.rows.len(), 1);
    let asked = transport.asked();
    let query = asked[0].uri().query().unwrap();
    let filter = "where=Status%3D%3D%22DELETED%22%20AND%20Reference%3D%3D%22Stripe%20fee%22";
    assert!(query.starts_with(filter), "{query}");
}

#[tokio::test]
async fn a_refused_bank_transaction_in_a_batch_affects_no_other() {
    // As in Xero's documentation: an id and all amounts, but rejected.
    let sentence = "Account code '404' is not a valid code for this document.";
    let refused = transaction_json(&format!(
        r#""StatusAttributeString":"ERROR","ValidationErrors":[{{"Message":"{sentence}"}}],"#
    ));
    let outcomes = created(&[refused, received()]).await.unwrap();
    let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    let XeroError::Rejected { messages } = error else { panic!("{error:?}") };
    assert_eq!(messages, &[sentence]);
    let WriteOutcome::Done { remote, .. } = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!((remote.id, remote.total.to_string()), (RECEIVED, "GBP 1.75".to_owned()));
}

#[tokio::test]
async fn bank_transactions_are_matched_by_their_reference_in_whatever_order_they_come() {
    for answers in [[received(), transaction_json("")], [transaction_json(""), received()]] {
        let outcomes = created(&answers).await.unwrap();
        let ids = outcomes.iter().map(|outcome| match outcome {
            WriteOutcome::Done { remote, .. } => remote.id,
            WriteOutcome::Refused(error) => panic!("{error:?}"),
        });
        assert_eq!(ids.collect::<Vec<_>>(), [TRANSACTION, RECEIVED]);
    }
}

#[tokio::test]
async fn a_reference_that_no_filter_can_hold_is_not_asked_for() {
    let transport = Scripted::new([]);
    let session = a_session(transport.clone());
    for bad in [r#"12" pipe"#, r"a\b"] {
        let error = bank_transactions::find_by_reference(&session, bad).await.unwrap_err();
        assert!(matches!(error, XeroError::Unsendable { .. }), "{error:?}");
    }
    assert!(transport.asked().is_empty());
}

#[tokio::test]
async fn the_answer_to_a_deletion_is_the_bank_transaction_as_deleted() {
    let row = transaction_json("").replace("AUTHORISED", "DELETED");
    let body = collection("BankTransactions", &[row]);
    let outcome = deleted(reply(200, &[], &body)).await.unwrap();
    let WriteOutcome::Done { remote, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((remote.id, remote.status), (TRANSACTION, MoneyStatus::Deleted));
}

#[tokio::test]
async fn the_reason_of_a_refused_deletion_is_read_in_either_form() {
    let sentence =
        "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement.";
    let whole = deleted(refused(sentence)).await.unwrap_err();
    assert_eq!(whole.to_failure(Timestamp::UNIX_EPOCH).code, "payment_reconciled");
    let row = transaction_json(&format!(r#""ValidationErrors":[{{"Message":"{sentence}"}}],"#));
    let body = collection("BankTransactions", &[row]);
    let outcome = deleted(reply(200, &[], &body)).await.unwrap();
    let WriteOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "payment_reconciled");
}

#[tokio::test]
async fn a_deletion_counts_only_if_the_answer_shows_the_transaction_as_deleted() {
    for rows in [vec![received()], vec![], vec![transaction_json("")]] {
        let body = collection("BankTransactions", &rows);
        let outcome = deleted(reply(200, &[], &body)).await.unwrap();
        let WriteOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(error, XeroError::Unidentified { .. }), "{error:?}");
    }
}
