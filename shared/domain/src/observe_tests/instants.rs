//! The instants that Xero states for changes: which answer is newer, and which instants are not
//! believed.

use super::*;

#[test]
fn a_change_that_shows_nothing_else_is_stored_with_its_instant_and_not_reported() {
    let later = Timestamp::from_second(5).ok();
    let touched = RemoteInvoice { updated_at: later, ..remote(0, 0) };
    let seen = seen(&touched, &[]).unwrap();
    assert!(seen.events.is_empty(), "{:?}", seen.events);
    assert_eq!(seen.payments, receipts());
    assert_eq!(seen.mapping.link.as_ref().unwrap().xero_updated_at, later);
    let there = SeenInvoice::There { invoice: &touched, payments: &[] };
    assert_eq!(observe_invoice(&seen.mapping, &receipts(), there, NOW), None);
}

#[test]
fn an_answer_that_was_overtaken_is_not_believed() {
    let mut old = remote(11_400, 0);
    old.updated_at = Some(Timestamp::from_second(-1).unwrap());
    assert_eq!(seen(&old, &[]), None);
}

#[test]
fn a_change_dated_in_the_future_hides_no_later_one() {
    let far = Timestamp::from_second(4_102_444_800).unwrap();
    // The row states the year 2100, in this observation or when it was written.
    let odd = RemoteInvoice { updated_at: Some(far), ..remote(5_000, 0) };
    let seen = seen(&odd, &[received(1, 5_000)]).unwrap();
    assert_eq!(kinds(&seen.events), ["imported", "part paid"]);
    assert_eq!(seen.mapping.link.as_ref().unwrap().xero_updated_at, Some(NOW));
    let known = a_mapping().link.unwrap();
    let written = XeroLink { xero_updated_at: Some(far), ..known };
    let written = Mapping { link: Some(written), ..a_mapping() };
    let (paid, payments) = (remote(11_400, 0), [received(1, 11_400)]);
    let there = SeenInvoice::There { invoice: &paid, payments: &payments };
    for mapping in [seen.mapping, written] {
        let later = observe_invoice(&mapping, &receipts(), there, NOW).unwrap();
        assert_eq!(kinds(&later.events), ["imported", "paid"]);
        assert_eq!(later.mapping.link.unwrap().xero_updated_at, Some(NOW));
    }
    // Xero's clock may be ahead, by hours at most.
    let ahead = Timestamp::from_second(60 * 60).unwrap();
    let ahead = RemoteInvoice { updated_at: Some(ahead), ..remote(5_000, 0) };
    let seen = self::seen(&ahead, &[received(1, 5_000)]).unwrap();
    assert_eq!(seen.mapping.link.unwrap().xero_updated_at, ahead.updated_at);
}
