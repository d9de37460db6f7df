//! Surcharges and the credit notes of refunds whose contact was merged into another one.

use std::collections::BTreeMap;

use domain::ids::XeroContactId;
use domain::recognise;
use xero::api::contacts;

use super::{PartWithPrerequisite, PaymentPrerequisite};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::find_merge_target;

/// Returns parts that Xero refused because of their contact, addressed to the contact into which it
/// was merged. Xero has moved the invoice there, too, so the money belongs to that contact,
/// whichever client is linked to it. A part whose contact is archived gets a failure that names it.
/// Any other part keeps Xero's refusal. The client is relinked with its next document. Each contact
/// is read once.
pub(super) async fn follow_merges<'a>(
    tenant_session: &TenantSession<'_>,
    refused: Vec<PartWithPrerequisite<'a>>,
) -> Vec<PartWithPrerequisite<'a>> {
    let mut readdressed = Vec::new();
    let mut known: BTreeMap<XeroContactId, Result<Option<XeroContactId>, AttemptError>> =
        BTreeMap::new();
    for part in refused {
        let Some(contact) = part.prerequisite.addressed_contact() else { continue };
        let target = if let Some(target) = known.get(&contact) {
            target.clone()
        } else {
            let target = find_merged_contact(tenant_session, contact).await;
            known.insert(contact, target.clone());
            target
        };
        match target {
            Ok(Some(target)) => {
                let prerequisite = part.prerequisite.readdressed_to(target);
                readdressed.push(PartWithPrerequisite { prerequisite, ..part });
            }
            Ok(None) => {}
            Err(error) => part.task.set_outcome(Err(error)),
        }
    }
    readdressed
}

/// Returns the contact into which this one was merged. `None` if it was not merged.
async fn find_merged_contact(
    tenant_session: &TenantSession<'_>,
    contact: XeroContactId,
) -> Result<Option<XeroContactId>, AttemptError> {
    let Some(found) = contacts::get(&tenant_session.api, contact).await? else { return Ok(None) };
    let target = find_merge_target(tenant_session, found).await?;
    match recognise::find_unusable_reason(&target) {
        Some(failure) => Err(AttemptError::Explained(failure)),
        None => Ok((target.id != contact).then_some(target.id)),
    }
}

impl PaymentPrerequisite {
    /// Returns the contact to which the part's document is addressed, if it names one.
    const fn addressed_contact(self) -> Option<XeroContactId> {
        match self {
            Self::Contact(contact) | Self::RefundedContact(contact) => Some(contact),
            Self::Invoice(_) | Self::CreditNote(_) | Self::None => None,
        }
    }

    /// Returns the prerequisite with another contact, if it has one.
    const fn readdressed_to(self, target: XeroContactId) -> Self {
        match self {
            Self::Contact(_) => Self::Contact(target),
            Self::RefundedContact(_) => Self::RefundedContact(target),
            Self::Invoice(_) | Self::CreditNote(_) | Self::None => self,
        }
    }
}
