//! The invoices of payments that are recorded and not written to Xero.

use domain::ids::{AccountId, PaymentId};
use domain::invoice_payments::PaidInvoices;

use crate::keys;
use crate::results::{StoreError, VersionedRecord};
use crate::store::Store;
use crate::table::{ItemVersion, WriteExpectation};

impl Store {
    /// Reads the invoices of a payment that was only recorded. `None` if it was not, or by a release
    /// that did not store them.
    pub async fn find_paid_invoices(
        &self,
        account: &AccountId,
        payment: &PaymentId,
    ) -> Result<Option<VersionedRecord<PaidInvoices>>, StoreError> {
        let key = keys::paid_invoices_key(account, payment);
        self.read_record("read the invoices of a payment", &key).await
    }

    /// Writes the invoices of a payment that is only recorded.
    pub async fn put_paid_invoices(
        &self,
        paid: &PaidInvoices,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the invoices of a payment", paid, expect).await
    }
}
