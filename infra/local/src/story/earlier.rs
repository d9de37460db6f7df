//! What was in Xero before the story begins: an invoice of somebody else, entered through another
//! app, whose number the CRM uses too.

use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use crate::simulator::{OTHER_CLIENT_ID, OTHER_REDIRECT, Xero};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response, header};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;
use xero_sim::Consent;

const SCOPES: &str = "accounting.invoices accounting.contacts";

const INVOICE: &str = r##"{"Type":"ACCREC","InvoiceNumber":"#INV-9001","Status":"AUTHORISED",
"Contact":{"Name":"Harwell Lettings"},"Date":"2025-11-03","DueDate":"2025-11-17",
"LineAmountTypes":"Exclusive","LineItems":[{"Description":"Gate motor, supplied and fitted",
"Quantity":1,"UnitAmount":612.00,"AccountCode":"200","TaxType":"OUTPUT2"}]}"##;

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// Enters the invoice.
pub(super) async fn enter_the_other_invoice(
    http: &HttpClient,
    base: &str,
    xero: &Xero,
) -> Result<(), Failure> {
    let code = consent(base, xero)?;
    let tokens: Tokens = {
        let body = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", &code)
            .append_pair("redirect_uri", OTHER_REDIRECT)
            .finish();
        let basic = STANDARD.encode(format!("{OTHER_CLIENT_ID}:{}", xero.client_secret()));
        let request = Request::post(format!("{base}/connect/token"))
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body));
        let answer = exchange(http, "The other app's token request", request).await?;
        serde_json::from_slice(answer.body())
            .map_err(|error| Failure::new("The simulator's tokens are odd").because(error))?
    };
    let request = Request::put(format!("{base}/api.xro/2.0/Invoices?summarizeErrors=true"))
        .header(header::AUTHORIZATION, format!("Bearer {}", tokens.access_token))
        .header("xero-tenant-id", xero.tenant().to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(INVOICE));
    exchange(http, "The other app's invoice", request).await.map(|_| ())
}

/// The code of a consent that was given without a browser.
fn consent(base: &str, xero: &Xero) -> Result<String, Failure> {
    let query = Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", OTHER_CLIENT_ID)
        .append_pair("redirect_uri", OTHER_REDIRECT)
        .append_pair("scope", SCOPES)
        .append_pair("state", "earlier")
        .finish();
    let address = format!("{base}/identity/connect/authorize?{query}");
    let consent = xero.lock().consent(xero.now(), &address, xero.user(), &[xero.tenant()]);
    let refused = || Failure::new("The simulated Xero does not let the other app in");
    let Consent::Redirect(location) = consent else { return Err(refused()) };
    let location = Url::parse(&location).map_err(|error| refused().because(error))?;
    let code = location.query_pairs().find(|(name, _)| name == "code");
    code.map(|(_, code)| code.into_owned()).ok_or_else(refused)
}

async fn exchange(
    http: &HttpClient,
    doing: &str,
    request: http::Result<Request<Bytes>>,
) -> Result<Response<Bytes>, Failure> {
    let request =
        request.map_err(|error| Failure::new(format!("{doing} is odd")).because(error))?;
    let answer = http.send(request).await?;
    if answer.status().is_success() { Ok(answer) } else { Err(refused(doing, &answer)) }
}

#[cfg(test)]
mod tests {
    use super::enter_the_other_invoice;
    use crate::http_client::HttpClient;
    use crate::ports::Ports;
    use crate::simulator::{CLIENT_ID, Xero};
    use crate::story::browser;
    use tokio::task::JoinSet;
    use url::form_urlencoded::Serializer;

    /// A simulated Xero on a socket, for as long as the set lives.
    async fn xero() -> (Xero, String, JoinSet<()>) {
        let ports = Ports::take(None).await.unwrap();
        let base = crate::ports::address(&ports.simulator).unwrap();
        let xero = Xero::open("http://localhost:9/oauth/callback").unwrap();
        let mut servers = JoinSet::new();
        servers.spawn(xero.clone().serve(ports.simulator));
        (xero, base, servers)
    }

    #[tokio::test]
    async fn the_number_is_taken_in_xero_by_an_invoice_that_is_not_ours() {
        let (xero, base, _servers) = xero().await;
        enter_the_other_invoice(&HttpClient::default(), &base, &xero).await.unwrap();
        let simulator = xero.lock();
        let books = simulator.books(xero.tenant()).unwrap();
        let taken: Vec<_> = books.invoices_numbered("#INV-9001").collect();
        assert_eq!(taken.len(), 1);
        assert_ne!(taken[0].created_by.as_deref(), Some(CLIENT_ID));
        assert_eq!(taken[0].total.to_string(), "734.40");
    }

    #[tokio::test]
    async fn a_person_allows_access_on_xeros_page_and_comes_back_with_a_code() {
        let (_xero, base, _servers) = xero().await;
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("redirect_uri", "http://localhost:9/oauth/callback")
            .append_pair("scope", "offline_access accounting.invoices accounting.contacts")
            .append_pair("state", "a&b=\"c\"")
            .finish();
        let page = format!("{base}/identity/connect/authorize?{query}");
        let callback = browser::press(&HttpClient::default(), &page, "allow").await.unwrap();
        let answered: Vec<_> = callback.query_pairs().into_owned().collect();
        assert!(callback.as_str().starts_with("http://localhost:9/oauth/callback?"));
        assert!(answered.iter().any(|(name, _)| name == "code"), "{answered:?}");
        assert!(answered.contains(&("state".to_owned(), "a&b=\"c\"".to_owned())));
    }
}
