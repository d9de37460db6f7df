//! Numbers that move between documents of the same books. Xero accepts a number only while no other
//! document has it, so the documents are written in the order in which their numbers become free. A
//! document that nothing else can free gets an interim number first.
//!
//! Reading order: [`KnownHolders`] says which document has which number; [`plan_moves`] decides.

mod holders;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::holders::{HoldingDocument, KnownHolders, NumberOwner, find_holding_document};
use crate::ids::XeroId;
use crate::recognise::NumberHolder;

/// Maximum number of times that Xero is asked for the holders of numbers, for all documents of a
/// batch together: first for those of their own new numbers, then for those of the numbers that
/// the holders are to have. A retry frees a chain of this length in time; longer ones are not followed.
pub const LOOKUPS_MAX: usize = 4;

/// A document that is to have a number that another one had when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovingDocument {
    /// Its id in Xero.
    pub id: XeroId,
    /// Its record, with the number that it is to have.
    pub record: NumberHolder,
}

/// What is known about the order in which Xero processes the documents of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementOrder {
    /// A document may have a number that an earlier one of the call gives up.
    Kept,
    /// Numbers become free only between calls.
    Unknown,
}

/// How documents get their new numbers. A place is that of a document in the list that was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MovePlan {
    /// The documents to write at first, in this order.
    pub first: Vec<(usize, MoveStep)>,
    /// The documents to write with their own numbers after that, in any order.
    pub last: Vec<usize>,
    /// The documents that cannot have their numbers now, with the owners of these numbers.
    pub refused: Vec<(usize, NumberOwner)>,
}

/// The number with which a document is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveStep {
    /// Its own.
    Own,
    /// An interim one, so that another document of the batch can have its present one. Its own one
    /// follows.
    Interim,
    /// An interim one, because it and the holder of its number may wait for each other. A later attempt
    /// gives it its own number.
    GiveUp(NumberHolder),
}

/// Where a document's number comes from.
enum Source {
    /// No other document has it.
    Free,
    /// A document of the batch gives it up.
    Document(usize),
    /// Another document has it and may wait for this one.
    MutualWait(NumberHolder),
    Refused(NumberOwner),
}

/// Decides which documents can be written in which order. `holders` knows the holders of their new
/// numbers. With [`ElementOrder::Kept`], a document that frees a ring is written with an interim
/// number; its own number needs a further plan.
pub fn plan_moves(
    documents: &[MovingDocument],
    holders: &KnownHolders,
    order: ElementOrder,
) -> MovePlan {
    let sources = list_sources(documents, holders);
    let mut plan = MovePlan::default();
    let mut movable = vec![None; documents.len()];
    for start in 0..documents.len() {
        plan_path(start, documents, &sources, &mut movable, &mut plan);
    }
    match order {
        ElementOrder::Kept => plan,
        ElementOrder::Unknown => separate_calls(plan, &sources),
    }
}

/// Plans a document and those that have to be written before it.
fn plan_path(
    start: usize,
    documents: &[MovingDocument],
    sources: &[Source],
    movable: &mut [Option<bool>],
    plan: &mut MovePlan,
) {
    let (mut path, mut at, mut ring_start) = (Vec::new(), start, None);
    let mut can_move = loop {
        if let Some(Some(known)) = movable.get(at) {
            break *known;
        }
        if path.contains(&at) {
            plan.first.push((at, MoveStep::Interim));
            ring_start = Some(at);
            break true;
        }
        match sources.get(at) {
            Some(Source::Document(next)) => {
                path.push(at);
                at = *next;
            }
            Some(Source::Free) => {
                plan.first.push((at, MoveStep::Own));
                break set_movable(movable, at, true);
            }
            Some(Source::MutualWait(holder)) => {
                plan.first.push((at, MoveStep::GiveUp(holder.clone())));
                break set_movable(movable, at, true);
            }
            Some(Source::Refused(owner)) => {
                plan.refused.push((at, owner.clone()));
                break set_movable(movable, at, false);
            }
            None => break false,
        }
    };
    let mut before = at;
    for one in path.into_iter().rev() {
        can_move = set_movable(movable, one, can_move);
        if !can_move {
            let holder = documents.get(before).map(|document| document.record.clone());
            let owner = holder.map_or(NumberOwner::Foreign, NumberOwner::Record);
            plan.refused.push((one, owner));
        } else if ring_start != Some(one) {
            plan.first.push((one, MoveStep::Own));
        }
        before = one;
    }
}

