//! The report: clients, invoices, sums, payments, credit, findings, dead letters, calls to Xero.

use xero_sim::Simulator;

use super::check::{Happened, Row};
use super::clients::Clients;
use super::credit::Applied;
use super::jobs::Jobs;
use super::money::ReceivedEvent;
use super::reconciliation::Compared;
use super::sums::sums;
use super::table::{Side, Table, print as table};
use super::views::{Finding, LogEntry};
use crate::aws::sqs::Found;
use crate::console::{Console, Tone};
use crate::text::truncate;

/// Plain invoices beyond this number are only counted.
const PLAIN_ROWS_SHOWN: usize = 8;

/// How much of a dead letter's body is shown.
const BODY_COLUMNS: usize = 32;

/// The results of the clients.
pub(super) fn clients(console: &Console, clients: &Clients, own: usize) {
    let synced = clients.synced;
    console.title("Clients");
    console.paragraph(&format!(
        "{synced} are contacts in Xero: {own} sent as clients, the others with their first invoice."
    ));
}

/// The results of the invoices: all remarkable ones, and some of the rest.
pub(super) fn invoices(console: &Console, rows: &[Row]) {
    console.title("Invoices");
    let (plain, remarkable): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| is_plain(row));
    let shown: Vec<&Row> =
        plain.iter().take(PLAIN_ROWS_SHOWN).chain(&remarkable).copied().collect();
    let head = [
        ("Number", Side::Left),
        ("Client", Side::Left),
        ("", Side::Left),
        ("Billed", Side::Right),
        ("In Xero", Side::Right),
        ("What happened", Side::Left),
    ];
    let cells: Vec<Vec<String>> = shown.iter().map(|row| cells(row)).collect();
    let table = Table::fit(&head, &cells, console.columns());
    for line in &table.head {
        console.line(line);
    }
    for (lines, row) in table.rows.iter().zip(&shown) {
        for line in lines {
            let painted = tone(row).map(|tone| console.paint(tone, line));
            console.line(painted.as_ref().unwrap_or(line));
        }
    }
    let more = plain.len().saturating_sub(PLAIN_ROWS_SHOWN);
    if more > 0 {
        console.line(&format!("  … and {more} more, pushed as billed."));
    }
}

fn is_plain(row: &Row) -> bool {
    row.happened == Happened::Pushed && row.problem.is_none() && row.in_xero == Some(row.billed)
}

fn cells(row: &Row) -> Vec<String> {
    let in_xero = row.in_xero.map(|total| format!("{total:.2}")).unwrap_or_default();
    vec![
        row.number.clone(),
        row.client.clone(),
        row.currency.clone(),
        format!("{:.2}", row.billed),
        in_xero,
        story_of(row),
    ]
}

fn story_of(row: &Row) -> String {
    match &row.happened {
        Happened::Pushed if row.in_xero.is_some_and(|total| total != row.billed) => {
            "pushed; the totals differ, which the sync log shows".to_owned()
        }
        Happened::Pushed => "pushed".to_owned(),
        Happened::Credited => "pushed as a credit note, because it is negative".to_owned(),
        Happened::Updated => "pushed, then updated".to_owned(),
        Happened::Unchanged => "pushed; a stale message changed nothing".to_owned(),
        Happened::Voided => "pushed, then voided".to_owned(),
        Happened::Failed(reason) => format!("failed: {reason}"),
        Happened::Open(status) => format!("not in a final state: {status}"),
    }
}

/// The tone of a row; `None` for a row that needs no attention.
fn tone(row: &Row) -> Option<Tone> {
    match (&row.problem, &row.happened) {
        (Some(_), _) => Some(Tone::Bad),
        (None, Happened::Failed(_) | Happened::Open(_)) => Some(Tone::Warning),
        (None, Happened::Pushed) => None,
        (None, Happened::Credited | Happened::Updated | Happened::Unchanged | Happened::Voided) => {
            Some(Tone::Good)
        }
    }
}

/// The totals that the CRM billed and that Xero has, by currency.
pub(super) fn totals(console: &Console, rows: &[Row]) {
    console.title("Totals by currency, without voided documents");
    let head = [
        ("", Side::Left),
        ("Invoices", Side::Right),
        ("CRM", Side::Right),
        ("Xero", Side::Right),
        ("Apart", Side::Right),
    ];
    let cells: Vec<Vec<String>> = sums(rows)
        .into_iter()
        .map(|(currency, sum)| {
            vec![
                currency.to_owned(),
                sum.invoices.to_string(),
                format!("{:.2}", sum.billed),
                format!("{:.2}", sum.in_xero),
                format!("{:.2}", sum.billed.saturating_sub(sum.in_xero)),
            ]
        })
        .collect();
    table(console, &head, &cells);
}

/// The newest entries of the sync log, as the customer sees them.
pub(super) fn sync_log(console: &Console, entries: &[LogEntry]) {
    console.title("The newest entries of the sync log");
    let head = [
        ("At", Side::Left),
        ("What", Side::Left),
        ("Number", Side::Left),
        ("Status", Side::Left),
        ("Message", Side::Left),
    ];
    let cells: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                entry.at.strftime("%H:%M:%S").to_string(),
                format!("{} {}", entry.operation, entry.entity),
                entry.number.clone().unwrap_or_default(),
                entry.status.clone(),
                entry.message.clone(),
            ]
        })
        .collect();
    table(console, &head, &cells);
}

