//! Observes that a refund was deleted in Xero.

use jiff::Timestamp;

use crate::crm::payment::{PartRole, PaymentPart};
use crate::document::payment::{MoneyStatus, RemotePayment};
use crate::mapping::{Mapping, XeroLink};
use crate::observe::plausible_instant;
use crate::outbound::{EventContent, RefundEventContent};

/// A refund that was deleted in Xero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedRefund {
    /// The mapping to store: it remembers the deletion, so that it is reported once.
    pub mapping: Mapping,
    /// The part of the refund that returned the money.
    pub part: PaymentPart,
    /// The event for the CRM.
    pub event: EventContent,
}

/// Compares a payment in Xero with the mapping of the refund that it is. Returns `None` if it is
/// not deleted, if the mapping is not that of a refund, or if the deletion is known. A payment
/// without the instant of its change is ignored.
pub fn observe_removed_refund(
    mapping: &Mapping,
    remote: &RemotePayment,
    now: Timestamp,
) -> Option<RemovedRefund> {
    let link = mapping.link.as_ref().filter(|link| link.xero_id.0 == remote.id.0)?;
    if remote.status != MoneyStatus::Deleted {
        return None;
    }
    let part: PaymentPart = mapping.snapshot.parse_text().ok()?;
    let is_refund = match part.role {
        PartRole::Refund(_) => true,
        PartRole::Invoice(_)
        | PartRole::Fee
        | PartRole::Surcharge(_)
        | PartRole::RefundNote(_)
        | PartRole::RefundFee => false,
    };
    let changed_at = plausible_instant(remote.updated_at, now)?;
    let is_known = link.xero_updated_at.is_some_and(|known| changed_at <= known);
    if !is_refund || is_known {
        return None;
    }
    let event = EventContent::RefundRemoved(RefundEventContent {
        refund_id: part.payment.clone(),
        xero_payment_id: remote.id,
        amount: part.amount,
    });
    let link = XeroLink { xero_updated_at: Some(changed_at), ..link.clone() };
    Some(RemovedRefund { mapping: Mapping { link: Some(link), ..mapping.clone() }, part, event })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::crm::refund::Refund;
    use crate::ids::XeroPaymentId;
    use crate::mapping::KeptSnapshot;
    use crate::mapping::tests::{a_link, an_unsent_mapping};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// The mapping of a part of a refund over 40.00, by the part's place.
    fn a_mapping(place: usize) -> Mapping {
        let refund: Refund = serde_json::from_str(
            r#"{"id":"ref_1","revision":1,"method":"stripe","date":"2026-11-02",
            "currency":"GBP","invoice_id":"inv_1","amount":"40.00"}"#,
        )
        .unwrap();
        let json = serde_json::to_string(&refund.split_into_parts()[place]).unwrap();
        let snapshot = KeptSnapshot::new(1, "Stripe refund".to_owned(), json);
        let link = XeroLink { xero_updated_at: Timestamp::from_second(-50).ok(), ..a_link(5) };
        Mapping { link: Some(link), ..an_unsent_mapping("ref_1.1", snapshot) }
    }

    fn a_payment(status: MoneyStatus) -> RemotePayment {
        RemotePayment {
            id: XeroPaymentId(Uuid::from_u128(5)),
            invoice: None,
            parent: None,
            is_receipt: false,
            status,
            amount: Decimal::from(40),
            bank_amount: None,
            date: None,
            reference: None,
            account_code: None,
            account_id: None,
            is_reconciled: false,
            batch: None,
            updated_at: Timestamp::from_second(-10).ok(),
        }
    }

    #[test]
    fn a_deleted_refund_is_reported_once() {
        let deleted = a_payment(MoneyStatus::Deleted);
        let removed = observe_removed_refund(&a_mapping(1), &deleted, NOW).unwrap();
        let EventContent::RefundRemoved(content) = &removed.event else { panic!("{removed:?}") };
        assert_eq!(content.refund_id.as_str(), "ref_1");
        assert_eq!(content.amount.to_string(), "GBP 40.00");
        assert_eq!(observe_removed_refund(&removed.mapping, &deleted, NOW), None);
    }

    #[test]
    fn what_is_in_effect_or_is_no_refund_is_not_reported() {
        let (deleted, paid) = (a_payment(MoneyStatus::Deleted), a_payment(MoneyStatus::Authorised));
        assert_eq!(observe_removed_refund(&a_mapping(1), &paid, NOW), None);
        assert_eq!(observe_removed_refund(&a_mapping(0), &deleted, NOW), None);
        let id = XeroPaymentId(Uuid::from_u128(6));
        let other = RemotePayment { id, ..deleted.clone() };
        assert_eq!(observe_removed_refund(&a_mapping(1), &other, NOW), None);
        let undated = RemotePayment { updated_at: None, ..deleted };
        assert_eq!(observe_removed_refund(&a_mapping(1), &undated, NOW), None);
    }
}
