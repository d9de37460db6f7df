//! The only code that writes to Xero: many documents in few calls, or one document in one call.
//! Xero's answer is recorded with each task, so that later failures of the attempt can be judged by
//! it.

use std::sync::Arc;

use bytes::Bytes;
use domain::idempotency::IdempotencyKey;
use domain::sync_log::LoggedOperation;
use futures::future::BoxFuture;
use xero::api::Written;
use xero::{Session, XeroError};

use super::{Task, WriteState};

/// Maximum bytes of one request body. Xero accepts up to 10 MB and advises about a third of that.
const BODY_BYTES: usize = 3_000_000;

/// What a document is written for: a task, alone or with what its kind keeps beside it.
pub(super) trait WriteSubject {
    /// Returns the idempotency key of writing exactly these bytes.
    fn key(&self, body: &Bytes) -> IdempotencyKey;

    /// Returns where Xero's answers to the writes of the task are recorded.
    fn writes(&self) -> &WriteState;
}

impl<S> WriteSubject for &Task<'_, S> {
    fn key(&self, body: &Bytes) -> IdempotencyKey {
        self.idempotency_key(body)
    }

    fn writes(&self) -> &WriteState {
        self.writes
    }
}

/// A document to be written to Xero.
#[derive(Debug)]
pub(super) struct Draft<I, D> {
    /// What it is written for.
    pub(super) item: I,
    pub(super) document: D,
    /// The operation to log.
    pub(super) operation: LoggedOperation,
    /// Warnings for people.
    pub(super) remarks: Vec<String>,
}

/// The result of writing a draft.
#[derive(Debug)]
pub(super) struct Sent<I, D, R> {
    pub(super) item: I,
    /// The document as it was sent.
    pub(super) document: D,
    pub(super) operation: LoggedOperation,
    pub(super) remarks: Vec<String>,
    /// The document as Xero returned it. Documents of one call share that call's error.
    pub(super) result: Result<R, Arc<XeroError>>,
}

/// A call that writes documents.
pub(super) type Call<D, R> = for<'a> fn(
    &'a Session,
    &'a [D],
    &'a IdempotencyKey,
) -> BoxFuture<'a, Result<Vec<Written<R>>, XeroError>>;

/// An endpoint that writes documents of a kind.
pub(super) struct Way<D, R> {
    /// Makes the call.
    pub(super) call: Call<D, R>,
    /// Returns the bytes of the request body.
    pub(super) body: fn(&[D]) -> Bytes,
    /// Maximum number of documents per call.
    pub(super) batch: usize,
}

/// A draft with its idempotency key.
struct Keyed<I, D> {
    draft: Draft<I, D>,
    key: IdempotencyKey,
}

/// The part of a keyed draft that is kept while its document is being written.
struct Underway<I> {
    item: I,
    operation: LoggedOperation,
    remarks: Vec<String>,
    key: IdempotencyKey,
}

/// Writes the drafts. If Xero does not understand a whole call, nothing of it was written, and the
/// call is split in halves, so that an unacceptable document fails alone. A batch that Xero rejects
/// because of a document may have been written in part; [`push`](crate::push) divides it after
/// looking up what Xero has. If a limit is reached or the
/// connection has ended, the remaining drafts are not tried.
pub(super) async fn write<I: WriteSubject, D, R>(
    session: &Session,
    drafts: Vec<Draft<I, D>>,
    way: &Way<D, R>,
) -> Vec<Sent<I, D, R>> {
    let mut sent = Vec::with_capacity(drafts.len());
    let mut stopped: Option<Arc<XeroError>> = None;
    let mut waiting = calls(drafts, way);
    waiting.reverse();
    while let Some(call) = waiting.pop() {
        if let Some(error) = &stopped {
            sent.extend(call.into_iter().map(|keyed| keyed.refused(error)));
            continue;
        }
        let (documents, rest): (Vec<D>, Vec<Underway<I>>) =
            call.into_iter().map(Keyed::split).unzip();
        let keys = rest.iter().map(|underway| underway.key.clone()).collect::<Vec<_>>();
        let key = IdempotencyKey::of_batch(&keys);
        match (way.call)(session, &documents, &key).await {
            Ok(written) => {
                let call = documents.into_iter().zip(rest).map(Keyed::joined);
                sent.extend(call.zip(written).map(|(keyed, written)| keyed.answered(written)));
            }
            Err(error @ XeroError::CallRefused { .. }) if documents.len() > 1 => {
                note_all(&rest, &error);
                let mut first =
                    documents.into_iter().zip(rest).map(Keyed::joined).collect::<Vec<_>>();
                let second = first.split_off(first.len() / 2);
                waiting.extend([second, first]);
            }
            Err(error) => {
                note_all(&rest, &error);
                let error = Arc::new(error);
                if ends_the_work(&error) {
                    stopped = Some(error.clone());
                }
                let call = documents.into_iter().zip(rest).map(Keyed::joined);
                sent.extend(call.map(|keyed| keyed.refused(&error)));
            }
        }
    }
    sent
}

