//! Reads documents by their ids, even if Xero fails at one of them.

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

/// Reads documents, as many as one call takes. If Xero fails at the call, both halves are read,
/// then the halves of the one at which Xero fails, until a single document is left, which is
/// missing in the result. Otherwise one document would keep all others from being read. If Xero
/// fails at both halves, its error is returned.
pub(super) async fn read_by_ids<I, T>(
    session: &ApiSession,
    ids: &[I],
    read: ReadByIds<I, T>,
) -> ReadResult<T> {
    match read(session, ids).await {
        Err(XeroError::ServerFault { .. }) => {}
        result => return result,
    }
    let (mut failing, mut found) = (ids, DecodedRows::default());
    while failing.len() > 1 {
        let (first, second) = failing.split_at(failing.len() / 2);
        let halves = (read(session, first).await, read(session, second).await);
        let rest: &[I] = match halves {
            (Ok(one), Ok(other)) => {
                found.append_rows(one);
                found.append_rows(other);
                &[]
            }
            (Ok(one), Err(XeroError::ServerFault { .. })) => {
                found.append_rows(one);
                second
            }
            (Err(XeroError::ServerFault { .. }), Ok(other)) => {
                found.append_rows(other);
                first
            }
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        failing = rest;
    }
    Ok(found)
}

/// Reads invoices by their ids.
pub(super) fn find_invoices<'s>(
    session: &'s ApiSession,
    ids: &'s [XeroInvoiceId],
) -> BoxFuture<'s, ReadResult<RemoteInvoice>> {
    invoices::find_by_ids(session, ids).boxed()
}
