//! The texts of a written document, and its `LineAmountTypes`.

use crate::accounting::RequestContext;
use crate::accounting::fields::{Fields, Refusal, Sent};
use crate::money::LineAmounts;
use uuid::Uuid;

/// Xero: a reference has at most 255 characters.
const LONGEST_REFERENCE: usize = 255;

/// Reads a reference.
pub(in crate::accounting) fn reference(
    fields: &Fields<'_>,
    reference: &mut Option<String>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    match fields.sent("Reference")? {
        Sent::Nothing => {}
        Sent::Empty => *reference = None,
        Sent::Text(text) => {
            if text.chars().count() > LONGEST_REFERENCE {
                messages
                    .push(format!("Reference must be {LONGEST_REFERENCE} characters or fewer."));
            }
            *reference = Some(text);
        }
    }
    Ok(())
}

/// Reads the link back to the system a document came from.
pub(in crate::accounting) fn link(
    fields: &Fields<'_>,
    link: &mut Option<String>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    match fields.sent("Url")? {
        Sent::Nothing => {}
        Sent::Empty => *link = None,
        Sent::Text(text) => {
            let is_web =
                url::Url::parse(&text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
            if !is_web {
                messages.push("Url must be a valid absolute url".to_owned());
            }
            *link = Some(text);
        }
    }
    Ok(())
}

/// Reads the branding theme.
pub(in crate::accounting) fn branding_theme(
    context: &RequestContext<'_>,
    fields: &Fields<'_>,
    theme: &mut Option<Uuid>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    if let Some(named) = fields.id("BrandingThemeID")? {
        if !context.books.organisation.branding_themes.iter().any(|known| known.id == named) {
            messages.push("The branding theme could not be found.".to_owned());
        }
        *theme = Some(named);
    }
    Ok(())
}

/// Reads `LineAmountTypes`; an unknown value refuses the whole body.
pub(in crate::accounting) fn line_amounts(
    fields: &Fields<'_>,
    line_amounts: &mut LineAmounts,
) -> Result<(), Refusal> {
    if let Some(word) = fields.text("LineAmountTypes")? {
        *line_amounts = LineAmounts::parse(&word).ok_or_else(|| {
            Refusal::Unreadable(format!("Error converting the value '{word}' of 'LineAmountTypes'"))
        })?;
    }
    Ok(())
}

/// What is wrong with a document's number.
pub(in crate::accounting) fn refuses_number(label: &str, number: &str) -> Option<String> {
    let printable = number.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    let fits = printable && number.len() <= 255;
    (!fits).then(|| format!("{label} must be at most 255 printable ASCII characters."))
}
