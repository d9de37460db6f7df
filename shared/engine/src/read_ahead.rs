//! Reads the rows that a piece of work is about to use together, instead of one by one.

use domain::ids::AccountId;
use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;
use store::{ReadAheadKeys, StoreError};

use crate::error_chain::ErrorChain;
use crate::record_isolation::catch_panic;
use crate::{Engine, concurrency};

/// Mappings that are read together. With the longest snapshots, they take 13 MB of memory.
const READ_TOGETHER: usize = 50;

impl Engine {
    /// Returns an engine with these rows read ahead. If they cannot be read together, each is read
    /// when it is used, so that a row that cannot be read affects only its own record. The engine
    /// is boxed, because the futures of pushes hold several of them.
    pub(crate) async fn with_rows_read_ahead(&self, rows: ReadAheadKeys) -> Box<Self> {
        let store = match catch_panic(self.store.read_ahead(rows).boxed()).await {
            Some(Ok(store)) => store,
            Some(Err(error)) => {
                tracing::warn!(error = %ErrorChain(&error), "rows could not be read ahead");
                self.store.clone()
            }
            None => self.store.clone(),
        };
        Box::new(Self { store, ..self.clone() })
    }

    /// Returns an engine whose reads show every earlier write.
    pub(crate) fn without_read_ahead(&self) -> Box<Self> {
        Box::new(Self { store: self.store.without_read_ahead(), ..self.clone() })
    }

    /// Reads mappings together. Returns what `view` makes of each, in their order, or `None` for
    /// one that does not exist or cannot be read.
    pub(crate) async fn view_mappings<T>(
        &self,
        account: &AccountId,
        keys: &[MappingKey],
        view: impl Fn(Mapping) -> T,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let mut views = Vec::with_capacity(keys.len());
        for keys in keys.chunks(READ_TOGETHER) {
            let mut rows = ReadAheadKeys::default();
            for key in keys {
                rows.add_mapping(key);
            }
            let ahead = self.with_rows_read_ahead(rows).await;
            let reads = keys.iter().map(|key| {
                let row = ahead.store.find_mapping(key);
                self.skip_failing(account, row).boxed()
            });
            for row in concurrency::map_concurrently(reads.collect()).await {
                views.push(row?.flatten().map(|row| view(row.record)));
            }
        }
        Ok(views)
    }
}
