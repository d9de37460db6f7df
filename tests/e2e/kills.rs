//! Functions that are killed at arbitrary moments.

use std::collections::BTreeMap;
use std::time::Duration;

use local::wait::until;
use tests::builders::an_invoice;

use crate::stack::{is_synced, of, stack};

/// The number of kills in the test.
const KILLS: u64 = 10;

#[tokio::test]
async fn functions_killed_at_random_moments_leave_every_invoice_once_in_its_last_version() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_kill";
    let token = stack.connect(account).await;
    // The seed decides the messages; the moments of the kills also depend on the machine.
    let mut draw = fastrand::Rng::with_seed(20_261_126);
    let mut newest = BTreeMap::new();
    for kill in 0..KILLS {
        for _ in 0..3 {
            let id = format!("inv_e2e_kill_{}", draw.u64(0..12));
            let revision = newest.entry(id.clone()).and_modify(|one| *one += 1).or_insert(1_u64);
            let (price, total) = (format!("{revision}0.00"), format!("{}.00", *revision * 12));
            let message = of(account, an_invoice(&id, "cli_e2e_kill")).revision(*revision);
            let body = message.price(&price, &total).body();
            for copy in 0..2 {
                stack.send(account, &format!("{id}-{revision}-{copy}"), &body).await;
            }
        }
        let (before, some) = (stack.calls().await, draw.usize(0..4));
        let begun = async || (stack.calls().await >= before + some).then_some(());
        until(Duration::from_secs(15), begun).await;
        kill_functions(stack.aws.endpoint(), &["invoice-push", "contact-push"]);
        assert!(newest.len() <= 12, "after kill {kill}");
    }
    for (id, revision) in newest {
        let record = stack.invoice(&id, &token, is_synced(revision)).await;
        let number = format!("#{}", id.to_uppercase());
        let found = stack.in_xero(&number).await;
        assert_eq!(found.len(), 1, "{number}");
        let total = format!("{}.00", revision * 12);
        assert_eq!(record["amounts"]["xero_total"]["amount"], total, "{record}");
    }
    let violations = stack.simulated("/_simulator/violations").await;
    for limit in ["minute", "day", "concurrent", "appMinute"] {
        assert_eq!(violations[limit], 0, "{violations}");
    }
}

/// Kills every running process of these functions of this stack with SIGKILL.
fn kill_functions(endpoint: &str, functions: &[&str]) {
    let of_this_stack = format!("AWS_ENDPOINT_URL={endpoint}");
    for entry in std::fs::read_dir("/proc").unwrap() {
        let folder = entry.unwrap().path();
        let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
        let variables = environment.split(|byte| *byte == 0).collect::<Vec<_>>();
        let is_function = variables.iter().any(|variable| {
            variable.starts_with(b"AWS_LAMBDA_FUNCTION_NAME=")
                && functions.iter().any(|function| variable.ends_with(function.as_bytes()))
        });
        let is_ours = variables.contains(&of_this_stack.as_bytes());
        let Some(pid) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if is_function && is_ours {
            let killed = std::process::Command::new("kill").args(["-9", pid]).status();
            assert!(killed.is_ok(), "the command kill is missing");
        }
    }
}
