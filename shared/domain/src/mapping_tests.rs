//! Tests of accepting snapshots.

use uuid::Uuid;

use super::numbers::EARLIER_KEYS_MAX;
use super::*;
use crate::document::sales::DocumentStatus;
use crate::ids::{AccountId, TenantId, UserId};
use crate::money::tests::pounds;
use crate::operation::{ClaimId, Trigger, WriteTrace};

/// The key of an invoice's mapping.
pub(crate) fn a_key(id: &str) -> MappingKey {
    let account = AccountId::new("acc_1").unwrap();
    let ledger = Ledger { account, tenant: TenantId(Uuid::from_u128(7)) };
    MappingKey::new(ledger, EntityKind::Invoice, CrmId::new(id).unwrap())
}

/// The mapping of a record whose first snapshot has arrived.
pub(crate) fn an_unsent_mapping(id: &str, snapshot: KeptSnapshot) -> Mapping {
    into_newer(Mapping::accept_snapshot(None, &a_key(id), snapshot, Timestamp::UNIX_EPOCH))
}

/// A link to the counterpart with this id, of which nothing else is known.
pub(crate) fn a_link(xero_id: u128) -> XeroLink {
    XeroLink {
        xero_id: XeroId(Uuid::from_u128(xero_id)),
        number: None,
        xero_updated_at: None,
        amounts: None,
        contact: None,
    }
}

/// The amounts of a document over 100.00, of which this much is due, in cents.
pub(crate) fn document_amounts(status: DocumentStatus, due: i64) -> DocumentAmounts {
    DocumentAmounts {
        status,
        crm_total: pounds(10_000),
        xero_total: pounds(10_000),
        amount_due: pounds(due),
        amount_paid: None,
        amount_credited: None,
        credits: Vec::new(),
        credit_uses: Vec::new(),
        due_date: None,
        paid_on: None,
        missing_since: None,
    }
}

fn snapshot(revision: u64, text: &str) -> KeptSnapshot {
    KeptSnapshot::new(revision, format!("#{text}"), text.to_owned())
}

fn accept(known: Option<&Mapping>, snapshot: KeptSnapshot) -> SnapshotAcceptance {
    Mapping::accept_snapshot(known, &a_key("inv_1"), snapshot, Timestamp::UNIX_EPOCH)
}

fn newer(known: Option<&Mapping>, snapshot: KeptSnapshot) -> Mapping {
    into_newer(accept(known, snapshot))
}

fn into_newer(accepted: SnapshotAcceptance) -> Mapping {
    let SnapshotAcceptance::Newer(mapping) = accepted else { panic!("{accepted:?}") };
    *mapping
}

#[test]
fn the_first_snapshot_makes_a_mapping_that_is_due() {
    let mapping = newer(None, snapshot(3, "a"));
    assert_eq!(mapping.operation.state, OperationState::Due);
    assert_eq!((mapping.generation, mapping.synced_revision), (1, None));
}

#[test]
fn the_revision_decides_and_an_equal_one_changes_nothing() {
    let known = newer(None, snapshot(3, "a"));
    assert_eq!(accept(Some(&known), snapshot(3, "a")), SnapshotAcceptance::Same);
    assert_eq!(accept(Some(&known), snapshot(3, "b")), SnapshotAcceptance::Stale { known: 3 });
    assert_eq!(accept(Some(&known), snapshot(2, "b")), SnapshotAcceptance::Stale { known: 3 });
    assert_eq!(newer(Some(&known), snapshot(4, "b")).snapshot.revision, 4);
}

#[test]
fn the_same_revision_is_accepted_again_after_its_text_was_dropped() {
    let known = newer(None, snapshot(3, "a")).without_text();
    assert_eq!(accept(Some(&known), snapshot(2, "a")), SnapshotAcceptance::Stale { known: 3 });
    let again = newer(Some(&known), snapshot(3, "a"));
    assert_eq!((again.snapshot.revision, again.snapshot.json.as_str()), (3, "a"));
    assert_eq!(again.operation.state, OperationState::Due);
    assert_eq!(accept(Some(&again), snapshot(3, "a")), SnapshotAcceptance::Same);
}

