//! Which records may wait for a record, so that they are found by the awaited record's key.
//!
//! The rows are written before the dependant is parked, and removed when the awaited record is in
//! Xero. They may be outdated: read the dependant's mapping before deciding anything.
//!
//! The mark of the awaited record stays. A process that removed it could hide a dependant that it
//! has not seen, because that one began to wait in the meantime.

use std::num::NonZeroU16;

use domain::mapping::{Mapping, MappingKey};

use crate::keys;
use crate::records::{AwaitedRecord, DependantRecord, StoredRecord};
use crate::results::StoreError;
use crate::store::Store;
use crate::table::{
    ItemKey, ItemVersion, MAX_WRITES, PageCursor, SortOrder, SortRange, TableError, TableQuery,
    WriteExpectation,
};
use crate::update::ConflictLimit;

/// A page of the records that may wait for a record.
#[derive(Debug)]
pub struct DependantPage {
    /// The records.
    pub dependants: Vec<MappingKey>,
    /// The start of the next page, if there is one.
    pub next: Option<PageCursor>,
}

impl Store {
    /// Records that a record is about to wait for another one of its ledger. Repeating it does no
    /// harm.
    pub async fn record_dependant(
        &self,
        dependant: &MappingKey,
        awaited: &MappingKey,
    ) -> Result<(), StoreError> {
        let (awaited, dependant) = (awaited.clone(), dependant.clone());
        self.ensure_record(&DependantRecord { awaited: awaited.clone(), dependant }).await?;
        self.ensure_record(&AwaitedRecord { awaited }).await
    }

    /// Returns whether a record may wait for another one.
    pub async fn is_dependant(
        &self,
        dependant: &MappingKey,
        awaited: &MappingKey,
    ) -> Result<bool, StoreError> {
        const OPERATION: &str = "read whether a record waits for another";
        self.has_row(OPERATION, &keys::dependant_key(awaited, dependant)).await
    }

    /// Returns whether other records may wait for a record, or have waited for it before.
    pub async fn is_awaited(&self, record: &MappingKey) -> Result<bool, StoreError> {
        self.has_row("read whether a record is awaited", &keys::awaited_key(record)).await
    }

    /// Returns those of the records for which other records may wait, or have waited before.
    pub async fn select_awaited(
        &self,
        mut records: Vec<Mapping>,
    ) -> Result<Vec<Mapping>, StoreError> {
        const OPERATION: &str = "read which records are awaited";
        if records.is_empty() {
            return Ok(records);
        }
        let marks = records.iter().map(|record| keys::awaited_key(&record.key)).collect();
        let found = self.table.get_many(marks).await;
        let found = found.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        // A mark that was not returned may be there.
        records.retain(|record| !matches!(found.get(&keys::awaited_key(&record.key)), Some(None)));
        Ok(records)
    }

    /// Returns a page of the records that may wait for a record.
    pub async fn list_dependants(
        &self,
        awaited: &MappingKey,
        after: Option<PageCursor>,
        limit: NonZeroU16,
    ) -> Result<DependantPage, StoreError> {
        const OPERATION: &str = "find the records that wait for another";
        let query = TableQuery {
            pk: keys::ledger_partition(&awaited.ledger),
            range: SortRange::Prefix(keys::dependants_prefix(awaited)),
            order: SortOrder::Ascending,
            limit,
            after,
        };
        let page = self.table.query_items(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let found = page.items.into_iter().map(|item| item.key);
        // The key says everything, so a row may be corrupt.
        let found = found.chain(page.corrupt.into_iter().map(|corrupt| corrupt.key));
        let dependants = found.filter_map(|key| keys::read_dependant(&key)).collect();
        Ok(DependantPage { dependants, next: page.next })
    }

    /// Removes the rows of records that no longer wait for a record. The mark of that record stays.
    pub async fn remove_dependants(
        &self,
        awaited: &MappingKey,
        dependants: &[MappingKey],
    ) -> Result<(), StoreError> {
        // Each row is written once, so it still has its first version.
        let row_of = |one: &MappingKey| (keys::dependant_key(awaited, one), ItemVersion::FIRST);
        let rows = dependants.iter().map(row_of).collect::<Vec<_>>();
        for some in rows.chunks(MAX_WRITES) {
            self.remove_items("remove a dependant", some.to_vec(), false).await?;
        }
        Ok(())
    }

    /// Writes a record whose content follows from its key, unless it exists.
    async fn ensure_record<T: StoredRecord + Sync>(&self, record: &T) -> Result<(), StoreError> {
        const OPERATION: &str = "record what a record waits for";
        let mut conflicts = ConflictLimit::default();
        loop {
            match self.put_record(OPERATION, record, WriteExpectation::Absent).await {
                Ok(_) => return Ok(()),
                Err(error) => conflicts.allow_retry(error)?,
            }
            // A conflict may also mean that another transaction was writing the row.
            if self.has_row(OPERATION, &record.item_key()).await? {
                return Ok(());
            }
        }
    }

    /// Returns whether there is a row, readable or not.
    async fn has_row(&self, operation: &'static str, key: &ItemKey) -> Result<bool, StoreError> {
        match self.table.get(key).await {
            Ok(item) => Ok(item.is_some()),
            Err(TableError::Corrupt { key: _, reason: _ }) => Ok(true),
            Err(source) => Err(StoreError::Table { operation, source }),
        }
    }
}
