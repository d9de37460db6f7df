//! The history page of an invoice.

use crate::accounting::Desk;
use crate::answer::Answer;
use crate::books::invoice::HistoryNote;
use crate::json::{Json, Object};

/// Xero: a note has at most 2,500 characters.
const LONGEST_NOTE: usize = 2_500;

impl Desk<'_> {
    pub(in crate::accounting) fn show_history(
        &mut self,
        id: Option<&str>,
    ) -> Result<Answer, Answer> {
        let invoice = id.and_then(|id| self.find_invoice(id)).ok_or_else(Answer::not_found)?;
        let rows = invoice.history.iter().rev().map(note).collect();
        Ok(self.envelope("HistoryRecords", rows, None))
    }

    pub(in crate::accounting) fn add_history(
        &mut self,
        id: Option<&str>,
    ) -> Result<Answer, Answer> {
        let id = id.and_then(|id| self.find_invoice(id)).ok_or_else(Answer::not_found)?.id;
        let body = Json::parse(self.incoming.body).map_err(|error| {
            let text = format!("JSON request body could not be read, Error {error}");
            Answer::exception(14, "PostDataInvalidException", text)
        })?;
        let records = body
            .object()
            .and_then(|body| body.get("HistoryRecords"))
            .and_then(Json::list)
            .unwrap_or_default();
        let notes: Vec<HistoryNote> = records
            .iter()
            .filter_map(|record| record.object()?.get("Details")?.text())
            .filter(|details| !details.is_empty())
            .map(|details| HistoryNote {
                changes: "Note".to_owned(),
                details: details.chars().take(LONGEST_NOTE).collect(),
                by: self.app.name.clone(),
                at: self.now,
            })
            .collect();
        if notes.is_empty() {
            let text = "No data has been processed for this endpoint. This endpoint is expecting \
                        HistoryRecord data to be specifed in the request body.";
            return Err(Answer::exception(17, "NoDataProcessedException", text));
        }
        let rows = notes.iter().map(note).collect();
        if let Some(invoice) = self.books.invoice_mut(id) {
            invoice.history.extend(notes);
        }
        Ok(self.envelope("HistoryRecords", rows, None))
    }
}

fn note(note: &HistoryNote) -> Json {
    Object::new()
        .with("Changes", &note.changes)
        .with("DateUTCString", note.at.strftime("%Y-%m-%dT%H:%M:%S").to_string())
        .with("DateUTC", Json::instant(note.at))
        .with("User", &note.by)
        .with("Details", &note.details)
        .into()
}
