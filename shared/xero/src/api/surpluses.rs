//! Overpayments and prepayments, listed by change date. They are only read: bank transactions create
//! them, and allocations and refunds use them up.

use domain::ids::{XeroContactId, XeroId};
use domain::money::{Currency, Money};
use domain::surplus::{RemoteSurplus, SurplusKind};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::page::read_page;
use super::{PagePosition, RowPage};
use crate::date::{optional_date, optional_instant};
use crate::error::XeroError;
use crate::json::{currency_code, optional_figure, optional_id, optional_text, real_id};
use crate::json_number;
use crate::rows::UndecodableRow;
use crate::session::{ApiCall, ApiSession};

/// An overpayment or a prepayment as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireSurplus {
    #[serde(rename = "OverpaymentID", alias = "PrepaymentID", deserialize_with = "real_id")]
    id: Uuid,
    /// `RECEIVE-OVERPAYMENT` or `RECEIVE-PREPAYMENT` for a customer's, according to the page of
    /// bank transactions, and also `AROVERPAYMENT` and `ARPREPAYMENT`, according to Xero's
    /// specification.
    #[serde(default, rename = "Type", deserialize_with = "optional_text")]
    surplus_type: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(default)]
    contact: Option<WireContact>,
    #[serde(deserialize_with = "currency_code")]
    currency_code: Currency,
    #[serde(with = "json_number")]
    total: Decimal,
    #[serde(default, deserialize_with = "optional_figure")]
    remaining_credit: Option<Decimal>,
    /// The date in the organisation's time zone. The member `Date` gives it only as an instant.
    #[serde(default, deserialize_with = "optional_date")]
    date_string: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    date: Option<Date>,
    #[serde(default, deserialize_with = "optional_text")]
    reference: Option<String>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct WireContact {
    #[serde(default, rename = "ContactID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
}

impl From<WireSurplus> for RemoteSurplus {
    fn from(wire: WireSurplus) -> Self {
        let money = |amount| Money::new(amount, wire.currency_code);
        let is_from_customer = wire
            .surplus_type
            .as_deref()
            .is_some_and(|name| name.starts_with("RECEIVE-") || name.starts_with("AR"));
        let is_unused = wire.status.as_deref() == Some("AUTHORISED");
        // Without a figure, an authorised one is taken as unused, so that a person sees it.
        let unstated = if is_unused { wire.total } else { Decimal::ZERO };
        Self {
            id: XeroId(wire.id),
            is_from_customer,
            counts: is_unused || wire.status.as_deref() == Some("PAID"),
            contact: wire.contact.and_then(|contact| contact.id).map(XeroContactId),
            total: money(wire.total),
            remaining: money(wire.remaining_credit.unwrap_or(unstated)),
            date: wire.date_string.or(wire.date),
            reference: wire.reference,
            updated_at: wire.updated_at,
        }
    }
}

/// Reads a page of the overpayments or prepayments that changed at an instant or later, including
/// voided ones and those paid to suppliers, oldest change first. The page is smaller than `at` says
/// if the answer would be too large, and a row that is too large by itself is unreadable.
///
/// Xero's pages of both lists say that they support `If-Modified-Since`, `page` and `order`. The
/// answer has no filter by type, because the types in lists are not proven.
pub async fn read_changed_page(
    session: &ApiSession,
    kind: SurplusKind,
    since: Timestamp,
    at: PagePosition,
) -> Result<RowPage<RemoteSurplus>, XeroError> {
    let (endpoint, collection, id) = match kind {
        SurplusKind::Overpayment => ("/Overpayments", "Overpayments", "OverpaymentID"),
        SurplusKind::Prepayment => ("/Prepayments", "Prepayments", "PrepaymentID"),
    };
    let call = ApiCall::for_list(endpoint, collection)
        .with_row_id(id)
        .modified_since(since)
        .with_query("order", "UpdatedDateUTC ASC");
    let too_large = UndecodableRow::too_large(endpoint);
    read_page::<WireSurplus, RemoteSurplus>(session, &call, collection, at, too_large).await
}
