//! Finds refunds that were refused because they exceeded what was paid, and no longer do.

use std::collections::BTreeSet;

use domain::crm::payment::is_refund_note_id;
use domain::entity::EntityKind;
use domain::mapping::MappingKey;
use futures::FutureExt;
use store::StoreError;

use crate::sync::has_room_for_refund;
use crate::{Engine, concurrency};

/// Returns those of these records that are refunds for which there is room on their invoices. A
/// record that cannot be read is reported and left out.
pub(super) async fn list_admissible_refunds(
    engine: &Engine,
    keys: &[MappingKey],
) -> Result<BTreeSet<MappingKey>, StoreError> {
    let is_note =
        |key: &&MappingKey| key.kind == EntityKind::Payment && is_refund_note_id(&key.crm_id);
    let checks = keys.iter().filter(is_note).map(|key| {
        let check = find_admissible_refund(engine, key);
        engine.skip_failing(&key.ledger.account, check).boxed()
    });
    let checked = concurrency::map_concurrently(checks.collect()).await;
    let checked = checked.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(checked.into_iter().flatten().flatten().collect())
}

async fn find_admissible_refund(
    engine: &Engine,
    key: &MappingKey,
) -> Result<Option<MappingKey>, StoreError> {
    let Some(row) = engine.store.find_mapping(key).await? else { return Ok(None) };
    let is_admissible =
        row.record.is_refused_refund() && has_room_for_refund(engine, &row.record).await?;
    Ok(is_admissible.then(|| key.clone()))
}
