//! Reconciliation: all clients of an account compared with all contacts of its organisation, while people
//! watch. What is sure is linked; the rest is listed for a person.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureClass};
use crate::ids::{CrmId, Ledger, UserId};
use crate::matching::{Evidence, Match};
use crate::retry;

/// The findings of one page, in bytes of JSON: well below the 400 KB of a row.
const PAGE_BYTES_MAX: usize = 200 * 1024;

/// What was found is kept this long.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A comparison: one row, rewritten with every step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Whose clients.
    pub ledger: Ledger,
    /// Who asked.
    pub by: UserId,
    /// When; also what tells its findings from those of an earlier one.
    pub started_at: Timestamp,
    /// Where it is.
    pub place: Place,
    /// Counts so far.
    pub counts: Counts,
    /// How many pages of findings there are.
    pub pages: u32,
    /// How often in a row it was interrupted by Xero.
    pub interruptions: u8,
    /// When the row was last written.
    pub updated_at: Timestamp,
}

/// How far a comparison has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "place")]
pub enum Place {
    /// Behind the client with this sort key; none at the beginning.
    Comparing {
        /// The last sort key that was dealt with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// At the end, since then.
    Done {
        /// When it got there.
        at: Timestamp,
    },
    /// It was given up; what was found until then stands.
    Stopped {
        /// Why.
        failure: Failure,
    },
}

/// What became of the clients so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All clients that are known.
    pub clients: u64,
    /// All contacts in Xero, archived ones among them.
    pub contacts: u64,
    /// Clients that had their contact before.
    pub linked_before: u64,
    /// Clients that were linked now.
    pub linked: u64,
    /// Clients with candidates, for a person to choose.
    pub ambiguous: u64,
    /// Clients that no contact resembles.
    pub missing: u64,
    /// Clients that are being sent at this moment, or are never to be sent.
    pub left_alone: u64,
}

/// What was found of one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The client.
    pub client_id: CrmId,
    /// Its name in Xero.
    pub name: String,
    /// What it is to the contacts.
    #[serde(flatten)]
    pub found: Match,
}

/// A page of findings: one row, written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Whose clients.
    pub ledger: Ledger,
    /// Of which comparison.
    pub started_at: Timestamp,
    /// Which page, from 0.
    pub page: u32,
    /// What was found, in the order of the clients' ids.
    pub findings: Vec<Finding>,
}

impl Findings {
    /// Findings in pages, numbered from `first` on, each of a size that a row can hold: names and addresses in
    /// Xero are as long as people make them. No page is empty.
    pub fn paged(
        ledger: &Ledger,
        started_at: Timestamp,
        first: u32,
        findings: Vec<Finding>,
    ) -> Vec<Self> {
        let mut pages: Vec<Self> = Vec::new();
        let (mut number, mut room) = (first, 0_usize);
        for finding in findings {
            let bytes = serde_json::to_string(&finding).map_or(0, |json| json.len());
            match pages.last_mut() {
                Some(page) if bytes <= room => {
                    page.findings.push(finding);
                    room -= bytes;
                }
                Some(_) | None => {
                    let (ledger, findings) = (ledger.clone(), vec![finding]);
                    pages.push(Self { ledger, started_at, page: number, findings });
                    number = number.saturating_add(1);
                    room = PAGE_BYTES_MAX.saturating_sub(bytes);
                }
            }
        }
        pages
    }

    /// When the page is forgotten.
    pub fn expires_at(&self) -> Timestamp {
        self.started_at.saturating_add(KEPT).unwrap_or(Timestamp::MAX)
    }
}

impl Reconciliation {
    /// A comparison that begins now.
    pub fn new(ledger: Ledger, by: UserId, now: Timestamp) -> Self {
        Self {
            ledger,
            by,
            started_at: now,
            place: Place::Comparing { after: None },
            counts: Counts::default(),
            pages: 0,
            interruptions: 0,
            updated_at: now,
        }
    }

    /// Whether it is under way.
    pub const fn is_comparing(&self) -> bool {
        matches!(self.place, Place::Comparing { .. })
    }

