//! The sync log.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::sync_log::LogEntry;
use jiff::Timestamp;

use crate::keys;
use crate::results::{LogPage, StoreError};
use crate::store::{Store, decode_all, new_log_entry};
use crate::table::{PageCursor, SortOrder, SortRange, TableQuery};

impl Store {
    /// Appends an entry to the sync log.
    pub async fn append_log(&self, entry: &LogEntry) -> Result<(), StoreError> {
        self.write_all("write the sync log", vec![new_log_entry(entry)]).await
    }

    /// Returns a page of an account's sync log, newest first, without entries that are older than
    /// 30 days, even if the table still has them.
    pub async fn list_log_entries(
        &self,
        account: &AccountId,
        after: Option<PageCursor>,
        limit: NonZeroU16,
        now: Timestamp,
    ) -> Result<LogPage, StoreError> {
        const OPERATION: &str = "read the sync log";
        let query = TableQuery {
            pk: keys::log_partition(account),
            range: SortRange::All,
            order: SortOrder::Descending,
            limit,
            after,
        };
        let page = self
            .table
            .query_items(query)
            .await
            .map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        // Nothing depends on an unreadable entry, and the others are still useful.
        let (rows, _) = decode_all::<LogEntry>(OPERATION, page.items, page.corrupt);
        let entries = rows.into_iter().map(|row| row.record);
        let entries = entries.filter(|entry| entry.expires_at() > now).collect();
        Ok(LogPage { entries, next: page.next })
    }
}
