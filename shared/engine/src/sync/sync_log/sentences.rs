//! The sentences of the sync log about outcomes and events.

use domain::entity::EntityKind;
use domain::outbound::{EventContent, PaymentState, RemovalReason, UnclearState};
use domain::sync_log::LoggedOperation;

use crate::sync::Synced;

/// Describes what an attempt did in Xero. `None` if Xero has no document of the record, or one that
/// no longer counts, which a remark explains.
pub(super) fn describe_operation(kind: EntityKind, synced: &Synced) -> Option<&'static str> {
    let sentence = match (synced.operation, kind) {
        (LoggedOperation::Create, _) => "Created in Xero.",
        (LoggedOperation::Update, _) => "Updated in Xero.",
        (LoggedOperation::Adopt, _) => "Matched with the record already in Xero.",
        (LoggedOperation::Void, _) if synced.link.is_none() => return None,
        (LoggedOperation::Push, EntityKind::Payment) if !synced.remarks.is_empty() => return None,
        (LoggedOperation::Push, _)
            if (synced.link.is_none() || has_gone_document(synced))
                && !synced.remarks.is_empty() =>
        {
            return None;
        }
        (LoggedOperation::Void, EntityKind::Allocation) => {
            "The credit is no longer applied in Xero."
        }
        (LoggedOperation::Void, EntityKind::Payment) => "Removed from Xero.",
        (
            LoggedOperation::Void,
            EntityKind::Contact | EntityKind::Invoice | EntityKind::CreditNote,
        ) => "Voided in Xero.",
        (
            LoggedOperation::Push
            | LoggedOperation::Import
            | LoggedOperation::Receive
            | LoggedOperation::Link
            | LoggedOperation::Withhold,
            _,
        ) => "Xero already has this version.",
    };
    Some(sentence)
}

/// Returns whether the document of a record was voided or deleted in Xero.
fn has_gone_document(synced: &Synced) -> bool {
    let amounts = synced.link.as_ref().and_then(|link| link.amounts.as_ref());
    amounts.is_some_and(|amounts| amounts.status.is_gone())
}

/// Describes an event about an invoice in sentences for the log.
pub(crate) fn describe_event(content: &EventContent) -> Vec<String> {
    match content {
        EventContent::PaymentImported(payment) => {
            let from = payment.account.as_ref().map(|name| format!(" into {name}"));
            vec![format!(
                "{} was paid{} in Xero and reported to ServiceCortex.",
                payment.amount,
                from.unwrap_or_default()
            )]
        }
        EventContent::PaymentRemoved { payment, reason, payment_id: _ } => vec![match reason {
            RemovalReason::RemovedInXero => {
                format!("The payment of {} was removed in Xero.", payment.amount)
            }
            RemovalReason::SamePayment => {
                format!("The payment of {} is already recorded in ServiceCortex.", payment.amount)
            }
        }],
        EventContent::RefundRemoved(refund) => vec![format!(
            "The refund of {} was deleted in Xero. If the money was returned, record a new refund in ServiceCortex.",
            refund.amount
        )],
        EventContent::PaymentUnclear { payment, state, candidates: _ } => vec![match state {
            UnclearState::Open => format!(
                "A payment of {} in Xero may be one that ServiceCortex recorded. A user must decide.",
                payment.amount
            ),
            UnclearState::Closed => {
                format!("The payment of {} in Xero is no longer unclear.", payment.amount)
            }
        }],
        EventContent::PaymentStatus { status, amount_due, amount_credited, .. } => {
            let state = match status {
                PaymentState::Paid => "It is paid in Xero.".to_owned(),
                PaymentState::PartPaid => format!("{amount_due} is still due in Xero."),
                PaymentState::Unpaid => format!("It is unpaid in Xero: {amount_due} is due."),
            };
            let credited = !amount_credited.amount.is_zero();
            let credit = credited.then(|| format!("Credit of {amount_credited} is applied to it."));
            std::iter::once(state).chain(credit).collect()
        }
        EventContent::XeroStatus { remarks, .. }
        | EventContent::CreditNoteStatus { remarks, .. } => remarks.clone(),
        EventContent::PaymentOverpaid(_)
        | EventContent::Skipped { .. }
        | EventContent::Connection { .. }
        | EventContent::RecordSynced(_)
        | EventContent::MessageRefused { .. }
        | EventContent::BooksCompared { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{CrmId, XeroId};
    use domain::mapping::XeroLink;
    use domain::money::Money;
    use uuid::Uuid;

    use super::*;

    fn voided(is_in_xero: bool) -> Synced {
        let link = XeroLink {
            xero_id: XeroId(Uuid::from_u128(1)),
            number: None,
            xero_updated_at: None,
            amounts: None,
            contact: None,
        };
        let remarks = Vec::new();
        Synced { link: is_in_xero.then_some(link), operation: LoggedOperation::Void, remarks }
    }

    #[test]
    fn what_was_removed_is_named_by_its_kind() {
        for (kind, sentence) in [
            (EntityKind::Invoice, "Voided in Xero."),
            (EntityKind::Payment, "Removed from Xero."),
            (EntityKind::Allocation, "The credit is no longer applied in Xero."),
        ] {
            assert_eq!(describe_operation(kind, &voided(true)), Some(sentence));
            assert_eq!(describe_operation(kind, &voided(false)), None);
        }
    }

    #[test]
    fn a_record_without_a_document_in_xero_is_described_by_its_remark_alone() {
        let remarks = vec!["It was not sent.".to_owned()];
        let known = |is_in_xero| Synced {
            operation: LoggedOperation::Push,
            remarks: remarks.clone(),
            ..voided(is_in_xero)
        };
        assert_eq!(describe_operation(EntityKind::Payment, &known(false)), None);
        assert_eq!(describe_operation(EntityKind::Payment, &known(true)), None);
        assert_eq!(describe_operation(EntityKind::Contact, &known(false)), None);
        let sentence = Some("Xero already has this version.");
        assert_eq!(describe_operation(EntityKind::Contact, &known(true)), sentence);
    }

    #[test]
    fn credit_is_not_described_as_part_of_what_is_due() {
        let pounds = |amount: &str| {
            let text = format!(r#"{{"amount":"{amount}","currency":"GBP"}}"#);
            serde_json::from_str::<Money>(&text).unwrap()
        };
        let content = EventContent::PaymentStatus {
            invoice_id: CrmId::new("inv_1").unwrap(),
            number: "#INV-1".to_owned(),
            sequence: 1,
            status: PaymentState::PartPaid,
            total: pounds("240.00"),
            amount_paid: pounds("0.00"),
            amount_credited: pounds("60.00"),
            amount_due: pounds("180.00"),
            paid_on: None,
            credits: Vec::new(),
        };
        assert_eq!(
            describe_event(&content),
            ["GBP 180.00 is still due in Xero.", "Credit of GBP 60.00 is applied to it."]
        );
    }
}
