//! Mappings whose id had another form in an earlier version.

use super::MappingKey;
use crate::crm::credit_note;
use crate::entity::EntityKind;

impl MappingKey {
    /// The key under which earlier versions stored the mapping, if its id had another form then.
    pub fn earlier_form(&self) -> Option<Self> {
        let crm_id = match self.kind {
            EntityKind::CreditNote => credit_note::earlier_record_id(&self.crm_id),
            EntityKind::Contact
            | EntityKind::Invoice
            | EntityKind::Allocation
            | EntityKind::Payment => None,
        };
        Some(Self { crm_id: crm_id?, ..self.clone() })
    }
}
