//! The events of the sweep, from its schedule or an operator.

use std::collections::BTreeMap;

use domain::ids::{AccountId, TenantId};
use serde::Deserialize;

/// The event of the sweep: any event of a schedule, or one command of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SweepFields")]
pub enum SweepEvent {
    /// A schedule's event: sweep.
    Schedule,
    /// `{"after":"outage"}`: after an outage longer than the retries, all records that were given
    /// up are tried again.
    AfterOutage,
    /// `{"disconnect":{"account":"acc_1"}}`: ends the account's connection, here and at Xero.
    Disconnect(AccountId),
    /// `{"erase":{"account":"acc_1"}}`: disconnects the account and removes everything about it.
    Erase(AccountId, Vec<TenantId>),
    /// `{"revoke":"all"}`: ends every connection and revokes every grant.
    RevokeAll,
}

/// The field that every event of a schedule has.
const SOURCE: &str = "source";

/// The fields of an event. Only a schedule's event may have others: a misspelt command must not
/// look as if it were done.
#[derive(Deserialize)]
struct SweepFields {
    after: Option<AfterCommand>,
    disconnect: Option<DisconnectCommand>,
    erase: Option<EraseCommand>,
    revoke: Option<RevokeCommand>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum AfterCommand {
    Outage,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisconnectCommand {
    account: AccountId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseCommand {
    account: AccountId,
    /// Organisations to which the account was connected and which its connection does not name.
    #[serde(default)]
    organisations: Vec<TenantId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RevokeCommand {
    All,
}

impl TryFrom<SweepFields> for SweepEvent {
    type Error = &'static str;

    fn try_from(fields: SweepFields) -> Result<Self, Self::Error> {
        let commands = [
            fields.after.map(|AfterCommand::Outage| Self::AfterOutage),
            fields.disconnect.map(|DisconnectCommand { account }| Self::Disconnect(account)),
            fields
                .erase
                .map(|EraseCommand { account, organisations }| Self::Erase(account, organisations)),
            fields.revoke.map(|RevokeCommand::All| Self::RevokeAll),
        ];
        let mut commands = commands.into_iter().flatten();
        let command = commands.next();
        if commands.next().is_some() {
            return Err("must contain one command at most: after, disconnect, erase or revoke");
        }
        let is_of_schedule = command.is_none() && fields.others.contains_key(SOURCE);
        if !fields.others.is_empty() && !is_of_schedule {
            return Err(
                "holds a field that is not a command; the commands are after, disconnect, erase and revoke",
            );
        }
        Ok(command.unwrap_or(Self::Schedule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: &str) -> Option<SweepEvent> {
        serde_json::from_str(event).ok()
    }

    #[test]
    fn a_schedule_sweeps_and_an_operator_says_what_is_over() {
        assert_eq!(read(r#"{"source":"aws.scheduler"}"#), Some(SweepEvent::Schedule));
        let whole = r#"{"version":"0","id":"1","detail-type":"Scheduled Event",
            "source":"aws.scheduler","account":"1","resources":["a"],"detail":"{}"}"#;
        assert_eq!(read(whole), Some(SweepEvent::Schedule));
        assert_eq!(read("{}"), Some(SweepEvent::Schedule));
        assert_eq!(read(r#"{"after":"outage"}"#), Some(SweepEvent::AfterOutage));
        assert_eq!(read(r#"{"after":"lunch"}"#), None, "what is not known is not done");
    }

    #[test]
    fn an_operator_ends_and_erases_one_account_or_ends_all_connections() {
        let account = AccountId::new("acc_1").unwrap();
        let disconnect = read(r#"{"disconnect":{"account":"acc_1"}}"#);
        assert_eq!(disconnect, Some(SweepEvent::Disconnect(account.clone())));
        let erase = read(r#"{"erase":{"account":"acc_1"}}"#);
        assert_eq!(erase, Some(SweepEvent::Erase(account.clone(), Vec::new())));
        let nil = "00000000-0000-0000-0000-000000000000";
        let of = format!(r#"{{"erase":{{"account":"acc_1","organisations":["{nil}"]}}}}"#);
        assert_eq!(read(&of), Some(SweepEvent::Erase(account, vec![TenantId::NONE])));
        assert_eq!(read(r#"{"revoke":"all"}"#), Some(SweepEvent::RevokeAll));
    }

    #[test]
    fn an_ambiguous_command_is_not_performed() {
        for event in [
            r#"{"revoke":"some"}"#,
            r#"{"erase":"acc_1"}"#,
            r#"{"erase":{"account":"acc#1"}}"#,
            r#"{"erase":{"account":"acc_1","organisation":"x"}}"#,
            r#"{"erase":{"account":"acc_1"},"revoke":"all"}"#,
            r#"{"eraze":{"account":"acc_1"}}"#,
            r#"{"Revoke":"all"}"#,
            r#"{"erase":{"account":"acc_1"},"dry_run":true}"#,
            r#"{"erase":{"account":"acc_1"},"source":"operator"}"#,
        ] {
            assert_eq!(read(event), None, "{event}");
        }
    }

    #[test]
    fn a_refused_event_names_the_commands_that_exist() {
        for event in
            [r#"{"eraze":{"account":"acc_1"}}"#, r#"{"erase":{"account":"acc_1"},"revoke":"all"}"#]
        {
            let error = serde_json::from_str::<SweepEvent>(event).unwrap_err().to_string();
            for command in ["after", "disconnect", "erase", "revoke"] {
                assert!(error.contains(command), "{event}: {error}");
            }
        }
    }
}
