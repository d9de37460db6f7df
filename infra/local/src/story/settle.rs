//! Waits until everything that was sent is processed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::material::{Entry, Outcome};
use super::views::Record;
use super::watch::Watch;
use crate::clock;
use crate::console::Console;
use crate::failure::Failure;
use crate::wait::{self, Look, PATIENCE, digest};

/// A retry that is further away is not waited for: the record has failed more than twice then.
const RETRY_WITHIN: Duration = Duration::from_mins(20);

/// How many records are read at the same time: each read waits for several processes.
const READ_TOGETHER: usize = 4;

/// How many unprocessed records are named.
const NAMED_MAX: usize = 5;

/// The records that the story follows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    /// A client, by its id.
    Client(String),
    /// An invoice, by its id.
    Invoice(String),
    /// A credit note, by its id.
    CreditNote(String),
    /// An allocation, by its id.
    Allocation(String),
    /// A payment or a refund, by its id.
    Payment(String),
    /// A payment that waits until its invoice is approved in Xero, by its id.
    PaymentOfDraft(String),
}

impl Subject {
    /// The record of an invoice of the story: a negative one is a credit note, under a key that
    /// cannot be the id of a credit note.
    pub(super) fn of(entry: &Entry) -> Self {
        let id = entry.invoice.id.clone();
        match entry.expect.outcome {
            Outcome::Credited => Self::CreditNote(format!("{id}~credit")),
            Outcome::Synced | Outcome::Failed | Outcome::Unchanged | Outcome::Voided => {
                Self::Invoice(id)
            }
        }
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        let (Self::Client(id)
        | Self::Invoice(id)
        | Self::CreditNote(id)
        | Self::Allocation(id)
        | Self::Payment(id)
        | Self::PaymentOfDraft(id)) = self;
        id
    }
}

/// The record of each subject; `None` for one that is not known yet.
pub(super) type Records = BTreeMap<Subject, Option<Record>>;

/// Waits until the queues are empty and every subject is processed, and returns the records. Waits
/// as long as there is progress; fails at once, with the cause, if the rest can no longer be
/// processed.
pub(super) async fn settled(
    watch: &Watch<'_>,
    console: &Console,
    subjects: &[Subject],
) -> Result<Records, Failure> {
    let mut records: Records = subjects.iter().map(|subject| (subject.clone(), None)).collect();
    let waited = wait::while_moving(PATIENCE, async || look(watch, console, &mut records).await);
    let outcome = waited.await;
    console.progress_over();
    match outcome {
        Ok(Some(())) => Ok(records),
        Ok(None) => Err(Failure::new(stalled(&records))),
        Err(failure) => Err(failure.interrupting(format!("It interrupted: {}.", open(&records)))),
    }
}

async fn look(
    watch: &Watch<'_>,
    console: &Console,
    records: &mut Records,
) -> Result<Look<()>, Failure> {
    watch.check().await?;
    let queued = watch.queued().await?;
    let left: u64 = queued.iter().sum();
    if left > 0 {
        console.progress(&format!("{left} messages in the queues"));
        return Ok(Look::Pending { state: digest(&(&queued, &*records)), quiet: None });
    }
    read_open(watch, records).await?;
    if open_records(records).next().is_none() {
        return Ok(Look::Done(()));
    }
    console.progress(&open(records));
    let quiet = quiet(records, clock::now());
    Ok(Look::Pending { state: digest(&(&queued, &*records)), quiet })
}

/// Reads the records that were not processed when they were last read.
async fn read_open(watch: &Watch<'_>, records: &mut Records) -> Result<(), Failure> {
    let open: Vec<Subject> = open_records(records).map(|(subject, _)| subject.clone()).collect();
    let read = |number: usize| {
        Box::pin(read_records(watch, open.iter().skip(number).step_by(READ_TOGETHER)))
    };
    let (first, second, third, fourth) = tokio::try_join!(read(0), read(1), read(2), read(3))?;
    records.extend([first, second, third, fourth].into_iter().flatten());
    Ok(())
}

async fn read_records<'s>(
    watch: &Watch<'_>,
    subjects: impl Iterator<Item = &'s Subject>,
) -> Result<Vec<(Subject, Option<Record>)>, Failure> {
    let mut read = Vec::new();
    for subject in subjects {
        let record = match subject {
            Subject::Client(id) => watch.api().client(id).await?,
            Subject::Invoice(id) => watch.api().invoice(id).await?,
            Subject::CreditNote(id) => watch.api().credit_note(id).await?,
            Subject::Allocation(id) => watch.api().allocation(id).await?,
            Subject::Payment(id) | Subject::PaymentOfDraft(id) => watch.api().payment(id).await?,
        };
        read.push((subject.clone(), record));
    }
    Ok(read)
}

