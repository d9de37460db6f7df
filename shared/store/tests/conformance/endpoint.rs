//! DynamoDB at an address, over plain HTTP.

use aws_sdk_dynamodb::Client;
use aws_smithy_http_client::Builder;
use store::dynamo::{DynamoTable, create_table};

use crate::emulator::configuration;

/// Creates a table at this endpoint. Its name contains the process id, so that concurrent runs do
/// not share it.
pub(crate) async fn table(endpoint_url: &str) -> DynamoTable {
    let client = Client::from_conf(
        configuration().endpoint_url(endpoint_url).http_client(Builder::new().build_http()).build(),
    );
    let name = format!("conformance-{}", std::process::id());
    create_table(&client, &name).send().await.unwrap();
    DynamoTable::new(client, name)
}
