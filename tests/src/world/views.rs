//! What a test sees of a world: its rows, its log and the calls of Xero.

use domain::connection::Connection;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::OperationState;
use domain::reconciliation::ContactReconciliation;
use domain::sync_log::LogEntry;
use engine::commands::contacts::reconcile;
use engine::ports::Clock;
use uuid::Uuid;

use super::World;
use crate::io_monitor::run;

impl World {
    /// A mapping, if it exists.
    pub fn mapping(&self, kind: EntityKind, id: &str) -> Option<Mapping> {
        let key = MappingKey::new(self.ledger(), kind, CrmId::new(id).expect("an id"));
        let row = run(self.engine.store.find_mapping(&key)).expect("the process does not crash");
        row.expect("the table answers").map(|row| row.record)
    }

    /// What is to be done about a record, which must exist.
    pub fn state(&self, kind: EntityKind, id: &str) -> OperationState {
        self.mapping(kind, id).expect("a mapping").operation.state
    }

    /// The code of a record's failure, which it must have.
    pub fn failure_code(&self, kind: EntityKind, id: &str) -> String {
        let failure = self.mapping(kind, id).expect("a mapping").operation.failure;
        failure.expect("a failure").code.into_owned()
    }

    /// The contact to which a client is linked, if any. The client must be known.
    pub fn contact_of(&self, client: &str) -> Option<Uuid> {
        let mapping = self.mapping(EntityKind::Contact, client).expect("a mapping");
        mapping.link.map(|link| link.xero_id.0)
    }

    /// The balance of a bank account in the books of the first organisation, with two decimals.
    pub fn balance_of(&self, code: &str) -> String {
        let mut balance = self.books(|books| books.balance_of(code).expect("an account"));
        balance.rescale(2);
        balance.to_string()
    }

    /// The connection.
    pub fn connection(&self) -> Connection {
        self.connection_of(&self.account())
    }

    /// The connection of the given account.
    pub fn connection_of(&self, account: &AccountId) -> Connection {
        let row =
            run(self.engine.store.find_connection(account)).expect("the process does not crash");
        row.expect("the table answers").expect("a connection").record
    }

    /// The number of rows that say what may wait for other records.
    pub fn count_awaited_rows(&self) -> usize {
        let items = self.table.all_items();
        items.iter().filter(|item| item.key.sk.starts_with("AWAITED#")).count()
    }

    /// The newest reconciliation of clients with contacts.
    pub fn reconciliation(&self) -> ContactReconciliation {
        let found = run(reconcile::find_reconciliation(&self.engine, &self.account()));
        let found = found.expect("the process does not crash").expect("the table answers");
        found.expect("a reconciliation")
    }

    /// The sync log, oldest first.
    pub fn log(&self) -> Vec<LogEntry> {
        let limit = std::num::NonZeroU16::new(1_000).expect("not zero");
        let account = self.account();
        let page = self.engine.store.list_log_entries(&account, None, limit, self.clock.now());
        let page = run(page).expect("the process does not crash").expect("the table answers");
        page.entries.into_iter().rev().collect()
    }

    /// Whether an entry of the sync log contains this sentence.
    pub fn is_logged(&self, sentence: &str) -> bool {
        self.log().into_iter().any(|entry| entry.message.contains(sentence))
    }

    /// The number of invoices in the books of the first organisation that are neither voided nor
    /// deleted.
    pub fn count_live_invoices(&self) -> usize {
        self.books(|books| books.invoices().filter(|one| !one.status.is_gone()).count())
    }

    /// The calls of this path of Xero's identity service, or of its list of connections, so far.
    pub fn calls_of(&self, path: &str) -> usize {
        self.xero().calls().iter().filter(|call| call.path == path).count()
    }

    /// Calls of Xero's accounting API so far, as `METHOD /path`.
    pub fn calls(&self) -> Vec<String> {
        let xero = self.xero();
        let accounting = xero.calls().iter().filter_map(|call| {
            let path = call.path.strip_prefix("/api.xro/2.0")?;
            Some(format!("{} {path}", call.method))
        });
        accounting.collect()
    }
}
