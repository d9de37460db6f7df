//! Removes all rows of an account, page by page.

use std::num::NonZeroU16;

use domain::ids::{AccountId, Ledger};

use crate::cleanup::RemovalResult;
use crate::keys;
use crate::results::StoreError;
use crate::store::Store;
use crate::table::{ItemKey, ItemVersion, ItemWrite, SortOrder, SortRange, TableQuery};

/// Rows per page: as many as one transaction deletes (DynamoDB: 100 items).
const PAGE: NonZeroU16 = NonZeroU16::new(100).expect("not zero");

/// A partition with rows of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountPartition {
    /// The account's records in one organisation, or those that arrived before it was connected.
    Ledger(Ledger),
    /// The account's sync log.
    Log(AccountId),
    /// The account's settings, outbox and other single rows, except its connection.
    Account(AccountId),
}

impl AccountPartition {
    fn partition_key(&self) -> String {
        match self {
            Self::Ledger(ledger) => keys::ledger_partition(ledger),
            Self::Log(account) => keys::log_partition(account),
            Self::Account(account) => keys::account_partition(account),
        }
    }
}

impl Store {
    /// Removes a page of a partition's rows, whatever they hold. A row that changes at the same
    /// time, and a corrupt one, stays and counts as remaining.
    pub async fn remove_rows(
        &self,
        partition: &AccountPartition,
    ) -> Result<RemovalResult, StoreError> {
        const OPERATION: &str = "read the rows to remove";
        let query = TableQuery {
            pk: partition.partition_key(),
            range: SortRange::All,
            order: SortOrder::Ascending,
            limit: PAGE,
            after: None,
        };
        let page = self.table.query_items(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        // Without its version, a corrupt row cannot be removed.
        let corrupt = page.corrupt.len();
        let rows = page.items.into_iter().map(|item| (item.key, item.version));
        let rows: Vec<(ItemKey, ItemVersion)> =
            rows.filter(|(key, _)| keys::read_connection(key).is_none()).collect();
        let found = rows.len();
        let removed = self.remove_items("remove a row", rows, page.next.is_some()).await?;
        let is_more = removed.is_more || removed.rows < found || corrupt > 0;
        Ok(RemovalResult { is_more, ..removed })
    }

    /// Removes an account's connection. If it has changed since it was read, the result is a
    /// [`StoreError::Conflict`].
    pub async fn remove_connection(
        &self,
        account: &AccountId,
        expect: ItemVersion,
    ) -> Result<(), StoreError> {
        let key = keys::connection_key(account);
        self.write_all("remove the connection", vec![ItemWrite::Delete { key, expect }]).await
    }
}
