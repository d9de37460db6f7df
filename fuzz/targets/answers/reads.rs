//! Calls that read: records by their ids, lists, pages and searches.

use domain::ids::{
    XeroBankTransactionId, XeroContactId, XeroCreditNoteId, XeroInvoiceId, XeroPaymentId,
};
use domain::surplus::SurplusKind;
use jiff::Timestamp;
use xero::api::{
    PagePosition, RowPage, accounts, bank_transactions, contacts, credit_notes, invoices, items,
    organisation, payments, surpluses, tax_rates, tracking_categories,
};
use xero::date::parse_instant;
use xero::{ApiSession, DecodedRows, XeroError};

use super::documents::IDS;
use super::{answered, check_error, check_undecodable_rows};

/// Makes every call that reads.
pub(super) fn check(session: &ApiSession) {
    check_single(session);
    check_lists(session);
    check_pages(session);
}

fn check_single(session: &ApiSession) {
    let [id, _] = IDS;
    check_result(answered(organisation::get_organisation(session)));
    check_result(answered(accounts::list_accounts(session)));
    check_result(answered(contacts::get(session, XeroContactId(id))));
    check_result(answered(contacts::find_by_number(session, "SC-cli_1")));
    check_result(answered(invoices::get(session, XeroInvoiceId(id))));
    check_result(answered(credit_notes::get(session, XeroCreditNoteId(id))));
    check_result(answered(payments::get(session, XeroPaymentId(id))));
    check_result(answered(bank_transactions::get(session, XeroBankTransactionId(id))));
}

/// One record is requested by its own route, several are requested in a list. A number that no
/// filter can contain is searched for in pages.
fn check_lists(session: &ApiSession) {
    check_rows(answered(tax_rates::list_tax_rates(session)));
    check_rows(answered(items::list_items(session)));
    check_result(answered(tracking_categories::list_tracking_categories(session)));
    for count in 1..=IDS.len() {
        let ids = IDS.iter().take(count).copied();
        let invoice_ids = ids.clone().map(XeroInvoiceId).collect::<Vec<_>>();
        check_rows(answered(invoices::find_by_ids(session, &invoice_ids)));
        check_rows(answered(payments::find_by_invoices(session, &invoice_ids)));
        let note_ids = ids.map(XeroCreditNoteId).collect::<Vec<_>>();
        check_rows(answered(credit_notes::find_by_ids(session, &note_ids)));
    }
    check_rows(answered(invoices::find_by_numbers(session, &["#INV-0001", "#INV-0002"])));
    check_rows(answered(credit_notes::find_by_numbers(session, &["CN-1", "CN-2"])));
    check_rows(answered(credit_notes::find_by_numbers(session, &[r#"CN-"1""#])));
    check_rows(answered(contacts::find_by_numbers(session, &["SC-cli_1"])));
    check_rows(answered(contacts::find_by_numbers(session, &["SC-cli_1", r#"SC-"2""#, "SC-3"])));
    check_rows(answered(contacts::list_by_numbers(session, &["SC-cli_1"])));
    check_rows(answered(contacts::find_by_name(session, "Ridge \"Plumbing\"")));
    check_rows(answered(contacts::search_contacts(session, "Ridge", 50)));
    let reference = "Stripe fee (SC-pay_1)";
    check_rows(answered(bank_transactions::find_by_reference(session, reference)));
}

fn check_pages(session: &ApiSession) {
    let since = Timestamp::UNIX_EPOCH;
    check_page(answered(contacts::read_contact_page(session, PagePosition::FIRST)));
    check_page(answered(invoices::read_changed_page(session, since, PagePosition::FIRST)));
    check_page(answered(payments::read_changed_page(session, since, PagePosition::FIRST)));
    for kind in SurplusKind::ALL {
        let page = surpluses::read_changed_page(session, kind, since, PagePosition::FIRST);
        check_page(answered(page));
    }
}

fn check_result<T>(result: Result<T, XeroError>) {
    if let Err(error) = result {
        check_error(&error, None);
    }
}

fn check_rows<T>(result: Result<DecodedRows<T>, XeroError>) {
    match result {
        Ok(rows) => {
            check_undecodable_rows(&rows.undecodable);
            assert_eq!(rows.is_empty(), rows.rows.is_empty() && rows.undecodable.is_empty());
        }
        Err(error) => check_error(&error, None),
    }
}

/// A page has a size, and the time of its answer is the same after it is written in plain form.
fn check_page<T>(result: Result<RowPage<T>, XeroError>) {
    match result {
        Ok(page) => {
            check_undecodable_rows(&page.undecodable);
            assert!(page.full > 0);
            if let Some(at) = page.answered_at {
                assert_eq!(parse_instant(&at.to_string()), Ok(at));
            }
        }
        Err(error) => check_error(&error, None),
    }
}
