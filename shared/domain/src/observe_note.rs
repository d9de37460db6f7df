//! Compares a credit note in Xero with the stored facts about it.

use jiff::Timestamp;

use crate::document::credit_note::RemoteCreditNote;
use crate::ids::XeroCreditNoteId;
use crate::mapping::{DocumentAmounts, Mapping, XeroLink};
use crate::observe::{is_newer, is_older, plausible_instant};
use crate::outbound::EventContent;

/// The result of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteObservation {
    /// The mapping to store.
    pub mapping: Mapping,
    /// Sentences for people about what was changed in Xero. Credit that was applied or refunded
    /// causes none.
    pub remarks: Vec<String>,
}

impl NoteObservation {
    /// The event that reports the remarks to the CRM. `None` if there are none.
    pub fn to_event(&self) -> Option<EventContent> {
        let Mapping { key, snapshot, .. } = &self.mapping;
        let amounts = self.mapping.amounts_in_xero()?;
        (!self.remarks.is_empty()).then(|| EventContent::CreditNoteStatus {
            credit_note_id: key.crm_id.clone(),
            number: snapshot.natural_key.clone(),
            status: amounts.status.as_str().to_owned(),
            remarks: self.remarks.clone(),
        })
    }
}

/// Compares a credit note in Xero with its mapping. Returns `None` if nothing has changed, or if the
/// note is older than the stored facts. If only the instant of its last change is newer, the
/// observation stores that instant and has no remarks.
pub fn observe_credit_note(
    mapping: &Mapping,
    remote: &RemoteCreditNote,
    now: Timestamp,
) -> Option<NoteObservation> {
    let link = mapping.link.as_ref().filter(|link| link.xero_id.0 == remote.id.0)?;
    let before = link.amounts.as_ref()?;
    if is_older(remote.updated_at, link.xero_updated_at, now) {
        return None;
    }
    let after = DocumentAmounts::of_credit_note(before.crm_total, remote);
    // Records that failed because of the note's state continue after any later change in Xero.
    if after == *before && !is_newer(remote.updated_at, link.xero_updated_at, now) {
        return None;
    }
    let remarks = describe_note_changes(before, &after);
    let xero_updated_at = plausible_instant(remote.updated_at, now).or(link.xero_updated_at);
    let number = mapping.number_in_xero(remote.number.as_deref());
    let link = XeroLink { amounts: Some(after), xero_updated_at, number, ..link.clone() };
    Some(NoteObservation { mapping: Mapping { link: Some(link), ..mapping.clone() }, remarks })
}

/// Observes that Xero did not show the credit note with this id. The first time is only remembered;
/// if a later read confirms it, the note counts as deleted. Returns `None` if nothing has changed,
/// if the note is known to be voided or deleted, or if the record has a new copy.
pub fn observe_missing_note(
    mapping: &Mapping,
    id: XeroCreditNoteId,
    now: Timestamp,
) -> Option<NoteObservation> {
    let link = mapping.link.as_ref().filter(|link| link.xero_id.0 == id.0)?;
    let before = link.amounts.as_ref().filter(|before| !before.status.is_gone())?;
    let link = mapping.link_after_absence(Some(now), now)?;
    let after = link.amounts.as_ref().filter(|after| *after != before)?;
    let remarks = describe_note_changes(before, after);
    Some(NoteObservation { mapping: Mapping { link: Some(link), ..mapping.clone() }, remarks })
}

