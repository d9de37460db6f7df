//! Compares the actual results with the expected ones: the product's API, and the books in Xero.

use rust_decimal::Decimal;
use xero_sim::{Books, InvoiceStatus};

use super::material::{Entry, Material, Outcome};
use super::settle::{Records, Subject};
use super::views::Record;
use crate::simulator::CLIENT_ID;

/// The result of one invoice.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its number.
    pub(super) number: String,
    /// The client's name.
    pub(super) client: String,
    /// Three letters.
    pub(super) currency: String,
    /// The total that the CRM billed.
    pub(super) billed: Decimal,
    /// Its total in Xero, if it is there; negative if it is a credit note.
    pub(super) in_xero: Option<Decimal>,
    /// What happened to it.
    pub(super) happened: Happened,
    /// How it differs from the expectation.
    pub(super) problem: Option<String>,
}

/// What happened to an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happened {
    /// It was created in Xero.
    Pushed,
    /// It was created in Xero, as a credit note.
    Credited,
    /// It was created, and changed later.
    Updated,
    /// A stale message did not change it.
    Unchanged,
    /// It was voided.
    Voided,
    /// It is not in Xero, for this reason.
    Failed(String),
    /// It has not reached a final state; this is its state in the API.
    Open(String),
}

/// The document that this product created in Xero for an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Document {
    form: Form,
    /// The total from the CRM's point of view: negative for a credit note.
    total: Decimal,
    status: InvoiceStatus,
    currency: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Invoice,
    CreditNote,
}

/// Checks every invoice of the story.
pub(super) fn invoices(material: &Material, records: &Records, books: &Books) -> Vec<Row> {
    let finals = material.final_entries();
    let row = |first: &Entry| {
        let id = first.invoice.id.as_str();
        let entry = finals.get(id).copied().unwrap_or(first);
        let record = records.get(&Subject::of(first)).and_then(Option::as_ref);
        let edited = entry.kind != first.kind;
        row(material, entry, edited, record, books)
    };
    material.invoices.iter().map(row).collect()
}

fn row(
    material: &Material,
    entry: &Entry,
    edited: bool,
    record: Option<&Record>,
    books: &Books,
) -> Row {
    let number = entry.invoice.number.clone();
    let ours = ours(books, &number);
    let happened = happened(entry, edited, record);
    let problem = problem(entry, &ours, &happened);
    // A stale message's own total was never billed: the total before it applies.
    let billed = match entry.expect.outcome {
        Outcome::Unchanged => entry.expect.total,
        Outcome::Synced | Outcome::Credited | Outcome::Failed | Outcome::Voided => {
            entry.invoice.total
        }
    };
    Row {
        number,
        client: material
            .client(&entry.client_id)
            .map_or_else(|_| String::new(), |c| c.name.clone()),
        currency: entry.invoice.currency.clone(),
        billed,
        in_xero: ours.first().map(|document| document.total),
        happened,
        problem,
    }
}

/// The documents that this product has created under a number, of either type.
fn ours(books: &Books, number: &str) -> Vec<Document> {
    let is_ours = |created_by: &Option<String>| created_by.as_deref() == Some(CLIENT_ID);
    let invoices = books.invoices_numbered(number).filter(|one| is_ours(&one.created_by));
    let notes = books.credit_notes_numbered(number).filter(|one| is_ours(&one.created_by));
    let invoices = invoices.map(|invoice| Document {
        form: Form::Invoice,
        total: invoice.total,
        status: invoice.status,
        currency: invoice.currency.clone(),
    });
    let notes = notes.map(|note| Document {
        form: Form::CreditNote,
        total: -note.total,
        status: note.status,
        currency: note.currency.clone(),
    });
    invoices.chain(notes).collect()
}

fn happened(entry: &Entry, edited: bool, record: Option<&Record>) -> Happened {
    let Some(record) = record else { return Happened::Open("unknown".to_owned()) };
    if let Some(reason) = record.needs_a_person() {
        return Happened::Failed(reason);
    }
    if !record.is_synced() {
        return Happened::Open(record.state.clone());
    }
    match entry.expect.outcome {
        Outcome::Voided => Happened::Voided,
        Outcome::Unchanged => Happened::Unchanged,
        Outcome::Credited => Happened::Credited,
        Outcome::Synced | Outcome::Failed if edited => Happened::Updated,
        Outcome::Synced | Outcome::Failed => Happened::Pushed,
    }
}

fn problem(entry: &Entry, ours: &[Document], happened: &Happened) -> Option<String> {
    if ours.len() > 1 {
        return Some(format!("is {} times in Xero", ours.len()));
    }
    match (entry.expect.outcome, happened, ours.first()) {
        (Outcome::Failed, Happened::Failed(reason), None) => {
            let words = entry.expect.reason_contains.as_deref().unwrap_or_default();
            (!reason.contains(words)).then(|| format!("failed, but not for \"{words}\""))
        }
        (Outcome::Failed, _, _) => Some("should have failed".to_owned()),
        (_, Happened::Failed(_), _) => Some("should not have failed".to_owned()),
        (_, Happened::Open(status), _) => Some(format!("did not reach a final state: {status}")),
        (_, _, None) => Some("is not in Xero".to_owned()),
        (Outcome::Voided, _, Some(document)) => {
            let status = document.status.as_str();
            (status != "VOIDED").then(|| format!("should be voided, but is {status}"))
        }
        (_, _, Some(document)) => standing(entry, document),
    }
}