fn has_settled(subject: &Subject, record: Option<&Record>) -> bool {
    let may_await_approval = matches!(subject, Subject::PaymentOfDraft(_));
    record.is_some_and(|record| {
        record.is_settled() || (may_await_approval && record.awaits_approval())
    })
}

/// The subjects that are not processed, with their records as far as they are known.
fn open_records(records: &Records) -> impl Iterator<Item = (&Subject, Option<&Record>)> {
    let all = records.iter().map(|(subject, record)| (subject, record.as_ref()));
    all.filter(|(subject, record)| !has_settled(subject, *record))
}

/// How long no progress is expected: until the first of the retries. One that is too far away is
/// not waited for.
fn quiet(records: &Records, now: Timestamp) -> Option<Duration> {
    let retries = open_records(records).filter_map(|(_, record)| record?.next_attempt_at);
    let next = retries.min()?;
    let left = Duration::try_from(next.duration_since(now)).ok()?;
    (left <= RETRY_WITHIN).then_some(left)
}

/// How many are processed, and the first that is not, with its state.
fn open(records: &Records) -> String {
    let settled = records.len().saturating_sub(open_records(records).count());
    let first = open_records(records).next();
    let first = first.map(|(subject, record)| describe(subject, record));
    let first = first.map(|first| format!("; {first}")).unwrap_or_default();
    format!("{settled} of {} are processed{first}", records.len())
}

fn describe(subject: &Subject, record: Option<&Record>) -> String {
    let stands = record.map_or_else(|| "not known yet".to_owned(), Record::described);
    format!("{} is {stands}", subject.id())
}

/// The reason why the story cannot continue when there is no more progress.
fn stalled(records: &Records) -> String {
    let open: Vec<String> =
        open_records(records).map(|(subject, record)| describe(subject, record)).collect();
    let more = open.len().saturating_sub(NAMED_MAX);
    let named: Vec<&str> = open.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = if more > 0 { format!("\n    … and {more} more") } else { String::new() };
    format!(
        "{} of {} records are not processed, and there is no more progress:\n    {}{more}",
        open.len(),
        records.len(),
        named.join("\n    ")
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::{RETRY_WITHIN, Records, Subject, open, quiet, stalled};

    const WAITING: &str = r#"{"state":"waiting","next_attempt_at":"1970-01-01T00:05:00Z",
        "failure":{"class":"transient","message":"Xero did not respond.","remedy":""}}"#;

    fn records(all: &[(&str, Option<&str>)]) -> Records {
        let record = |json: &str| serde_json::from_str(json).unwrap();
        all.iter()
            .map(|(id, json)| (Subject::Invoice((*id).to_owned()), json.map(record)))
            .collect()
    }

    #[test]
    fn the_first_open_record_is_named_with_its_state() {
        let two = records(&[("inv_1", Some(r#"{"state":"synced"}"#)), ("inv_2", Some(WAITING))]);
        assert_eq!(open(&two), "1 of 2 are processed; inv_2 is waiting: Xero did not respond.");
        assert_eq!(
            open(&records(&[("inv_1", None)])),
            "0 of 1 are processed; inv_1 is not known yet"
        );
    }

    #[test]
    fn a_payment_of_a_draft_is_waited_for_until_it_waits_for_the_approval() {
        let unapproved = r#"{"state":"parked","failure":{"class":"blocked",
            "code":"prerequisite_not_approved","message":"No.","remedy":""}}"#;
        let record = || Some(serde_json::from_str(unapproved).unwrap());
        let waiting: Records = [
            (Subject::Payment("pay_1".to_owned()), record()),
            (Subject::PaymentOfDraft("pay_2".to_owned()), record()),
        ]
        .into();
        assert_eq!(open(&waiting), "1 of 2 are processed; pay_1 is parked: No.");
    }

    #[test]
    fn a_wait_includes_near_retries_but_not_distant_ones() {
        let one = records(&[("inv_1", Some(WAITING)), ("inv_2", None)]);
        assert_eq!(quiet(&one, Timestamp::UNIX_EPOCH), Some(Duration::from_mins(5)));
        let early = Timestamp::UNIX_EPOCH - SignedDuration::try_from(RETRY_WITHIN).unwrap();
        assert_eq!(quiet(&one, early), None, "it is too far away");
        let late = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        assert_eq!(quiet(&one, late), None, "it is overdue");
    }

    #[test]
    fn a_stalled_wait_names_the_open_records() {
        let many: Vec<String> = (10..30).map(|number| format!("inv_{number}")).collect();
        let all: Vec<(&str, Option<&str>)> = many.iter().map(|id| (id.as_str(), None)).collect();
        let sentence = stalled(&records(&all));
        assert!(sentence.starts_with("20 of 20 records are not processed"), "{sentence}");
        assert!(sentence.contains("\n    inv_10 is not known yet"), "{sentence}");
        assert!(sentence.ends_with("… and 15 more"), "{sentence}");
    }
}
