//! Wake-ups: messages that the product sends to its own queues, to continue work later.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::body::parse_ignoring_unknown;
use crate::entity::EntityKind;
use crate::envelope::{self, CONTRACT_VERSION, InboundBody, UnreadableBody};
use crate::ids::{AccountId, CrmId, Ledger, TenantId};

/// A request to check rows again, sent at once or for a later instant. It carries keys, never
/// data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeUp {
    /// The account of the rows.
    pub account: AccountId,
    /// The organisation of the rows.
    pub tenant: TenantId,
    /// The kind of document, which determines the queue.
    pub kind: EntityKind,
    /// The work to do.
    #[serde(rename = "errand")]
    pub work: WakeUpKind,
    /// Distinguishes wake-ups for the same rows: a FIFO queue drops a body that it has seen within
    /// five minutes.
    #[serde(deserialize_with = "deserialize_ticket")]
    pub ticket: String,
}

/// The work that a wake-up requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WakeUpKind {
    /// Process these records again: 1 to [`WAKE_UP_RECORDS_MAX`].
    Records(#[serde(deserialize_with = "deserialize_records")] Vec<CrmId>),
    /// Continue the account's Sync All.
    SyncAll,
    /// Process a new connection: carry over the records that waited for it, and check its settings.
    Connected,
    /// Continue the comparison of the account's clients with the contacts in Xero.
    Reconciliation,
    /// Release further records that waited for one that is in Xero now.
    Dependants(DependantRelease),
}

/// A step of the release of what waited for one record, if that is more than one process releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependantRelease {
    /// The record that is in Xero now, of the wake-up's kind.
    pub awaited: CrmId,
    /// The number of the step. The process that recorded the document performs step 0, without a
    /// wake-up.
    pub step: u8,
}

/// The maximum number of a step. AWS ends a chain of about 16 invocations, and those of the released
/// records and of what waits for them follow.
const RELEASE_STEP_MAX: u8 = 6;

impl DependantRelease {
    /// The release that the process performs which records the document.
    pub const fn first_of(awaited: CrmId) -> Self {
        Self { awaited, step: 0 }
    }

    /// The step after this one. `None` if this one is the last.
    pub fn following_step(&self) -> Option<Self> {
        let step = self.step.checked_add(1).filter(|step| *step <= RELEASE_STEP_MAX)?;
        Some(Self { awaited: self.awaited.clone(), step })
    }
}

impl WakeUpKind {
    /// The name of the work, as it is written in a body.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Records(_) => "records",
            Self::SyncAll => "sync_all",
            Self::Connected => "connected",
            Self::Reconciliation => "reconciliation",
            Self::Dependants(_) => "dependants",
        }
    }
}

/// The maximum number of records in one wake-up, which keeps its body far below a queue's limit. It
/// applies to wake-ups that are read and to those that are sent.
pub const WAKE_UP_RECORDS_MAX: usize = 100;

/// The maximum length of a wake-up's body, in bytes: more than [`WAKE_UP_RECORDS_MAX`] ids of the
/// maximum length need.
pub const WAKE_UP_BODY_LIMIT_BYTES: usize = 16 * 1024;

/// The maximum length of a ticket, in characters.
const TICKET_MAX: usize = 64;

/// The queue that a body came from. A push function has two queues, because the CRM may send to the
/// first only: a sender of wake-ups decides which records the product processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueSource {
    /// The queue of the CRM's messages.
    Messages,
    /// The queue of the product's own wake-ups.
    WakeUps,
}

impl QueueSource {
    /// Both queues.
    pub const ALL: [Self; 2] = crate::every_variant![Messages, WakeUps];

    /// Reads a body from this queue of `kind` whose message group is `group`.
    ///
    /// # Errors
    ///
    /// [`UnreadableBody`] if this queue does not accept the body, or the body exceeds a limit.
    pub fn read_body(
        self,
        body: &str,
        kind: EntityKind,
        group: &str,
    ) -> Result<InboundBody, UnreadableBody> {
        match self {
            Self::Messages => envelope::read_crm_body(body, kind, group),
            Self::WakeUps => read_wake_up(body, kind, group).map(InboundBody::Wake),
        }
    }
}

impl WakeUp {
    /// The ledger of the records that the wake-up is about.
    pub fn target_ledger(&self) -> Ledger {
        Ledger { account: self.account.clone(), tenant: self.tenant }
    }

    /// The wake-up as the JSON body of a message.
    pub fn to_body(&self) -> String {
        serde_json::to_string(&WakeUpBody { version: CONTRACT_VERSION, wake: self })
            .expect("ids and texts always make JSON")
    }
}

#[derive(Serialize)]
struct WakeUpBody<'a> {
    version: u64,
    wake: &'a WakeUp,
}

#[derive(Deserialize)]
struct ReceivedWakeUpBody {
    version: Option<u64>,
    wake: Option<WakeUp>,
}

/// Reads a body from the queue of wake-ups of `kind` whose message group is `group`. Only a wake-up
/// within its limits is accepted. A record that is named twice is kept once.
fn read_wake_up(body: &str, kind: EntityKind, group: &str) -> Result<WakeUp, UnreadableBody> {
    if body.len() > WAKE_UP_BODY_LIMIT_BYTES {
        let problem = format!("a wake-up has at most {WAKE_UP_BODY_LIMIT_BYTES} bytes");
        return Err(UnreadableBody::Field { field: "wake".to_owned(), problem });
    }
    let ReceivedWakeUpBody { version, wake } = parse_ignoring_unknown(body)?;
    if version != Some(CONTRACT_VERSION) {
        return Err(UnreadableBody::UnknownVersion);
    }
    let Some(wake) = wake else {
        let problem = "is missing: this queue accepts wake-ups only".to_owned();
        return Err(UnreadableBody::Field { field: "wake".to_owned(), problem });
    };
    if wake.kind.queue_kind() != kind.queue_kind() {
        return Err(UnreadableBody::WrongQueue { expected: kind });
    }
    if wake.account.as_str() != group {
        return Err(UnreadableBody::WrongAccount);
    }
    Ok(wake)
}

