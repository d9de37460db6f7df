//! The only code that writes to Xero: many documents in few calls, or one document in one call.
//! Xero's answer is recorded with each task, so that later failures of the attempt can be judged by
//! it.

use std::sync::Arc;

use bytes::Bytes;
use domain::idempotency::IdempotencyKey;
use domain::sync_log::LoggedOperation;
use futures::future::BoxFuture;
use xero::api::WriteOutcome;
use xero::{ApiSession, XeroError};

use super::{SyncTask, WriteState};

/// Maximum bytes of one request body. Xero accepts up to 10 MB and advises about a third of that.
const BODY_BYTES: usize = 3_000_000;

/// The subject of a document: a task, alone or with data that its kind keeps beside it.
pub(super) trait WriteSubject {
    /// Returns the idempotency key of writing exactly these bytes.
    fn write_key(&self, body: &Bytes) -> IdempotencyKey;

    /// Returns where Xero's answers to the writes of the task are recorded.
    fn writes(&self) -> &WriteState;
}

impl<S> WriteSubject for &SyncTask<'_, S> {
    fn write_key(&self, body: &Bytes) -> IdempotencyKey {
        self.idempotency_key(body)
    }

    fn writes(&self) -> &WriteState {
        self.writes
    }
}

/// A document to be written to Xero.
#[derive(Debug)]
pub(super) struct DocumentDraft<I, D> {
    /// The subject for which it is written.
    pub(super) item: I,
    pub(super) document: D,
    /// The operation to log.
    pub(super) operation: LoggedOperation,
    /// Warnings for people.
    pub(super) remarks: Vec<String>,
}

/// The result of writing a draft.
#[derive(Debug)]
pub(super) struct DraftResult<I, D, R> {
    pub(super) item: I,
    /// The document as it was sent.
    pub(super) document: D,
    pub(super) operation: LoggedOperation,
    pub(super) remarks: Vec<String>,
    /// The document as Xero returned it. Documents of one call share that call's error.
    pub(super) result: Result<R, Arc<XeroError>>,
}

/// A call that writes documents.
pub(super) type WriteCall<D, R> =
    for<'a> fn(
        &'a ApiSession,
        &'a [D],
        &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Vec<WriteOutcome<R>>, XeroError>>;

/// An endpoint that writes documents of a kind.
pub(super) struct WriteEndpoint<D, R> {
    /// Makes the call.
    pub(super) call: WriteCall<D, R>,
    /// Returns the bytes of the request body.
    pub(super) body: fn(&[D]) -> Bytes,
    /// Maximum number of documents per call.
    pub(super) batch: usize,
}

/// A draft with its idempotency key.
struct KeyedDraft<I, D> {
    draft: DocumentDraft<I, D>,
    key: IdempotencyKey,
}

/// The part of a keyed draft that is kept while its document is being written.
struct DraftMetadata<I> {
    item: I,
    operation: LoggedOperation,
    remarks: Vec<String>,
    key: IdempotencyKey,
}

/// Writes the drafts. If Xero does not understand a whole call, nothing of it was written, and the
/// call is split in halves, so that an unacceptable document fails alone. A batch that Xero rejects
/// because of a document may have been written in part; [`push`](super::push) divides it after
/// looking up which documents Xero has. If a limit is reached or the connection has ended, the
/// remaining drafts are not tried.
pub(super) async fn write_drafts<I: WriteSubject, D, R>(
    session: &ApiSession,
    drafts: Vec<DocumentDraft<I, D>>,
    endpoint: &WriteEndpoint<D, R>,
) -> Vec<DraftResult<I, D, R>> {
    let mut sent = Vec::with_capacity(drafts.len());
    let mut stopped: Option<Arc<XeroError>> = None;
    let mut waiting = group_into_calls(drafts, endpoint);
    waiting.reverse();
    while let Some(call) = waiting.pop() {
        if let Some(error) = &stopped {
            sent.extend(call.into_iter().map(|keyed| keyed.into_failed_result(error)));
            continue;
        }
        let (documents, rest): (Vec<D>, Vec<DraftMetadata<I>>) =
            call.into_iter().map(KeyedDraft::into_parts).unzip();
        let keys = rest.iter().map(|underway| underway.key.clone()).collect::<Vec<_>>();
        let key = IdempotencyKey::of_batch(&keys);
        match (endpoint.call)(session, &documents, &key).await {
            Ok(written) => {
                let call = documents.into_iter().zip(rest).map(KeyedDraft::from_parts);
                sent.extend(
                    call.zip(written).map(|(keyed, written)| keyed.into_answered_result(written)),
                );
            }
            Err(error @ XeroError::CallRefused { .. }) if documents.len() > 1 => {
                record_call_error(&rest, &error);
                let mut first =
                    documents.into_iter().zip(rest).map(KeyedDraft::from_parts).collect::<Vec<_>>();
                let second = first.split_off(first.len() / 2);
                waiting.extend([second, first]);
            }
            Err(error) => {
                record_call_error(&rest, &error);
                let error = Arc::new(error);
                if stops_further_calls(&error) {
                    stopped = Some(error.clone());
                }
                let call = documents.into_iter().zip(rest).map(KeyedDraft::from_parts);
                sent.extend(call.map(|keyed| keyed.into_failed_result(&error)));
            }
        }
    }
    sent
}

