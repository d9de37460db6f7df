//! The CRM issues a credit note and applies it to an invoice, and both reach Xero.

use jiff::civil::Date;
use rust_decimal::Decimal;
use xero_sim::{Books, Credit, Invoice};

use super::Story;
use super::credit_note::{ALLOCATION_ID, Allocation, CREDITED, CreditNote, NOTE_ID, NUMBER};
use super::material::{Entry, Material, Outcome};
use super::post::Post;
use super::settle::{Records, Subject};
use super::views::Record;
use crate::failure::Failure;
use crate::simulator::CLIENT_ID;

/// The minimum total of an invoice, so that most of it stays due after the credit.
const INVOICE_MIN: Decimal = Decimal::ONE_HUNDRED;

/// The credit in Xero's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    /// The credit note's number.
    pub(super) number: &'static str,
    /// The total of the credit note.
    pub(super) credited: Decimal,
    /// How many credit notes of that number this product created.
    notes: usize,
    /// How many allocations to an invoice it has.
    allocations: usize,
    /// The remaining credit.
    pub(super) left: Decimal,
    /// The invoice's number.
    pub(super) invoice: String,
    /// The amount due on the invoice before.
    pub(super) due_before: Decimal,
    /// The amount due on the invoice now, if it is neither voided nor deleted.
    pub(super) due_after: Option<Decimal>,
}

impl Story<'_> {
    /// The CRM credits a bad visit. Returns the invoice to which the credit is applied, if there is
    /// a suitable one.
    pub(super) async fn send_credit(
        &self,
        post: &mut Post<'_>,
        today: Date,
    ) -> Result<Option<&Entry>, Failure> {
        let Some(entry) = self.books(|books| owed(self.material, books))? else {
            return Ok(None);
        };
        let client = self.material.client(&entry.client_id)?;
        post.credit_note(&CreditNote::for_a_visit(entry, today), client).await?;
        post.allocation(&Allocation::to(entry, today)).await?;
        Ok(Some(entry))
    }

    /// The credit in Xero's books, and how it differs from the expectation.
    pub(super) fn check_credit(
        &self,
        credited: Option<&Entry>,
    ) -> Result<(Option<Applied>, Vec<String>), Failure> {
        let Some(entry) = credited else {
            return Ok((None, vec![format!("there was no invoice to apply {NUMBER} to")]));
        };
        let applied = self.books(|books| applied(books, entry))?;
        let problems = find_wrong_credit(&applied);
        let name = &self.material.client(&entry.client_id)?.name;
        self.console
            .done(&format!("{NUMBER} was issued to {name} and applied to {}", applied.invoice));
        Ok((Some(applied), problems))
    }
}

/// The records of the credit.
pub(super) fn credit_subjects() -> [Subject; 2] {
    [Subject::CreditNote(NOTE_ID.to_owned()), Subject::Allocation(ALLOCATION_ID.to_owned())]
}

/// The invoice to credit. It must be due in full, so it is neither of the two that the bank
/// transfers paid; which two those are depends on Xero's ids.
fn owed<'a>(material: &'a Material, books: &Books) -> Option<&'a Entry> {
    creditable(material, |entry| due(books, &entry.invoice.number) == Some(entry.expect.total))
}

/// The first invoice in pounds that was pushed as billed, is large enough, and is due in full.
fn creditable(material: &Material, is_due_in_full: impl Fn(&Entry) -> bool) -> Option<&Entry> {
    let finals = material.final_entries();
    let last = |first: &Entry| finals.get(first.invoice.id.as_str()).copied();
    material.invoices.iter().filter_map(last).find(|entry| {
        entry.expect.outcome == Outcome::Synced
            && entry.invoice.currency == "GBP"
            && entry.expect.total >= INVOICE_MIN
            && is_due_in_full(entry)
    })
}

/// The amount due on this product's invoice of that number, if it is neither voided nor deleted.
fn due(books: &Books, number: &str) -> Option<Decimal> {
    let stands = |invoice: &&Invoice| {
        invoice.created_by.as_deref() == Some(CLIENT_ID) && !invoice.status.is_gone()
    };
    books.invoices_numbered(number).find(stands).map(Invoice::amount_due)
}

