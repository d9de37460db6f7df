//! Whatever was written while the story went on holds no secret, no body and nobody's name or address.

use super::Story;
use super::older_clients;
use crate::binaries::FUNCTIONS;
use crate::deployment::function_name;
use crate::failure::Failure;
use serde_json::Value;

/// Shorter words may be part of anything.
const SHORTEST: usize = 6;
/// How bodies begin, in either direction.
const BODIES: [&str; 4] =
    ["\"unit_price\"", "\"LineItems\"", "\"access_token\"", "\"billing_address\""];

/// Functions that the story makes write something.
const TALKATIVE: [&str; 9] = [
    "oauth-callback",
    "settings-api",
    "contact-push",
    "invoice-push",
    "credit-note-push",
    "payment-poll",
    "keep-alive",
    "health-check",
    "log-cleanup",
];

impl Story<'_> {
    /// What was written by the functions, and by the local AWS around them, gives away.
    pub(super) async fn given_away(&self) -> Result<Vec<String>, Failure> {
        let sought = self.sought().await?;
        let (mut problems, mut searched) = (Vec::new(), 0_usize);
        let bytes = std::fs::read(self.stack.log())
            .map_err(|error| Failure::new("Cannot read the log of the local AWS").because(error))?;
        let around = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        let mut logs = vec![("the local AWS", around)];
        for function in FUNCTIONS {
            let group = format!("/aws/lambda/{}", function_name(function));
            let lines = self.stack.aws.log_lines(&group).await?;
            if TALKATIVE.contains(&function) && lines.is_empty() {
                problems.push(format!("{function} wrote nothing that could be searched"));
            }
            logs.push((function, lines));
        }
        for (who, lines) in &logs {
            searched = searched.saturating_add(lines.len());
            problems.extend(found(who, lines, &sought));
        }
        self.console.step(&format!(
            "{searched} lines, of {} functions and the local AWS, are searched for {} names, addresses and secrets",
            FUNCTIONS.len(),
            sought.len()
        ));
        let nothing = problems.is_empty();
        self.console.done(if nothing { "nothing of them is in there" } else { "found" });
        Ok(problems)
    }

    /// What must not be found, each with what it is.
    async fn sought(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut sought: Vec<(&str, String)> = Vec::new();
        for client in &self.material.clients {
            personal(&client.snapshot, &mut sought);
        }
        for client in older_clients::ALL {
            sought.push(("a client's name", client.name.to_owned()));
        }
        let xero = self.stack.xero();
        let ticket = self.ticket.borrow().clone();
        sought.extend(ticket.map(|ticket| ("the ticket of the connect", ticket)));
        sought.push(("the app's secret", xero.client_secret().to_owned()));
        let name = format!("servicecortex-xero/local/grant/{}", xero.user());
        let tokens: Value = serde_json::from_str(&self.stack.aws.secret(&name).await?)
            .map_err(|error| Failure::new("The grant's secret is no JSON").because(error))?;
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
        Value::String(text) => sought.push(("something about a client", text.clone())),
        Value::Array(all) => all.iter().for_each(|one| personal(one, sought)),
        Value::Object(all) => {
            let told = all.iter().filter(|(name, _)| !["id", "country"].contains(&name.as_str()));
            told.for_each(|(_, one)| personal(one, sought));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Says what was found and where, and not what it says.
fn found(who: &str, lines: &[String], sought: &[(&'static str, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, word) in sought {
        // A body within a text has its quotes escaped.
        let escaped = word.replace('"', "\\\"");
        let holds = |line: &String| line.contains(word.as_str()) || line.contains(&escaped);
        if let Some(line) = lines.iter().position(holds) {
            let line = line.saturating_add(1);
            found.push(format!("the log of {who} gives away {what}, in line {line}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{BODIES, found, personal};

    #[test]
    fn every_text_about_a_client_is_looked_for_but_its_id() {
        let client = r#"{"id":"cli_0001","name":"Ridgeway","contact":{"email":"dana@x.example"}}"#;
        let client = serde_json::from_str(client).unwrap();
        let mut sought = Vec::new();
        personal(&client, &mut sought);
        let words = sought.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>();
        assert_eq!(words.len(), 2, "{words:?}");
        let lines =
            ["attempt crm.id=cli_0001", "sent to dana@x.example", r#"body={\"unit_price\":1}"#];
        let lines = lines.map(str::to_owned);
        assert_eq!(
            found("sweep", &lines, &sought),
            ["the log of sweep gives away something about a client, in line 2"]
        );
        let body = [("a body", BODIES[0].to_owned())];
        assert_eq!(found("sweep", &lines, &body).len(), 1, "its quotes are escaped");
    }
}
