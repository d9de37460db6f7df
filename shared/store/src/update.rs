//! Changes rows that other processes may change at the same time: a change is decided from what was
//! read, written if the row is still the same, and decided again after a conflict.
//!
//! [`Store::update_mapping`] and its siblings change a single row. Code that decides from several
//! rows, or writes a row together with others, contains its own loop around a [`ConflictLimit`].

use domain::activity::{AccountActivity, KeptRecords};
use domain::ids::AccountId;
use domain::mapping::{Mapping, MappingKey};

use crate::records::StoredRecord;
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;
use crate::table::WriteExpectation;

/// Maximum number of conflicts after which a change is decided again. Every conflict means that
/// another process wrote the row, so a change succeeds despite 12 other writers that each write
/// once. The row with the most concurrent writers is the one that counts the calls to an
/// organisation. Other rows have fewer, so one limit suits all: a round takes a few requests to the
/// table, and a change that reaches the limit is repeated as a whole.
const CONFLICTS_MAX: u32 = 12;

/// Counts the conflicts of one change.
///
/// ```text
/// let mut conflicts = ConflictLimit::default();
/// loop {
///     // Read the rows and decide.
///     match store.put_invoice_payments(…).await {
///         Ok(_) => return Ok(…),
///         Err(error) => conflicts.allow_retry(error)?,
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct ConflictLimit {
    conflicts: u32,
}

impl ConflictLimit {
    /// Returns `Ok` if the change is to be decided again because of a conflict. Returns the error
    /// if it is not a [`StoreError::Conflict`], or if there were 12 conflicts before.
    pub fn allow_retry(&mut self, error: StoreError) -> Result<(), StoreError> {
        if matches!(error, StoreError::Conflict) && self.conflicts < CONFLICTS_MAX {
            self.conflicts += 1;
            return Ok(());
        }
        Err(error)
    }
}

impl Store {
    /// Writes the mapping that `decide` makes from the stored one, and returns it. If `decide`
    /// returns an error, nothing is written and the inner result is that error. The mapping must
    /// claim no further document. After a conflict `decide` is called again with the changed row.
    pub async fn update_mapping<D>(
        &self,
        key: &MappingKey,
        decide: impl Fn(Option<Mapping>) -> Result<Mapping, D>,
    ) -> Result<Result<Mapping, D>, StoreError> {
        let decide =
            move |known: Option<VersionedRecord<Mapping>>| decide(known.map(|row| row.record));
        self.update("write the mapping", move || self.find_mapping(key), decide).await
    }

    /// Writes when an account's records were last attempted, as `decide` makes it from the stored
    /// row. If `decide` returns `None`, nothing is written. After a conflict `decide` is called
    /// again with the changed row.
    pub async fn update_activity(
        &self,
        account: &AccountId,
        decide: impl Fn(Option<AccountActivity>) -> Option<AccountActivity>,
    ) -> Result<(), StoreError> {
        let decide = move |known: Option<VersionedRecord<AccountActivity>>| {
            decide(known.map(|row| row.record)).ok_or(())
        };
        let read = move || self.find_activity(account);
        self.update("write the last attempts", read, decide).await.map(drop)
    }

    /// Writes how many records of an account are stored without a connection, as `decide` makes it
    /// from the stored row, and returns it. If `decide` returns an error, nothing is written and
    /// the inner result is that error. After a conflict `decide` is called again with the changed
    /// row.
    pub async fn update_kept_records<D>(
        &self,
        account: &AccountId,
        decide: impl Fn(Option<KeptRecords>) -> Result<KeptRecords, D>,
    ) -> Result<Result<KeptRecords, D>, StoreError> {
        let read = move || self.find_kept_records(account);
        let decide =
            move |known: Option<VersionedRecord<KeptRecords>>| decide(known.map(|row| row.record));
        self.update("write the count of stored records", read, decide).await
    }

    /// Writes a row of settings as `change` makes it from the stored one, if the version of the
    /// stored one is `expected`: 0 if there is no row. `None` accepts every version. Returns whether
    /// the row was written. After a conflict `change` is called again with the changed row.
    pub(crate) async fn update_settings<T, R>(
        &self,
        operation: &'static str,
        read: impl Fn() -> R,
        expected: Option<u64>,
        change: impl Fn(Option<T>) -> T,
    ) -> Result<bool, StoreError>
    where
        T: StoredRecord + Sync,
        R: Future<Output = Result<Option<VersionedRecord<T>>, StoreError>>,
    {
        let decide = move |known: Option<VersionedRecord<T>>| {
            let version = known.as_ref().map_or(0, |row| row.version.as_number());
            if expected.is_some_and(|expected| expected != version) {
                return Err(());
            }
            Ok(change(known.map(|row| row.record)))
        };
        Ok(self.update(operation, read, decide).await?.is_ok())
    }

    async fn update<T, D, R>(
        &self,
        operation: &'static str,
        read: impl Fn() -> R,
        decide: impl Fn(Option<VersionedRecord<T>>) -> Result<T, D>,
    ) -> Result<Result<T, D>, StoreError>
    where
        T: StoredRecord + Sync,
        R: Future<Output = Result<Option<VersionedRecord<T>>, StoreError>>,
    {
        let mut conflicts = ConflictLimit::default();
        loop {
            let known = read().await?;
            let expect = WriteExpectation::from(known.as_ref().map(|row| row.version));
            let next = match decide(known) {
                Ok(next) => next,
                Err(declined) => return Ok(Err(declined)),
            };
            match self.put_record(operation, &next, expect).await {
                Ok(_) => return Ok(Ok(next)),
                Err(error) => conflicts.allow_retry(error)?,
            }
        }
    }
}

#[cfg(test)]
mod tests;
