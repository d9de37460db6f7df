//! The content of Xero before the story begins: an invoice entered with another app, whose number
//! the CRM also uses.

use url::Url;
use xero_sim::Consent;

use super::other_app::{OtherApp, consent_page};
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::simulator::Xero;

const INVOICE: &str = r##"{"Type":"ACCREC","InvoiceNumber":"#INV-9001","Status":"AUTHORISED",
"Contact":{"Name":"Harwell Lettings"},"Date":"2025-11-03","DueDate":"2025-11-17",
"LineAmountTypes":"Exclusive","LineItems":[{"Description":"Gate motor, supplied and fitted",
"Quantity":1,"UnitAmount":612.00,"AccountCode":"200","TaxType":"OUTPUT2"}]}"##;

/// Enters the invoice.
pub(super) async fn enter_the_other_invoice(
    http: &HttpClient,
    base: &str,
    xero: &Xero,
) -> Result<(), Failure> {
    let callback = consent(base, xero)?;
    let app = OtherApp::let_in(http, base, xero.client_secret(), &callback).await?;
    app.enter(&xero.tenant().to_string(), "Invoices", INVOICE).await
}

/// The redirect URL of a consent given without a browser.
fn consent(base: &str, xero: &Xero) -> Result<Url, Failure> {
    let page = consent_page(base);
    let consent = xero.lock().consent(xero.instants(), &page, xero.user(), &[xero.tenant()]);
    let refused = || Failure::new("The simulated Xero did not authorise the other app");
    let Consent::Redirect(location) = consent else { return Err(refused()) };
    Url::parse(&location).map_err(|error| refused().because(error))
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;
    use url::form_urlencoded::Serializer;

    use super::enter_the_other_invoice;
    use crate::http_client::HttpClient;
    use crate::ports::Ports;
    use crate::simulator::{CLIENT_ID, Xero};
    use crate::story::browser;
    use crate::story::other_app::{OtherApp, consent_page};

    /// A simulated Xero on a socket, for as long as the set lives.
    async fn xero() -> (Xero, String, JoinSet<()>) {
        let ports = Ports::take(None).await.unwrap();
        let base = crate::ports::address(&ports.simulator).unwrap();
        let xero = Xero::open("http://localhost:9/oauth/callback", 0).unwrap();
        let mut servers = JoinSet::new();
        servers.spawn(xero.clone().serve(ports.simulator));
        (xero, base, servers)
    }

    #[tokio::test]
    async fn the_number_is_taken_by_an_invoice_of_another_app() {
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
    async fn a_user_authorises_the_other_app_and_it_enters_a_contact() {
        let (xero, base, _servers) = xero().await;
        let http = HttpClient::default();
        let page = format!("{}&login_hint=dana@ridgeway.example", consent_page(&base));
        let callback = browser::press(&http, &page, "allow").await.unwrap();
        let app = OtherApp::let_in(&http, &base, xero.client_secret(), &callback).await.unwrap();
        let tenant = xero.tenant().to_string();
        app.enter(&tenant, "Contacts", r#"{"Contacts":[{"Name":"Hinksey"}]}"#).await.unwrap();
        let simulator = xero.lock();
        let books = simulator.books(xero.tenant()).unwrap();
        let names: Vec<_> = books.contacts().map(|contact| contact.name.as_str()).collect();
        assert_eq!(names, ["Hinksey"]);
    }

    #[tokio::test]
    async fn a_user_allows_access_on_xeros_page_and_returns_with_a_code() {
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
