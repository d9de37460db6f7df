//! Converts preconditions to expressions, and writes to steps of a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem,
};

use super::{
    attributes::{self, PRIMARY, VERSION},
    write_id::WriteId,
};
use crate::table::{ItemWrite, WriteExpectation};

/// An expectation as a DynamoDB expression. Names are always placeholders, so that no attribute
/// collides with one of DynamoDB's several hundred reserved words.
#[derive(Debug)]
pub(super) struct WriteCondition {
    pub(super) expression: &'static str,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl From<WriteExpectation> for WriteCondition {
    fn from(expect: WriteExpectation) -> Self {
        match expect {
            WriteExpectation::Absent | WriteExpectation::AbsentWithFirst(_) => Self {
                expression: "attribute_not_exists(#pk)",
                names: HashMap::from([("#pk".to_owned(), PRIMARY.pk.to_owned())]),
                values: None,
            },
            WriteExpectation::Version(version) => Self {
                expression: "#version = :version",
                names: HashMap::from([("#version".to_owned(), VERSION.to_owned())]),
                values: Some(HashMap::from([(
                    ":version".to_owned(),
                    attributes::encode_version(version),
                )])),
            },
        }
    }
}

/// Returns the step of a transaction that performs this write. A refused put returns the existing
/// item, which shows whether it is our own.
pub(super) fn build_step(
    table_name: &str,
    write: ItemWrite,
    write_id: &WriteId,
) -> TransactWriteItem {
    match write {
        ItemWrite::Put { item, expect } => {
            let precondition = WriteCondition::from(expect);
            let put = Put::builder()
                .table_name(table_name)
                .set_item(Some(attributes::encode_item(
                    item.into_stored(expect.next_version()),
                    write_id,
                )))
                .condition_expression(precondition.expression)
                .set_expression_attribute_names(Some(precondition.names))
                .set_expression_attribute_values(precondition.values)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .build()
                .expect("a put has a table and an item");
            TransactWriteItem::builder().put(put).build()
        }
        ItemWrite::Delete { key, expect } => {
            let precondition = WriteCondition::from(WriteExpectation::Version(expect));
            let delete = Delete::builder()
                .table_name(table_name)
                .set_key(Some(attributes::encode_key(&key)))
                .condition_expression(precondition.expression)
                .set_expression_attribute_names(Some(precondition.names))
                .set_expression_attribute_values(precondition.values)
                .build()
                .expect("a delete has a table and a key");
            TransactWriteItem::builder().delete(delete).build()
        }
        ItemWrite::Check { key, expect } => {
            let precondition = WriteCondition::from(expect);
            let check = ConditionCheck::builder()
                .table_name(table_name)
                .set_key(Some(attributes::encode_key(&key)))
                .condition_expression(precondition.expression)
                .set_expression_attribute_names(Some(precondition.names))
                .set_expression_attribute_values(precondition.values)
                .build()
                .expect("a check has a table, a key and a condition");
            TransactWriteItem::builder().condition_check(check).build()
        }
    }
}
