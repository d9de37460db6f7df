//! Numbers that move between documents of the same books: finds out which documents have them, and
//! writes the documents in the order that [`plan_moves`] decides.
//!
//! However the numbers move, the documents of a batch take at most `LOOKUPS_MAX` rounds of reads and
//! three rounds of writes. A round is one call for as many documents as one call holds.

mod holders;

use std::collections::BTreeSet;

use domain::moved_numbers::{
    ElementOrder, HoldingDocument, KnownHolders, MoveStep, MovingDocument, NumberOwner, plan_moves,
};
use domain::recognise::{NumberHolder, held_number_failure, other_installation_failure};
use xero::XeroError;

pub(super) use self::holders::explain_foreign_documents;
use super::document_writer::DocumentWriter;
use super::{DocumentTarget, PlannedDocument, SalesEntity, TaskWithContact};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::fail_tasks;

/// A task whose document is to have a number that another document had when it was written.
struct MovingTask<'t, S> {
    one: TaskWithContact<'t, S>,
    document: MovingDocument,
}

impl<S> MovingTask<'_, S> {
    /// Whether its document still has to get its own number, and may get it in this attempt.
    fn is_open(&self) -> bool {
        self.one.task.outcome.is_success() || self.is_number_refused()
    }

    fn is_number_refused(&self) -> bool {
        self.one.task.is_refused(|error| matches!(error, XeroError::NotUnique { .. }))
    }
}

/// The documents of a batch while their numbers move.
struct Moves<'t, S> {
    tasks: Vec<MovingTask<'t, S>>,
    holders: KnownHolders,
    /// The places of the documents that have interim numbers.
    interim: BTreeSet<usize>,
}

/// Writes the documents again whose update Xero refused because their new number is taken: each after
/// the one that gives up the number. Where documents wait for each other, one of them gets an interim
/// number. For the others, the failure names the document that has the number.
pub(super) async fn resolve_moved_numbers<T: SalesEntity>(
    tenant_session: &TenantSession<'_>,
    writer: &mut DocumentWriter<'_>,
    conflicting: Vec<TaskWithContact<'_, T::Snapshot>>,
) {
    let tasks = conflicting.into_iter().filter_map(select_moving_task::<T>).collect::<Vec<_>>();
    if tasks.is_empty() {
        return;
    }
    let holders = match holders::read_holders::<T>(tenant_session, &tasks).await {
        Ok(holders) => holders,
        Err(error) => return fail_tasks(tasks.iter().map(|moving| moving.one.task), &error),
    };
    let mut moves = Moves { tasks, holders, interim: BTreeSet::new() };
    let all = (0..moves.tasks.len()).collect::<Vec<_>>();
    // If Xero processes the documents of a call in order, this moves every number but those of rings.
    let left = write_moves::<T>(writer, &mut moves, &all, ElementOrder::Kept, 1).await;
    // If it does not, the numbers become free between the following two calls.
    write_moves::<T>(writer, &mut moves, &left, ElementOrder::Unknown, 2).await;
}

/// Returns the task if its document can have its number. A copy keeps the number that it was assigned.
fn select_moving_task<T: SalesEntity>(
    one: TaskWithContact<'_, T::Snapshot>,
) -> Option<MovingTask<'_, T::Snapshot>> {
    let mapping = one.task.mapping;
    let link = mapping.link.as_ref()?;
    if link.number.as_ref().is_some_and(|number| mapping.is_copy_number(number)) {
        return None;
    }
    let number = T::record_number(&one.task.snapshot);
    let record = NumberHolder { crm_id: mapping.key.crm_id.clone(), number };
    Some(MovingTask { one, document: MovingDocument { id: link.xero_id, record } })
}

