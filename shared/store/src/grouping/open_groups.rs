//! The groups of transactions that are not sent yet.

use std::sync::Arc;

use crate::table::{ItemWrite, MAX_WRITES, transaction_bytes};

/// Maximum bytes of a group. A partition accepts 1,000 write units a second, and a transaction
/// takes two for each KB, so a larger group might be throttled although its members are not. A
/// transaction that is larger itself is sent alone.
pub(super) const GROUP_BYTES_MAX: usize = 256 * 1024;

/// The groups that are not sent yet. `R` is what the members of a group share.
#[derive(Debug)]
pub(super) struct OpenGroups<R> {
    groups: Vec<OpenGroup<R>>,
    next_id: u64,
}

/// A group that is not sent yet.
#[derive(Debug)]
struct OpenGroup<R> {
    id: u64,
    members: Vec<Member>,
    result: R,
}

/// A transaction in a group, which writes at least one item.
#[derive(Debug)]
struct Member {
    number: u64,
    writes: Arc<Vec<ItemWrite>>,
    bytes: usize,
}

/// Identifies a member of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemberId {
    group: u64,
    number: u64,
}

impl<R> Default for OpenGroups<R> {
    fn default() -> Self {
        Self { groups: Vec::new(), next_id: 0 }
    }
}

impl<R: Clone> OpenGroups<R> {
    /// Adds a transaction to the first group that admits it, or to a new group, whose result is
    /// made from the group's id. Returns the id of the member and the result of its group.
    pub(super) fn join_or_start(
        &mut self,
        writes: &Arc<Vec<ItemWrite>>,
        start: impl FnOnce(u64) -> R,
    ) -> (MemberId, R) {
        let number = self.next_id;
        self.next_id += 1;
        let member = Member { number, writes: writes.clone(), bytes: transaction_bytes(writes) };
        if let Some(group) = self.groups.iter_mut().find(|group| group.admits(&member)) {
            group.members.push(member);
            return (MemberId { group: group.id, number }, group.result.clone());
        }
        // The number of its first member identifies a group.
        let result = start(number);
        self.groups.push(OpenGroup { id: number, members: vec![member], result: result.clone() });
        (MemberId { group: number, number }, result)
    }

    /// Removes a group and returns its transactions, in the order in which they joined.
    pub(super) fn close_group(&mut self, id: u64) -> Vec<Arc<Vec<ItemWrite>>> {
        let place = self.groups.iter().position(|group| group.id == id);
        let closed = place.map(|place| self.groups.swap_remove(place));
        closed.map_or_else(Vec::new, |group| {
            group.members.into_iter().map(|member| member.writes).collect()
        })
    }

    /// Removes a transaction from its group, if that is not sent yet.
    pub(super) fn leave_group(&mut self, id: MemberId) {
        let Some(group) = self.groups.iter_mut().find(|group| group.id == id.group) else {
            return;
        };
        group.members.retain(|member| member.number != id.number);
        if group.members.is_empty() {
            self.groups.retain(|group| group.id != id.group);
        }
    }
}

#[cfg(test)]
impl<R> OpenGroups<R> {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl<R> OpenGroup<R> {
    /// Returns whether DynamoDB accepts the group with this transaction: together they have at most
    /// [`MAX_WRITES`] writes and [`GROUP_BYTES_MAX`], and write or check no item twice. All are of
    /// one partition.
    fn admits(&self, added: &Member) -> bool {
        let writes = self.members.iter().map(|member| member.writes.len()).sum::<usize>();
        let bytes = self.members.iter().map(|member| member.bytes).sum::<usize>();
        let has_common_item = || {
            let known = || self.members.iter().flat_map(|member| member.writes.iter());
            let is_known =
                |write: &ItemWrite| known().any(|other| other.item_key() == write.item_key());
            added.writes.iter().any(is_known)
        };
        writes + added.writes.len() <= MAX_WRITES
            && bytes + added.bytes <= GROUP_BYTES_MAX
            && self.members.iter().all(|member| member.partition() == added.partition())
            && !has_common_item()
    }
}

impl Member {
    /// Returns the partition of its first write.
    fn partition(&self) -> Option<&str> {
        self.writes.first().map(|write| write.item_key().pk.as_str())
    }
}
