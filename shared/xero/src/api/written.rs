//! The outcome for each document of a write.
//!
//! With `summarizeErrors=false` Xero answers 200 and returns every document of the batch, each with
//! its own verdict. The order is not always that of the request (XeroAPI/Xero-NetStandard, issues
//! 532 and 586), so an element belongs to the document that it names by id, number or reference.
//! The verdict has three indicators, not all of which are present on every kind of document; any
//! one of them makes it a rejection. An element that has neither an error nor the id of a saved
//! document (XeroAPI/Xero-Net, issue 354) leaves the outcome of its document unknown, and of no
//! other.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::BATCH_LIMIT;
use crate::error::{XeroError, member, messages, refusal, text};
use crate::json::elements;
use crate::rows::Marks;
use crate::session::{Call, Session};

/// The outcome for one document of a write.
#[derive(Debug)]
pub enum Written<T> {
    /// Xero saved the document.
    Done {
        /// The document as Xero stores it now.
        remote: T,
        /// Xero's warnings about it.
        warnings: Vec<String>,
    },
    /// Xero rejected this document, or its answer does not reveal the outcome
    /// ([`XeroError::Unidentified`]). The other documents of the batch are not affected.
    Refused(XeroError),
}

/// Whether an element of an answer can be about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It names the document.
    Same,
    /// It does not say which document it is about.
    Unsaid,
    /// It names another document.
    Other,
}

impl Fit {
    /// Combines the comparison of a unique name with those of values that must not differ.
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

/// Makes the call that writes `documents`, at most a batch of them. An empty batch makes no call.
/// Returns one outcome for each document, in their order; [`written`] defines how the answer is
/// interpreted.
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
    written::<D, W, T>(session, endpoint, collection, &answer, documents, fit)
}

/// Reads the answer to a write of `documents`. Returns one outcome for each, in their order. `fit`
/// says whether an element can be about a document. A document without an element has the outcome
/// [`XeroError::Unidentified`]. Every rejection is reported to the session, also that of an element
/// without a document.
pub(super) fn written<D, W, T>(
    session: &Session,
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
    // A single rejection in the answer to a single document is about that document, whatever it
    // names.
    if let ([answer @ None], [only]) = (answers.as_mut_slice(), elements.as_slice())
        && is_refusal(&tree(only))
    {
        *answer = Some(0);
    }
    let unmatched = elements.iter().enumerate().filter(|(at, _)| !answers.contains(&Some(*at)));
    for tree in unmatched.map(|(_, raw)| tree(raw)).filter(is_refusal) {
        session.note_refusal(&refusal(messages(&tree)));
    }
    let outcomes = answers.into_iter().map(|at| {
        let raw = at.and_then(|at| elements.get(at));
        raw.and_then(|raw| outcome::<W, T>(raw)).unwrap_or_else(|| {
            tracing::warn!(endpoint, "an answer does not say whether its document was saved");
            Written::Refused(XeroError::Unidentified { endpoint })
        })
    });
    let outcomes = outcomes.collect::<Vec<_>>();
    for outcome in &outcomes {
        if let Written::Refused(error) = outcome {
            session.note_refusal(error);
        }
    }
    Ok(outcomes)
}

/// Assigns elements to documents. A document gets an element that names it, preferably the one at
/// its own position, because documents may be alike. Otherwise it gets, by elimination, the only
/// element that can be about it and about no other document.
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

/// The outcome that an element states for its document, or `None` if it states none.
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

/// The element as a JSON tree, from which only sentences and verdicts are read. Numbers are read
/// from the text itself, digit by digit.
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

/// Whether the member is `true`, plain or in quotes.
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
