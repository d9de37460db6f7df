//! The layout of the table, for code that creates one.

use aws_sdk_dynamodb::{
    Client,
    operation::create_table::builders::CreateTableFluentBuilder,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType,
    },
};

use super::{
    ATTENTION_INDEX, DUE_INDEX, OPEN_INDEX,
    attributes::{ATTENTION, DUE, KeyNames, OPEN, PRIMARY},
};

/// Builds the request that creates a table for [`super::DynamoTable`]. It is for tests: the
/// template creates the deployed table.
pub fn create_table(client: &Client, table_name: &str) -> CreateTableFluentBuilder {
    let texts = [PRIMARY, DUE, OPEN, ATTENTION].into_iter().flat_map(|names| [names.pk, names.sk]);
    client
        .create_table()
        .table_name(table_name)
        .set_attribute_definitions(Some(texts.map(text_attribute).collect()))
        .set_key_schema(Some(key_schema(PRIMARY)))
        .global_secondary_indexes(index(DUE_INDEX, DUE))
        .global_secondary_indexes(index(OPEN_INDEX, OPEN))
        .global_secondary_indexes(index(ATTENTION_INDEX, ATTENTION))
        .billing_mode(BillingMode::PayPerRequest)
}

fn text_attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .expect("an attribute has a name and a type")
}

fn key_schema(names: KeyNames) -> Vec<KeySchemaElement> {
    [(names.pk, KeyType::Hash), (names.sk, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .expect("a key element has a name and a kind")
        })
        .collect()
}

fn index(name: &str, names: KeyNames) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(names)))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("an index has a name, keys and a projection")
}
