//! Tests of reconciliations and their findings.

use super::*;
use crate::mapping::tests::a_key;

fn interrupted(class: FailureClass, times: usize) -> (ContactReconciliation, Option<Timestamp>) {
    let ledger = a_key("c").ledger;
    let by = UserId::new("usr_1").unwrap();
    let begun = ContactReconciliation::new(ledger, by, Timestamp::UNIX_EPOCH);
    let failure = || Failure::new(class, "code", "Xero is asleep.", "");
    let mut last = (begun, None);
    for _ in 0..times {
        last = last.0.after_interruption(failure(), Timestamp::UNIX_EPOCH);
    }
    last
}

fn a_finding(client: &str, name: String) -> ClientFinding {
    let (client_id, found) = (CrmId::new(client).unwrap(), ContactMatch::Missing);
    ClientFinding { client_id, name, contact_name: None, is_proposal: false, found }
}

#[test]
fn findings_of_any_size_come_in_pages_that_a_row_can_hold() {
    let ledger = a_key("c").ledger;
    let finding =
        |number: usize, bytes: usize| a_finding(&format!("cli_{number}"), "\"".repeat(bytes));
    for (count, bytes) in [(45, 10), (45, 1_000), (45, 5_000), (45, 80_000), (4_500, 500)] {
        let findings: Vec<ClientFinding> =
            (0..count).map(|number| finding(number, bytes)).collect();
        let pages =
            FindingsPage::split_into_pages(&ledger, Timestamp::UNIX_EPOCH, 7, findings.clone());
        let numbers: Vec<u32> = pages.iter().map(|page| page.page).collect();
        assert_eq!(numbers, (7..).take(pages.len()).collect::<Vec<_>>());
        for page in &pages {
            let row = serde_json::to_string(page).unwrap().len();
            assert!(row < 256 * 1024, "{row} bytes in a row");
        }
        let again: Vec<ClientFinding> = pages.into_iter().flat_map(|page| page.findings).collect();
        assert_eq!(again, findings, "each once, in their order");
    }
    assert_eq!(FindingsPage::split_into_pages(&ledger, Timestamp::UNIX_EPOCH, 0, Vec::new()), []);
}

#[test]
fn a_page_is_full_at_its_limit_and_another_begins_just_above_it() {
    let ledger = a_key("c").ledger;
    let empty = a_finding("cli_1", String::new());
    let bytes = serde_json::to_string(&empty).unwrap().len();
    // Four of these fill a page.
    let name = "x".repeat(PAGE_BYTES_MAX / 4 - bytes);
    let finding = ClientFinding { name, ..empty };
    for (count, expected) in [(4, 1), (5, 2), (400, 100)] {
        let findings = vec![finding.clone(); count];
        let pages = FindingsPage::split_into_pages(&ledger, Timestamp::UNIX_EPOCH, 0, findings);
        assert_eq!(pages.len(), expected, "{count}");
        assert_eq!(pages.iter().map(|page| page.findings.len()).sum::<usize>(), count);
    }
}

#[test]
fn an_interruption_is_waited_out_by_the_ladder_and_then_it_is_given_up() {
    let (first, at) = interrupted(FailureClass::Transient, 1);
    assert!(first.is_comparing());
    assert_eq!(at, Some(Timestamp::from_second(300).unwrap()));
    assert!(interrupted(FailureClass::Transient, 5).1.is_some());
    let (last, at) = interrupted(FailureClass::Transient, 6);
    let ReconciliationProgress::Stopped { failure } = last.place else { panic!("not stopped") };
    assert!(failure.remedy.starts_with("Try again"), "no attempt follows: {failure}");
    assert_eq!(at, None);
}

#[test]
fn without_a_connection_it_is_given_up_at_once() {
    let (stopped, at) = interrupted(FailureClass::Unauthorized, 1);
    assert!(!stopped.is_comparing() && at.is_none());
}