#[test]
fn a_newer_snapshot_keeps_the_claim_of_whoever_is_on_the_older_one() {
    let claim = OperationEvent::Claim {
        by: ClaimId(Uuid::from_u128(1)),
        until: Timestamp::from_second(60).unwrap(),
        trigger: Trigger::Routine,
    };
    let known = newer(None, snapshot(1, "a")).apply_event(claim, Timestamp::UNIX_EPOCH).unwrap();
    let next = newer(Some(&known), snapshot(2, "b"));
    assert_eq!(next.operation.state, known.operation.state);
    assert_eq!(next.snapshot_freshness(1), SnapshotFreshness::Overtaken);
}

#[test]
fn a_number_under_which_a_write_may_stand_is_remembered() {
    let claim = OperationEvent::Claim {
        by: ClaimId(Uuid::from_u128(1)),
        until: Timestamp::from_second(60).unwrap(),
        trigger: Trigger::Routine,
    };
    let calm = newer(None, snapshot(1, "a"));
    assert!(newer(Some(&calm), snapshot(2, "b")).earlier_keys.is_empty());
    let held = calm.apply_event(claim, Timestamp::UNIX_EPOCH).unwrap();
    let renumbered = newer(Some(&held), snapshot(2, "b"));
    assert_eq!(renumbered.natural_keys(), ["#b", "#a"]);
    let back = newer(Some(&renumbered), snapshot(3, "a"));
    assert_eq!(back.natural_keys(), ["#a", "#b"]);
    assert_eq!(back.new_generation().natural_keys(), ["#a", "#a~2", "#a-2", "#b"]);
}

/// A mapping of a record with this number, after a person asked for this many copies.
fn numbered(number: &str, copies: u32) -> Mapping {
    let snapshot = KeptSnapshot::new(1, number.to_owned(), String::new());
    (0..copies).fold(newer(None, snapshot), |mapping, _| mapping.new_generation())
}

#[test]
fn a_copys_number_is_its_own_fits_into_xero_and_is_the_same_each_time() {
    assert_eq!(numbered("A-1", 1).copy_number(), "A-1~2");
    assert_eq!(numbered("A-1", 2).copy_number(), "A-1~3");
    let (first, second) = (format!("{}a", "x".repeat(254)), format!("{}b", "x".repeat(254)));
    for length in [252, 253, 254, 255] {
        let number = first.get(..length).unwrap();
        for copies in [1, 9, 99] {
            let copy = numbered(number, copies).copy_number();
            assert!(copy.len() <= 255 && is_copy_number(&copy), "{copy}");
            assert_eq!(copy, numbered(number, copies).copy_number());
            assert_ne!(copy, numbered(number, copies + 1).copy_number());
        }
    }
    let copies = [&first, &second].map(|number| numbered(number, 1).copy_number());
    assert_ne!(copies[0], copies[1], "the part that was cut off still counts");
}

#[test]
fn only_tilde_and_digits_at_the_end_are_the_form_of_a_copys_number() {
    for copy in ["A-1~2", "~2", "a~b~10", "A~0"] {
        assert!(is_copy_number(copy), "{copy}");
    }
    for number in ["A-1", "A-1-2", "A~", "~", "A~2b", "A~2 ", "2", "A~b"] {
        assert!(!is_copy_number(number), "{number}");
    }
}

#[test]
fn an_update_keeps_the_number_that_a_copy_was_assigned_and_no_other() {
    let is_kept = |generation, number: &str| numbered("A-1", generation).is_copy_number(number);
    assert!(is_kept(1, "A-1~2") && is_kept(1, "A-1-2"));
    assert!(!is_kept(1, "A-1") && !is_kept(1, "A-1~3"));
    // An earlier copy that counted as deleted, and that Xero has shown again.
    assert!(is_kept(2, "A-1~2") && !is_kept(2, "A-1~1") && !is_kept(2, "B-1~2"));
    // A document that is no copy is renumbered with its record.
    assert!(!is_kept(0, "A-1-1") && !is_kept(0, "A-1~1"));
}

