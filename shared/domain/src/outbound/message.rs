//! Events as text. An event becomes text once, when it is committed, and this text is delivered. So
//! a release also delivers events of kinds that only a later release knows.

use std::fmt;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use super::OutboundEvent;
use crate::ids::{AccountId, CrmId, EventId};

/// The type of an event whose sequence number is not about the invoice that it names.
const NUMBERED_BY_SURPLUS: &str = "payment.overpaid";

/// The message of an event: the text that the CRM receives, and what the delivery depends on.
///
/// It is serialised as this text, unchanged. It is read from the text of an event of any kind; only
/// a text without an id, an account or an instant is refused.
#[derive(Clone, PartialEq, Eq)]
pub struct EventMessage {
    /// The id of the event, the same in every delivery.
    pub event_id: EventId,
    /// The account that the event is about.
    pub account_id: AccountId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The invoice that the event is about, and the event's sequence number for it.
    pub invoice_sequence: Option<(CrmId, u64)>,
    /// The JSON text. It is private because the other fields are read from it.
    body: String,
}

impl EventMessage {
    /// The JSON text that the CRM receives.
    pub fn body_text(&self) -> &str {
        &self.body
    }
}

impl From<&OutboundEvent> for EventMessage {
    fn from(event: &OutboundEvent) -> Self {
        let invoice_sequence = event.content.invoice_sequence();
        Self {
            event_id: event.event_id,
            account_id: event.account_id.clone(),
            occurred_at: event.occurred_at,
            invoice_sequence: invoice_sequence.map(|(invoice, number)| (invoice.clone(), number)),
            body: event.to_body(),
        }
    }
}

impl Serialize for EventMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body: &RawValue = serde_json::from_str(&self.body).map_err(ser::Error::custom)?;
        body.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EventMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Box::<RawValue>::deserialize(deserializer)?;
        let envelope: EventEnvelope<'_> =
            serde_json::from_str(body.get()).map_err(de::Error::custom)?;
        let invoice_sequence = envelope.invoice_sequence();
        let EventEnvelope { event_id, account_id, occurred_at, .. } = envelope;
        let body = Box::<str>::from(body).into_string();
        Ok(Self { event_id, account_id, occurred_at, invoice_sequence, body })
    }
}

/// Hides the text, because it may hold personal data.
impl fmt::Debug for EventMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventMessage({} of {})", self.event_id, self.account_id)
    }
}

/// The parts of an event that do not depend on its kind. A later kind may give the optional ones
/// any other form.
#[derive(Deserialize)]
struct EventEnvelope<'a> {
    event_id: EventId,
    account_id: AccountId,
    occurred_at: Timestamp,
    #[serde(borrow, default, rename = "type")]
    event_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    invoice_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sequence: Option<&'a RawValue>,
}

impl EventEnvelope<'_> {
    fn invoice_sequence(&self) -> Option<(CrmId, u64)> {
        let event_type: Option<String> = read_event_part(self.event_type);
        if event_type.is_some_and(|event_type| event_type == NUMBERED_BY_SURPLUS) {
            return None;
        }
        Some((read_event_part(self.invoice_id)?, read_event_part(self.sequence)?))
    }
}

/// Returns a part of an event, if it is there and has this form.
fn read_event_part<T: DeserializeOwned>(part: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(part?.get()).ok()
}
