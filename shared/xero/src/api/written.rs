//! What became of each document of a write.
//!
//! With `summarizeErrors=false` Xero answers 200 and returns every document of the batch, each with its own verdict.
//! The order is not always that of the request (XeroAPI/Xero-NetStandard, issues 532 and 586), so an element belongs
//! to the document that it names, by id, number or reference. The verdict has three signs, not all of which are on
//! every kind of document; any one of them makes it a refusal. An element that has neither an error nor the id of
//! what was saved (XeroAPI/Xero-Net, issue 354) leaves the end of its document open, and of no other.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::BATCH_LIMIT;
use crate::error::{XeroError, member, messages, refusal, text};
use crate::json::elements;
use crate::rows::Marks;
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
    /// Xero refused this document, or its answer does not say what became of it
    /// ([`XeroError::Unidentified`]); the others of the batch are not affected.
    Refused(XeroError),
}

/// Whether an element of an answer can be about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It names the document.
    Same,
    /// It does not say.
    Unsaid,
    /// It names another.
    Other,
}

impl Fit {
    /// The fit by a name that only this document has, and by what must not differ.
    pub(super) fn of(name: Option<bool>, others: &[Option<bool>]) -> Self {
        if name == Some(false) || others.contains(&Some(false)) {
            Self::Other
        } else if name == Some(true) {
            Self::Same
        } else {
            Self::Unsaid
        }
    }
}

/// Makes the call that writes `documents`, at most a batch of them; none costs no call. One outcome for each,
/// in their order; [`written`] says what is believed of the answer.
pub(super) async fn send<D, W, T>(
    session: &Session,
    call: Call,
    collection: &str,
    documents: &[D],
    fit: impl Fn(&D, &Marks) -> Fit,
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
    written::<D, W, T>(endpoint, collection, &answer, documents, fit)
}

/// Reads the answer to a write of `documents`: one outcome for each, in their order. `fit` says whether an element
/// can be about a document. Where none is, the outcome is [`XeroError::Unidentified`].
pub(super) fn written<D, W, T>(
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
    documents: &[D],
    fit: impl Fn(&D, &Marks) -> Fit,
) -> Result<Vec<Written<T>>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let elements = elements(endpoint, collection, body)?;
    let marks = elements.iter().map(|raw| Marks::read(raw)).collect::<Vec<_>>();
    let mut answers = pair(documents, &marks, &fit);
    // The only answer to the only document is about it if it says no, however it names it.
    if let ([answer @ None], [only]) = (answers.as_mut_slice(), elements.as_slice())
        && is_refusal(&tree(only))
    {
        *answer = Some(0);
    }
    let outcomes = answers.into_iter().map(|at| {
        let raw = at.and_then(|at| elements.get(at));
        raw.and_then(|raw| outcome::<W, T>(raw)).unwrap_or_else(|| {
            tracing::warn!(endpoint, "an answer does not say whether its document was saved");
            Written::Refused(XeroError::Unidentified { endpoint })
        })
    });
    Ok(outcomes.collect())
}

/// Which element answers each document: one that names it, that in its own place first, because documents may be
/// alike; or, by elimination, the only one that can be about it and about no other.
fn pair<D>(
    documents: &[D],
    marks: &[Marks],
    fit: &impl Fn(&D, &Marks) -> Fit,
) -> Vec<Option<usize>> {
    let fits = |document: &D, at: usize, wanted: Fit| {
        marks.get(at).is_some_and(|marks| fit(document, marks) == wanted)
    };
    let mut free = (0..marks.len()).collect::<BTreeSet<_>>();
    let mut answers = vec![None; documents.len()];
    for (at, (document, answer)) in documents.iter().zip(&mut answers).enumerate() {
        if fits(document, at, Fit::Same) && free.remove(&at) {
            *answer = Some(at);
        }
    }
    for (document, answer) in documents.iter().zip(&mut answers) {
        if answer.is_none() {
            *answer = free.iter().copied().find(|at| fits(document, *at, Fit::Same));
            free.retain(|at| *answer != Some(*at));
        }
    }
    let open = documents.iter().zip(&answers).enumerate();
    let open = open.filter(|(_, (_, answer))| answer.is_none());
    let open = open.map(|(index, (document, _))| (index, document)).collect::<Vec<_>>();
    let only_about = |at: usize| {
        let mut possible = open.iter().filter(|(_, document)| fits(document, at, Fit::Unsaid));
        match (possible.next(), possible.next()) {
            (Some((index, _)), None) => Some((*index, at)),
            _ => None,
        }
    };
    let left = free.into_iter().filter_map(only_about).collect::<Vec<_>>();
    for (index, at) in &left {
        let is_alone = left.iter().filter(|(other, _)| other == index).count() == 1;
        if let Some(answer) = answers.get_mut(*index).filter(|_| is_alone) {
            *answer = Some(*at);
        }
    }
    answers
}

/// What an element says of its document; none if it says nothing.
fn outcome<W, T>(raw: &RawValue) -> Option<Written<T>>
where
    W: DeserializeOwned + Into<T>,
{
    let tree = tree(raw);
    if is_refusal(&tree) {
        return Some(Written::Refused(refusal(messages(&tree))));
    }
    let remote: W = serde_json::from_str(raw.get()).ok()?;
    let warnings = list(&tree, "Warnings").iter().filter_map(|warning| text(warning, "Message"));
    Some(Written::Done {
        remote: remote.into(),
        warnings: warnings.map(ToOwned::to_owned).collect(),
    })
}

/// Only sentences and signs are read from it. Figures are read from the text itself, digit by digit.
fn tree(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn is_refusal(element: &Value) -> bool {
    let is_error = |status: &str| status.eq_ignore_ascii_case("ERROR");
    text(element, "StatusAttributeString").is_some_and(is_error)
        || is_true(element, "HasErrors")
        || is_true(element, "HasValidationErrors")
        || !list(element, "ValidationErrors").is_empty()
}

/// Plainly or in quotes.
fn is_true(element: &Value, name: &str) -> bool {
    member(element, name).is_some_and(|sign| match sign {
        Value::Bool(sign) => *sign,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    })
}

fn list<'a>(element: &'a Value, name: &str) -> &'a [Value] {
    member(element, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
