//! The table is restored from a backup, with the steps of the runbook. Stopping users' requests and
//! the settings of the restored table are rehearsed in `infra/local/test_runbook.py`.

use http::Method;
use local::deployment::update;
use local::wait::until;
use serde_json::Value;
use tests::builders::{a_payment, an_invoice};

use crate::stack::{PATIENCE, Stack, is_synced, of, stack};
use crate::{change_faults, find_tenant, list_books, read_output};

const ACCOUNT: &str = "acc_e2e_restore";
const CLIENT: &str = "cli_e2e_restore";
/// The name has the prefix that the functions' permissions require.
const RESTORED: &str = "servicecortex-xero-local-restored-rehearsal";
/// Two of each push function, and the poll's.
const EVENT_SOURCES: usize = 9;

/// Sends what the CRM has sent since the backup: a new invoice of a new client, and a payment of
/// the invoice in the backup. SQS would drop a message with an id of the last five minutes.
async fn send_since_backup(stack: &Stack, time: &str) {
    let new = of(ACCOUNT, an_invoice("inv_e2e_restore_2", "cli_e2e_restore_2"));
    stack.send(ACCOUNT, &format!("restore-2-{time}"), &new.body()).await;
    let payment = a_payment("pay_e2e_restore", &[("inv_e2e_restore_1", "114.00")]);
    let (queue, body) = (read_output("STACK_PAYMENT_QUEUE_URL"), payment.account(ACCOUNT).body());
    stack.send_to(&queue, ACCOUNT, &format!("restore-pay-{time}"), &body).await;
}

async fn wait_until_synced(stack: &Stack, token: &str) {
    stack.invoice("inv_e2e_restore_2", token, is_synced(1)).await;
    let is_paid = |payment: &Value| payment["parts"][0]["state"] == "synced";
    stack.record("/v1/payments/pay_e2e_restore", token, is_paid).await;
}

/// The numbers of contacts, invoices and payments in the books.
async fn count_books(stack: &Stack, tenant: &str) -> [usize; 3] {
    let mut counts = [0; 3];
    for (count, collection) in counts.iter_mut().zip(["contacts", "invoices", "payments"]) {
        *count = list_books(stack, tenant, collection).await.len();
    }
    counts
}

async fn deploy_with(stack: &Stack, changes: &[(&str, &str)]) {
    update(&stack.aws, changes).await.unwrap();
}

#[tokio::test]
async fn a_restored_table_adopts_what_was_sent_since_the_backup_and_nothing_is_written_twice() {
    let Some(stack) = stack() else { return };
    change_faults(&stack, Method::DELETE, "").await;
    let token = stack.connect(ACCOUNT).await;
    let codes = r#"{"sales":"200","stripe_bank":"092"}"#.to_owned();
    let (status, chosen) = stack.put("/v1/account-codes", codes, &token).await;
    assert_eq!(status, 200, "{chosen}");
    let first = of(ACCOUNT, an_invoice("inv_e2e_restore_1", CLIENT));
    stack.send(ACCOUNT, "restore-1", &first.body()).await;
    stack.invoice("inv_e2e_restore_1", &token, is_synced(1)).await;

    // The local AWS copies the present state, so the table is copied at the moment of the backup.
    let table = read_output("STACK_TABLE_NAME");
    stack.aws.restore_table(&table, RESTORED).await.unwrap();
    send_since_backup(&stack, "before").await;
    wait_until_synced(&stack, &token).await;
    let tenant = find_tenant(&stack, &table, ACCOUNT).await;
    let before = count_books(&stack, &tenant).await;
    assert_eq!(before[1..], [2, 1], "invoices and payments");

    // Steps 1 and 3: all work stops, and the functions use the restored table.
    deploy_with(&stack, &[("Schedules", "DISABLED"), ("LookFirst", "yes")]).await;
    assert_eq!(stack.aws.switch_event_sources(false).await.unwrap(), EVENT_SOURCES);
    let outputs = update(&stack.aws, &[("RestoredTable", RESTORED)]).await.unwrap();
    assert_eq!(outputs.get("TableName").unwrap(), RESTORED);
    let is_forgotten = async || {
        let (status, _) = stack.json(Method::GET, "/v1/invoices/inv_e2e_restore_2", &token).await;
        (status == 404).then_some(())
    };
    until(PATIENCE, is_forgotten).await.expect("an invoice that the backup does not contain");

    // Step 4: the CRM sends again what it sent since the backup.
    stack.aws.switch_event_sources(true).await.unwrap();
    send_since_backup(&stack, "again").await;
    wait_until_synced(&stack, &token).await;
    assert_eq!(count_books(&stack, &tenant).await, before);

    // Steps 5 and 7: work continues as usual.
    deploy_with(&stack, &[("Schedules", "ENABLED")]).await;
    deploy_with(&stack, &[("LookFirst", "no")]).await;
    let next = of(ACCOUNT, an_invoice("inv_e2e_restore_3", CLIENT));
    stack.send(ACCOUNT, "restore-3", &next.body()).await;
    stack.invoice("inv_e2e_restore_3", &token, is_synced(1)).await;
    let [contacts, invoices, payments] = before;
    assert_eq!(count_books(&stack, &tenant).await, [contacts, invoices + 1, payments]);
}
