//! What a person does in a browser: a page with a form, a button, and the redirects after it.

use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use bytes::Bytes;
use http::{Request, Response, header};
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
    use super::{Form, form};

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
