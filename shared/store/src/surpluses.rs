//! Overpayments and prepayments of clients. The undecided ones are in the `attention` index, which
//! lags behind the table by about a second.

use std::num::NonZeroU16;

use domain::ids::{Ledger, XeroId};
use domain::outbound::EventMessage;
use domain::surplus::Surplus;

use crate::keys;
use crate::results::{StoreError, VersionedRecord};
use crate::store::{Store, encode_item, new_event};
use crate::table::{IndexEntry, IndexPage, ItemWrite, WriteExpectation};

/// A page of overpayments and prepayments.
#[derive(Debug, Clone)]
pub struct SurplusPage {
    /// Xero's ids of them.
    pub surpluses: Vec<XeroId>,
    /// The position of the last one, if there may be more.
    pub next: Option<String>,
}

impl Store {
    /// Reads an overpayment or prepayment.
    pub async fn find_surplus(
        &self,
        ledger: &Ledger,
        id: XeroId,
    ) -> Result<Option<VersionedRecord<Surplus>>, StoreError> {
        self.read_record("read the overpayment", &keys::surplus_key(ledger, id)).await
    }

    /// Writes an overpayment or prepayment and its event in one transaction.
    pub async fn put_surplus(
        &self,
        surplus: &Surplus,
        expect: WriteExpectation,
        event: Option<&EventMessage>,
    ) -> Result<(), StoreError> {
        let mut writes = vec![ItemWrite::Put { item: encode_item(surplus), expect }];
        writes.extend(event.map(new_event));
        self.write_all("write the overpayment", writes).await
    }

    /// Lists overpayments and prepayments of a ledger that a person must decide about, beginning
    /// with the newest. Entries may be outdated: read the row before deciding anything.
    pub async fn list_open_surpluses(
        &self,
        ledger: &Ledger,
        limit: NonZeroU16,
    ) -> Result<Vec<XeroId>, StoreError> {
        let page = self.read_surplus_page(ledger, keys::SURPLUS_PREFIX, limit, None).await?;
        Ok(page.entries.iter().filter_map(|entry| keys::read_surplus(&entry.key)).collect())
    }

    /// Returns overpayments and prepayments of a ledger after a position that still have an amount
    /// left and await a decision, including those that belong to no client. Entries may be outdated.
    /// A position that no page of this list ended with counts as the beginning.
    pub async fn list_undecided_surpluses(
        &self,
        ledger: &Ledger,
        after: Option<&str>,
        limit: NonZeroU16,
    ) -> Result<SurplusPage, StoreError> {
        let prefix = keys::UNDECIDED_SURPLUS_PREFIX;
        let after = after.filter(|sort| sort.starts_with(prefix));
        let after = after.and_then(|sort| keys::surplus_entry(ledger, sort));
        let page = self.read_surplus_page(ledger, prefix, limit, after).await?;
        let surpluses = page.entries.iter().filter_map(|entry| keys::read_surplus(&entry.key));
        Ok(SurplusPage {
            surpluses: surpluses.collect(),
            next: page.next.map(|entry| entry.index.sk),
        })
    }

    async fn read_surplus_page(
        &self,
        ledger: &Ledger,
        prefix: &str,
        limit: NonZeroU16,
        after: Option<IndexEntry>,
    ) -> Result<IndexPage, StoreError> {
        let operation = "find overpayments that need a decision";
        self.read_attention_page(operation, ledger, prefix, limit, after).await
    }
}
