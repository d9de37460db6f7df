//! What people did since the backup stays as they left it, although the restored table does not
//! know it.

use super::*;

/// The ids of the payment and of the fee of `pay_2_1` in Xero.
fn payment_and_fee(world: &World) -> (uuid::Uuid, uuid::Uuid) {
    let is_it = |reference: Option<&String>| reference.is_some_and(|it| it.contains("SC-pay_2_1"));
    world.books(|books| {
        let payment = books.payments().find(|one| is_it(one.reference.as_ref())).unwrap().id;
        (payment, books.transactions().find(|one| is_it(one.reference.as_ref())).unwrap().id)
    })
}

#[test]
fn money_that_was_deleted_in_xero_since_the_backup_is_not_entered_again() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    let yesterday = world.table.all_items();
    send_messages(&world, &a_day(2));
    let (payment, fee) = payment_and_fee(&world);
    world.by_hand_apart(|bookkeeper| {
        bookkeeper.remove_payment(payment).unwrap();
        bookkeeper.remove_transaction(fee).unwrap();
    });
    let before = count_documents(&world);

    restore_table(&mut world, yesterday, RecoveryMode::LookBeforeCreate);
    send_messages(&world, &a_day(2));
    world.advance(QUARTER);
    assert_all_synced(&world, 2);
    assert_eq!(count_documents(&world), before);
    for (part, id) in [("pay_2_1.1", payment), ("pay_2_1.fee", fee)] {
        let link = world.mapping(Payment, part).unwrap().link.unwrap();
        assert_eq!(link.xero_id.0, id, "{part}");
        let is_explained = world.log().iter().any(|entry| {
            entry.crm_id.as_str() == part && entry.message.contains("It was deleted in Xero.")
        });
        assert!(is_explained, "{part}");
    }
    // Without look-ups, too: the rows know them now.
    world.engine.recovery_mode = RecoveryMode::Normal;
    send_messages(&world, &a_day(2));
    assert_eq!(count_documents(&world), before);
}

#[test]
fn a_payment_on_an_invoice_of_the_backup_is_linked_and_not_reported_to_the_crm() {
    let mut world = connected_to_core_tier();
    send_messages(&world, &[(Invoice, an_invoice("inv_1", "cli_1").body())]);
    let yesterday = world.table.all_items();
    let payment = [(Payment, a_payment("pay_1", &[("inv_1", "114.00")]).body())];
    send_messages(&world, &payment);
    let before = count_documents(&world);

    restore_table(&mut world, yesterday, RecoveryMode::LookBeforeCreate);
    // The runbook enables the polls after the CRM has sent everything again.
    send_messages(&world, &payment);
    for _ in 0..3 {
        world.poll();
        world.advance(QUARTER);
    }
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(count_documents(&world), before);
    let is_import = |one: &EventContent| matches!(one, EventContent::PaymentImported(_));
    assert!(!world.events.contents().iter().any(is_import), "it is the CRM's own");
}
