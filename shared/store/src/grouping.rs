//! Sends writes that are ready at the same time together.
//!
//! DynamoDB performs up to [`MAX_WRITES`] writes in one transaction. The claim of a record takes one
//! and its outcome about five, and every call takes processor time and a round trip. A write costs
//! the same units in a small and in a large transaction; a put of its own costs half as many.
//!
//! # Guarantees
//!
//! Every writer gets a result that it could get alone. Either all transactions of a group are
//! performed or none, because the table receives a group as one transaction like any other, with
//! one token. If the table refuses a group, nothing of it was written, and every member is sent
//! alone: one record's conflict or fault does not affect the others. If it is unknown whether a
//! group was performed, it is unknown for each member.
//!
//! A member whose future is dropped before its group is sent is left out. Later, the table may
//! still perform it, as it may perform every request whose sender does not wait for the answer.
//!
//! Only transactions whose first writes are in the same partition are sent together: an account
//! whose partition is throttled does not delay another account. A writer waits for others for one
//! turn of the executor and no longer, so no writer can block another one.
//!
//! [`MAX_WRITES`]: crate::table::MAX_WRITES

mod open_groups;

use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use self::open_groups::{MemberId, OpenGroups};
use crate::table::{
    BoxError, FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite,
    StoredItem, TableError, TableQuery, check_limits,
};

/// A table that sends transactions together if they are ready at the same time.
#[derive(Debug)]
pub(crate) struct GroupingTable {
    table: Arc<dyn ItemTable>,
    groups: Arc<Mutex<OpenGroups<GroupResult>>>,
}

/// The result of a group. Each of its members drives it, so it arrives even if others are dropped.
type GroupResult = Shared<BoxFuture<'static, GroupOutcome>>;

/// What happened to a group.
#[derive(Debug, Clone)]
enum GroupOutcome {
    /// All its writes were performed.
    Performed,
    /// Nothing was written, and each member is to be sent alone.
    NotPerformed,
    /// The table did not answer, so its writes may or may not have been performed.
    Unknown { operation: &'static str, cause: SharedCause },
}

impl GroupingTable {
    pub(crate) fn new(table: Arc<dyn ItemTable>) -> Self {
        Self { table, groups: Arc::default() }
    }

    /// Adds a transaction to a group that is not sent yet.
    fn join_group(&self, writes: &Arc<Vec<ItemWrite>>) -> Membership {
        let start = |id| {
            let (table, groups) = (self.table.clone(), self.groups.clone());
            let sending = async move {
                let members = lock_groups(&groups).close_group(id);
                send_together(&*table, members).await
            };
            sending.boxed().shared()
        };
        let (member, result) = lock_groups(&self.groups).join_or_start(writes, start);
        Membership { groups: self.groups.clone(), member, result }
    }
}

#[async_trait]
impl ItemTable for GroupingTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.table.get(key).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.table.get_many(keys).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        check_limits(&writes)?;
        let writes = Arc::new(writes);
        let membership = self.join_group(&writes);
        let_others_join().await;
        match membership.wait().await {
            GroupOutcome::Performed => Ok(()),
            GroupOutcome::NotPerformed => {
                self.table.write_items(Arc::unwrap_or_clone(writes)).await
            }
            GroupOutcome::Unknown { operation, cause } => {
                Err(TableError::Unavailable { operation, source: Box::new(cause) })
            }
        }
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.table.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.table.query_index(query).await
    }
}

/// A transaction's membership of a group. It ends when it is dropped.
struct Membership {
    groups: Arc<Mutex<OpenGroups<GroupResult>>>,
    member: MemberId,
    result: GroupResult,
}

impl Membership {
    async fn wait(self) -> GroupOutcome {
        self.result.clone().await
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        lock_groups(&self.groups).leave_group(self.member);
    }
}

/// Waits until the executor has polled the other futures that are ready now.
async fn let_others_join() {
    let mut is_first = true;
    poll_fn(|context| {
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// Sends the transactions of a group as one. A single one is left to its member, which need not
/// copy it.
async fn send_together(table: &dyn ItemTable, members: Vec<Arc<Vec<ItemWrite>>>) -> GroupOutcome {
    if members.len() < 2 {
        return GroupOutcome::NotPerformed;
    }
    let writes = members.iter().flat_map(|writes| writes.iter().cloned()).collect();
    let sent = AssertUnwindSafe(table.write_items(writes)).catch_unwind().await;
    match sent {
        Ok(Ok(())) => GroupOutcome::Performed,
        Ok(Err(TableError::Unavailable { operation, source })) => {
            GroupOutcome::Unknown { operation, cause: SharedCause(Arc::new(source)) }
        }
        // A panic is a fault of one member, which has it again when it is sent alone. If the
        // transaction was performed, the others conflict with their own writes and decide again.
        Ok(Err(_)) | Err(_) => GroupOutcome::NotPerformed,
    }
}

fn lock_groups(groups: &Mutex<OpenGroups<GroupResult>>) -> MutexGuard<'_, OpenGroups<GroupResult>> {
    groups.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cause of an error that several writers get.
#[derive(Clone)]
struct SharedCause(Arc<BoxError>);

impl Debug for SharedCause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl Display for SharedCause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Error for SharedCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests;
