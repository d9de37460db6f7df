//! The table of the simulation.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use store::memory::MemoryTable;
use store::table::{
    BoxError, FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite,
    StoredItem, TableError, TableQuery,
};
use xero_sim::Simulator;

use super::SharedState;
use crate::access::Access;
use crate::ports::locked;
use crate::simulation::checker::Observations;
use crate::simulation::faults::{Fault, Port};
use crate::simulation::mutation::Mutation;

/// The table.
#[derive(Debug, Clone)]
pub struct SimTable {
    /// The implementation without faults.
    pub table: MemoryTable,
    /// The checker, which observes the writes.
    pub observations: Observations,
    /// Xero, for the checker.
    pub simulator: Arc<Mutex<Simulator>>,
    /// The world.
    pub shared: SharedState,
}

impl SimTable {
    async fn step<T: Send>(
        &self,
        port: Port,
        what: impl FnOnce() -> String + Send,
        act: impl Future<Output = Result<T, TableError>> + Send,
    ) -> Result<T, TableError> {
        const OPERATION: &str = "a step of the simulation";
        let cause = || BoxError::from("the simulation injects an error");
        let unavailable = || TableError::Unavailable { operation: OPERATION, source: cause() };
        let course = self.shared.draw_course(port, what);
        self.shared.before(&course).await;
        let result = match course.fault {
            Some(Fault::Throttled) if port == Port::Write => {
                Err(TableError::Refused { operation: OPERATION, source: cause() })
            }
            Some(Fault::FailBefore | Fault::Throttled) => Err(unavailable()),
            Some(Fault::Conflict) => Err(TableError::Conflict),
            _ => act.await,
        };
        self.shared.after(&course).await;
        if course.fault == Some(Fault::FailAfter) { Err(unavailable()) } else { result }
    }
}

#[async_trait]
impl ItemTable for SimTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.shared.record_access(Access::Read);
        let what = || format!("read {key}");
        let item = self.step(Port::Read, what, self.table.get(key)).await?;
        Ok(item.map(|item| Mutation::read(self.shared.mutation, item)))
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.shared.record_access(Access::ReadMany);
        let names = keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        let what = move || format!("read {}", names.join(" + "));
        let found = self.step(Port::Read, what, self.table.get_many(keys)).await?;
        let read = |item| Mutation::read(self.shared.mutation, item);
        Ok(found.into_iter().map(|(key, item)| (key, item.map(read))).collect())
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        Access::of_writes(&writes).for_each(|access| self.shared.record_access(access));
        let mut writes = Mutation::written(self.shared.mutation, writes);
        if self.shared.mutation.is_some() {
            let mut kept = Vec::with_capacity(writes.len());
            for write in writes {
                let is_there = self.table.get(write.item_key()).await?.is_some();
                if !Mutation::leaves_out(self.shared.mutation, &write, is_there) {
                    kept.push(write);
                }
            }
            writes = kept;
        }
        let keys = writes.iter().map(|write| write.item_key().to_string()).collect::<Vec<_>>();
        let what = move || format!("write {}", keys.join(" + "));
        let write = async {
            self.table.write_items(writes.clone()).await?;
            self.observations.written(&writes, &locked(&self.simulator));
            Ok(())
        };
        self.step(Port::Write, what, write).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.shared.record_access(Access::Query);
        let what = format!("query {} {:?}", query.pk, query.range);
        self.step(Port::Read, move || what, self.table.query_items(query)).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.shared.record_access(Access::of_index(query.index));
        let what = format!("index {} {:?}", query.pk, query.range);
        let course = self.shared.draw_course(Port::Index, move || what);
        self.shared.before(&course).await;
        let result = match course.fault {
            Some(Fault::FailBefore | Fault::Throttled) => Err(TableError::Unavailable {
                operation: "a query of the simulation",
                source: "the simulation injects an error".into(),
            }),
            Some(Fault::Lagging) => Ok(IndexPage { entries: Vec::new(), next: None }),
            _ => self.table.query_index(query).await,
        };
        self.shared.after(&course).await;
        result
    }
}
