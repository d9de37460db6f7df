//! The typed store: one method for each read and write of the engine.
//!
//! It exists once, over any [`ItemTable`], so that the in-memory table and DynamoDB interpret
//! records the same way. Records are stored as JSON text; a new field needs a default, because
//! older rows lack it. Snapshots are stored beside their record, compressed.

use std::num::NonZeroU16;
use std::sync::Arc;

use domain::chart::Chart;
use domain::crm::credit_note;
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, XeroId};
use domain::mapping::{Mapping, MappingKey};
use domain::outbound::EventMessage;
use domain::sync_log::LogEntry;

pub(crate) use crate::codec::{decode_all, decode_each, decode_item, encode_item};
use crate::grouping::GroupingTable;
use crate::keys;
use crate::records::{KeptChart, ReverseLink, StoredRecord};
use crate::results::{MappingPage, StoreError, VersionedRecord};
use crate::table::{
    ItemKey, ItemTable, ItemVersion, ItemWrite, PageCursor, SortOrder, SortRange, TableError,
    TableQuery, WriteExpectation,
};

/// What is written or required together with the outcome of an attempt.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutcomeConfirmation<'a> {
    /// Whether the document is reserved for the mapping already.
    pub is_reserved: bool,
    /// Whether the write is a [`StoreError::Conflict`] if other records may wait for this one, or
    /// have waited for it before.
    pub is_unawaited: bool,
    /// The event for the CRM.
    pub event: Option<&'a EventMessage>,
    /// The entry of the sync log.
    pub entry: Option<&'a LogEntry>,
}

/// Access to all stored records.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) table: Arc<dyn ItemTable>,
    /// The same table, whose reads never return a row that was read ahead.
    pub(crate) fresh: Arc<dyn ItemTable>,
}

impl Store {
    /// Creates the store over a table. Transactions that are ready at the same time are sent
    /// together.
    pub fn new(table: Arc<dyn ItemTable>) -> Self {
        let table: Arc<dyn ItemTable> = Arc::new(GroupingTable::new(table));
        Self { fresh: table.clone(), table }
    }

    /// Reads the stored chart of a ledger.
    pub async fn find_chart(&self, ledger: &Ledger) -> Result<Option<Chart>, StoreError> {
        let kept: Option<VersionedRecord<KeptChart>> =
            self.read_record("read the chart", &keys::chart_key(ledger)).await?;
        Ok(kept.and_then(|kept| kept.record.into_chart()))
    }

    /// Stores the chart of a ledger. Of two concurrent writers, one wins. A chart that is too large
    /// for a row, with several thousand accounts, is not stored and has to be read from Xero each
    /// time.
    pub async fn put_chart(&self, ledger: &Ledger, chart: &Chart) -> Result<(), StoreError> {
        match self.replace_record("write the chart", &KeptChart::new(ledger.clone(), chart)).await {
            Err(StoreError::TooLarge { .. }) => Ok(()),
            result => result,
        }
    }

    /// Reads a mapping. A negative invoice's mapping may be stored under an earlier form of its id,
    /// which its record then holds.
    pub async fn find_mapping(
        &self,
        key: &MappingKey,
    ) -> Result<Option<VersionedRecord<Mapping>>, StoreError> {
        const OPERATION: &str = "read the mapping";
        let found: Option<VersionedRecord<Mapping>> =
            self.read_record(OPERATION, &keys::mapping_key(key)).await?;
        if found.is_some() {
            return Ok(found);
        }
        let Some(earlier) = key.earlier_form() else { return Ok(None) };
        let found: Option<VersionedRecord<Mapping>> =
            self.read_record(OPERATION, &keys::mapping_key(&earlier)).await?;
        Ok(found.filter(|row| credit_note::is_of_negative_invoice(&row.record.snapshot.json)))
    }

