//! Calls that write. Every document has one outcome, which is certain or uncertain; no element of
//! an answer decides about two documents; and an answer that names no document decides about none.

use domain::document::contact::ContactDocument;
use domain::failure::FailureClass;
use domain::idempotency::IdempotencyKey;
use domain::ids::{
    XeroAllocationId, XeroBankTransactionId, XeroContactId, XeroCreditNoteId, XeroInvoiceId,
    XeroPaymentId,
};
use serde_json::Value;
use uuid::Uuid;
use xero::api::{
    TargetStatus, WriteOutcome, bank_transactions, contacts, credit_notes, invoices, payments,
};
use xero::{ApiSession, XeroError};

use super::documents::{
    CONTACTS, CREDIT_NOTES, FEES, IDS, INVOICES, PAYMENTS, allocation, contact, credit_note, fee,
    first, invoice, payment,
};
use super::{Answer, answered, check_error};

/// A write whose answer is checked.
struct SentBatch<'a> {
    answer: &'a Answer,
    /// The collection in the answer.
    collection: &'static str,
    /// The member that holds the id of an element.
    id: &'static str,
    /// The name of each document.
    names: Vec<String>,
}

impl<'a> SentBatch<'a> {
    fn new(answer: &'a Answer, collection: &'static str, id: &'static str, names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self { answer, collection, id, names }
    }

    /// A write of documents that are named by their ids.
    fn by_id(answer: &'a Answer, collection: &'static str, id: &'static str, ids: &[Uuid]) -> Self {
        Self { answer, collection, id, names: ids.iter().map(ToString::to_string).collect() }
    }
}

/// Makes every call that writes, for one document and for two.
pub(super) fn check(session: &ApiSession, answer: &Answer) {
    let key = IdempotencyKey::of_batch(&[]);
    for count in 1..=IDS.len() {
        check_sales(session, answer, &key, count);
        check_contacts(session, answer, &key, count);
        check_money(session, answer, &key, count);
        check_statuses(session, answer, &key, count);
    }
    check_removals(session, answer, &key);
    check_allocations(session, answer, &key);
}

fn check_sales(session: &ApiSession, answer: &Answer, key: &IdempotencyKey, count: usize) {
    let (numbers, documents) = first(INVOICES, count, invoice);
    let sent = SentBatch::new(answer, "Invoices", "InvoiceID", &numbers);
    let result = answered(invoices::create_invoices(session, &documents, key));
    check_batch(&sent, result, |invoice| Some(invoice.id.0));

    let (numbers, documents) = first(CREDIT_NOTES, count, credit_note);
    let sent = SentBatch::new(answer, "CreditNotes", "CreditNoteID", &numbers);
    let result = answered(credit_notes::create_credit_notes(session, &documents, key));
    check_batch(&sent, result, |note| Some(note.id.0));
}

fn check_contacts(session: &ApiSession, answer: &Answer, key: &IdempotencyKey, count: usize) {
    let (numbers, documents) = first(CONTACTS, count, contact);
    let sent = SentBatch::new(answer, "Contacts", "ContactID", &numbers);
    let result = answered(contacts::create_contacts(session, &documents, key));
    check_batch(&sent, result, |contact| Some(contact.id.0));

    let updates = documents.into_iter().zip(IDS);
    let updates = updates
        .map(|(document, id)| ContactDocument { contact_id: Some(XeroContactId(id)), ..document });
    // An element without an id belongs to the document whose number it has.
    let ids = IDS.iter().take(count).map(ToString::to_string);
    let names = ids.chain(numbers.iter().map(|number| (*number).to_owned())).collect();
    let sent = SentBatch { answer, collection: "Contacts", id: "ContactID", names };
    let result = answered(contacts::update_contacts(session, &updates.collect::<Vec<_>>(), key));
    check_batch_of(count, &sent, result, |contact| Some(contact.id.0));
}

fn check_money(session: &ApiSession, answer: &Answer, key: &IdempotencyKey, count: usize) {
    let (references, documents) = first(PAYMENTS, count, payment);
    let sent = SentBatch::new(answer, "Payments", "PaymentID", &references);
    let result = answered(payments::create_payments(session, &documents, key));
    check_batch(&sent, result, |payment| Some(payment.id.0));

    let (references, documents) = first(FEES, count, fee);
    let sent = SentBatch::new(answer, "BankTransactions", "BankTransactionID", &references);
    let result = answered(bank_transactions::create_bank_transactions(session, &documents, key));
    check_batch(&sent, result, |transaction| Some(transaction.id.0));
}

fn check_statuses(session: &ApiSession, answer: &Answer, key: &IdempotencyKey, count: usize) {
    let ids = IDS.iter().take(count).copied().collect::<Vec<_>>();
    let void = TargetStatus::Voided;

    let changes = ids.iter().map(|id| (XeroInvoiceId(*id), void)).collect::<Vec<_>>();
    let sent = SentBatch::by_id(answer, "Invoices", "InvoiceID", &ids);
    let result = answered(invoices::set_status(session, &changes, key));
    check_batch(&sent, result, |invoice| Some(invoice.id.0));

    let changes = ids.iter().map(|id| (XeroCreditNoteId(*id), void)).collect::<Vec<_>>();
    let sent = SentBatch::by_id(answer, "CreditNotes", "CreditNoteID", &ids);
    let result = answered(credit_notes::set_status(session, &changes, key));
    check_batch(&sent, result, |note| Some(note.id.0));
}

