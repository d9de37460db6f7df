//! Connections and grants at the end of a run: users end and repeat what only they can, then every
//! account is connected and the tokens are stored once.

use std::collections::BTreeSet;

use domain::connection::{Connection, ConnectionState, ConnectionStatus, TenantClaim};
use domain::outbound::{EventContent, OutboundEvent};

use super::script::ScriptedEvent;
use super::world::SimWorld;
use crate::ports::locked;

impl SimWorld {
    /// A user whose connect failed tries again. So does a user whose connection has expired, which
    /// may happen once: if every process that could have renewed it died, for as long as Xero
    /// accepts the previous token.
    pub(super) fn reconnect(&mut self) {
        self.give_up_questions();
        for account in self.script.accounts.clone() {
            let Some(state) = self.lost(&account) else { continue };
            // It is checked again, and used as soon as Xero no longer refuses it.
            if state == ConnectionState::Unavailable {
                continue;
            }
            if state == ConnectionState::TokenExpired {
                self.outcome.expired += 1;
                if !self.expired.insert(account.clone()) {
                    self.outcome.violations.push(format!("{account} expired twice"));
                }
            } else if !self.is_ended_by_a_person(&account) {
                self.outcome.violations.push(format!("{account} is {state:?}"));
            }
            self.make_room(&account);
            self.start(ScriptedEvent::Connects { account });
            self.go_on(None);
        }
    }

    /// A user who has to choose an organisation, and is not offered the selected one, gives up.
    fn give_up_questions(&mut self) {
        let rivals = self.script.rivals.keys().cloned().collect::<Vec<_>>();
        for account in rivals {
            let item = self.item(&format!("A#{account}"), "CONNECTION");
            let connection =
                item.and_then(|item| serde_json::from_str::<Connection>(&item.record).ok());
            let is_asked = |one: &Connection| !one.state.is_connected() && !one.offered.is_empty();
            if connection.as_ref().is_some_and(is_asked) {
                self.start(ScriptedEvent::Disconnects { account });
                self.go_on(None);
            }
        }
    }

    /// An operator ends the connection of the account that has the organisation in the meantime.
    fn make_room(&mut self, account: &str) {
        let rivals = self.script.rivals.iter().filter(|(_, wanted)| *wanted == account);
        let rivals = rivals.map(|(rival, _)| rival.clone()).collect::<Vec<_>>();
        for rival in rivals {
            if self.owner_of(account).as_ref() == Some(&rival) {
                self.start(ScriptedEvent::Disconnects { account: rival });
                self.go_on(None);
            }
        }
    }

    /// The account that has claimed another account's organisation.
    fn owner_of(&self, account: &str) -> Option<String> {
        let item = self.item(&format!("T#{}", self.tenant(account)), "CLAIM")?;
        let claim: TenantClaim = serde_json::from_str(&item.record).ok()?;
        Some(claim.account.to_string())
    }

    fn is_ended_by_a_person(&self, account: &str) -> bool {
        let ends = |event: &ScriptedEvent| matches!(event, ScriptedEvent::Disconnects { account: of } if of == account);
        self.script.events.iter().any(|(_, event)| ends(event))
    }

    /// The state of an account's connection, unless it works.
    pub(super) fn lost(&self, account: &str) -> Option<ConnectionState> {
        let item = self.item(&format!("A#{account}"), "CONNECTION")?;
        let connection: Connection = serde_json::from_str(&item.record).ok()?;
        (connection.state != ConnectionState::Active).then_some(connection.state)
    }

    /// The connection works; the last event to the CRM says so, and each end was reported once.
    pub(super) fn connection(&self, account: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(state) = self.lost(account) {
            wrong.push(format!("{account} lost its connection: {state:?}"));
        }
        let owner = self.owner_of(account);
        if owner.as_deref() != Some(account) {
            wrong.push(format!("the organisation of {account} is claimed by {owner:?}"));
        }
        let mut seen = BTreeSet::new();
        let deliveries = locked(&self.events.deliveries).clone();
        let of_account = deliveries
            .into_iter()
            .filter(|event| event.account_id.as_str() == account && seen.insert(event.event_id));
        let status = |event: OutboundEvent| {
            let EventContent::Connection { status, .. } = event.content else { return None };
            Some(status)
        };
        let expired =
            of_account.filter_map(status).filter(|one| *one == ConnectionStatus::TokenExpired);
        let (reported, expired) = (expired.count(), usize::from(self.expired.contains(account)));
        // A user who disconnects and reconnects may have renewed an expired connection.
        let repaired = usize::from(self.is_ended_by_a_person(account));
        if !(expired..=expired + repaired).contains(&reported) {
            wrong.push(format!(
                "{account} expired {expired} times, and {reported} events reported it"
            ));
        }
        wrong
    }

    /// The tokens of the only Xero user are stored once, and used by the connected accounts.
    pub(super) fn grants(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let secrets = locked(&self.secrets.kept).len();
        let items = self.table.all_items();
        let rows = items.iter().filter(|item| item.key.sk == "TOKENS").count();
        // While tokens move, older ones remain in the former place, and a renewal that ends after its
        // grant may leave revoked ones.
        let is_right = match self.moves_tokens_to {
            None => (secrets, rows) == (1, 0),
            Some(_) => secrets + rows > 0,
        };
        if !is_right {
            wrong.push(format!("{secrets} secrets and {rows} rows exist for one Xero user"));
        }
        let uses = items.iter().filter_map(|item| item.key.sk.strip_prefix("USE#"));
        let uses = uses.map(str::to_owned).collect::<BTreeSet<_>>();
        let accounts = self.script.accounts.iter().cloned().collect::<BTreeSet<_>>();
        if uses != accounts {
            wrong.push(format!("the grant is used by {uses:?}"));
        }
        wrong
    }
}
