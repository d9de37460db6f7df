//! Removes expired rows that the table has not yet removed by itself (DynamoDB: typically within a
//! few days of the expiry).

use std::num::NonZeroU16;

use domain::connection::{ConsentAttempt, OAuthAttempt};
use domain::ids::AccountId;
use domain::sync_log::LogEntry;
use jiff::Timestamp;

use crate::due::DueQuery;
use crate::keys;
use crate::records::{CleanupCursor, CompletedUpgrades, LoggedAccount};
use crate::results::{StoreError, VersionedRecord};
use crate::store::{Store, decode_item};
use crate::table::{
    ItemKey, ItemVersion, ItemWrite, SortOrder, SortRange, TableError, TableQuery, WriteExpectation,
};
use crate::update::ConflictLimit;

/// The result of one step of a cleanup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalResult {
    /// Rows that were removed.
    pub rows: usize,
    /// Whether there may be more.
    pub is_more: bool,
}

impl Store {
    /// Returns whether an upgrade of stored rows is done for all accounts.
    pub async fn is_upgraded(&self, step: &str) -> Result<bool, StoreError> {
        let row: Option<VersionedRecord<CompletedUpgrades>> =
            self.read_replaceable("read the upgrades", &keys::upgrades_key()).await?;
        Ok(row.is_some_and(|row| row.record.steps.contains(step)))
    }

    /// Records that an upgrade of stored rows is done for all accounts, besides those that other
    /// processes record at the same time. If the row cannot be read, all other upgrades count as
    /// not done and are repeated, which does no harm.
    pub async fn put_upgraded(&self, step: &str) -> Result<(), StoreError> {
        const OPERATION: &str = "record an upgrade";
        let mut conflicts = ConflictLimit::default();
        loop {
            let item = self.table.get(&keys::upgrades_key()).await;
            let item = item.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
            let expect = WriteExpectation::from(item.as_ref().map(|item| item.version));
            let known = item.and_then(|item| decode_item::<CompletedUpgrades>(item).ok());
            let mut upgraded = known.map(|known| known.record).unwrap_or_default();
            upgraded.steps.insert(step.to_owned());
            match self.put_record(OPERATION, &upgraded, expect).await {
                Ok(_) => return Ok(()),
                Err(error) => conflicts.allow_retry(error)?,
            }
        }
    }

    /// Records that an account has a sync log, so that a cleanup finds it. Repeating it does no
    /// harm.
    pub async fn mark_account_logged(&self, account: &AccountId) -> Result<(), StoreError> {
        let logged = LoggedAccount { account: account.clone() };
        match self.put_record("register the sync log", &logged, WriteExpectation::Absent).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns where the last cleanup stopped if it ran out of time: a shard, and the last account
    /// processed in it. `None` if it did not, or if its row cannot be read: the next one begins
    /// anew.
    pub async fn find_cleanup_cursor(
        &self,
    ) -> Result<Option<(u32, Option<AccountId>)>, StoreError> {
        let row: Option<VersionedRecord<CleanupCursor>> =
            self.read_replaceable("read the cleanup's progress", &keys::cleanup_key()).await?;
        Ok(row.and_then(|row| row.record.stopped))
    }

    /// Records where a cleanup stopped. Of two concurrent writers, one wins.
    pub async fn put_cleanup_cursor(
        &self,
        stopped: Option<(u32, Option<AccountId>)>,
    ) -> Result<(), StoreError> {
        self.replace_record("write the cleanup's progress", &CleanupCursor { stopped }).await
    }

    /// Removes up to `limit` of the oldest entries of an account's sync log, if they have expired
    /// at `now`.
    pub async fn remove_expired_log(
        &self,
        account: &AccountId,
        now: Timestamp,
        limit: NonZeroU16,
    ) -> Result<RemovalResult, StoreError> {
        const OPERATION: &str = "read the oldest sync log entries";
        let query = TableQuery {
            pk: keys::log_partition(account),
            range: SortRange::AtMost(keys::format_instant(LogEntry::oldest_kept(now))),
            order: SortOrder::Ascending,
            limit,
            after: None,
        };
        let page = self.table.query_items(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let rows = page.items.into_iter().map(|item| (item.key, item.version)).collect();
        self.remove_items("remove a sync log entry", rows, page.next.is_some()).await
    }

    /// Removes up to `limit` authorisations of a shard that have expired at `now`.
    pub async fn remove_expired_attempts(
        &self,
        shard: u32,
        now: Timestamp,
        limit: NonZeroU16,
    ) -> Result<RemovalResult, StoreError> {
        const OPERATION: &str = "find expired OAuth attempts";
        let query = DueQuery {
            operation: OPERATION,
            pk: keys::oauth_attempt_partition(shard),
            range: SortRange::AtMost(keys::format_instant(now)),
            limit,
            after: None,
        };
        let page = self.read_due_page(query).await?;
        let mut rows = Vec::new();
        for entry in page.entries {
            let item = match self.table.get(&entry.key).await {
                Ok(item) => item,
                // Without its version it cannot be removed here. The table removes it by itself.
                Err(TableError::Corrupt { key: _, reason: _ }) => continue,
                Err(source) => return Err(StoreError::Table { operation: OPERATION, source }),
            };
            let Some(item) = item else { continue };
            let version = item.version;
            let expires_at = if keys::is_consent(&entry.key) {
                decode_item::<ConsentAttempt>(item).map(|consent| consent.record.expires_at)
            } else {
                decode_item::<OAuthAttempt>(item).map(|attempt| attempt.record.expires_at)
            };
            // A row that cannot be decoded has expired, because the index lists it as expired.
            let is_valid = expires_at.is_ok_and(|at| at > now);
            if !is_valid {
                rows.push((entry.key, version));
            }
        }
        self.remove_items("remove an OAuth attempt", rows, page.next.is_some()).await
    }

    /// Removes the rows in one transaction, or one by one if one of them is already gone.
    pub(crate) async fn remove_items(
        &self,
        operation: &'static str,
        rows: Vec<(ItemKey, ItemVersion)>,
        is_more: bool,
    ) -> Result<RemovalResult, StoreError> {
        let deletes = rows.into_iter().map(|(key, expect)| ItemWrite::Delete { key, expect });
        let deletes: Vec<ItemWrite> = deletes.collect();
        if deletes.is_empty() {
            return Ok(RemovalResult { rows: 0, is_more });
        }
        match self.write_all(operation, deletes.clone()).await {
            Ok(()) => return Ok(RemovalResult { rows: deletes.len(), is_more }),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let mut removed = 0;
        for delete in deletes {
            match self.write_all(operation, vec![delete]).await {
                Ok(()) => removed += 1,
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(RemovalResult { rows: removed, is_more })
    }
}

#[cfg(test)]
mod tests;
