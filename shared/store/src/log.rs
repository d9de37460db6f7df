//! The sync log.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::sync_log::LogEntry;
use jiff::Timestamp;

use crate::answers::{LogPage, StoreError};
use crate::keys;
use crate::store::{Store, decode_all};
use crate::table::{Cursor, Expect, Order, Query, SortRange};

impl Store {
    /// Appends an entry to the sync log.
    pub async fn append_log(&self, entry: &LogEntry) -> Result<(), StoreError> {
        let entry = entry.clone().bounded();
        self.put("write the sync log", &entry, Expect::Absent).await.map(drop)
    }

    /// Returns a page of an account's sync log, newest first, without entries that are older than
    /// 30 days, even if the table still has them.
    pub async fn log_page(
        &self,
        account: &AccountId,
        after: Option<Cursor>,
        limit: NonZeroU16,
        now: Timestamp,
    ) -> Result<LogPage, StoreError> {
        const OPERATION: &str = "read the sync log";
        let query = Query {
            pk: keys::log(account),
            range: SortRange::All,
            order: Order::Descending,
            limit,
            after,
        };
        let page = self
            .table
            .query(query)
            .await
            .map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        // Nothing depends on an unreadable entry, and the others are still useful.
        let (rows, _) = decode_all::<LogEntry>(OPERATION, page.items, page.corrupt);
        let entries = rows.into_iter().map(|row| row.record);
        let entries = entries.filter(|entry| entry.expires_at() > now).collect();
        Ok(LogPage { entries, next: page.next })
    }
}
