//! The check that no record stays given up because of a document's state in Xero that has passed.

use domain::crm::allocation::Allocation;
use domain::crm::payment::{PartRole, PaymentPart, RefundSource};
use domain::entity::EntityKind;
use domain::mapping::Mapping;
use domain::operation::OperationState;
use store::table::StoredItem;

use super::script::ScriptedEvent;
use super::world::SimWorld;

/// Sweeps after which nothing may be left: one releases a record, and its attempt may change a
/// document for which another record was given up.
const SWEEPS: usize = 3;

impl SimWorld {
    /// After some sweeps, no record of a working connection is given up because of the state of a
    /// document that has changed since, according to the table, whichever processes have died.
    pub(super) fn check_past_states(&mut self) {
        for _ in 0..SWEEPS {
            if self.list_given_up_for_past_states().is_empty() {
                return;
            }
            self.start(ScriptedEvent::Sweeps);
            self.go_on(None);
            self.rest();
        }
        let wrong = self.list_given_up_for_past_states();
        self.outcome.violations.extend(wrong);
    }

    fn list_given_up_for_past_states(&self) -> Vec<String> {
        let items = self.table.all_items();
        let rows = items.iter().filter(|item| item.key.sk.starts_with("MAP#"));
        rows.filter_map(|item| {
            let mapping = read(item)?;
            let account = mapping.key.ledger.account.as_str();
            let is_current = item.key.pk == format!("L#{account}#{}", self.tenant(account));
            let is_given_up = mapping.operation.state == OperationState::Skipped
                && mapping.is_stopped_by_document();
            if !is_current || !is_given_up || self.lost(account).is_some() {
                return None;
            }
            self.has_past_state(&mapping, &item.key.pk).then(|| {
                let (name, failure) = (&item.key, &mapping.operation.failure);
                format!("{name}: given up although its document has changed: {failure:?}")
            })
        })
        .collect()
    }

    fn has_past_state(&self, mapping: &Mapping, ledger: &str) -> bool {
        let now = self.now();
        let is_past = |name: &String| {
            let document = self.item(ledger, name).and_then(|item| read(&item));
            document.is_some_and(|document| mapping.has_failed_before_change_of(&document, now))
        };
        mapping.takes_changes_since_failure(now) || documents(mapping).iter().any(is_past)
    }
}

fn read(item: &StoredItem) -> Option<Mapping> {
    store::read_mapping(&item.record, item.snapshot.as_deref()).ok()
}

/// The sort keys of the documents on which a payment or an allocation depends.
fn documents(mapping: &Mapping) -> Vec<String> {
    let json = &mapping.snapshot.json;
    match mapping.key.kind {
        EntityKind::Payment => {
            match serde_json::from_str::<PaymentPart>(json).map(|one| one.role) {
                Ok(PartRole::Invoice(id) | PartRole::Surcharge(id) | PartRole::RefundNote(id)) => {
                    vec![format!("MAP#invoice#{id}")]
                }
                Ok(PartRole::Refund(RefundSource::CreditNote(id))) => {
                    vec![format!("MAP#credit_note#{id}")]
                }
                Ok(
                    PartRole::Refund(RefundSource::Part(_)) | PartRole::Fee | PartRole::RefundFee,
                )
                | Err(_) => Vec::new(),
            }
        }
        EntityKind::Allocation => match serde_json::from_str::<Allocation>(json) {
            Ok(Allocation { credit_note_id, invoice_id, .. }) => {
                vec![
                    format!("MAP#credit_note#{credit_note_id}"),
                    format!("MAP#invoice#{invoice_id}"),
                ]
            }
            Err(_) => Vec::new(),
        },
        EntityKind::Contact | EntityKind::Invoice | EntityKind::CreditNote => Vec::new(),
    }
}
