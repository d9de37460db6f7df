//! The AWS SDK over our own transport: one connection pool and one TLS stack.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use xero::{Transport, TransportErrorKind};

/// The SDK's HTTP client, based on our transport.
#[derive(Debug, Clone)]
pub(super) struct TransportClient {
    transport: Arc<dyn Transport>,
}

impl TransportClient {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }
}

impl HttpClient for TransportClient {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for TransportClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.transport.clone();
        HttpConnectorFuture::new(async move {
            let request =
                request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (head, body) = request.into_parts();
            let Some(body) = body.bytes().map(Bytes::copy_from_slice) else {
                return Err(ConnectorError::user("a streaming body cannot be sent".into()));
            };
            let request = http::Request::from_parts(head, body);
            let response = transport.send_request(request).await.map_err(|error| {
                let timed_out = error.kind == TransportErrorKind::Timeout;
                let error = Box::new(error);
                if timed_out { ConnectorError::timeout(error) } else { ConnectorError::io(error) }
            })?;
            HttpResponse::try_from(response.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
