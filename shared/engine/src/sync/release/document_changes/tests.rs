//! Tests of the comparison of a document with what a poll has read.

use domain::crm::refund::Refund;
use domain::document::credit_note::RemoteCreditNote;
use domain::document::sales::DocumentStatus;
use domain::ids::{AccountId, CrmId, TenantId, XeroCreditNoteId};
use uuid::Uuid;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pounds(amount: &str) -> Money {
    let json = format!(
        r#"{{"id":"ref_1","revision":1,"method":"stripe","date":"2026-11-02",
        "currency":"GBP","invoice_id":"inv_1","amount":"{amount}"}}"#
    );
    let refund: Refund = serde_json::from_str(&json).unwrap();
    Money::new(refund.amount, refund.currency)
}

/// A credit note of which nothing is used, and which Xero changed at this instant.
fn a_note(changed_at: Timestamp) -> RemoteCreditNote {
    RemoteCreditNote {
        id: XeroCreditNoteId(Uuid::from_u128(7)),
        number: None,
        is_sales: true,
        status: DocumentStatus::Authorised,
        contact_id: None,
        reference: None,
        total: pounds("40.00"),
        total_tax: None,
        remaining: pounds("40.00"),
        date: None,
        updated_at: Some(changed_at),
        allocations: Vec::new(),
        refunds: Vec::new(),
        line_tracking: Vec::new(),
    }
}

#[test]
fn a_change_that_xero_dates_in_the_future_counts_once_that_instant_has_come() {
    let remote = a_note(at(100));
    let amounts = DocumentAmounts::of_credit_note(remote.total, &remote);
    let ledger =
        Ledger { account: AccountId::new("acc_1").unwrap(), tenant: TenantId(Uuid::from_u128(1)) };
    let key = MappingKey::new(ledger, EntityKind::CreditNote, CrmId::new("cn_1").unwrap());
    for (now, is_found) in [(99, false), (100, true)] {
        let known = KnownDocument {
            key: key.clone(),
            amounts: amounts.clone(),
            updated_at: Some(at(50)),
            failed_attempt_began_at: Some(at(60)),
        };
        let change = known.find_change(&remote, &amounts, remote.updated_at, at(now));
        assert_eq!(change.is_some(), is_found, "{now}: {change:?}");
    }
}
