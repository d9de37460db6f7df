//! A table in which something happens before each request.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use store::Store;
use store::table::{
    FoundItems, IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem,
    TableError, TableQuery,
};

/// A request to the table.
#[derive(Debug, Clone, Copy)]
pub enum TableRequest<'a> {
    /// Reads a row.
    Get(&'a ItemKey),
    /// Reads several rows.
    GetMany(&'a [ItemKey]),
    /// Writes rows, several of them in a transaction.
    Write(&'a [ItemWrite]),
    /// Reads a page of a partition.
    Query(&'a TableQuery),
    /// Reads a page of an index.
    QueryIndex(&'a IndexQuery),
}

/// What happens before a request reaches the table.
#[async_trait]
pub trait TableInterception: Debug + Send + Sync + 'static {
    /// Called before each request, which is not made if this fails.
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError>;
}

/// A table whose requests are intercepted.
#[derive(Debug)]
pub struct InterceptedTable<T, I> {
    table: T,
    interception: I,
}

impl<T: ItemTable + 'static, I: TableInterception> InterceptedTable<T, I> {
    /// A store on this table, with its requests intercepted.
    pub fn store_on(table: T, interception: I) -> Store {
        Store::new(Arc::new(Self { table, interception }))
    }
}

#[async_trait]
impl<T: ItemTable, I: TableInterception> ItemTable for InterceptedTable<T, I> {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.interception.intercept_request(TableRequest::Get(key)).await?;
        self.table.get(key).await
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.interception.intercept_request(TableRequest::GetMany(&keys)).await?;
        self.table.get_many(keys).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        self.interception.intercept_request(TableRequest::Write(&writes)).await?;
        self.table.write_items(writes).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.interception.intercept_request(TableRequest::Query(&query)).await?;
        self.table.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.interception.intercept_request(TableRequest::QueryIndex(&query)).await?;
        self.table.query_index(query).await
    }
}
