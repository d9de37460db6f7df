//! The kinds of records that a process pushes. A set holds function pointers, so that the linker
//! leaves out the code of every kind that no set of the binary names.

use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::ids::CrmId;
use domain::mapping::KeptSnapshot;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::attempt::{Attempt, sync_snapshots};
use super::snapshots::{encode_found_snapshot, is_readable_and_wanted};
use crate::connection::tenant_session::TenantSession;
use crate::sync::{
    AllocationEntity, ContactEntity, CreditNoteEntity, InvoiceEntity, PaymentEntity, SyncEntity,
};

/// Pushes the claimed snapshots of one kind in a session.
type SyncAttempts = for<'a> fn(&'a TenantSession<'_>, &'a [Attempt]) -> BoxFuture<'a, ()>;

/// The functions that push the records of one kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PushedKind {
    /// The kind.
    pub(crate) kind: EntityKind,
    sync: SyncAttempts,
    encode: fn(&MessageContent, &CrmId) -> Option<KeptSnapshot>,
    is_wanted: fn(&KeptSnapshot) -> bool,
}

impl PushedKind {
    /// Contacts.
    pub(crate) const CONTACT: Self = Self::from_entity::<ContactEntity>();
    /// Invoices.
    pub(crate) const INVOICE: Self = Self::from_entity::<InvoiceEntity>();
    /// Credit notes.
    pub(crate) const CREDIT_NOTE: Self = Self::from_entity::<CreditNoteEntity>();
    /// Allocations.
    pub(crate) const ALLOCATION: Self = Self::from_entity::<AllocationEntity>();
    /// Parts of payments.
    pub(crate) const PAYMENT: Self = Self::from_entity::<PaymentEntity>();

    const fn from_entity<E: SyncEntity>() -> Self {
        Self {
            kind: E::KIND,
            sync: sync_in_box::<E>,
            encode: encode_found_snapshot::<E>,
            is_wanted: is_readable_and_wanted::<E>,
        }
    }

    /// Pushes the claimed snapshots of this kind, and records an outcome at every attempt.
    pub(super) fn sync_attempts<'a>(
        &self,
        tenant_session: &'a TenantSession<'_>,
        attempts: &'a [Attempt],
    ) -> BoxFuture<'a, ()> {
        (self.sync)(tenant_session, attempts)
    }

    /// Returns the snapshot of this kind and id that a message carries, if any, in the form in
    /// which it is stored.
    pub(crate) fn encode_message_snapshot(
        &self,
        content: &MessageContent,
        id: &CrmId,
    ) -> Option<KeptSnapshot> {
        (self.encode)(content, id)
    }

    /// Returns whether the record of a stored snapshot is to exist in Xero. A snapshot that cannot
    /// be read is not wanted.
    pub(super) fn is_snapshot_wanted(&self, snapshot: &KeptSnapshot) -> bool {
        (self.is_wanted)(snapshot)
    }
}

/// The kinds of records that a process pushes.
#[derive(Debug, Clone, Copy)]
pub struct PushedKinds {
    kinds: &'static [PushedKind],
}

impl PushedKinds {
    /// No kind: the process only enqueues wake-ups.
    pub const NONE: Self = Self::new(&[]);
    /// Every kind: the process pushes whatever record a user names.
    pub const ALL: Self = Self::new(&[
        PushedKind::CONTACT,
        PushedKind::INVOICE,
        PushedKind::CREDIT_NOTE,
        PushedKind::ALLOCATION,
        PushedKind::PAYMENT,
    ]);

    pub(crate) const fn new(kinds: &'static [PushedKind]) -> Self {
        Self { kinds }
    }

    /// Returns the kinds.
    pub fn list_kinds(self) -> Vec<EntityKind> {
        self.kinds.iter().map(|pushed| pushed.kind).collect()
    }

    /// Returns the functions of a kind. `None` if the process does not push it.
    pub(crate) fn find_kind(self, kind: EntityKind) -> Option<&'static PushedKind> {
        self.kinds.iter().find(|pushed| pushed.kind == kind)
    }
}

/// The large future of a kind is on the heap: callers do not know its type.
fn sync_in_box<'a, E: SyncEntity>(
    tenant_session: &'a TenantSession<'_>,
    attempts: &'a [Attempt],
) -> BoxFuture<'a, ()> {
    sync_snapshots::<E>(tenant_session, attempts).boxed()
}
