//! The steps of processing messages that only some push functions perform. They are function
//! pointers, so that the linker leaves out the code of every step that no set of the binary names.

use domain::entity::EntityKind;
use domain::envelope::{MessageContent, WakeUp, WakeUpKind};
use domain::ids::Ledger;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::MessageOutcome;
use super::payment_message::{CompletedParts, PaymentMessage, prepare_payment_message};
use super::sign_change::{SignChange, apply_sign_change};
use crate::commands::contacts::reconcile;
use crate::commands::sync_all;
use crate::errors::{PersistError, isolate_record};
use crate::sync::{carry_over, release};
use crate::{Engine, Invocation};

/// Applies the change of an invoice's sign.
type ApplySignChange = for<'a> fn(
    &'a Engine,
    &'a Ledger,
    &'a MessageContent,
) -> BoxFuture<'a, Result<SignChange, PersistError>>;

/// Prepares the parts of a payment or a refund.
type PreparePayment =
    for<'a> fn(
        PaymentMessage<'a>,
    ) -> BoxFuture<'a, Result<Result<CompletedParts, MessageOutcome>, PersistError>>;

/// Continues a walk over the records of a ledger, on the queue of a kind.
type ContinueWalk = for<'a> fn(
    &'a Engine,
    &'a Ledger,
    EntityKind,
    Invocation,
) -> BoxFuture<'a, Result<(), PersistError>>;

/// The steps that a process performs for messages, besides pushing their records.
#[derive(Debug, Clone, Copy)]
pub struct MessageSteps {
    apply_sign_change: Option<ApplySignChange>,
    prepare_payment: Option<PreparePayment>,
    continue_sync_all: Option<ContinueWalk>,
    continue_carry_over: Option<ContinueWalk>,
    continue_reconciliation: Option<ContinueWalk>,
}

impl MessageSteps {
    /// No step: the process receives no messages.
    pub const NONE: Self = Self {
        apply_sign_change: None,
        prepare_payment: None,
        continue_sync_all: None,
        continue_carry_over: None,
        continue_reconciliation: None,
    };
    /// Every step: the process receives the messages of every queue.
    pub const ALL: Self = Self {
        prepare_payment: Self::PAYMENTS.prepare_payment,
        apply_sign_change: Self::INVOICES.apply_sign_change,
        ..Self::CONTACTS
    };
    /// The walk that every queue continues: Sync All, which processes each kind on its queue.
    pub(super) const EVERY_QUEUE: Self =
        Self { continue_sync_all: Some(continue_sync_all), ..Self::NONE };
    /// The walks that begin with clients: they enqueue wake-ups for the other kinds.
    pub(super) const CONTACTS: Self = Self {
        continue_carry_over: Some(continue_carry_over),
        continue_reconciliation: Some(continue_reconciliation),
        ..Self::EVERY_QUEUE
    };
    /// An invoice may become a credit note, or a credit note an invoice.
    pub(super) const INVOICES: Self =
        Self { apply_sign_change: Some(apply_sign_change_in_box), ..Self::EVERY_QUEUE };
    /// A payment is recorded with its invoices before its parts are pushed.
    pub(super) const PAYMENTS: Self =
        Self { prepare_payment: Some(prepare_payment_in_box), ..Self::EVERY_QUEUE };

    /// Marks the document that the invoice of a message was before as voided, if it was another kind
    /// of document.
    pub(super) async fn apply_sign_change(
        self,
        engine: &Engine,
        ledger: &Ledger,
        content: &MessageContent,
    ) -> Result<SignChange, PersistError> {
        match self.apply_sign_change {
            Some(apply) => apply(engine, ledger, content).await,
            None => Err(PersistError::OtherFunction { work: "change of an invoice's sign" }),
        }
    }

    /// Prepares the parts of a payment or a refund. Returns the parts that are not pushed with the
    /// message, or the outcome of the message if nothing is left to do.
    pub(super) async fn prepare_payment(
        self,
        message: PaymentMessage<'_>,
    ) -> Result<Result<CompletedParts, MessageOutcome>, PersistError> {
        match self.prepare_payment {
            Some(prepare) => prepare(message).await,
            None => Err(PersistError::OtherFunction { work: EntityKind::Payment.as_str() }),
        }
    }

    /// Continues the walk that a wake-up requests. Every process that pushes releases what waited,
    /// so that walk is not chosen.
    pub(super) async fn continue_walk(
        self,
        engine: &Engine,
        wake_up: &WakeUp,
        invocation: Invocation,
    ) -> Result<(), PersistError> {
        let (ledger, kind) = (wake_up.target_ledger(), wake_up.kind);
        let walk = match &wake_up.work {
            WakeUpKind::SyncAll => self.continue_sync_all,
            WakeUpKind::Connected => self.continue_carry_over,
            WakeUpKind::Reconciliation => self.continue_reconciliation,
            WakeUpKind::Dependants(step) => {
                let released = release::continue_release(engine, &ledger, kind, step).boxed();
                return isolate_record(released).await;
            }
            // A wake-up about records continues no walk.
            WakeUpKind::Records(_) => None,
        };
        let Some(walk) = walk else {
            return Err(PersistError::OtherFunction { work: wake_up.work.as_str() });
        };
        isolate_record(walk(engine, &ledger, kind, invocation)).await
    }
}

fn apply_sign_change_in_box<'a>(
    engine: &'a Engine,
    ledger: &'a Ledger,
    content: &'a MessageContent,
) -> BoxFuture<'a, Result<SignChange, PersistError>> {
    apply_sign_change(engine, ledger, content).boxed()
}

fn prepare_payment_in_box(
    message: PaymentMessage<'_>,
) -> BoxFuture<'_, Result<Result<CompletedParts, MessageOutcome>, PersistError>> {
    prepare_payment_message(message).boxed()
}

fn continue_sync_all<'a>(
    engine: &'a Engine,
    ledger: &'a Ledger,
    queue: EntityKind,
    invocation: Invocation,
) -> BoxFuture<'a, Result<(), PersistError>> {
    sync_all::continue_sync_all(engine, ledger, queue, invocation).boxed()
}

fn continue_carry_over<'a>(
    engine: &'a Engine,
    ledger: &'a Ledger,
    _queue: EntityKind,
    invocation: Invocation,
) -> BoxFuture<'a, Result<(), PersistError>> {
    carry_over::continue_carry_over(engine, ledger, invocation).boxed()
}

fn continue_reconciliation<'a>(
    engine: &'a Engine,
    ledger: &'a Ledger,
    _queue: EntityKind,
    invocation: Invocation,
) -> BoxFuture<'a, Result<(), PersistError>> {
    reconcile::continue_reconciliation(engine, ledger, invocation).boxed()
}
