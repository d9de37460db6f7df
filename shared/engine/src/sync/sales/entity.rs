//! The differences between invoices and credit notes.

use async_trait::async_trait;
use domain::crm::lines::{DocumentLine, LineAmounts, RecordStatus};
use domain::document::sales::{LineItem, NewStatus, SalesDocument};
use domain::failure::Failure;
use domain::ids::{ClientId, XeroId};
use domain::mapping::XeroLink;
use domain::money::Money;
use domain::sync_log::LoggedOperation;
use domain::sync_preferences::SyncPreferences;
use domain::translate::TranslatedDocument;
use domain::translate::lines::TranslationContext;
use xero::api::TargetStatus;
use xero::{ApiSession, DecodedRows, XeroError};

use crate::sync::write::WriteEndpoint;
use crate::sync::{SyncEntity, SyncTask};

/// The differences between the two kinds of sales documents.
#[async_trait]
pub(in crate::sync) trait SalesEntity: SyncEntity {
    /// The document that is sent to Xero.
    type Document: Send + Sync + 'static;
    /// The document as Xero returns it.
    type Remote: SalesDocument + Clone + Send + Sync + 'static;
    /// The type of the document's id in Xero.
    type Id: Copy + Send + Sync + 'static;

    /// Converts an id into one of this kind.
    fn typed_id(id: XeroId) -> Self::Id;

    /// Returns the part of the snapshot that both kinds share.
    fn sales_outline(snapshot: &Self::Snapshot) -> SalesOutline<'_>;

    /// Returns the link back to the CRM, if Xero keeps one for this kind.
    fn document_url(crm: &str, snapshot: &Self::Snapshot) -> Option<String>;

    /// Returns the end of the reference that identifies our document, if this kind has one.
    fn reference_tag(snapshot: &Self::Snapshot) -> Option<String>;

    /// Builds the document to create, or to update the existing one with.
    fn translate_snapshot(
        snapshot: &Self::Snapshot,
        existing: Option<Self::Id>,
        context: TranslationContext<'_>,
    ) -> Result<TranslatedDocument<Self::Document>, Failure>;

    /// Returns the lines of a document.
    fn document_lines(document: &Self::Document) -> &[LineItem];

    /// Returns the document with another number.
    fn with_number(document: Self::Document, number: String) -> Self::Document;

    /// Returns the status in which documents are created. An adopted document is brought to it.
    fn new_status(preferences: SyncPreferences) -> NewStatus;

    /// Returns the document as it is created according to the account's choices.
    fn with_preferences(document: Self::Document, preferences: SyncPreferences) -> Self::Document;

    /// Returns the document with a new status.
    fn with_status(document: Self::Document, status: Option<NewStatus>) -> Self::Document;

    /// Returns the endpoint for creating up to `batch` documents per call.
    fn create_endpoint(batch: usize) -> WriteEndpoint<Self::Document, Self::Remote>;

    /// Returns the endpoint for updating up to `batch` documents per call.
    fn update_endpoint(batch: usize) -> WriteEndpoint<Self::Document, Self::Remote>;

    /// Returns the endpoint for voiding or deleting up to `batch` documents per call.
    fn status_endpoint(batch: usize) -> WriteEndpoint<(Self::Id, TargetStatus), Self::Remote>;

    /// Reads the documents with these numbers from Xero.
    async fn find_by_numbers(
        session: &ApiSession,
        numbers: &[&str],
    ) -> Result<DecodedRows<Self::Remote>, XeroError>;

    /// Reads the deleted documents with these numbers from Xero, which its other lists may omit, if
    /// documents of this kind can be deleted.
    async fn find_deleted_by_numbers(
        session: &ApiSession,
        numbers: &[&str],
    ) -> Result<DecodedRows<Self::Remote>, XeroError>;

    /// Reads the documents with these ids from Xero.
    async fn find_by_ids(
        session: &ApiSession,
        ids: &[Self::Id],
    ) -> Result<DecodedRows<Self::Remote>, XeroError>;

    /// Reads the document with this id from Xero. `None` if Xero has none.
    async fn get(session: &ApiSession, id: Self::Id) -> Result<Option<Self::Remote>, XeroError>;

    /// Returns the link to a document in Xero.
    fn build_link(
        task: &SyncTask<'_, Self::Snapshot>,
        remote: &Self::Remote,
        operation: LoggedOperation,
    ) -> XeroLink;
}

/// The part of a snapshot that both kinds share.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) struct SalesOutline<'a> {
    pub(in crate::sync) number: &'a str,
    pub(in crate::sync) client: &'a ClientId,
    pub(in crate::sync) status: RecordStatus,
    /// The total, computed as Xero computes it.
    pub(in crate::sync) total: Money,
    pub(in crate::sync) lines: &'a [DocumentLine],
    pub(in crate::sync) line_amounts: LineAmounts,
}
