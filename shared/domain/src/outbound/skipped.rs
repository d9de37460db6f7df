//! The events about records that are not sent to Xero until a person acts.

use super::EventContent;
use crate::failure::Failure;
use crate::mapping::Mapping;

impl EventContent {
    /// The content of the event that a mapping was given up because of this failure.
    pub fn for_skipped_record(mapping: &Mapping, failure: &Failure) -> Self {
        Self::Skipped {
            entity: mapping.key.kind,
            crm_id: mapping.key.crm_id.clone(),
            number: mapping.snapshot.natural_key.clone(),
            code: failure.code.clone().into_owned(),
            message: failure.message.clone(),
            remedy: failure.remedy.clone(),
        }
    }

    /// The content of the event that a user keeps a record out of Xero that was given up.
    pub fn for_withheld_record(mapping: &Mapping) -> Self {
        Self::Skipped {
            entity: mapping.key.kind,
            crm_id: mapping.key.crm_id.clone(),
            number: mapping.snapshot.natural_key.clone(),
            code: "never_send".to_owned(),
            message: "A user marked it as Never send, so it is not sent to Xero.".to_owned(),
            remedy: "To send it after all, sync it.".to_owned(),
        }
    }
}
