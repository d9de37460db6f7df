//! The status of an account, as its settings page shows it.

use engine::commands::status::read_status_and_organisation;
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
