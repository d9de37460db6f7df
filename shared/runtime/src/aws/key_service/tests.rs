//! Tests of the calls of KMS and of its refusals.

use std::sync::Mutex;

use http::Response;
use secrecy::ExposeSecret;

use super::*;
use crate::aws::test_access::test_access;

/// KMS that gives one answer, and remembers the requests.
#[derive(Debug)]
struct Scripted {
    status: u16,
    answer: &'static str,
    requests: Mutex<Vec<Request<Bytes>>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        self.requests.lock().unwrap().push(request);
        let answer = Bytes::from_static(self.answer.as_bytes());
        Ok(Response::builder().status(self.status).body(answer).unwrap())
    }
}

fn service(status: u16, answer: &'static str) -> (KeyService, Arc<Scripted>) {
    let scripted = Arc::new(Scripted { status, answer, requests: Mutex::default() });
    let aws = AwsConfig {
        secret_access_key: SecretString::from("key-of-the-role"),
        session_token: Some(SecretString::from("session")),
        ..test_access()
    };
    (KeyService::new(scripted.clone(), &aws, "arn:key".to_owned()), scripted)
}

#[tokio::test]
async fn a_new_key_is_bound_to_its_context_by_a_signed_call() {
    let answer = r#"{"CiphertextBlob":"Y2lwaGVy","Plaintext":"cGxhaW4=","KeyId":"arn:key"}"#;
    let (service, scripted) = service(200, answer);
    let key = service.new_key("stage/grant/one").await.unwrap();
    assert_eq!((key.plain.expose_secret(), key.encrypted.as_str()), ("cGxhaW4=", "Y2lwaGVy"));
    let requests = scripted.requests.lock().unwrap();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(request.uri(), "https://kms.eu-west-2.amazonaws.com/");
    assert_eq!(request.headers()["x-amz-target"], "TrentService.GenerateDataKey");
    assert_eq!(request.headers()["x-amz-security-token"], "session");
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert!(authorization.contains("/eu-west-2/kms/aws4_request"), "{authorization}");
    let expected = r#"{"KeyId":"arn:key","KeySpec":"AES_256","EncryptionContext":{"grant_secret":"stage/grant/one"}}"#;
    assert_eq!(request.body(), expected);
}

#[test]
fn the_debug_output_contains_neither_the_secret_key_nor_the_session_token() {
    let (service, _) = service(200, "{}");
    let output = format!("{service:?}");
    assert!(output.contains("AKIDEXAMPLE"), "{output}");
    for hidden in ["key-of-the-role", "session"] {
        assert!(!output.contains(hidden), "{output}");
    }
}

#[tokio::test]
async fn a_refusal_is_named_and_not_repeated() {
    let (service, scripted) =
        service(400, r#"{"__type":"com.amazonaws.kms#InvalidCiphertextException"}"#);
    let error = service.open_key("Y2lwaGVy", "stage/grant/one").await.unwrap_err();
    assert_eq!(error.source.to_string(), "KMS answered 400 InvalidCiphertextException");
    assert_eq!(scripted.requests.lock().unwrap().len(), 1);
}

#[test]
fn an_outage_and_a_throttle_are_temporary() {
    let refused = |status, code: &str| KeyServiceError::Refused { status, code: code.into() };
    assert!(refused(500, "KMSInternalException").is_temporary());
    assert!(refused(400, "ThrottlingException").is_temporary());
    assert!(KeyServiceError::TooSlow.is_temporary());
    assert!(!refused(400, "AccessDeniedException").is_temporary());
    assert!(!KeyServiceError::Answer(JsonFault::new("it is not JSON")).is_temporary());
}
