//! Tests of the decisions about overpayments and prepayments.

use uuid::Uuid;

use super::*;
use crate::money::Currency;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn pounds(amount: &str) -> Money {
    Money::new(amount.parse().unwrap(), Currency::new("GBP").unwrap())
}

fn remote(remaining: &str) -> RemoteSurplus {
    RemoteSurplus {
        id: XeroId(Uuid::from_u128(1)),
        is_from_customer: true,
        counts: true,
        contact: Some(XeroContactId(Uuid::from_u128(2))),
        total: pounds("13.94"),
        remaining: pounds(remaining),
        date: None,
        reference: None,
        updated_at: None,
    }
}

/// What a poll makes of it, with an invoice that was paid on the same date.
fn observe(
    known: Option<&Surplus>,
    remote: &RemoteSurplus,
    invoice: &str,
) -> Option<(Surplus, Option<EventContent>)> {
    observe_at(NOW, known, remote, invoice)
}

fn observe_at(
    now: Timestamp,
    known: Option<&Surplus>,
    remote: &RemoteSurplus,
    invoice: &str,
) -> Option<(Surplus, Option<EventContent>)> {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let (client, invoices) = (CrmId::new("cli_1").unwrap(), [CrmId::new(invoice).unwrap()]);
    let seen = SeenSurplus {
        ledger: &ledger,
        kind: SurplusKind::Overpayment,
        client: &client,
        is_unlinked: false,
        remote,
        paid_invoices: &invoices,
    };
    observe_surplus(known, seen, now)
}

fn reported_state(event: Option<EventContent>) -> Option<(u64, SurplusState)> {
    match event {
        Some(EventContent::PaymentOverpaid(one)) => Some((one.sequence, one.state)),
        Some(other) => panic!("{other:?}"),
        None => None,
    }
}

/// An open surplus, as the first poll stores it.
fn stored() -> Surplus {
    let (surplus, event) = observe(None, &remote("13.94"), "inv_1").unwrap();
    assert_eq!(reported_state(event), Some((1, SurplusState::Open)));
    surplus
}

#[test]
fn a_surplus_is_stored_only_once_something_is_left_of_it() {
    assert_eq!(observe(None, &remote("0"), "inv_1"), None);
    let voided = RemoteSurplus { counts: false, ..remote("13.94") };
    assert_eq!(observe(None, &voided, "inv_1"), None);
    assert!(stored().is_open());
}

#[test]
fn an_unchanged_surplus_is_no_news() {
    let surplus = stored();
    assert_eq!(observe(Some(&surplus), &remote("13.94"), "inv_1"), None);
    // Other decimals are no other amount.
    assert_eq!(observe(Some(&surplus), &remote("13.9400"), "inv_1"), None);
}

#[test]
fn a_surplus_is_reported_with_each_remaining_amount_until_nothing_is_left() {
    let (partly, event) = observe(Some(&stored()), &remote("3.94"), "inv_1").unwrap();
    assert_eq!(reported_state(event), Some((2, SurplusState::Open)));
    let voided = RemoteSurplus { counts: false, ..remote("3.94") };
    for gone in [remote("0"), voided] {
        let (used, event) = observe(Some(&partly), &gone, "inv_1").unwrap();
        assert_eq!(reported_state(event), Some((3, SurplusState::Closed)));
        assert!(used.remaining.amount.is_zero() && !used.is_open());
        assert_eq!(observe(Some(&used), &gone, "inv_1"), None);
        let (_, event) = observe(Some(&used), &remote("1"), "inv_1").unwrap();
        assert_eq!(reported_state(event), Some((4, SurplusState::Open)));
    }
}

#[test]
fn the_numbers_of_events_rise_even_if_a_restored_table_has_lost_some() {
    let later = Timestamp::from_second(1_000).unwrap();
    let (_, event) = observe_at(later, Some(&stored()), &remote("3.94"), "inv_1").unwrap();
    assert_eq!(reported_state(event), Some((1_000, SurplusState::Open)));
    let (_, event) = stored().resolve(SurplusAnswer::Acknowledged, later).unwrap();
    assert_eq!(reported_state(Some(event)), Some((1_000, SurplusState::Closed)));
}

