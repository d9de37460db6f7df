//! The addresses of the settings API, one list for the code, the template and whoever describes them.

use lambda_http::http::Method;

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// How the connection stands.
    Status,
    /// Begins a connect.
    Connect,
    /// Completes a connect with the callback's ticket.
    CompleteConnect,
    /// Ends the connection.
    Disconnect,
    /// Uses another organisation.
    ChooseOrganisation,
    /// The account codes in use.
    AccountCodes,
    /// Chooses account codes.
    ChooseAccountCodes,
    /// A page of the sync log.
    SyncLog,
    /// How far a Sync All has come.
    SyncAllProgress,
    /// Begins a Sync All.
    SyncAll,
    /// How a record stands.
    Record,
    /// Syncs a record now.
    SyncNow,
    /// Never sends a record.
    NeverSend,
    /// The money on an invoice, from both sides.
    Money,
    /// Says what an unclear payment is.
    SettleMoney,
    /// What there is to choose account codes and tax rates from.
    AccountChoices,
    /// Contacts in Xero that a text is found in.
    SearchContacts,
    /// Says which contact a client is.
    LinkContact,
    /// Says that a client is not the contact it is linked to.
    UnlinkContact,
    /// Begins to compare all clients with all contacts.
    Reconcile,
    /// How far the comparison has come.
    Reconciliation,
    /// A page of what it found.
    Findings,
}

/// Every address, as API Gateway names it.
pub const ROUTES: [(&str, Route); 34] = [
    ("GET /v1/connection", Route::Status),
    ("POST /v1/connection", Route::Connect),
    ("POST /v1/connection/complete", Route::CompleteConnect),
    ("DELETE /v1/connection", Route::Disconnect),
    ("POST /v1/connection/organisation", Route::ChooseOrganisation),
    ("GET /v1/account-codes", Route::AccountCodes),
    ("PUT /v1/account-codes", Route::ChooseAccountCodes),
    ("GET /v1/account-codes/choices", Route::AccountChoices),
    ("GET /v1/sync-log", Route::SyncLog),
    ("GET /v1/sync-all", Route::SyncAllProgress),
    ("POST /v1/sync-all", Route::SyncAll),
    ("GET /v1/invoices/{invoice_id}", Route::Record),
    ("GET /v1/clients/{client_id}", Route::Record),
    ("POST /v1/invoices/{invoice_id}/sync", Route::SyncNow),
    ("POST /v1/clients/{client_id}/sync", Route::SyncNow),
    ("POST /v1/invoices/{invoice_id}/never-send", Route::NeverSend),
    ("POST /v1/clients/{client_id}/never-send", Route::NeverSend),
    ("GET /v1/contacts", Route::SearchContacts),
    ("PUT /v1/clients/{client_id}/contact", Route::LinkContact),
    ("DELETE /v1/clients/{client_id}/contact", Route::UnlinkContact),
    ("POST /v1/reconciliation", Route::Reconcile),
    ("GET /v1/reconciliation", Route::Reconciliation),
    ("GET /v1/reconciliation/findings", Route::Findings),
    ("GET /v1/credit-notes/{credit_note_id}", Route::Record),
    ("POST /v1/credit-notes/{credit_note_id}/sync", Route::SyncNow),
    ("POST /v1/credit-notes/{credit_note_id}/never-send", Route::NeverSend),
    ("GET /v1/allocations/{allocation_id}", Route::Record),
    ("POST /v1/allocations/{allocation_id}/sync", Route::SyncNow),
    ("POST /v1/allocations/{allocation_id}/never-send", Route::NeverSend),
    ("GET /v1/payments/{payment_id}", Route::Record),
    ("POST /v1/payments/{payment_id}/sync", Route::SyncNow),
    ("POST /v1/payments/{payment_id}/never-send", Route::NeverSend),
    ("GET /v1/invoices/{invoice_id}/payments", Route::Money),
    ("POST /v1/invoices/{invoice_id}/payments/{xero_payment_id}", Route::SettleMoney),
];

/// What is at an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This.
    Route(Route),
    /// Something, for other methods.
    OtherMethods,
    /// Nothing.
    Nothing,
}

/// Finds what a request is for.
pub(super) fn find(method: &Method, segments: &[&str]) -> Found {
    let mut found = Found::Nothing;
    for (name, route) in ROUTES {
        let Some((of, path)) = name.split_once(' ') else { continue };
        if !is_at(path, segments) {
            continue;
        }
        if of == method.as_str() {
            return Found::Route(route);
        }
        found = Found::OtherMethods;
    }
    found
}

/// Whether the segments lie on the path, whose parts in braces stand for anything.
fn is_at(path: &str, segments: &[&str]) -> bool {
    let parts = path.trim_matches('/').split('/').collect::<Vec<_>>();
    parts.len() == segments.len()
        && parts.iter().zip(segments).all(|(part, segment)| {
            part == segment || (part.starts_with('{') && !segment.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_by_its_method_and_its_parts() {
        let find = |method, path: &str| find(&method, &path.split('/').collect::<Vec<_>>());
        assert_eq!(find(Method::GET, "v1/connection"), Found::Route(Route::Status));
        assert_eq!(find(Method::GET, "v1/invoices/inv_1"), Found::Route(Route::Record));
        assert_eq!(find(Method::POST, "v1/clients/c/never-send"), Found::Route(Route::NeverSend));
        assert_eq!(find(Method::PUT, "v1/invoices/inv_1"), Found::OtherMethods);
        assert_eq!(find(Method::GET, "v1/invoices/"), Found::Nothing);
        assert_eq!(find(Method::GET, "v1/quotes/q_1"), Found::Nothing);
    }
}