fn applied(books: &Books, entry: &Entry) -> Applied {
    let notes: Vec<Credit> = books
        .credit_notes_numbered(NUMBER)
        .filter(|note| note.created_by.as_deref() == Some(CLIENT_ID))
        .map(|note| Credit::CreditNote(note.id))
        .collect();
    Applied {
        number: NUMBER,
        credited: CREDITED,
        notes: notes.len(),
        allocations: notes.iter().map(|note| books.allocations_of(*note).count()).sum(),
        left: notes.iter().map(|note| books.remaining_credit(*note)).sum(),
        invoice: entry.invoice.number.clone(),
        due_before: entry.expect.total,
        due_after: due(books, &entry.invoice.number),
    }
}

/// The records that were not synced, each with its reason.
pub(super) fn unsettled(records: &Records) -> Vec<String> {
    records
        .iter()
        .filter_map(|(subject, record)| {
            let unknown = || Some("unknown".to_owned());
            let why = record.as_ref().map_or_else(unknown, Record::obstacle)?;
            Some(format!("{} was not synced: {why}", subject.id()))
        })
        .collect()
}

/// The differences between the books and the expectation.
fn find_wrong_credit(applied: &Applied) -> Vec<String> {
    let Applied { number, credited, notes, allocations, left, invoice, due_before, due_after } =
        applied;
    let mut problems = Vec::new();
    if *notes != 1 {
        problems.push(format!("{number} is {notes} times in Xero"));
    }
    if *allocations != 1 {
        problems.push(format!("{number} is applied {allocations} times in Xero"));
    }
    if !left.is_zero() {
        problems.push(format!("{left:.2} of {number} is left in Xero"));
    }
    let expected = due_before - credited;
    match due_after {
        Some(due) if *due == expected => {}
        Some(due) => problems
            .push(format!("{invoice} should have {expected:.2} due in Xero, but has {due:.2}")),
        None => problems.push(format!("{invoice} is missing or voided in Xero")),
    }
    problems
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{Applied, CREDITED, NUMBER, creditable, find_wrong_credit, unsettled};
    use crate::project::Project;
    use crate::story::material::Material;
    use crate::story::settle::{Records, Subject};

    fn applied() -> Applied {
        Applied {
            number: NUMBER,
            credited: CREDITED,
            notes: 1,
            allocations: 1,
            left: Decimal::ZERO,
            invoice: "#INV-1".into(),
            due_before: Decimal::new(11_400, 2),
            due_after: Some(Decimal::new(9_000, 2)),
        }
    }

    #[test]
    fn credit_is_applied_once_and_in_full_and_reduces_the_amount_due() {
        assert_eq!(find_wrong_credit(&applied()), Vec::<String>::new());
        let nothing = Applied {
            allocations: 0,
            left: CREDITED,
            due_after: Some(Decimal::new(11_400, 2)),
            ..applied()
        };
        assert_eq!(
            find_wrong_credit(&nothing),
            [
                "CN-0001 is applied 0 times in Xero",
                "24.00 of CN-0001 is left in Xero",
                "#INV-1 should have 90.00 due in Xero, but has 114.00",
            ]
        );
        let twice = Applied { notes: 2, allocations: 2, ..applied() };
        assert_eq!(find_wrong_credit(&twice).len(), 2);
        let gone = Applied { due_after: None, ..applied() };
        assert_eq!(find_wrong_credit(&gone), ["#INV-1 is missing or voided in Xero"]);
    }

    #[test]
    fn a_record_that_is_not_synced_is_reported_with_its_reason() {
        let record = |json: &str| Some(serde_json::from_str(json).unwrap());
        let refused =
            r#"{"state":"waiting","failure":{"class":"rejected","message":"No.","remedy":""}}"#;
        let records: Records = [
            (Subject::Client("cli_1".into()), record(r#"{"state":"synced"}"#)),
            (Subject::Invoice("inv_1".into()), record(refused)),
            (Subject::CreditNote("cn_1".into()), record(r#"{"state":"parked"}"#)),
            (Subject::Allocation("al_1".into()), None),
        ]
        .into();
        assert_eq!(
            unsettled(&records),
            [
                "inv_1 was not synced: No.",
                "cn_1 was not synced: parked",
                "al_1 was not synced: unknown",
            ]
        );
    }

    #[test]
    fn the_credit_is_for_an_unpaid_invoice() {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        let first = creditable(&material, |_| true).unwrap();
        assert!(first.expect.total > CREDITED * Decimal::from(4));
        let another = creditable(&material, |entry| entry.invoice.id != first.invoice.id).unwrap();
        assert_ne!(another.invoice.id, first.invoice.id);
        assert!(creditable(&material, |_| false).is_none());
    }
}
