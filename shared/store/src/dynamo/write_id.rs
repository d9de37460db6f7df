//! The id of one write, which identifies its own effect after a lost reply.

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::attributes::{ItemAttributes, WRITE_ID};

/// An id that all tries of one write share and no other write has. It has 36 characters, the
/// maximum of a DynamoDB transaction's token.
#[derive(Debug)]
pub(super) struct WriteId(String);

impl WriteId {
    #[expect(
        clippy::disallowed_methods,
        reason = "it names a request, not a thing: no decision depends on it and no simulation runs \
                  over DynamoDB"
    )]
    pub(super) fn new_random() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the write with this id stored this item.
    pub(super) fn wrote_item(&self, item: &ItemAttributes) -> bool {
        item.get(WRITE_ID).is_some_and(|found| *found == AttributeValue::S(self.0.clone()))
    }
}
