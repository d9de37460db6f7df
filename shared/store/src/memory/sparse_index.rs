//! An in-memory index that holds only the items with its key.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::rows::range_bounds;
use crate::table::{IndexEntry, IndexKey, IndexPage, IndexQuery, ItemKey, SortOrder};

/// Item keys by partition and sort key of the index. Several items may share a sort key.
#[derive(Debug, Default)]
pub(super) struct SparseIndex {
    partitions: BTreeMap<String, BTreeMap<String, BTreeSet<ItemKey>>>,
}

impl SparseIndex {
    pub(super) fn insert_key(&mut self, place: &IndexKey, key: &ItemKey) {
        self.partitions
            .entry(place.pk.clone())
            .or_default()
            .entry(place.sk.clone())
            .or_default()
            .insert(key.clone());
    }

    pub(super) fn remove_key(&mut self, place: &IndexKey, key: &ItemKey) {
        let Some(partition) = self.partitions.get_mut(&place.pk) else {
            return;
        };
        let Some(keys) = partition.get_mut(&place.sk) else {
            return;
        };
        keys.remove(key);
        if keys.is_empty() {
            partition.remove(&place.sk);
        }
        if partition.is_empty() {
            self.partitions.remove(&place.pk);
        }
    }

    pub(super) fn query_page(&self, query: IndexQuery) -> IndexPage {
        let cursor = query.after.as_ref();
        let sort_key = cursor.map(|entry| entry.index.sk.as_str());
        let Some(range) = query.range.reachable_range(sort_key) else {
            return IndexPage::empty_page();
        };
        let Some(partition) = self.partitions.get(&query.pk) else {
            return IndexPage::empty_page();
        };

        let (mut lower, mut upper) = range_bounds(range);
        // Entries with the cursor's own sort key stay in the walk, because other items may share
        // it.
        if let Some(sort_key) = sort_key {
            match query.order {
                SortOrder::Ascending => lower = Bound::Included(sort_key.to_owned()),
                SortOrder::Descending => upper = Bound::Included(sort_key.to_owned()),
            }
        }
        let pk = query.pk.as_str();
        let walk = partition.range((lower, upper)).flat_map(|(sk, keys)| {
            keys.iter()
                .map(move |key| IndexEntry { index: IndexKey::new(pk, sk), key: key.clone() })
        });
        let limit = usize::from(query.limit.get());
        let entries: Vec<IndexEntry> = match query.order {
            SortOrder::Ascending => {
                walk.filter(|entry| cursor.is_none_or(|last| entry > last)).take(limit).collect()
            }
            SortOrder::Descending => walk
                .rev()
                .filter(|entry| cursor.is_none_or(|last| entry < last))
                .take(limit)
                .collect(),
        };
        // As in DynamoDB, a full page does not show whether it is the last.
        let next = entries.last().filter(|_| entries.len() == limit).cloned();
        IndexPage { entries, next }
    }
}
