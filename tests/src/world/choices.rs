//! What users do: choose account codes and sync preferences, start a reconciliation, and sync a
//! record.

use domain::account_codes::{AccountCodes, CodeObjection};
use domain::entity::EntityKind;
use domain::ids::CrmId;
use domain::sync_preferences::SyncPreferences;
use engine::commands::choices::{self, CodeChoiceOutcome};
use engine::commands::contacts::reconcile;
use engine::commands::preferences::{self, PreferencesOutcome};
use engine::commands::records;
use engine::commands::views::RecordView;

use super::{World, owner};
use crate::io_monitor::run;

impl World {
    /// A user chooses accounts for all purposes, in the chart of the first organisation.
    pub fn choose_accounts(&self) {
        self.choose_codes(every_account());
    }

    /// A user chooses these accounts, which the organisation has.
    pub fn choose_codes(&self, codes: AccountCodes) {
        let chosen = self.try_codes(codes);
        assert!(matches!(chosen, CodeChoiceOutcome::Done), "{chosen:?}");
    }

    /// A user chooses these accounts, which are refused. Returns the objections.
    #[expect(clippy::panic, reason = "another outcome here is a broken test")]
    pub fn choose_refused_codes(&self, codes: AccountCodes) -> Vec<CodeObjection> {
        let chosen = self.try_codes(codes);
        let CodeChoiceOutcome::Refused(objections) = chosen else { panic!("{chosen:?}") };
        objections
    }

    /// A user chooses these accounts. Returns the outcome.
    pub fn try_codes(&self, codes: AccountCodes) -> CodeChoiceOutcome {
        let (account, invocation) = (self.account(), self.invocation());
        let chosen = choices::choose_account_codes(&self.engine, &account, codes, invocation);
        run(chosen).expect("the process does not crash").expect("the table answers")
    }

    /// A user syncs a record now, which is known. Returns what the API shows of it afterwards.
    pub fn sync_now(&self, kind: EntityKind, id: &str) -> RecordView {
        let (account, id) = (self.account(), CrmId::new(id).expect("an id"));
        let synced = records::sync_record_now(&self.engine, &account, kind, id, self.invocation());
        let synced = run(synced).expect("the process does not crash").expect("the table answers");
        synced.expect("a known record")
    }

    /// A user starts a reconciliation of all clients with all contacts.
    pub fn start_reconciliation(&self) {
        let account = self.account();
        let started = reconcile::start_reconciliation(&self.engine, &account, owner());
        let started = run(started).expect("the process does not crash").expect("the table answers");
        assert!(started.is_some(), "the account was never connected");
    }

    /// A user chooses these sync preferences, whatever the present ones are.
    pub fn choose_preferences(&self, chosen: SyncPreferences) {
        let (account, by) = (self.account(), owner());
        let chosen =
            preferences::replace_sync_preferences(&self.engine, &account, &by, chosen, None);
        let chosen = run(chosen).expect("the process does not crash").expect("the table answers");
        assert_eq!(chosen, PreferencesOutcome::Done);
    }
}

/// An account for every purpose, in the chart of the first organisation.
pub fn every_account() -> AccountCodes {
    AccountCodes {
        stripe_bank: Some("092".to_owned()),
        stripe_fee: Some("405".to_owned()),
        stripe_surcharge: Some("210".to_owned()),
        gift_card: Some("835".to_owned()),
        ..AccountCodes::default()
    }
}
