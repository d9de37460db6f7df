//! Tests of failures after which no attempt follows by itself.

use super::{Failure, FailureClass};

fn fail_with(remedy: &str) -> Failure {
    Failure::new(FailureClass::Transient, "code", "Xero did not respond.", remedy)
}

#[test]
fn a_remedy_that_leaves_it_to_the_next_attempt_asks_to_try_again_if_none_follows() {
    for remedy in ["", "No action is needed: syncing resumes automatically."] {
        let failure = fail_with(remedy);
        let last = failure.clone().without_next_attempt();
        assert!(last.remedy.starts_with("Try again in a few minutes."), "{remedy}: {last}");
        assert_eq!(Failure { remedy: failure.remedy.clone(), ..last }, failure);
        let given_up = failure.into_given_up();
        assert!(given_up.remedy.starts_with("Retry the record."), "{remedy}: {given_up}");
    }
}

#[test]
fn a_remedy_for_a_person_stays_if_no_attempt_follows() {
    let failure = fail_with("Ask an Owner or Admin to connect Xero again.");
    assert_eq!(failure.clone().without_next_attempt(), failure);
    assert_eq!(failure.clone().into_given_up(), failure);
}
