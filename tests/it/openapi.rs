//! Compares every request of the whole story with Xero's own `OpenAPI` description.

use bytes::Bytes;
use http::Request;

use crate::description::description;
use crate::story;

#[test]
fn every_request_of_the_story_conforms_to_xeros_openapi() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    let world = story::world_after_story();
    let mut laid = 0;
    for call in world.xero().calls().iter().filter(|call| call.path.starts_with("/api.xro/")) {
        let uri = format!("https://api.xero.com{}?{}", call.path, call.query);
        let mut request = Request::builder().method(&call.method).uri(uri.trim_end_matches('?'));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request: Request<Bytes> = request.body(call.body.clone()).unwrap();
        let faults = xero.faults(&request);
        assert!(faults.is_empty(), "{} {}: {faults:?}", call.method, call.path);
        laid += 1;
    }
    assert!(laid > 200, "only {laid} requests");
}
