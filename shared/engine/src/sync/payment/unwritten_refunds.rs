//! Finds refunds that a user marked as Never send after an attempt without an answer, and whose credit
//! notes Xero does not have. No further attempt looks for these notes, so the refunds would count
//! forever.

use domain::document::credit_note::RemoteCreditNote;
use domain::ids::PaymentId;
use domain::invoice_payments::InvoicePayments;
use domain::mapping::Mapping;
use domain::operation::{OperationState, WriteTrace};
use domain::translate::refund::refund_note_number;
use jiff::{SignedDuration, Timestamp};
use xero::ApiSession;
use xero::api::credit_notes;

use super::refund_notes::{find_note_key, parse_part, read_notes_ahead};
use crate::Engine;
use crate::connection::tenant_session::AttemptError;

/// How long after the user's mark a write without an answer may still reach Xero: as long as the
/// shortest delay before a retry, which relies on a look-up, too.
const MAY_ARRIVE_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Returns those of an invoice's refunds that are never to be sent and whose credit notes were
/// written without an answer and are not in effect in Xero. Makes no call if no note is in doubt.
pub(super) async fn find_unwritten_refunds(
    engine: &Engine,
    session: &ApiSession,
    payments: &InvoicePayments,
) -> Result<Vec<PaymentId>, AttemptError> {
    let (ledger, now) = (&payments.ledger, engine.clock.now());
    let ahead = read_notes_ahead(engine, payments).await;
    let mut doubtful: Vec<(PaymentId, String)> = Vec::new();
    for known in &payments.refunds {
        let key = find_note_key(payments, known);
        let read = ahead.store.find_mapping(&key);
        let row = engine.skip_failing(&ledger.account, read).await?.flatten();
        let note = row.map(|row| row.record).filter(|note| is_withheld_in_doubt(note, now));
        let part = note.as_ref().and_then(parse_part);
        doubtful.extend(part.map(|part| (known.refund.clone(), refund_note_number(&part))));
    }
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = doubtful.iter().map(|(_, number)| number.as_str()).collect::<Vec<_>>();
    let found = credit_notes::find_by_numbers(session, &numbers).await?;
    let may_be_in_effect = |number: &str| {
        let is_it = |note: &RemoteCreditNote| {
            let has_number =
                note.number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(number));
            has_number && note.is_sales && !note.status.is_gone()
        };
        found.rows.iter().any(is_it)
            || found.undecodable.iter().any(|odd| odd.may_have_number(number))
    };
    doubtful.retain(|(_, number)| !may_be_in_effect(number));
    Ok(doubtful.into_iter().map(|(refund, _)| refund).collect())
}

/// Returns whether a user marked a record as Never send that Xero may have without a link, long
/// enough ago that a look-up decides.
fn is_withheld_in_doubt(mapping: &Mapping, now: Timestamp) -> bool {
    let is_settled =
        mapping.withheld.as_ref().is_some_and(|mark| now.duration_since(mark.at) >= MAY_ARRIVE_FOR);
    is_settled
        && mapping.link.is_none()
        && mapping.operation.state == OperationState::Withheld
        && mapping.operation.trace == WriteTrace::Uncertain
}
