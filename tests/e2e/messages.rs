//! The CRM's messages: each takes effect once, in any order, or goes to a dead-letter queue.

use http::Method;
use local::wait::until;
use tests::builders::an_invoice;

use crate::stack::{PATIENCE, is_synced, of, stack};

#[tokio::test]
async fn a_business_connects_and_its_invoice_arrives_once_with_amounts_and_log() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_first";
    let token = stack.connect(account).await;
    let (_, status) = stack.json(Method::GET, "/v1/connection", &token).await;
    assert_eq!(status["status"], "active", "{status}");

    let message = of(account, an_invoice("inv_e2e_1", "cli_e2e_1"));
    stack.send(account, "first-1", &message.body()).await;
    let record = stack.invoice("inv_e2e_1", &token, is_synced(1)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "114.00", "{record}");
    assert_eq!(stack.in_xero("#INV_E2E_1").await.len(), 1);

    let edited = of(account, an_invoice("inv_e2e_1", "cli_e2e_1")).revision(2);
    stack.send(account, "first-2", &edited.price("100.00", "120.00").body()).await;
    let record = stack.invoice("inv_e2e_1", &token, is_synced(2)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "120.00", "{record}");
    assert_eq!(stack.in_xero("#INV_E2E_1").await.len(), 1);

    let path = "/v1/sync-log?entity=invoice&status=synced&limit=10";
    let (status, log) = stack.json(Method::GET, path, &token).await;
    assert_eq!(status, 200);
    let entries = log["entries"].as_array().unwrap().iter();
    let messages = entries.map(|entry| entry["message"].as_str().unwrap()).collect::<Vec<_>>();
    // Another test kills the functions of all accounts. If it loses the outcome of a write, the next
    // attempt finds the invoice, which counts as created, or the update, which it does not repeat.
    let updated = ["Updated in Xero.", "Xero already has this version."];
    assert!(updated.contains(&messages[0]), "{log}");
    assert_eq!(messages[1..], ["Created in Xero."], "{log}");
}

#[tokio::test]
async fn the_same_message_many_times_and_out_of_order_makes_one_invoice() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_many";
    let token = stack.connect(account).await;
    for copy in 0..100 {
        // Revisions 3, 1, 2, 3, ...: each message has its own id, so that the queue drops none.
        let revision = [3, 1, 2][copy % 3];
        let message = of(account, an_invoice("inv_e2e_2", "cli_e2e_2")).revision(revision);
        stack.send(account, &format!("many-{copy}"), &message.body()).await;
    }
    stack.invoice("inv_e2e_2", &token, is_synced(3)).await;
    // The last copies may still be in the queue; one more record behind them shows that all are
    // processed.
    let last = of(account, an_invoice("inv_e2e_3", "cli_e2e_2"));
    stack.send(account, "many-last", &last.body()).await;
    stack.invoice("inv_e2e_3", &token, is_synced(1)).await;
    assert_eq!(stack.in_xero("#INV_E2E_2").await.len(), 1);
}

#[tokio::test]
async fn unreadable_messages_end_in_the_dead_letter_queue_and_delay_no_others() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_bad";
    let token = stack.connect(account).await;
    stack.send(account, "bad-1", "this is not JSON at all").await;
    let other = of("acc_somebody_else", an_invoice("inv_e2e_4", "cli_e2e_4"));
    stack.send(account, "bad-2", &other.body()).await;
    let good = of(account, an_invoice("inv_e2e_4", "cli_e2e_4"));
    stack.send(account, "bad-3", &good.body()).await;
    stack.invoice("inv_e2e_4", &token, is_synced(1)).await;

    let reasons = until(PATIENCE, async || {
        let letters = stack.aws.peek(&stack.invoice_dead_letters).await.unwrap();
        let of_this = |body: &str| body == "this is not JSON at all" || body == other.body();
        let mut reasons = letters
            .iter()
            .filter(|letter| of_this(&letter.body))
            .filter_map(|letter| letter.attribute("reason").map(ToOwned::to_owned))
            .collect::<Vec<_>>();
        reasons.sort();
        (reasons.len() == 2).then_some(reasons)
    })
    .await
    .expect("both messages in the dead-letter queue");
    assert!(reasons[0].starts_with("account_id: must equal the message group id"), "{reasons:?}");
    assert!(reasons[1].starts_with("the body is not JSON"), "{reasons:?}");
}
