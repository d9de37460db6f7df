//! The refunds of a client: what another refund reads does not grow with them.

use domain::entity::EntityKind::{Invoice, Payment};
use domain::operation::OperationState;
use jiff::SignedDuration;
use tests::builders::{self, a_payment, an_invoice};

use super::counted_table::{Counts, account_of_size};

/// A refund of a part of an invoice's payment.
fn a_refund(number: usize) -> String {
    let message = builders::a_refund(&format!("ref_{number}"), "1.00");
    let message = message.reference(&format!("re_{number}"));
    message.fields(format!(r#""invoice_id":"inv_{number}""#)).body()
}

/// The calls of a refund on an invoice of a client with this number of refunds on other invoices.
fn count_refund_calls(others: usize) -> Counts {
    let (world, calls) = account_of_size(1, 0);
    world.choose_accounts();
    // What a push releases continues within seconds.
    let pause = SignedDuration::from_secs(10);
    for number in 1..=others + 1 {
        let invoice = format!("inv_{number}");
        world.receive(Invoice, &an_invoice(&invoice, "cli_1").body());
        let payment = a_payment(&format!("pay_{number}"), &[(invoice.as_str(), "114.00")]);
        world.receive(Payment, &payment.body());
        world.advance(pause);
    }
    for number in 1..=others {
        world.receive(Payment, &a_refund(number));
        world.advance(pause);
    }
    let counts = calls.count(|| {
        world.receive(Payment, &a_refund(others + 1));
    });
    let note = world.mapping(Payment, &format!("ref_{}.note", others + 1)).unwrap();
    assert_eq!(note.operation.state, OperationState::Synced);
    counts
}

#[test]
fn a_refund_takes_as_few_reads_for_a_client_with_many_refunds() {
    let reads = |counts: Counts| [counts.gets, counts.batches, counts.queries];
    let [few, many] = [2, 25].map(|others| reads(count_refund_calls(others)));
    assert_eq!(few, many);
}
