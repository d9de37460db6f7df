//! The demo data: a British property company or one of another region, a New Zealand company, and
//! two users.

mod catalogue;
mod chart;
mod rates;
mod region;
mod reverse_charge;

pub use region::Region;

use crate::ids::named;
use crate::organisation::{BrandingTheme, Currency, Organisation, Tier};
use crate::settings::{App, ScopeSet, Settings, Unconfirmed, XeroUser};
use crate::subscription::Subscription;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

impl Settings {
    /// One app, two users, two organisations. Dana can connect both organisations, Sam only the
    /// British one.
    ///
    /// `redirect_uri` must be https, or http on `localhost`: Xero refuses everything else,
    /// including `127.0.0.1`.
    pub fn demo(client_id: &str, client_secret: &str, redirect_uri: &str) -> Self {
        Self::demo_with(ridgeway(), client_id, client_secret, redirect_uri)
    }

    /// The same, but the first organisation is one of `region`.
    pub fn demo_in(
        region: Region,
        client_id: &str,
        client_secret: &str,
        redirect_uri: &str,
    ) -> Self {
        let name = format!("Demo Company ({})", region.code());
        let first = match region {
            Region::UnitedKingdom => ridgeway(),
            Region::NewZealand
            | Region::Australia
            | Region::UnitedStates
            | Region::Ireland
            | Region::Global
            | Region::SouthAfrica
            | Region::Singapore => Organisation::demo(region, &name),
        };
        Self::demo_with(first, client_id, client_secret, redirect_uri)
    }

    fn demo_with(
        first: Organisation,
        client_id: &str,
        client_secret: &str,
        redirect_uri: &str,
    ) -> Self {
        let kauri = kauri();
        let users = vec![
            user("Dana", "Whitlock", vec![first.id, kauri.id]),
            user("Sam", "Okafor", vec![first.id]),
        ];
        Self {
            apps: vec![App {
                client_id: client_id.to_owned(),
                client_secret: Some(client_secret.to_owned()),
                name: "ServiceCortex".to_owned(),
                redirect_uris: vec![redirect_uri.to_owned()],
                scopes: ScopeSet::Granular,
            }],
            users,
            organisations: vec![first, kauri],
            unconfirmed: Unconfirmed::default(),
            seed: 1,
            signs_tokens: true,
        }
    }
}

fn user(given_name: &str, family_name: &str, organisations: Vec<uuid::Uuid>) -> XeroUser {
    let email = format!("{}@ridgeway.example", given_name.to_lowercase());
    XeroUser {
        id: named(&email),
        given_name: given_name.to_owned(),
        family_name: family_name.to_owned(),
        email,
        organisations,
    }
}

impl Organisation {
    /// An organisation of a region, with a chart of accounts, that region's tax rates, and its
    /// own currency only.
    pub fn demo(region: Region, name: &str) -> Self {
        let defaults = region.defaults();
        Self {
            id: named(name),
            name: name.to_owned(),
            country: defaults.country.to_owned(),
            base_currency: defaults.currency.to_owned(),
            currencies: vec![currency(defaults.currency, defaults.currency_name, Decimal::ONE)],
            accounts: chart::of(region, name),
            tax_rates: rates::of(region),
            items: catalogue::items(name),
            tracking: catalogue::tracking(name),
            branding_themes: vec![theme(name, "Standard")],
            period_lock_date: None,
            end_of_year_lock_date: None,
            tier: Tier::Core,
            is_closed: false,
            subscription: Subscription::Paying,
            viewers: BTreeSet::new(),
            approvals_left: None,
            time_zone: zone(defaults.time_zone),
            time_zone_name: defaults.time_zone_name.to_owned(),
            short_code: "!dEm01".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }
}

fn ridgeway() -> Organisation {
    let name = "Ridgeway Property Services Ltd";
    let mut organisation = Organisation::demo(Region::UnitedKingdom, name);
    organisation.currencies.extend([
        currency("EUR", "Euro", Decimal::new(1_162_500, 6)),
        currency("USD", "United States Dollar", Decimal::new(1_331_400, 6)),
    ]);
    organisation.branding_themes.push(theme(name, "Property lettings"));
    "!rDgW1".clone_into(&mut organisation.short_code);
    organisation
}

fn kauri() -> Organisation {
    let name = "Kauri Grove Maintenance Limited";
    let mut organisation = Organisation::demo(Region::NewZealand, name);
    organisation.currencies.push(currency("AUD", "Australian Dollar", Decimal::new(912_300, 6)));
    organisation.accounts = chart::new_zealand(name);
    organisation.tier = Tier::Starter;
    "!kGm42".clone_into(&mut organisation.short_code);
    organisation
}

fn currency(code: &str, description: &str, day_rate: Decimal) -> Currency {
    Currency { code: code.to_owned(), description: description.to_owned(), day_rate }
}

fn theme(organisation: &str, name: &str) -> BrandingTheme {
    BrandingTheme {
        id: named(&format!("{organisation} theme {name}")),
        name: name.to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn zone(rule: &str) -> TimeZone {
    TimeZone::posix(rule).expect("the rule is a constant that a test parses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organisations_of_every_region_are_consistent() {
        let demos = Region::ALL.map(|region| {
            Settings::demo_in(region, "id", "secret", "http://localhost/").organisations
        });
        for organisation in demos.into_iter().flatten() {
            assert!(organisation.tax_rate(organisation.untaxed()).is_some());
            assert!(organisation.currency(&organisation.base_currency).is_some());
            for account in &organisation.accounts {
                assert!(organisation.tax_rate(&account.tax_type).is_some(), "{account:?}");
                assert!(
                    account.code.as_ref().is_none_or(|code| code.len() <= 10),
                    "Xero: codes have at most ten characters"
                );
            }
        }
    }

    #[test]
    fn today_follows_the_organisations_time_zone() {
        let late: Timestamp = "2026-06-30T23:30:00Z".parse().unwrap();
        assert_eq!(ridgeway().today(late).to_string(), "2026-07-01");
        let winter: Timestamp = "2026-12-31T23:30:00Z".parse().unwrap();
        assert_eq!(ridgeway().today(winter).to_string(), "2026-12-31");
        assert_eq!(kauri().today(winter).to_string(), "2027-01-01");
    }
}
