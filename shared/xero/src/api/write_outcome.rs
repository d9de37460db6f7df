//! The outcome for each document of a write.
//!
//! With `summarizeErrors=false` Xero answers 200 and returns every document of the batch, each with
//! its own verdict. The order is not always that of the request (XeroAPI/Xero-NetStandard, issues
//! 532 and 586), so an element belongs to the document that it names by id, number or reference.
//! The verdict has three indicators, not all of which are present on every kind of document; any
//! one of them makes it a rejection, and so does an error at any part of the document, unless the
//! status of the document is `OK`: then its outcome is unknown. An element
//! that has neither an error nor the id of a saved document (XeroAPI/Xero-Net, issue 354) leaves
//! the outcome of its document unknown, and of no other.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::BATCH_LIMIT;
use crate::error::{LazyJson, XeroError, classify_rejection, is_blank, validation_messages};
use crate::json::parse_elements;
use crate::rows::RowIdentity;
use crate::session::{ApiCall, ApiSession};

/// The outcome for one document of a write.
#[derive(Debug)]
pub enum WriteOutcome<T> {
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
pub(super) enum ElementFit {
    /// It names the document.
    Same,
    /// It does not say which document it is about.
    Unsaid,
    /// It names another document.
    Other,
}

impl ElementFit {
    /// Combines the comparison of a unique name with those of values that must not differ.
    pub(super) fn from_comparisons(name: Option<bool>, others: &[Option<bool>]) -> Self {
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
/// Returns one outcome for each document, in their order; [`read_outcomes`] defines how the answer
/// is interpreted.
///
/// # Errors
///
/// Only when the call as a whole fails. [`XeroError::BatchRejected`] if Xero rejects several
/// documents together, in spite of `summarizeErrors=false`.
pub(super) async fn send_batch<D, W, T>(
    session: &ApiSession,
    call: ApiCall,
    collection: &str,
    documents: &[D],
    fit: impl Fn(&D, &RowIdentity) -> ElementFit,
) -> Result<Vec<WriteOutcome<T>>, XeroError>
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
    let answer = match session.make_call(call).await {
        Err(XeroError::Rejected { messages } | XeroError::NotUnique { messages })
            if documents.len() > 1 =>
        {
            return Err(XeroError::BatchRejected { messages });
        }
        answer => answer?,
    };
    read_outcomes::<D, W, T>(session, endpoint, collection, &answer, documents, fit)
}

/// Reads the answer to a write of `documents`. Returns one outcome for each, in their order. `fit`
/// says whether an element can be about a document. A document without an element has the outcome
/// [`XeroError::Unidentified`]. Every rejection is reported to the session, also that of an element
/// without a document.
pub(super) fn read_outcomes<D, W, T>(
    session: &ApiSession,
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
    documents: &[D],
    fit: impl Fn(&D, &RowIdentity) -> ElementFit,
) -> Result<Vec<WriteOutcome<T>>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let elements = parse_elements(endpoint, collection, body)?;
    let marks = elements.iter().map(|raw| RowIdentity::from_json(raw)).collect::<Vec<_>>();
    let mut answers = pair_elements(documents, &marks, &fit);
    // A single rejection in the answer to a single document is about that document, whatever it
    // names.
    if let ([answer @ None], [only]) = (answers.as_mut_slice(), elements.as_slice())
        && Verdict::read(LazyJson::from(*only)).is_refusal()
    {
        *answer = Some(0);
    }
    let unmatched = elements.iter().enumerate().filter(|(at, _)| !answers.contains(&Some(*at)));
    let verdicts = unmatched.map(|(_, raw)| Verdict::read(LazyJson::from(*raw)));
    for verdict in verdicts.filter(Verdict::is_refusal) {
        session.report_refusal(&classify_rejection(verdict.messages));
    }
    let outcomes = answers.into_iter().map(|at| {
        let raw = at.and_then(|at| elements.get(at));
        raw.and_then(|raw| read_outcome::<W, T>(raw)).unwrap_or_else(|| {
            tracing::warn!(endpoint, "an answer does not say whether its document was saved");
            WriteOutcome::Refused(XeroError::Unidentified { endpoint })
        })
    });
    let outcomes = outcomes.collect::<Vec<_>>();
    for outcome in &outcomes {
        if let WriteOutcome::Refused(error) = outcome {
            session.report_refusal(error);
        }
    }
    Ok(outcomes)
}

/// Assigns elements to documents. A document gets an element that names it, preferably the one at
/// its own position, because documents may be alike. Otherwise it gets, by elimination, the only
/// element that can be about it and about no other document.
fn pair_elements<D>(
    documents: &[D],
    marks: &[RowIdentity],
    fit: &impl Fn(&D, &RowIdentity) -> ElementFit,
) -> Vec<Option<usize>> {
    let fits = |document: &D, at: usize, wanted: ElementFit| {
        marks.get(at).is_some_and(|marks| fit(document, marks) == wanted)
    };
    let mut free = (0..marks.len()).collect::<BTreeSet<_>>();
    let mut answers = vec![None; documents.len()];
    for (at, (document, answer)) in documents.iter().zip(&mut answers).enumerate() {
        if fits(document, at, ElementFit::Same) && free.remove(&at) {
            *answer = Some(at);
        }
    }
    for (document, answer) in documents.iter().zip(&mut answers) {
        if answer.is_none() {
            *answer = free.iter().copied().find(|at| fits(document, *at, ElementFit::Same));
            free.retain(|at| *answer != Some(*at));
        }
    }
    let open = documents.iter().zip(&answers).enumerate();
    let open = open.filter(|(_, (_, answer))| answer.is_none());
    let open = open.map(|(index, (document, _))| (index, document)).collect::<Vec<_>>();
    let only_about = |at: usize| {
        let mut possible =
            open.iter().filter(|(_, document)| fits(document, at, ElementFit::Unsaid));
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
fn read_outcome<W, T>(raw: &RawValue) -> Option<WriteOutcome<T>>
where
    W: DeserializeOwned + Into<T>,
{
    let verdict = Verdict::read(LazyJson::from(raw));
    if verdict.is_contradictory() {
        return None;
    }
    if verdict.is_refusal() {
        return Some(WriteOutcome::Refused(classify_rejection(verdict.messages)));
    }
    let remote: W = serde_json::from_str(raw.get()).ok()?;
    let warnings = verdict.warnings.map(LazyJson::array_items).unwrap_or_default();
    let warnings = warnings.into_iter().filter_map(|warning| warning.member_text("Message"));
    Some(WriteOutcome::Done { remote: remote.into(), warnings: warnings.collect() })
}

/// What an element says about its document.
#[derive(Debug)]
struct Verdict<'a> {
    /// Whether it says at its top level that its document was saved.
    is_ok: bool,
    /// Whether it says at its top level that its document was rejected.
    is_refused_itself: bool,
    /// The sentences of its errors, in any part: at the document, at its contact, at a line.
    messages: Vec<String>,
    warnings: Option<LazyJson<'a>>,
}

impl<'a> Verdict<'a> {
    fn read(element: LazyJson<'a>) -> Self {
        let members = element.members();
        let status = members.text("StatusAttributeString");
        let has_status =
            |expected| status.as_ref().is_some_and(|status| status.eq_ignore_ascii_case(expected));
        let is_true = |name| members.find(name).is_some_and(LazyJson::is_true);
        Self {
            is_ok: has_status("OK"),
            is_refused_itself: has_status("ERROR")
                || is_true("HasErrors")
                || is_true("HasValidationErrors")
                || members.find("ValidationErrors").is_some_and(|errors| !errors.is_empty()),
            messages: validation_messages(element),
            warnings: members.find("Warnings"),
        }
    }

    const fn is_refusal(&self) -> bool {
        self.is_refused_itself || !self.messages.is_empty()
    }

    /// Whether it says that its document was saved, and has an error at a part of it. No
    /// documentation says which is right, so the document has to be looked up.
    const fn is_contradictory(&self) -> bool {
        self.is_ok && !self.is_refused_itself && !self.messages.is_empty()
    }
}

/// The outcome of a change of status or a deletion: an answer that shows the document unchanged
/// does not confirm it.
pub(super) fn confirm_change<T>(
    endpoint: &'static str,
    outcome: WriteOutcome<T>,
    is_changed: impl Fn(&T) -> bool,
) -> WriteOutcome<T> {
    match outcome {
        WriteOutcome::Done { remote, warnings: _ } if !is_changed(&remote) => {
            tracing::warn!(endpoint, "an answer shows the document as it was before the change");
            WriteOutcome::Refused(XeroError::Unidentified { endpoint })
        }
        outcome @ (WriteOutcome::Done { .. } | WriteOutcome::Refused(_)) => outcome,
    }
}

/// Reads the answer to a removal: nothing (204), or what was removed, alone or in a collection.
///
/// # Errors
///
/// The rejection, if the answer contains one. [`XeroError::Unidentified`] if the answer does not
/// say that anything was removed.
pub(super) fn read_removal(
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
) -> Result<(), XeroError> {
    if is_blank(body) {
        return Ok(());
    }
    let unidentified = || XeroError::Unidentified { endpoint };
    let answer = LazyJson::parse(body).filter(|answer| answer.is_object());
    let answer = answer.ok_or_else(unidentified)?;
    let rows = answer.find_member(collection).map_or_else(|| vec![answer], LazyJson::array_items);
    let mut verdicts = std::iter::once(&answer).chain(&rows).map(|row| Verdict::read(*row));
    if let Some(refused) = verdicts.find(Verdict::is_refusal) {
        return Err(classify_rejection(refused.messages));
    }
    let is_kept =
        |row: &LazyJson<'_>| row.find_member("IsDeleted").is_some_and(|sign| !sign.is_true());
    if rows.is_empty() || rows.iter().any(is_kept) || answer.find_member("ErrorNumber").is_some() {
        return Err(unidentified());
    }
    Ok(())
}
