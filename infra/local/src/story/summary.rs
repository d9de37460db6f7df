//! The top of the report: the verdict, then seven lines with the messages, the results and the
//! duration.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rust_decimal::Decimal;

use super::books::BooksComparison;
use super::check::{Happened, Row};
use super::clients::Clients;
use super::money::ReceivedEvent;
use super::sums::sums;
use crate::console::{Console, Tone, clock_time};
use crate::text::{truncate, wrap_at_most};

/// Prints the verdict, with every problem if the story failed, and the summary.
pub(super) fn print(console: &Console, summary: &Summary<'_>, problems: &[String]) {
    console.line("");
    if problems.is_empty() {
        console.line(&console.paint(Tone::Good, "All results are as expected."));
    } else {
        console.line(&console.paint(Tone::Bad, "The story failed:"));
        for problem in problems {
            console.paragraph(&format!("- {problem}"));
        }
        console.line("");
    }
    for line in summary.lines(console.columns()) {
        console.line(&line);
    }
}

/// The indentation of the text of a line.
const LABEL_COLUMNS: usize = 12;
/// The maximum length of a reason; the table of invoices has the full text.
const REASON_COLUMNS: usize = 60;

/// The data of the summary.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    /// How many messages the CRM sent.
    pub(super) messages: u32,
    /// How many clients the story has.
    pub(super) clients_known: usize,
    /// The results of the clients.
    pub(super) clients: &'a Clients,
    /// The results of the invoices.
    pub(super) rows: &'a [Row],
    /// The payment events that the CRM received.
    pub(super) events: &'a [ReceivedEvent],
    /// The comparison of the books, if it took place.
    pub(super) compared: Option<&'a BooksComparison>,
    /// How long the story took.
    pub(super) story: SignedDuration,
    /// How long the build and the start took before it.
    pub(super) start: SignedDuration,
}

impl Summary<'_> {
    /// The seven lines, each truncated to `columns`.
    pub(super) fn lines(&self, columns: usize) -> [String; 7] {
        let line = |label: &str, text: String| {
            let text_columns = columns.saturating_sub(LABEL_COLUMNS.saturating_add(2));
            let text = wrap_at_most(&text, text_columns, 1).concat();
            format!("  {label:<LABEL_COLUMNS$}{text}")
        };
        [
            line("Sent", self.sent()),
            line("Synced", self.synced()),
            line("Failed", self.failed()),
            line("Paid", self.paid()),
            line("Totals", self.totals()),
            line("Books", self.books()),
            line("Duration", self.duration()),
        ]
    }

    fn sent(&self) -> String {
        let (clients, invoices) = (self.clients_known, self.rows.len());
        let (clients, invoices) = (counted(clients, "client"), counted(invoices, "invoice"));
        format!("{} messages, about {clients} and {invoices}", self.messages)
    }

    fn synced(&self) -> String {
        let invoices = self.rows.iter().filter(|row| is_synced(row)).count();
        format!(
            "{} of {} clients, {invoices} of {} invoices",
            self.clients.synced,
            self.clients_known,
            self.rows.len()
        )
    }

    /// How many invoices are not in Xero, and why: unexpected ones first.
    fn failed(&self) -> String {
        let mut failed: Vec<(&Row, String)> = self
            .rows
            .iter()
            .filter_map(|row| match &row.happened {
                Happened::Failed(reason) => Some((row, reason.clone())),
                Happened::Open(state) => Some((row, format!("not in a final state: {state}"))),
                Happened::Pushed
                | Happened::Credited
                | Happened::Updated
                | Happened::Unchanged
                | Happened::Voided => None,
            })
            .collect();
        failed.sort_by_key(|(row, _)| row.problem.is_none());
        let unexpected = failed.iter().filter(|(row, _)| row.problem.is_some()).count();
        if failed.is_empty() {
            return "none".to_owned();
        }
        let whether = match unexpected {
            0 => "as expected".to_owned(),
            some => format!("{some} unexpected"),
        };
        let reasons: Vec<String> = failed
            .iter()
            .map(|(row, reason)| format!("{} {}", row.number, truncate(reason, REASON_COLUMNS)))
            .collect();
        format!("{}, {whether}: {}", counted(failed.len(), "invoice"), reasons.join("; "))
    }

    fn paid(&self) -> String {
        let imported = self.events.iter().filter(|event| event.kind == "payment.imported");
        let mut amounts: BTreeMap<&str, Decimal> = BTreeMap::new();
        let mut payments = 0_usize;
        for sum in imported.filter_map(|event| event.amount.as_ref()) {
            payments = payments.saturating_add(1);
            let amount = amounts.entry(&sum.currency).or_default();
            *amount = amount.saturating_add(sum.amount);
        }
        let amounts: Vec<String> = amounts
            .into_iter()
            .map(|(currency, amount)| format!("{currency} {amount:.2}"))
            .collect();
        if payments == 0 {
            "no payments reported to the CRM".to_owned()
        } else {
            let transfers = counted(payments, "bank transfer");
            format!("{} by {transfers}, reported to the CRM", amounts.join(", "))
        }
    }

    fn totals(&self) -> String {
        let rounded = self.rows.iter().filter(|row| row.problem.is_none() && differs(row)).count();
        let compared = sums(self.rows).into_iter().map(|(currency, sum)| {
            let apart = sum.billed.saturating_sub(sum.in_xero);
            if apart.is_zero() {
                format!("{currency} {:.2} equal", sum.in_xero)
            } else {
                format!("{currency} {apart:.2} apart")
            }
        });
        let compared = compared.collect::<Vec<_>>().join(", ");
        if rounded == 0 {
            compared
        } else {
            let invoices = counted(rounded, "invoice");
            format!("{compared} ({invoices} rounded by the CRM, as expected)")
        }
    }

    fn books(&self) -> String {
        self.compared.map_or_else(
            || "not compared".to_owned(),
            |compared| format!("compared: {}", compared.summary()),
        )
    }

    fn duration(&self) -> String {
        let all = self.start.saturating_add(self.story);
        format!(
            "{}, of which {} to build and start, {} to play",
            clock_time(all),
            clock_time(self.start),
            clock_time(self.story)
        )
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn is_synced(row: &Row) -> bool {
    match row.happened {
        Happened::Pushed
        | Happened::Credited
        | Happened::Updated
        | Happened::Unchanged
        | Happened::Voided => true,
        Happened::Failed(_) | Happened::Open(_) => false,
    }
}

/// Whether Xero's total differs from the one that the CRM billed; voided invoices are ignored.
fn differs(row: &Row) -> bool {
    row.happened != Happened::Voided && row.in_xero.is_some_and(|total| total != row.billed)
}

#[cfg(test)]
mod tests;
