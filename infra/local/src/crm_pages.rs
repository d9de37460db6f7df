//! The settings page of the CRM's stand-in, in the states of connecting Xero.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;

use crate::token::User;

/// The settings page, to which the browser returns after Xero's consent page.
pub const RETURN_PATH: &str = "/settings/integrations/xero";
/// Starts a connection attempt.
pub const CONNECT_PATH: &str = "/settings/integrations/xero/connect";
/// Completes the attempt with the ticket that the browser brought back.
pub const COMPLETE_PATH: &str = "/settings/integrations/xero/complete";
/// Confirms an organisation.
pub const ORGANISATION_PATH: &str = "/settings/integrations/xero/organisation";

/// The settings page. `returned` is the query: the outcome of the consent, and the ticket that
/// completes it. Only a click of the signed-in user completes it: opening a forwarded link does
/// nothing.
pub fn settings(user: &User, returned: &BTreeMap<String, String>) -> String {
    let body = match (returned.get("xero").map(String::as_str), returned.get("ticket")) {
        (Some("authorised"), Some(ticket)) => format!(
            "<p>Xero has allowed access. Finish connecting as {}?</p>{}",
            escaped(&user.name),
            form(COMPLETE_PATH, &[("ticket", ticket.as_str())], "Finish connecting"),
        ),
        (Some(word), _) => format!(
            "<p>Xero was not connected: {}.</p>{}",
            escaped(word),
            form(CONNECT_PATH, &[], "Try again"),
        ),
        (None, _) => form(CONNECT_PATH, &[], "Connect to Xero"),
    };
    page(user, &body)
}

/// The response of the product's API, with a button for each organisation to choose from.
pub fn outcome(user: &User, status: StatusCode, answer: &Value) -> String {
    let facts: Vec<String> = answer
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(&value))
        })
        .collect();
    let buttons: Vec<String> = asked_about(answer)
        .into_iter()
        .map(|(tenant, name)| {
            form(ORGANISATION_PATH, &[("tenant_id", tenant.as_str())], &format!("Use {name}"))
        })
        .collect();
    let body = format!(
        "<p>{}</p><dl>{}</dl>{}",
        escaped(&status.to_string()),
        facts.concat(),
        buttons.concat()
    );
    page(user, &body)
}

/// The organisations in a response, each with the id to choose it by.
fn asked_about(answer: &Value) -> Vec<(String, String)> {
    let choices = answer.get("choices").and_then(Value::as_array).into_iter().flatten();
    std::iter::once(answer)
        .chain(choices)
        .filter_map(|one| {
            let tenant = one.get("tenant_id")?.as_str()?;
            let name = one.get("name").or_else(|| one.get("organisation"));
            let name = name.and_then(Value::as_str).unwrap_or("this organisation");
            Some((tenant.to_owned(), name.to_owned()))
        })
        .collect()
}

fn page(user: &User, body: &str) -> String {
    let who = format!("{} ({}, {})", user.name, user.role, user.account_id);
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>ServiceCortex</title>\
         <h1>Settings, Integrations, Xero</h1><p>Signed in as {}. To switch users: \
         <code>/sign-in?sub=usr_kim&amp;role=Admin&amp;name=Kim</code></p>{body}</html>",
        escaped(&who)
    )
}

fn form(action: &str, hidden: &[(&str, &str)], label: &str) -> String {
    let fields: Vec<String> = hidden
        .iter()
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
        })
        .collect();
    format!(
        "<form method=\"post\" action=\"{action}\">{}<button>{}</button></form>",
        fields.concat(),
        escaped(label)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::StatusCode;

    use super::{outcome, settings};
    use crate::token::User;

    fn owner() -> User {
        User {
            sub: "usr_owner".to_owned(),
            account_id: "acc_ridgeway".to_owned(),
            role: "Owner".to_owned(),
            name: "Rowan Ridgeway".to_owned(),
        }
    }

    fn returned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_ticket_is_presented_only_by_a_click_of_the_signed_in_user() {
        let page =
            settings(&owner(), &returned(&[("xero", "authorised"), ("ticket", "\"><script>")]));
        assert!(page.contains("Finish connecting as Rowan Ridgeway?"), "{page}");
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{page}");
    }

    #[test]
    fn a_consent_that_ended_without_a_ticket_can_be_retried() {
        let page = settings(&owner(), &returned(&[("xero", "denied")]));
        assert!(page.contains("not connected: denied") && page.contains("Try again"), "{page}");
        assert!(settings(&owner(), &returned(&[])).contains("Connect to Xero"));
    }

    #[test]
    fn each_organisation_to_choose_from_has_a_button() {
        let answer = r#"{"outcome":"other_organisation","organisation":"Kauri <Ltd>",
            "tenant_id":"7"}"#;
        let page = outcome(&owner(), StatusCode::OK, &serde_json::from_str(answer).unwrap());
        assert!(page.contains("name=\"tenant_id\" value=\"7\""), "{page}");
        assert!(page.contains("Use Kauri &lt;Ltd&gt;"), "{page}");
    }
}