/// The payment events that the CRM received.
pub(super) fn money(console: &Console, events: &[ReceivedEvent]) {
    console.title("Payments: the events that the CRM received");
    let head =
        [("Event", Side::Left), ("Invoice", Side::Left), ("Amount", Side::Right), ("", Side::Left)];
    let cells: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            let sum = event.amount.as_ref().or(event.amount_due.as_ref());
            let amount = sum.map(|sum| format!("{} {:.2}", sum.currency, sum.amount));
            vec![
                event.kind.clone(),
                event.invoice_id.clone(),
                amount.unwrap_or_default(),
                words_of(event),
            ]
        })
        .collect();
    table(console, &head, &cells);
}

fn words_of(event: &ReceivedEvent) -> String {
    let status = event.status.as_deref().map(|status| match status {
        "paid" => "paid; nothing is due".to_owned(),
        other => format!("{}; this is still due", other.replace('_', " ")),
    });
    let method = event.method.as_ref().map(|method| format!("by {method}"));
    let account = event.account.as_ref().map(|account| format!("into {account}"));
    let reference = event.reference.as_ref().map(|reference| format!("\"{reference}\""));
    [status, method, account, reference].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The effect of the credit in Xero.
pub(super) fn credit(console: &Console, applied: &Applied) {
    console.title("Credit: the credited visit in Xero's books");
    let head = [
        ("Credit note", Side::Left),
        ("Credited", Side::Right),
        ("Remaining", Side::Right),
        ("Invoice", Side::Left),
        ("Due before", Side::Right),
        ("Due after", Side::Right),
    ];
    let due_after = applied.due_after.map(|due| format!("{due:.2}"));
    let cells = vec![
        applied.number.to_owned(),
        format!("{:.2}", applied.credited),
        format!("{:.2}", applied.left),
        applied.invoice.clone(),
        format!("{:.2}", applied.due_before),
        due_after.unwrap_or_default(),
    ];
    table(console, &head, &[cells]);
}

/// The findings of the comparison of clients with contacts.
pub(super) fn reconciliation(console: &Console, compared: &Compared) {
    console.title("Reconciliation: clients of an older system, and the contacts that were in Xero");
    let head = [
        ("Client", Side::Left),
        ("Outcome", Side::Left),
        ("Why, or the candidates", Side::Left),
        ("What to do", Side::Left),
    ];
    let cells: Vec<Vec<String>> = compared
        .findings
        .iter()
        .map(|found| {
            vec![
                found.name.clone(),
                found.outcome.word().to_owned(),
                why(found),
                found.remedy.clone(),
            ]
        })
        .collect();
    table(console, &head, &cells);
    let all = &compared.progress;
    console.paragraph(&format!(
        "{} clients, {} contacts: {} linked before, {} linked now, {} left to the user, {} missing; \
         contacts were listed {} times.",
        all.clients,
        all.contacts,
        all.linked_before,
        all.linked,
        all.ambiguous,
        all.missing,
        compared.lists,
    ));
}

fn why(found: &Finding) -> String {
    let candidates = found.candidates.iter().map(|one| {
        let archived = if one.is_archived { " (archived)" } else { "" };
        format!("\"{}\"{archived}", one.name)
    });
    let candidates = candidates.collect::<Vec<_>>().join(", ");
    if candidates.is_empty() { found.message.clone() } else { candidates }
}

/// The results of the jobs.
pub(super) fn jobs(console: &Console, jobs: &Jobs) {
    console.title(
        "The jobs: tokens unused for three weeks, given-up records, a log entry of 31 days ago",
    );
    let yes = |is: bool| if is { "yes" } else { "no" };
    console.paragraph(&format!(
        "keep-alive renewed the tokens ({} request); health-check counts {} given-up records and warns on \
         the settings page: {}; log-cleanup removed the entry: {}.",
        jobs.renewals,
        jobs.skipped,
        yes(jobs.warned),
        yes(jobs.cleaned),
    ));
}

/// The messages that could not be read.
pub(super) fn dead_letters(console: &Console, letters: &[Found]) {
    console
        .title("Dead letters: messages that cannot be read, moved without delaying other messages");
    let head = [("Reason", Side::Left), ("Message", Side::Left)];
    let cells: Vec<Vec<String>> = letters
        .iter()
        .map(|letter| {
            let reason = letter.attribute("reason").unwrap_or("no reason");
            vec![reason.to_owned(), truncate(&letter.body, BODY_COLUMNS)]
        })
        .collect();
    table(console, &head, &cells);
}

/// The calls that were needed.
pub(super) fn effort(console: &Console, messages: u32, simulator: &Simulator) {
    console.title("Effort");
    let calls = simulator.calls();
    let refused = calls.iter().filter(|call| call.status == 429).count();
    let counted = calls.iter().filter(|call| call.counted).count();
    console.paragraph(&format!(
        "{messages} messages became {} calls to Xero, {counted} of them counted by its limits; \
         {refused} were refused because of a limit.",
        calls.len()
    ));
}
