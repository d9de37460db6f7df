//! `GET /TrackingCategories`: archived categories and options only with `includeArchived=true`.

use super::RequestContext;
use crate::answer::Answer;
use crate::books::Books;
use crate::catalogue::{TrackingCategory, TrackingOption};
use crate::json::{Json, Object};
use crate::organisation::RowStatus;

impl RequestContext<'_> {
    pub(super) fn tracking_categories(&mut self, id: Option<&str>) -> Result<Answer, Answer> {
        let with_archived = self.incoming.parameter("includeArchived") == Some("true");
        let is_shown = |status: RowStatus| with_archived || status == RowStatus::Active;
        let rows: Vec<Json> = self
            .books
            .organisation
            .tracking
            .iter()
            .filter(|category| match id {
                Some(id) => category.id.to_string().eq_ignore_ascii_case(id),
                None => is_shown(category.status),
            })
            .map(|category| {
                let options = category.options.iter().filter(|option| is_shown(option.status));
                render(self.books, category, options.map(render_option).collect())
            })
            .collect();
        if id.is_some() && rows.is_empty() {
            return Err(Answer::not_found());
        }
        Ok(self.envelope("TrackingCategories", rows, None))
    }
}

fn render(books: &Books, category: &TrackingCategory, options: Vec<Json>) -> Json {
    let object = Object::new()
        .with("Name", &category.name)
        .with("Status", category.status.as_str())
        .with("TrackingCategoryID", category.id)
        .with("Options", options);
    books.shown(category.id, object).into()
}

fn render_option(option: &TrackingOption) -> Json {
    Object::new()
        .with("TrackingOptionID", option.id)
        .with("Name", &option.name)
        .with("Status", option.status.as_str())
        .into()
}
