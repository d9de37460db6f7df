//! How far Xero has been read for money, and the invoices and parts of payments that it is read for.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, PaymentId};
use domain::mapping::Mapping;
use domain::poll::Progress;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::store::{Store, decode};
use crate::table::{Expect, Index, IndexQuery, Order, Query, SortRange, Version};

/// A page of open invoices, and where the next one begins.
#[derive(Debug, Clone)]
pub struct OpenPage {
    /// The invoices in the CRM.
    pub invoices: Vec<CrmId>,
    /// The place of the last one, if there are more.
    pub next: Option<String>,
}

impl Store {
    /// How far a ledger has been read.
    pub async fn progress(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<Versioned<Progress>>, StoreError> {
        self.read("read the progress", &keys::progress(ledger)).await
    }

    /// Writes how far a ledger has been read.
    pub async fn put_progress(
        &self,
        progress: &Progress,
        expect: Expect,
    ) -> Result<Version, StoreError> {
        self.put("write the progress", progress, expect).await
    }

    /// Invoices of a ledger that somebody still has to pay: those after a place, the ones longest
    /// untouched first.
    pub async fn open_invoices(
        &self,
        ledger: &Ledger,
        after: Option<&str>,
        limit: NonZeroU16,
    ) -> Result<OpenPage, StoreError> {
        self.open_page(ledger, SortRange::All, after, limit).await
    }

    /// Invoices of a ledger on which something is to be observed that a write or a look has shown.
    pub async fn unseen_invoices(
        &self,
        ledger: &Ledger,
        limit: NonZeroU16,
    ) -> Result<Vec<CrmId>, StoreError> {
        let page = self.open_page(ledger, SortRange::Prefix(keys::unseen()), None, limit).await?;
        Ok(page.invoices)
    }

    async fn open_page(
        &self,
        ledger: &Ledger,
        range: SortRange,
        after: Option<&str>,
        limit: NonZeroU16,
    ) -> Result<OpenPage, StoreError> {
        let query = IndexQuery {
            index: Index::Open,
            pk: keys::ledger(ledger),
            range,
            order: Order::Ascending,
            limit,
            after: after.and_then(|sort| keys::open_entry(ledger, sort)),
        };
        let page = self.table.query_index(query).await;
        let page =
            page.map_err(|source| StoreError::Table { operation: "find what is open", source })?;
        let invoices = page.entries.iter().filter_map(|entry| keys::read_mapping(&entry.key));
        let invoices = invoices.map(|key| key.crm_id).collect();
        Ok(OpenPage { invoices, next: page.next.map(|entry| entry.index.sk) })
    }

    /// The parts of a payment, and those of other payments whose ids begin like this one's: the caller tells
    /// them apart.
    pub async fn parts(
        &self,
        ledger: &Ledger,
        payment: &PaymentId,
    ) -> Result<Vec<Versioned<Mapping>>, StoreError> {
        const OPERATION: &str = "list the parts of a payment";
        let mut rows: Vec<Versioned<Mapping>> = Vec::new();
        let mut after = None;
        loop {
            let query = Query {
                pk: keys::ledger(ledger),
                range: SortRange::Prefix(keys::parts(payment)),
                order: Order::Ascending,
                limit: NonZeroU16::new(100).expect("not zero"),
                after,
            };
            let page = self.table.query(query).await;
            let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
            for item in page.items {
                rows.push(decode(item)?);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        debug_assert!(rows.iter().all(|row| row.record.key.kind == EntityKind::Payment));
        Ok(rows)
    }
}
