//! What a user does in a browser: a page with a form, a button, and the redirects after it; and how
//! the CRM completes the connection after the browser has returned.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use crate::wait;

/// How long a ticket is valid.
const COMPLETED_WITHIN: Duration = Duration::from_mins(5);

/// The outcome after which the same ticket is presented again.
pub const IN_PROGRESS: &str = "in_progress";

/// A form: its target and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Form {
    action: String,
    /// Hidden fields and ticked boxes.
    fields: Vec<(String, String)>,
    /// The buttons' names and values.
    buttons: Vec<(String, String)>,
}

/// How the browser returned to the CRM from Xero's consent page.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackOutcome {
    /// `authorised`, or `denied`, `expired` or `failed`.
    pub word: String,
    /// The ticket with which the CRM completes the connection, valid once and for a short time.
    pub ticket: Option<String>,
}

/// Does not print the ticket.
impl std::fmt::Debug for CallbackOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { word, ticket } = self;
        f.debug_struct("CallbackOutcome")
            .field("word", word)
            .field("has_ticket", &ticket.is_some())
            .finish()
    }
}

/// The result of completing a connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Completion {
    /// `connected`, `no_organisation`, or `other_organisation`, which asks for confirmation.
    pub outcome: String,
    /// The organisation's name.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The organisation to confirm, if the outcome asks for confirmation.
    #[serde(default)]
    pub tenant_id: Option<String>,
}

#[derive(Serialize)]
struct Presented<'a> {
    ticket: &'a str,
}

/// The start of a connect.
#[derive(Deserialize)]
struct Started {
    authorize_url: String,
}

/// Connects the account of the token's user as people do: begins at the product's API at `api`, allows
/// access in Xero with the login of this e-mail address or with the first one, and completes.
pub async fn connect(
    http: &HttpClient,
    api: &str,
    token: &str,
    login: Option<&str>,
) -> Result<Completion, Failure> {
    let asked = "POST /v1/connection";
    let request = Request::post(format!("{api}/v1/connection"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Bytes::new())
        .map_err(|error| Failure::new("Cannot build the request").because(error))?;
    let answer = http.send(request).await?;
    if !answer.status().is_success() {
        return Err(refused(asked, &answer));
    }
    let started: Started = serde_json::from_slice(answer.body()).map_err(|error| {
        Failure::new(format!("{asked} returned an unexpected response")).because(error)
    })?;
    let mut page = Url::parse(&started.authorize_url)
        .map_err(|error| Failure::new("The consent page has no valid address").because(error))?;
    if let Some(login) = login {
        page.query_pairs_mut().append_pair("login_hint", login);
        check_login(&http.get(page.as_str()).await?, login)?;
    }
    let callback = press(http, page.as_str(), "allow").await?;
    let returned = follow_callback(http, &callback).await?;
    let ticket = returned
        .ticket
        .ok_or_else(|| Failure::new(format!("The browser returned with \"{}\"", returned.word)))?;
    let done =
        wait::until(COMPLETED_WITHIN, async || match complete(http, api, token, &ticket).await {
            Ok(done) if done.outcome == IN_PROGRESS => None,
            other => Some(other),
        });
    let outcome = done.await;
    outcome.unwrap_or_else(|| Err(Failure::new("The connection was not completed in time")))
}

/// The simulated Xero shows the page of the first user if it does not know the login.
fn check_login(page: &[u8], login: &str) -> Result<(), Failure> {
    let shown = String::from_utf8_lossy(page).to_lowercase();
    if shown.contains(&format!("&lt;{}&gt;", login.to_lowercase())) {
        return Ok(());
    }
    Err(Failure::new(format!("The simulated Xero has no user with the e-mail address {login}"))
        .remedy(
            "Its users are dana@ridgeway.example, sam@ridgeway.example and, with --businesses N, \
             owner1@business.example and so on.",
        ))
}

/// Opens the page, presses the button with this value, and returns the URL that the browser is
/// redirected to.
pub async fn press(http: &HttpClient, page: &str, button: &str) -> Result<Url, Failure> {
    let html = http.get(page).await?;
    let html = String::from_utf8_lossy(&html);
    let form = form(&html).ok_or_else(|| Failure::new(format!("{page} shows no form")))?;
    let (name, value) = form
        .buttons
        .iter()
        .find(|(_, value)| value == button)
        .ok_or_else(|| Failure::new(format!("{page} has no button \"{button}\"")))?;
    let address = Url::parse(page)
        .and_then(|page| page.join(&form.action))
        .map_err(|error| Failure::new("The form has an invalid target").because(error))?;
    let body =
        Serializer::new(String::new()).extend_pairs(&form.fields).append_pair(name, value).finish();
    let request = Request::post(address.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body))
        .map_err(|error| Failure::new("Cannot build the form's request").because(error))?;
    let answer = http.send(request).await?;
    redirect(&format!("POST {address}"), &answer)
}

/// Opens a URL that must redirect, and returns the target.
pub async fn follow(http: &HttpClient, address: &Url) -> Result<Url, Failure> {
    let request = Request::get(address.as_str())
        .body(Bytes::new())
        .map_err(|error| Failure::new("Cannot build the request of the address").because(error))?;
    let answer = http.send(request).await?;
    // The query contains the code, so it is left out of messages.
    redirect(&format!("GET {}", address.path()), &answer)
}

