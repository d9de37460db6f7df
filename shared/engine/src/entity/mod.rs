//! The kinds of documents, each with its own way of being brought to Xero. The protocol around it is
//! the same for all and lives in [`push`](crate::push).

mod contact;
mod invoice;

use async_trait::async_trait;
use bytes::Bytes;
use domain::crm::Revision;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::idempotency::{Hash, IdempotencyKey, Intent};
use domain::ids::CrmId;
use domain::mapping::{Link, Mapping};
use domain::operation::Trace;
use domain::sync_log::LoggedOperation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xero::XeroError;
use xero::api::Written;

pub use contact::Contact;
pub use invoice::Invoice;

use crate::desk::{Desk, Trouble};

/// A kind of document.
#[async_trait]
pub trait Entity: 'static {
    /// Which kind.
    const KIND: EntityKind;
    /// What the CRM sends of it.
    type Snapshot: Serialize + DeserializeOwned + Send + Sync;

    /// The record's id in the CRM.
    fn id(snapshot: &Self::Snapshot) -> CrmId;

    /// The record's revision.
    fn revision(snapshot: &Self::Snapshot) -> Revision;

    /// The number people know it by, which is also what its document is found by in Xero.
    fn number(snapshot: &Self::Snapshot) -> String;

    /// Brings Xero to the snapshot: resolves where that is needed, then writes. May be repeated after
    /// any interruption.
    async fn bring(desk: &Desk<'_>, task: Task<'_, Self::Snapshot>) -> Result<Brought, Trouble>;
}

/// What an attempt is about: the mapping as it was claimed, and its snapshot.
#[derive(Debug)]
pub struct Task<'a, S> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Its newest snapshot.
    pub snapshot: &'a S,
}

impl<S> Task<'_, S> {
    /// Whether a document that we know nothing of may exist in Xero.
    fn must_resolve(&self) -> bool {
        self.mapping.operation.trace == Trace::Uncertain
    }

    /// The key of writing exactly these bytes: the same for a repeated try, another for any other
    /// intent.
    fn idempotency_key(&self, body: &Bytes) -> IdempotencyKey {
        let Mapping { key, generation, snapshot, operation, .. } = self.mapping;
        let intent = Intent {
            generation: *generation,
            revision: snapshot.revision,
            serial: operation.key_serial,
        };
        IdempotencyKey::derive(key, intent, &Hash::of(body))
    }
}

/// Xero has the snapshot.
#[derive(Debug)]
pub struct Brought {
    /// The counterpart in Xero; none for what never had to get there.
    pub link: Option<Link>,
    /// What was done; [`LoggedOperation::Push`] when there was nothing to do.
    pub operation: LoggedOperation,
    /// Plain sentences about what a person should know.
    pub remarks: Vec<String>,
}

/// The verdict on the only document of a write.
fn only<T>(written: Vec<Written<T>>) -> Result<(T, Vec<String>), XeroError> {
    match written.into_iter().next() {
        Some(Written::Done { remote, warnings }) => Ok((remote, warnings)),
        Some(Written::Refused(error)) => Err(error),
        None => Err(XeroError::Undecodable {
            endpoint: "the write",
            source: "no document came back".into(),
        }),
    }
}

/// Why a document in Xero cannot belong to a record: it is another's already.
pub(crate) fn already_linked(kind: EntityKind, owner: &CrmId) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "already_linked",
        format!("The {kind} in Xero already belongs to {owner}."),
        "Unlink it there first, or link this one to another.",
    )
}
