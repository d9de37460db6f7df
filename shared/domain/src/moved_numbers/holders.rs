//! Which documents in Xero have which numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::MovingDocument;
use crate::document::sales::{DocumentHead, SalesDocument};
use crate::ids::XeroId;
use crate::recognise::NumberHolder;

/// The document in effect that has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingDocument {
    /// Its id in Xero.
    pub id: XeroId,
    /// To whom it belongs.
    pub owner: NumberOwner,
}

/// To whom a document with a number belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberOwner {
    /// To a record of the same books.
    Record(NumberHolder),
    /// To other books: this integration made it for another account or in another installation.
    OtherInstallation,
    /// To no record that this integration knows.
    Foreign,
}

/// The documents that have numbers, as far as Xero was asked for them.
#[derive(Debug, Clone, Default)]
pub struct KnownHolders(BTreeMap<String, Option<HoldingDocument>>);

impl KnownHolders {
    /// Adds Xero's answer about a number. `None` if no document in effect has it.
    pub fn add(&mut self, number: String, holding: Option<HoldingDocument>) {
        self.0.insert(number, holding);
    }

    /// Returns Xero's answer about a number. `None` if Xero was not asked.
    pub fn find(&self, number: &str) -> Option<Option<&HoldingDocument>> {
        self.0.get(number).map(Option::as_ref)
    }

    /// Returns the numbers to ask Xero for next: the new numbers of the documents, then those that the
    /// holders outside the batch are to have. Empty if every chain of holders has ended.
    pub fn list_unread_numbers(&self, documents: &[MovingDocument]) -> BTreeSet<String> {
        let moving = documents.iter().map(|document| document.id).collect::<BTreeSet<_>>();
        let outside = self.0.iter().filter_map(|(number, holding)| match holding {
            Some(HoldingDocument { id, owner: NumberOwner::Record(record) })
                if !moving.contains(id) && !record.number.eq_ignore_ascii_case(number) =>
            {
                Some(&record.number)
            }
            Some(_) | None => None,
        });
        let wanted = documents.iter().map(|document| &document.record.number).chain(outside);
        wanted.filter(|number| !self.0.contains_key(*number)).cloned().collect()
    }

    /// Records that a document was written with its own number, or with an interim one.
    pub fn record_move(&mut self, document: &MovingDocument, has_own_number: bool) {
        let MovingDocument { id, record } = document;
        for (number, holding) in &mut self.0 {
            if holding.as_ref().is_some_and(|holding| holding.id == *id) {
                *holding = None;
            }
            let is_own = has_own_number && number.eq_ignore_ascii_case(&record.number);
            if is_own && holding.is_none() {
                let owner = NumberOwner::Record(record.clone());
                *holding = Some(HoldingDocument { id: *id, owner });
            }
        }
    }
}

/// Returns the document in effect that has a number. Whether capitals matter to Xero is not
/// documented: a number in other capitals counts if no document has exactly this one.
pub fn find_holding_document<'f, R: SalesDocument>(
    found: &'f [R],
    number: &str,
) -> Option<DocumentHead<'f>> {
    let in_effect = || {
        let heads = found.iter().map(SalesDocument::document_head);
        heads.filter(|head| head.is_sales && !head.status.is_gone())
    };
    let exact = in_effect().find(|head| head.number == Some(number));
    exact.or_else(|| {
        in_effect().find(|head| head.number.is_some_and(|own| own.eq_ignore_ascii_case(number)))
    })
}