/// The sentences about what people changed of a credit note in Xero.
pub(crate) fn describe_note_changes(
    before: &DocumentAmounts,
    after: &DocumentAmounts,
) -> Vec<String> {
    if !after.status.is_gone() {
        // Xero had only not shown it, because it never changes a voided or deleted note.
        let is_back = before.status.is_gone();
        let back = is_back.then(|| "It is in Xero again.".to_owned());
        return back.into_iter().chain(after.describe_changed_total(before)).collect();
    }
    if before.status.is_gone() {
        return Vec::new();
    }
    vec![format!(
        "It was {} in Xero. Sync it again to create a new copy there.",
        after.status.as_str().to_lowercase()
    )]
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;
    use crate::document::sales::DocumentStatus;
    use crate::ids::XeroCreditNoteId;
    use crate::mapping::KeptSnapshot;
    use crate::mapping::tests::{a_link, an_unsent_mapping};
    use crate::money::tests::pounds;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn remote(status: DocumentStatus, remaining: i64) -> RemoteCreditNote {
        RemoteCreditNote {
            id: XeroCreditNoteId(Uuid::from_u128(5)),
            number: None,
            is_sales: true,
            status,
            contact_id: None,
            reference: None,
            total: pounds(11_400),
            total_tax: None,
            remaining: pounds(remaining),
            date: None,
            updated_at: Timestamp::from_second(100).ok(),
            allocations: Vec::new(),
            refunds: Vec::new(),
            line_tracking: Vec::new(),
        }
    }

    fn a_mapping() -> Mapping {
        let snapshot = KeptSnapshot::new(1, "CN-1".to_owned(), "{}".to_owned());
        let open = remote(DocumentStatus::Authorised, 11_400);
        let link = XeroLink {
            xero_updated_at: Timestamp::from_second(50).ok(),
            amounts: Some(DocumentAmounts::of_credit_note(pounds(11_400), &open)),
            ..a_link(5)
        };
        Mapping { link: Some(link), ..an_unsent_mapping("cn_1", snapshot) }
    }

    #[test]
    fn a_note_that_was_voided_says_so_and_one_that_was_used_changes_silently() {
        let observe = |remote: &RemoteCreditNote| observe_credit_note(&a_mapping(), remote, NOW);
        let same = remote(DocumentStatus::Authorised, 11_400);
        let same = RemoteCreditNote { updated_at: Timestamp::from_second(50).ok(), ..same };
        assert_eq!(observe(&same), None);
        let voided = observe(&remote(DocumentStatus::Voided, 11_400)).unwrap();
        assert!(voided.mapping.is_gone_in_xero());
        assert!(voided.remarks[0].contains("voided in Xero"), "{:?}", voided.remarks);
        let Some(EventContent::CreditNoteStatus { credit_note_id, number, status, remarks }) =
            voided.to_event()
        else {
            panic!("not reported")
        };
        assert_eq!((credit_note_id.as_str(), number.as_str()), ("cn_1", "CN-1"));
        assert_eq!((status.as_str(), &remarks), ("VOIDED", &voided.remarks));
        let used = observe(&remote(DocumentStatus::Authorised, 400)).unwrap();
        assert_eq!(used.remarks, [""; 0]);
        assert_eq!(used.to_event(), None);
        assert_eq!(used.mapping.link.unwrap().amounts.unwrap().amount_due, pounds(400));
    }

    #[test]
    fn a_note_that_two_reads_do_not_show_is_reported_once_as_deleted() {
        let id = |number| XeroCreditNoteId(Uuid::from_u128(number));
        let later = NOW + SignedDuration::from_mins(5);
        let first = observe_missing_note(&a_mapping(), id(5), NOW).unwrap();
        assert_eq!((first.to_event(), first.mapping.is_gone_in_xero()), (None, false));
        assert_eq!(observe_missing_note(&first.mapping, id(5), NOW), None, "it is too early");
        let known = RemoteCreditNote {
            updated_at: Timestamp::from_second(50).ok(),
            ..remote(DocumentStatus::Authorised, 11_400)
        };
        let shown = observe_credit_note(&first.mapping, &known, NOW).unwrap();
        assert_eq!(shown.to_event(), None);
        assert_eq!(shown.mapping.amounts_in_xero(), a_mapping().amounts_in_xero());
        let missing = observe_missing_note(&first.mapping, id(5), later).unwrap();
        let Some(EventContent::CreditNoteStatus { status, remarks, .. }) = missing.to_event()
        else {
            panic!("not reported")
        };
        assert_eq!(status, "DELETED");
        assert_eq!(remarks, ["It was deleted in Xero. Sync it again to create a new copy there."]);
        assert_eq!(missing.mapping.link.as_ref().unwrap().xero_updated_at, Some(later));
        assert_eq!(observe_missing_note(&missing.mapping, id(5), later), None);
        let updated_at = Timestamp::from_second(400).ok();
        let back = RemoteCreditNote { updated_at, ..remote(DocumentStatus::Authorised, 400) };
        let shown = observe_credit_note(&missing.mapping, &back, later).unwrap();
        assert_eq!(shown.remarks, ["It is in Xero again."]);
        assert_eq!(observe_credit_note(&shown.mapping, &back, later), None);
        assert_eq!(observe_missing_note(&a_mapping(), id(6), NOW), None, "it is an earlier copy");
    }

    #[test]
    fn a_change_that_shows_nothing_else_is_stored_with_its_instant_and_not_reported() {
        let touched = remote(DocumentStatus::Authorised, 11_400);
        let seen = observe_credit_note(&a_mapping(), &touched, NOW).unwrap();
        assert_eq!((seen.to_event(), seen.remarks), (None, Vec::new()));
        assert_eq!(seen.mapping.link.as_ref().unwrap().xero_updated_at, touched.updated_at);
        assert_eq!(observe_credit_note(&seen.mapping, &touched, NOW), None);
    }

    #[test]
    fn a_number_that_was_changed_in_xero_is_remembered_and_not_reported() {
        let number = Some("CN-7".to_owned());
        let renumbered = RemoteCreditNote {
            number: number.clone(),
            ..remote(DocumentStatus::Authorised, 11_400)
        };
        let seen = observe_credit_note(&a_mapping(), &renumbered, NOW).unwrap();
        assert_eq!(seen.to_event(), None);
        assert_eq!(seen.mapping.link.unwrap().number, number);
    }

    #[test]
    fn an_older_or_another_note_is_ignored() {
        let voided = remote(DocumentStatus::Voided, 11_400);
        let older =
            RemoteCreditNote { updated_at: Timestamp::from_second(49).ok(), ..voided.clone() };
        assert_eq!(observe_credit_note(&a_mapping(), &older, NOW), None);
        let other = RemoteCreditNote { id: XeroCreditNoteId(Uuid::from_u128(6)), ..voided };
        assert_eq!(observe_credit_note(&a_mapping(), &other, NOW), None);
    }

    #[test]
    fn a_change_dated_in_the_future_hides_no_later_one() {
        let far = Timestamp::from_second(4_102_444_800).ok();
        // The row states the year 2100, in this observation or when it was written.
        let odd = RemoteCreditNote { updated_at: far, ..remote(DocumentStatus::Authorised, 400) };
        let seen = observe_credit_note(&a_mapping(), &odd, NOW).unwrap();
        let known = a_mapping().link.unwrap();
        let written = XeroLink { xero_updated_at: far, ..known };
        let written = Mapping { link: Some(written), ..a_mapping() };
        for mapping in [seen.mapping, written] {
            let voided = remote(DocumentStatus::Voided, 11_400);
            let later = observe_credit_note(&mapping, &voided, NOW).unwrap();
            assert!(later.mapping.is_gone_in_xero());
            assert_eq!(later.mapping.link.unwrap().xero_updated_at, voided.updated_at);
        }
    }
}
