//! Records that are failing, were given up or wait, by ledger. They come from the `attention` index,
//! which lags behind the table by about a second.

use std::num::NonZeroU16;

use domain::ids::{CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::operation::AttentionReason;
use jiff::Timestamp;

use crate::keys;
use crate::results::StoreError;
use crate::store::Store;
use crate::table::{
    IndexEntry, IndexPage, IndexQuery, PageCursor, SortOrder, SortRange, TableIndex,
};

/// Entries read per page.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");
/// Maximum number of records that are counted. There may be more.
pub const COUNTED_MAX: u32 = 20_000;

/// A record that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsAttention {
    /// The record.
    pub key: MappingKey,
    /// When its last attempt failed, if the row records it.
    pub failed_at: Option<Timestamp>,
    /// Its place in the list. A page that starts after it begins with the next record.
    pub place: PageCursor,
}

/// How many records need attention, and the newest of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttentionCount {
    /// The number of records, at most [`COUNTED_MAX`].
    pub count: u32,
    /// The record whose attempt failed most recently.
    pub newest: Option<NeedsAttention>,
}

/// A page of records that need attention, the newest failure first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttentionPage {
    /// The records. Entries may be outdated: read the row before deciding anything.
    pub records: Vec<NeedsAttention>,
    /// Where the next page starts, if there is one.
    pub next: Option<PageCursor>,
}

impl Store {
    /// Reads a page of the records of a ledger that need attention for one reason. A cursor that no
    /// page of this list ended with results in an empty last page.
    pub async fn list_attention(
        &self,
        ledger: &Ledger,
        attention: AttentionReason,
        after: Option<&PageCursor>,
        limit: NonZeroU16,
    ) -> Result<AttentionPage, StoreError> {
        let after = after.map(|cursor| keys::attention_entry(ledger, cursor.sort_key()));
        let after = match after {
            Some(None) => return Ok(AttentionPage::default()),
            Some(entry) => entry,
            None => None,
        };
        let page = self.read_reason_page(ledger, attention, limit, after).await?;
        let next = page.next.map(|entry| PageCursor::at_sort_key(entry.index.sk));
        let records = page.entries.iter().filter_map(parse_attention_entry).collect();
        Ok(AttentionPage { records, next })
    }

    async fn read_reason_page(
        &self,
        ledger: &Ledger,
        attention: AttentionReason,
        limit: NonZeroU16,
        after: Option<IndexEntry>,
    ) -> Result<IndexPage, StoreError> {
        let (operation, prefix) =
            ("find records that need attention", keys::attention_prefix(attention));
        self.read_attention_page(operation, ledger, prefix, limit, after).await
    }

    /// Reads a page of the entries of a ledger in the `attention` index whose sort keys have this
    /// prefix, beginning with the newest.
    pub(crate) async fn read_attention_page(
        &self,
        operation: &'static str,
        ledger: &Ledger,
        prefix: &str,
        limit: NonZeroU16,
        after: Option<IndexEntry>,
    ) -> Result<IndexPage, StoreError> {
        let query = IndexQuery {
            index: TableIndex::Attention,
            pk: keys::ledger_partition(ledger),
            range: SortRange::Prefix(prefix.to_owned()),
            order: SortOrder::Descending,
            limit,
            after,
        };
        let page = self.table.query_index(query).await;
        page.map_err(|source| StoreError::Table { operation, source })
    }

    /// Lists invoices of a ledger with a payment in Xero that a user must decide about, each once,
    /// beginning with the newest. Entries may be outdated: read the payments before deciding
    /// anything.
    pub async fn list_invoices_with_unclear_payments(
        &self,
        ledger: &Ledger,
        limit: NonZeroU16,
    ) -> Result<Vec<CrmId>, StoreError> {
        let (operation, prefix) = ("find payments that need a decision", keys::UNCLEAR_PREFIX);
        let page = self.read_attention_page(operation, ledger, prefix, limit, None).await?;
        let mut invoices: Vec<CrmId> = Vec::new();
        for entry in &page.entries {
            let Some(invoice) = keys::read_invoice(&entry.key) else { continue };
            if !invoices.contains(&invoice) {
                invoices.push(invoice);
            }
        }
        Ok(invoices)
    }

    /// Counts the records of a ledger that need attention for one reason.
    pub async fn count_attention(
        &self,
        ledger: &Ledger,
        attention: AttentionReason,
    ) -> Result<AttentionCount, StoreError> {
        let mut counted = AttentionCount::default();
        let mut after: Option<IndexEntry> = None;
        loop {
            let page = self.read_reason_page(ledger, attention, PAGE, after).await?;
            for entry in &page.entries {
                let Some(record) = parse_attention_entry(entry) else { continue };
                counted.count += 1;
                counted.newest.get_or_insert(record);
            }
            after = page.next;
            if after.is_none() || counted.count >= COUNTED_MAX {
                counted.count = counted.count.min(COUNTED_MAX);
                return Ok(counted);
            }
        }
    }
}

fn parse_attention_entry(entry: &IndexEntry) -> Option<NeedsAttention> {
    let key = keys::read_mapping(&entry.key)?;
    let place = PageCursor::at_sort_key(&entry.index.sk);
    Some(NeedsAttention { key, failed_at: keys::read_failed_at(entry), place })
}
