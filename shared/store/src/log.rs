//! The sync log.

use std::num::NonZeroU16;

use domain::ids::AccountId;
use domain::sync_log::LogEntry;
use jiff::Timestamp;

use crate::keys;
use crate::results::{LogPage, StoreError};
use crate::store::{Store, decode_all, new_log_entry};
use crate::table::{PageCursor, SortOrder, SortRange, TableQuery};

/// A span of time. Without a bound it has no beginning or no end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogSpan {
    /// The first instant of the span.
    pub from: Option<Timestamp>,
    /// The first instant after the span.
    pub before: Option<Timestamp>,
}

impl LogSpan {
    /// The ids of the entries of the span. An id begins with the entry's instant and is longer.
    fn entry_ids(self) -> SortRange {
        match (self.from.map(keys::format_instant), self.before.map(keys::format_instant)) {
            (None, None) => SortRange::All,
            (Some(from), None) => SortRange::AtLeast(from),
            (None, Some(to)) => SortRange::AtMost(to),
            (Some(from), Some(to)) => SortRange::Between { from, to },
        }
    }
}

impl Store {
    /// Appends an entry to the sync log.
    pub async fn append_log(&self, entry: &LogEntry) -> Result<(), StoreError> {
        self.write_all("write the sync log", vec![new_log_entry(entry)]).await
    }

    /// Appends entries to the sync log, all or none. More than fit into a transaction are a
    /// [`StoreError::TooLarge`].
    pub async fn append_log_entries(&self, entries: &[LogEntry]) -> Result<(), StoreError> {
        self.write_all("write the sync log", entries.iter().map(new_log_entry).collect()).await
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
        self.list_log_span(account, LogSpan::default(), after, limit, now).await
    }

    /// Returns a page of the entries of a span of time, like
    /// [`list_log_entries`](Self::list_log_entries).
    pub async fn list_log_span(
        &self,
        account: &AccountId,
        span: LogSpan,
        after: Option<PageCursor>,
        limit: NonZeroU16,
        now: Timestamp,
    ) -> Result<LogPage, StoreError> {
        const OPERATION: &str = "read the sync log";
        let query = TableQuery {
            pk: keys::log_partition(account),
            range: span.entry_ids(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_contains_its_beginning_and_not_its_end() {
        let instant = |text: &str| text.parse::<Timestamp>().unwrap();
        let (nine, ten) = (instant("2026-11-02T09:00:00Z"), instant("2026-11-02T10:00:00Z"));
        let id = |at| format!("{}-0123", keys::format_instant(at));
        let contains =
            |from, before, at| LogSpan { from, before }.entry_ids().contains_sort_key(&id(at));
        assert!(contains(None, None, nine));
        assert!(contains(Some(nine), Some(ten), nine));
        assert!(!contains(Some(nine), Some(ten), ten));
        assert!(!contains(None, Some(nine), nine));
        assert!(contains(Some(nine), None, ten));
    }
}
