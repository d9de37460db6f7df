//! The outbox: events are committed together with the change they report, and delivered right
//! afterwards. An event that could not be delivered is delivered by the sweep or together with the
//! account's next event, always in the order of their commits. An event that the queue refuses
//! because of its content is set aside, so that the account's later events are delivered. Events
//! about synced records do not wait for earlier ones (`synced_events`).
//!
//! What is delivered is the text that was committed, whatever the kind of the event: another
//! release may have committed it.

use std::num::NonZeroU16;

use domain::dead_letter::DeadLetterReason;
use domain::delivery::FAILURES_MAX;
use domain::idempotency::ContentHash;
use domain::ids::AccountId;
use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use futures::FutureExt;
use store::{OutboxPage, StoreError, UndeliveredEvent};
use uuid::Uuid;

use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::ports::{Metric, PortError};
use crate::record_isolation::catch_panic;

/// Events read per page.
const PAGE: NonZeroU16 = NonZeroU16::new(100).expect("not zero");
/// Maximum pages per delivery. The sweep delivers the rest.
const PAGES_MAX: u32 = 10;

/// The result of delivering an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeliveryOutcome {
    /// The queue accepted it.
    Delivered,
    /// The queue refuses it, and it left the outbox.
    SetAside,
    /// It is still in the outbox, and later events wait for it.
    Undelivered,
}

/// Derives the id of an event about an account: always the same for the same seed. An event that is
/// committed again under its derived id is the same event for the CRM.
pub(crate) fn derive_event_id(account: &AccountId, seed: &str) -> Uuid {
    let hash = ContentHash::of_bytes(format!("event\n{account}\n{seed}").as_bytes());
    let digits = hash.as_str().get(..32).unwrap_or_default();
    let number = u128::from_str_radix(digits, 16).unwrap_or_default();
    uuid::Builder::from_custom_bytes(number.to_be_bytes()).into_uuid()
}

impl Engine {
    /// Creates an event at the current time, to be committed with its change.
    pub(crate) fn new_event(&self, account: &AccountId, content: EventContent) -> EventMessage {
        let (id, now) = (self.ids.new_uuid(), self.clock.now());
        EventMessage::from(&OutboundEvent::new(id, account.clone(), content, now))
    }

    /// Commits and delivers an event that reports no change of a row. If the work is repeated with
    /// the same id, the CRM recognises the event.
    pub(crate) async fn report_event(
        &self,
        event_id: Uuid,
        account: &AccountId,
        content: EventContent,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let event =
            EventMessage::from(&OutboundEvent::new(event_id, account.clone(), content, now));
        match self.store.put_event(&event).await {
            // An earlier try at the same instant committed it.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        self.deliver_committed(account, [&event]).await;
        Ok(())
    }

    /// Delivers the events just committed for an account, after its earlier undelivered ones. A
    /// failure only delays them.
    pub(crate) async fn deliver_committed<'a>(
        &self,
        account: &AccountId,
        committed: impl IntoIterator<Item = &'a EventMessage>,
    ) {
        if committed.into_iter().next().is_some() {
            self.deliver_outbox(account).await;
        }
    }

    /// Delivers the events of an account's outbox in order, up to the first that can be neither
    /// delivered nor set aside. Returns how many were delivered.
    ///
    /// The outbox is read as the last commit left it, and an event leaves it only after delivery or
    /// when it is set aside. So two processes may deliver the same event, which the queue or the
    /// CRM deduplicates, but no event overtakes another, except those about synced records. A panic
    /// only delays the events, too.
    pub(crate) async fn deliver_outbox(&self, account: &AccountId) -> usize {
        let mut delivered = 0;
        // It must not fail the record whose change was just committed.
        if catch_panic(self.deliver_pages(account, &mut delivered).boxed()).await.is_none() {
            tracing::error!(account.id = %account, "delivering the events of an account panicked");
        }
        delivered
    }

