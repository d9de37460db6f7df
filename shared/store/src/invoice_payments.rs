//! The payments of an invoice: one row that every change writes, and one row per payment, so that
//! no row grows with the number of payments.
//!
//! Earlier releases kept all payments in the first row. They are read from there, and every change
//! moves a few of them to rows of their own.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::Range;

use domain::ids::{CrmId, Ledger};
use domain::invoice_payments::InvoicePayments;
use domain::mapping::Mapping;
use domain::outbound::EventMessage;

use crate::keys;
use crate::records::{KeptPayment, PaymentSide, StoredRecord};
use crate::results::{StoreError, VersionedRecord};
use crate::store::{Store, decode_item, encode_item, new_event};
use crate::table::{
    ItemKey, ItemVersion, ItemWrite, MAX_WRITES, PageCursor, SortOrder, SortRange, TableQuery,
    WriteExpectation,
};

/// Rows read per page.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

/// Payments of each side that one change moves out of the first row. Together with the maximum of
/// other rows in a change (the first row, the mapping, `CHANGES_MAX` payments, and four events
/// more than that) they fit into the hundred writes of a transaction.
const MOVED_MAX: usize = 7;

/// The payments of an invoice, as its rows hold it.
#[derive(Debug, Clone)]
pub struct InvoicePaymentRows {
    /// The payments.
    pub record: InvoicePayments,
    /// The first row, with the payments that an earlier release stored in it.
    head: InvoicePayments,
    expect: WriteExpectation,
    versions: BTreeMap<ItemKey, ItemVersion>,
}

impl InvoicePaymentRows {
    /// No rows: the invoice has no known payments yet.
    pub fn without_payments(ledger: Ledger, invoice: CrmId) -> Self {
        let record = InvoicePayments::new(ledger, invoice);
        let head = record.clone();
        Self { record, head, expect: WriteExpectation::Absent, versions: BTreeMap::new() }
    }

    fn from_rows(
        head: VersionedRecord<InvoicePayments>,
        mut rows: Vec<VersionedRecord<KeptPayment>>,
    ) -> Self {
        let VersionedRecord { record: head, version } = head;
        let mut record = head.clone();
        let mut versions = BTreeMap::new();
        rows.sort_by_key(|row| row.record.place);
        for VersionedRecord { record: row, version } in rows {
            versions.insert(row.item_key(), version);
            match row.payment {
                PaymentSide::Recorded(one) => put_at(&mut record.recorded, row.place, one),
                PaymentSide::Received(one) => put_at(&mut record.received, row.place, one),
            }
        }
        Self { record, head, expect: WriteExpectation::Version(version), versions }
    }

    /// Returns the first row after these payments are written. It holds fewer of the old payments,
    /// unchanged.
    fn next_head(&self, after: &InvoicePayments) -> InvoicePayments {
        let (recorded, received) = (&self.head.recorded, &self.head.received);
        InvoicePayments {
            recorded: recorded.iter().take(kept_in_head(recorded.len())).cloned().collect(),
            received: received.iter().take(kept_in_head(received.len())).cloned().collect(),
            is_beyond_limit: after.is_beyond_limit,
            refunds: after.refunds.clone(),
            decided_at: after.decided_at,
            total_difference: after.total_difference,
            ..InvoicePayments::new(after.ledger.clone(), after.invoice.clone())
        }
    }

    /// Returns the payments to write so that the rows hold `after`.
    fn changed_payments(&self, after: &InvoicePayments) -> Vec<KeptPayment> {
        let row = |place: usize, payment: PaymentSide| KeptPayment {
            ledger: after.ledger.clone(),
            invoice: after.invoice.clone(),
            place,
            payment,
        };
        let (before, head) = (&self.record, &self.head);
        let recorded =
            find_changed(&before.recorded, &after.recorded, moved_range(head.recorded.len()));
        let received =
            find_changed(&before.received, &after.received, moved_range(head.received.len()));
        let recorded = recorded.map(|(place, one)| row(place, PaymentSide::Recorded(one.clone())));
        let received = received.map(|(place, one)| row(place, PaymentSide::Received(one.clone())));
        recorded.chain(received).collect()
    }
}

/// Inserts a payment from its own row. It replaces the version that an earlier release stored in
/// the first row.
fn put_at<T>(list: &mut Vec<T>, place: usize, one: T) {
    match list.get_mut(place) {
        Some(slot) => *slot = one,
        None => list.push(one),
    }
}

/// Returns how many of `count` payments stay in the first row.
const fn kept_in_head(count: usize) -> usize {
    count.saturating_sub(MOVED_MAX)
}

/// Returns the positions of the payments, of `count`, that are moved out of the first row.
fn moved_range(count: usize) -> Range<usize> {
    kept_in_head(count)..count
}

fn find_changed<'a, T: PartialEq>(
    before: &'a [T],
    after: &'a [T],
    moved: Range<usize>,
) -> impl Iterator<Item = (usize, &'a T)> {
    after
        .iter()
        .enumerate()
        .filter(move |(place, one)| moved.contains(place) || before.get(*place) != Some(*one))
}

