//! What people read about a number that a document is to have and that another document in Xero has.

use crate::document::sales::DocumentHead;
use crate::entity::EntityKind;
use crate::failure::{Failure, FailureCause, FailureClass};
use crate::ids::CrmId;
use crate::translate::credit_note::TAG_START;

/// A record of the same books whose document has the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberHolder {
    /// The record.
    pub crm_id: CrmId,
    /// Its number in the CRM.
    pub number: String,
}

/// Whether a document bears the mark of this integration: an address within the same CRM as
/// `own_url`, or the end of the reference of a credit note.
pub fn is_marked(head: &DocumentHead<'_>, own_url: Option<&str>) -> bool {
    let folder = own_url.and_then(|url| url.rsplit_once('/')).map(|(folder, _)| folder);
    let is_linked = folder.zip(head.url).is_some_and(|(folder, url)| {
        url.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    });
    is_linked || head.reference.is_some_and(|reference| reference.contains(TAG_START))
}

/// The failure of a document whose number the document of another record has. `interim` is the number
/// that the document has in Xero meanwhile, if it gave up its own one.
pub fn held_number_failure(
    kind: EntityKind,
    number: &str,
    holder: &NumberHolder,
    interim: Option<&str>,
) -> Failure {
    let (noun, NumberHolder { crm_id, number: next }) = (kind.display_noun(), holder);
    if next == number {
        return number_taken_failure(
            format!("In ServiceCortex, the {noun} {crm_id} has the number {number}, too."),
            "Change the number of one of the two in ServiceCortex. Nothing was overwritten.",
        );
    }
    let meanwhile = interim.map(|interim| format!(" Until then, its number there is {interim}."));
    number_taken_failure(
        format!(
            "In Xero, the number {number} still belongs to the {noun} {crm_id}, which is to have the number {next}.{}",
            meanwhile.unwrap_or_default()
        ),
        "It is sent automatically once that one has its new number. If that fails, open that record and follow its remedy.",
    )
}

/// The failure of a document whose number a document has that this integration made for other books
/// than those of the account.
pub fn other_installation_failure(kind: EntityKind, number: &str) -> Failure {
    let noun = kind.display_noun();
    number_taken_failure(
        format!(
            "ServiceCortex made the {noun} with the number {number} in Xero, but not for this account: another account or another installation of ServiceCortex seems to be connected to the same organisation."
        ),
        "Disconnect one of the two: payments would be entered twice. In Xero, Settings > Connected apps lists them. If only this account is connected, change the number of one of the two documents, then retry.",
    )
}

fn number_taken_failure(message: String, remedy: &'static str) -> Failure {
    Failure::new(FailureClass::Rejected, FailureCause::NumberTaken, message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::sales::DocumentStatus;
    use crate::ids::XeroId;
    use crate::money::tests::pounds;
    use uuid::Uuid;

    fn is_found(url: Option<&str>, reference: Option<&str>) -> bool {
        let head = DocumentHead {
            id: XeroId(Uuid::from_u128(1)),
            number: Some("#INV-1"),
            is_sales: true,
            status: &DocumentStatus::Authorised,
            contact: None,
            url,
            reference,
            total: pounds(100),
            total_tax: None,
            left: pounds(100),
            date: None,
        };
        is_marked(&head, Some("https://crm.example/invoices/inv_1"))
    }

    #[test]
    fn a_document_with_an_address_in_the_crm_or_the_end_of_a_reference_was_made_by_it() {
        assert!(is_found(Some("https://crm.example/invoices/inv_2"), None));
        assert!(is_found(None, Some("Job 7 (SC-cn_1)")));
        assert!(!is_found(Some("https://crm.example/invoices-archive/inv_2"), None));
        assert!(!is_found(Some("https://elsewhere.example/invoices/inv_2"), Some("Job 7")));
        assert!(!is_found(None, None));
    }

    #[test]
    fn who_has_a_number_and_what_ends_the_conflict_is_said() {
        let holder = |number: &str| NumberHolder {
            crm_id: CrmId::new("inv_2").unwrap(),
            number: number.to_owned(),
        };
        let say = |holder: &NumberHolder, interim| {
            held_number_failure(EntityKind::Invoice, "#INV-1", holder, interim).to_string()
        };
        let moving = say(&holder("#INV-2"), Some("#INV-1~1"));
        assert!(moving.contains("invoice inv_2, which is to have the number #INV-2."), "{moving}");
        assert!(moving.contains("its number there is #INV-1~1."), "{moving}");
        let double = say(&holder("#INV-1"), None);
        assert!(double.contains("inv_2 has the number #INV-1, too"), "{double}");
        let other = other_installation_failure(EntityKind::Invoice, "#INV-1").to_string();
        assert!(other.contains("another installation"), "{other}");
    }
}
