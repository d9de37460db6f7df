//! Counts what the client cannot read in Xero's answers: rows, and sentences of refusals.

use domain::ids::AccountId;
use xero::connections::{self, XeroConnection};
use xero::{AccessTokens, DecodedRows, UndecodableRow, XeroError};

use crate::Engine;
use crate::ports::Metric;

/// Returns the links of a login, as Xero lists them. Links that cannot be read and unknown
/// sentences are counted here, because this list is read without a session, which would count them.
pub(crate) async fn fetch_links(
    engine: &Engine,
    tokens: &dyn AccessTokens,
) -> Result<DecodedRows<XeroConnection>, XeroError> {
    let (transport, api) = (&*engine.transport, &engine.endpoints.xero_api);
    let linked = connections::list_connections(transport, api, tokens).await;
    let linked = linked.inspect_err(|error| count_unknown_sentences(engine, error))?;
    count_undecodable_rows(engine, &linked.undecodable);
    Ok(linked)
}

/// Counts the sentences of a refusal that are not in the table of known ones. A session reports
/// them itself; this is for calls without a session.
pub(crate) fn count_unknown_sentences(engine: &Engine, error: &XeroError) {
    let count = error.unknown_sentences();
    if count > 0 {
        report_unknown(engine, None, count);
    }
}

/// Counts and logs sentences that are not in the table of known ones. The line says where to look:
/// the refused record may succeed in another way, or its refusal may be explained in other words.
/// The sentences themselves may contain names and are not logged.
pub(super) fn report_unknown(engine: &Engine, account: Option<&AccountId>, sentences: usize) {
    engine.metrics.record_metric(Metric::UnknownSentences(sentences));
    tracing::warn!(
        account.id = account.map(AccountId::as_str),
        sentences,
        "Xero refused a call in sentences that are not known"
    );
}

/// Counts unreadable rows of an answer. The client has logged which rows they are.
pub(super) fn count_undecodable_rows(engine: &Engine, rows: &[UndecodableRow]) {
    if !rows.is_empty() {
        engine.metrics.record_metric(Metric::OddRows(rows.len()));
    }
}