impl Store {
    /// Reads the payments of an invoice. `None` if none is known.
    pub async fn find_invoice_payments(
        &self,
        ledger: &Ledger,
        invoice: &CrmId,
    ) -> Result<Option<InvoicePaymentRows>, StoreError> {
        const OPERATION: &str = "read the invoice payments";
        let head_key = keys::invoice_payments_key(ledger, invoice);
        let (mut head, mut rows, mut after) = (None, Vec::new(), None);
        loop {
            let query = TableQuery {
                pk: keys::ledger_partition(ledger),
                range: keys::invoice_payments_range(invoice),
                order: SortOrder::Ascending,
                limit: PAGE,
                after,
            };
            let page = self.table.query_items(query).await;
            let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
            // The payments of an invoice are read as a whole or not at all.
            if let Some(corrupt) = page.corrupt.into_iter().next() {
                return Err(StoreError::Table { operation: OPERATION, source: corrupt.into() });
            }
            for item in page.items {
                // The first row is read first. If another row changes afterwards, the next write is
                // refused.
                if item.key == head_key {
                    head = Some(decode_item::<InvoicePayments>(item)?);
                } else {
                    rows.push(decode_item::<KeptPayment>(item)?);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(head.map(|head| InvoicePaymentRows::from_rows(head, rows)))
    }

    /// Writes the payments of an invoice, its mapping if it changed, and the events, in one
    /// transaction that fails if the payments have changed since they were read. Returns the rows
    /// after the write.
    ///
    /// A change may affect at most [`CHANGES_MAX`](domain::invoice_payments::CHANGES_MAX) payments
    /// and report at most four events more than that; a larger one is a [`StoreError::TooLarge`].
    pub async fn put_invoice_payments(
        &self,
        before: &InvoicePaymentRows,
        after: InvoicePayments,
        mapping: Option<(&Mapping, ItemVersion)>,
        events: &[EventMessage],
    ) -> Result<InvoicePaymentRows, StoreError> {
        let head = before.next_head(&after);
        let mut versions = before.versions.clone();
        let mut writes = vec![ItemWrite::Put { item: encode_item(&head), expect: before.expect }];
        for row in before.changed_payments(&after) {
            let key = row.item_key();
            let expect = WriteExpectation::from(versions.get(&key).copied());
            writes.push(ItemWrite::Put { item: encode_item(&row), expect });
            versions.insert(key, expect.next_version());
        }
        writes.extend(mapping.map(|(mapping, version)| ItemWrite::Put {
            item: encode_item(mapping),
            expect: WriteExpectation::Version(version),
        }));
        writes.extend(events.iter().map(new_event));
        self.write_all("write the invoice payments", writes).await?;
        let expect = WriteExpectation::Version(before.expect.next_version());
        Ok(InvoicePaymentRows { record: after, head, expect, versions })
    }
}

impl Store {
    /// Returns invoices of a ledger with known payments after `after`, in the order of their ids.
    pub async fn list_invoices_with_payments(
        &self,
        ledger: &Ledger,
        after: Option<&CrmId>,
        limit: NonZeroU16,
    ) -> Result<Vec<CrmId>, StoreError> {
        const OPERATION: &str = "list the invoice payments";
        let query = TableQuery {
            pk: keys::ledger_partition(ledger),
            range: SortRange::Prefix(keys::INVOICE_PAYMENTS_PREFIX.to_owned()),
            order: SortOrder::Ascending,
            limit,
            after: after
                .map(|invoice| PageCursor::at_sort_key(keys::invoice_payments_end(invoice))),
        };
        let page = self.table.query_items(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let corrupt = page.corrupt.iter().map(|item| &item.key);
        let mut found: Vec<&ItemKey> =
            page.items.iter().map(|item| &item.key).chain(corrupt).collect();
        found.sort();
        let mut invoices: Vec<CrmId> = found.into_iter().filter_map(keys::read_invoice).collect();
        invoices.dedup();
        Ok(invoices)
    }

    /// Removes the payments of an invoice that have moved to another ledger, then the first
    /// row. Rows that were written in the meantime stay.
    pub async fn remove_invoice_payments(
        &self,
        rows: &InvoicePaymentRows,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "remove the invoice payments";
        let payments = rows.versions.iter().map(|(key, version)| (key.clone(), *version));
        let head = keys::invoice_payments_key(&rows.head.ledger, &rows.head.invoice);
        let head = match rows.expect {
            WriteExpectation::Version(version) => Some((head, version)),
            WriteExpectation::Absent | WriteExpectation::AbsentWithFirst(_) => None,
        };
        let deletes = payments.chain(head).map(|(key, expect)| ItemWrite::Delete { key, expect });
        for some in deletes.collect::<Vec<_>>().chunks(MAX_WRITES) {
            match self.write_all(OPERATION, some.to_vec()).await {
                Ok(()) => {}
                Err(StoreError::Conflict) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::invoice_payments::CHANGES_MAX;

    use super::MOVED_MAX;
    use crate::table::MAX_WRITES;

    #[test]
    fn the_largest_change_fits_into_one_transaction() {
        // Besides the payments: possible duplicates, the limit was exceeded, the invoice's status, and
        // the amount due.
        let (head, mapping, events) = (1, 1, CHANGES_MAX + 4);
        assert!(head + mapping + CHANGES_MAX + events + 2 * MOVED_MAX <= MAX_WRITES);
    }
}
