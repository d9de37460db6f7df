//! The addresses of the settings API. The code and the template share this list.

use lambda_http::http::Method;

/// The purpose of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiRoute {
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
    /// Reads the payments of an invoice, from both sides.
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
pub const ROUTES: [(&str, ApiRoute); 34] = [
    ("GET /v1/connection", ApiRoute::Status),
    ("POST /v1/connection", ApiRoute::Connect),
    ("POST /v1/connection/complete", ApiRoute::CompleteConnect),
    ("DELETE /v1/connection", ApiRoute::Disconnect),
    ("POST /v1/connection/organisation", ApiRoute::ChooseOrganisation),
    ("GET /v1/account-codes", ApiRoute::AccountCodes),
    ("PUT /v1/account-codes", ApiRoute::ChooseAccountCodes),
    ("GET /v1/account-codes/choices", ApiRoute::AccountChoices),
    ("GET /v1/sync-log", ApiRoute::SyncLog),
    ("GET /v1/sync-all", ApiRoute::SyncAllProgress),
    ("POST /v1/sync-all", ApiRoute::SyncAll),
    ("GET /v1/invoices/{invoice_id}", ApiRoute::Record),
    ("GET /v1/clients/{client_id}", ApiRoute::Record),
    ("POST /v1/invoices/{invoice_id}/sync", ApiRoute::SyncNow),
    ("POST /v1/clients/{client_id}/sync", ApiRoute::SyncNow),
    ("POST /v1/invoices/{invoice_id}/never-send", ApiRoute::NeverSend),
    ("POST /v1/clients/{client_id}/never-send", ApiRoute::NeverSend),
    ("GET /v1/contacts", ApiRoute::SearchContacts),
    ("PUT /v1/clients/{client_id}/contact", ApiRoute::LinkContact),
    ("DELETE /v1/clients/{client_id}/contact", ApiRoute::UnlinkContact),
    ("POST /v1/reconciliation", ApiRoute::Reconcile),
    ("GET /v1/reconciliation", ApiRoute::Reconciliation),
    ("GET /v1/reconciliation/findings", ApiRoute::Findings),
    ("GET /v1/credit-notes/{credit_note_id}", ApiRoute::Record),
    ("POST /v1/credit-notes/{credit_note_id}/sync", ApiRoute::SyncNow),
    ("POST /v1/credit-notes/{credit_note_id}/never-send", ApiRoute::NeverSend),
    ("GET /v1/allocations/{allocation_id}", ApiRoute::Record),
    ("POST /v1/allocations/{allocation_id}/sync", ApiRoute::SyncNow),
    ("POST /v1/allocations/{allocation_id}/never-send", ApiRoute::NeverSend),
    ("GET /v1/payments/{payment_id}", ApiRoute::Record),
    ("POST /v1/payments/{payment_id}/sync", ApiRoute::SyncNow),
    ("POST /v1/payments/{payment_id}/never-send", ApiRoute::NeverSend),
    ("GET /v1/invoices/{invoice_id}/payments", ApiRoute::Money),
    ("POST /v1/invoices/{invoice_id}/payments/{xero_payment_id}", ApiRoute::SettleMoney),
];

/// The result of looking up an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RouteLookup {
    /// The address and its method exist.
    Route(ApiRoute),
    /// The address exists for other methods.
    OtherMethods,
    /// The address does not exist.
    Nothing,
}

/// Finds the route of a request.
pub(super) fn find_route(method: &Method, segments: &[&str]) -> RouteLookup {
    let mut found = RouteLookup::Nothing;
    for (name, route) in ROUTES {
        let Some((of, path)) = name.split_once(' ') else { continue };
        if !matches_path(path, segments) {
            continue;
        }
        if of == method.as_str() {
            return RouteLookup::Route(route);
        }
        found = RouteLookup::OtherMethods;
    }
    found
}

/// Returns whether the segments match the path. A part in braces matches anything.
fn matches_path(path: &str, segments: &[&str]) -> bool {
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
        let find = |method, path: &str| find_route(&method, &path.split('/').collect::<Vec<_>>());
        assert_eq!(find(Method::GET, "v1/connection"), RouteLookup::Route(ApiRoute::Status));
        assert_eq!(find(Method::GET, "v1/invoices/inv_1"), RouteLookup::Route(ApiRoute::Record));
        assert_eq!(
            find(Method::POST, "v1/clients/c/never-send"),
            RouteLookup::Route(ApiRoute::NeverSend)
        );
        assert_eq!(find(Method::PUT, "v1/invoices/inv_1"), RouteLookup::OtherMethods);
        assert_eq!(find(Method::GET, "v1/invoices/"), RouteLookup::Nothing);
        assert_eq!(find(Method::GET, "v1/quotes/q_1"), RouteLookup::Nothing);
    }
}
