//! Whether the books agree: the newest comparison of the open balances in the CRM with those in
//! Xero.

use domain::books::BooksComparison;
use domain::ids::AccountId;
use store::StoreError;

use crate::Engine;
use crate::connection::ledgers::find_records_ledger;

/// Returns the comparison of the books of the organisation that an account is or was last connected
/// to. `None` if they were never compared.
pub async fn find_comparison(
    engine: &Engine,
    account: &AccountId,
) -> Result<Option<BooksComparison>, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let comparison = engine.store.find_books_comparison(&ledger).await?;
    Ok(comparison.map(|row| row.record))
}