    /// Writes a mapping that claims no further document, and its event, in one transaction.
    pub async fn put_mapping(
        &self,
        mapping: &Mapping,
        expect: WriteExpectation,
        event: Option<&EventMessage>,
    ) -> Result<ItemVersion, StoreError> {
        let mut writes = vec![ItemWrite::Put { item: encode_item(mapping), expect }];
        writes.extend(event.map(new_event));
        self.write_all("write the mapping", writes).await?;
        Ok(expect.next_version())
    }

    /// Writes mappings in one transaction: all of them or none.
    pub async fn put_mappings(
        &self,
        mappings: &[(Mapping, WriteExpectation)],
    ) -> Result<(), StoreError> {
        if mappings.is_empty() {
            return Ok(());
        }
        let writes = mappings.iter().map(|(mapping, expect)| ItemWrite::Put {
            item: encode_item(mapping),
            expect: *expect,
        });
        self.write_all("write the mappings", writes.collect()).await
    }

    /// Writes a mapping, its link, its event and its entry in the sync log in one transaction.
    /// `before` is the mapping as it was read. If the document already belongs to a mapping, the
    /// write is a [`StoreError::Conflict`], unless the document is reserved for this one.
    pub async fn confirm_mapping(
        &self,
        mapping: &Mapping,
        before: &VersionedRecord<Mapping>,
        confirmation: OutcomeConfirmation<'_>,
    ) -> Result<ItemVersion, StoreError> {
        let OutcomeConfirmation { is_reserved, is_unawaited, event, entry } = confirmation;
        let expect = WriteExpectation::Version(before.version);
        let mut writes = vec![ItemWrite::Put { item: encode_item(mapping), expect }];
        let id_of = |mapping: &Mapping| mapping.link.as_ref().map(|link| link.xero_id);
        let (old, new) = (id_of(&before.record), id_of(mapping));
        if old != new {
            let MappingKey { ledger, kind, crm_id: _ } = &mapping.key;
            let unreserved = new.filter(|_| !is_reserved);
            writes.extend(unreserved.map(|xero_id| new_link(&mapping.key, xero_id)));
            // A reverse link is written once, so it still has its first version.
            writes.extend(old.map(|xero_id| ItemWrite::Delete {
                key: keys::reverse_link_key(ledger, *kind, xero_id),
                expect: ItemVersion::FIRST,
            }));
        }
        writes.extend(event.map(new_event));
        writes.extend(entry.map(new_log_entry));
        writes.extend(is_unawaited.then(|| check_unawaited(&mapping.key)));
        self.write_all("confirm the mapping", writes).await?;
        Ok(expect.next_version())
    }

    /// Reserves a document for a mapping that is not linked to it yet, so that no other mapping can
    /// claim it. If it already belongs to a mapping, even this one, the write is a
    /// [`StoreError::Conflict`].
    pub async fn reserve_document(
        &self,
        key: &MappingKey,
        xero_id: XeroId,
    ) -> Result<(), StoreError> {
        self.write_all("reserve the document", vec![new_link(key, xero_id)]).await
    }

    /// Removes a mapping that has moved to another ledger. If it has changed since it was read, the
    /// result is a [`StoreError::Conflict`].
    pub async fn remove_mapping(
        &self,
        key: &MappingKey,
        expect: ItemVersion,
    ) -> Result<(), StoreError> {
        let key = keys::mapping_key(key);
        self.write_all("remove the mapping", vec![ItemWrite::Delete { key, expect }]).await
    }

