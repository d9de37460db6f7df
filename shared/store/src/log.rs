//! The sync log.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::sync_log::LogEntry;
use jiff::Timestamp;

use crate::answers::{LogPage, StoreError};
use crate::keys;
use crate::store::{Store, decode};
use crate::table::{Cursor, Expect, Order, Query, SortRange};

impl Store {
    /// Adds an entry to the sync log.
    pub async fn append_log(&self, entry: &LogEntry) -> Result<(), StoreError> {
        self.put("write the sync log", entry, Expect::Absent).await.map(drop)
    }

    /// A page of an account's sync log, newest first. Entries past their 30 days are not shown, even
    /// while the table still has them.
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
        let mut entries = Vec::with_capacity(page.items.len());
        for item in page.items {
            let entry: LogEntry = decode(item)?.record;
            if entry.expires_at() > now {
                entries.push(entry);
            }
        }
        Ok(LogPage { entries, next: page.next })
    }
}
