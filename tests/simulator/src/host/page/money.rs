//! Payments on the page: balances, payments, batches, bank transactions, credit.

use super::forms::{Input, RECEIPT, button, folded, form, labelled, override_form};
use super::push;
use crate::books::Books;
use crate::books::allocation::{Allocation, Credit};
use crate::books::deposit::{Deposit, DepositKind};
use crate::books::invoice::InvoiceStatus;
use crate::books::payment::{Payment, PaymentStatus};
use crate::books::transaction::TransactionStatus;
use crate::xml::escaped as text;

/// All payments and balances of one organisation.
pub(super) fn push_money(body: &mut String, books: &Books) {
    let base = format!("organisations/{}", books.organisation().id);
    push_balances(body, books);
    push_payments(body, books, &base);
    push_batches(body, books, &base);
    push_transactions(body, books, &base);
    push_credit_notes(body, books, &base);
    push_deposits(body, books, &base);
    push_allocations(body, books, &base);
}

fn push_balances(body: &mut String, books: &Books) {
    push(
        body,
        "<h3>Bank accounts</h3><table><tr><th>Code</th><th>Account</th><th>Balance</th></tr>",
    );
    for (account, balance) in books.balances() {
        let base = &books.organisation().base_currency;
        push(
            body,
            &format!(
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{balance:.2} {}</td></tr>",
                text(account.code.as_deref().unwrap_or_default()),
                text(&account.name),
                text(account.currency.as_ref().unwrap_or(base)),
            ),
        );
    }
    push(body, "</table>");
}

fn push_payments(body: &mut String, books: &Books, base: &str) {
    push(
        body,
        "<h3>Payments</h3><table><tr><th>Date</th><th>For</th><th>Amount</th><th>Account</th>\
         <th>Reference</th><th>Status</th><th></th></tr>",
    );
    for payment in books.payments() {
        push_payment(body, books, payment, base);
    }
    push(body, "</table>");
}

fn push_payment(body: &mut String, books: &Books, payment: &Payment, base: &str) {
    let payable = books.payable(payment.target);
    let account = books.account(payment.account).map_or("", |account| account.name.as_str());
    let path = format!("{base}/payments/{}", payment.id);
    let alone = payment.batch.is_none() && payment.status == PaymentStatus::Authorised;
    let buttons = if alone {
        format!("{}{}", button(&path, "delete"), button(&path, "reconcile"))
    } else {
        String::new()
    };
    let buttons = format!("{buttons}{}", override_form(&path));
    push(
        body,
        &format!(
            "<tr><td>{}</td><td>{} {}</td><td class=\"n\">{:.2} {}</td><td>{}</td><td>{}</td>\
             <td>{}{}</td><td>{buttons}</td></tr>",
            payment.date,
            payable.map_or("", |payable| payable.payment_word),
            text(payable.and_then(|payable| payable.number).unwrap_or_default()),
            payment.amount,
            text(payable.map_or("", |payable| payable.currency)),
            text(account),
            text(payment.reference.as_deref().unwrap_or_default()),
            payment.status.as_str(),
            if payment.is_reconciled { ", reconciled" } else { "" },
        ),
    );
}

fn push_batches(body: &mut String, books: &Books, base: &str) {
    push(body, "<h3>Batches</h3>");
    let [_, receipt @ ..] = RECEIPT;
    let invoices = Input::Text("invoices", "INV-1, INV-2=5");
    let inputs: Vec<Input> = [invoices].into_iter().chain(receipt).collect();
    push(body, &labelled(&format!("{base}/batches"), "pay together", &inputs));
    push(body, "<table><tr><th>Date</th><th>Payments</th><th>Status</th><th></th></tr>");
    for batch in books.batches() {
        let path = format!("{base}/batches/{}", batch.id);
        let buttons = match batch.status {
            PaymentStatus::Authorised => {
                format!("{}{}", button(&path, "delete"), button(&path, "reconcile"))
            }
            PaymentStatus::Deleted => String::new(),
        };
        let buttons = format!("{buttons}{}", override_form(&path));
        push(
            body,
            &format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{buttons}</td></tr>",
                batch.date,
                batch.payments.len(),
                batch.status.as_str(),
            ),
        );
    }
    push(body, "</table>");
}

