//! Properties of moved numbers that hold however they move, and in whatever order Xero processes the
//! documents of a call.

use proptest::prelude::*;
use uuid::Uuid;

use super::tests::{a_document, a_record};
use super::*;

/// How Xero processes the documents of a call.
#[derive(Debug, Clone, Copy)]
enum Processing {
    InOrder,
    Backwards,
    /// Each number must be free before the call.
    AllAtOnce,
}

/// Numbers drawn from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let at = self.below(last + 1);
            things.swap(last, at);
        }
    }
}

/// Documents in Xero, the numbers that they have and those that they are to have.
struct Books {
    /// The number of each document.
    numbers: BTreeMap<u128, String>,
    batch: Vec<MovingDocument>,
    /// The other documents.
    others: BTreeMap<u128, NumberOwner>,
    processing: Processing,
    calls: usize,
}

impl Books {
    fn drawn(seed: u64) -> Self {
        let mut draw = Draw(seed);
        let count = 2 + draw.below(12);
        let name = |number: usize| format!("N-{number}");
        let numbers = (0..count).zip(0_u128..).map(|(number, id)| (id, name(number)));
        let numbers = numbers.collect::<BTreeMap<_, _>>();
        let mut wanted = (0..count + draw.below(3)).collect::<Vec<_>>();
        draw.shuffle(&mut wanted);
        let (mut batch, mut others) = (Vec::new(), BTreeMap::new());
        let kinds = 1 + draw.below(14);
        for (number, (id, place)) in wanted.into_iter().zip((0_u128..).zip(0..count)) {
            let is_exact = draw.below(5) > 0;
            let next = if is_exact { name(number) } else { name(number).to_lowercase() };
            match draw.below(kinds) {
                10 => drop(others.insert(id, NumberOwner::Foreign)),
                11 => drop(others.insert(id, NumberOwner::Record(a_record(id, &name(place))))),
                12 => drop(others.insert(id, NumberOwner::Record(a_record(id, &next)))),
                _ if number == place => {
                    drop(others.insert(id, NumberOwner::Record(a_record(id, &name(place)))));
                }
                _ => batch.push(a_document(id, &next)),
            }
        }
        draw.shuffle(&mut batch);
        let processing = match draw.below(3) {
            0 => Processing::InOrder,
            1 => Processing::Backwards,
            _ => Processing::AllAtOnce,
        };
        Self { numbers, batch, others, processing, calls: 0 }
    }

    fn holder(numbers: &BTreeMap<u128, String>, number: &str) -> Option<u128> {
        let mut numbers = numbers.iter();
        numbers.find(|(_, held)| held.eq_ignore_ascii_case(number)).map(|(id, _)| *id)
    }

    fn answer(&self, number: &str) -> Option<HoldingDocument> {
        let id = Self::holder(&self.numbers, number)?;
        let own = self.batch.iter().find(|document| document.id.0.as_u128() == id);
        let owner = own.map(|document| NumberOwner::Record(document.record.clone()));
        let owner = owner.or_else(|| self.others.get(&id).cloned()).unwrap();
        Some(HoldingDocument { id: XeroId(Uuid::from_u128(id)), owner })
    }

    fn read_holders(&self) -> KnownHolders {
        let mut holders = KnownHolders::default();
        for _ in 0..LOOKUPS_MAX {
            for number in holders.list_unread_numbers(&self.batch) {
                let holding = self.answer(&number);
                holders.add(number, holding);
            }
        }
        holders
    }

