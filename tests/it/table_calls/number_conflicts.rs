//! New documents whose numbers other documents have: the calls that find out to which records those
//! belong do not grow with the documents.

use domain::batching::ArrivalRate;
use domain::entity::EntityKind::Invoice;
use domain::envelope::{InboundBody, read_crm_body};
use domain::failure::FailureCause;
use engine::inbound::{MessageOutcome, receive_messages};
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use tests::builders::an_invoice;
use tests::io_monitor::run;
use tests::world::ACCOUNT;

use super::counted_table::{Counts, account_of_size};
use super::{CONCURRENT_MAX, claim_transactions, invoice_id, messages, push};

fn conflicting_id(number: usize) -> String {
    format!("other_{number:02}")
}

/// Messages about new invoices with the numbers of the invoices of [`messages`].
fn conflicting_messages(documents: usize) -> Vec<InboundBody> {
    let body = |number| {
        let taken = format!("#{}", invoice_id(documents, number).to_uppercase());
        an_invoice(&conflicting_id(number), "cli_1").number(taken).body()
    };
    (0..documents).map(|number| read_crm_body(&body(number), Invoice, ACCOUNT).unwrap()).collect()
}

#[test]
fn the_records_that_have_the_numbers_of_new_invoices_are_read_together() {
    for documents in [1, 10, 50] {
        let (world, calls) = account_of_size(100, 0);
        push(&world, &calls, &messages(documents, documents, "cli_1"));
        world.clock.advance(SignedDuration::from_mins(1));
        let conflicting = conflicting_messages(documents);
        let calls_before = world.calls().len();
        let counts = calls.count(|| {
            let rate = ArrivalRate::Ordinary;
            let received = receive_messages(&world.engine, &conflicting, rate, world.invocation());
            for outcome in run(received).unwrap() {
                let outcome = outcome.unwrap();
                let is_waiting =
                    matches!(outcome, MessageOutcome::Pushed(PushOutcome::Waiting { until: _ }));
                assert!(is_waiting, "{outcome:?}");
            }
        });
        let is_single = documents == 1;
        let expected = Counts {
            // At the end, the connection: the account may have been connected to another
            // organisation meanwhile. The link and the mapping of a single holder.
            gets: if is_single { 1 + 2 } else { 1 },
            // The rows of the messages; the links of several holders, and their mappings.
            batches: (3 * documents + 6).div_ceil(100) + 2 * usize::from(!is_single),
            // A single claim, the ends of the two calls, the last attempts.
            puts: usize::from(is_single) + 2 + 1,
            // Several claims, the begins of the two calls, the outcomes.
            transactions: claim_transactions(documents) + 2 + documents.div_ceil(CONCURRENT_MAX),
            ..Counts::default()
        };
        assert_eq!(counts, expected, "{documents} documents");
        let made = world.calls().split_off(calls_before);
        assert_eq!(made, ["PUT /Invoices", "GET /Invoices"], "{documents} documents");
        for number in 0..documents {
            let mapping = world.mapping(Invoice, &conflicting_id(number)).unwrap();
            let failure = mapping.operation.failure.unwrap();
            assert_eq!(failure.cause, Some(FailureCause::NumberTaken));
            let holder = format!("the invoice {} has", invoice_id(documents, number));
            assert!(failure.message.contains(&holder), "{failure}");
        }
    }
}