/// Makes a call that writes one document of a task. `is_known` returns whether the answer carries
/// the id of the document; until the id is known, every failure of the attempt is uncertain.
pub(super) async fn write_one<S, R>(
    task: &Task<'_, S>,
    call: impl Future<Output = Result<Written<R>, XeroError>>,
    is_known: impl FnOnce(&R) -> bool,
) -> Result<(R, Vec<String>), Arc<XeroError>> {
    match call.await {
        Ok(Written::Done { remote, warnings }) => {
            task.writes.note_done(is_known(&remote));
            Ok((remote, warnings))
        }
        Ok(Written::Refused(error)) | Err(error) => {
            task.writes.note_error(&error);
            Err(Arc::new(error))
        }
    }
}

/// Records the same error for every document of a call.
fn note_all<I: WriteSubject>(call: &[Underway<I>], error: &XeroError) {
    for underway in call {
        underway.item.writes().note_error(error);
    }
}

/// Groups the drafts into calls.
fn calls<I: WriteSubject, D, R>(
    drafts: Vec<Draft<I, D>>,
    way: &Way<D, R>,
) -> Vec<Vec<Keyed<I, D>>> {
    let mut calls: Vec<Vec<Keyed<I, D>>> = Vec::new();
    let mut bytes = 0;
    for draft in drafts {
        let body = (way.body)(std::slice::from_ref(&draft.document));
        let size = body.len();
        let keyed = Keyed { key: draft.item.key(&body), draft };
        let room =
            |call: &&mut Vec<Keyed<I, D>>| call.len() < way.batch && bytes + size <= BODY_BYTES;
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
const fn ends_the_work(error: &XeroError) -> bool {
    matches!(
        error,
        XeroError::Barred { .. }
            | XeroError::Throttled { .. }
            | XeroError::TokenRejected { .. }
            | XeroError::TenantRefused
    )
}

impl<I: WriteSubject, D> Keyed<I, D> {
    fn split(self) -> (D, Underway<I>) {
        let Self { draft: Draft { item, document, operation, remarks }, key } = self;
        (document, Underway { item, operation, remarks, key })
    }

    fn joined((document, underway): (D, Underway<I>)) -> Self {
        let Underway { item, operation, remarks, key } = underway;
        Self { draft: Draft { item, document, operation, remarks }, key }
    }

    /// Records Xero's answer for the document. A document in an answer always has its id.
    fn answered<R>(self, written: Written<R>) -> Sent<I, D, R> {
        let Draft { item, document, operation, mut remarks } = self.draft;
        let result = match written {
            Written::Done { remote, warnings } => {
                item.writes().note_done(true);
                remarks.extend(warnings);
                Ok(remote)
            }
            Written::Refused(error) => {
                item.writes().note_error(&error);
                Err(Arc::new(error))
            }
        };
        Sent { item, document, operation, remarks, result }
    }

    /// Returns the result of a document whose call failed or was not made.
    fn refused<R>(self, error: &Arc<XeroError>) -> Sent<I, D, R> {
        let Draft { item, document, operation, remarks } = self.draft;
        Sent { item, document, operation, remarks, result: Err(error.clone()) }
    }
}
