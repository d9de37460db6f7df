//! The daily comparison of the books: the open balances in the CRM with those in Xero, in the event
//! that the CRM receives and in the API's response.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Deserialize;
use xero_sim::{Books, InvoiceKind, InvoiceStatus};

use super::Story;
use super::jobs::hopeless_ids;
use super::material::{Material, Outcome};
use super::money::Sum;
use super::payment_poll::PaymentPoll;
use super::table::{Side, print as table};
use crate::console::Console;
use crate::failure::Failure;
use crate::simulator::CLIENT_ID;
use crate::wait::{self, Look, PATIENCE, digest};

/// The type of the event.
const EVENT: &str = "books.compared";

/// The API's response.
#[derive(Debug, Deserialize)]
pub(super) struct BooksView {
    /// The newest comparison; absent before the first one.
    #[serde(default)]
    pub(super) comparison: Option<BooksComparison>,
}

/// A comparison, as the event and the API describe it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct BooksComparison {
    is_equal: bool,
    /// How many invoices were compared.
    pub(super) invoices: u64,
    not_compared: u64,
    balances: Vec<OpenBalance>,
    /// How many records differ.
    pub(super) difference_count: usize,
    differences: Vec<Difference>,
}

/// The open balances in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct OpenBalance {
    crm: Sum,
    xero: Sum,
}

/// A record whose balances differ.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Difference {
    crm_id: String,
    number: String,
    crm: Sum,
    xero: Sum,
    reasons: Vec<Reason>,
}

/// A reason, with its part of the difference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Reason {
    code: String,
    amount: Sum,
}

/// The type of an event.
#[derive(Debug, Deserialize)]
struct EventType {
    #[serde(rename = "type")]
    kind: String,
}

impl Story<'_> {
    /// Lets a day pass and calls the poll, which verifies all open invoices and compares the books.
    /// It does not wait for the result.
    pub(super) async fn start_comparison(&self) -> Result<(), Failure> {
        self.forget_past_calls().await?;
        self.age_verification().await?;
        self.call("payment-poll").await
    }

    /// Waits for the comparison. Returns it, and how it differs from the expectation.
    pub(super) async fn compare_books(
        &self,
    ) -> Result<(Option<BooksComparison>, Vec<String>), Failure> {
        let console = self.console;
        console
            .step("A day has passed: all open invoices are verified, and the books are compared");
        let mut poll = PaymentPoll::verifying_now(self.stack);
        let mut events = Vec::new();
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            poll.call_if_due().await?;
            for body in poll.take_events().await? {
                events.extend(read_comparison(&body)?);
            }
            // The result and its event are one transaction.
            if !events.is_empty()
                && let Some(shown) = self.api.books_comparison().await?
            {
                return Ok(Look::Done(shown));
            }
            console.progress("the CRM has not received the comparison yet");
            Ok::<_, Failure>(Look::Pending { state: digest(&events.len()), quiet: None })
        });
        let shown: Option<BooksComparison> = waited.await?;
        console.progress_over();
        let (Some(event), Some(shown)) = (events.into_iter().next(), shown) else {
            return Ok((None, vec!["the books were not compared".to_owned()]));
        };
        let in_xero = self.books(open_balances)?;
        let expected = Expectation { in_xero, differing: differing_ids(self.material) };
        let problems = disagreements(&event, &shown, &expected);
        console.done(&format!("compared: {}", event.summary()));
        Ok((Some(event), problems))
    }
}

impl BooksComparison {
    /// How many invoices were compared, and how many of them differ.
    pub(super) fn summary(&self) -> String {
        match self.difference_count {
            0 => format!("{} invoices, equal in every currency", self.invoices),
            1 => format!("{} invoices, of which 1 differs", self.invoices),
            some => format!("{} invoices, of which {some} differ", self.invoices),
        }
    }
}

/// The comparison in an event; `None` for an event of another type.
fn read_comparison(body: &str) -> Result<Option<BooksComparison>, Failure> {
    let unreadable =
        |error: serde_json::Error| Failure::new("An event cannot be read").because(error);
    let EventType { kind } = serde_json::from_str(body).map_err(unreadable)?;
    if kind != EVENT {
        return Ok(None);
    }
    serde_json::from_str(body).map(Some).map_err(unreadable)
}

/// The expected result.
struct Expectation {
    /// The open balances of this product's invoices in Xero's books, by currency.
    in_xero: BTreeMap<String, Decimal>,
    /// The invoices whose balances differ.
    differing: BTreeSet<String>,
}

/// The open balances of this product's approved invoices.
fn open_balances(books: &Books) -> BTreeMap<String, Decimal> {
    let mut balances: BTreeMap<String, Decimal> = BTreeMap::new();
    let is_open = |status: InvoiceStatus| status == InvoiceStatus::Authorised;
    for invoice in books.invoices() {
        let is_ours = invoice.created_by.as_deref() == Some(CLIENT_ID);
        if is_ours && invoice.kind == InvoiceKind::Sales && is_open(invoice.status) {
            let sum = balances.entry(invoice.currency.clone()).or_default();
            *sum = sum.saturating_add(invoice.amount_due());
        }
    }
    balances
}

