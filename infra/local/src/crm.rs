//! The stand-in for the CRM: it signs its users' tokens, publishes the key, and serves the settings
//! page from which a user connects Xero and to which the browser returns.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::crm_pages::{self as pages, RETURN_PATH};
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::http_server::{Site, text};
use crate::token::{Signer, User};

/// The audience the tokens name.
pub const AUDIENCE: &str = "servicecortex-xero";

/// The account of the story.
pub const STORY_ACCOUNT: &str = "acc_ridgeway";

/// The cookie of the signed-in user, in the format of the query of `GET /token`.
const SESSION: &str = "crm_user";

/// The CRM, as far as the product uses it.
#[derive(Debug)]
pub struct Crm {
    signer: Signer,
    http: HttpClient,
    api: String,
}

impl Crm {
    /// A CRM that signs with this signer and calls the product's API at this address.
    pub fn new(signer: Signer, http: HttpClient, api: String) -> Self {
        Self { signer, http, api }
    }

    /// A token for the user.
    pub fn token(&self, user: &User) -> Result<String, Failure> {
        self.signer.token(user)
    }

    async fn page(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
        let user = asked_for(&signed_in(request).unwrap_or_default());
        let form = fields(&String::from_utf8_lossy(request.body()));
        Ok(match (request.method(), path) {
            (&Method::GET, "/.well-known/openid-configuration") => {
                text(StatusCode::OK, "application/json", self.signer.discovery())
            }
            (&Method::GET, "/.well-known/jwks.json") => {
                text(StatusCode::OK, "application/json", self.signer.keys()?)
            }
            (&Method::GET, "/token") => {
                text(StatusCode::OK, "text/plain", self.signer.token(&asked_for(query))?)
            }
            (&Method::GET, "/sign-in") => sign_in(query)?,
            (&Method::GET, RETURN_PATH) => html(pages::settings(&user, &fields(query))),
            (&Method::POST, pages::CONNECT_PATH) => self.connect(&user).await?,
            (&Method::POST, pages::COMPLETE_PATH) => {
                let asked = pick(&form, "ticket");
                self.tell(&user, "/v1/connection/complete", &asked).await?
            }
            (&Method::POST, pages::ORGANISATION_PATH) => {
                let asked = pick(&form, "tenant_id");
                self.tell(&user, "/v1/connection/organisation", &asked).await?
            }
            _ => text(StatusCode::NOT_FOUND, "text/plain", "No such page in this CRM."),
        })
    }

    /// Sends the browser to Xero's consent page.
    async fn connect(&self, user: &User) -> Result<Response<Bytes>, Failure> {
        let (status, answer) = self.call(user, "/v1/connection", &BTreeMap::new()).await?;
        match answer.get("authorize_url").and_then(Value::as_str) {
            Some(address) if status.is_success() => redirect(address),
            Some(_) | None => Ok(html(pages::outcome(user, status, &answer))),
        }
    }

    /// Calls the API for the signed-in user, and shows the response.
    async fn tell(
        &self,
        user: &User,
        path: &str,
        asked: &BTreeMap<String, String>,
    ) -> Result<Response<Bytes>, Failure> {
        let (status, answer) = self.call(user, path, asked).await?;
        Ok(html(pages::outcome(user, status, &answer)))
    }

    async fn call(
        &self,
        user: &User,
        path: &str,
        asked: &BTreeMap<String, String>,
    ) -> Result<(StatusCode, Value), Failure> {
        let cannot = || Failure::new(format!("Cannot build POST {path}"));
        let body = serde_json::to_vec(asked).map_err(|error| cannot().because(error))?;
        let request = Request::post(format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {}", self.signer.token(user)?))
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .map_err(|error| cannot().because(error))?;
        let answer = self.http.send(request).await?;
        let said = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        Ok((answer.status(), said))
    }
}

impl Site for Crm {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.page(&request).await.unwrap_or_else(|failure| {
            text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", failure.lines().join("\n"))
        })
    }
}

/// The fields of a query or a form.
fn fields(encoded: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
}

fn pick(form: &BTreeMap<String, String>, name: &str) -> BTreeMap<String, String> {
    let value = form.get(name).cloned().unwrap_or_default();
    BTreeMap::from([(name.to_owned(), value)])
}

/// The user that a query describes; defaults are those of the story's owner.
fn asked_for(query: &str) -> User {
    let mut asked = fields(query);
    let mut take =
        |name: &str, default: &str| asked.remove(name).unwrap_or_else(|| default.to_owned());
    User {
        sub: take("sub", "usr_owner"),
        account_id: take("account_id", STORY_ACCOUNT),
        role: take("role", "Owner"),
        name: take("name", "Rowan Ridgeway"),
    }
}

/// The content of the session cookie, if there is one.
fn signed_in(request: &Request<Bytes>) -> Option<String> {
    let cookies = request.headers().get(COOKIE)?.to_str().ok()?;
    let mut pairs = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION).map(|(_, value)| value.to_owned())
}

/// Signs in the user of the query. The cookie is not sent with forms of other sites.
fn sign_in(query: &str) -> Result<Response<Bytes>, Failure> {
    let mut answer = redirect(RETURN_PATH)?;
    let cookie = format!("{SESSION}={query}; Path=/; HttpOnly; SameSite=Lax");
    answer.headers_mut().insert(SET_COOKIE, value_of(&cookie)?);
    Ok(answer)
}

fn redirect(address: &str) -> Result<Response<Bytes>, Failure> {
    let mut answer = text(StatusCode::SEE_OTHER, "text/plain", "");
    answer.headers_mut().insert(LOCATION, value_of(address)?);
    Ok(answer)
}

fn value_of(header: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(header)
        .map_err(|error| Failure::new("The CRM built an invalid header").because(error))
}

/// A page. Its URL may contain a ticket, which must not leak as the referrer of the next page.
fn html(page: String) -> Response<Bytes> {
    let mut answer = text(StatusCode::OK, "text/html; charset=utf-8", page);
    let policy = HeaderName::from_static("referrer-policy");
    answer.headers_mut().insert(policy, HeaderValue::from_static("no-referrer"));
    answer
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use http::header::{COOKIE, SET_COOKIE};

    use super::{asked_for, sign_in, signed_in};

    #[test]
    fn a_token_is_the_owners_unless_the_query_names_another_user() {
        assert_eq!(asked_for("").role, "Owner");
        let member = asked_for("role=Member&name=Kim+Lee");
        assert_eq!((member.role.as_str(), member.name.as_str()), ("Member", "Kim Lee"));
    }

    #[test]
    fn the_signed_in_user_calls_the_api() {
        let answer = sign_in("sub=usr_kim&role=Admin&name=Kim+Lee").unwrap();
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
        let request = Request::get("/")
            .header(COOKIE, format!("theme=dark; {cookie}"))
            .body(Bytes::new())
            .unwrap();
        let user = asked_for(&signed_in(&request).unwrap());
        assert_eq!((user.sub.as_str(), user.name.as_str()), ("usr_kim", "Kim Lee"));
        let stranger = Request::get("/").body(Bytes::new()).unwrap();
        assert_eq!(signed_in(&stranger), None);
    }
}
