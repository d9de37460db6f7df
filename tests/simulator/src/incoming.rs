//! A parsed request: segments, parameters, headers, bytes.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};

/// A request with its parsed query.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pairs: Vec<(String, String)>,
}

impl<'a> Incoming<'a> {
    pub(crate) fn read(request: &'a Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        Self {
            method: request.method(),
            path: request.uri().path(),
            query,
            headers: request.headers(),
            body: request.body(),
            pairs: pairs(query.as_bytes()),
        }
    }

    /// A query parameter; names are compared without case, so both spellings of `searchTerm` work.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// A boolean query parameter.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.parameter(name)?.trim() {
            yes if yes.eq_ignore_ascii_case("true") => Some(true),
            no if no.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A header with a text value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The segments of the path, decoded; empty ones are dropped.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|segment| !segment.is_empty()).map(unescape).collect()
    }

    /// The body as a form.
    pub(crate) fn form(&self) -> Form {
        Form(pairs(self.body))
    }
}

/// The fields of a posted form.
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The first field of this name that is not empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// Every field of this name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The pairs of a query or form.
pub(crate) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// Undoes percent encoding; invalid escapes are kept. A plus stays a plus.
pub(crate) fn unescape(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        let escaped = (first == b'%').then(|| tail.split_at_checked(2)).flatten();
        let decoded = escaped.and_then(|(digits, after)| {
            let digits = str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok().map(|byte| (byte, after))
        });
        match decoded {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_everything_else_is_kept() {
        assert_eq!(unescape("a%20b%2Fc+d%zz%2"), "a b/c+d%zz%2");
    }
}
