//! The history pages of invoices, credit notes and payments.

use super::RequestContext;
use crate::answer::Answer;
use crate::books::invoice::HistoryNote;
use crate::json::{Json, Object};
use uuid::Uuid;

/// Xero: a note has at most 2,500 characters.
const LONGEST_NOTE: usize = 2_500;

/// The resources with a history page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Invoice,
    CreditNote,
    Payment,
}

impl Holder {
    /// The row of this kind named by a path.
    fn find(self, context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        match self {
            Self::Invoice => context.find_invoice(id).map(|invoice| invoice.id),
            Self::CreditNote => context.find_credit_note(id).map(|note| note.id),
            Self::Payment => {
                Uuid::parse_str(id).ok().filter(|id| context.books.payment(*id).is_some())
            }
        }
    }
}

impl RequestContext<'_> {
    pub(super) fn show_history(
        &mut self,
        holder: Holder,
        id: Option<&str>,
    ) -> Result<Answer, Answer> {
        let id = id.and_then(|id| holder.find(self, id)).ok_or_else(Answer::not_found)?;
        let rows = self.books.history(id).iter().rev().map(note).collect();
        Ok(self.envelope("HistoryRecords", rows, None))
    }

    pub(super) fn add_history(
        &mut self,
        holder: Holder,
        id: Option<&str>,
    ) -> Result<Answer, Answer> {
        let id = id.and_then(|id| holder.find(self, id)).ok_or_else(Answer::not_found)?;
        let body = self.body()?;
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
        self.books.add_history(id, notes);
        if self.unconfirmed.notes_move_time {
            self.books.set_changed_at(id, self.now);
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
