//! The parts of documents in Xero's format that all kinds of documents share.

use crate::accounting::contacts::render as contacts;
use crate::books::Books;
use crate::books::line::{Line, LineTracking};
use crate::json::{Json, Object};
use crate::money::Discount;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The level of detail of a credit note, a bank transaction, an overpayment or a prepayment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A single read or the response to a write: with the complete contact.
    Full,
    /// A row of a page: with its lines.
    Paged,
    /// A row of a list that is not paged: no lines.
    Listed,
}

/// The contact of a document.
pub(in crate::accounting) fn contact(
    books: &Books,
    id: Uuid,
    detail: contacts::Detail,
    today: Date,
) -> Option<Object> {
    books.contact(id).map(|contact| contacts::contact(books, contact, detail, today))
}

/// The lines of a document. `unit_places` is the number of decimal places of unit amounts.
pub(in crate::accounting) fn lines(lines: &[Line], unit_places: u32) -> Vec<Json> {
    lines.iter().map(|each| line(each, unit_places)).collect()
}

fn line(line: &Line, unit_places: u32) -> Json {
    let tracking = line.tracking.iter().map(render_tracking).collect::<Vec<_>>();
    let object = Object::new()
        .with_some("Description", line.description.as_ref())
        .with_some("UnitAmount", line.amounts.map(|it| Json::decimal(it.unit_amount, unit_places)))
        .with_some("TaxType", line.tax_type.as_ref())
        .with("TaxAmount", amount(line.amounts.map_or(Decimal::ZERO, |it| it.tax_amount)))
        .with("LineAmount", amount(line.amounts.map_or(Decimal::ZERO, |it| it.line_amount)))
        .with_some("AccountCode", line.account_code.as_ref())
        .with_some("AccountID", line.account)
        .with_some("ItemCode", line.item_code.as_ref())
        .with("Tracking", tracking)
        .with_some("Quantity", line.amounts.map(|it| Json::decimal(it.quantity, 4)));
    let object = match line.discount {
        None => object,
        Some(Discount::Rate(rate)) => object.with("DiscountRate", amount(rate)),
        Some(Discount::Amount(off)) => object.with("DiscountAmount", amount(off)),
    };
    object.with("LineItemID", line.id).with("ValidationErrors", Vec::new()).into()
}

fn render_tracking(tracking: &LineTracking) -> Json {
    Object::new()
        .with("Name", &tracking.category_name)
        .with("Option", &tracking.option_name)
        .with("TrackingCategoryID", tracking.category)
        .with("TrackingOptionID", tracking.option)
        .into()
}

/// An amount of money.
pub(in crate::accounting) fn amount(amount: Decimal) -> Json {
    Json::decimal(amount, 2)
}