/// Opens the callback that Xero redirects the browser to, and returns how the browser gets back to
/// the CRM.
pub async fn follow_callback(
    http: &HttpClient,
    callback: &Url,
) -> Result<CallbackOutcome, Failure> {
    let url = follow(http, callback).await?;
    read_callback_outcome(&url).ok_or_else(|| {
        Failure::new(format!("The browser returned to {} without an outcome", url.path()))
    })
}

/// Presents the ticket to the product's API at `api`, as the CRM does for the token's user. Returns
/// any response, including a refusal.
pub async fn present(
    http: &HttpClient,
    api: &str,
    token: &str,
    ticket: &str,
) -> Result<Response<Bytes>, Failure> {
    let cannot = || Failure::new("Cannot build the request with the ticket");
    let body =
        serde_json::to_vec(&Presented { ticket }).map_err(|error| cannot().because(error))?;
    let request = Request::post(format!("{api}/v1/connection/complete"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body))
        .map_err(|error| cannot().because(error))?;
    http.send(request).await
}

/// The same, for a ticket that must be accepted.
pub async fn complete(
    http: &HttpClient,
    api: &str,
    token: &str,
    ticket: &str,
) -> Result<Completion, Failure> {
    completion(&present(http, api, token, ticket).await?)
}

/// The result of completing a connection, from the response to its ticket.
pub(super) fn completion(answer: &Response<Bytes>) -> Result<Completion, Failure> {
    let asked = "POST /v1/connection/complete";
    if !answer.status().is_success() {
        return Err(refused(asked, answer));
    }
    serde_json::from_slice(answer.body()).map_err(|error| {
        Failure::new(format!("{asked} returned an unexpected response")).because(error)
    })
}

/// Reads the outcome from the URL that the browser returned to.
fn read_callback_outcome(url: &Url) -> Option<CallbackOutcome> {
    let find = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    Some(CallbackOutcome { word: find("xero")?, ticket: find("ticket") })
}

fn redirect(asked: &str, answer: &Response<Bytes>) -> Result<Url, Failure> {
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    match location.and_then(|location| Url::parse(location).ok()) {
        Some(url) if answer.status().is_redirection() => Ok(url),
        Some(_) | None => Err(refused(asked, answer)),
    }
}

/// Reads the first form of a page, as far as generated pages need it.
fn form(html: &str) -> Option<Form> {
    let (_, rest) = html.split_once("<form")?;
    let (inside, _) = rest.split_once("</form>")?;
    let (opening, content) = inside.split_once('>')?;
    let mut form =
        Form { action: attribute(opening, "action")?, fields: Vec::new(), buttons: Vec::new() };
    for tag in content.split('<').skip(1).filter_map(|tag| tag.split('>').next()) {
        let pair = || Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
        if tag.starts_with("button") {
            form.buttons.extend(pair());
        } else if tag.starts_with("input") {
            let kind = attribute(tag, "type").unwrap_or_default();
            let optional = kind == "checkbox" || kind == "radio";
            if !optional || tag.split_whitespace().any(|word| word == "checked") {
                form.fields.extend(pair());
            }
        }
    }
    Some(form)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&#x27;", "'")
            .replace("&apos;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Completion, Form, form, read_callback_outcome};

    #[test]
    fn the_browser_returns_with_an_outcome_and_an_optional_ticket() {
        let settings = "http://crm.example/settings?tab=xero";
        let url = |query: &str| Url::parse(&format!("{settings}&{query}")).unwrap();
        let read = |query| read_callback_outcome(&url(query));
        let back = read("xero=authorised&ticket=t%2B1").unwrap();
        assert_eq!((back.word.as_str(), back.ticket.as_deref()), ("authorised", Some("t+1")));
        assert!(!format!("{back:?}").contains("t+1"), "the ticket is not printed");
        assert_eq!(read("xero=denied").unwrap().ticket, None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_completion_ignores_unknown_fields_of_the_answer() {
        let answer = r#"{"outcome":"connected","organisation":"Ridgeway","xero_user":"Dana"}"#;
        let read: Completion = serde_json::from_str(answer).unwrap();
        assert_eq!((read.outcome.as_str(), read.tenant_id), ("connected", None));
        assert_eq!(read.organisation.as_deref(), Some("Ridgeway"));
    }

    #[test]
    fn a_form_carries_hidden_fields_and_ticked_boxes_only() {
        let html = r#"<p>x</p><form method="post" action="/go"><input type="hidden" name="q"
            value="a=1&amp;b=2"><label><input type="checkbox" name="t" value="1" checked> A</label>
            <input type="checkbox" name="t" value="2"> B
            <button name="decision" value="allow">Allow</button></form>"#;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = Form {
            action: "/go".to_owned(),
            fields: vec![pair("q", "a=1&b=2"), pair("t", "1")],
            buttons: vec![pair("decision", "allow")],
        };
        assert_eq!(form(&html.replace('\n', " ")), Some(expected));
    }
}
