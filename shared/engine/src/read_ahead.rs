//! Reads the rows that a piece of work is about to use together, instead of one by one.

use futures::FutureExt;
use store::ReadAheadKeys;

use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::record_isolation::catch_panic;

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
}
