//! Tests of the order in which documents get numbers that others have.

use uuid::Uuid;

use super::*;
use crate::ids::CrmId;

pub(super) fn a_record(id: u128, number: &str) -> NumberHolder {
    NumberHolder { crm_id: CrmId::new(format!("doc_{id}")).unwrap(), number: number.to_owned() }
}

pub(super) fn a_document(id: u128, number: &str) -> MovingDocument {
    MovingDocument { id: XeroId(Uuid::from_u128(id)), record: a_record(id, number) }
}

fn held_by(id: u128, owner: NumberOwner) -> HoldingDocument {
    HoldingDocument { id: XeroId(Uuid::from_u128(id)), owner }
}

/// The document has the number and is to have `next`.
fn moving_on(id: u128, next: &str) -> HoldingDocument {
    held_by(id, NumberOwner::Record(a_record(id, next)))
}

fn known(answers: Vec<(&str, Option<HoldingDocument>)>) -> KnownHolders {
    let mut holders = KnownHolders::default();
    for (number, holding) in answers {
        holders.add(number.to_owned(), holding);
    }
    holders
}

#[test]
fn a_chain_is_written_from_its_free_end() {
    let documents = [a_document(1, "N-2"), a_document(2, "N-3"), a_document(3, "N-4")];
    let holders = known(vec![
        ("N-2", Some(moving_on(2, "N-3"))),
        ("N-3", Some(moving_on(3, "N-4"))),
        ("N-4", None),
    ]);
    let plan = plan_moves(&documents, &holders, ElementOrder::Kept);
    let first = vec![(2, MoveStep::Own), (1, MoveStep::Own), (0, MoveStep::Own)];
    assert_eq!(plan, MovePlan { first, ..MovePlan::default() });
    let plan = plan_moves(&documents, &holders, ElementOrder::Unknown);
    let first = vec![(2, MoveStep::Own), (1, MoveStep::Interim)];
    assert_eq!(plan, MovePlan { first, last: vec![1, 0], refused: Vec::new() });
}

#[test]
fn one_document_of_a_ring_gets_an_interim_number() {
    let documents = [a_document(1, "N-2"), a_document(2, "N-1")];
    let holders =
        known(vec![("N-2", Some(moving_on(2, "N-1"))), ("N-1", Some(moving_on(1, "N-2")))]);
    let plan = plan_moves(&documents, &holders, ElementOrder::Kept);
    let first = vec![(0, MoveStep::Interim), (1, MoveStep::Own)];
    assert_eq!(plan, MovePlan { first, ..MovePlan::default() });
}

#[test]
fn everything_behind_a_foreign_document_is_refused_with_its_own_reason() {
    let documents = [a_document(1, "N-2"), a_document(2, "N-3")];
    let holders = known(vec![
        ("N-2", Some(moving_on(2, "N-3"))),
        ("N-3", Some(held_by(9, NumberOwner::Foreign))),
    ]);
    let plan = plan_moves(&documents, &holders, ElementOrder::Kept);
    let behind = NumberOwner::Record(a_record(2, "N-3"));
    assert_eq!(plan.refused, [(1, NumberOwner::Foreign), (0, behind)]);
    assert_eq!((plan.first, plan.last), (Vec::new(), Vec::new()));
}

#[test]
fn a_document_waits_for_a_holder_outside_the_batch_whose_number_is_free() {
    let documents = [a_document(1, "N-2")];
    let holders = known(vec![("N-2", Some(moving_on(2, "N-3"))), ("N-3", None)]);
    let plan = plan_moves(&documents, &holders, ElementOrder::Kept);
    assert_eq!(plan.refused, [(0, NumberOwner::Record(a_record(2, "N-3")))]);
}

#[test]
fn a_document_gives_its_number_up_in_a_ring_or_an_unfollowed_chain_outside_the_batch() {
    let documents = [a_document(1, "N-2"), a_document(4, "N-1")];
    let ring = [("N-3", Some(moving_on(3, "N-1"))), ("N-1", Some(moving_on(1, "N-2")))];
    let chain = [("N-1", Some(moving_on(1, "N-2")))];
    for rest in [&ring[..], &chain[..]] {
        let mut answers = vec![("N-2", Some(moving_on(2, "N-3")))];
        answers.extend(rest.iter().cloned());
        let plan = plan_moves(&documents, &known(answers), ElementOrder::Kept);
        // The one that is to have its number follows at once.
        let first = vec![(0, MoveStep::GiveUp(a_record(2, "N-3"))), (1, MoveStep::Own)];
        assert_eq!(plan, MovePlan { first, ..MovePlan::default() });
    }
}

#[test]
fn the_next_question_is_about_the_numbers_that_outside_holders_are_to_have() {
    let documents = [a_document(1, "N-2"), a_document(2, "N-3")];
    let mut holders = KnownHolders::default();
    let asked = |holders: &KnownHolders| {
        holders.list_unread_numbers(&documents).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(asked(&holders), ["N-2", "N-3"]);
    holders.add("N-2".to_owned(), Some(moving_on(2, "N-3")));
    holders.add("N-3".to_owned(), Some(moving_on(3, "N-7")));
    assert_eq!(asked(&holders), ["N-7"]);
    // It is to keep its number.
    holders.add("N-7".to_owned(), Some(moving_on(7, "n-7")));
    assert_eq!(asked(&holders), Vec::<String>::new());
}

#[test]
fn a_number_that_two_documents_are_to_have_goes_to_the_first_one() {
    let documents = [a_document(1, "N-3"), a_document(2, "N-3"), a_document(3, "N-4")];
    let holders = known(vec![("N-3", Some(moving_on(3, "N-4"))), ("N-4", None)]);
    let plan = plan_moves(&documents, &holders, ElementOrder::Kept);
    assert_eq!(plan.first, [(2, MoveStep::Own), (0, MoveStep::Own)]);
    assert_eq!(plan.refused, [(1, NumberOwner::Record(a_record(1, "N-3")))]);
}