    /// The comparison after Xero interrupted it, and when to go on; it is given up when a person has to help,
    /// or after as many interruptions as a record has attempts.
    #[must_use]
    pub fn interrupted(self, failure: Failure, now: Timestamp) -> (Self, Option<Timestamp>) {
        let interruptions = self.interruptions.saturating_add(1);
        let wait = retry::LADDER_MINUTES.get(usize::from(self.interruptions));
        let later = wait.map(|minutes| SignedDuration::from_mins(*minutes));
        let later = later.and_then(|wait| now.checked_add(wait).ok());
        let needs_a_person = failure.class == FailureClass::Unauthorized;
        let at = later
            .filter(|_| !needs_a_person)
            .map(|at| failure.not_before.map_or(at, |not_before| not_before.max(now)));
        let place = match at {
            Some(_) => self.place.clone(),
            None => Place::Stopped { failure },
        };
        (Self { interruptions, place, updated_at: now, ..self }, at)
    }
}

impl Counts {
    /// One more client of which this was found.
    #[must_use]
    pub const fn with(self, found: &Match) -> Self {
        match found {
            Match::Confident { contact: _, by: _ } => Self { linked: self.linked + 1, ..self },
            Match::Ambiguous { candidates: _, why: _ } => {
                Self { ambiguous: self.ambiguous + 1, ..self }
            }
            Match::Missing => Self { missing: self.missing + 1, ..self },
        }
    }
}

/// Why a client was linked, for the sync log.
pub fn told(by: Evidence) -> String {
    format!("It was linked to the contact in Xero that has its {by}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::tests::a_key;

    fn interrupted(class: FailureClass, times: usize) -> (Reconciliation, Option<Timestamp>) {
        let ledger = a_key("c").ledger;
        let by = UserId::new("usr_1").unwrap();
        let begun = Reconciliation::new(ledger, by, Timestamp::UNIX_EPOCH);
        let failure = || Failure::new(class, "code", "Xero is asleep.", "");
        let mut last = (begun, None);
        for _ in 0..times {
            last = last.0.interrupted(failure(), Timestamp::UNIX_EPOCH);
        }
        last
    }

    #[test]
    fn findings_of_any_size_come_in_pages_that_a_row_can_hold() {
        let ledger = a_key("c").ledger;
        let finding = |number: usize, bytes: usize| Finding {
            client_id: CrmId::new(format!("cli_{number}")).unwrap(),
            name: "\"".repeat(bytes),
            found: Match::Missing,
        };
        for (count, bytes) in [(45, 10), (45, 1_000), (45, 5_000), (45, 80_000), (4_500, 500)] {
            let findings: Vec<Finding> = (0..count).map(|number| finding(number, bytes)).collect();
            let pages = Findings::paged(&ledger, Timestamp::UNIX_EPOCH, 7, findings.clone());
            let numbers: Vec<u32> = pages.iter().map(|page| page.page).collect();
            assert_eq!(numbers, (7..).take(pages.len()).collect::<Vec<_>>());
            for page in &pages {
                let row = serde_json::to_string(page).unwrap().len();
                assert!(row < 256 * 1024, "{row} bytes in a row");
            }
            let again: Vec<Finding> = pages.into_iter().flat_map(|page| page.findings).collect();
            assert_eq!(again, findings, "each once, in their order");
        }
        assert_eq!(Findings::paged(&ledger, Timestamp::UNIX_EPOCH, 0, Vec::new()), []);
    }

    #[test]
    fn an_interruption_is_waited_out_by_the_ladder_and_then_it_is_given_up() {
        let (first, at) = interrupted(FailureClass::Transient, 1);
        assert!(first.is_comparing());
        assert_eq!(at, Some(Timestamp::from_second(300).unwrap()));
        assert!(interrupted(FailureClass::Transient, 5).1.is_some());
        let (last, at) = interrupted(FailureClass::Transient, 6);
        assert!(matches!(last.place, Place::Stopped { .. }) && at.is_none());
    }

    #[test]
    fn without_a_connection_it_is_given_up_at_once() {
        let (stopped, at) = interrupted(FailureClass::Unauthorized, 1);
        assert!(!stopped.is_comparing() && at.is_none());
    }
}
