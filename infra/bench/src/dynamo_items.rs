//! The table and its items in the JSON of DynamoDB's API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use store::table::{IndexKey, StoredItem};

/// The name of the table.
pub const TABLE_NAME: &str = "records";
/// The name of each index, and the names of its keys.
const INDEXES: [(&str, &str, &str); 3] = [
    ("due", "due_pk", "due_sk"),
    ("open", "open_pk", "open_sk"),
    ("attention", "attention_pk", "attention_sk"),
];

/// The table as the template defines it: two keys, and three indexes of keys.
pub fn table_layout() -> Value {
    let keys = |pk: &str, sk: &str| {
        json!([
            { "AttributeName": pk, "KeyType": "HASH" },
            { "AttributeName": sk, "KeyType": "RANGE" },
        ])
    };
    let all = INDEXES.into_iter().flat_map(|(_, pk, sk)| [pk, sk]);
    let attributes = ["pk", "sk"].into_iter().chain(all);
    let attributes = attributes
        .map(|name| json!({ "AttributeName": name, "AttributeType": "S" }))
        .collect::<Vec<_>>();
    let indexes = INDEXES.into_iter().map(|(name, pk, sk)| {
        json!({
            "IndexName": name,
            "KeySchema": keys(pk, sk),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        })
    });
    json!({
        "TableName": TABLE_NAME,
        "AttributeDefinitions": attributes,
        "KeySchema": keys("pk", "sk"),
        "GlobalSecondaryIndexes": indexes.collect::<Vec<_>>(),
        "BillingMode": "PAY_PER_REQUEST",
    })
}

/// An item as `store::dynamo` writes it.
pub fn encode_item(item: &StoredItem) -> Value {
    let mut attributes = Map::new();
    let mut add = |name: &str, kind: &str, value: String| {
        attributes.insert(name.to_owned(), json!({ kind: value }));
    };
    add("pk", "S", item.key.pk.clone());
    add("sk", "S", item.key.sk.clone());
    add("version", "N", item.version.as_number().to_string());
    add("record", "S", item.record.clone());
    add("write_id", "S", "copied".to_owned());
    if let Some(snapshot) = &item.snapshot {
        add("snapshot", "B", STANDARD.encode(snapshot));
    }
    if let Some(expires_at) = item.expires_at {
        add("expires_at", "N", expires_at.as_second().to_string());
    }
    let index_keys: [&Option<IndexKey>; 3] = [&item.due, &item.open, &item.attention];
    for ((_, pk, sk), key) in INDEXES.into_iter().zip(index_keys) {
        if let Some(key) = key {
            add(pk, "S", key.pk.clone());
            add(sk, "S", key.sk.clone());
        }
    }
    Value::Object(attributes)
}
