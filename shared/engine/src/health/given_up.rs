//! Reports accounts with records that were given up: an alert for each, and a warning on the
//! settings page from five records on.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use domain::connection::ConnectionState;
use domain::health::Health;
use domain::ids::{AccountId, Ledger};
use futures::FutureExt;
use store::table::Expect;
use store::{StoreError, Walk};

use super::Checked;
use crate::chain::Chain;
use crate::ports::GivenUp;
use crate::{Engine, Invocation, abreast};

/// Entries read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    skipped: u32,
    was_warned: bool,
    is_warned: bool,
}

pub(super) async fn check(
    engine: &Engine,
    invocation: Invocation,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let Some(given_up) = count(engine, invocation).await? else {
        // An incomplete count would clear warnings that still apply.
        checked.is_cut_short = true;
        return Ok(());
    };
    let mut accounts: BTreeSet<AccountId> =
        given_up.keys().map(|ledger| ledger.account.clone()).collect();
    let mut walk = Walk::from_shard(0);
    while let Some((shard, after)) = walk.place() {
        accounts.extend(walk.turn(engine.store.unwell(shard, after, PAGE).await?));
    }
    let looks = accounts.iter().map(|account| {
        let looked = look(engine, account, &given_up);
        engine.skip_failing(account, looked).boxed()
    });
    let mut all = GivenUp::default();
    for (account, looked) in accounts.iter().zip(abreast::all(looks.collect()).await) {
        match looked {
            Ok(Some(standing)) => add(standing, &mut all, checked),
            Ok(None) => checked.failed += 1,
            Err(error) => {
                tracing::error!(
                    error = %Chain(&error),
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

fn add(standing: Standing, all: &mut GivenUp, checked: &mut Checked) {
    let Standing { skipped, was_warned, is_warned } = standing;
    all.records += usize::try_from(skipped).unwrap_or(usize::MAX);
    all.accounts += usize::from(skipped > 0);
    all.warned += usize::from(is_warned);
    checked.raised += usize::from(is_warned && !was_warned);
    checked.lifted += usize::from(was_warned && !is_warned);
}

/// Counts the records that were given up, by ledger. `None` if time ran out.
async fn count(
    engine: &Engine,
    invocation: Invocation,
) -> Result<Option<BTreeMap<Ledger, u32>>, StoreError> {
    let mut given_up: BTreeMap<Ledger, u32> = BTreeMap::new();
    let mut walk = Walk::from_shard(0);
    while let Some((shard, after)) = walk.place() {
        if engine.is_late(invocation) {
            return Ok(None);
        }
        for key in walk.turn(engine.store.given_up(shard, after, PAGE).await?) {
            let count = given_up.entry(key.ledger).or_default();
            *count = count.saturating_add(1);
        }
    }
    Ok(Some(given_up))
}

/// Records the state of an account. Only records of the organisation to which it is connected
/// count, not those of earlier organisations or of disconnected accounts.
async fn look(
    engine: &Engine,
    account: &AccountId,
    given_up: &BTreeMap<Ledger, u32>,
) -> Result<Standing, StoreError> {
    let connection = engine.store.connection(account).await?.map(|row| row.record);
    let connected = connection.filter(|one| one.state != ConnectionState::Disconnected);
    let ledger = connected.and_then(|one| one.ledger());
    let skipped = ledger.as_ref().and_then(|ledger| given_up.get(ledger)).copied().unwrap_or(0);
    if skipped > 0 {
        tracing::warn!(
            account.id = %account,
            tenant.id = ledger.map(|ledger| ledger.tenant.to_string()),
            skipped,
            "records were given up and need a person"
        );
    }
    let known = engine.store.health(account).await?;
    let expect = known.as_ref().map_or(Expect::Absent, |known| Expect::Version(known.version));
    let before = known.map(|known| known.record);
    let was_warned = before.as_ref().is_some_and(|before| before.warned_since.is_some());
    let next = Health::next(before.as_ref(), account, skipped, engine.clock.now());
    let is_warned = next.as_ref().map_or(was_warned, |next| next.warned_since.is_some());
    if let Some(next) = next {
        match engine.store.put_health(&next, expect).await {
            // A concurrent check has found the same.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Standing { skipped, was_warned, is_warned })
}
