//! Rows of the table: simulates what an operator or the passage of time does to them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::{Aws, failed};
use crate::failure::Failure;

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(HashMap<String, AttributeValue>);

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

impl Row {
    /// A row that contains only a record.
    pub fn new(pk: &str, sk: &str, record: &str) -> Self {
        let version = AttributeValue::N("1".to_owned());
        let attributes =
            [("pk", text(pk)), ("sk", text(sk)), ("version", version), ("record", text(record))];
        Self(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The record, as the functions store it.
    pub fn record(&self) -> Option<Value> {
        serde_json::from_str(self.0.get("record")?.as_s().ok()?).ok()
    }

    /// The same row with another record.
    #[must_use]
    pub fn with_record(mut self, record: &Value) -> Self {
        self.0.insert("record".to_owned(), text(&record.to_string()));
        self
    }

    /// The same row with the next version, so that a process that has read the row cannot write it.
    #[must_use]
    pub fn with_next_version(mut self) -> Self {
        let version = self.0.get("version").and_then(|version| version.as_n().ok());
        let version: u64 = version.and_then(|text| text.parse().ok()).unwrap_or_default();
        let next = AttributeValue::N(version.saturating_add(1).to_string());
        self.0.insert("version".to_owned(), next);
        self
    }
}

impl Aws {
    /// Reads a row, if it exists.
    pub async fn row(&self, table: &str, pk: &str, sk: &str) -> Result<Option<Row>, Failure> {
        let get = self.dynamodb.get_item().table_name(table).consistent_read(true);
        let got = get.key("pk", text(pk)).key("sk", text(sk)).send().await;
        let got = got.map_err(|error| failed("DynamoDB GetItem", error))?;
        Ok(got.item.map(Row))
    }

    /// Restores a table to its present state, as a table of another name.
    pub async fn restore_table(&self, table: &str, restored: &str) -> Result<(), Failure> {
        let restore = self.dynamodb.restore_table_to_point_in_time().source_table_name(table);
        let restore = restore.target_table_name(restored).use_latest_restorable_time(true).send();
        let restored = restore.await.map(drop);
        restored.map_err(|error| failed("DynamoDB RestoreTableToPointInTime", error))
    }

    /// Writes a row unconditionally.
    pub async fn put_row(&self, table: &str, row: &Row) -> Result<(), Failure> {
        let put = self.dynamodb.put_item().table_name(table).set_item(Some(row.0.clone()));
        put.send().await.map(drop).map_err(|error| failed("DynamoDB PutItem", error))
    }
}
