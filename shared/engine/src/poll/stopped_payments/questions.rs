//! Collects the questions of one day about stopped payments and archived contacts from the list of
//! given-up records.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::crm::payment::{PartRole, PaymentPart};
use domain::entity::EntityKind;
use domain::ids::{XeroBankTransactionId, XeroPaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::AttentionReason;
use store::table::PageCursor;
use store::{ReadAheadKeys, StoreError};

use crate::connection::tenant_session::TenantSession;
use crate::sync::release::find_client_of_archived_contact;

/// Given-up records per page, and maximum pages per day: 2,000 records are looked at.
const PER_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("not zero");
const PAGES_MAX: usize = 20;

/// Maximum payments per day of which Xero is asked whether they can be removed: ten calls.
const PAYMENTS_MAX: usize = 200;

/// Maximum bank transactions per day, and maximum refused refunds: one call for each.
const SINGLE_CALLS_MAX: usize = 10;

/// Maximum clients per day of whose contacts Xero is asked whether they were restored. Of those that
/// are linked, one call reads forty contacts.
const CLIENTS_MAX: usize = 80;

/// The contact on which the given-up records of a client depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NeededContact {
    /// The client's present one.
    OfClient,
    /// Those of its documents, which are only to be voided: an earlier contact of the client may be
    /// among them.
    OfDocuments,
}

/// What Xero is asked about on one day.
#[derive(Debug, Default)]
pub(super) struct DailyQuestions {
    /// The parts whose payments Xero did not remove.
    pub(super) payments: BTreeMap<XeroPaymentId, MappingKey>,
    /// The parts whose bank transactions Xero did not remove.
    pub(super) transactions: Vec<(XeroBankTransactionId, MappingKey)>,
    /// The refunds that were refused.
    pub(super) refunds: Vec<Mapping>,
    /// The clients with records that were given up because the client's contact was archived.
    pub(super) clients: BTreeMap<MappingKey, NeededContact>,
}

impl DailyQuestions {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.payments.is_empty()
            && self.transactions.is_empty()
            && self.refunds.is_empty()
            && self.clients.is_empty()
    }

    /// Adds the question about a record, if there is one to ask. Returns `false` if the day has no
    /// room for it.
    fn add_question(&mut self, record: Mapping) -> bool {
        if record.is_refused_refund() {
            let has_room = self.refunds.len() < SINGLE_CALLS_MAX;
            if has_room {
                self.refunds.push(record);
            }
            return has_room;
        }
        if record.is_stopped_by_archived_contact()
            && let Some(client) = find_client_of_archived_contact(&record)
        {
            let has_room = self.clients.contains_key(&client) || self.clients.len() < CLIENTS_MAX;
            if has_room && record.is_voided_in_crm() {
                self.clients.entry(client).or_insert(NeededContact::OfDocuments);
            } else if has_room {
                self.clients.insert(client, NeededContact::OfClient);
            }
            return has_room;
        }
        match find_kept_document(&record) {
            Some(KeptDocument::Payment(id)) => {
                let has_room = self.payments.len() < PAYMENTS_MAX;
                if has_room {
                    self.payments.insert(id, record.key);
                }
                has_room
            }
            Some(KeptDocument::Transaction(id)) => {
                let has_room = self.transactions.len() < SINGLE_CALLS_MAX;
                if has_room {
                    self.transactions.push((id, record.key));
                }
                has_room
            }
            None => true,
        }
    }
}

/// Whether Xero is asked about given-up records of this kind.
const fn may_have_question(kind: EntityKind) -> bool {
    match kind {
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::CreditNote
        | EntityKind::Payment => true,
        EntityKind::Allocation => false,
    }
}

/// A document that Xero did not remove.
#[derive(Debug, Clone, Copy)]
enum KeptDocument {
    Payment(XeroPaymentId),
    Transaction(XeroBankTransactionId),
}

fn find_kept_document(record: &Mapping) -> Option<KeptDocument> {
    if !record.is_refused_removal() {
        return None;
    }
    let part = record.snapshot.parse_text::<PaymentPart>().ok()?;
    let id = record.link.as_ref()?.xero_id.0;
    match part.role {
        PartRole::Invoice(_) | PartRole::Refund(_) => {
            Some(KeptDocument::Payment(XeroPaymentId(id)))
        }
        PartRole::Fee | PartRole::Surcharge(_) | PartRole::RefundFee => {
            Some(KeptDocument::Transaction(XeroBankTransactionId(id)))
        }
        PartRole::RefundNote(_) => None,
    }
}

