//! The demo organisations' items and tracking categories.

use crate::catalogue::{Item, TrackingCategory, TrackingOption};
use crate::ids::named;
use crate::organisation::RowStatus::{self, Active, Archived};

/// Code, name, and whether it is sold.
const ITEMS: [(&str, &str, bool); 4] = [
    ("BOILER-SERVICE", "Boiler service", true),
    ("GRAB-RAIL", "Grab rail, fitted", true),
    ("PIPE-15", "Copper pipe 15 mm, per metre", true),
    ("VAN-HIRE", "Van hire", false),
];

type Category = (&'static str, RowStatus, &'static [(&'static str, RowStatus)]);

const CATEGORIES: [Category; 3] = [
    ("Region", Active, &[("North", Active), ("South", Active), ("West", Archived)]),
    ("Team", Active, &[("Plumbing", Active), ("Electrical", Active)]),
    ("Season", Archived, &[("Winter", Active)]),
];

pub(super) fn items(organisation: &str) -> Vec<Item> {
    let item = |(code, name, is_sold): (&str, &str, bool)| Item {
        id: named(&format!("{organisation} item {code}")),
        code: code.to_owned(),
        name: name.to_owned(),
        is_sold,
    };
    ITEMS.into_iter().map(item).collect()
}

pub(super) fn tracking(organisation: &str) -> Vec<TrackingCategory> {
    let category = |(name, status, options): Category| TrackingCategory {
        id: named(&format!("{organisation} tracking {name}")),
        name: name.to_owned(),
        status,
        options: options
            .iter()
            .map(|&(option, status)| TrackingOption {
                id: named(&format!("{organisation} tracking {name} {option}")),
                name: option.to_owned(),
                status,
            })
            .collect(),
    };
    CATEGORIES.into_iter().map(category).collect()
}
