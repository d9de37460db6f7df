//! Changes in Xero while the account is not connected.

use engine::commands::connect::ConnectOutcome;
use engine::connection::disconnect::DisconnectOutcome;

use super::*;

#[test]
fn what_happened_while_the_account_was_disconnected_is_reported_after_the_reconnect() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.advance(QUARTER);
    world.poll_and_wait();
    assert_eq!(world.disconnect(), DisconnectOutcome::Done);
    let second = world.books(|books| books.invoices_numbered("#INV_2").next().unwrap().id);
    world.is_paid("#INV_1", "50.00", &today());
    world.by_hand(|bookkeeper| bookkeeper.void(second).unwrap());
    let calls = world.calls().len();
    for _ in 0..100 {
        assert_eq!(world.poll_and_wait(), PollOutcome::Unconnected);
    }
    assert_eq!((world.calls().len(), describe_events(&world).len()), (calls, 0));
    assert!(matches!(world.connect(), ConnectOutcome::Connected(_)));
    world.poll_and_wait();
    let mut events = describe_events(&world);
    events.sort();
    assert_eq!(events, ["VOIDED", "imported 50.00", "part paid 64.00"]);
}