/// Collects the questions of a day: walks over the given-up records from `start`, then from the
/// newest one to `start`. Returns them with the start of the next day: the first record for which
/// this one has no room or no time, or the newest one if there is none.
pub(super) async fn collect_questions(
    tenant_session: &TenantSession<'_>,
    start: Option<&PageCursor>,
) -> Result<(DailyQuestions, Option<PageCursor>), StoreError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let mut questions = DailyQuestions::default();
    let (mut is_full, mut first_left_out) = (false, None::<PageCursor>);
    let (mut after, mut is_before_start) = (start.cloned(), start.is_none());
    for _ in 0..PAGES_MAX {
        let given_up = AttentionReason::GivenUp;
        let page = engine.store.list_attention(ledger, given_up, after.as_ref(), PER_PAGE).await?;
        let listed = page.records.len();
        let is_unread = |place: &PageCursor| !is_before_start || is_newer_than(place, start);
        let records = page.records.into_iter().take_while(|one| is_unread(&one.place));
        let records = records.collect::<Vec<_>>();
        let is_last = is_before_start && (page.next.is_none() || records.len() < listed);
        let mut rows = ReadAheadKeys::default();
        for one in records.iter().filter(|one| may_have_question(one.key.kind)) {
            rows.add_mapping(&one.key);
        }
        let ahead = engine.with_rows_read_ahead(rows).await;
        for one in records {
            if may_have_question(one.key.kind) {
                let read = ahead.store.find_mapping(&one.key);
                let row = engine.skip_failing(&ledger.account, read).await?.flatten();
                let has_room = row.is_none_or(|row| questions.add_question(row.record));
                if !has_room && !is_full {
                    is_full = true;
                    first_left_out = after.clone();
                }
            }
            after = Some(one.place);
        }
        if is_last {
            after = None;
            break;
        }
        // After the oldest record, the walk continues with the newest one.
        is_before_start |= page.next.is_none();
        after = page.next;
    }
    Ok((questions, if is_full { first_left_out } else { after }))
}

/// Returns whether a place in the list, which begins with the newest record, is before the start of
/// the walk, if that has one.
fn is_newer_than(place: &PageCursor, start: Option<&PageCursor>) -> bool {
    start.is_none_or(|start| place.sort_key() > start.sort_key())
}

#[cfg(test)]
mod tests {
    use domain::failure::{Failure, FailureCause, FailureClass};
    use domain::ids::{AccountId, CrmId, Ledger, TenantId, XeroId};
    use domain::mapping::{KeptSnapshot, SnapshotAcceptance, XeroLink};
    use domain::operation::OperationState;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    /// The row of a part of a payment with this role, as JSON, that was given up for this reason.
    fn a_given_up_part(number: usize, role: &str, cause: FailureCause) -> Mapping {
        let id = format!("pay_{number}.1");
        let json = format!(
            r#"{{"id":"{id}","payment":"pay_{number}","revision":1,"method":"stripe",
            "date":"2026-11-02","amount":{{"amount":"1.00","currency":"GBP"}},
            "role":{role},"standing":"deleted"}}"#
        );
        let account = AccountId::new("acc_1").unwrap();
        let ledger = Ledger { account, tenant: TenantId(Uuid::from_u128(1)) };
        let key = MappingKey::new(ledger, EntityKind::Payment, CrmId::new(id.as_str()).unwrap());
        let snapshot = KeptSnapshot::new(1, id, json);
        let accepted = Mapping::accept_snapshot(None, &key, snapshot, Timestamp::UNIX_EPOCH);
        let SnapshotAcceptance::Newer(mapping) = accepted else { panic!("the record is new") };
        let mut mapping = *mapping;
        mapping.operation.state = OperationState::Skipped;
        mapping.operation.failure = Some(Failure::new(FailureClass::Rejected, cause, "No.", ""));
        mapping.link = Some(XeroLink {
            xero_id: XeroId(Uuid::from_u128(u128::try_from(number).unwrap())),
            number: None,
            xero_updated_at: None,
            amounts: None,
            contact: None,
        });
        mapping
    }

    #[test]
    fn a_day_has_room_for_a_limited_number_of_questions_of_each_kind() {
        let mut questions = DailyQuestions::default();
        for (role, cause, most) in [
            (r#"{"invoice":"inv_1"}"#, FailureCause::PaymentReconciled, PAYMENTS_MAX),
            (r#""fee""#, FailureCause::PaymentInBatch, SINGLE_CALLS_MAX),
            (r#"{"refund_note":"inv_1"}"#, FailureCause::RefundOverPaid, SINGLE_CALLS_MAX),
        ] {
            for number in 0..most + 2 {
                let has_room = questions.add_question(a_given_up_part(number, role, cause));
                assert_eq!(has_room, number < most, "{role} {number}");
            }
        }
        let DailyQuestions { payments, transactions, refunds, clients } = &questions;
        let counts = [payments.len(), transactions.len(), refunds.len(), clients.len()];
        assert_eq!(counts, [PAYMENTS_MAX, SINGLE_CALLS_MAX, SINGLE_CALLS_MAX, 0]);
        // A record without a question needs no room.
        let role = r#"{"refund_note":"inv_1"}"#;
        let other = a_given_up_part(0, role, FailureCause::PaymentReconciled);
        assert!(questions.add_question(other));
    }

    /// The row of a client, which was given up because its contact was archived.
    fn a_stopped_client(number: usize) -> Mapping {
        let part = a_given_up_part(number, r#""fee""#, FailureCause::ContactArchived);
        let crm_id = CrmId::new(format!("cli_{number}").as_str()).unwrap();
        let key = MappingKey::new(part.key.ledger.clone(), EntityKind::Contact, crm_id);
        Mapping { key, ..part }
    }

    #[test]
    fn a_day_has_room_for_a_limited_number_of_clients_and_for_any_number_of_records_of_each() {
        let mut questions = DailyQuestions::default();
        for number in 0..CLIENTS_MAX + 2 {
            let has_room = questions.add_question(a_stopped_client(number));
            assert_eq!(has_room, number < CLIENTS_MAX, "{number}");
        }
        assert!(questions.add_question(a_stopped_client(0)));
        assert_eq!(questions.clients.len(), CLIENTS_MAX);
    }
}
