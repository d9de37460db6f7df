//! Rows of the table: simulates what an operator or the passage of time does to them.

use super::Aws;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An attribute of one of the types that the product's rows use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Attribute {
    /// Text.
    S(String),
    /// A number, as text.
    N(String),
    /// Bytes, in base64.
    B(String),
}

/// A row in DynamoDB's JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row(BTreeMap<String, Attribute>);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Get<'a> {
    table_name: &'a str,
    key: BTreeMap<&'static str, Attribute>,
    consistent_read: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    #[serde(default)]
    item: Option<Row>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put<'a> {
    table_name: &'a str,
    item: &'a Row,
}

fn text(text: &str) -> Attribute {
    Attribute::S(text.to_owned())
}

impl Row {
    /// A row that contains only a record.
    pub fn new(pk: &str, sk: &str, record: &str) -> Self {
        let version = Attribute::N("1".to_owned());
        let attributes =
            [("pk", text(pk)), ("sk", text(sk)), ("version", version), ("record", text(record))];
        Self(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The record, as the functions store it.
    pub fn record(&self) -> Option<Value> {
        match self.0.get("record")? {
            Attribute::S(record) => serde_json::from_str(record).ok(),
            Attribute::N(_) | Attribute::B(_) => None,
        }
    }

    /// The same row with another record.
    #[must_use]
    pub fn with_record(mut self, record: &Value) -> Self {
        self.0.insert("record".to_owned(), text(&record.to_string()));
        self
    }
}

impl Aws {
    /// Reads a row, if it exists.
    pub async fn row(&self, table: &str, pk: &str, sk: &str) -> Result<Option<Row>, Failure> {
        let key = BTreeMap::from([("pk", text(pk)), ("sk", text(sk))]);
        let get = Get { table_name: table, key, consistent_read: true };
        let got: Got = self.json("DynamoDB_20120810.GetItem", &get).await?;
        Ok(got.item)
    }

    /// Writes a row unconditionally.
    pub async fn put_row(&self, table: &str, row: &Row) -> Result<(), Failure> {
        let put = Put { table_name: table, item: row };
        self.send("DynamoDB_20120810.PutItem", &put).await.map(|_| ())
    }
}
