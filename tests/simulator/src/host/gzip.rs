//! Compression on the socket: Xero compresses a response for a caller that accepts gzip. Request
//! bodies are not decompressed; Xero does not document that they may be compressed.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use http::{HeaderMap, HeaderValue, Response};
use std::io::Write as _;

/// Whether a caller accepts gzip.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(is_refusal)
    })
}

/// A weight of zero, such as `q=0` or `q=0.0`, refuses the encoding.
fn is_refusal(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight.is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty())
}

/// The same response, compressed; one without a body is unchanged.
pub(super) fn compress(response: Response<Bytes>) -> Response<Bytes> {
    if response.body().is_empty() {
        return response;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder.write_all(response.body()).and_then(|()| encoder.finish());
    // Writing to a vector does not fail.
    let Ok(compressed) = compressed else { return response };
    let mut response = response.map(|_| Bytes::from(compressed));
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}
