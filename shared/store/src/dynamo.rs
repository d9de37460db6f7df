//! The table in DynamoDB.
//!
//! # Lost replies
//!
//! The SDK repeats a request whose reply is lost. The first try may have succeeded, and the second
//! then fails because of the first. Every write therefore carries an id that its tries share and no
//! other write has. A put stores it in the item, and a refused put requests the item that caused
//! the refusal: if it has our id, the write is done. Comparing contents instead could let two
//! writers of the same content both assume that they had won.
//!
//! A transaction also carries the id as its token, and DynamoDB repeats its answer to a token seen
//! within the last ten minutes. A delete leaves no item to compare, so even a single delete is sent
//! as a transaction. The token is not derived from the writes: versions start again after a delete,
//! so equal writes may be different events, and the later one must not receive the answer of the
//! earlier one.

mod attributes;
mod batch;
mod key_condition;
#[cfg(feature = "conformance")]
mod layout;
mod refusal;
mod transaction;
mod write_id;

use std::{collections::HashMap, error::Error, fmt::Debug};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

#[cfg(feature = "conformance")]
pub use self::layout::create_table;
use self::{key_condition::KeyCondition, transaction::WriteCondition, write_id::WriteId};
use crate::table::{
    BoxError, CorruptItem, FoundItems, IndexEntry, IndexPage, IndexQuery, ItemKey, ItemPage,
    ItemTable, ItemWrite, NewItem, PageCursor, SortOrder, StoredItem, TableError, TableIndex,
    TableQuery, WriteExpectation, check_limits,
};

/// The name of the sparse index of due rows.
pub const DUE_INDEX: &str = "due";

/// The name of the sparse index of open invoices.
pub const OPEN_INDEX: &str = "open";

/// The name of the sparse index of records that need attention.
pub const ATTENTION_INDEX: &str = "attention";

/// One DynamoDB table: primary key `pk` and `sk`, keys-only indexes [`DUE_INDEX`],
/// [`OPEN_INDEX`] and [`ATTENTION_INDEX`], time to live on `expires_at`.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    client: Client,
    table_name: String,
}

impl DynamoTable {
    /// Uses the table of this name, which must exist in the client's account and region.
    pub fn new(client: Client, table_name: String) -> Self {
        Self { client, table_name }
    }

    async fn put_item(&self, item: NewItem, expect: WriteExpectation) -> Result<(), TableError> {
        let write_id = WriteId::new_random();
        let stored = item.into_stored(expect.next_version());
        let precondition = WriteCondition::from(expect);
        let Err(refused) = self
            .client
            .put_item()
            .table_name(&self.table_name)
            .set_item(Some(attributes::encode_item(stored, &write_id)))
            .condition_expression(precondition.expression)
            .set_expression_attribute_names(Some(precondition.names))
            .set_expression_attribute_values(precondition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await
        else {
            return Ok(());
        };
        refusal::resolve_put_refusal(refused, &write_id)
    }

    async fn send_transaction(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        let write_id = WriteId::new_random();
        let steps = writes
            .into_iter()
            .map(|write| transaction::build_step(&self.table_name, write, &write_id))
            .collect();
        let Err(refused) = self
            .client
            .transact_write_items()
            .set_transact_items(Some(steps))
            .client_request_token(write_id.as_str())
            .send()
            .await
        else {
            return Ok(());
        };
        refusal::resolve_transaction_refusal(refused, &write_id)
    }

    fn build_query(
        &self,
        condition: KeyCondition,
        order: SortOrder,
        limit: u16,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table_name)
            .key_condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(Some(condition.values))
            .scan_index_forward(order == SortOrder::Ascending)
            .limit(i32::from(limit))
    }
}

#[async_trait]
impl ItemTable for DynamoTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table_name)
            .set_key(Some(attributes::encode_key(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| into_unavailable("get item", error))?;
        answer.item.map(attributes::decode_item).transpose()
    }

    async fn get_many(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        self.get_batches(keys).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        check_limits(&writes)?;
        match <[ItemWrite; 1]>::try_from(writes) {
            Ok([ItemWrite::Put { item, expect }]) => self.put_item(item, expect).await,
            Ok([single]) => self.send_transaction(vec![single]).await,
            Err(writes) => self.send_transaction(writes).await,
        }
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        let TableQuery { pk, range, order, limit, after } = query;
        let Some(range) = range.reachable_range(after.as_ref().map(PageCursor::sort_key)) else {
            return Ok(ItemPage::empty_page());
        };
        let start =
            after.map(|cursor| attributes::encode_key(&ItemKey::new(&pk, cursor.sort_key())));
        let answer = self
            .build_query(KeyCondition::new(attributes::PRIMARY, pk, range), order, limit.get())
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| into_unavailable("query", error))?;
        into_page(answer)
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        let IndexQuery { index, pk, range, order, limit, after } = query;
        let Some(range) =
            range.reachable_range(after.as_ref().map(|entry| entry.index.sk.as_str()))
        else {
            return Ok(IndexPage::empty_page());
        };
        let (name, key_names) = match index {
            TableIndex::Due => (DUE_INDEX, attributes::DUE),
            TableIndex::Open => (OPEN_INDEX, attributes::OPEN),
            TableIndex::Attention => (ATTENTION_INDEX, attributes::ATTENTION),
        };
        let answer = self
            .build_query(KeyCondition::new(key_names, pk, range), order, limit.get())
            .index_name(name)
            .set_exclusive_start_key(after.map(|entry| attributes::encode_entry(index, entry)))
            .send()
            .await
            .map_err(|error| into_unavailable("query index", error))?;
        into_index_page(index, answer)
    }
}

fn into_page(answer: QueryOutput) -> Result<ItemPage, TableError> {
    let mut page = ItemPage::empty_page();
    for item in answer.items.unwrap_or_default() {
        match attributes::decode_item(item) {
            Ok(item) => page.items.push(item),
            Err(TableError::Corrupt { key, reason }) => {
                page.corrupt.push(CorruptItem { key, reason });
            }
            Err(error) => return Err(error),
        }
    }
    let next = answer.last_evaluated_key.map(attributes::decode_key).transpose()?;
    page.next = next.map(|key| PageCursor::at_sort_key(key.sk));
    Ok(page)
}

/// DynamoDB lists an item in an index only if the item has both keys of the index, so no entry of
/// an index can be corrupt.
fn into_index_page(index: TableIndex, answer: QueryOutput) -> Result<IndexPage, TableError> {
    let entry = |found: HashMap<String, AttributeValue>| -> Result<IndexEntry, TableError> {
        attributes::decode_entry(index, found)
    };
    Ok(IndexPage {
        entries: answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()?,
        next: answer.last_evaluated_key.map(entry).transpose()?,
    })
}

fn into_unavailable<E, R>(operation: &'static str, error: SdkError<E, R>) -> TableError
where
    E: Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    TableError::Unavailable { operation, source: into_cause(error) }
}

/// Keeps the cause without the raw reply: a reply may quote items, and errors are logged.
fn into_cause<E, R>(error: SdkError<E, R>) -> BoxError
where
    E: Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    error.into_source().unwrap_or_else(BoxError::from)
}
