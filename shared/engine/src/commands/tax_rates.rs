//! The tax rates of the CRM's documents, and what each becomes in Xero.

use std::num::NonZeroU16;

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::credit_note::CreditNote;
use domain::crm::invoice::Invoice;
use domain::crm::lines::DocumentLine;
use domain::entity::EntityKind;
use domain::ids::Ledger;
use domain::translate::{UsedRate, resolve_rates};
use serde::de::DeserializeOwned;
use store::StoreError;

use crate::Engine;

/// Maximum number of documents of each kind that are read: one page of the table.
const DOCUMENTS_READ: NonZeroU16 = NonZeroU16::new(200).expect("not zero");

/// Returns the rates of a sample of an account's invoices and credit notes, at most 200 of each, in
/// ascending order.
pub(crate) async fn list_rates_used(
    engine: &Engine,
    ledger: &Ledger,
    codes: &AccountCodes,
    chart: &Chart,
) -> Result<Vec<UsedRate>, StoreError> {
    let invoices = read_snapshots::<Invoice>(engine, ledger, EntityKind::Invoice).await?;
    let notes = read_snapshots::<CreditNote>(engine, ledger, EntityKind::CreditNote).await?;
    let mut lines: Vec<DocumentLine> =
        invoices.into_iter().flat_map(|invoice| invoice.lines).collect();
    lines.extend(notes.into_iter().flat_map(|note| note.lines));
    Ok(resolve_rates(&lines, codes, chart))
}

/// Reads the newest snapshots of a page of records. Records that cannot be read are left out.
async fn read_snapshots<T: DeserializeOwned>(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
) -> Result<Vec<T>, StoreError> {
    let page = engine.store.list_mappings(ledger, kind, None, DOCUMENTS_READ).await?;
    engine.report_unreadable(&ledger.account, &page.unreadable);
    let snapshots = page.rows.iter().map(|row| &row.record.snapshot.json);
    Ok(snapshots.filter_map(|json| serde_json::from_str(json).ok()).collect())
}