fn check_removals(session: &ApiSession, answer: &Answer, key: &IdempotencyKey) {
    let [id, _] = IDS;
    let sent = SentBatch::by_id(answer, "Payments", "PaymentID", &[id]);
    let result = answered(payments::delete_payment(session, XeroPaymentId(id), key));
    check_batch(&sent, result.map(|one| vec![one]), |payment| Some(payment.id.0));

    let sent = SentBatch::by_id(answer, "BankTransactions", "BankTransactionID", &[id]);
    let result = answered(bank_transactions::delete_bank_transaction(
        session,
        XeroBankTransactionId(id),
        key,
    ));
    check_batch(&sent, result.map(|one| vec![one]), |transaction| Some(transaction.id.0));
}

/// An allocation has no name: in an answer to one, any element that does not contradict it is
/// about it.
fn check_allocations(session: &ApiSession, answer: &Answer, key: &IdempotencyKey) {
    let [id, _] = IDS;
    let (note, document) = (XeroCreditNoteId(id), allocation(id));
    let sent = SentBatch::new(answer, "Allocations", "AllocationID", &["an allocation"]);
    let result = answered(credit_notes::create_allocation(session, note, &document, key));
    check_batch(&sent, result.map(|one| vec![one]), |_| None);

    match answered(credit_notes::delete_allocation(session, note, XeroAllocationId(id))) {
        Ok(is_removed) => assert_eq!(is_removed, answer.status.is_success()),
        // A success may contain a refusal, too.
        Err(error) => check_error(&error, None),
    }
}

fn check_batch<T>(
    sent: &SentBatch<'_>,
    result: Result<Vec<WriteOutcome<T>>, XeroError>,
    id_of: fn(&T) -> Option<Uuid>,
) {
    check_batch_of(sent.names.len(), sent, result, id_of);
}

/// Checks the outcomes of `count` documents. A document may have more than one name.
fn check_batch_of<T>(
    count: usize,
    sent: &SentBatch<'_>,
    result: Result<Vec<WriteOutcome<T>>, XeroError>,
    id_of: fn(&T) -> Option<Uuid>,
) {
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err(error) => return check_whole(&error, sent.answer),
    };
    assert_eq!(outcomes.len(), count);
    let (mut saved, mut refused) = (Vec::new(), 0);
    for outcome in &outcomes {
        match outcome {
            WriteOutcome::Done { remote, warnings: _ } => saved.push(id_of(remote)),
            WriteOutcome::Refused(error) => {
                check_error(error, None);
                let class = error.failure_class();
                let is_expected = matches!(
                    class,
                    FailureClass::Rejected | FailureClass::Untranslatable | FailureClass::Uncertain
                );
                assert!(is_expected, "{class}");
                refused += usize::from(!matches!(error, XeroError::Unidentified { .. }));
            }
        }
    }
    let Some(body) = sent.answer.json() else { return };
    let elements = body.get(sent.collection).and_then(Value::as_array);
    let elements = elements.map(Vec::as_slice).unwrap_or_default();
    assert!(saved.len() + refused <= elements.len(), "an element decides about two documents");
    let refusals = elements.iter().filter(|element| may_refuse(element)).count();
    assert!(refused <= refusals, "a document is refused by an element that does not refuse");
    // Serde also reads a row from an array, whose values have no names.
    let has_names = elements.iter().all(Value::is_object);
    for id in saved.iter().flatten().filter(|_| has_names) {
        let times = saved.iter().filter(|saved| **saved == Some(*id)).count();
        let named = elements.iter().filter(|element| id_in(element, sent.id) == Some(*id)).count();
        assert!(times <= named, "{id} is the id of two documents");
    }
    if count > 1 && !elements.iter().any(|element| says(element, &sent.names)) {
        assert_eq!(saved.len() + refused, 0, "an element without a name decides");
    }
}

/// An answer with a success status never says that nothing was written.
fn check_whole(error: &XeroError, answer: &Answer) {
    check_error(error, Some(answer));
    if answer.status.is_success() {
        let is_open = matches!(error, XeroError::Undecodable { .. } | XeroError::Edge { .. });
        assert!(is_open, "{error:?}");
    }
}

/// Whether an element has a sign of a refusal at any part, in any spelling.
fn may_refuse(element: &Value) -> bool {
    let refuses = |name: &str, member: &Value| {
        let text = member.as_str().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "statusattributestring" => text.eq_ignore_ascii_case("ERROR"),
            "haserrors" | "hasvalidationerrors" => {
                *member == Value::Bool(true)
                    || member.as_u64() == Some(1)
                    || ["true", "1"].iter().any(|sign| text.trim().eq_ignore_ascii_case(sign))
            }
            "validationerrors" => !member.is_null(),
            _ => false,
        }
    };
    match element {
        Value::Object(members) => {
            members.iter().any(|(name, member)| refuses(name, member) || may_refuse(member))
        }
        Value::Array(items) => items.iter().any(may_refuse),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn id_in(element: &Value, member: &str) -> Option<Uuid> {
    Uuid::parse_str(element.get(member)?.as_str()?.trim()).ok()
}

/// Whether a text anywhere in the value is one of the names.
fn says(value: &Value, names: &[String]) -> bool {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let id = Uuid::parse_str(text).map(|id| id.to_string()).ok();
            names.iter().any(|name| {
                name.eq_ignore_ascii_case(text) || id.as_ref().is_some_and(|id| id == name)
            })
        }
        Value::Array(items) => items.iter().any(|item| says(item, names)),
        Value::Object(members) => members.values().any(|member| says(member, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