/// Writes the documents at these places as planned for an order of processing. Returns the places of
/// those that still have to get their own numbers in this attempt.
async fn write_moves<T: SalesEntity>(
    writer: &mut DocumentWriter<'_>,
    moves: &mut Moves<'_, T::Snapshot>,
    places: &[usize],
    order: ElementOrder,
    repetition: u8,
) -> Vec<usize> {
    let documents = places.iter().filter_map(|place| moves.tasks.get(*place));
    let documents = documents.map(|moving| moving.document.clone()).collect::<Vec<_>>();
    let plan = plan_moves(&documents, &moves.holders, order);
    let place_of = |at: usize| places.get(at).copied();
    for (at, owner) in plan.refused {
        if let Some(place) = place_of(at) {
            explain::<T>(moves, place, owner);
        }
    }
    let first = plan.first.into_iter();
    let first = first.filter_map(|(at, step)| Some((place_of(at)?, step))).collect::<Vec<_>>();
    write_step::<T>(writer, moves, &first, repetition).await;
    let last = plan.last.into_iter().filter_map(place_of);
    let last = last.filter(|place| moves.tasks.get(*place).is_some_and(MovingTask::is_open));
    let last = last.map(|place| (place, MoveStep::Own)).collect::<Vec<_>>();
    write_step::<T>(writer, moves, &last, repetition + 1).await;
    let written = first.into_iter().chain(last);
    let written = written.filter(|(_, step)| !matches!(step, MoveStep::GiveUp(_)));
    let written = written.map(|(place, _)| place).collect::<BTreeSet<_>>();
    let (is_last_round, mut left) = (order == ElementOrder::Unknown, Vec::new());
    for place in written {
        let Some(moving) = moves.tasks.get(place) else { continue };
        let is_waiting = moving.one.task.outcome.is_success() && moves.interim.contains(&place);
        if moving.is_number_refused() && is_last_round {
            let holder = find_owner(moves, place);
            explain::<T>(moves, place, holder);
        } else if moving.is_number_refused() || is_waiting {
            left.push(place);
        }
    }
    left
}

/// Writes documents in this order, in as few calls as possible, and remembers which numbers they have.
async fn write_step<'t, T: SalesEntity>(
    writer: &mut DocumentWriter<'_>,
    moves: &mut Moves<'t, T::Snapshot>,
    steps: &[(usize, MoveStep)],
    repetition: u8,
) {
    let targets = steps.iter().filter_map(|(place, step)| {
        Some(plan_document::<T>(moves.tasks.get(*place)?, step, repetition))
    });
    let targets = targets.collect::<Vec<PlannedDocument<'t, T>>>();
    if targets.is_empty() {
        return;
    }
    drop(writer.write_documents::<T>(targets).await);
    for (place, step) in steps {
        let Some(moving) = moves.tasks.get(*place) else { continue };
        let is_written = moving.one.task.outcome.is_success();
        let is_refused = moving.is_number_refused();
        if is_written {
            let has_own_number = *step == MoveStep::Own;
            moves.holders.record_move(&moving.document, has_own_number);
            if has_own_number {
                moves.interim.remove(place);
            } else {
                moves.interim.insert(*place);
            }
        }
        if let MoveStep::GiveUp(holder) = step
            && (is_written || is_refused)
        {
            explain::<T>(moves, *place, NumberOwner::Record(holder.clone()));
        }
    }
}

fn plan_document<'t, T: SalesEntity>(
    moving: &MovingTask<'t, T::Snapshot>,
    step: &MoveStep,
    repetition: u8,
) -> PlannedDocument<'t, T> {
    let number = match step {
        MoveStep::Own => None,
        MoveStep::Interim | MoveStep::GiveUp(_) => Some(moving.one.task.mapping.interim_number()),
    };
    let target = DocumentTarget::Renamed { id: moving.document.id, number };
    (TaskWithContact { repetition, ..moving.one }, target)
}

/// Returns who has the number of the document at a place, as far as that is known.
fn find_owner<S>(moves: &Moves<'_, S>, place: usize) -> NumberOwner {
    let moving = moves.tasks.get(place).map(|moving| &moving.document);
    let holding = moving.and_then(|document| {
        let holding = moves.holders.find(&document.record.number).flatten();
        holding.filter(|holding| holding.id != document.id)
    });
    holding.map_or(NumberOwner::Foreign, |HoldingDocument { id: _, owner }| owner.clone())
}

/// Tells the record at a place who has its number. If that is a document of another source, Xero's
/// refusal stays.
fn explain<T: SalesEntity>(moves: &Moves<'_, T::Snapshot>, place: usize, owner: NumberOwner) {
    let Some(MovingTask { one, document }) = moves.tasks.get(place) else { return };
    let number = &document.record.number;
    let failure = match owner {
        NumberOwner::Record(holder) => {
            let has_interim = moves.interim.contains(&place);
            let interim = has_interim.then(|| one.task.mapping.interim_number());
            held_number_failure(T::KIND, number, &holder, interim.as_deref())
        }
        NumberOwner::OtherInstallation => other_installation_failure(T::KIND, number),
        NumberOwner::Foreign => return,
    };
    one.task.set_outcome(Err(AttemptError::Explained(failure)));
}
