//! The order in which events are delivered.

use std::collections::BTreeMap;

use super::EventMessage;
use crate::ids::CrmId;

/// Sorts events into the order of their delivery. They are sorted by their instants, which come
/// from more than one clock; among the events about one invoice, `sequence` decides.
pub fn sort_for_delivery<T: Clone>(
    mut events: Vec<T>,
    message_of: impl Fn(&T) -> &EventMessage,
) -> Vec<T> {
    let sequence_of =
        |event: &T| message_of(event).invoice_sequence.as_ref().map(|(_, sequence)| *sequence);
    let mut places: BTreeMap<CrmId, Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        if let Some((invoice, _)) = &message_of(event).invoice_sequence {
            places.entry(invoice.clone()).or_default().push(place);
        }
    }
    for places in places.into_values() {
        let mut of_invoice: Vec<T> =
            places.iter().filter_map(|place| events.get(*place).cloned()).collect();
        of_invoice.sort_by_key(sequence_of);
        for (place, event) in places.into_iter().zip(of_invoice) {
            if let Some(there) = events.get_mut(place) {
                *there = event;
            }
        }
    }
    events
}