#[test]
fn a_credit_note_is_known_by_the_numbers_that_it_had() {
    let mut note = newer(None, snapshot(1, "a"));
    note.key.kind = EntityKind::CreditNote;
    let renumbered = newer(Some(&note), snapshot(2, "b"));
    assert!(renumbered.is_numbered("#B") && !renumbered.is_numbered("#a"));
    assert!(renumbered.was_numbered("#A") && !renumbered.was_numbered("#b"));
    let mut many = renumbered;
    for revision in 3..100 {
        many = newer(Some(&many), snapshot(revision, &format!("n{revision}")));
        assert!(many.former_numbers.len() <= FORMER_NUMBERS_MAX);
    }
    assert!(many.was_numbered("#n98") && !many.was_numbered("#a"));
    // The same number again is kept once.
    let same = newer(Some(&many), snapshot(100, "n99"));
    assert_eq!(same.former_numbers, many.former_numbers);
    // Other records are not looked for by their numbers.
    let invoice = newer(Some(&newer(None, snapshot(1, "a"))), snapshot(2, "b"));
    assert_eq!(invoice.former_numbers, Vec::<String>::new());
}

#[test]
fn a_mapping_is_read_back_from_its_record() {
    let mapping = newer(None, snapshot(1, "{\"a\":\"é\"}"));
    let text = serde_json::to_string(&mapping).unwrap();
    // The text of the snapshot is stored compressed, beside the record.
    let mut read: Mapping = serde_json::from_str(&text).unwrap();
    assert_eq!(std::mem::replace(&mut read.snapshot.json, mapping.snapshot.json.clone()), "");
    assert_eq!(read, mapping);
}

#[test]
fn the_record_of_an_earlier_release_holds_its_snapshot() {
    let mapping = newer(None, snapshot(1, "{\"a\":\"é\"}"));
    let text = serde_json::to_string(&mapping).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["snapshot"]["json"] = mapping.snapshot.json.clone().into();
    assert_eq!(serde_json::from_str::<Mapping>(&record.to_string()).unwrap(), mapping);
}

#[test]
fn earlier_counterparts_are_remembered_up_to_a_limit_the_newest_of_them() {
    let mut mapping = newer(None, snapshot(1, "a"));
    for number in 0..u128::try_from(PREVIOUS_XERO_IDS_MAX * 100).unwrap() {
        mapping = Mapping { link: Some(a_link(number)), ..mapping }.new_generation();
        let expected = usize::try_from(number + 1).unwrap().min(PREVIOUS_XERO_IDS_MAX);
        assert_eq!(mapping.previous_xero_ids.len(), expected);
        assert_eq!(mapping.previous_xero_ids.last(), Some(&XeroId(Uuid::from_u128(number))));
    }
}

#[test]
fn a_copy_that_may_exist_is_found_after_its_record_is_renumbered() {
    let mut copy = numbered("A-1", 1);
    copy.operation.trace = WriteTrace::Uncertain;
    let renumbered = newer(Some(&copy), KeptSnapshot::new(2, "B-1".to_owned(), String::new()));
    let keys = renumbered.natural_keys();
    for key in ["B-1", "B-1~2", "A-1", "A-1~2"] {
        assert!(keys.iter().any(|known| known == key), "{key}: {keys:?}");
    }
}

