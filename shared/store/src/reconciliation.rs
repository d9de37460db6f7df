//! Reconciliation: its progress, its findings, and the clients that it links.

use domain::ids::{AccountId, Ledger, XeroId};
use domain::mapping::Mapping;
use domain::matching::MatchingSettings;
use domain::outbound::EventMessage;
use domain::reconciliation::{ContactReconciliation, FindingsPage};
use jiff::Timestamp;

use crate::keys;
use crate::records::KeptMatching;
use crate::results::{StoreError, VersionedRecord, VersionedSetting};
use crate::store::{Store, encode_item, new_event, new_link};
use crate::table::{ItemVersion, ItemWrite, WriteExpectation};

/// Maximum number of clients per step: each takes two rows, and a transaction has at most a
/// hundred. A step whose rows are too large together is repeated with fewer clients.
pub const STEP_MAX: u16 = 45;

/// What one step of a reconciliation writes besides the progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReconciliationStep<'a> {
    /// What was found for clients without a contact.
    pub findings: &'a [FindingsPage],
    /// The clients that are linked, with the versions of their rows and their contacts.
    pub linked: &'a [(Mapping, ItemVersion, XeroId)],
    /// The events about these clients.
    pub events: &'a [EventMessage],
}

impl Store {
    /// Reads a ledger's newest reconciliation.
    pub async fn find_reconciliation(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<VersionedRecord<ContactReconciliation>>, StoreError> {
        self.read_record("read the reconciliation", &keys::reconciliation_key(ledger)).await
    }

    /// Writes a ledger's reconciliation.
    pub async fn put_reconciliation(
        &self,
        reconciliation: &ContactReconciliation,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the reconciliation", reconciliation, expect).await
    }

    /// Reads an account's matching settings, or the defaults, with the version of their row.
    pub async fn find_matching_settings(
        &self,
        account: &AccountId,
    ) -> Result<VersionedSetting<MatchingSettings>, StoreError> {
        let row = self.find_kept_matching(account).await?;
        Ok(VersionedSetting::from_row(row, |kept| kept.settings))
    }

    /// Writes an account's matching settings, if the version of their row is `expected`; `None`
    /// accepts every version. Returns whether they were written.
    pub async fn replace_matching_settings(
        &self,
        account: &AccountId,
        settings: MatchingSettings,
        expected: Option<u64>,
    ) -> Result<bool, StoreError> {
        let read = move || self.find_kept_matching(account);
        let change = move |_: Option<KeptMatching>| KeptMatching {
            account: account.clone(),
            settings: settings.clone(),
        };
        self.update_settings("write the matching settings", read, expected, change).await
    }

    async fn find_kept_matching(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<KeptMatching>>, StoreError> {
        self.read_record("read the matching settings", &keys::matching_key(account)).await
    }

    /// Writes one step in one transaction: the clients it links, which were not linked before, the
    /// events about them, its findings and the progress. Nothing is written if one of the rows has changed or a contact
    /// already belongs to another client. A step that does not fit into a transaction is a
    /// [`StoreError::TooLarge`].
    pub async fn put_reconciliation_step(
        &self,
        reconciliation: &ContactReconciliation,
        version: ItemVersion,
        step: ReconciliationStep<'_>,
    ) -> Result<ItemVersion, StoreError> {
        let ReconciliationStep { findings, linked, events } = step;
        let expect = WriteExpectation::Version(version);
        let mut writes = vec![ItemWrite::Put { item: encode_item(reconciliation), expect }];
        let pages = findings.iter().map(encode_item);
        writes.extend(pages.map(|item| ItemWrite::Put { item, expect: WriteExpectation::Absent }));
        writes.extend(events.iter().map(new_event));
        for (mapping, version, xero_id) in linked {
            let expect = WriteExpectation::Version(*version);
            writes.push(ItemWrite::Put { item: encode_item(mapping), expect });
            writes.push(new_link(&mapping.key, *xero_id));
        }
        self.write_all("write a step of the reconciliation", writes).await?;
        Ok(expect.next_version())
    }

    /// Reads a page of the findings of the comparison that started at `started_at`. Pages are
    /// numbered from 0. `None` if there is no such page, or no longer.
    pub async fn find_findings_page(
        &self,
        ledger: &Ledger,
        started_at: Timestamp,
        page: u32,
    ) -> Result<Option<FindingsPage>, StoreError> {
        let key = keys::findings_key(ledger, started_at, page);
        let found: Option<VersionedRecord<FindingsPage>> =
            self.read_record("read the findings", &key).await?;
        Ok(found.map(|found| found.record))
    }
}

#[cfg(test)]
mod tests {
    use super::STEP_MAX;
    use crate::table::MAX_WRITES;

    #[test]
    fn a_step_that_links_all_its_clients_fits_into_a_transaction() {
        let (reconciliation, findings) = (1, 1);
        assert!(reconciliation + findings + 2 * usize::from(STEP_MAX) <= MAX_WRITES);
    }
}
