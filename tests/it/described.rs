//! Checks responses of the settings API against the OpenAPI document of this build.

use std::sync::LazyLock;

use local::description::Description;
use runtime::api::describe_api;

static DESCRIPTION: LazyLock<Description> =
    LazyLock::new(|| Description::parse(describe_api().as_bytes()).unwrap());

/// Fails unless the document describes the response to a request.
pub(crate) fn assert_described(method: &str, path: &str, status: u16, media: &str, body: &[u8]) {
    let checked = DESCRIPTION.check(method, path, status, media, body);
    assert_eq!(checked, Ok(()));
}