#[test]
fn a_document_that_counts_as_deleted_is_looked_for_by_its_number_before_it_is_copied() {
    let in_xero = |status, number: &str| {
        let amounts = Some(document_amounts(status, 10_000));
        let link = XeroLink { number: Some(number.to_owned()), amounts, ..a_link(9) };
        Mapping { link: Some(link), ..newer(None, snapshot(1, "a")) }
    };
    let deleted = in_xero(DocumentStatus::Deleted, "X-9").new_generation();
    assert_eq!(deleted.operation.trace, WriteTrace::Uncertain);
    assert_eq!(deleted.natural_keys(), ["#a", "#a~2", "#a-2", "X-9"]);
    // Xero has shown that it is voided, and never changes that.
    let voided = in_xero(DocumentStatus::Voided, "X-9").new_generation();
    assert_eq!(voided.operation.trace, WriteTrace::Clean);
    assert_eq!(voided.natural_keys(), ["#a", "#a~2", "#a-2"]);
    // Xero would take it for two numbers.
    let listed = in_xero(DocumentStatus::Deleted, "X,9").new_generation();
    assert_eq!(listed.earlier_keys, Vec::<String>::new());
    let stated = |revision, standing: &str| {
        let json = format!(r#"{{"standing":"{standing}"}}"#);
        KeptSnapshot::new(revision, "#a".to_owned(), json)
    };
    let mut gone = in_xero(DocumentStatus::Deleted, "X-9");
    gone.snapshot = stated(1, "voided");
    gone.operation.state = OperationState::Synced;
    let restored = newer(Some(&gone), stated(2, "sent"));
    assert_eq!((restored.generation, restored.operation.trace), (2, WriteTrace::Uncertain));
    assert!(restored.natural_keys().contains(&"X-9".to_owned()));
}

#[test]
fn earlier_keys_are_kept_up_to_a_limit_the_newest_of_them() {
    for count in [EARLIER_KEYS_MAX, EARLIER_KEYS_MAX + 1, EARLIER_KEYS_MAX * 100] {
        let mut mapping = newer(None, snapshot(1, "0"));
        for number in 1..=count {
            // The attempt ended without an answer.
            mapping.operation.trace = WriteTrace::Uncertain;
            let revision = u64::try_from(number).unwrap() + 1;
            mapping = newer(Some(&mapping), snapshot(revision, &number.to_string()));
        }
        assert_eq!(mapping.earlier_keys.len(), EARLIER_KEYS_MAX, "{count}");
        assert_eq!(mapping.earlier_keys.last(), Some(&format!("#{}", count - 1)));
    }
}

#[test]
fn a_client_that_was_only_linked_is_unwritten_until_a_sync_or_an_unlink() {
    let linked = newer(None, snapshot(3, "a")).linked_to(a_link(9), Timestamp::UNIX_EPOCH);
    assert!(!linked.is_unwritten_contact(), "it is an invoice");
    let key = MappingKey { kind: EntityKind::Contact, ..linked.key.clone() };
    let client = Mapping { key, ..linked };
    assert!(client.is_unwritten_contact());
    assert!(!Mapping { synced_revision: Some(3), ..client.clone() }.is_unwritten_contact());
    assert!(!client.without_link(Timestamp::UNIX_EPOCH).is_unwritten_contact());
}

#[test]
fn a_record_continues_after_a_change_later_than_the_beginning_of_its_failed_attempt() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let changed = |xero_updated_at| {
        let link = XeroLink { xero_updated_at, ..a_link(9) };
        Mapping { link: Some(link), ..newer(None, snapshot(1, "document")) }
    };
    let mut failed = newer(None, snapshot(1, "record"));
    failed.operation.failed_at = Some(at(20));
    failed.operation.attempt_began_at = Some(at(10));
    let continues =
        |known: &Mapping, instant| known.has_failed_before_change_of(&changed(instant), at(30));
    assert!(!continues(&failed, None));
    assert!(!continues(&failed, Some(at(10))));
    // The change may be later than Xero's refusal, although it is earlier than its recording.
    assert!(continues(&failed, Some(at(11))));
    assert!(continues(&failed, Some(at(30))));
    assert!(!continues(&failed, Some(at(31))), "the instant has not come");
    // A row of an earlier release.
    failed.operation.attempt_began_at = None;
    assert!(!continues(&failed, Some(at(20))));
    assert!(continues(&failed, Some(at(21))));
}

#[test]
fn a_record_that_failed_for_an_archived_contact_continues_once_that_is_seen_in_use() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let link = XeroLink { xero_updated_at: Some(at(10)), ..a_link(9) };
    let client = Mapping { link: Some(link), ..newer(None, snapshot(1, "client")) };
    let mut failed = newer(None, snapshot(1, "record"));
    failed.operation.attempt_began_at = Some(at(10));
    let continues = |client: &Mapping| failed.has_failed_before_restore_of(client, at(30));
    assert!(!continues(&client));
    assert!(!continues(&client.clone().with_restored_contact(at(10))));
    assert!(continues(&client.clone().with_restored_contact(at(11))));
    // A user links the client to a contact whose last change was long ago.
    let linked_at = |at| LinkOrigin { by: UserId::new("usr_1").unwrap(), at, evidence: None };
    let linked = |instant| Mapping { link_origin: Some(linked_at(instant)), ..client.clone() };
    assert!(!continues(&linked(at(10))));
    assert!(continues(&linked(at(11))));
    assert!(!continues(&Mapping { link: None, ..linked(at(11)) }), "it has no contact");
}

