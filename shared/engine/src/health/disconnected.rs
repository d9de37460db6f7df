//! Finds connections that were ended inside Xero. Xero sends no notification: it merely stops
//! listing the organisation.
//!
//! An account that pushes or is polled detects this by itself; this check covers the others. The
//! account's id determines the hour of the day in which it is checked, so no row has to record it.
//! A check costs one call, and a token refresh if the access token is older than half an hour.

use std::num::NonZeroU16;

use domain::failure::FailureClass;
use domain::health;
use domain::ids::Ledger;
use domain::operation::Urgency;
use futures::FutureExt;
use store::{StoreError, Walk};

use super::Checked;
use crate::chain::Chain;
use crate::desk::{Desk, Trouble};
use crate::unreadable_rows::catch_panic;
use crate::{Engine, Invocation, abreast};

/// Ledgers read per page of the index.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

/// The result of checking one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Xero lists the organisation, or the connection is already known to be unusable.
    Fine,
    /// The connection was ended inside Xero, and is now ended here.
    Ended,
    /// Xero did not answer.
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
        let looks = due.map(|ledger| catch_panic(look(engine, ledger, invocation)).boxed());
        for looked in abreast::all(looks.collect()).await {
            match looked {
                Some(Look::Fine) => {}
                Some(Look::Ended) => checked.counted.found_disconnected += 1,
                Some(Look::Failed) | None => checked.failed += 1,
            }
        }
    }
    Ok(())
}

/// The result for a connection that cannot be used. Ended, paused and expired connections are
/// already known.
fn closed(trouble: &Trouble) -> Look {
    match trouble {
        Trouble::Failure(failure) | Trouble::Explained(failure) => match failure.class {
            FailureClass::Unauthorized | FailureClass::Throttled => Look::Fine,
            FailureClass::Transient
            | FailureClass::Uncertain
            | FailureClass::Rejected
            | FailureClass::Blocked
            | FailureClass::Untranslatable
            | FailureClass::Defect => Look::Failed,
        },
        Trouble::Xero(_) | Trouble::Blocked { failure: _, on: _ } | Trouble::Unrecorded(_) => {
            Look::Failed
        }
    }
}

async fn look(engine: &Engine, ledger: &Ledger, invocation: Invocation) -> Look {
    let desk = match Desk::open(engine, ledger, Urgency::Routine, invocation).await {
        Ok(desk) => desk,
        Err(trouble) => return closed(&trouble),
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
                "could not determine whether the connection was ended inside Xero"
            );
            Look::Failed
        }
    }
}