    async fn deliver_pages(&self, account: &AccountId, delivered: &mut usize) {
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let page = self.store.list_undelivered(account, after.clone(), PAGE).await;
            let OutboxPage { events, unreadable, next } = match page {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(
                        error = %ErrorChain(&error),
                        account.id = %account,
                        "the outbox could not be read; the sweep tries again"
                    );
                    return;
                }
            };
            for event in &events {
                match self.deliver_event(event).await {
                    DeliveryOutcome::Delivered => {
                        *delivered += 1;
                        self.record_delivery(event).await;
                    }
                    DeliveryOutcome::SetAside => {}
                    DeliveryOutcome::Undelivered => return,
                }
            }
            // Events have left the outbox, so others have taken their places in the page.
            if next.is_some() && !events.is_empty() {
                continue;
            }
            self.report_unreadable(account, &unreadable);
            if next.is_none() {
                break;
            }
            // Events that cannot be read stay in the outbox. The next page begins after them.
            after = next;
        }
    }

    /// Delivers one event, or sets it aside if the queue refuses its content [`FAILURES_MAX`] times
    /// in a row. A refusal depends on the event alone, so further tries need not wait.
    async fn deliver_event(&self, event: &UndeliveredEvent) -> DeliveryOutcome {
        for refusals in 1..=FAILURES_MAX {
            let Err(error) = self.events.publish_event(&event.message).await else {
                return DeliveryOutcome::Delivered;
            };
            let refusal = error.content_refusal();
            match refusal {
                Some(_) if refusals < FAILURES_MAX => {}
                Some(refusal) => {
                    let text = format!("the queue of events refuses the event: {refusal}");
                    return self
                        .set_aside(event, &DeadLetterReason::new("event_refused", &text))
                        .await;
                }
                None => {
                    log_undelivered(&event.message, &error);
                    return DeliveryOutcome::Undelivered;
                }
            }
        }
        DeliveryOutcome::Undelivered
    }

    async fn record_delivery(&self, event: &UndeliveredEvent) {
        if let Err(error) = self.store.mark_delivered(event).await {
            tracing::warn!(
                error = %ErrorChain(&error),
                account.id = %event.message.account_id,
                "a delivery could not be recorded; the event will be delivered again"
            );
        }
    }

    /// Moves an event out of the outbox. If that fails, it stays there and later events wait.
    async fn set_aside(
        &self,
        event: &UndeliveredEvent,
        reason: &DeadLetterReason,
    ) -> DeliveryOutcome {
        match self.store.set_event_aside(event, reason, self.clock.now()).await {
            Ok(true) => {
                self.metrics.record_metric(Metric::Defect);
                tracing::error!(
                    account.id = %event.message.account_id,
                    reason.code = reason.stable_code(),
                    reason = reason.sentence_text(),
                    "an event was set aside, because the queue of events refuses it"
                );
                DeliveryOutcome::SetAside
            }
            // Another process moved it.
            Ok(false) => DeliveryOutcome::SetAside,
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    account.id = %event.message.account_id,
                    "a refused event could not be set aside; the sweep tries again"
                );
                DeliveryOutcome::Undelivered
            }
        }
    }
}

pub(super) fn log_undelivered(event: &EventMessage, error: &PortError) {
    tracing::warn!(
        error = %ErrorChain(error),
        account.id = %event.account_id,
        "an event could not be delivered; the sweep tries again"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_event_id_is_the_same_each_time_and_another_in_another_account() {
        let [one, other] = ["acc_1", "acc_2"].map(|id| AccountId::new(id).unwrap());
        let known = derive_event_id(&one, "refused msg_1");
        assert_eq!(derive_event_id(&one, "refused msg_1"), known);
        assert_ne!(derive_event_id(&other, "refused msg_1"), known);
        assert_ne!(derive_event_id(&one, "refused msg_2"), known);
    }
}
