//! The status of an account and what needs attention, as its settings page shows them.

use std::num::NonZeroU16;

use domain::entity::EntityKind::Invoice;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::CrmId;
use domain::mapping::Mapping;
use domain::operation::{AttentionReason, OperationState};
use engine::commands::attention;
use engine::commands::status::read_status_and_organisation;
use store::table::WriteExpectation;
use tests::World;
use tests::io_monitor::run;

use super::SIZES;
use super::counted_table::{Calls, Counts, account_of_size};

fn read_status(world: &World, calls: &Calls) -> Counts {
    calls.count(|| {
        let account = world.account();
        let read = read_status_and_organisation(&world.engine, &account);
        let _read = run(read).unwrap().unwrap();
    })
}

#[test]
fn the_status_takes_four_calls_in_a_process_that_knows_the_organisation_of_the_account() {
    for (mappings, _) in SIZES {
        let (mut world, calls) = account_of_size(mappings, 0);
        world.restart();
        let expected = Counts {
            // The progress of the polls and the chart, which a new process does not know to be
            // this organisation's.
            gets: 2,
            // The connection and the last attempts.
            batches: 1,
            // Records that are failing, were given up or wait.
            index_queries: 3,
            ..Counts::default()
        };
        assert_eq!(read_status(&world, &calls), expected, "{mappings} mappings");
        let expected = Counts { gets: 0, ..expected };
        assert_eq!(read_status(&world, &calls), expected, "{mappings} mappings");
    }
}

/// Adds copies of the synced invoice that were given up.
fn add_given_up(world: &World, count: usize) {
    let synced = world.mapping(Invoice, "inv_0").unwrap();
    for number in 0..count {
        let mut given_up = Mapping { link: None, synced_revision: None, ..synced.clone() };
        given_up.key.crm_id = CrmId::new(format!("given_up_{number}")).unwrap();
        given_up.operation.state = OperationState::Skipped;
        given_up.operation.failure = Some(Failure::new(
            FailureClass::Untranslatable,
            FailureCause::TaxRateUnknown,
            "No.",
            "",
        ));
        let put = world.engine.store.put_mapping(&given_up, WriteExpectation::Absent, None);
        run(put).unwrap().unwrap();
    }
}

#[test]
fn the_records_of_a_page_that_need_attention_are_read_together() {
    let (world, calls) = account_of_size(100, 0);
    add_given_up(&world, 60);
    for (limit, gets, batches) in [(1, 2, 0), (2, 1, 1), (50, 1, 1), (60, 1, 2)] {
        let counts = calls.count(|| {
            let (account, reason) = (world.account(), AttentionReason::GivenUp);
            let page = NonZeroU16::new(limit).unwrap();
            let list = attention::list_attention(&world.engine, &account, reason, None, page);
            let list = run(list).unwrap().unwrap();
            let listed = list.groups.iter().map(|group| group.records.len()).sum::<usize>();
            assert_eq!(listed, usize::from(limit));
        });
        // The connection and a single record; several records, fifty at a time.
        assert_eq!((counts.gets, counts.batches), (gets, batches), "{limit} records");
    }
}
