//! The events about payments on an invoice.

use jiff::Timestamp;

use super::next_sequence;
use crate::invoice_payments::PaymentNotice;
use crate::mapping::Mapping;
use crate::outbound::{EventContent, PaymentEventContent, RemovalReason, UnclearState};

/// The events about payments on a mapping's invoice: one for each change, and one about all possible
/// duplicates.
pub fn report_payments(
    mapping: &mut Mapping,
    notices: Vec<PaymentNotice>,
    now: Timestamp,
) -> Vec<EventContent> {
    let remarks = notices.iter().filter_map(describe_possible_duplicate).collect::<Vec<_>>();
    let events = notices.into_iter().filter_map(|one| payment_change_event(mapping, one, now));
    let mut events = events.collect::<Vec<_>>();
    events.extend(possible_duplicates_event(mapping, remarks, now));
    events
}

/// The event about a change of a payment. `None` for a possible duplicate, which changes none.
fn payment_change_event(
    mapping: &mut Mapping,
    notice: PaymentNotice,
    now: Timestamp,
) -> Option<EventContent> {
    let mut content = |received| {
        let sequence = next_sequence(mapping, now);
        PaymentEventContent::new(received, mapping.key.crm_id.clone(), sequence)
    };
    Some(match notice {
        PaymentNotice::Imported(received) => EventContent::PaymentImported(content(received)),
        PaymentNotice::Removed { received, payment } => EventContent::PaymentRemoved {
            payment: content(received),
            reason: RemovalReason::RemovedInXero,
            payment_id: payment,
        },
        PaymentNotice::Same { received, payment } => EventContent::PaymentRemoved {
            payment: content(received),
            reason: RemovalReason::SamePayment,
            payment_id: Some(payment),
        },
        PaymentNotice::Unclear { received, candidates } => EventContent::PaymentUnclear {
            payment: content(received),
            state: UnclearState::Open,
            candidates,
        },
        PaymentNotice::Resolved(received) => EventContent::PaymentUnclear {
            payment: content(received),
            state: UnclearState::Closed,
            candidates: Vec::new(),
        },
        PaymentNotice::PossibleDuplicate { .. } => return None,
    })
}

/// The event about payments in Xero that may be the same money. `None` without any, or if the status
/// of the invoice in Xero is unknown.
fn possible_duplicates_event(
    mapping: &mut Mapping,
    remarks: Vec<String>,
    now: Timestamp,
) -> Option<EventContent> {
    if remarks.is_empty() {
        return None;
    }
    let amounts = mapping.link.as_ref().and_then(|link| link.amounts.as_ref())?;
    let status = amounts.status.as_str().to_owned();
    let sequence = next_sequence(mapping, now);
    Some(EventContent::XeroStatus {
        invoice_id: mapping.key.crm_id.clone(),
        number: mapping.snapshot.natural_key.clone(),
        sequence,
        status,
        remarks,
    })
}

/// A sentence about a payment that may repeat one that the integration wrote, with the remedy.
fn describe_possible_duplicate(notice: &PaymentNotice) -> Option<String> {
    match notice {
        PaymentNotice::PossibleDuplicate { entered, payment, paid_on, recorded } => {
            let amount = entered.amount;
            let date = entered.date.map(|date| format!(" of {date}")).unwrap_or_default();
            let account = entered.account.as_ref().map(|account| format!(" into {}", account.name));
            let account = account.unwrap_or_default();
            if let Some(recorded) = recorded {
                return Some(format!(
                    "ServiceCortex has the payment {payment} of {recorded} of {paid_on}, and a payment of {amount}{date}{account}, which it imported from Xero before. They may be the same money. Both count in ServiceCortex. If they are the same, delete the payment {payment} there. If not, nothing needs to be done."
                ));
            }
            Some(format!(
                "It has two payments of {amount} in Xero that may be the same money: the payment {payment} of {paid_on}, which ServiceCortex sent, and one{date}{account}, which was entered in Xero. Both count. If they are the same, remove the one that was entered: ServiceCortex then drops it as well. If not, nothing needs to be done."
            ))
        }
        PaymentNotice::Imported(_)
        | PaymentNotice::Removed { .. }
        | PaymentNotice::Same { .. }
        | PaymentNotice::Unclear { .. }
        | PaymentNotice::Resolved(_) => None,
    }
}