fn push_transactions(body: &mut String, books: &Books, base: &str) {
    push(
        body,
        "<h3>Bank transactions</h3><table><tr><th>Date</th><th>Type</th><th>Total</th>\
         <th>Account</th><th>Reference</th><th>Status</th><th></th></tr>",
    );
    for one in books.transactions() {
        let path = format!("{base}/transactions/{}", one.id);
        let account = books.account(one.account).map_or("", |account| account.name.as_str());
        let buttons = match one.status {
            TransactionStatus::Authorised => {
                format!("{}{}", button(&path, "delete"), button(&path, "reconcile"))
            }
            TransactionStatus::Deleted => String::new(),
        };
        let buttons = format!("{buttons}{}", override_form(&path));
        push(
            body,
            &format!(
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{:.2} {}</td><td>{}</td><td>{}</td>\
                 <td>{}{}</td><td>{buttons}</td></tr>",
                one.date,
                one.kind.as_str(),
                one.total,
                text(&one.currency),
                text(account),
                text(one.reference.as_deref().unwrap_or_default()),
                one.status.as_str(),
                if one.is_reconciled { ", reconciled" } else { "" },
            ),
        );
    }
    push(body, "</table>");
}

fn push_credit_notes(body: &mut String, books: &Books, base: &str) {
    push(
        body,
        "<h3>Credit notes</h3><table><tr><th>Number</th><th>Contact</th><th>Date</th>\
         <th>Total</th><th>Left</th><th>Status</th><th></th></tr>",
    );
    for note in books.credit_notes() {
        let path = format!("{base}/credit-notes/{}", note.id);
        let contact = books.contact(note.contact).map_or("", |contact| contact.name.as_str());
        let forms = match note.status {
            InvoiceStatus::Draft | InvoiceStatus::Submitted => {
                format!("{}{}", button(&path, "approve"), button(&path, "delete"))
            }
            InvoiceStatus::Authorised => {
                format!("{}{}", button(&path, "void"), credit_forms(&path))
            }
            InvoiceStatus::Paid | InvoiceStatus::Voided | InvoiceStatus::Deleted => String::new(),
        };
        let forms = format!("{forms}{}", override_form(&path));
        push(
            body,
            &format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{:.2} {}</td>\
                 <td class=\"n\">{:.2}</td><td>{}</td><td>{forms}</td></tr>",
                text(note.number.as_deref().unwrap_or_default()),
                text(contact),
                note.date,
                note.total,
                text(&note.currency),
                books.remaining_credit(Credit::CreditNote(note.id)),
                note.status.as_str(),
            ),
        );
    }
    push(body, "</table>");
}

fn push_deposits(body: &mut String, books: &Books, base: &str) {
    push(
        body,
        "<h3>Overpayments and prepayments</h3><table><tr><th>Kind</th><th>Contact</th>\
         <th>Left</th><th>Status</th><th></th></tr>",
    );
    for deposit in books.deposits() {
        push_deposit(body, books, deposit, base);
    }
    push(body, "</table>");
}

fn push_deposit(body: &mut String, books: &Books, deposit: &Deposit, base: &str) {
    let (kind, collection) = match deposit.kind {
        DepositKind::Overpayment => ("Overpayment", "overpayments"),
        DepositKind::Prepayment => ("Prepayment", "prepayments"),
    };
    let path = format!("{base}/{collection}/{}", deposit.id);
    let transaction = books.transaction(deposit.transaction);
    let contact = transaction.and_then(|one| books.contact(one.contact));
    push(
        body,
        &format!(
            "<tr><td>{kind}</td><td>{}</td><td class=\"n\">{:.2} {}</td><td>{}</td><td>{}{}</td></tr>",
            text(contact.map_or("", |contact| contact.name.as_str())),
            books.remaining_credit(Credit::of(deposit)),
            text(transaction.map_or("", |one| one.currency.as_str())),
            deposit.status.as_str(),
            credit_forms(&path),
            override_form(&path),
        ),
    );
}

/// The actions on any kind of credit.
fn credit_forms(path: &str) -> String {
    let allocation =
        [Input::Text("invoice", "invoice"), Input::Text("amount", "amount"), Input::Day("date")];
    folded(&format!("{}{}", form(path, "allocate", &allocation), form(path, "refund", &RECEIPT)))
}

fn push_allocations(body: &mut String, books: &Books, base: &str) {
    push(
        body,
        "<h3>Allocations</h3><table><tr><th>Date</th><th>To</th><th>Amount</th><th></th></tr>",
    );
    for allocation in books.allocations() {
        let Allocation { id, invoice, date, amount, .. } = allocation;
        let number = books.invoice(*invoice).and_then(|one| one.number.as_deref());
        push(
            body,
            &format!(
                "<tr><td>{date}</td><td>{}</td><td class=\"n\">{amount:.2}</td><td>{}</td></tr>",
                text(number.unwrap_or_default()),
                button(&format!("{base}/allocations/{id}"), "delete"),
            ),
        );
    }
    push(body, "</table>");
}
