//! The numbers of a record, and of its copies: documents that replace one that was voided or
//! deleted in Xero.

use super::{FORMER_NUMBERS_MAX, KeptSnapshot, Mapping};
use crate::document::sales::DocumentStatus;
use crate::idempotency::ContentHash;
use crate::ids::DERIVED;
use crate::operation::{Operation, OperationState, WriteTrace};

/// The number of earlier keys that are kept. Records are rarely renumbered, and hardly ever this
/// often while answers are lost.
pub(super) const EARLIER_KEYS_MAX: usize = 8;

/// Xero's limit for the number of an invoice or a credit note, in characters.
const NUMBER_LIMIT: usize = 255;

impl Mapping {
    /// The number of a contact that is created for this client. It differs from the numbers of
    /// contacts that the client was unlinked from.
    pub fn contact_number(&self) -> String {
        if self.generation <= 1 {
            return self.snapshot.natural_key.clone();
        }
        // A suffix of a hyphen and a digit could be the end of another client's id; the derived
        // sign cannot.
        format!("{}{DERIVED}{}", self.snapshot.natural_key, self.generation)
    }

    /// Every key under which its document may be found, the current one first.
    pub fn natural_keys(&self) -> Vec<String> {
        let present = std::iter::once(self.snapshot.natural_key.clone());
        let present = present.chain(self.changed_number());
        let is_copy = self.generation > 1;
        let copy = is_copy.then(|| [self.copy_number(), self.earlier_copy_number()]);
        let copy = copy.into_iter().flatten().filter(|number| number.len() <= NUMBER_LIMIT);
        present.chain(copy).chain(self.earlier_keys.iter().cloned()).collect()
    }

    /// The number of a new copy, for when Xero does not accept the first document's number again:
    /// the record's number, `~` and the generation, at most 255 characters. No record has such a
    /// number of its own, because the contract refuses it.
    pub fn copy_number(&self) -> String {
        self.number_of_copy(self.generation)
    }

    /// The number that its document has while another document still has the record's number. It is the
    /// number of no copy, because copies begin with the second generation.
    pub fn interim_number(&self) -> String {
        self.number_of_copy(1)
    }

    fn number_of_copy(&self, generation: u32) -> String {
        let number = &self.snapshot.natural_key;
        let suffix = format!("{DERIVED}{generation}");
        if number.len() + suffix.len() <= NUMBER_LIMIT {
            return format!("{number}{suffix}");
        }
        // Two long numbers may differ only in the part that is cut off.
        let suffix = format!("{DERIVED}{}{suffix}", digits_of(number));
        let room = NUMBER_LIMIT.saturating_sub(suffix.len());
        let kept = number.chars().take(room).collect::<String>();
        format!("{kept}{suffix}")
    }

    /// The number that earlier releases gave to a new copy. It may also be another record's number,
    /// so a document with that number belongs to this record only if it also has this record's
    /// mark.
    pub fn earlier_copy_number(&self) -> String {
        format!("{}-{}", self.snapshot.natural_key, self.generation)
    }

    /// Whether this is a number that one of the record's copies was assigned. An update of that
    /// copy keeps it, because an earlier document may hold the record's number. It may be an earlier
    /// copy that counted as deleted, and that Xero has shown again.
    pub fn is_copy_number(&self, number: &str) -> bool {
        let stated = number.rsplit_once(DERIVED).and_then(|(_, stated)| stated.parse::<u32>().ok());
        let is_copy = stated.is_some_and(|copy| {
            copy > 1 && copy <= self.generation && number == self.number_of_copy(copy)
        });
        is_copy || (self.generation > 1 && number == self.earlier_copy_number())
    }

    /// The number of its document in Xero, if it is another one than the record's: a copy was assigned
    /// it, or a person changed it there. Xero cannot be asked for a number that contains a comma.
    fn changed_number(&self) -> Option<String> {
        let number = self.link.as_ref()?.number.as_ref()?;
        let is_other = *number != self.snapshot.natural_key;
        let is_listable = !number.is_empty() && !number.contains(',');
        (is_other && is_listable).then(|| number.clone())
    }

