//! Requests as API Gateway passes them to a function.

#![allow(clippy::disallowed_methods, reason = "an event of the gateway holds no amounts")]

use serde_json::{Value, json};

/// The claims of a user's token, as the authorizer of a request.
pub fn authorized_as(claims: &Value) -> Value {
    json!({ "jwt": { "claims": claims, "scopes": [] } })
}

/// The event of a request:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
pub fn request_event(
    method: &str,
    path: &str,
    query: &str,
    authorizer: &Value,
    body: Option<&str>,
) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "content-type": "application/json", "host": "api.example" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "authorizer": authorizer,
            "domainName": "api.example",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "browser",
            },
            "requestId": "request",
            "routeKey": "$default",
            "stage": "$default",
            "time": "02/Nov/2026:09:00:00 +0000",
            "timeEpoch": 1_793_610_000_000_i64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
