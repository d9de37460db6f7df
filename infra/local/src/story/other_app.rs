//! Another app of the same organisation, which the customer used before; it enters documents in
//! Xero that are not this product's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response, header};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use crate::simulator::{OTHER_CLIENT_ID, OTHER_REDIRECT};

const SCOPES: &str = "accounting.invoices accounting.contacts";

/// The other app while it has access.
#[derive(Debug, Clone)]
pub struct OtherApp {
    http: HttpClient,
    xero: String,
    access_token: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// The consent page of the Xero at this address for the other app.
pub fn consent_page(xero: &str) -> String {
    let query = Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", OTHER_CLIENT_ID)
        .append_pair("redirect_uri", OTHER_REDIRECT)
        .append_pair("scope", SCOPES)
        .append_pair("state", "earlier")
        .finish();
    format!("{xero}/identity/connect/authorize?{query}")
}

impl OtherApp {
    /// The app, authorised by the user whom the page redirected to `callback`.
    pub async fn let_in(
        http: &HttpClient,
        xero: &str,
        secret: &str,
        callback: &Url,
    ) -> Result<Self, Failure> {
        let code = callback.query_pairs().find(|(name, _)| name == "code");
        let (_, code) =
            code.ok_or_else(|| Failure::new("The simulated Xero did not authorise the other app"))?;
        let body = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", &code)
            .append_pair("redirect_uri", OTHER_REDIRECT)
            .finish();
        let basic = STANDARD.encode(format!("{OTHER_CLIENT_ID}:{secret}"));
        let request = Request::post(format!("{xero}/connect/token"))
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body));
        let answer = exchange(http, "The other app's token request", request).await?;
        let Tokens { access_token } = serde_json::from_slice(answer.body())
            .map_err(|error| Failure::new("The simulator's tokens are invalid").because(error))?;
        Ok(Self { http: http.clone(), xero: xero.to_owned(), access_token })
    }

    /// Creates rows in an organisation: `Contacts`, `Invoices` and so on.
    pub async fn enter(
        &self,
        tenant: &str,
        collection: &str,
        body: impl Into<Bytes>,
    ) -> Result<(), Failure> {
        let address = format!("{}/api.xro/2.0/{collection}?summarizeErrors=true", self.xero);
        let request = Request::put(address)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.access_token))
            .header("xero-tenant-id", tenant)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body.into());
        let doing = format!("The other app's request to {collection}");
        exchange(&self.http, &doing, request).await.map(|_| ())
    }
}

async fn exchange(
    http: &HttpClient,
    doing: &str,
    request: http::Result<Request<Bytes>>,
) -> Result<Response<Bytes>, Failure> {
    let request =
        request.map_err(|error| Failure::new(format!("{doing} is invalid")).because(error))?;
    let answer = http.send(request).await?;
    if answer.status().is_success() { Ok(answer) } else { Err(refused(doing, &answer)) }
}