fn deserialize_records<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CrmId>, D::Error> {
    let mut records = Vec::<CrmId>::deserialize(deserializer)?;
    if !(1..=WAKE_UP_RECORDS_MAX).contains(&records.len()) {
        return Err(de::Error::custom(format_args!(
            "must name 1 to {WAKE_UP_RECORDS_MAX} records"
        )));
    }
    let mut seen = BTreeSet::new();
    records.retain(|record| seen.insert(record.clone()));
    Ok(records)
}

fn deserialize_ticket<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let ticket = String::deserialize(deserializer)?;
    let is_short = (1..=TICKET_MAX).contains(&ticket.len());
    if is_short && ticket.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(ticket);
    }
    Err(de::Error::custom(format_args!("must be 1 to {TICKET_MAX} plain characters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "acc_1";

    fn a_wake_up(records: usize) -> WakeUp {
        let id = |number: usize| CrmId::new(format!("{number:056}")).unwrap();
        WakeUp {
            account: AccountId::new(GROUP).unwrap(),
            tenant: TenantId(uuid::Uuid::from_u128(4)),
            kind: EntityKind::Invoice,
            work: WakeUpKind::Records((0..records).map(id).collect()),
            ticket: "1-2".to_owned(),
        }
    }

    fn refusal(body: &str) -> String {
        QueueSource::WakeUps.read_body(body, EntityKind::Invoice, GROUP).unwrap_err().to_string()
    }

    #[test]
    fn the_largest_wake_up_comes_back_from_its_body_on_its_own_queue_only() {
        let wake = a_wake_up(WAKE_UP_RECORDS_MAX);
        let body = wake.to_body();
        let read = |source: QueueSource| source.read_body(&body, EntityKind::Invoice, GROUP);
        assert_eq!(read(QueueSource::WakeUps), Ok(InboundBody::Wake(wake)));
        let refused = read(QueueSource::Messages).unwrap_err();
        assert!(refused.to_string().starts_with("wake: "), "{refused}");
        let other = QueueSource::WakeUps.read_body(&body, EntityKind::Invoice, "acc_2");
        assert_eq!(other, Err(UnreadableBody::WrongAccount));
        let expected = EntityKind::Payment;
        let other = QueueSource::WakeUps.read_body(&body, expected, GROUP);
        assert_eq!(other, Err(UnreadableBody::WrongQueue { expected }));
    }

    #[test]
    fn a_wake_up_beyond_a_limit_is_not_read() {
        assert!(refusal(&a_wake_up(0).to_body()).contains("1 to 100 records"));
        assert!(
            refusal(&a_wake_up(WAKE_UP_RECORDS_MAX + 1).to_body()).contains("1 to 100 records")
        );
        for count in [WAKE_UP_RECORDS_MAX * 100, 20_000] {
            assert!(refusal(&a_wake_up(count).to_body()).contains("16384 bytes"), "{count}");
        }
        let of_ticket = |ticket: String| WakeUp { ticket, ..a_wake_up(1) }.to_body();
        assert!(refusal(&of_ticket("9".repeat(65))).contains("64 plain characters"));
        assert!(refusal(&of_ticket("a\nb".to_owned())).contains("64 plain characters"));
        let long = a_wake_up(1).to_body().replace(&"0".repeat(56), &"0".repeat(57));
        assert!(refusal(&long).contains("wake.errand"), "{}", refusal(&long));
    }

    #[test]
    fn work_is_named_as_in_its_body() {
        let records = a_wake_up(1).work;
        let release = DependantRelease::first_of(CrmId::new("cli_1").unwrap());
        for work in [
            records,
            WakeUpKind::SyncAll,
            WakeUpKind::Connected,
            WakeUpKind::Reconciliation,
            WakeUpKind::Dependants(release),
        ] {
            let body = WakeUp { work: work.clone(), ..a_wake_up(1) }.to_body();
            assert!(body.contains(&format!("\"{}\"", work.as_str())), "{body}");
        }
    }

    #[test]
    fn a_release_ends_after_a_limited_number_of_steps() {
        let first = DependantRelease::first_of(CrmId::new("cli_1").unwrap());
        let steps = std::iter::successors(Some(first), DependantRelease::following_step);
        assert_eq!(steps.count(), 7);
        let beyond = DependantRelease { awaited: CrmId::new("cli_1").unwrap(), step: u8::MAX };
        assert_eq!(beyond.following_step(), None);
    }

    #[test]
    fn only_wake_ups_are_read_from_their_queue() {
        assert!(refusal(r#"{"version":1,"type":"invoice.sent"}"#).contains("wake-ups only"));
        assert_eq!(refusal("{}"), UnreadableBody::UnknownVersion.to_string());
        assert!(refusal("wake").contains("not JSON"));
    }

    #[test]
    fn a_record_that_is_named_twice_is_looked_at_once() {
        let twice = [CrmId::new("inv_1").unwrap(), CrmId::new("inv_1").unwrap()];
        let wake = WakeUp { work: WakeUpKind::Records(twice.to_vec()), ..a_wake_up(1) };
        let read = QueueSource::WakeUps.read_body(&wake.to_body(), EntityKind::Invoice, GROUP);
        let once = WakeUp { work: WakeUpKind::Records(twice[..1].to_vec()), ..wake };
        assert_eq!(read, Ok(InboundBody::Wake(once)));
    }
}
