//! The consent page and Xero's own error page, without scripts: links choose the user, a form sends
//! the decision.

use super::authorize::{AuthorizeRefusal, organisations_of};
use crate::answer::Answer;
use crate::identity::scopes::Scopes;
use crate::settings::XeroUser;
use crate::xml::escaped as text;
use uuid::Uuid;

/// The content of the consent page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing<'a> {
    pub(super) app_name: &'a str,
    pub(super) scopes: &'a Scopes,
    /// The query of the authorize request; the form sends it back.
    pub(super) query: &'a str,
    pub(super) user: &'a XeroUser,
    pub(super) users: &'a [XeroUser],
    pub(super) tenants: &'a [(Uuid, String)],
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;background:#f2f3f4;color:#000a1e}\
main{max-width:28rem;margin:3rem auto;padding:2rem;background:#fff;border-radius:.5rem}\
fieldset{border:1px solid #ccced2;margin:1rem 0;padding:1rem}label{display:block}\
button{font:inherit;padding:.5rem 1.5rem;margin-right:.5rem;cursor:pointer}\
button[value=allow]{background:#0078c8;color:#fff;border:0}small{color:#59606d}";

/// The page on which a user ticks organisations and allows or cancels.
pub(super) fn consent(showing: &Showing<'_>) -> Answer {
    let mut body = String::new();
    let name = text(showing.app_name);
    let user = showing.user;
    push(
        &mut body,
        &format!(
            "<h1>{name} wants access to</h1><p>Signed in as {} {} &lt;{}&gt;.</p>",
            text(&user.given_name),
            text(&user.family_name),
            text(&user.email),
        ),
    );
    push_other_users(showing, &mut body);
    push(
        &mut body,
        &format!(
            "<form method=\"post\" action=\"/identity/connect/authorize\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\">\
         <input type=\"hidden\" name=\"user\" value=\"{}\">\
         <fieldset><legend>Organisation data</legend>",
            text(showing.query),
            user.id,
        ),
    );
    for (index, (id, organisation)) in organisations_of(user, showing.tenants).enumerate() {
        let ticked = if index == 0 { " checked" } else { "" };
        push(
            &mut body,
            &format!(
                "<label><input type=\"checkbox\" name=\"tenant\" value=\"{id}\"{ticked}> {}</label>",
                text(organisation),
            ),
        );
    }
    body.push_str("</fieldset><p>This app will be able to use:</p><ul>");
    for scope in showing.scopes.iter() {
        push(&mut body, &format!("<li><code>{}</code></li>", text(scope)));
    }
    body.push_str(
        "</ul><button type=\"submit\" name=\"decision\" value=\"allow\">Allow access</button>\
         <button type=\"submit\" name=\"decision\" value=\"cancel\">Cancel</button></form>",
    );
    framed(200, "Allow access", &body)
}

/// Links that show the page for another user.
fn push_other_users(showing: &Showing<'_>, body: &mut String) {
    let query: Vec<(String, String)> = crate::incoming::pairs(showing.query.as_bytes())
        .into_iter()
        .filter(|(name, _)| name != "login_hint")
        .collect();
    for other in showing.users.iter().filter(|other| other.id != showing.user.id) {
        let link = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&query)
            .append_pair("login_hint", &other.email)
            .finish();
        push(
            body,
            &format!(
                "<p><small><a href=\"/identity/connect/authorize?{}\">Sign in as {} {} instead</a>\
             </small></p>",
                text(&link),
                text(&other.given_name),
                text(&other.family_name),
            ),
        );
    }
}

/// The error page for a request that cannot be trusted.
pub(super) fn error(wrong: &AuthorizeRefusal) -> Answer {
    let body = format!(
        "<h1>Sorry, something went wrong</h1><p>Error: <code>{}</code></p><p>{}</p>",
        text(wrong.error),
        text(wrong.description),
    );
    framed(400, "Error", &body)
}

/// A complete page that cannot be framed.
fn framed(status: u16, title: &str, body: &str) -> Answer {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} | Simulated Xero</title><style>{STYLE}</style></head>\
         <body><main>{body}<p><small>This is a simulation of Xero.</small></p></main></body></html>"
    );
    Answer::html(status, page)
        .with_header("x-frame-options", "DENY")
        .with_header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        )
        .with_header("cache-control", "no-store")
}

fn push(body: &mut String, html: &str) {
    body.push_str(html);
}