#[test]
fn an_answer_of_xero_that_was_overtaken_is_not_believed() {
    let at = |seconds| Timestamp::from_second(seconds).ok();
    let dated = |remaining, seconds| RemoteSurplus { updated_at: at(seconds), ..remote(remaining) };
    let (used, _) = observe(Some(&stored()), &dated("3.94", 100), "inv_1").unwrap();
    assert_eq!(observe(Some(&used), &dated("13.94", 99), "inv_1"), None);
    assert_eq!(observe(Some(&used), &dated("3.94", 101), "inv_1"), None);
    let (more, _) = observe(Some(&used), &dated("0", 100), "inv_1").unwrap();
    assert!(!more.is_open());
    // A row that states the year 2100 hides no later change.
    let (odd, _) = observe(Some(&used), &dated("2", 4_102_444_800), "inv_1").unwrap();
    assert_eq!(odd.updated_at, at(100));
    let stuck = Surplus { updated_at: at(4_102_444_800), ..used };
    let (seen, _) = observe(Some(&stuck), &dated("2", 200), "inv_1").unwrap();
    assert_eq!((seen.remaining, seen.updated_at), (pounds("2"), at(200)));
}

#[test]
fn an_answer_closes_a_surplus_and_no_later_change_is_reported() {
    let invoice = CrmId::new("inv_1").unwrap();
    for (answer, named) in [
        (SurplusAnswer::Acknowledged, None),
        (SurplusAnswer::Invoice(invoice.clone()), Some(invoice)),
    ] {
        let (answered, event) = stored().resolve(answer, NOW).unwrap();
        let EventContent::PaymentOverpaid(event) = event else { panic!("{event:?}") };
        assert_eq!((event.sequence, event.state), (2, SurplusState::Closed));
        assert_eq!(event.invoice_id, named);
        assert_eq!(answered.clone().resolve(SurplusAnswer::Acknowledged, NOW), None);
        let (changed, event) = observe(Some(&answered), &remote("5"), "inv_1").unwrap();
        assert_eq!((reported_state(event), changed.remaining), (None, pounds("5")));
        assert_eq!((changed.answer, changed.sequence), (answered.answer, 2));
    }
}

#[test]
fn candidates_of_earlier_polls_are_kept_and_are_at_most_twenty() {
    let mut surplus = stored();
    for number in 2..=30 {
        let seen = observe(Some(&surplus), &remote("13.94"), &format!("inv_{number}"));
        surplus = seen.map_or(surplus, |(surplus, _)| surplus);
    }
    assert_eq!(surplus.candidates.len(), CANDIDATES_MAX);
    assert_eq!(surplus.candidates[0].as_str(), "inv_1");
}

#[test]
fn a_surplus_follows_the_link_of_its_contact() {
    let (one, two) = (CrmId::new("cli_1").unwrap(), CrmId::new("cli_2").unwrap());
    assert_eq!(stored().assign_to(one.clone(), false, NOW), None);
    let (unlinked, event) = stored().assign_to(one.clone(), true, NOW).unwrap();
    assert_eq!(reported_state(Some(event)), Some((2, SurplusState::Closed)));
    assert!(unlinked.is_undecided() && !unlinked.is_open());
    assert_eq!(unlinked.clone().resolve(SurplusAnswer::Acknowledged, NOW), None);
    assert_eq!(unlinked.clone().assign_to(one.clone(), true, NOW), None);
    let (again, event) = unlinked.clone().assign_to(one, false, NOW).unwrap();
    assert_eq!(reported_state(Some(event)), Some((3, SurplusState::Open)));
    assert_eq!(again.candidates, stored().candidates);
    let (other, event) = unlinked.assign_to(two.clone(), false, NOW).unwrap();
    assert_eq!(reported_state(Some(event)), Some((3, SurplusState::Open)));
    assert_eq!((other.client, other.candidates), (two.clone(), Vec::new()));
    let (answered, _) = stored().resolve(SurplusAnswer::Acknowledged, NOW).unwrap();
    assert_eq!(answered.assign_to(two, false, NOW), None);
}

#[test]
fn the_contact_of_a_surplus_that_an_earlier_release_stored_is_recorded_without_an_event() {
    let earlier = Surplus { contact: None, ..stored() };
    let (read, event) = observe(Some(&earlier), &remote("13.94"), "inv_1").unwrap();
    assert_eq!((reported_state(event), read.contact), (None, remote("13.94").contact));
    assert_eq!(Surplus { contact: None, ..read }, earlier);
}

#[test]
fn a_stored_surplus_is_read_again() {
    let (answered, _) = stored().resolve(SurplusAnswer::Acknowledged, NOW).unwrap();
    let (unlinked, _) = stored().assign_to(stored().client, true, NOW).unwrap();
    for surplus in [stored(), answered, unlinked] {
        let text = serde_json::to_string(&surplus).unwrap();
        assert_eq!(serde_json::from_str::<Surplus>(&text).unwrap(), surplus);
    }
}
