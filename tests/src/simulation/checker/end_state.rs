//! Conditions that hold at the end of a run: no document exists twice in Xero, no limit is
//! exceeded, and the table contains no secret.

use std::collections::BTreeSet;

use store::table::StoredItem;
use uuid::Uuid;
use xero_sim::{PaymentStatus, Simulator, TransactionStatus};

/// Detects two live documents of one record, and exceeded limits.
pub fn books(simulator: &Simulator, tenants: &[Uuid]) -> Vec<String> {
    let mut wrong = Vec::new();
    for tenant in tenants {
        let Some(books) = simulator.books(*tenant) else { continue };
        let mut invoices = BTreeSet::new();
        for invoice in books.invoices().filter(|invoice| !invoice.status.is_gone()) {
            if let Some(url) = &invoice.url
                && !invoices.insert(url.clone())
            {
                wrong.push(format!("two invoices for {url}"));
            }
        }
        let mut contacts = BTreeSet::new();
        for contact in books.contacts() {
            if let Some(number) = &contact.number
                && !contacts.insert(number.clone())
            {
                wrong.push(format!("two contacts with the number {number}"));
            }
        }
    }
    wrong.extend(tenants.iter().flat_map(|tenant| credit_notes(simulator, *tenant)));
    wrong.extend(tenants.iter().flat_map(|tenant| money(simulator, *tenant)));
    let violations = simulator.violations();
    if !violations.is_empty() || violations.max_concurrent > 5 {
        wrong.push(format!("limits exceeded: {violations:?}"));
    }
    wrong
}

/// Detects two live credit notes of one record, by their numbers.
fn credit_notes(simulator: &Simulator, tenant: Uuid) -> Vec<String> {
    let Some(books) = simulator.books(tenant) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let live = books.credit_notes().filter(|note| !note.status.is_gone());
    let numbers = live.filter_map(|note| note.number.clone());
    let twice = numbers.filter(|number| !seen.insert(number.clone())).collect::<Vec<_>>();
    twice.into_iter().map(|number| format!("two credit notes {number}")).collect()
}

/// Detects payments of ours that exist twice: the reference names the part of the payment.
fn money(simulator: &Simulator, tenant: Uuid) -> Vec<String> {
    let Some(books) = simulator.books(tenant) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let paid = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
    let paid = paid.filter_map(|one| Some((one.invoice(), one.reference.clone()?)));
    let moved = books.transactions().filter(|one| one.status == TransactionStatus::Authorised);
    let moved = moved.filter_map(|one| Some((None, one.reference.clone()?)));
    let ours = paid.chain(moved).filter(|(_, reference)| reference.contains("(SC-"));
    let twice = ours.filter(|one| !seen.insert(one.clone())).collect::<Vec<_>>();
    twice.into_iter().map(|(_, reference)| format!("twice in Xero: {reference}")).collect()
}

/// Detects secrets that readers of the table could see.
pub fn leaked(items: &[StoredItem], secrets: &[String]) -> Vec<String> {
    let leak =
        |item: &StoredItem| secrets.iter().any(|secret| item.record.contains(secret.as_str()));
    items
        .iter()
        .filter(|item| leak(item))
        .map(|item| format!("a token is in {}", item.key))
        .collect()
}
