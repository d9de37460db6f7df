//! Reads documents by their ids, even if Xero fails at some of them.

use domain::document::invoice::RemoteInvoice;
use domain::ids::XeroInvoiceId;
use futures::FutureExt;
use futures::future::BoxFuture;
use xero::api::invoices;
use xero::{ApiSession, DecodedRows, XeroError};

/// The documents that a call reads.
type ReadResult<T> = Result<DecodedRows<T>, XeroError>;

/// A call that reads documents by their ids.
pub(super) type ReadByIds<I, T> =
    for<'s> fn(&'s ApiSession, &'s [I]) -> BoxFuture<'s, ReadResult<T>>;

/// The number of failing calls at which a reading ends. It is enough to find four documents among
/// forty at which Xero fails.
const FAULTS_MAX: usize = 24;
/// The same while Xero has failed at every call, so that it is probably not available. If it fails
/// at four documents only, it answers an earlier call.
const FAULTS_WITHOUT_ANSWER_MAX: usize = 8;

/// Reads documents, as many as one call takes. If Xero fails at the call, both halves are read,
/// then the halves of those at which Xero fails, until the documents at which it fails are alone.
/// These are missing in the result. Otherwise they would keep all others from being read. If Xero
/// fails at every part, or at too many calls, its error is returned.
pub(super) async fn read_by_ids<I, T>(
    session: &ApiSession,
    ids: &[I],
    read: ReadByIds<I, T>,
) -> ReadResult<T> {
    let fault = match read(session, ids).await {
        Err(XeroError::ServerFault { .. }) if ids.len() <= 1 => return Ok(DecodedRows::default()),
        Err(fault @ XeroError::ServerFault { .. }) => fault,
        result => return result,
    };
    let (mut found, mut failing) = (DecodedRows::default(), vec![ids]);
    let (mut faults, mut is_answered) = (1, false);
    while let Some(part) = failing.pop() {
        let limit = if is_answered { FAULTS_MAX } else { FAULTS_WITHOUT_ANSWER_MAX };
        if faults >= limit {
            return Err(fault);
        }
        let (first, second) = part.split_at(part.len() / 2);
        for half in [first, second] {
            match read(session, half).await {
                Ok(rows) => {
                    is_answered = true;
                    found.append_rows(rows);
                }
                Err(XeroError::ServerFault { .. }) => {
                    faults += 1;
                    failing.extend((half.len() > 1).then_some(half));
                }
                Err(error) => return Err(error),
            }
        }
    }
    if is_answered { Ok(found) } else { Err(fault) }
}

/// Reads invoices by their ids.
pub(super) fn find_invoices<'s>(
    session: &'s ApiSession,
    ids: &'s [XeroInvoiceId],
) -> BoxFuture<'s, ReadResult<RemoteInvoice>> {
    invoices::find_by_ids(session, ids).boxed()
}
