//! Connections that somebody ended inside Xero. Xero tells nobody: the organisation is simply no longer listed.
//!
//! An account that pushes or is polled finds out by itself; this is for all the others. Each is looked at in one
//! hour of the day, which its id decides: one call, and no row to remember it by.

use std::num::NonZeroU16;

use domain::health;
use domain::ids::Ledger;
use domain::operation::Urgency;
use futures::FutureExt;
use store::{StoreError, Walk};

use super::Checked;
use crate::chain::Chain;
use crate::desk::{Desk, Trouble};
use crate::{Engine, Invocation, abreast};

/// Of one page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Xero lists the organisation, or the connection is known to be closed.
    Fine,
    /// It was ended inside Xero, and now is here.
    Ended,
    /// Xero did not say.
    Failed,
}

pub(super) async fn check(
    engine: &Engine,
    invocation: Invocation,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let mut walk = Walk::from_shard(0);
    while let Some((shard, after)) = walk.place() {
        let ledgers = walk.turn(engine.store.polled(shard, after, PAGE).await?);
        checked.counted.connections += ledgers.len();
        if engine.is_late(invocation) {
            checked.is_cut_short = true;
            continue;
        }
        let due = ledgers.iter().filter(|ledger| health::is_looked_at(&ledger.account, now));
        let looks = due.map(|ledger| look(engine, ledger, invocation).boxed()).collect();
        for looked in abreast::all(looks).await {
            match looked {
                Look::Fine => {}
                Look::Ended => checked.counted.found_disconnected += 1,
                Look::Failed => checked.failed += 1,
            }
        }
    }
    Ok(())
}

async fn look(engine: &Engine, ledger: &Ledger, invocation: Invocation) -> Look {
    let desk = match Desk::open(engine, ledger, Urgency::Routine, invocation).await {
        Ok(desk) => desk,
        // Closed, paused or expired, which is known; what is not is the table's trouble.
        Err(Trouble::Unrecorded(_)) => return Look::Failed,
        Err(_) => return Look::Fine,
    };
    match desk.look_for_link().await {
        Ok(true) => Look::Fine,
        Ok(false) => {
            tracing::warn!(
                account.id = %ledger.account,
                tenant.id = %ledger.tenant,
                "the connection was ended inside Xero"
            );
            Look::Ended
        }
        Err(error) => {
            tracing::warn!(
                error = %Chain(&error),
                account.id = %ledger.account,
                "it is not known whether the connection was ended inside Xero"
            );
            Look::Failed
        }
    }
}
