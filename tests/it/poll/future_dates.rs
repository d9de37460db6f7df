//! Rows and progress that are dated in the future.

use super::*;

/// The member that states when a row changed.
const CHANGED: &str = "UpdatedDateUTC";

/// 2100-01-01, as Xero writes an instant.
const FAR: &str = r#""/Date(4102444800000+0000)/""#;

#[test]
fn a_row_dated_in_the_future_hides_no_change_behind_it() {
    for odd in ["our invoice", "another app's invoice", "a payment"] {
        let world = billed();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        let (tenant, now) = (world.tenant(), world.clock.now());
        let payment = world.is_paid("#INV_1", "10.00", &today());
        let ours = world.books(|books| books.invoices_numbered("#INV_1").next().unwrap().id);
        {
            let mut xero = world.xero();
            let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
            let row = match odd {
                "our invoice" => ours,
                "a payment" => payment,
                _ => bookkeeper.insert_odd(xero_sim::OddRow::FarDueDate),
            };
            bookkeeper.override_member(row, CHANGED, Some(FAR)).unwrap();
        }
        world.poll_and_wait();
        world.is_paid("#INV_1", "20.00", &today());
        world.is_paid("#INV_2", "4.00", &today());
        world.poll_and_wait();
        world.is_paid("#INV_1", "84.00", &today());
        world.poll_and_wait();
        let mut events = describe_events(&world);
        events.sort();
        assert_eq!(
            events,
            [
                "imported 10.00",
                "imported 20.00",
                "imported 4.00",
                "imported 84.00",
                "paid 0.00",
                "part paid 104.00",
                "part paid 110.00",
                "part paid 84.00",
            ],
            "{odd}"
        );
    }
}

#[test]
fn a_poll_whose_progress_lies_in_the_future_continues() {
    let world = billed();
    world.poll_and_wait();
    let ledger = world.ledger();
    let row = run(world.engine.store.find_poll_progress(&ledger)).unwrap().unwrap().unwrap();
    let far = "2100-01-01T00:00:00Z".parse().unwrap();
    let stuck = PollProgress { invoices_from: far, payments_from: far, ..row.record };
    let written =
        world.engine.store.put_poll_progress(&stuck, WriteExpectation::Version(row.version));
    run(written).unwrap().unwrap();
    world.is_paid("#INV_1", "14.00", &today());
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["imported 14.00", "part paid 100.00"]);
    let progress =
        run(world.engine.store.find_poll_progress(&ledger)).unwrap().unwrap().unwrap().record;
    assert!(progress.invoices_from < world.clock.now(), "{progress:?}");
    assert!(progress.payments_from < world.clock.now(), "{progress:?}");
}