    /// Reads a page of the mappings of a kind, in the order of their ids.
    pub async fn list_mappings(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        after: Option<PageCursor>,
        limit: NonZeroU16,
    ) -> Result<MappingPage, StoreError> {
        const OPERATION: &str = "list the mappings";
        let query = TableQuery {
            pk: keys::ledger_partition(ledger),
            range: SortRange::Prefix(keys::mapping_prefix(kind)),
            order: SortOrder::Ascending,
            limit,
            after,
        };
        let page = self.table.query_items(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let (rows, unreadable) = decode_all(OPERATION, page.items, page.corrupt);
        Ok(MappingPage { rows, unreadable, next: page.next })
    }

    /// Returns the CRM record to which a Xero document belongs.
    pub async fn find_linked_record(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        xero_id: XeroId,
    ) -> Result<Option<CrmId>, StoreError> {
        let key = keys::reverse_link_key(ledger, kind, xero_id);
        let found: Option<VersionedRecord<ReverseLink>> =
            self.read_record("read the reverse link", &key).await?;
        Ok(found.map(|found| found.record.crm_id))
    }

    pub(crate) async fn read_record<T: StoredRecord>(
        &self,
        operation: &'static str,
        key: &ItemKey,
    ) -> Result<Option<VersionedRecord<T>>, StoreError> {
        let item = self.table.get(key).await;
        let item = item.map_err(|source| StoreError::Table { operation, source })?;
        item.map(decode_item).transpose()
    }

    pub(crate) async fn put_record<T: StoredRecord + Sync>(
        &self,
        operation: &'static str,
        record: &T,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.write_all(operation, vec![ItemWrite::Put { item: encode_item(record), expect }])
            .await?;
        Ok(expect.next_version())
    }

    /// Reads a record without which work is done again, such as where a walk stopped or what was
    /// read from Xero. One that cannot be read counts as absent, and the next write replaces it.
    pub(crate) async fn read_replaceable<T: StoredRecord>(
        &self,
        operation: &'static str,
        key: &ItemKey,
    ) -> Result<Option<VersionedRecord<T>>, StoreError> {
        match self.read_record(operation, key).await {
            Err(StoreError::Undecodable { key: _, source: _ }) => Ok(None),
            read => read,
        }
    }

    /// Writes a record regardless of the row's contents, which need not be readable. If another
    /// process writes the row at the same time, its record stands and this one is dropped.
    pub(crate) async fn replace_record<T: StoredRecord + Sync>(
        &self,
        operation: &'static str,
        record: &T,
    ) -> Result<(), StoreError> {
        let known = self.table.get(&record.item_key()).await;
        let known = known.map_err(|source| StoreError::Table { operation, source })?;
        let expect = WriteExpectation::from(known.map(|known| known.version));
        match self.put_record(operation, record, expect).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn write_all(
        &self,
        operation: &'static str,
        writes: Vec<ItemWrite>,
    ) -> Result<(), StoreError> {
        self.table.write_items(writes).await.map_err(|source| match source {
            TableError::Conflict => StoreError::Conflict,
            source @ (TableError::TooLarge { .. } | TableError::TooMany { .. }) => {
                StoreError::TooLarge { operation, source }
            }
            source @ (TableError::Unavailable { .. }
            | TableError::Refused { .. }
            | TableError::Corrupt { .. }) => StoreError::Table { operation, source },
        })
    }
}

/// Builds the reverse link from a document to its mapping.
pub(crate) fn new_link(key: &MappingKey, xero_id: XeroId) -> ItemWrite {
    let MappingKey { ledger, kind, crm_id } = key.clone();
    let reverse = ReverseLink { ledger, kind, xero_id, crm_id };
    ItemWrite::Put { item: encode_item(&reverse), expect: WriteExpectation::Absent }
}

/// Builds the condition that no record waits for a record.
fn check_unawaited(record: &MappingKey) -> ItemWrite {
    ItemWrite::Check { key: keys::awaited_key(record), expect: WriteExpectation::Absent }
}

/// Builds the row of an entry of the sync log.
pub(crate) fn new_log_entry(entry: &LogEntry) -> ItemWrite {
    let item = encode_item(&entry.clone().with_clipped_message());
    ItemWrite::Put { item, expect: WriteExpectation::Absent }
}

/// Builds the row of an undelivered event.
pub(crate) fn new_event(event: &EventMessage) -> ItemWrite {
    ItemWrite::Put { item: encode_item(event), expect: WriteExpectation::Absent }
}