    /// Writes documents in one call. Returns those that Xero accepted.
    fn write(&mut self, call: &[(usize, MoveStep)]) -> Vec<(usize, MoveStep)> {
        if call.is_empty() {
            return Vec::new();
        }
        self.calls += 1;
        let before = self.numbers.clone();
        let mut elements = call.to_vec();
        if matches!(self.processing, Processing::Backwards) {
            elements.reverse();
        }
        let mut accepted = Vec::new();
        for (at, step) in elements {
            let MovingDocument { id, record } = &self.batch[at];
            let id = id.0.as_u128();
            let number = match step {
                MoveStep::Own => record.number.clone(),
                MoveStep::Interim | MoveStep::GiveUp(_) => format!("{}~1", record.number),
            };
            let is_free = |numbers: &BTreeMap<u128, String>| {
                Self::holder(numbers, &number).is_none_or(|held| held == id)
            };
            let is_judged_at_once = matches!(self.processing, Processing::AllAtOnce);
            if is_free(&self.numbers) && (!is_judged_at_once || is_free(&before)) {
                self.numbers.insert(id, number);
                accepted.push((at, step));
            }
        }
        accepted
    }

    /// Writes the planned documents as the engine does. Returns those that are left.
    fn write_planned(
        &mut self,
        holders: &mut KnownHolders,
        places: &[usize],
        order: ElementOrder,
    ) -> Vec<usize> {
        let documents = places.iter().map(|place| self.batch[*place].clone()).collect::<Vec<_>>();
        let MovePlan { first, last, refused: _ } = plan_moves(&documents, holders, order);
        let first = first.into_iter().map(|(at, step)| (places[at], step)).collect::<Vec<_>>();
        let last = last.into_iter().map(|at| (places[at], MoveStep::Own)).collect::<Vec<_>>();
        let mut left = BTreeSet::new();
        for call in [first, last] {
            let accepted = self.write(&call);
            for (place, step) in &accepted {
                holders.record_move(&self.batch[*place], *step == MoveStep::Own);
            }
            for (place, step) in call {
                let is_given_up = matches!(step, MoveStep::GiveUp(_));
                if is_given_up || accepted.contains(&(place, MoveStep::Own)) {
                    left.remove(&place);
                } else {
                    left.insert(place);
                }
            }
        }
        left.into_iter().collect()
    }

    /// Whether only documents of the batch keep a document from its number.
    fn depends_on_batch_alone(&self, start: usize) -> bool {
        let mut at = start;
        for _ in 0..=self.batch.len() {
            let id = match Self::holder(&self.numbers, &self.batch[at].record.number) {
                Some(id) if self.batch[at].id.0.as_u128() != id => id,
                Some(_) | None => return true,
            };
            let next = self.batch.iter().position(|document| document.id.0.as_u128() == id);
            match next {
                Some(next) => at = next,
                None => return false,
            }
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_document_gets_its_number_in_three_calls_if_no_other_document_keeps_it(
        seed in any::<u64>(),
    ) {
        let mut books = Books::drawn(seed);
        let processing = books.processing;
        let all = (0..books.batch.len()).collect::<Vec<_>>();
        let sure = all.iter().copied().filter(|at| books.depends_on_batch_alone(*at));
        let sure = sure.collect::<Vec<_>>();
        let before = books.numbers.clone();
        let mut holders = books.read_holders();
        let left = books.write_planned(&mut holders, &all, ElementOrder::Kept);
        let left = books.write_planned(&mut holders, &left, ElementOrder::Unknown);
        prop_assert!(left.is_empty(), "seed {seed}, {processing:?}: {left:?} are left");
        prop_assert!(books.calls <= 3, "seed {seed}, {processing:?}: {} calls", books.calls);
        for at in sure {
            let MovingDocument { id, record } = &books.batch[at];
            let number = &books.numbers[&id.0.as_u128()];
            prop_assert_eq!(number, &record.number, "seed {}, {:?}", seed, processing);
        }
        let folded = books.numbers.values().map(|number| number.to_lowercase());
        let distinct = folded.collect::<BTreeSet<_>>().len();
        prop_assert_eq!(distinct, books.numbers.len(), "seed {}, {:?}", seed, processing);
        for id in books.others.keys() {
            prop_assert_eq!(&books.numbers[id], &before[id], "seed {}", seed);
        }
    }
}
