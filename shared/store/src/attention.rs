//! Records that are failing or were given up, by ledger. They come from the `attention` index,
//! which lags behind the table by about a second.

use std::num::NonZeroU16;

use domain::ids::Ledger;
use domain::mapping::MappingKey;
use domain::operation::AttentionReason;
use jiff::Timestamp;

use crate::keys;
use crate::results::StoreError;
use crate::store::Store;
use crate::table::{IndexEntry, IndexQuery, SortOrder, SortRange, TableIndex};

/// Entries read per page.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");
/// Maximum number of records that are counted. There may be more.
pub const COUNTED_MAX: u32 = 20_000;

/// A record that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsAttention {
    /// The record.
    pub key: MappingKey,
    /// When its last attempt failed, if the row records it.
    pub failed_at: Option<Timestamp>,
}

/// How many records need attention, and the newest of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttentionCount {
    /// The number of records, at most [`COUNTED_MAX`].
    pub count: u32,
    /// The record whose attempt failed most recently.
    pub newest: Option<NeedsAttention>,
}

impl Store {
    /// Counts the records of a ledger that need attention for one reason.
    pub async fn count_attention(
        &self,
        ledger: &Ledger,
        attention: AttentionReason,
    ) -> Result<AttentionCount, StoreError> {
        let mut counted = AttentionCount::default();
        let mut after: Option<IndexEntry> = None;
        loop {
            let query = IndexQuery {
                index: TableIndex::Attention,
                pk: keys::ledger_partition(ledger),
                range: SortRange::Prefix(keys::attention_prefix(attention).to_owned()),
                order: SortOrder::Descending,
                limit: PAGE,
                after,
            };
            let page = self.table.query_index(query).await;
            let page = page.map_err(|source| StoreError::Table {
                operation: "find records that need attention",
                source,
            })?;
            for entry in &page.entries {
                let Some(key) = keys::read_mapping(&entry.key) else { continue };
                counted.count += 1;
                counted.newest.get_or_insert_with(|| NeedsAttention {
                    key,
                    failed_at: keys::read_failed_at(entry),
                });
            }
            after = page.next;
            if after.is_none() || counted.count >= COUNTED_MAX {
                counted.count = counted.count.min(COUNTED_MAX);
                return Ok(counted);
            }
        }
    }
}
