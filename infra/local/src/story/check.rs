//! Comparing what happened with what had to happen: the product's own word, and the books in Xero.

use super::api::Record;
use super::material::{Entry, Material, Outcome};
use super::settle::{Records, Subject};
use crate::simulator::CLIENT_ID;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use xero_sim::{Books, Invoice};

/// What became of one invoice.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its number.
    pub(super) number: String,
    /// The client's name.
    pub(super) client: String,
    /// Three letters.
    pub(super) currency: String,
    /// What the CRM billed.
    pub(super) billed: Decimal,
    /// Its total in Xero, when it is there.
    pub(super) in_xero: Option<Decimal>,
    /// What happened.
    pub(super) happened: Happened,
    /// What should have been otherwise.
    pub(super) problem: Option<String>,
}

/// What happened to an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happened {
    /// It was created in Xero.
    Pushed,
    /// It was created, and changed later.
    Updated,
    /// A stale message changed nothing.
    Unchanged,
    /// It was voided.
    Voided,
    /// It is not in Xero, for this reason.
    Failed(String),
    /// It has not come to an end; the API calls it this.
    Open(String),
}

/// Looks at every invoice of the story.
pub(super) fn invoices(material: &Material, records: &Records, books: &Books) -> Vec<Row> {
    let finals = material.final_entries();
    let row = |first: &Entry| {
        let id = first.invoice.id.as_str();
        let entry = finals.get(id).copied().unwrap_or(first);
        let record = records.get(&Subject::Invoice(id.to_owned())).and_then(Option::as_ref);
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
    let ours: Vec<&Invoice> = books
        .invoices_numbered(&number)
        .filter(|invoice| invoice.created_by.as_deref() == Some(CLIENT_ID))
        .collect();
    let happened = happened(entry, edited, record);
    let problem = problem(entry, &ours, &happened);
    // A stale message's own total was never billed: what stands is what was there before it.
    let billed = match entry.expect.outcome {
        Outcome::Unchanged => entry.expect.total,
        Outcome::Synced | Outcome::Failed | Outcome::Voided => entry.invoice.total,
    };
    Row {
        number,
        client: material
            .client(&entry.client_id)
            .map_or_else(|_| String::new(), |c| c.name.clone()),
        currency: entry.invoice.currency.clone(),
        billed,
        in_xero: ours.first().map(|invoice| invoice.total),
        happened,
        problem,
    }
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
        Outcome::Synced | Outcome::Failed if edited => Happened::Updated,
        Outcome::Synced | Outcome::Failed => Happened::Pushed,
    }
}

fn problem(entry: &Entry, ours: &[&Invoice], happened: &Happened) -> Option<String> {
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
        (_, Happened::Open(status), _) => Some(format!("did not settle: {status}")),
        (_, _, None) => Some("is not in Xero".to_owned()),
        (Outcome::Voided, _, Some(invoice)) => {
            let status = invoice.status.as_str();
            (status != "VOIDED").then(|| format!("should be voided, but is {status}"))
        }
        (_, _, Some(invoice)) => standing(entry, invoice),
    }
}

fn standing(entry: &Entry, invoice: &Invoice) -> Option<String> {
    let expected = entry.expect.total;
    if invoice.status.is_gone() {
        Some(format!("is {} in Xero", invoice.status.as_str()))
    } else if invoice.total != expected {
        Some(format!("should be {expected} in Xero, but is {}", invoice.total))
    } else if (entry.invoice.total - invoice.total).abs() != apart(entry) {
        Some(format!("was billed {}, which is not {} apart", entry.invoice.total, apart(entry)))
    } else if invoice.currency != entry.invoice.currency {
        Some(format!("is in {} in Xero", invoice.currency))
    } else {
        None
    }
}

/// How far the CRM's total may be from Xero's; a stale message's own total says nothing.
fn apart(entry: &Entry) -> Decimal {
    match entry.expect.outcome {
        Outcome::Unchanged => (entry.invoice.total - entry.expect.total).abs(),
        Outcome::Synced | Outcome::Failed | Outcome::Voided => {
            entry.expect.difference.unwrap_or_default()
        }
    }
}

/// What became of the clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clients {
    /// How many have their contact in Xero.
    pub(super) synced: usize,
    /// How many contacts in Xero the product made.
    pub(super) contacts: usize,
    /// Who has none, and why.
    pub(super) problems: Vec<String>,
}

