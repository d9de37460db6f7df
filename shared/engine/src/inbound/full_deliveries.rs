//! When this process last received as many messages of an account as a queue delivers at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::batching::ArrivalRate;
use jiff::Timestamp;

/// When this process last processed a full delivery of each account, from one queue. It decides how
/// many calls of Xero a burst takes, and nothing else: each process that receives a part of a burst
/// pushes its first delivery at once.
#[derive(Debug, Default)]
pub struct FullDeliveries(Mutex<HashMap<String, Timestamp>>);

/// Maximum number of remembered groups. A process serves many accounts.
const GROUPS_MAX: usize = 4_096;

impl FullDeliveries {
    /// Returns how fast the messages of a FIFO group, which are those of an account, arrive with a
    /// delivery that begins at `now`.
    pub fn infer_rate(&self, group: &str, is_full: bool, now: Timestamp) -> ArrivalRate {
        let groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ArrivalRate::infer(is_full, groups.get(group).copied(), now)
    }

    /// Remembers that the processing of a group's full delivery ended at `now`.
    pub fn remember_end(&self, group: &str, now: Timestamp) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.len() >= GROUPS_MAX {
            groups.clear();
        }
        groups.insert(group.to_owned(), now);
    }
}
