//! The HTML page: organisations, contacts, invoices, payments, the latest calls.

mod forms;
mod money;

use super::control::is_linked;
use super::journal::describe_delivery;
use crate::answer::Answer;
use crate::bookkeeper::OddRow;
use crate::books::Books;
use crate::books::contact::{Contact, ContactStatus};
use crate::books::invoice::{Invoice, InvoiceStatus};
use crate::calls::Call;
use crate::organisation::{Organisation, RowStatus};
use crate::simulator::Simulator;
use crate::subscription::Subscription;
use crate::xml::escaped as text;
use forms::{Input, RECEIPT, button, choice, folded, form, override_form};
use jiff::Timestamp;
use money::push_money;

/// How many calls the page shows; the complete log is at `/_simulator/calls`.
const LATEST: usize = 200;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#000a1e}\
h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2.5rem}h3{font-size:1rem;color:#59606d}\
table{border-collapse:collapse;margin:.5rem 0}\
td,th{padding:.25rem .75rem;border-bottom:1px solid #e6e7e9;text-align:left}\
td.n{text-align:right;font-variant-numeric:tabular-nums}\
form{display:inline}summary{display:inline;cursor:pointer;color:#59606d}\
input{font:inherit;font-size:.85rem}button{font:inherit;font-size:.85rem;cursor:pointer}\
code{font-size:.9em}small{color:#59606d}";

/// The complete page.
pub(super) fn overview(simulator: &Simulator, now: Timestamp) -> Answer {
    let mut body = String::new();
    let limits = simulator.violations();
    push(
        &mut body,
        &format!(
            "<h1>Simulated Xero</h1><p>It is {now}. Refused calls: minute {}, day {}, \
             concurrent {}, app minute {}. Most concurrent calls: {}.</p>",
            limits.minute, limits.day, limits.concurrent, limits.app_minute, limits.max_concurrent,
        ),
    );
    push_switches(&mut body, simulator);
    for organisation in &simulator.settings().organisations {
        if let Some(books) = simulator.books(organisation.id) {
            push_organisation(&mut body, books, is_linked(simulator, organisation.id));
            push_books(&mut body, books);
        }
    }
    push_calls(&mut body, simulator.calls());
    Answer::html(
        200,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <title>Simulated Xero</title><style>{STYLE}</style></head><body>{body}</body></html>"
        ),
    )
    .with_header(
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    )
}

/// The open questions about Xero, with a button for each other answer.
fn push_switches(body: &mut String, simulator: &Simulator) {
    let mut rows = String::new();
    for (name, answer, answers) in simulator.settings().unconfirmed.answers() {
        let others = answers.iter().filter(|other| **other != answer);
        let buttons: String = others.map(|other| choice("answers", name, other)).collect();
        push(
            &mut rows,
            &format!("<tr><td>{name}</td><td>{}</td><td>{buttons}</td></tr>", text(&answer)),
        );
    }
    push(
        body,
        &format!(
            "<details><summary>Answers to open questions about Xero</summary><table>{rows}\
             </table></details>"
        ),
    );
}

/// The organisation itself: its connection, its subscription, its locks, its chart.
fn push_organisation(body: &mut String, books: &Books, is_linked: bool) {
    let one = books.organisation();
    let path = format!("organisations/{}", one.id);
    let linked = if is_linked { "connected" } else { "not connected" };
    let closed = if one.is_closed { ", closed" } else { "" };
    let viewed = if one.viewers.is_empty() { "" } else { ", restricted" };
    let locked = one.locked_through().map(|day| format!(", locked through {day}"));
    let subscription = button(&path, if one.is_closed { "reopen" } else { "close" });
    let disconnect = if is_linked { button(&path, "disconnect") } else { String::new() };
    let users = if one.viewers.is_empty() { "restrict" } else { "unrestrict" };
    let further = [
        button(&path, users),
        button(&path, "end-tokens"),
        Subscription::ALL
            .map(|kind| choice(&format!("{path}/subscription"), "kind", kind.as_str()))
            .concat(),
        form(&path, "lock", &[Input::Day("through")]),
        form(&path, "lock-year", &[Input::Day("through")]),
        form(&path, "limit-approvals", &[Input::Text("left", "approvals left")]),
        OddRow::ALL.map(|row| choice(&format!("{path}/odd"), "row", row.as_str())).concat(),
        format!("organisation: {}", override_form(&path)),
        format!("its links: {}", override_form(&format!("{path}/connections"))),
        chart(&path, one),
        tax_rates(&path, one),
    ];
    push(
        body,
        &format!(
            "<h2>{}</h2><p><small>{} {} <code>{}</code> {}, {linked}{closed}{viewed}{}</small> \
             {subscription}{disconnect}{}</p>",
            text(&one.name),
            text(&one.country),
            text(&one.base_currency),
            one.id,
            one.subscription.as_str(),
            locked.unwrap_or_default(),
            folded(&further.concat()),
        ),
    );
}

/// The accounts that have a code, with their actions.
fn chart(path: &str, organisation: &Organisation) -> String {
    let coded = organisation.accounts.iter().filter_map(|one| Some((one.code.as_deref()?, one)));
    let rows = coded.map(|(code, account)| {
        let action = match account.status {
            RowStatus::Active => "archive",
            RowStatus::Archived => "restore",
        };
        let path = format!("{path}/accounts/{}", text(code));
        let forms = format!("{}{}", button(&path, action), override_form(&path));
        format!("<tr><td>{}</td><td>{}</td><td>{forms}</td></tr>", text(code), text(&account.name))
    });
    format!("<table>{}</table>", rows.collect::<String>())
}

/// The tax rates.
fn tax_rates(path: &str, organisation: &Organisation) -> String {
    let rows = organisation.tax_rates.iter().map(|rate| {
        let code = text(&rate.tax_type);
        let form = override_form(&format!("{path}/tax-rates/{code}"));
        format!("<tr><td>{code}</td><td>{}</td><td>{form}</td></tr>", text(&rate.name))
    });
    format!("<table>{}</table>", rows.collect::<String>())
}

fn push_books(body: &mut String, books: &Books) {
    push(
        body,
        "<h3>Contacts</h3><table><tr><th>Name</th><th>Number</th><th>E-mail</th><th>Status</th>\
         <th></th></tr>",
    );
    for contact in books.contacts() {
        push_contact(body, books, contact);
    }
    push(
        body,
        "</table><h3>Invoices</h3><table><tr><th>Number</th><th>Contact</th><th>Date</th>\
         <th>Reference</th><th>Status</th><th>Total</th><th>Due</th><th></th></tr>",
    );
    for invoice in books.invoices() {
        push_invoice(body, books, invoice);
    }
    push(body, "</table>");
    push_money(body, books);
}

fn push_contact(body: &mut String, books: &Books, contact: &Contact) {
    let path = format!("organisations/{}/contacts/{}", books.organisation().id, contact.id);
    push(
        body,
        &format!(
            "<tr><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}{}</td></tr>",
            text(&contact.name),
            text(contact.number.as_deref().unwrap_or_default()),
            text(contact.email.as_deref().unwrap_or_default()),
            contact.status.as_str(),
            contact_forms(&path, contact),
            override_form(&path),
        ),
    );
}

/// The changes to a contact.
const CONTACT: [Input; 3] =
    [Input::Text("name", "name"), Input::Text("number", "number"), Input::Text("email", "email")];

fn contact_forms(path: &str, contact: &Contact) -> String {
    match contact.status {
        ContactStatus::Active => {
            let further = [
                form(path, "edit", &CONTACT),
                form(path, "merge", &[Input::Text("into", "into number or id")]),
                form(path, "overpay", &RECEIPT),
                form(path, "prepay", &RECEIPT),
            ];
            format!("{}{}", button(path, "archive"), folded(&further.concat()))
        }
        ContactStatus::Archived => button(path, "restore"),
        ContactStatus::GdprRequest => String::new(),
    }
}

fn push_invoice(body: &mut String, books: &Books, invoice: &Invoice) {
    let path = format!("organisations/{}/invoices/{}", books.organisation().id, invoice.id);
    let contact = books.contact(invoice.contact).map_or("", |contact| contact.name.as_str());
    let buttons = format!("{}{}", invoice_forms(&path, invoice), override_form(&path));
    push(
        body,
        &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td class=\"n\">{:.2} {}</td><td class=\"n\">{:.2}</td><td>{buttons}</td></tr>",
            text(invoice.number.as_deref().unwrap_or_default()),
            text(contact),
            invoice.date,
            text(invoice.reference.as_deref().unwrap_or_default()),
            invoice.status.as_str(),
            invoice.total,
            text(&invoice.currency),
            invoice.amount_due(),
        ),
    );
}

fn invoice_forms(path: &str, invoice: &Invoice) -> String {
    let edit = form(path, "edit", &[Input::Text("reference", "reference"), Input::Day("dueDate")]);
    let price = form(path, "price", &[Input::Text("line", "line"), Input::Text("price", "price")]);
    match invoice.status {
        InvoiceStatus::Draft | InvoiceStatus::Submitted => format!(
            "{}{}{}",
            button(path, "approve"),
            button(path, "delete"),
            folded(&format!("{edit}{price}")),
        ),
        InvoiceStatus::Authorised => {
            let pay = form(path, "pay", &RECEIPT);
            let overpay = form(path, "overpay", &RECEIPT);
            let further = folded(&format!("{pay}{overpay}{edit}{price}"));
            format!("{}{}{further}", button(path, "pay"), button(path, "void"))
        }
        InvoiceStatus::Paid => folded(&edit),
        InvoiceStatus::Voided | InvoiceStatus::Deleted => String::new(),
    }
}

fn push_calls(body: &mut String, calls: &[Call]) {
    push(
        body,
        "<h2>Calls</h2><p><small>The newest calls first; the complete log with bodies is at \
         <a href=\"/_simulator/calls\">/_simulator/calls</a>.</small></p><table><tr><th>At</th>\
         <th>Call</th><th>Status</th><th>Delivery</th><th>Idempotency key</th></tr>",
    );
    for call in calls.iter().rev().take(LATEST) {
        let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
        let replayed = if call.replayed { " (replayed)" } else { "" };
        push(
            body,
            &format!(
                "<tr><td>{}</td><td><code>{} {}{}</code></td><td>{}</td><td>{}{replayed}</td>\
                 <td><code>{}</code></td></tr>",
                call.at,
                text(call.method.as_str()),
                text(&call.path),
                text(&query),
                call.status,
                describe_delivery(call.delivery),
                text(call.idempotency_key.as_deref().unwrap_or_default()),
            ),
        );
    }
    push(body, "</table>");
}

fn push(body: &mut String, html: &str) {
    body.push_str(html);
}
