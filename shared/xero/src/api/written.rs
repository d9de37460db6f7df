//! What became of each document of a write.
//!
//! With `summarizeErrors=false` Xero answers 200 and returns every document of the batch in the
//! order of the request, each with its own verdict. The verdict has three signs, not all of which
//! are on every kind of document; any one of them makes it a refusal.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::BATCH_LIMIT;
use crate::error::{XeroError, messages, refusal};
use crate::json::{element, elements, lenient_bool};
use crate::session::{Call, Session};

/// What became of one document of a write.
#[derive(Debug)]
pub enum Written<T> {
    /// Xero has it.
    Done {
        /// The document as Xero keeps it now.
        remote: T,
        /// What Xero remarked about it.
        warnings: Vec<String>,
    },
    /// Xero refused this document; the others of the batch are not affected.
    Refused(XeroError),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Verdict {
    #[serde(default)]
    status_attribute_string: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    has_errors: bool,
    #[serde(default, deserialize_with = "lenient_bool")]
    has_validation_errors: bool,
    #[serde(default)]
    validation_errors: Option<Vec<Value>>,
    #[serde(default)]
    warnings: Option<Vec<Warning>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Warning {
    #[serde(default)]
    message: Option<String>,
}

impl Verdict {
    fn is_refusal(&self) -> bool {
        let status = self.status_attribute_string.as_deref().unwrap_or_default();
        status.eq_ignore_ascii_case("ERROR")
            || self.has_errors
            || self.has_validation_errors
            || self.validation_errors.as_ref().is_some_and(|errors| !errors.is_empty())
    }
}

/// Makes the call that writes `documents`, at most a batch of them; none costs no call. One outcome for each,
/// in their order; [`written`] says what is believed of the answer.
pub(super) async fn send<D, W, T>(
    session: &Session,
    call: Call,
    collection: &str,
    documents: &[D],
    is_answer_to: impl Fn(&D, &T) -> bool,
) -> Result<Vec<Written<T>>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    if documents.len() > BATCH_LIMIT {
        return Err(XeroError::Unsendable { reason: "a batch holds at most 50 documents" });
    }
    let endpoint = call.endpoint;
    let answer = session.call(call).await?;
    written::<D, W, T>(endpoint, collection, &answer, documents, is_answer_to)
}

/// Reads the answer to a write of `documents`. `is_answer_to` says whether what Xero returned can
/// be the document that was sent in that place; if it cannot, the order is not what Xero promises
/// and no id of the answer is believed.
pub(super) fn written<D, W, T>(
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
    documents: &[D],
    is_answer_to: impl Fn(&D, &T) -> bool,
) -> Result<Vec<Written<T>>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let elements = elements(endpoint, collection, body)?;
    if elements.len() != documents.len() {
        let fault = format!("{} answers to {} documents", elements.len(), documents.len());
        return Err(XeroError::undecodable(endpoint, fault));
    }
    let one = |(raw, document)| {
        let outcome = outcome::<W, T>(endpoint, raw)?;
        match &outcome {
            Written::Done { remote, .. } if !is_answer_to(document, remote) => Err(
                XeroError::undecodable(endpoint, "the answers are not in the order of the request"),
            ),
            Written::Done { .. } | Written::Refused(_) => Ok(outcome),
        }
    };
    elements.into_iter().zip(documents).map(one).collect()
}

fn outcome<W, T>(endpoint: &'static str, raw: &RawValue) -> Result<Written<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let verdict: Verdict = element(endpoint, raw)?;
    if verdict.is_refusal() {
        let tree: Value = element(endpoint, raw)?;
        return Ok(Written::Refused(refusal(messages(&tree))));
    }
    let remote: W = element(endpoint, raw)?;
    let warnings = verdict.warnings.into_iter().flatten().filter_map(|warning| warning.message);
    Ok(Written::Done { remote: remote.into(), warnings: warnings.collect() })
}
