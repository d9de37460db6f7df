//! Signature Version 4 for requests that are built by hand, as the SDK computes it.

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::{REGION, credentials};
use crate::failure::Failure;

/// Signs the request for `service` at `now`. Its headers must not change afterwards, except `host`,
/// which must be that of its address.
pub(super) fn signed(
    mut request: Request<Bytes>,
    service: &str,
    now: Timestamp,
) -> Result<Request<Bytes>, Failure> {
    let cannot = || Failure::new("Cannot sign a request to the local AWS");
    let identity = Identity::from(credentials());
    let mut settings = SigningSettings::default();
    // S3 requires the header with the digest of the body.
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(SystemTime::from(now))
        .settings(settings)
        .build()
        .map_err(|error| cannot().because(error))?;
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
        .map_err(|error| cannot().because(error))?
        .into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::signed;

    #[test]
    fn a_signed_request_names_its_service_and_the_digest_of_its_body() {
        let request = Request::put("http://127.0.0.1:4566/bucket/key").body(Bytes::from("content"));
        let now = "2015-08-30T12:36:00Z".parse().unwrap();
        let request = signed(request.unwrap(), "s3", now).unwrap();
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let expected = "AWS4-HMAC-SHA256 Credential=test/20150830/eu-west-2/s3/aws4_request, \
                        SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=";
        assert!(authorization.starts_with(expected), "{authorization}");
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            request.headers()["x-amz-content-sha256"],
            "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
        );
    }
}