#[test]
fn only_a_document_that_the_crm_voided_and_restores_gets_a_new_copy() {
    let stated = |revision, standing: &str| {
        let json = format!(r#"{{"standing":"{standing}"}}"#);
        KeptSnapshot::new(revision, "#a".to_owned(), json)
    };
    let in_xero = |first: KeptSnapshot, status: DocumentStatus| {
        let link = XeroLink { amounts: Some(document_amounts(status, 10_000)), ..a_link(9) };
        let mut known = Mapping { link: Some(link), ..newer(None, first) };
        known.operation.state = OperationState::Synced;
        known
    };
    let generation = |known: &Mapping, next: &str| newer(Some(known), stated(2, next)).generation;
    let voided = in_xero(stated(1, "voided"), DocumentStatus::Voided);
    assert_eq!(generation(&voided, "sent"), 2);
    let restored = newer(Some(&voided), stated(2, "sent"));
    assert_eq!((restored.link, restored.previous_xero_ids.len()), (None, 1));
    assert_eq!(generation(&voided, "voided"), 1);
    // A bookkeeper voided it, so a user decides; or it is still in the books.
    let by_hand = in_xero(stated(1, "sent"), DocumentStatus::Voided);
    assert_eq!(generation(&by_hand, "sent"), 1);
    let standing = in_xero(stated(1, "voided"), DocumentStatus::Authorised);
    assert_eq!(generation(&standing, "sent"), 1);
    let mut withheld = voided.clone();
    withheld.operation.state = OperationState::Withheld;
    assert_eq!(generation(&withheld, "sent"), 1);
    // While the result of the void is unknown, the document may still be in the books.
    let mut unanswered = standing;
    unanswered.operation.state = OperationState::Waiting { until: Timestamp::UNIX_EPOCH };
    unanswered.operation.trace = WriteTrace::Uncertain;
    let unclear = newer(Some(&unanswered), stated(2, "sent"));
    assert_eq!((unclear.generation, unclear.is_restored), (1, true));
    let edited = newer(Some(&unclear), stated(3, "sent"));
    assert!(edited.is_restored);
    assert!(!newer(Some(&unclear), stated(3, "voided")).is_restored);
    assert!(!edited.with_shown_document().is_restored, "it is in the books");
    let mut gone = unclear;
    gone.link.clone_from(&voided.link);
    assert!(gone.clone().with_shown_document().is_restored);
    let copied = gone.new_generation();
    assert_eq!((copied.generation, copied.is_restored), (2, false));
    // Without a document there is nothing to copy.
    let unsent = Mapping { link: None, ..voided };
    assert!(!newer(Some(&unsent), stated(2, "sent")).is_restored);
}

#[test]
fn a_payment_or_credit_that_the_crm_ends_and_has_in_effect_again_is_marked_until_it_is_shown() {
    for (kind, ended, effective) in [
        (EntityKind::Payment, "deleted", "recorded"),
        (EntityKind::Allocation, "removed", "applied"),
    ] {
        let stated = |revision, standing: &str| {
            let json = format!(r#"{{"standing":"{standing}"}}"#);
            KeptSnapshot::new(revision, "#a".to_owned(), json)
        };
        let first = newer(None, stated(1, ended));
        let key = MappingKey { kind, ..first.key.clone() };
        let unsent = Mapping { key, ..first };
        assert!(!newer(Some(&unsent), stated(2, effective)).is_restored, "{kind}");
        let known = Mapping { link: Some(a_link(9)), ..unsent };
        let restored = newer(Some(&known), stated(2, effective));
        assert!(restored.is_restored && restored.link.is_some(), "{kind}");
        assert!(newer(Some(&restored), stated(3, effective)).is_restored, "{kind}");
        assert!(!newer(Some(&restored), stated(3, ended)).is_restored, "{kind}");
        assert!(!restored.with_shown_document().is_restored, "{kind}");
        assert!(!known.is_voided_in_crm(), "{kind}");
    }
}
