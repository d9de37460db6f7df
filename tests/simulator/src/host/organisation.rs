//! The actions of the control surface on an organisation itself and its users.

use super::actions::Done;
use super::order::{Order, unreadable};
use crate::bookkeeper::{Bookkeeper, OddRow, Refused};
use crate::simulator::Simulator;
use crate::subscription::Subscription;
use jiff::Timestamp;
use uuid::Uuid;

/// The actions on the users' access: `user` names one, by default all.
pub(super) fn on_people(
    simulator: &mut Simulator,
    now: Timestamp,
    tenant: Uuid,
    action: &str,
    order: &Order,
) -> Result<Option<Uuid>, Refused> {
    match action {
        "restrict" => set_restricted(simulator, now, tenant, order, true),
        "unrestrict" => set_restricted(simulator, now, tenant, order, false),
        "end-tokens" => end_tokens(simulator, tenant),
        _ => disconnect(simulator, tenant, order),
    }
}

/// A user disconnects the app in Xero: `client` and `user` select the links, by default all links
/// to the organisation.
fn disconnect(
    simulator: &mut Simulator,
    tenant: Uuid,
    order: &Order,
) -> Result<Option<Uuid>, Refused> {
    let client = order.text("client");
    let user = order.text("user").map(|name| user_named(simulator, &name)).transpose()?;
    match simulator.remove_links(tenant, client.as_deref(), user) {
        0 => Err(Refused("This organisation is not connected.".to_owned())),
        _ => Ok(None),
    }
}

/// The tokens of all users expire, as after 60 days without a refresh.
fn end_tokens(simulator: &mut Simulator, tenant: Uuid) -> Result<Option<Uuid>, Refused> {
    match simulator.end_tokens(tenant) {
        0 => Err(Refused("This organisation is not connected.".to_owned())),
        _ => Ok(None),
    }
}

/// A user by e-mail address or id.
fn user_named(simulator: &Simulator, name: &str) -> Result<Uuid, Refused> {
    let mut users = simulator.settings().users.iter();
    let user =
        users.find(|user| user.email.eq_ignore_ascii_case(name) || user.id.to_string() == name);
    user.map(|user| user.id).ok_or_else(|| unreadable("user"))
}

/// Makes users read-only, or allows them to write again.
fn set_restricted(
    simulator: &mut Simulator,
    now: Timestamp,
    tenant: Uuid,
    order: &Order,
    is_restricted: bool,
) -> Result<Option<Uuid>, Refused> {
    let named = order.text("user").map(|name| user_named(simulator, &name)).transpose()?;
    let everybody: Vec<Uuid> = simulator.settings().users.iter().map(|user| user.id).collect();
    let users = named.map_or(everybody, |user| vec![user]);
    if let Some(mut bookkeeper) = simulator.bookkeeper(now, tenant) {
        for user in users {
            if is_restricted {
                bookkeeper.restrict_user(user);
            } else {
                bookkeeper.unrestrict_user(user);
            }
        }
    }
    Ok(None)
}

/// The actions on the organisation itself.
pub(super) fn on_organisation(
    bookkeeper: &mut Bookkeeper<'_>,
    action: &str,
    order: &Order,
) -> Done {
    Some(match action {
        "close" => {
            bookkeeper.close_organisation();
            Ok(None)
        }
        "reopen" => {
            bookkeeper.reopen_organisation();
            Ok(None)
        }
        // Without a date the lock is removed.
        "lock" => order.date("through").map(|through| {
            bookkeeper.lock_period(through);
            None
        }),
        "lock-year" => order.date("through").map(|through| {
            bookkeeper.lock_year(through);
            None
        }),
        // Without a number the limit is removed.
        "limit-approvals" => order.count("left").map(|left| {
            bookkeeper.limit_approvals(left);
            None
        }),
        "subscription" => set_subscription(bookkeeper, order),
        "odd" => insert_odd(bookkeeper, order),
        _ => return None,
    })
}

fn insert_odd(bookkeeper: &mut Bookkeeper<'_>, order: &Order) -> Result<Option<Uuid>, Refused> {
    let word = order.text("row").unwrap_or_default();
    let row = OddRow::parse(&word).ok_or_else(|| {
        let rows = OddRow::ALL.map(OddRow::as_str).join(", ");
        Refused(format!("The row must be one of {rows}."))
    })?;
    Ok(Some(bookkeeper.insert_odd(row)))
}

fn set_subscription(
    bookkeeper: &mut Bookkeeper<'_>,
    order: &Order,
) -> Result<Option<Uuid>, Refused> {
    let word = order.text("kind").unwrap_or_default();
    let subscription = Subscription::parse(&word).ok_or_else(|| {
        let kinds = Subscription::ALL.map(Subscription::as_str).join(", ");
        Refused(format!("The kind must be one of {kinds}."))
    })?;
    bookkeeper.set_subscription(subscription);
    Ok(None)
}
