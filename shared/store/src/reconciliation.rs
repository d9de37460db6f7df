//! Reconciliation: how far it is, what it found, and the clients it linked.

use domain::ids::{Ledger, XeroId};
use domain::mapping::Mapping;
use domain::reconciliation::{Findings, Reconciliation};
use jiff::Timestamp;

use crate::answers::{StoreError, Versioned};
use crate::keys;
use crate::store::{Store, encode, new_link};
use crate::table::{Expect, Version, Write};

/// The most clients of one step: each takes two rows, and a transaction holds a hundred. A step whose rows are
/// too large together is taken again with fewer.
pub const STEP_MAX: u16 = 45;

impl Store {
    /// A ledger's newest reconciliation.
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

    /// Writes one step: the clients it linked, of which none was linked before, what it found, and how far
    /// it came. All or nothing, and nothing if any of the rows has moved or any contact is somebody's already.
    /// A step that does not fit into a transaction is a [`StoreError::TooLarge`].
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
        self.write("write what the reconciliation found", writes).await?;
        Ok(expect.next_version())
    }

    /// A page of findings.
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
