//! Reads invoices by their ids, even if Xero fails at one of them.

use domain::document::invoice::RemoteInvoice;
use domain::ids::XeroInvoiceId;
use xero::api::invoices::find_by_ids;
use xero::{ApiSession, DecodedRows, XeroError};

/// Reads invoices, as many as one call takes. If Xero fails at the call, both halves are read, then the
/// halves of the one at which Xero fails, until a single invoice is left, which is missing in the
/// result. Otherwise one invoice would keep all others from being read. If Xero fails at both halves,
/// its error is returned.
pub(super) async fn read_invoices(
    session: &ApiSession,
    ids: &[XeroInvoiceId],
) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
    match find_by_ids(session, ids).await {
        Err(XeroError::ServerFault { .. }) => {}
        result => return result,
    }
    let (mut failing, mut read) = (ids, DecodedRows { rows: Vec::new(), undecodable: Vec::new() });
    while failing.len() > 1 {
        let (first, second) = failing.split_at(failing.len() / 2);
        let halves = (find_by_ids(session, first).await, find_by_ids(session, second).await);
        let rest: &[XeroInvoiceId] = match halves {
            (Ok(one), Ok(other)) => {
                add_rows(&mut read, one);
                add_rows(&mut read, other);
                &[]
            }
            (Ok(one), Err(XeroError::ServerFault { .. })) => {
                add_rows(&mut read, one);
                second
            }
            (Err(XeroError::ServerFault { .. }), Ok(other)) => {
                add_rows(&mut read, other);
                first
            }
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        failing = rest;
    }
    Ok(read)
}

fn add_rows(read: &mut DecodedRows<RemoteInvoice>, more: DecodedRows<RemoteInvoice>) {
    let DecodedRows { rows, undecodable } = more;
    read.rows.extend(rows);
    read.undecodable.extend(undecodable);
}
