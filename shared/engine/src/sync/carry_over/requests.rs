//! Requests a carry-over with a wake-up for clients.

use domain::connection::Connection;
use domain::entity::EntityKind;
use domain::envelope::WakeUpKind;
use domain::ids::Ledger;

use crate::Engine;
use crate::connection::change_connection;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;

/// Enqueues a wake-up for an account that has just been connected.
pub(super) async fn enqueue_connected_wake_up(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<(), PersistError> {
    let now = engine.clock.now();
    let mut wake_up = engine.new_wake_up(ledger, EntityKind::Contact, WakeUpKind::Connected, now);
    wake_up.ticket = engine.ids.new_uuid().to_string();
    Ok(engine.wake_ups.enqueue(&wake_up).await?)
}

/// Requests that records just written to a ledger are carried over, if the account was connected to
/// another organisation while they were being written.
pub(crate) async fn request_carry_over(
    engine: &Engine,
    written: &Ledger,
) -> Result<(), PersistError> {
    let requested = change_connection(engine, &written.account, |connection| {
        let is_other = connection.state.is_connected()
            && connection.current_ledger().is_some_and(|ledger| ledger != *written);
        let mut carried_from = connection.carried_from.clone();
        if !carried_from.contains(&written.tenant) {
            carried_from.push(written.tenant);
        }
        let carry_requests = connection.carry_requests.wrapping_add(1);
        is_other.then_some(Connection { carried_from, carry_requests, ..connection })
    });
    match requested.await?.and_then(|connection| connection.current_ledger()) {
        Some(ledger) => enqueue_connected_wake_up(engine, &ledger).await,
        None => Ok(()),
    }
}

/// Enqueues a new wake-up for a carry-over whose wake-up was lost. If this fails, the next sweep
/// repeats it.
pub(crate) async fn repeat_connected_wake_up(engine: &Engine, ledger: &Ledger) {
    if let Err(error) = enqueue_connected_wake_up(engine, ledger).await {
        tracing::warn!(
            error = %ErrorChain(&error),
            account.id = %ledger.account,
            "the wake-up could not be enqueued"
        );
    }
}
