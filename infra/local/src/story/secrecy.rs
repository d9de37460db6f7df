//! Checks that no log line of the story contains a secret, a body, a name or an address.

use memchr::{memchr_iter, memmem};
use serde_json::Value;

use super::Story;
use super::{correction, older_clients};
use crate::binaries::FUNCTIONS;
use crate::deployment::function_name;
use crate::failure::Failure;

/// Shorter words may be part of other words.
const SHORTEST: usize = 6;
/// The beginnings of bodies, in both directions.
const BODIES: [&str; 4] =
    ["\"unit_price\"", "\"LineItems\"", "\"access_token\"", "\"billing_address\""];

/// Functions that write log lines during the story.
const TALKATIVE: [&str; 10] = [
    "oauth-callback",
    "settings-api",
    "contact-push",
    "invoice-push",
    "credit-note-push",
    "payment-push",
    "payment-poll",
    "keep-alive",
    "health-check",
    "log-cleanup",
];

/// A part of AWS's message about a missing permission.
const DENIED: &str = "is not authorized to perform";

impl Story<'_> {
    /// What the logs of the functions and of the local AWS disclose, and which functions lack a
    /// permission.
    pub(super) async fn given_away(&self) -> Result<Vec<String>, Failure> {
        let sought = self.sought().await?;
        let (mut problems, mut searched) = (Vec::new(), 0_usize);
        let bytes = std::fs::read(self.stack.log())
            .map_err(|error| Failure::new("Cannot read the log of the local AWS").because(error))?;
        let mut logs = vec![("the local AWS", String::from_utf8_lossy(&bytes).into_owned())];
        for function in FUNCTIONS {
            let group = format!("/aws/lambda/{}", function_name(function));
            let lines = self.stack.aws.log_lines(&group).await?;
            if TALKATIVE.contains(&function) && lines.is_empty() {
                problems.push(format!("{function} wrote no lines to search"));
            }
            if lines.iter().any(|line| line.contains(DENIED)) {
                problems.push(format!("{function} has no permission for one of its calls"));
            }
            logs.push((function, lines.join("\n")));
        }
        for (who, text) in &logs {
            searched = searched.saturating_add(text.lines().count());
            problems.extend(found(who, text, &sought));
        }
        self.console.step(&format!(
            "Searching {searched} lines of {} functions and the local AWS for {} names, addresses and secrets",
            FUNCTIONS.len(),
            sought.len()
        ));
        let nothing = problems.is_empty();
        self.console.done(if nothing { "none of them found" } else { "found" });
        Ok(problems)
    }

    /// The texts that must not be found, each with its kind.
    async fn sought(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut sought: Vec<(&str, String)> = Vec::new();
        for client in &self.material.clients {
            personal(&client.snapshot, &mut sought);
        }
        for client in older_clients::ALL {
            sought.push(("a client's name", client.name.to_owned()));
        }
        for changed in [correction::EMAIL, correction::VAT_NUMBER] {
            sought.push(("a detail of a client", changed.to_owned()));
        }
        let xero = self.stack.xero();
        let ticket = self.ticket.borrow().clone();
        sought.extend(ticket.map(|ticket| ("the ticket of the connection attempt", ticket)));
        sought.push(("the app's secret", xero.client_secret().to_owned()));
        let name = format!("servicecortex-xero/local/grant/{}", xero.user());
        let tokens: Value = serde_json::from_str(&self.stack.aws.secret(&name).await?)
            .map_err(|error| Failure::new("The grant's secret is not JSON").because(error))?;
        for token in ["access_token", "refresh_token", "earlier_refresh_token"] {
            let value = tokens.get(token).and_then(Value::as_str);
            sought.extend(value.map(|value| ("a token", value.to_owned())));
        }
        sought.extend(BODIES.map(|start| ("a body", start.to_owned())));
        sought.push(("a token", format!("Bearer {}", "eyJ")));
        sought.retain(|(_, word)| word.chars().count() >= SHORTEST);
        sought.sort();
        sought.dedup();
        Ok(sought)
    }
}

/// Names, addresses and numbers of a client's snapshot: every text but its id.
fn personal(value: &Value, sought: &mut Vec<(&'static str, String)>) {
    match value {
        Value::String(text) => sought.push(("a detail of a client", text.clone())),
        Value::Array(all) => all.iter().for_each(|one| personal(one, sought)),
        Value::Object(all) => {
            let personal_fields =
                all.iter().filter(|(name, _)| !["id", "country"].contains(&name.as_str()));
            personal_fields.for_each(|(_, one)| personal(one, sought));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reports what was found in a log and where, without repeating it.
fn found(who: &str, text: &str, sought: &[(&'static str, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, word) in sought {
        // A body within a string has escaped quotes.
        let escaped = word.replace('"', "\\\"");
        let escaped = (escaped != *word).then_some(escaped);
        let forms = [Some(word), escaped.as_ref()].into_iter().flatten();
        let places = forms.filter_map(|form| memmem::find(text.as_bytes(), form.as_bytes()));
        if let Some(place) = places.min() {
            let before = text.as_bytes().get(..place).unwrap_or_default();
            let line = memchr_iter(b'\n', before).count().saturating_add(1);
            found.push(format!("the log of {who} discloses {what}, in line {line}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{BODIES, found, personal};

    #[test]
    fn every_text_of_a_client_but_its_id_is_searched_for() {
        let client = r#"{"id":"cli_0001","name":"Ridgeway","contact":{"email":"dana@x.example"}}"#;
        let client = serde_json::from_str(client).unwrap();
        let mut sought = Vec::new();
        personal(&client, &mut sought);
        let words = sought.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>();
        assert_eq!(words.len(), 2, "{words:?}");
        let log = [
            "attempt crm.id=cli_0001",
            "sent to dana@x.example",
            r#"body={\"unit_price\":1}"#,
            r#"body={"unit_price":1}"#,
        ];
        let log = log.join("\n");
        assert_eq!(
            found("sweep", &log, &sought),
            ["the log of sweep discloses a detail of a client, in line 2"]
        );
        let body = [("a body", BODIES[0].to_owned())];
        assert_eq!(
            found("sweep", &log, &body),
            ["the log of sweep discloses a body, in line 3"],
            "the quotes may be escaped"
        );
        assert!(found("sweep", "", &sought).is_empty());
    }
}
