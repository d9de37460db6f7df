//! The stand-in for the CRM: it signs its users' tokens, publishes the key, serves pages that embed
//! the elements of the Xero pages, sends the CRM's messages and receives its events.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::crm_pages::{self as pages, RETURN_PATH, TOKEN_PATH};
use crate::crm_queues::{CrmQueues, QUEUES_PATH};
use crate::failure::Failure;
use crate::http_server::{Site, text};
use crate::token::{Signer, User};

/// The audience the tokens name.
pub const AUDIENCE: &str = "servicecortex-xero";

/// The account of the story.
pub const STORY_ACCOUNT: &str = "acc_ridgeway";

/// Answers with 200 as soon as everything is deployed, before that with 503.
pub const READY_PATH: &str = "/ready";

/// The cookie of the signed-in user, in the format of the query of `GET /token`.
const SESSION: &str = "crm_user";

/// The CRM, as far as the product uses it.
#[derive(Debug)]
pub struct Crm {
    signer: Signer,
    api: String,
    queues: OnceLock<CrmQueues>,
}

impl Crm {
    /// A CRM that signs with this signer. Its pages call the product's API at this address.
    pub fn new(signer: Signer, api: String) -> Self {
        Self { signer, api, queues: OnceLock::new() }
    }

    /// Uses these queues from now on, which are ready. Later calls have no effect.
    pub fn open(&self, queues: CrmQueues) {
        self.queues.get_or_init(|| queues);
    }

    /// A token for the user.
    pub fn token(&self, user: &User) -> Result<String, Failure> {
        self.signer.token(user)
    }

    async fn page(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
        let user = asked_for(&signed_in(request).unwrap_or_default());
        let found = match (request.method(), path) {
            (&Method::GET, "/.well-known/openid-configuration") => {
                text(StatusCode::OK, "application/json", self.signer.discovery())
            }
            (&Method::GET, "/.well-known/jwks.json") => {
                text(StatusCode::OK, "application/json", self.signer.keys()?)
            }
            (&Method::GET, "/token") => {
                text(StatusCode::OK, "text/plain", self.signer.token(&asked_for(query))?)
            }
            (&Method::POST, TOKEN_PATH) => {
                text(StatusCode::OK, "text/plain", self.signer.token(&user)?)
            }
            (&Method::GET, "/sign-in") => sign_in(query)?,
            (&Method::GET, "/") => redirect(RETURN_PATH)?,
            (_, path) if path == READY_PATH || path.starts_with(QUEUES_PATH) => {
                Box::pin(self.answer_for_queues(request)).await?
            }
            (&Method::GET, path) => match pages::find_document(path, &user, &self.api) {
                Some(document) => {
                    self.protect(text(StatusCode::OK, document.content_type, document.text))?
                }
                None => missing(),
            },
            _ => missing(),
        };
        Ok(found)
    }

    /// Answers when the queues exist.
    async fn answer_for_queues(
        &self,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Failure> {
        let Some(queues) = self.queues.get() else {
            let sentence = "Nothing is deployed yet.";
            return Ok(text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", sentence));
        };
        if request.uri().path() == READY_PATH {
            return Ok(text(StatusCode::OK, "text/plain", "ready"));
        }
        queues.answer_request(request).await
    }

    /// Adds the headers of the CRM's pages. The address of a page may contain a ticket, which must
    /// not leak as the referrer of the next page.
    fn protect(&self, mut answer: Response<Bytes>) -> Result<Response<Bytes>, Failure> {
        let headers = answer.headers_mut();
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CONTENT_SECURITY_POLICY, value_of(&pages::content_policy(&self.api))?);
        Ok(answer)
    }
}

impl Site for Crm {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.page(&request).await.unwrap_or_else(|failure| {
            text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", failure.lines().join("\n"))
        })
    }
}

fn missing() -> Response<Bytes> {
    text(StatusCode::NOT_FOUND, "text/plain", "No such page in this CRM.")
}

/// The fields of a query.
fn fields(encoded: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
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