/// The invoices that the story keeps out of Xero on purpose, and those whose totals the CRM rounded.
fn differing_ids(material: &Material) -> BTreeSet<String> {
    let finals = material.final_entries().into_values();
    let differing = finals.filter(|entry| {
        entry.expect.outcome == Outcome::Failed || entry.expect.difference.is_some()
    });
    differing.map(|entry| entry.invoice.id.clone()).chain(hopeless_ids()).collect()
}

/// The differences of the comparison from the expectation.
fn disagreements(
    event: &BooksComparison,
    shown: &BooksComparison,
    expected: &Expectation,
) -> Vec<String> {
    let mut problems = Vec::new();
    if event != shown {
        problems.push("GET /v1/books does not return what the event said".to_owned());
    }
    if event.is_equal != expected.differing.is_empty() {
        problems.push(format!("the comparison says is_equal={}", event.is_equal));
    }
    if event.not_compared > 0 {
        problems.push(format!("{} records could not be compared", event.not_compared));
    }
    problems.extend(wrong_balances(event, &expected.in_xero));
    problems.extend(wrong_differences(event, &expected.differing));
    problems
}

/// Balances that differ from Xero's books, or whose difference is not that of the listed records.
fn wrong_balances(event: &BooksComparison, in_xero: &BTreeMap<String, Decimal>) -> Vec<String> {
    let mut problems = Vec::new();
    let listed = event.balances.iter().map(|one| (one.xero.currency.as_str(), one));
    let listed: BTreeMap<&str, &OpenBalance> = listed.collect();
    let currencies = in_xero.keys().map(String::as_str).chain(listed.keys().copied());
    for currency in currencies.collect::<BTreeSet<&str>>() {
        let compared = listed.get(currency).map(|one| one.xero.amount).unwrap_or_default();
        let held = in_xero.get(currency).copied().unwrap_or_default();
        if compared != held {
            problems.push(format!(
                "the comparison has {currency} {compared:.2} open in Xero, whose books have {held:.2}"
            ));
        }
        let apart = listed.get(currency).map(|one| one.crm.amount - one.xero.amount);
        let apart = apart.unwrap_or_default();
        let of_currency = event.differences.iter().filter(|one| one.crm.currency == currency);
        let explained: Decimal = of_currency.map(|one| one.crm.amount - one.xero.amount).sum();
        if apart != explained {
            problems.push(format!(
                "the balances in {currency} are {apart:.2} apart, of which {explained:.2} are explained"
            ));
        }
    }
    problems
}

/// Records that should differ and do not, or the reverse, and reasons that do not add up.
fn wrong_differences(event: &BooksComparison, differing: &BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let found: BTreeSet<&str> = event.differences.iter().map(|one| one.crm_id.as_str()).collect();
    if event.difference_count != event.differences.len() {
        let (all, listed) = (event.difference_count, event.differences.len());
        problems.push(format!("{all} records differ, but {listed} are listed"));
    }
    for id in differing.iter().filter(|id| !found.contains(id.as_str())) {
        problems.push(format!("{id} should differ between the CRM and Xero, but is not listed"));
    }
    for one in &event.differences {
        let Difference { crm_id, number, crm, xero, reasons } = one;
        if !differing.contains(crm_id) {
            problems.push(format!("{number} should be equal in the CRM and in Xero: {}", why(one)));
        }
        let explained: Decimal = reasons.iter().map(|reason| reason.amount.amount).sum();
        if explained != crm.amount - xero.amount {
            problems.push(format!("the reasons of {number} do not add up: {}", why(one)));
        }
    }
    problems
}

fn why(difference: &Difference) -> String {
    let Difference { crm_id: _, number: _, crm, xero, reasons } = difference;
    let codes = reasons.iter().map(|reason| reason.code.replace('_', " "));
    let codes = codes.collect::<Vec<_>>().join(", ");
    format!("{} {:.2} and {:.2}, {codes}", crm.currency, crm.amount, xero.amount)
}

/// Prints the open balances, and the records that differ.
pub(super) fn report(console: &Console, comparison: &BooksComparison) {
    console.title("Do the books agree? The open balances in the CRM and in Xero");
    let head =
        [("", Side::Left), ("CRM", Side::Right), ("Xero", Side::Right), ("Apart", Side::Right)];
    let balances = comparison.balances.iter().map(|one| {
        vec![
            one.crm.currency.clone(),
            format!("{:.2}", one.crm.amount),
            format!("{:.2}", one.xero.amount),
            format!("{:.2}", one.crm.amount.saturating_sub(one.xero.amount)),
        ]
    });
    table(console, &head, &balances.collect::<Vec<_>>());
    if comparison.differences.is_empty() {
        return;
    }
    console.paragraph(&format!("{}:", comparison.summary()));
    let head = [
        ("Number", Side::Left),
        ("", Side::Left),
        ("CRM", Side::Right),
        ("Xero", Side::Right),
        ("Why", Side::Left),
    ];
    let differences = comparison.differences.iter().map(|one| {
        let codes = one.reasons.iter().map(|reason| reason.code.replace('_', " "));
        vec![
            one.number.clone(),
            one.crm.currency.clone(),
            format!("{:.2}", one.crm.amount),
            format!("{:.2}", one.xero.amount),
            codes.collect::<Vec<_>>().join(", "),
        ]
    });
    table(console, &head, &differences.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests;
