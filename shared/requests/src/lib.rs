//! What the functions take: the request bodies of the settings API and the message of the queue of
//! polls. The messages of the CRM's queues are in `domain`.
//!
//! This crate has no dependency on the engine, the table or AWS, so that the readers of foreign
//! input can be fuzzed without them.

mod account_codes;
mod body;
mod body_errors;
mod choices;
mod poll_message;
mod secret_text;
mod sync_preferences;
mod words;

pub use self::account_codes::{AccountCodesView, LineTrackingView};
pub use self::body::{BodyError, RequestBody, parse_body};
pub use self::body_errors::list_body_errors;
pub use self::choices::{
    ChosenRecord, ConnectTicket, ContactChoice, MatchingChoice, OrganisationChoice, PaymentChoice,
    RecordChoice, SurplusChoice,
};
pub use self::poll_message::PollMessage;
pub use self::secret_text::deserialize_secret;
pub use self::sync_preferences::{ContactLeader, NewInvoices, SyncPreferencesView};
pub use self::words::{MatchCriterion, RecordKind};