fn standing(entry: &Entry, document: &Document) -> Option<String> {
    let expected = entry.expect.total;
    if let Some(problem) = misformed(entry, document) {
        Some(problem)
    } else if document.total != expected {
        Some(format!("should be {expected} in Xero, but is {}", document.total))
    } else if (entry.invoice.total - document.total).abs() != apart(entry) {
        Some(format!(
            "was billed {}, but the difference should be {}",
            entry.invoice.total,
            apart(entry)
        ))
    } else if document.currency != entry.invoice.currency {
        Some(format!("is in {} in Xero", document.currency))
    } else {
        None
    }
}

/// The wrong type, or a wrong status. The story never uses up a credited invoice, so it stays
/// approved; an invoice may have been paid.
fn misformed(entry: &Entry, document: &Document) -> Option<String> {
    let is_credited = entry.expect.outcome == Outcome::Credited;
    let status = document.status;
    match document.form {
        Form::Invoice if is_credited => Some("should be a credit note in Xero".to_owned()),
        Form::CreditNote if !is_credited => Some("is a credit note in Xero".to_owned()),
        Form::CreditNote if status != InvoiceStatus::Authorised => {
            Some(format!("should be AUTHORISED in Xero, but is {}", status.as_str()))
        }
        Form::Invoice if status.is_gone() => Some(format!("is {} in Xero", status.as_str())),
        Form::Invoice | Form::CreditNote => None,
    }
}

/// The allowed difference between the CRM's total and Xero's; a stale message's own total is
/// ignored.
fn apart(entry: &Entry) -> Decimal {
    match entry.expect.outcome {
        Outcome::Unchanged => (entry.invoice.total - entry.expect.total).abs(),
        Outcome::Synced | Outcome::Credited | Outcome::Failed | Outcome::Voided => {
            entry.expect.difference.unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use xero_sim::InvoiceStatus;

    use super::{Document, Form, Happened, problem};
    use crate::project::Project;
    use crate::story::material::{Entry, Material, Outcome};

    fn entry(outcome: Outcome) -> Entry {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        let wanted = |entry: &Entry| entry.expect.outcome == outcome;
        material.invoices.into_iter().chain(material.edits).find(wanted).unwrap()
    }

    #[test]
    fn an_invoice_that_is_missing_from_xero_is_a_problem() {
        let synced = entry(Outcome::Synced);
        let said = |happened| problem(&synced, &[], &happened).unwrap();
        assert_eq!(said(Happened::Pushed), "is not in Xero");
        assert_eq!(said(Happened::Failed("no".into())), "should not have failed");
        assert_eq!(said(Happened::Open("parked".into())), "did not reach a final state: parked");
        let voided = entry(Outcome::Voided);
        assert_eq!(problem(&voided, &[], &Happened::Voided).unwrap(), "is not in Xero");
    }

    #[test]
    fn an_invoice_that_should_fail_must_fail_for_the_expected_reason() {
        let failed = entry(Outcome::Failed);
        let words = failed.expect.reason_contains.clone().unwrap();
        let said = |happened| problem(&failed, &[], &happened);
        assert_eq!(said(Happened::Failed(format!("Xero: {words}."))), None);
        assert!(said(Happened::Failed("out of ink".into())).unwrap().contains("but not for"));
        assert_eq!(said(Happened::Pushed).unwrap(), "should have failed");
    }

    #[test]
    fn a_negative_invoice_must_be_one_approved_credit_note() {
        let credited = entry(Outcome::Credited);
        let document = |form, status| Document {
            form,
            total: credited.invoice.total,
            status,
            currency: "GBP".into(),
        };
        let said = |ours: &[Document]| problem(&credited, ours, &Happened::Credited);
        let good = document(Form::CreditNote, InvoiceStatus::Authorised);
        assert_eq!(said(std::slice::from_ref(&good)), None);
        assert_eq!(said(&[good.clone(), good.clone()]).unwrap(), "is 2 times in Xero");
        let invoice = document(Form::Invoice, InvoiceStatus::Authorised);
        assert_eq!(said(&[invoice]).unwrap(), "should be a credit note in Xero");
        let voided = document(Form::CreditNote, InvoiceStatus::Voided);
        assert!(said(&[voided]).unwrap().contains("but is VOIDED"));
        let billed = Document { total: -good.total, ..good.clone() };
        assert_eq!(said(&[billed]).unwrap(), "should be -48.00 in Xero, but is 48.00");
        let failed = Happened::Failed("no".into());
        assert_eq!(problem(&credited, &[], &failed).unwrap(), "should not have failed");
        let plain = entry(Outcome::Synced);
        assert_eq!(
            problem(&plain, &[good], &Happened::Pushed).unwrap(),
            "is a credit note in Xero"
        );
    }
}
