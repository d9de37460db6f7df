//! The parts of an address that Xero would reject.

use super::field::ContactField;
use super::plan::{DesiredContact, KnownContactState};

/// The address is written as a whole. A part whose value in the CRM Xero would reject gets the
/// value that it has in Xero, so that it stays.
pub(super) fn with_kept_address_parts(
    desired: &DesiredContact,
    state: &KnownContactState,
) -> DesiredContact {
    let mut desired = desired.clone();
    let keeps_code = desired.omitted.contains(&ContactField::PostalCode);
    let keeps_country = desired.omitted.contains(&ContactField::Country);
    if keeps_code || keeps_country {
        let held = state.remote.as_ref().unwrap_or(&state.written.values);
        let held = held.details.address.clone().unwrap_or_default();
        let mut address = desired.fields.details.address.take().unwrap_or_default();
        if keeps_code {
            address.postal_code = held.postal_code;
        }
        if keeps_country {
            address.country = held.country;
        }
        desired.fields.details.address = address.into_filled();
    }
    desired
}
