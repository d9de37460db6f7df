//! Every request of the client laid over Xero's own `OpenAPI` description.

use bytes::Bytes;

use crate::description::{Faults, description};
use crate::requests::{every_accounting_request, every_connection_request};

#[tokio::test]
async fn every_accounting_request_is_one_that_xero_describes() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    for (name, request) in every_accounting_request().await {
        assert_eq!(xero.faults(&request), Faults::new(), "{name}");
    }
}

#[tokio::test]
async fn every_connection_request_is_one_that_xero_describes() {
    let Some(xero) = description("identity.yaml") else { return };
    for (name, request) in every_connection_request().await {
        assert_eq!(xero.faults(&request), Faults::new(), "{name}");
    }
}

#[tokio::test]
async fn a_request_that_xero_does_not_describe_is_found_out() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    let requests = every_accounting_request().await;
    let (_, create) = requests.into_iter().find(|(name, _)| *name == "invoice_create").unwrap();
    let with_body = |from: &str, to: &str| {
        let body = std::str::from_utf8(create.body()).unwrap();
        assert!(body.contains(from), "{body}");
        create.clone().map(|_| Bytes::from(body.replace(from, to)))
    };
    let at = |uri: &str| {
        let mut request = create.clone();
        *request.uri_mut() = uri.parse().unwrap();
        request
    };
    let mut without_tenant = create.clone();
    without_tenant.headers_mut().remove("xero-tenant-id");
    let mut long_key = create.clone();
    long_key.headers_mut().insert("idempotency-key", "k".repeat(129).parse().unwrap());
    for (fault, request) in [
        ("no path", at("https://api.xero.com/api.xro/2.0/Invoyces")),
        ("no query parameter", at("https://api.xero.com/api.xro/2.0/Invoices?unitDp=4")),
        ("does not fit", at("https://api.xero.com/api.xro/2.0/Invoices?unitdp=four")),
        ("is missing", without_tenant),
        ("is too long", long_key),
        ("has no property", with_body("\"LineItems\"", "\"Lines\"")),
        ("takes no", with_body("\"ACCREC\"", "\"ACCREX\"")),
        ("is text, not", with_body("1.3333", "\"1.3333\"")),
        ("is no \"uuid\"", with_body("eaa28f49", "eaa28f4")),
    ] {
        let found = xero.faults(&request);
        assert!(found.iter().any(|text| text.contains(fault)), "{fault}: {found:?}");
    }
}
