//! The actions of the control surface that override single members of rows: `member` names one,
//! `value` is what it is rendered as; without a value it is omitted.

use super::actions::Done;
use super::find::Found;
use super::order::{Order, unreadable};
use crate::bookkeeper::{Bookkeeper, Refused};
use crate::simulator::Simulator;
use uuid::Uuid;

/// Overrides a member of the row that a path names, or of the organisation itself.
pub(super) fn override_row_member(
    bookkeeper: &mut Bookkeeper<'_>,
    path: &[&str],
    found: Option<Found>,
    order: &Order,
) -> Done {
    let Some(member) = order.text("member") else {
        return Some(Err(unreadable("member")));
    };
    let value = order.json("value");
    let value = value.as_deref();
    let nothing = |()| None;
    Some(match (path, found) {
        ([_], _) => bookkeeper.override_organisation_member(&member, value).map(nothing),
        (["accounts", name, _], _) => {
            bookkeeper.override_account_member(name, &member, value).map(Some)
        }
        (["tax-rates", tax_type, _], _) => {
            bookkeeper.override_tax_rate_member(tax_type, &member, value).map(nothing)
        }
        (_, Some(found)) => {
            bookkeeper.override_member(found.id(), &member, value).map(|()| Some(found.id()))
        }
        (_, None) => return None,
    })
}

/// Overrides a member of every link to an organisation.
pub(super) fn override_link_members(
    simulator: &mut Simulator,
    tenant: Uuid,
    order: &Order,
) -> Result<Option<Uuid>, Refused> {
    let member = order.text("member").ok_or_else(|| unreadable("member"))?;
    simulator.override_link_members(tenant, &member, order.json("value").as_deref())?;
    Ok(None)
}
