//! HTTP APIs: what the local AWS does not take from the template.

use bytes::Bytes;
use http::Request;

use super::Aws;
use crate::failure::Failure;

impl Aws {
    /// Lets the pages of an origin call an API in a browser, as the template's `CorsConfiguration`
    /// does. `MiniStack` 1.5.33 ignores that property of an API that `CloudFormation` creates, and
    /// observes it after an update.
    pub async fn allow_origin(&self, api: &str, origin: &str) -> Result<(), Failure> {
        let change = format!(
            r#"{{"corsConfiguration":{{"allowOrigins":["{origin}"],"allowMethods":["GET","POST","PUT","DELETE"],"allowHeaders":["authorization","content-type","if-match"],"exposeHeaders":["etag","retry-after"],"maxAge":7200}}}}"#
        );
        let request = Request::patch(format!("{}/v2/apis/{api}", self.endpoint()))
            .header("content-type", "application/json")
            .body(Bytes::from(change));
        self.exchange("apigateway", "API Gateway UpdateApi", request).await.map(|_| ())
    }
}
