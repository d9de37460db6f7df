//! Removes expired rows that the table has not yet removed by itself (DynamoDB: typically within a
//! few days of the expiry).

use std::num::NonZeroU16;

use domain::connection::{ConsentAttempt, OAuthAttempt};
use domain::ids::AccountId;
use domain::sync_log::LogEntry;
use jiff::Timestamp;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::records::{CleanupPlace, Logged, Upgraded};
use crate::store::{Store, decode};
use crate::table::{Expect, ItemKey, Order, Query, SortRange, TableError, Version, Write};

/// The result of one step of a cleanup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Rows that were removed.
    pub rows: usize,
    /// Whether there may be more.
    pub is_more: bool,
}

impl Store {
    /// Returns whether an upgrade of stored rows is done for all accounts.
    pub async fn is_upgraded(&self, step: &str) -> Result<bool, StoreError> {
        let row: Option<Versioned<Upgraded>> =
            self.read("read the upgrades", &keys::upgraded()).await?;
        Ok(row.is_some_and(|row| row.record.steps.contains(step)))
    }

    /// Records that an upgrade of stored rows is done for all accounts.
    pub async fn put_upgraded(&self, step: &str) -> Result<(), StoreError> {
        const OPERATION: &str = "record an upgrade";
        let row: Option<Versioned<Upgraded>> = self.read(OPERATION, &keys::upgraded()).await?;
        let mut upgraded = row.map(|row| row.record).unwrap_or_default();
        upgraded.steps.insert(step.to_owned());
        self.replace(OPERATION, &upgraded).await
    }

    /// Records that an account has a sync log, so that a cleanup finds it. Repeating it does no
    /// harm.
    pub async fn note_log(&self, account: &AccountId) -> Result<(), StoreError> {
        let logged = Logged { account: account.clone() };
        match self.put("register the sync log", &logged, Expect::Absent).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns where the last cleanup stopped if it ran out of time: a shard, and the last account
    /// processed in it.
    pub async fn cleanup_place(&self) -> Result<Option<(u32, Option<AccountId>)>, StoreError> {
        let row: Option<Versioned<CleanupPlace>> =
            self.read("read the cleanup's progress", &keys::cleanup()).await?;
        Ok(row.and_then(|row| row.record.stopped))
    }

    /// Records where a cleanup stopped. The last of two writers wins.
    pub async fn put_cleanup_place(
        &self,
        stopped: Option<(u32, Option<AccountId>)>,
    ) -> Result<(), StoreError> {
        self.replace("write the cleanup's progress", &CleanupPlace { stopped }).await
    }

    /// Removes up to `limit` of the oldest entries of an account's sync log, if they have expired
    /// at `now`.
    pub async fn remove_expired_log(
        &self,
        account: &AccountId,
        now: Timestamp,
        limit: NonZeroU16,
    ) -> Result<Removed, StoreError> {
        const OPERATION: &str = "read the oldest sync log entries";
        let query = Query {
            pk: keys::log(account),
            range: SortRange::AtMost(keys::instant(LogEntry::oldest_kept(now))),
            order: Order::Ascending,
            limit,
            after: None,
        };
        let page = self.table.query(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let rows = page.items.into_iter().map(|item| (item.key, item.version)).collect();
        self.remove("remove a sync log entry", rows, page.next.is_some()).await
    }

    /// Removes up to `limit` authorisations of a shard that have expired at `now`.
    pub async fn remove_spent_attempts(
        &self,
        shard: u32,
        now: Timestamp,
        limit: NonZeroU16,
    ) -> Result<Removed, StoreError> {
        const OPERATION: &str = "find expired OAuth attempts";
        let range = SortRange::AtMost(keys::instant(now));
        let page = self.due_page(OPERATION, keys::begun(shard), range, limit, None).await?;
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
                decode::<ConsentAttempt>(item).map(|consent| consent.record.expires_at)
            } else {
                decode::<OAuthAttempt>(item).map(|attempt| attempt.record.expires_at)
            };
            // A row that cannot be decoded has expired, because the index lists it as expired.
            let is_valid = expires_at.is_ok_and(|at| at > now);
            if !is_valid {
                rows.push((entry.key, version));
            }
        }
        self.remove("remove an OAuth attempt", rows, page.next.is_some()).await
    }

    /// Removes the rows in one transaction, or one by one if one of them is already gone.
    pub(crate) async fn remove(
        &self,
        operation: &'static str,
        rows: Vec<(ItemKey, Version)>,
        is_more: bool,
    ) -> Result<Removed, StoreError> {
        let deletes = rows.into_iter().map(|(key, expect)| Write::Delete { key, expect });
        let deletes: Vec<Write> = deletes.collect();
        if deletes.is_empty() {
            return Ok(Removed { rows: 0, is_more });
        }
        match self.write(operation, deletes.clone()).await {
            Ok(()) => return Ok(Removed { rows: deletes.len(), is_more }),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let mut removed = 0;
        for delete in deletes {
            match self.write(operation, vec![delete]).await {
                Ok(()) => removed += 1,
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Removed { rows: removed, is_more })
    }
}
