//! The actions of the control surface that override single members of rows: `member` names one,
//! `value` is what it is rendered as; without a value it is omitted.

use super::actions::Done;
use super::find::Found;
use super::order::{Order, unreadable};
use crate::bookkeeper::{Bookkeeper, Refused};
use crate::simulator::Simulator;
use uuid::Uuid;

/// Overrides a member of the row that a path names, or of the organisation itself.
pub(super) fn distort_row(
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
        ([_], _) => bookkeeper.distort_organisation(&member, value).map(nothing),
        (["accounts", name, _], _) => bookkeeper.distort_account(name, &member, value).map(Some),
        (["tax-rates", tax_type, _], _) => {
            bookkeeper.distort_tax_rate(tax_type, &member, value).map(nothing)
        }
        (_, Some(found)) => {
            bookkeeper.distort(found.id(), &member, value).map(|()| Some(found.id()))
        }
        (_, None) => return None,
    })
}

/// Overrides a member of every link to an organisation.
pub(super) fn distort_links(
    simulator: &mut Simulator,
    tenant: Uuid,
    order: &Order,
) -> Result<Option<Uuid>, Refused> {
    let member = order.text("member").ok_or_else(|| unreadable("member"))?;
    simulator.distort_links(tenant, &member, order.json("value").as_deref())?;
    Ok(None)
}
