//! Data keys from KMS. Its two calls are built and signed here: the crate of the SDK for KMS would
//! add its whole API to every build.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use domain::json_fault::JsonFault;
use domain::retry::pause_between_tries;
use engine::ports::{Clock, DataKey, DataKeys, IdSource, PortError};
use http::Request;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xero::{Transport, TransportError};

use super::call_limit::await_in_time;
use super::clients::ATTEMPT_TIMEOUT;
use crate::clock::SystemClock;
use crate::config::AwsConfig;
use crate::ids::RandomIds;

/// Maximum tries of one call, and the shortest pause between two.
const TRIES_MAX: u8 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// One key of KMS. A call is tried up to three times, and ends before the invocation that makes it.
#[derive(Debug, Clone)]
pub struct KeyService {
    transport: Arc<dyn Transport>,
    /// The credentials of the function, for as long as the process runs.
    identity: Identity,
    region: String,
    address: String,
    key: String,
}

impl KeyService {
    /// Uses this key, given by its ARN.
    pub fn new(transport: Arc<dyn Transport>, aws: &AwsConfig, key: String) -> Self {
        let address = match &aws.endpoint_url {
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
            None => format!("https://kms.{}.amazonaws.com/", aws.region),
        };
        let identity = Identity::from(aws.build_credentials());
        Self { transport, identity, region: aws.region.clone(), address, key }
    }

    /// Makes a call and reads its answer.
    async fn call_service<A: DeserializeOwned>(
        &self,
        operation: &'static str,
        body: Bytes,
    ) -> Result<A, KeyServiceError> {
        let called = await_in_time(self.call_repeatedly(operation, body)).await;
        read_answer(&called.map_err(|_| KeyServiceError::TooSlow)??)
    }

    /// Makes a call, repeatedly if the service is unavailable or throttles. Each call has pauses of
    /// its own, because processes that need a key at the same time are refused together.
    async fn call_repeatedly(
        &self,
        operation: &'static str,
        body: Bytes,
    ) -> Result<Bytes, KeyServiceError> {
        let seed = RandomIds::new().new_uuid().to_string();
        for tries in 1..TRIES_MAX {
            match self.try_call(operation, body.clone()).await {
                Err(error) if error.is_temporary() => {
                    SystemClock.sleep_for(pause_between_tries(PAUSE, tries, &seed)).await;
                }
                result => return result,
            }
        }
        self.try_call(operation, body).await
    }

    async fn try_call(
        &self,
        operation: &'static str,
        body: Bytes,
    ) -> Result<Bytes, KeyServiceError> {
        let request = self.build_request(operation, body, SystemClock.now().into())?;
        let exchange = self.transport.send_request(request);
        let in_time = tokio::time::timeout(ATTEMPT_TIMEOUT, exchange).await;
        let response = in_time.map_err(|_| KeyServiceError::TooSlow)??;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok(body);
        }
        Err(KeyServiceError::Refused { status: head.status.as_u16(), code: read_code(&body) })
    }

    fn build_request(
        &self,
        operation: &'static str,
        body: Bytes,
        now: SystemTime,
    ) -> Result<Request<Bytes>, KeyServiceError> {
        let mut request = Request::post(self.address.as_str())
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("TrentService.{operation}"))
            .body(body)
            .map_err(|error| KeyServiceError::Request(error.to_string()))?;
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(self.region.as_str())
            .name("kms")
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| KeyServiceError::Request(error.to_string()))?;
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers,
            SignableBody::Bytes(request.body()),
        );
        let (instructions, _signature) = signable
            .and_then(|signable| sign(signable, &SigningParams::from(parameters)))
            .map_err(|error| KeyServiceError::Request(error.to_string()))?
            .into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

/// The encryption context: KMS decrypts a data key only with the same one, and records it.
#[derive(Serialize)]
struct EncryptionContext<'a> {
    grant_secret: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyRequest<'a> {
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_spec: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext_blob: Option<&'a str>,
    encryption_context: EncryptionContext<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewKeyAnswer {
    ciphertext_blob: String,
    plaintext: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OpenKeyAnswer {
    plaintext: String,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    #[serde(rename = "__type")]
    code: String,
}

/// Both calls: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html> and
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>. The keys stay in the
/// form in which KMS sends them, which is base64.
#[async_trait]
impl DataKeys for KeyService {
    async fn new_key(&self, context: &str) -> Result<DataKey, PortError> {
        let failed = |error| describe_failure("create a data key", error);
        let body = write_body(&KeyRequest {
            key_id: &self.key,
            key_spec: Some("AES_256"),
            ciphertext_blob: None,
            encryption_context: EncryptionContext { grant_secret: context },
        });
        let called = self.call_service("GenerateDataKey", body.map_err(failed)?).await;
        let NewKeyAnswer { ciphertext_blob, plaintext } = called.map_err(failed)?;
        Ok(DataKey { plain: SecretString::from(plaintext), encrypted: ciphertext_blob })
    }

    async fn open_key(&self, encrypted: &str, context: &str) -> Result<SecretString, PortError> {
        let failed = |error| describe_failure("decrypt a data key", error);
        let body = write_body(&KeyRequest {
            key_id: &self.key,
            key_spec: None,
            ciphertext_blob: Some(encrypted),
            encryption_context: EncryptionContext { grant_secret: context },
        });
        let called = self.call_service("Decrypt", body.map_err(failed)?).await;
        let OpenKeyAnswer { plaintext } = called.map_err(failed)?;
        Ok(SecretString::from(plaintext))
    }
}

/// Why a call of KMS failed.
#[derive(Debug, thiserror::Error)]
enum KeyServiceError {
    #[error("the request could not be built: {0}")]
    Request(String),
    #[error("KMS did not answer")]
    Exchange(#[from] TransportError),
    #[error("KMS did not answer in time")]
    TooSlow,
    #[error("KMS answered {status} {code}")]
    Refused { status: u16, code: String },
    // Serde's own error may quote the key, this one does not.
    #[error("the answer of KMS cannot be read")]
    Answer(#[source] JsonFault),
}

impl KeyServiceError {
    fn is_temporary(&self) -> bool {
        match self {
            Self::Exchange(_) | Self::TooSlow => true,
            Self::Refused { status, code } => *status >= 500 || code == "ThrottlingException",
            Self::Request(_) | Self::Answer(_) => false,
        }
    }
}

fn describe_failure(operation: &'static str, error: KeyServiceError) -> PortError {
    PortError { operation, source: error.into() }
}

fn write_body(request: &impl Serialize) -> Result<Bytes, KeyServiceError> {
    let body = serde_json::to_vec(request);
    body.map(Bytes::from).map_err(|error| KeyServiceError::Request(error.to_string()))
}

fn read_answer<A: DeserializeOwned>(body: &[u8]) -> Result<A, KeyServiceError> {
    serde_json::from_slice(body).map_err(|error| KeyServiceError::Answer(error.into()))
}

/// The code of an error, without its namespace.
fn read_code(body: &[u8]) -> String {
    let answer = serde_json::from_slice::<ErrorAnswer>(body);
    let code = answer.map(|answer| answer.code).unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
