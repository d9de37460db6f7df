//! The item and the tracking options of a written line.

use crate::accounting::RequestContext;
use crate::accounting::fields::{Fields, Refusal};
use crate::books::line::{Line, LineTracking};

/// Xero: a line has at most two tracking options.
const TRACKING_MAX: usize = 2;

/// Sets the item. An unknown code refuses the line.
pub(super) fn choose_item(
    context: &RequestContext<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(code) = fields.text("ItemCode")? else {
        return Ok(());
    };
    if !context.books.organisation.items.iter().any(|item| item.code == code) {
        messages.push(format!("Item code '{code}' is not valid"));
    }
    line.item_code = Some(code);
    Ok(())
}

/// Sets the tracking options. Xero drops an option without a word if it does not know the category
/// or the option (xero-ruby#86, xero-node#516); a switch decides about archived ones. The text about
/// too many options is not Xero's own.
pub(super) fn choose_tracking(
    context: &RequestContext<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(sent) = fields.objects("Tracking")? else {
        return Ok(());
    };
    if sent.is_empty() && !context.unconfirmed.empty_tracking_removes {
        return Ok(());
    }
    if sent.len() > TRACKING_MAX {
        messages.push("A line item can have at most two tracking options.".to_owned());
    }
    let mut tracking: Vec<LineTracking> = Vec::new();
    for element in sent {
        let named = Fields::of(element);
        let (Some(name), Some(option)) = (named.text("Name")?, named.text("Option")?) else {
            continue;
        };
        let mut categories = context.books.organisation.tracking.iter();
        let Some(category) = categories.find(|category| category.name == name) else {
            continue;
        };
        let archived_counts = context.unconfirmed.archived_tracking_is_kept;
        let Some(option) = category.usable_option(&option, archived_counts) else {
            continue;
        };
        if tracking.iter().all(|known| known.category != category.id) {
            tracking.push(LineTracking {
                category: category.id,
                category_name: category.name.clone(),
                option: option.id,
                option_name: option.name.clone(),
            });
        }
    }
    line.tracking = tracking;
    Ok(())
}