/// Makes a call that writes one document of a task. `is_known` returns whether the answer carries
/// the id of the document; until the id is known, every failure of the attempt is uncertain.
pub(super) async fn write_document<S, R>(
    task: &SyncTask<'_, S>,
    call: impl Future<Output = Result<WriteOutcome<R>, XeroError>>,
    is_known: impl FnOnce(&R) -> bool,
) -> Result<(R, Vec<String>), Arc<XeroError>> {
    match call.await {
        Ok(WriteOutcome::Done { remote, warnings }) => {
            task.writes.record_done(is_known(&remote));
            Ok((remote, warnings))
        }
        Ok(WriteOutcome::Refused(error)) | Err(error) => {
            task.writes.record_error(&error);
            Err(Arc::new(error))
        }
    }
}

/// Records the same error for every document of a call.
fn record_call_error<I: WriteSubject>(call: &[DraftMetadata<I>], error: &XeroError) {
    for underway in call {
        underway.item.writes().record_error(error);
    }
}

/// Groups the drafts into calls.
fn group_into_calls<I: WriteSubject, D, R>(
    drafts: Vec<DocumentDraft<I, D>>,
    endpoint: &WriteEndpoint<D, R>,
) -> Vec<Vec<KeyedDraft<I, D>>> {
    let mut calls: Vec<Vec<KeyedDraft<I, D>>> = Vec::new();
    let mut bytes = 0;
    for draft in drafts {
        let body = (endpoint.body)(std::slice::from_ref(&draft.document));
        let size = body.len();
        let keyed = KeyedDraft { key: draft.item.write_key(&body), draft };
        let room = |call: &&mut Vec<KeyedDraft<I, D>>| {
            call.len() < endpoint.batch && bytes + size <= BODY_BYTES
        };
        if let Some(call) = calls.last_mut().filter(room) {
            bytes += size;
            call.push(keyed);
        } else {
            bytes = size;
            calls.push(vec![keyed]);
        }
    }
    calls
}

/// Returns whether an error would affect the next call as well.
const fn stops_further_calls(error: &XeroError) -> bool {
    matches!(
        error,
        XeroError::NotPermitted { .. }
            | XeroError::Throttled { .. }
            | XeroError::TokenRejected { .. }
            | XeroError::TenantRefused
    )
}

impl<I: WriteSubject, D> KeyedDraft<I, D> {
    fn into_parts(self) -> (D, DraftMetadata<I>) {
        let Self { draft: DocumentDraft { item, document, operation, remarks }, key } = self;
        (document, DraftMetadata { item, operation, remarks, key })
    }

    fn from_parts((document, underway): (D, DraftMetadata<I>)) -> Self {
        let DraftMetadata { item, operation, remarks, key } = underway;
        Self { draft: DocumentDraft { item, document, operation, remarks }, key }
    }

    /// Records Xero's answer for the document. A document in an answer always has its id.
    fn into_answered_result<R>(self, written: WriteOutcome<R>) -> DraftResult<I, D, R> {
        let DocumentDraft { item, document, operation, mut remarks } = self.draft;
        let result = match written {
            WriteOutcome::Done { remote, warnings } => {
                item.writes().record_done(true);
                remarks.extend(warnings);
                Ok(remote)
            }
            WriteOutcome::Refused(error) => {
                item.writes().record_error(&error);
                Err(Arc::new(error))
            }
        };
        DraftResult { item, document, operation, remarks, result }
    }

    /// Returns the result of a document whose call failed or was not made.
    fn into_failed_result<R>(self, error: &Arc<XeroError>) -> DraftResult<I, D, R> {
        let DocumentDraft { item, document, operation, remarks } = self.draft;
        DraftResult { item, document, operation, remarks, result: Err(error.clone()) }
    }
}
