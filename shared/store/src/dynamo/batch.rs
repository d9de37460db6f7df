//! Reads many items with few requests.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::{DynamoTable, attributes, into_unavailable};
use crate::table::{FoundItems, ItemKey, TableError};

/// Maximum keys per request (DynamoDB: 100 items in a batch of reads).
const KEYS_MAX: usize = 100;

/// Maximum requests for the same keys. DynamoDB leaves keys unprocessed that exceed 16 MB or the
/// throughput of their partition; keys that remain after these requests are read one by one.
const REQUESTS_MAX: u32 = 3;

impl DynamoTable {
    /// Reads the items with these keys. A request must not name a key twice.
    pub(super) async fn get_batches(&self, keys: Vec<ItemKey>) -> Result<FoundItems, TableError> {
        let keys = keys.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        let mut found = FoundItems::new();
        for some in keys.chunks(KEYS_MAX) {
            let mut unread = some.iter().cloned().collect::<BTreeSet<_>>();
            for _ in 0..REQUESTS_MAX {
                unread = self.get_batch(unread, &mut found).await?;
                if unread.is_empty() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Sends one request. Returns the keys that DynamoDB did not process.
    async fn get_batch(
        &self,
        keys: BTreeSet<ItemKey>,
        found: &mut FoundItems,
    ) -> Result<BTreeSet<ItemKey>, TableError> {
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys.iter().map(attributes::encode_key).collect()))
            .consistent_read(true)
            .build()
            .expect("a batch has keys");
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.table_name, request)
            .send()
            .await
            .map_err(|error| into_unavailable("batch get items", error))?;
        let mut unprocessed = answer.unprocessed_keys.unwrap_or_default();
        let unprocessed = unprocessed.remove(&self.table_name).map(|rest| rest.keys);
        let unprocessed = unprocessed
            .unwrap_or_default()
            .into_iter()
            .map(attributes::decode_key)
            .collect::<Result<BTreeSet<_>, _>>()?;
        let mut corrupt = BTreeSet::new();
        let mut items = answer.responses.unwrap_or_default();
        for item in items.remove(&self.table_name).unwrap_or_default() {
            match attributes::decode_item(item) {
                Ok(item) => drop(found.insert(item.key.clone(), Some(item))),
                Err(TableError::Corrupt { key, reason: _ }) => drop(corrupt.insert(key)),
                Err(error) => return Err(error),
            }
        }
        for key in keys {
            if !unprocessed.contains(&key) && !corrupt.contains(&key) {
                found.entry(key).or_insert(None);
            }
        }
        Ok(unprocessed)
    }
}
