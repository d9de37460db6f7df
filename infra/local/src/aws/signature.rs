//! Signature Version 4, as AWS documents it, for requests whose complete body is known.

use super::REGION;
use crate::failure::Failure;
use bytes::Bytes;
use http::{HeaderValue, Request};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use std::fmt::Write as _;

/// The access key of the local account's root user, who has all permissions.
pub const KEY: &str = "test";

/// The secret of that key. It is only valid at the local AWS.
pub const SECRET: &str = "test";

/// The scope of the signature.
struct Scope<'a> {
    secret: &'a str,
    date: String,
    region: &'a str,
    service: &'a str,
}

/// Signs the request for `service` at `now`. Its headers must not change afterwards, except `host`,
/// which must be that of its address.
pub(super) fn signed(
    mut request: Request<Bytes>,
    service: &str,
    now: Timestamp,
) -> Result<Request<Bytes>, Failure> {
    let cannot = |error| Failure::new("Cannot sign a request to the local AWS").because(error);
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    for (name, value) in [
        ("host", host),
        ("x-amz-content-sha256", hex(digest(&SHA256, request.body()).as_ref())),
        ("x-amz-date", time.clone()),
    ] {
        let value = HeaderValue::from_str(&value).map_err(cannot)?;
        request.headers_mut().insert(name, value);
    }
    let date = now.strftime("%Y%m%d").to_string();
    let scope = Scope { secret: SECRET, date, region: REGION, service };
    let value = scope.authorization(KEY, &time, &request);
    let value = HeaderValue::from_str(&value).map_err(cannot)?;
    request.headers_mut().insert("authorization", value);
    Ok(request)
}

impl Scope<'_> {
    fn authorization(&self, key: &str, time: &str, request: &Request<Bytes>) -> String {
        let Self { secret: _, date, region, service } = self;
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let (canonical, names) = canonical(request);
        let canonical = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}");
        let signature = hex(&mac(&self.signing_key(), &text));
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
    }

    fn signing_key(&self) -> Vec<u8> {
        let first = format!("AWS4{}", self.secret).into_bytes();
        [self.date.as_str(), self.region, self.service, "aws4_request"]
            .iter()
            .fold(first, |key, part| mac(&key, part))
    }
}

/// The canonical request that both sides hash, and the names of its headers. The runner's paths
/// need no escaping, and it sends no queries.
fn canonical(request: &Request<Bytes>) -> (String, String) {
    let mut headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default().trim()))
        .collect();
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default();
    let body = hex(digest(&SHA256, request.body()).as_ref());
    let lines = lines.concat();
    (format!("{}\n{path}\n{query}\n{lines}\n{names}\n{body}", request.method()), names)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use bytes::Bytes;
    use http::Request;

    /// AWS's own signing test suite, case `get-vanilla`.
    #[test]
    fn a_signature_equals_the_one_aws_computes() {
        let request = Request::get("https://example.amazonaws.com/")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .body(Bytes::new())
            .unwrap();
        let scope = Scope {
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            date: "20150830".to_owned(),
            region: "us-east-1",
            service: "service",
        };
        assert_eq!(
            scope.authorization("AKIDEXAMPLE", "20150830T123600Z", &request),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }
}
