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

use super::Task;

/// Maximum bytes of one request body. Xero accepts up to 10 MB and advises about a third of that.
const BODY_BYTES: usize = 3_000_000;

/// A document to be written to Xero.
#[derive(Debug)]
pub(super) struct Draft<D> {
    /// The index of its task.
    pub(super) task: usize,
    pub(super) document: D,
    /// The operation to log.
    pub(super) operation: LoggedOperation,
    /// Warnings for people.
    pub(super) remarks: Vec<String>,
}

/// The result of writing a draft.
#[derive(Debug)]
pub(super) struct Sent<R> {
    pub(super) task: usize,
    pub(super) operation: LoggedOperation,
    pub(super) remarks: Vec<String>,
    /// The document as Xero returned it. Documents of one call share that call's error.
    pub(super) result: Result<R, Arc<XeroError>>,
}

impl<R> Sent<R> {
    /// Converts the document into another type.
    pub(super) fn mapped<T>(self, as_other: impl FnOnce(R) -> T) -> Sent<T> {
        let Self { task, operation, remarks, result } = self;
        Sent { task, operation, remarks, result: result.map(as_other) }
    }
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

/// A draft with its idempotency key and its size in bytes.
struct Keyed<D> {
    draft: Draft<D>,
    key: IdempotencyKey,
    bytes: usize,
}

/// Writes the drafts. If Xero does not understand a whole call, nothing of it was written, and the
/// call is split in halves, so that an unacceptable document fails alone. A batch that Xero rejects
/// because of a document may have been written in part; [`push`](crate::push) divides it after
/// looking up what Xero has. If a limit is reached or the
/// connection has ended, the remaining drafts are not tried.
pub(super) async fn write<D: Send + Sync, R: Send, S: Sync>(
    session: &Session,
    tasks: &[Task<'_, S>],
    drafts: Vec<Draft<D>>,
    way: &Way<D, R>,
) -> Vec<Sent<R>> {
    let mut sent = Vec::with_capacity(drafts.len());
    let mut stopped: Option<Arc<XeroError>> = None;
    let mut waiting = calls(tasks, drafts, way);
    waiting.reverse();
    while let Some(call) = waiting.pop() {
        if let Some(error) = &stopped {
            refuse(&mut sent, call, error);
            continue;
        }
        let (documents, rest): (Vec<D>, Vec<_>) = call.into_iter().map(Keyed::split).unzip();
        let keys = rest.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>();
        let key = IdempotencyKey::of_batch(&keys);
        match (way.call)(session, &documents, &key).await {
            Ok(written) => {
                for ((underway, _), one) in rest.into_iter().zip(written) {
                    let one = underway.told(one);
                    note(tasks, one.task, one.result.as_ref().map_err(|error| &**error));
                    sent.push(one);
                }
            }
            Err(error @ XeroError::CallRefused { .. }) if documents.len() > 1 => {
                note_all(tasks, &rest, &error);
                let mut first =
                    documents.into_iter().zip(rest).map(Keyed::joined).collect::<Vec<_>>();
                let second = first.split_off(first.len() / 2);
                waiting.extend([second, first]);
            }
            Err(error) => {
                note_all(tasks, &rest, &error);
                let error = Arc::new(error);
                if ends_the_work(&error) {
                    stopped = Some(error.clone());
                }
                refuse(&mut sent, documents.into_iter().zip(rest).map(Keyed::joined), &error);
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

/// Records Xero's answer to the write of a task's document. A document in an answer always has its
/// id.
fn note<S, R>(tasks: &[Task<'_, S>], task: usize, result: Result<&R, &XeroError>) {
    let Some(task) = tasks.get(task) else { return };
    match result {
        Ok(_) => task.writes.note_done(true),
        Err(error) => task.writes.note_error(error),
    }
}

/// Records the same error for every document of a call.
fn note_all<S>(tasks: &[Task<'_, S>], call: &[(Underway, IdempotencyKey)], error: &XeroError) {
    for (underway, _) in call {
        note::<S, ()>(tasks, underway.task, Err(error));
    }
}

/// Groups the drafts into calls.
fn calls<D, R, S>(
    tasks: &[Task<'_, S>],
    drafts: Vec<Draft<D>>,
    way: &Way<D, R>,
) -> Vec<Vec<Keyed<D>>> {
    let mut calls: Vec<Vec<Keyed<D>>> = Vec::new();
    let mut bytes = 0;
    for draft in drafts {
        let body = (way.body)(std::slice::from_ref(&draft.document));
        let Some(task) = tasks.get(draft.task) else { continue };
        let keyed = Keyed { key: task.idempotency_key(&body), bytes: body.len(), draft };
        let room =
            |call: &&mut Vec<Keyed<D>>| call.len() < way.batch && bytes + keyed.bytes <= BODY_BYTES;
        if let Some(call) = calls.last_mut().filter(room) {
            bytes += keyed.bytes;
            call.push(keyed);
        } else {
            bytes = keyed.bytes;
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

fn refuse<D, R>(
    sent: &mut Vec<Sent<R>>,
    call: impl IntoIterator<Item = Keyed<D>>,
    error: &Arc<XeroError>,
) {
    sent.extend(call.into_iter().map(|Keyed { draft, .. }| {
        let Draft { task, document: _, operation, remarks } = draft;
        Sent { task, operation, remarks, result: Err(error.clone()) }
    }));
}

/// The part of a draft that is kept while its document is being written.
struct Underway {
    task: usize,
    operation: LoggedOperation,
    remarks: Vec<String>,
    bytes: usize,
}

impl Underway {
    fn told<R>(self, written: Written<R>) -> Sent<R> {
        let Self { task, operation, mut remarks, bytes: _ } = self;
        let result = match written {
            Written::Done { remote, warnings } => {
                remarks.extend(warnings);
                Ok(remote)
            }
            Written::Refused(error) => Err(Arc::new(error)),
        };
        Sent { task, operation, remarks, result }
    }
}

impl<D> Keyed<D> {
    fn split(self) -> (D, (Underway, IdempotencyKey)) {
        let Self { draft: Draft { task, document, operation, remarks }, key, bytes } = self;
        (document, (Underway { task, operation, remarks, bytes }, key))
    }

    fn joined((document, (underway, key)): (D, (Underway, IdempotencyKey))) -> Self {
        let Underway { task, operation, remarks, bytes } = underway;
        Self { draft: Draft { task, document, operation, remarks }, key, bytes }
    }
}
