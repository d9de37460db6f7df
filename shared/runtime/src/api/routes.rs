//! The addresses of the settings API. The code and the template share this list.

use lambda_http::http::Method;

/// The purpose of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Reads the status of the connection.
    Status,
    /// Begins a connect.
    Connect,
    /// Completes a connect with the callback's ticket.
    CompleteConnect,
    /// Ends the connection.
    Disconnect,
    /// Chooses another organisation.
    ChooseOrganisation,
    /// Reads the account codes in use.
    AccountCodes,
    /// Chooses account codes.
    ChooseAccountCodes,
    /// Reads a page of the sync log.
    SyncLog,
    /// Reads the progress of a Sync All.
    SyncAllProgress,
    /// Starts a Sync All.
    SyncAll,
    /// Reads a record.
    Record,
    /// Syncs a record now.
    SyncNow,
    /// Marks a record as never to be sent.
    NeverSend,
    /// Reads the money on an invoice, from both sides.
    Money,
    /// Answers what an unclear payment is.
    SettleMoney,
    /// Reads the accounts and tax rates to choose from.
    AccountChoices,
    /// Searches the contacts in Xero.
    SearchContacts,
    /// Links a client to a contact.
    LinkContact,
    /// Unlinks a client from its contact.
    UnlinkContact,
    /// Starts a reconciliation of all clients with all contacts.
    Reconcile,
    /// Reads the progress of a reconciliation.
    Reconciliation,
    /// Reads a page of a reconciliation's findings.
    Findings,
}

/// Every address, in API Gateway's notation.
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

/// The result of looking up an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The address and its method exist.
    Route(Route),
    /// The address exists for other methods.
    OtherMethods,
    /// The address does not exist.
    Nothing,
}

/// Finds the route of a request.
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

/// Returns whether the segments match the path. A part in braces matches anything.
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
