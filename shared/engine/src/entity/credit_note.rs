//! Pushes credit notes to Xero's customer credit notes.

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::credit_note::CreditNote as Snapshot;
use domain::crm::lines::Standing;
use domain::document::credit_note::{CreditNoteDocument, RemoteCreditNote};
use domain::document::sales::NewStatus;
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroCreditNoteId, XeroId};
use domain::mapping::{Amounts, Link};
use domain::money::Money;
use domain::sync_log::LoggedOperation;
use domain::totals;
use domain::translate::Translated;
use domain::translate::credit_note::{tag, translate};
use domain::translate::lines::Context;
use futures::FutureExt;
use xero::api::{TargetStatus, credit_notes};
use xero::{Rows, Session, XeroError};

use super::sales::{Outline, Sales, bring};
use super::write::Way;
use super::{Entity, Task};
use crate::desk::Desk;

/// The entity of credit notes.
#[derive(Debug)]
pub struct CreditNote;

#[async_trait]
impl Entity for CreditNote {
    const KIND: EntityKind = EntityKind::CreditNote;
    type Snapshot = Snapshot;

    fn snapshot<'a>(content: &'a Content, _: &CrmId) -> Option<&'a Snapshot> {
        match content {
            Content::CreditNote { client: _, note } => Some(note),
            Content::Client { .. }
            | Content::Invoice { .. }
            | Content::Allocation(_)
            | Content::Payment { .. } => None,
        }
    }

    fn is_wanted(note: &Snapshot) -> bool {
        note.standing == Standing::Sent
    }

    fn id(note: &Snapshot) -> CrmId {
        note.crm_id()
    }

    fn revision(note: &Snapshot) -> Revision {
        note.revision
    }

    fn number(note: &Snapshot) -> String {
        note.number.clone()
    }

    async fn bring(desk: &Desk<'_>, tasks: &[Task<'_, Snapshot>]) {
        bring::<Self>(desk, tasks).await;
    }
}

#[async_trait]
impl Sales for CreditNote {
    type Document = CreditNoteDocument;
    type Remote = RemoteCreditNote;
    type Id = XeroCreditNoteId;

    fn typed(id: XeroId) -> XeroCreditNoteId {
        XeroCreditNoteId(id.0)
    }

    fn outline(note: &Snapshot) -> Outline<'_> {
        let total = totals::of(&note.lines, note.line_amounts).total;
        Outline {
            number: &note.number,
            client: &note.client_id,
            standing: note.standing,
            total: Money::new(total, note.currency),
        }
    }

    fn url(_: &str, _: &Snapshot) -> Option<String> {
        None
    }

    fn tag(note: &Snapshot) -> Option<String> {
        Some(tag(note))
    }

    fn translate(
        note: &Snapshot,
        existing: Option<XeroCreditNoteId>,
        context: Context<'_>,
    ) -> Result<Translated<CreditNoteDocument>, Failure> {
        translate(note, existing, context)
    }

    fn numbered(document: CreditNoteDocument, number: String) -> CreditNoteDocument {
        CreditNoteDocument { credit_note_number: number, ..document }
    }

    fn giving(document: CreditNoteDocument, status: Option<NewStatus>) -> CreditNoteDocument {
        CreditNoteDocument { status, ..document }
    }

    fn creating(batch: usize) -> Way<CreditNoteDocument, RemoteCreditNote> {
        Way {
            call: |session, documents, key| credit_notes::create(session, documents, key).boxed(),
            body: credit_notes::body,
            batch,
        }
    }

    fn updating(batch: usize) -> Way<CreditNoteDocument, RemoteCreditNote> {
        Way {
            call: |session, documents, key| credit_notes::update(session, documents, key).boxed(),
            body: credit_notes::body,
            batch,
        }
    }

    fn ending(batch: usize) -> Way<(XeroCreditNoteId, TargetStatus), RemoteCreditNote> {
        Way {
            call: |session, changes, key| credit_notes::set_status(session, changes, key).boxed(),
            body: credit_notes::status_body,
            batch,
        }
    }

    async fn find_by_numbers(
        session: &Session,
        numbers: &[&str],
    ) -> Result<Rows<RemoteCreditNote>, XeroError> {
        credit_notes::find_by_numbers(session, numbers).await
    }

    async fn find_by_ids(
        session: &Session,
        ids: &[XeroCreditNoteId],
    ) -> Result<Rows<RemoteCreditNote>, XeroError> {
        credit_notes::find_by_ids(session, ids).await
    }

    fn link(task: &Task<'_, Snapshot>, remote: &RemoteCreditNote, _: LoggedOperation) -> Link {
        Link {
            xero_id: remote.id.into(),
            number: remote.number.clone(),
            xero_updated_at: remote.updated_at,
            amounts: Some(Amounts::of_note(task.snapshot.credited(), remote)),
        }
    }
}
