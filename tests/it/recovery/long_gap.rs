//! A connection that is broken for months: nothing is lost, and everything continues after a
//! reconnect.

use super::*;

#[test]
fn after_three_months_without_a_valid_login_everything_continues_with_the_reconnect() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    let before = count_documents(&world);
    // Nothing renews the tokens for longer than Xero keeps them.
    world.clock.advance(SignedDuration::from_hours(61 * 24));
    world.restart();
    world.poll();
    assert_eq!(world.connection().state, ConnectionState::TokenExpired);
    // Both sides continue meanwhile, for longer than the sync log is kept.
    send_messages(&world, &a_day(2));
    world.is_paid("#INV_1_4", "114.00", &Receipt::on("2027-01-02".parse().unwrap()));
    for _ in 0..31 {
        world.advance(DAY);
        world.poll();
        run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
    }
    let waiting = world.mapping(Invoice, "inv_2_1").unwrap().operation;
    assert!(matches!(waiting.state, OperationState::Parked { .. }), "{waiting:?}");
    assert_eq!(payments_in_the_crm(&world.events.deliveries()).len(), 1);

    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    for _ in 0..8 {
        world.advance(QUARTER);
        world.poll();
        run(sweep_all_shards(&world.engine, world.invocation())).unwrap();
    }
    assert_all_synced(&world, 2);
    let after = count_documents(&world);
    assert_eq!(after["invoices"], before["invoices"] + 4);
    assert_eq!(after["credit notes"], before["credit notes"] + 1);
    // Two of the second day, and the one through the bank.
    assert_eq!(after["payments"], before["payments"] + 3);
    assert_eq!(payments_in_the_crm(&world.events.deliveries()).len(), 2);
}
