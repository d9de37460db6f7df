//! The stand-in for the CRM: it signs its users' tokens, publishes the key, and has the page where
//! the browser lands after connecting.

use crate::failure::Failure;
use crate::http_server::{Site, text};
use crate::token::{Signer, User};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use std::collections::BTreeMap;

/// The audience the tokens name.
pub const AUDIENCE: &str = "servicecortex-xero";

/// The account whose story is told.
pub const STORY_ACCOUNT: &str = "acc_ridgeway";

/// The path of the page where the browser lands after connecting.
pub const RETURN_PATH: &str = "/settings/integrations/xero";

/// The CRM, as far as the sync sees it.
#[derive(Debug)]
pub struct Crm {
    signer: Signer,
}

impl Crm {
    /// A CRM that signs with this signer.
    pub fn new(signer: Signer) -> Self {
        Self { signer }
    }

    /// A token for the user.
    pub fn token(&self, user: &User) -> Result<String, Failure> {
        self.signer.token(user)
    }

    fn page(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
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
            (&Method::GET, RETURN_PATH) => {
                text(StatusCode::OK, "text/html; charset=utf-8", landing(query))
            }
            _ => text(StatusCode::NOT_FOUND, "text/plain", "No such page in this CRM."),
        })
    }
}

impl Site for Crm {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.page(&request).unwrap_or_else(|failure| {
            text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", failure.lines().join("\n"))
        })
    }
}

/// The user a `GET /token` asks for; whatever is left out is the story's owner.
fn asked_for(query: &str) -> User {
    let mut asked: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut take =
        |name: &str, default: &str| asked.remove(name).unwrap_or_else(|| default.to_owned());
    User {
        sub: take("sub", "usr_owner"),
        account_id: take("account_id", STORY_ACCOUNT),
        role: take("role", "Owner"),
        name: take("name", "Rowan Ridgeway"),
    }
}

fn landing(query: &str) -> String {
    let facts: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", escaped(&name), escaped(&value)))
        .collect();
    let facts = facts.concat();
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>ServiceCortex</title>\
         <h1>Back in ServiceCortex</h1><p>Settings, Integrations, Xero</p><dl>{facts}</dl></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{asked_for, landing};

    #[test]
    fn a_token_is_the_owners_unless_the_query_says_otherwise() {
        assert_eq!(asked_for("").role, "Owner");
        let member = asked_for("role=Member&name=Kim+Lee");
        assert_eq!((member.role.as_str(), member.name.as_str()), ("Member", "Kim Lee"));
    }

    #[test]
    fn the_landing_page_shows_what_came_back_as_text() {
        assert!(landing("error=%3Cscript%3E").contains("<dd>&lt;script&gt;</dd>"));
    }
}
