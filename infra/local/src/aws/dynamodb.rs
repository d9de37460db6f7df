//! Rows of the table, for what an operator, or time, does to them.

use super::Aws;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A row as DynamoDB has it: attributes with their types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row(Map<String, Value>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    #[serde(default)]
    item: Option<Row>,
}

impl Row {
    /// A row that holds a record and nothing else.
    pub fn new(pk: &str, sk: &str, record: &str) -> Self {
        let text = |text: &str| json!({ "S": text });
        let version = json!({ "N": "1" });
        let attributes =
            [("pk", text(pk)), ("sk", text(sk)), ("version", version), ("record", text(record))];
        Self(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The record, as the functions keep it.
    pub fn record(&self) -> Option<Value> {
        serde_json::from_str(self.0.get("record")?.get("S")?.as_str()?).ok()
    }

    /// The same row with another record.
    #[must_use]
    pub fn with_record(mut self, record: &Value) -> Self {
        self.0.insert("record".to_owned(), json!({ "S": record.to_string() }));
        self
    }
}

impl Aws {
    /// A row, if there is one.
    pub async fn row(&self, table: &str, pk: &str, sk: &str) -> Result<Option<Row>, Failure> {
        let get = json!({
            "TableName": table,
            "Key": { "pk": { "S": pk }, "sk": { "S": sk } },
            "ConsistentRead": true,
        });
        let got: Got = self.json("DynamoDB_20120810.GetItem", &get).await?;
        Ok(got.item)
    }

    /// Puts a row, whatever was there.
    pub async fn put_row(&self, table: &str, row: &Row) -> Result<(), Failure> {
        let put = json!({ "TableName": table, "Item": row });
        self.send("DynamoDB_20120810.PutItem", &put).await.map(|_| ())
    }
}