fn set_movable(movable: &mut [Option<bool>], at: usize, can_move: bool) -> bool {
    if let Some(known) = movable.get_mut(at) {
        *known = Some(can_move);
    }
    can_move
}

/// Returns the plan in two calls, of which the first one frees every number that the second one needs.
fn separate_calls(plan: MovePlan, sources: &[Source]) -> MovePlan {
    let MovePlan { first: planned, last: _, refused } = plan;
    let is_freed = |at: usize| matches!(sources.get(at), Some(Source::Document(_)));
    let sought = planned.iter().filter_map(|(at, _)| match sources.get(*at) {
        Some(Source::Document(holder)) => Some(*holder),
        Some(Source::Free | Source::MutualWait(_) | Source::Refused(_)) | None => None,
    });
    let sought = sought.collect::<BTreeSet<_>>();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for (at, step) in planned {
        if !is_freed(at) {
            first.push((at, step));
            continue;
        }
        if sought.contains(&at) {
            first.push((at, MoveStep::Interim));
        }
        last.push(at);
    }
    MovePlan { first, last, refused }
}

/// Returns where the number of each document comes from. A number that two of them are to have goes to
/// the first one.
fn list_sources(documents: &[MovingDocument], holders: &KnownHolders) -> Vec<Source> {
    let places = documents.iter().enumerate().map(|(at, document)| (document.id, at));
    let places = places.collect::<BTreeMap<_, _>>();
    let mut claimed = BTreeMap::new();
    let sources = documents.iter().map(|document| {
        let holding = match holders.find(&document.record.number) {
            Some(Some(holding)) if holding.id != document.id => holding,
            Some(_) => return Source::Free,
            // Its holder was not asked for.
            None => return Source::Refused(NumberOwner::Foreign),
        };
        let Some(place) = places.get(&holding.id) else {
            return find_outside_source(document, documents, &places, holders, &holding.owner);
        };
        match claimed.insert(*place, &document.record) {
            None => Source::Document(*place),
            Some(winner) => {
                claimed.insert(*place, winner);
                Source::Refused(NumberOwner::Record(winner.clone()))
            }
        }
    });
    sources.collect()
}

/// Returns where a number comes from that a document outside the batch has.
fn find_outside_source(
    document: &MovingDocument,
    documents: &[MovingDocument],
    places: &BTreeMap<XeroId, usize>,
    holders: &KnownHolders,
    owner: &NumberOwner,
) -> Source {
    let NumberOwner::Record(holder) = owner else { return Source::Refused(owner.clone()) };
    let mut seen = BTreeSet::new();
    let (mut held, mut record) = (document.record.number.as_str(), holder);
    loop {
        // It is to keep the number that it has.
        if record.number.eq_ignore_ascii_case(held) {
            return Source::Refused(owner.clone());
        }
        held = &record.number;
        let next = match holders.find(held) {
            // The end of the chain is not known.
            None => return Source::MutualWait(holder.clone()),
            Some(Some(next)) if next.id == document.id => {
                return Source::MutualWait(holder.clone());
            }
            Some(Some(next)) if seen.insert(next.id) => next,
            Some(Some(_) | None) => return Source::Refused(owner.clone()),
        };
        let moving = places.get(&next.id).and_then(|place| documents.get(*place));
        record = match (moving, &next.owner) {
            (Some(moving), _) => &moving.record,
            (None, NumberOwner::Record(record)) => record,
            (None, NumberOwner::OtherInstallation | NumberOwner::Foreign) => {
                return Source::Refused(owner.clone());
            }
        };
    }
}
