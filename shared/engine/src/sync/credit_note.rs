//! Pushes credit notes to Xero's customer credit notes.

mod explain;

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::credit_note::CreditNote as Snapshot;
use domain::crm::lines::RecordStatus;
use domain::document::credit_note::{CreditNoteDocument, RemoteCreditNote};
use domain::document::sales::{LineItem, NewStatus};
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroCreditNoteId, XeroId};
use domain::mapping::{DocumentAmounts, XeroLink};
use domain::money::Money;
use domain::sync_log::LoggedOperation;
use domain::sync_preferences::SyncPreferences;
use domain::totals;
use domain::translate::TranslatedDocument;
use domain::translate::credit_note::{credit_note_tag, translate_credit_note};
use domain::translate::lines::TranslationContext;
use futures::FutureExt;
use xero::api::{TargetStatus, credit_notes};
use xero::{ApiSession, DecodedRows, XeroError};

use super::sales::{self, SalesEntity, SalesOutline, sync_documents};
use super::write::WriteEndpoint;
use super::{KnownClients, MergedClient, SyncEntity, SyncTask};
use crate::connection::tenant_session::TenantSession;

/// The entity of credit notes.
#[derive(Debug)]
pub struct CreditNoteEntity;

#[async_trait]
impl SyncEntity for CreditNoteEntity {
    const KIND: EntityKind = EntityKind::CreditNote;
    type Snapshot = Snapshot;

    fn find_snapshot<'a>(content: &'a MessageContent, _: &CrmId) -> Option<&'a Snapshot> {
        match content {
            MessageContent::CreditNote { client: _, note } => Some(note),
            MessageContent::Client { .. }
            | MessageContent::Invoice { .. }
            | MessageContent::Allocation(_)
            | MessageContent::Payment { .. }
            | MessageContent::Refund { .. } => None,
        }
    }

    fn is_wanted(note: &Snapshot) -> bool {
        note.standing == RecordStatus::Sent
    }

    fn record_id(note: &Snapshot) -> CrmId {
        note.crm_id()
    }

    fn record_revision(note: &Snapshot) -> Revision {
        note.revision
    }

    fn record_number(note: &Snapshot) -> String {
        note.number.clone()
    }

    fn list_clients(tasks: &[SyncTask<'_, Snapshot>]) -> BTreeSet<CrmId> {
        sales::list_clients::<Self>(tasks)
    }

    async fn sync_batch<'t>(
        tenant_session: &TenantSession<'_>,
        tasks: &'t [SyncTask<'t, Snapshot>],
        clients: &KnownClients,
    ) -> Vec<MergedClient<'t, Snapshot>> {
        let merged = sync_documents::<Self>(tenant_session, tasks, clients).await;
        explain::explain_refused_notes(tenant_session, tasks).await;
        merged
    }
}

#[async_trait]
impl SalesEntity for CreditNoteEntity {
    type Document = CreditNoteDocument;
    type Remote = RemoteCreditNote;
    type Id = XeroCreditNoteId;

    fn typed_id(id: XeroId) -> XeroCreditNoteId {
        XeroCreditNoteId(id.0)
    }

    fn sales_outline(note: &Snapshot) -> SalesOutline<'_> {
        let total = totals::sum_lines(&note.lines, note.line_amounts).total;
        SalesOutline {
            number: &note.number,
            client: &note.client_id,
            status: note.standing,
            total: Money::new(total, note.currency),
            lines: &note.lines,
            line_amounts: note.line_amounts,
        }
    }

    fn document_url(_: &str, _: &Snapshot) -> Option<String> {
        None
    }

    fn reference_tag(note: &Snapshot) -> Option<String> {
        Some(credit_note_tag(note))
    }

    fn translate_snapshot(
        note: &Snapshot,
        existing: Option<XeroCreditNoteId>,
        context: TranslationContext<'_>,
    ) -> Result<TranslatedDocument<CreditNoteDocument>, Failure> {
        translate_credit_note(note, existing, context)
    }

    fn document_lines(document: &CreditNoteDocument) -> &[LineItem] {
        &document.line_items
    }

    fn with_number(document: CreditNoteDocument, number: String) -> CreditNoteDocument {
        CreditNoteDocument { credit_note_number: number, ..document }
    }

    /// Credit notes are created as approved, because their credit is applied at once.
    fn new_status(_: SyncPreferences) -> NewStatus {
        NewStatus::Authorised
    }

    fn with_preferences(document: CreditNoteDocument, _: SyncPreferences) -> CreditNoteDocument {
        document
    }

    fn with_status(document: CreditNoteDocument, status: Option<NewStatus>) -> CreditNoteDocument {
        CreditNoteDocument { status, ..document }
    }

    fn create_endpoint(batch: usize) -> WriteEndpoint<CreditNoteDocument, RemoteCreditNote> {
        WriteEndpoint {
            call: |session, documents, key| {
                credit_notes::create_credit_notes(session, documents, key).boxed()
            },
            body: credit_notes::credit_note_body,
            batch,
        }
    }

    fn update_endpoint(batch: usize) -> WriteEndpoint<CreditNoteDocument, RemoteCreditNote> {
        WriteEndpoint {
            call: |session, documents, key| {
                credit_notes::update_credit_notes(session, documents, key).boxed()
            },
            body: credit_notes::credit_note_body,
            batch,
        }
    }

    fn status_endpoint(
        batch: usize,
    ) -> WriteEndpoint<(XeroCreditNoteId, TargetStatus), RemoteCreditNote> {
        WriteEndpoint {
            call: |session, changes, key| credit_notes::set_status(session, changes, key).boxed(),
            body: credit_notes::status_body,
            batch,
        }
    }

    async fn find_by_numbers(
        session: &ApiSession,
        numbers: &[&str],
    ) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
        credit_notes::find_by_numbers(session, numbers).await
    }

    /// Credit notes are created approved, and Xero deletes only what is not approved.
    async fn find_deleted_by_numbers(
        _: &ApiSession,
        _: &[&str],
    ) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
        Ok(DecodedRows::default())
    }

    async fn find_by_ids(
        session: &ApiSession,
        ids: &[XeroCreditNoteId],
    ) -> Result<DecodedRows<RemoteCreditNote>, XeroError> {
        credit_notes::find_by_ids(session, ids).await
    }

    async fn get(
        session: &ApiSession,
        id: XeroCreditNoteId,
    ) -> Result<Option<RemoteCreditNote>, XeroError> {
        credit_notes::get(session, id).await
    }

    fn build_link(
        task: &SyncTask<'_, Snapshot>,
        remote: &RemoteCreditNote,
        _: LoggedOperation,
    ) -> XeroLink {
        XeroLink {
            xero_id: remote.id.into(),
            number: remote.number.clone(),
            xero_updated_at: remote.updated_at,
            amounts: Some(DocumentAmounts::of_credit_note(task.snapshot.credited_total(), remote)),
            contact: None,
        }
    }
}
