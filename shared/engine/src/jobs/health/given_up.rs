//! Reports accounts with records that were given up: an alert for each, and a warning on the
//! settings page from five records on.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use domain::connection::ConnectionState;
use domain::health::AccountHealth;
use domain::ids::{AccountId, Ledger};
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{ShardScan, StoreError};

use super::HealthCheckSummary;
use crate::error_chain::ErrorChain;
use crate::ports::GivenUp;
use crate::{Engine, Invocation, concurrency};

/// Entries read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

/// The state of an account's warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WarningState {
    skipped: u32,
    was_warned: bool,
    is_warned: bool,
}

pub(super) async fn check_given_up(
    engine: &Engine,
    invocation: Invocation,
    checked: &mut HealthCheckSummary,
) -> Result<(), StoreError> {
    let Some(given_up) = count_given_up(engine, invocation).await? else {
        // An incomplete count would clear warnings that still apply.
        checked.is_cut_short = true;
        return Ok(());
    };
    let mut accounts: BTreeSet<AccountId> =
        given_up.keys().map(|ledger| ledger.account.clone()).collect();
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        accounts.extend(scan.take_page(engine.store.list_unhealthy(shard, after, PAGE).await?));
    }
    let checks = accounts.iter().map(|account| {
        let result = record_account_health(engine, account, &given_up);
        engine.skip_failing(account, result).boxed()
    });
    let mut all = GivenUp::default();
    for (account, result) in
        accounts.iter().zip(concurrency::map_concurrently(checks.collect()).await)
    {
        match result {
            Ok(Some(state)) => add_account_health(state, &mut all, checked),
            Ok(None) => checked.failed += 1,
            Err(error) => {
                tracing::error!(
                    error = %ErrorChain(&error),
                    account.id = %account,
                    "an account's health was not recorded"
                );
                checked.failed += 1;
            }
        }
    }
    checked.counted.given_up = Some(all);
    Ok(())
}

fn add_account_health(state: WarningState, all: &mut GivenUp, checked: &mut HealthCheckSummary) {
    let WarningState { skipped, was_warned, is_warned } = state;
    all.records += usize::try_from(skipped).unwrap_or(usize::MAX);
    all.accounts += usize::from(skipped > 0);
    all.warned += usize::from(is_warned);
    checked.raised += usize::from(is_warned && !was_warned);
    checked.lifted += usize::from(was_warned && !is_warned);
}

/// Counts the records that were given up, by ledger. `None` if time ran out.
async fn count_given_up(
    engine: &Engine,
    invocation: Invocation,
) -> Result<Option<BTreeMap<Ledger, u32>>, StoreError> {
    let mut given_up: BTreeMap<Ledger, u32> = BTreeMap::new();
    let mut scan = ShardScan::from_shard(0);
    while let Some((shard, after)) = scan.next_page() {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(None);
        }
        for key in scan.take_page(engine.store.list_given_up(shard, after, PAGE).await?) {
            let count = given_up.entry(key.ledger).or_default();
            *count = count.saturating_add(1);
        }
    }
    Ok(Some(given_up))
}

/// Records the state of an account. Only records of the organisation to which it is connected
/// count, not those of earlier organisations or of disconnected accounts.
async fn record_account_health(
    engine: &Engine,
    account: &AccountId,
    given_up: &BTreeMap<Ledger, u32>,
) -> Result<WarningState, StoreError> {
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    let connected = connection.filter(|one| one.state != ConnectionState::Disconnected);
    let ledger = connected.and_then(|one| one.current_ledger());
    let skipped = ledger.as_ref().and_then(|ledger| given_up.get(ledger)).copied().unwrap_or(0);
    if skipped > 0 {
        tracing::warn!(
            account.id = %account,
            tenant.id = ledger.map(|ledger| ledger.tenant.to_string()),
            skipped,
            "records were given up and need a person"
        );
    }
    let known = engine.store.find_health(account).await?;
    let expect = WriteExpectation::from(known.as_ref().map(|known| known.version));
    let before = known.map(|known| known.record);
    let was_warned = before.as_ref().is_some_and(|before| before.warned_since.is_some());
    let next = AccountHealth::find_change(before.as_ref(), account, skipped, engine.clock.now());
    let is_warned = next.as_ref().map_or(was_warned, |next| next.warned_since.is_some());
    if let Some(next) = next {
        match engine.store.put_health(&next, expect).await {
            // A concurrent check has recorded the same state.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(WarningState { skipped, was_warned, is_warned })
}
