//! `GET /BrandingThemes`.

use super::RequestContext;
use crate::answer::Answer;
use crate::json::{Json, Object};

impl RequestContext<'_> {
    pub(super) fn branding_themes(&mut self, id: Option<&str>) -> Result<Answer, Answer> {
        let themes = self.books.organisation.branding_themes.iter().enumerate();
        let rows: Vec<Json> = themes
            .filter(|(_, theme)| id.is_none_or(|id| theme.id.to_string().eq_ignore_ascii_case(id)))
            .map(|(index, theme)| {
                Object::new()
                    .with("BrandingThemeID", theme.id)
                    .with("Name", &theme.name)
                    .with("Type", "INVOICE")
                    .with("SortOrder", Json::Number(index.to_string()))
                    .with("CreatedDateUTC", Json::instant(theme.created_at))
                    .into()
            })
            .collect();
        if id.is_some() && rows.is_empty() {
            return Err(Answer::not_found());
        }
        Ok(self.envelope("BrandingThemes", rows, None))
    }
}
