//! Whatever was written while the story went on holds no secret, no body and nobody's name or address.

use super::Story;
use super::older_clients;
use crate::failure::Failure;
use serde_json::Value;

/// Shorter words may be part of anything.
const SHORTEST: usize = 6;
/// How bodies begin, in either direction.
const BODIES: [&str; 4] =
    ["\"unit_price\"", "\"LineItems\"", "\"access_token\"", "\"billing_address\""];

impl Story<'_> {
    /// What the log of the whole stack, functions included, gives away.
    pub(super) async fn given_away(&self) -> Result<Vec<String>, Failure> {
        let bytes = std::fs::read(self.stack.log())
            .map_err(|error| Failure::new("Cannot read the log of the functions").because(error))?;
        let log = String::from_utf8_lossy(&bytes);
        let sought = self.sought().await?;
        self.console.step(&format!(
            "The log of the functions, {} lines, is searched for {} names, addresses and secrets",
            log.lines().count(),
            sought.len()
        ));
        let found = found(&log, &sought);
        self.console.done(if found.is_empty() { "nothing of them is in it" } else { "found" });
        if !log.contains("attempt") {
            return Ok(vec!["the log of the functions holds no attempt at all".to_owned()]);
        }
        Ok(found)
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
fn found(log: &str, sought: &[(&'static str, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, word) in sought {
        if let Some(line) = log.lines().position(|line| line.contains(word.as_str())) {
            found.push(format!("the log of the functions gives away {what}, in line {}", line + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{found, personal};

    #[test]
    fn every_text_about_a_client_is_looked_for_but_its_id() {
        let client = r#"{"id":"cli_0001","name":"Ridgeway","contact":{"email":"dana@x.example"}}"#;
        let client = serde_json::from_str(client).unwrap();
        let mut sought = Vec::new();
        personal(&client, &mut sought);
        let words = sought.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>();
        assert_eq!(words.len(), 2, "{words:?}");
        let log = "attempt crm.id=cli_0001\nsent to dana@x.example";
        assert_eq!(
            found(log, &sought),
            ["the log of the functions gives away something about a client, in line 2"]
        );
    }
}
