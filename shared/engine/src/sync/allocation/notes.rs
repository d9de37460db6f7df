//! Reads the credit notes from which credit is applied.

use domain::document::credit_note::RemoteCreditNote;
use domain::ids::XeroCreditNoteId;
use xero::api::credit_notes;
use xero::{DecodedRows, XeroError};

use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Reads a credit note. `None` if Xero has none with this id. A note that the read of its own address
/// does not show is looked for in the list, too: credit that counts as gone with its note would stay
/// applied in Xero if the note was only not shown.
pub(super) async fn fetch_credit_note(
    tenant_session: &TenantSession<'_>,
    id: XeroCreditNoteId,
) -> Result<Option<RemoteCreditNote>, AttemptError> {
    let session = &tenant_session.api;
    if let Some(note) = credit_notes::get(session, id).await? {
        return Ok(Some(note));
    }
    let DecodedRows { rows, undecodable } = credit_notes::find_in_list(session, id).await?;
    if let Some(odd) = undecodable.iter().find(|odd| odd.may_be(id.0)) {
        return Err(XeroError::from(odd).into());
    }
    Ok(rows.into_iter().find(|note| note.id == id))
}
