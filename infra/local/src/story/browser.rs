//! What a person does in a browser: a page with a form, a button, and the redirects after it; and how
//! the CRM finishes the connect that the browser comes back from.

use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use bytes::Bytes;
use http::{Request, Response, header};
use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded::Serializer;

/// The form of a page: where it goes and what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Form {
    action: String,
    /// Hidden fields and ticked boxes.
    fields: Vec<(String, String)>,
    /// The buttons' names and values.
    buttons: Vec<(String, String)>,
}

/// How the browser came back to the CRM from Xero's consent page.
#[derive(Clone, PartialEq, Eq)]
pub struct Landing {
    /// `authorised`, or `denied`, `expired` or `failed`.
    pub word: String,
    /// What the CRM finishes the connect with, once and soon.
    pub ticket: Option<String>,
}

/// The ticket is not shown.
impl std::fmt::Debug for Landing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { word, ticket } = self;
        f.debug_struct("Landing")
            .field("word", word)
            .field("has_ticket", &ticket.is_some())
            .finish()
    }
}

/// How a connect was finished.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Completion {
    /// `connected`, or `no_organisation` or `other_organisation`, which is a question.
    pub outcome: String,
    /// The organisation's name.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The organisation to confirm, when it is a question.
    #[serde(default)]
    pub tenant_id: Option<String>,
}

#[derive(Serialize)]
struct Presented<'a> {
    ticket: &'a str,
}

/// Opens the page, presses the button with this value, and gives the address it sends the browser to.
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
        .map_err(|error| Failure::new("The form leads nowhere").because(error))?;
    let body =
        Serializer::new(String::new()).extend_pairs(&form.fields).append_pair(name, value).finish();
    let request = Request::post(address.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body))
        .map_err(|error| Failure::new("The form cannot be sent").because(error))?;
    let answer = http.send(request).await?;
    redirect(&format!("POST {address}"), &answer)
}

/// Opens an address that must send the browser on, and gives where to.
pub async fn follow(http: &HttpClient, address: &Url) -> Result<Url, Failure> {
    let request = Request::get(address.as_str())
        .body(Bytes::new())
        .map_err(|error| Failure::new("The address cannot be opened").because(error))?;
    let answer = http.send(request).await?;
    // The query holds the code: it stays out of sentences.
    redirect(&format!("GET {}", address.path()), &answer)
}

/// Opens the callback that Xero sends the browser to, and gives how the browser comes back to the CRM.
pub async fn come_back(http: &HttpClient, callback: &Url) -> Result<Landing, Failure> {
    let landed = follow(http, callback).await?;
    landing(&landed).ok_or_else(|| {
        Failure::new(format!("The browser came back to {} without a word", landed.path()))
    })
}

/// The CRM presents the ticket to the product's API at `api`, in the name of the token's user. Whatever
/// the API answers is given, a refusal too.
pub async fn present(
    http: &HttpClient,
    api: &str,
    token: &str,
    ticket: &str,
) -> Result<Response<Bytes>, Failure> {
    let cannot = || Failure::new("The ticket cannot be presented");
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

/// How a connect was finished, by the answer to its ticket.
pub(super) fn completion(answer: &Response<Bytes>) -> Result<Completion, Failure> {
    let asked = "POST /v1/connection/complete";
    if !answer.status().is_success() {
        return Err(refused(asked, answer));
    }
    serde_json::from_slice(answer.body())
        .map_err(|error| Failure::new(format!("{asked} answered strangely")).because(error))
}

/// What the address says that the browser came back to.
fn landing(landed: &Url) -> Option<Landing> {
    let find = |wanted: &str| {
        let mut pairs = landed.query_pairs();
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    Some(Landing { word: find("xero")?, ticket: find("ticket") })
}

fn redirect(asked: &str, answer: &Response<Bytes>) -> Result<Url, Failure> {
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    match location.and_then(|location| Url::parse(location).ok()) {
        Some(url) if answer.status().is_redirection() => Ok(url),
        Some(_) | None => Err(refused(asked, answer)),
    }
}

/// Reads the first form of a page, as far as pages written by programs go.
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
    use super::{Completion, Form, Landing, form, landing};
    use url::Url;

    #[test]
    fn the_browser_comes_back_with_a_word_and_perhaps_a_ticket() {
        let read = |query: &str| {
            landing(&Url::parse(&format!("http://crm.example/settings?tab=xero&{query}")).unwrap())
        };
        let back = read("xero=authorised&ticket=t%2B1").unwrap();
        let expected = Landing { word: "authorised".to_owned(), ticket: Some("t+1".to_owned()) };
        assert_eq!(back, expected);
        assert!(!format!("{back:?}").contains("t+1"), "the ticket is not shown");
        assert_eq!(read("xero=denied").unwrap().ticket, None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_completion_is_read_whatever_else_the_answer_holds() {
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
        assert_eq!(
            form(&html.replace('\n', " ")),
            Some(Form {
                action: "/go".to_owned(),
                fields: vec![pair("q", "a=1&b=2"), pair("t", "1")],
                buttons: vec![pair("decision", "allow")],
            })
        );
    }
}
