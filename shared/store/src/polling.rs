//! The progress of reading payments from Xero, and the invoices and payment parts concerned.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, PaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::poll::PollProgress;

use crate::keys;
use crate::results::{PaymentParts, StoreError, VersionedRecord};
use crate::store::{Store, decode_all};
use crate::table::{
    IndexEntry, IndexQuery, ItemVersion, SortOrder, SortRange, TableIndex, TableQuery,
    WriteExpectation,
};

/// A page of open invoices, or of credit notes with credit left.
#[derive(Debug, Clone)]
pub struct OpenPage {
    /// The ids of the documents in the CRM.
    pub documents: Vec<CrmId>,
    /// The position of the last one, if there may be more.
    pub next: Option<String>,
}

fn open_query(
    pk: String,
    range: SortRange,
    after: Option<IndexEntry>,
    limit: NonZeroU16,
) -> IndexQuery {
    let (index, order) = (TableIndex::Open, SortOrder::Ascending);
    IndexQuery { index, pk, range, order, limit, after }
}

impl Store {
    /// Reads the poll progress of a ledger.
    pub async fn find_poll_progress(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<VersionedRecord<PollProgress>>, StoreError> {
        self.read_record("read the progress", &keys::poll_progress_key(ledger)).await
    }

    /// Writes the poll progress of a ledger.
    pub async fn put_poll_progress(
        &self,
        progress: &PollProgress,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the progress", progress, expect).await
    }

    /// Returns unpaid invoices of a ledger after a position, those unchanged for longest first.
    pub async fn list_open_invoices(
        &self,
        ledger: &Ledger,
        after: Option<&str>,
        limit: NonZeroU16,
    ) -> Result<OpenPage, StoreError> {
        let after = after.and_then(|sort| keys::open_entry(ledger, sort));
        let query = open_query(keys::ledger_partition(ledger), SortRange::All, after, limit);
        self.read_open_page("find open invoices", query).await
    }

    /// Returns credit notes of a ledger with credit left after a position, in the order of their ids.
    /// Notes that only an earlier release wrote are not among them.
    pub async fn list_open_notes(
        &self,
        ledger: &Ledger,
        after: Option<&str>,
        limit: NonZeroU16,
    ) -> Result<OpenPage, StoreError> {
        let key = |id| MappingKey::new(ledger.clone(), EntityKind::CreditNote, id);
        let after = after.and_then(|id| CrmId::new(id).ok());
        let after = after.map(|id| keys::open_note_entry(&key(id)));
        let query = open_query(keys::open_note_partition(ledger), SortRange::All, after, limit);
        self.read_open_page("find credit notes with credit left", query).await
    }

    /// Returns invoices of a ledger with changes that a write or a read has shown and that have not
    /// been observed, and those that the last read did not show.
    pub async fn list_unseen_invoices(
        &self,
        ledger: &Ledger,
        limit: NonZeroU16,
    ) -> Result<Vec<CrmId>, StoreError> {
        let range = SortRange::Prefix(keys::unseen_prefix());
        let query = open_query(keys::ledger_partition(ledger), range, None, limit);
        Ok(self.read_open_page("find open invoices", query).await?.documents)
    }

    async fn read_open_page(
        &self,
        operation: &'static str,
        query: IndexQuery,
    ) -> Result<OpenPage, StoreError> {
        let page = self.table.query_index(query).await;
        let page = page.map_err(|source| StoreError::Table { operation, source })?;
        let documents = page.entries.iter().filter_map(|entry| keys::read_mapping(&entry.key));
        let documents = documents.map(|key| key.crm_id).collect();
        Ok(OpenPage { documents, next: page.next.map(|entry| entry.index.sk) })
    }

    /// Returns all parts of a payment. An unreadable row does not prevent reading the others.
    pub async fn list_payment_parts(
        &self,
        ledger: &Ledger,
        payment: &PaymentId,
    ) -> Result<PaymentParts, StoreError> {
        const OPERATION: &str = "list the parts of a payment";
        let mut parts = PaymentParts { rows: Vec::new(), unreadable: Vec::new() };
        let mut after = None;
        loop {
            let query = TableQuery {
                pk: keys::ledger_partition(ledger),
                range: SortRange::Prefix(keys::part_prefix(payment)),
                order: SortOrder::Ascending,
                limit: NonZeroU16::new(100).expect("not zero"),
                after,
            };
            let page = self.table.query_items(query).await;
            let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
            let (rows, unreadable) = decode_all::<Mapping>(OPERATION, page.items, page.corrupt);
            // Payments whose ids begin with this one's have the same prefix.
            let rows = rows
                .into_iter()
                .filter(|row| keys::is_part(&keys::mapping_key(&row.record.key), payment));
            parts.rows.extend(rows);
            let of_payment = unreadable.into_iter().filter(|error| {
                error.unreadable_key().is_some_and(|key| keys::is_part(key, payment))
            });
            parts.unreadable.extend(of_payment);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        debug_assert!(parts.rows.iter().all(|row| row.record.key.kind == EntityKind::Payment));
        Ok(parts)
    }
}