    /// The mapping with its document to be looked for before the next write, if it counts as deleted.
    /// Xero answers the same for a document that it does not show for a while, and the CRM's number
    /// may be free although that document counts in the books: a person may have renumbered it.
    pub(super) fn with_deleted_document_sought(self) -> Self {
        let status = self.amounts_in_xero().map(|amounts| &amounts.status);
        if status != Some(&DocumentStatus::Deleted) {
            return self;
        }
        let mut keys = self.earlier_keys.clone();
        if let Some(number) = self.changed_number() {
            keys.retain(|key| *key != number);
            keys.push(number);
        }
        let surplus = keys.len().saturating_sub(EARLIER_KEYS_MAX);
        let operation = Operation { trace: WriteTrace::Uncertain, ..self.operation.clone() };
        Self { earlier_keys: keys.split_off(surplus), operation, ..self }
    }

    /// The keys under which a document may exist in Xero although no answer confirmed it.
    pub(super) fn keys_to_keep(&self, next: &KeptSnapshot) -> Vec<String> {
        let held = matches!(self.operation.state, OperationState::Claimed { by: _, until: _ });
        let uncertain = held || self.operation.trace == WriteTrace::Uncertain;
        let mut keys = self.earlier_keys.clone();
        if self.link.is_some() || !uncertain {
            return keys;
        }
        keys.push(self.snapshot.natural_key.clone());
        if self.generation > 1 && self.key.kind.has_copy_numbers() {
            keys.push(self.copy_number());
        }
        keys.retain(|key| *key != next.natural_key);
        keys.dedup();
        let surplus = keys.len().saturating_sub(EARLIER_KEYS_MAX);
        keys.split_off(surplus)
    }

    /// The number of its document after Xero showed `seen`, which a person may have changed there. The
    /// number of a copy stays, because an update of the copy keeps it.
    pub(crate) fn number_in_xero(&self, seen: Option<&str>) -> Option<String> {
        let known = self.link.as_ref().and_then(|link| link.number.clone());
        let is_copy = known.as_deref().is_some_and(|number| self.is_copy_number(number));
        match seen {
            Some(seen) if !is_copy => Some(seen.to_owned()),
            Some(_) | None => known,
        }
    }

    /// Whether this is the record's number in the CRM. Xero does not distinguish the case of
    /// letters either.
    pub fn is_numbered(&self, number: &str) -> bool {
        self.snapshot.natural_key.eq_ignore_ascii_case(number)
    }

    /// Whether this was the record's number in the CRM, or is the number of its document in Xero.
    pub fn was_numbered(&self, number: &str) -> bool {
        let in_xero = self.link.as_ref().and_then(|link| link.number.as_ref());
        let mut known = self.former_numbers.iter().chain(in_xero);
        known.any(|known| known.eq_ignore_ascii_case(number))
    }

    /// The former numbers after the next snapshot is accepted.
    pub(super) fn numbers_to_keep(&self, next: &KeptSnapshot) -> Vec<String> {
        let mut numbers = self.former_numbers.clone();
        let number = &self.snapshot.natural_key;
        if self.key.kind.keeps_former_numbers() && *number != next.natural_key {
            numbers.retain(|former| former != number);
            numbers.push(number.clone());
        }
        let surplus = numbers.len().saturating_sub(FORMER_NUMBERS_MAX);
        numbers.split_off(surplus)
    }
}

/// Whether a number has the form of a copy's number: it ends with `~` and digits.
pub(crate) fn is_copy_number(number: &str) -> bool {
    let generation = number.rsplit_once(DERIVED).map(|(_, generation)| generation);
    generation.is_some_and(|generation| {
        !generation.is_empty() && generation.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Digits derived from a text: always the same for the same text, and different for other texts.
fn digits_of(text: &str) -> u64 {
    let hash = ContentHash::of_bytes(text.as_bytes());
    let start = hash.as_str().get(..12).unwrap_or_default();
    u64::from_str_radix(start, 16).unwrap_or_default()
}
