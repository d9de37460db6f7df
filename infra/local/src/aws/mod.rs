//! The few AWS calls the runner makes itself, as the root user of the local account.

pub mod cloudformation;
pub mod dynamodb;
pub mod lambda;
pub mod logs;
pub mod s3;
pub mod secrets;
mod signature;
pub mod sqs;
mod xml;

pub use signature::{KEY, SECRET};

use crate::clock;
use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use bytes::Bytes;
use http::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The region of the local stack.
pub const REGION: &str = "eu-west-2";

/// The local AWS at its address.
#[derive(Debug, Clone)]
pub struct Aws {
    http: HttpClient,
    endpoint: String,
}

impl Aws {
    /// The AWS behind `endpoint`, such as `http://127.0.0.1:4566`.
    pub fn new(http: HttpClient, endpoint: String) -> Self {
        Self { http, endpoint }
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A call in one of AWS's JSON protocols; `target` is service and operation.
    async fn json<A: DeserializeOwned>(
        &self,
        target: &str,
        request: &impl Serialize,
    ) -> Result<A, Failure> {
        let answer = self.send(target, request).await?;
        serde_json::from_slice(answer.body()).map_err(|error| {
            Failure::new(format!("{target} returned an unexpected response")).because(error)
        })
    }

    /// The same, without reading the response.
    async fn send(
        &self,
        target: &str,
        request: &impl Serialize,
    ) -> Result<Response<Bytes>, Failure> {
        let body = serde_json::to_vec(request)
            .map_err(|error| Failure::new(format!("Cannot serialise {target}")).because(error))?;
        let request = Request::post(format!("{}/", self.endpoint))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .body(Bytes::from(body));
        let service = target.split(['.', '_']).next().unwrap_or_default().to_lowercase();
        let service = service.trim_start_matches("amazon");
        self.exchange(service, target, request).await
    }

    /// Signs for the service, sends, and fails unless the response is a success.
    async fn exchange(
        &self,
        service: &str,
        doing: &str,
        request: http::Result<Request<Bytes>>,
    ) -> Result<Response<Bytes>, Failure> {
        let request = request.map_err(|error| {
            Failure::new(format!("Cannot build the request of {doing}")).because(error)
        })?;
        let request = signature::signed(request, service, clock::now())?;
        let answer = self.http.send(request).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused(doing, &answer)) }
    }
}
