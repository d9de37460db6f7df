//! An account's connection changes, and the CRM is told, both or neither.

use domain::connection::{Connection, ConnectionState, Status};
use domain::ids::{AccountId, Ledger, TenantId};
use domain::outbound::News;
use domain::poll::Progress;
use store::table::Expect;
use store::{StoreError, Versioned};

use crate::desk::not_connected;
use crate::{Engine, token};

/// Rows that somebody else writes at the same moment are read and written again, this many times.
const CONFLICTS_MAX: u32 = 6;

/// Writes an account's connection as `next` makes it from what is there, unless `next` declines. Gives
/// what was written. A new status is an event for the CRM, one for each change.
pub(crate) async fn change(
    engine: &Engine,
    account: &AccountId,
    next: impl Fn(Connection) -> Option<Connection>,
) -> Result<Option<Connection>, StoreError> {
    for _ in 0..CONFLICTS_MAX {
        let known = engine.store.connection(account).await?;
        let expect = known.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        let before =
            known.map_or_else(|| Connection::pending(account.clone()), |known| known.record);
        let was = (before.status(None), before.organisation.as_ref().map(|one| one.tenant));
        let was_polled =
            (before.state == ConnectionState::Active).then(|| before.ledger()).flatten();
        let Some(after) = next(before) else { return Ok(None) };
        let news = news(was, &after);
        let event = news.map(|news| engine.event(account, news));
        let polled = polled(engine, was_polled.as_ref(), &after).await?;
        let polled = polled.as_ref().map(|(progress, expect)| (progress, *expect));
        match engine.store.put_connection(&after, expect, event.as_ref(), polled).await {
            Ok(_) => {
                engine.deliver(account, &event).await;
                return Ok(Some(after));
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// That a ledger is polled from now on, where it has not been. One that was polled before goes on where
/// it was.
async fn polled(
    engine: &Engine,
    was_polled: Option<&Ledger>,
    after: &Connection,
) -> Result<Option<(Progress, Expect)>, StoreError> {
    let ledger = after.ledger().filter(|_| after.state == ConnectionState::Active);
    let Some(ledger) = ledger.filter(|ledger| was_polled != Some(ledger)) else { return Ok(None) };
    Ok(match engine.store.progress(&ledger).await? {
        Some(Versioned { record, version }) => {
            let polled = Progress { is_polled: true, ..record };
            Some((polled, Expect::Version(version)))
        }
        None => Some((Progress::new(ledger, engine.clock.now()), Expect::Absent)),
    })
}

/// What the CRM is told of a changed connection. That somebody is at Xero's consent page is no news.
fn news(before: (Status, Option<TenantId>), after: &Connection) -> Option<News> {
    let status = after.status(None);
    let tenant = after.organisation.as_ref().map(|one| one.tenant);
    let is_another = status == Status::Active && tenant != before.1;
    if status == before.0 && !is_another {
        return None;
    }
    let message = match after.state {
        ConnectionState::Pending => return None,
        ConnectionState::Active => String::new(),
        ConnectionState::TokenExpired => token::reconnect().to_string(),
        ConnectionState::Disconnected => not_connected().to_string(),
    };
    let organisation = after.organisation.as_ref().map(|one| one.name.clone());
    Some(News::Connection { status, organisation, message })
}
