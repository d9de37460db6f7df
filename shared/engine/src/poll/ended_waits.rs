//! Releases what waited for a change of an invoice in Xero once a poll has recorded that change.
//! The invoices of a group are collected first, so that their dependants share wake-ups.

use domain::ids::Ledger;
use domain::invoice_payments::InvoicePayments;
use domain::mapping::Mapping;
use futures::FutureExt;

use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::release::{
    ChangedDocument, DecidedPayment, list_decided_payments, release_after_approval,
    release_changed_documents, try_release_decided_payments,
};

/// The waits that observed changes of invoices of one ledger have ended.
#[derive(Debug, Default)]
pub(super) struct EndedWaits {
    /// Invoices that were approved, or voided or deleted before their approval: money and credit
    /// wait for that. Without the text of their snapshots.
    approved: Vec<Mapping>,
    /// Payments of the CRM for which a payment in Xero was unclear and no longer is, because it was
    /// removed.
    decided: Vec<DecidedPayment>,
    /// Invoices whose state no longer prevents what failed because of it.
    documents: Vec<ChangedDocument>,
}

impl EndedWaits {
    /// Adds the waits that ended between these rows of an invoice.
    pub(super) fn add_change(
        &mut self,
        before: (&Mapping, &InvoicePayments),
        after: (&Mapping, &InvoicePayments),
    ) {
        let ((mapping_before, payments_before), (mapping, payments)) = (before, after);
        if mapping_before.is_unapproved_in_xero() && !mapping.is_unapproved_in_xero() {
            self.approved.push(mapping.clone().without_text());
        }
        self.decided.extend(list_decided_payments(payments_before, payments));
    }

    /// Adds an invoice whose state has changed, if it has.
    pub(super) fn add_document(&mut self, changed: Option<ChangedDocument>) {
        self.documents.extend(changed);
    }

    /// Adds other ended waits.
    pub(super) fn merge(&mut self, others: Self) {
        self.approved.extend(others.approved);
        self.decided.extend(others.decided);
        self.documents.extend(others.documents);
    }

    /// Releases the records that waited, and enqueues wake-ups for them. The changes are recorded,
    /// so a failure is only logged if the sweep releases the records later. It releases those that
    /// failed because of a document only if the change is later than their attempts, so a failure of
    /// theirs is returned.
    pub(super) async fn release_records(
        self,
        engine: &Engine,
        ledger: &Ledger,
    ) -> Result<(), PersistError> {
        let Self { approved, decided, documents } = self;
        if !approved.is_empty()
            && let Err(error) = release_after_approval(engine, approved).boxed().await
        {
            tracing::error!(
                error = %ErrorChain(&error),
                account.id = %ledger.account,
                tenant.id = %ledger.tenant,
                "not every record that waited for an approval was released; the sweep tries again"
            );
        }
        try_release_decided_payments(engine, ledger, &decided).await;
        release_changed_documents(engine, ledger, &documents).boxed().await
    }
}