/// Looks at every client of the story.
pub(super) fn clients(material: &Material, records: &Records, books: &Books) -> Clients {
    let mut clients = Clients {
        contacts: books
            .contacts()
            .filter(|contact| contact.created_by.as_deref() == Some(CLIENT_ID))
            .count(),
        ..Clients::default()
    };
    for client in &material.clients {
        let record = records.get(&Subject::Client(client.id.clone())).and_then(Option::as_ref);
        match record {
            Some(record) if record.is_synced() => {
                clients.synced = clients.synced.saturating_add(1);
            }
            Some(record) => {
                let why = record.needs_a_person().unwrap_or_else(|| record.state.clone());
                clients.problems.push(format!("{} ({}): {why}", client.name, client.id));
            }
            None => clients.problems.push(format!("{} ({}): unknown", client.name, client.id)),
        }
    }
    if clients.contacts != clients.synced {
        let Clients { synced, contacts, .. } = clients;
        clients
            .problems
            .push(format!("{synced} clients are synced, but Xero has {contacts} contacts"));
    }
    clients
}

/// The sums of one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// How many invoices stand in Xero.
    pub(super) invoices: usize,
    /// What the CRM billed with them.
    pub(super) billed: Decimal,
    /// What they come to in Xero.
    pub(super) in_xero: Decimal,
}

/// The sums of what stands in Xero, by currency.
pub(super) fn sums(rows: &[Row]) -> BTreeMap<&str, Sums> {
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for row in rows {
        let stands =
            matches!(row.happened, Happened::Pushed | Happened::Updated | Happened::Unchanged);
        if let (true, Some(in_xero)) = (stands, row.in_xero) {
            let sum = sums.entry(&row.currency).or_default();
            sum.invoices = sum.invoices.saturating_add(1);
            sum.billed = sum.billed.saturating_add(row.billed);
            sum.in_xero = sum.in_xero.saturating_add(in_xero);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::{Happened, Row, problem, sums};
    use crate::project::Project;
    use crate::story::material::{Entry, Material, Outcome};
    use rust_decimal::Decimal;

    fn entry(outcome: Outcome) -> Entry {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        let wanted = |entry: &Entry| entry.expect.outcome == outcome;
        material.invoices.into_iter().chain(material.edits).find(wanted).unwrap()
    }

    #[test]
    fn an_invoice_that_should_be_in_xero_and_is_not_is_a_problem() {
        let synced = entry(Outcome::Synced);
        let said = |happened| problem(&synced, &[], &happened).unwrap();
        assert_eq!(said(Happened::Pushed), "is not in Xero");
        assert_eq!(said(Happened::Failed("no".into())), "should not have failed");
        assert_eq!(said(Happened::Open("parked".into())), "did not settle: parked");
        let voided = entry(Outcome::Voided);
        assert_eq!(problem(&voided, &[], &Happened::Voided).unwrap(), "is not in Xero");
    }

    #[test]
    fn an_invoice_that_should_fail_must_fail_for_its_reason() {
        let failed = entry(Outcome::Failed);
        let words = failed.expect.reason_contains.clone().unwrap();
        let said = |happened| problem(&failed, &[], &happened);
        assert_eq!(said(Happened::Failed(format!("Xero: {words}."))), None);
        assert!(said(Happened::Failed("out of ink".into())).unwrap().contains("but not for"));
        assert_eq!(said(Happened::Pushed).unwrap(), "should have failed");
    }

    #[test]
    fn only_what_stands_in_xero_is_summed() {
        let row = |happened, in_xero: Option<i64>| Row {
            number: "1".into(),
            client: "Ana".into(),
            currency: "GBP".into(),
            billed: Decimal::new(1001, 2),
            in_xero: in_xero.map(|cents| Decimal::new(cents, 2)),
            happened,
            problem: None,
        };
        let rows = [
            row(Happened::Pushed, Some(1000)),
            row(Happened::Updated, Some(1001)),
            row(Happened::Voided, Some(1001)),
            row(Happened::Failed("no".into()), None),
        ];
        let sums = sums(&rows);
        let pounds = &sums["GBP"];
        assert_eq!(
            (pounds.invoices, pounds.billed, pounds.in_xero),
            (2, Decimal::new(2002, 2), Decimal::new(2001, 2))
        );
    }
}
