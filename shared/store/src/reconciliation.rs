//! Reconciliation: its progress, its findings, and the clients that it links.

use domain::ids::{Ledger, XeroId};
use domain::mapping::Mapping;
use domain::reconciliation::{Findings, Reconciliation};
use jiff::Timestamp;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::store::{Store, encode, new_link};
use crate::table::{Expect, Version, Write};

/// Maximum number of clients per step: each takes two rows, and a transaction has at most a
/// hundred. A step whose rows are too large together is repeated with fewer clients.
pub const STEP_MAX: u16 = 45;

impl Store {
    /// Reads a ledger's newest reconciliation.
    pub async fn reconciliation(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<Versioned<Reconciliation>>, StoreError> {
        self.read("read the reconciliation", &keys::reconciliation(ledger)).await
    }

    /// Writes a ledger's reconciliation.
    pub async fn put_reconciliation(
        &self,
        reconciliation: &Reconciliation,
        expect: Expect,
    ) -> Result<Version, StoreError> {
        self.put("write the reconciliation", reconciliation, expect).await
    }

    /// Writes one step in one transaction: the clients it links, which were not linked before, its
    /// findings and the progress. Nothing is written if one of the rows has changed or a contact
    /// already belongs to another client. A step that does not fit into a transaction is a
    /// [`StoreError::TooLarge`].
    pub async fn put_step(
        &self,
        reconciliation: &Reconciliation,
        version: Version,
        findings: &[Findings],
        linked: &[(Mapping, Version, XeroId)],
    ) -> Result<Version, StoreError> {
        let expect = Expect::Version(version);
        let mut writes = vec![Write::Put { item: encode(reconciliation), expect }];
        let pages = findings.iter().map(encode);
        writes.extend(pages.map(|item| Write::Put { item, expect: Expect::Absent }));
        for (mapping, version, xero_id) in linked {
            let expect = Expect::Version(*version);
            writes.push(Write::Put { item: encode(mapping), expect });
            writes.push(new_link(&mapping.key, *xero_id));
        }
        self.write("write a step of the reconciliation", writes).await?;
        Ok(expect.next_version())
    }

    /// Reads a page of findings.
    pub async fn findings(
        &self,
        ledger: &Ledger,
        started_at: Timestamp,
        page: u32,
    ) -> Result<Option<Findings>, StoreError> {
        let key = keys::findings(ledger, started_at, page);
        let found: Option<Versioned<Findings>> = self.read("read the findings", &key).await?;
        Ok(found.map(|found| found.record))
    }
}
