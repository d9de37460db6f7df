//! The books people meet first: a British property company, a New Zealand one, and two users.

mod chart;
mod rates;

use crate::ids::named;
use crate::organisation::{BrandingTheme, Currency, Organisation, Tier};
use crate::settings::{App, ScopeSet, Settings, Unconfirmed, XeroUser};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

impl Settings {
    /// One app, two users, two organisations. Dana can connect both organisations, Sam only the
    /// British one.
    ///
    /// `redirect_uri` must be https, or http on `localhost`: Xero refuses everything else,
    /// `127.0.0.1` included.
    pub fn demo(client_id: &str, client_secret: &str, redirect_uri: &str) -> Self {
        let ridgeway = ridgeway();
        let kauri = kauri();
        let users = vec![
            user("Dana", "Whitlock", vec![ridgeway.id, kauri.id]),
            user("Sam", "Okafor", vec![ridgeway.id]),
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
            organisations: vec![ridgeway, kauri],
            unconfirmed: Unconfirmed::default(),
            seed: 1,
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

fn ridgeway() -> Organisation {
    let name = "Ridgeway Property Services Ltd";
    Organisation {
        id: named(name),
        name: name.to_owned(),
        country: "GB".to_owned(),
        base_currency: "GBP".to_owned(),
        currencies: vec![
            currency("GBP", "British Pound", Decimal::ONE),
            currency("EUR", "Euro", Decimal::new(1_162_500, 6)),
            currency("USD", "United States Dollar", Decimal::new(1_331_400, 6)),
        ],
        accounts: chart::british(name),
        tax_rates: rates::british(),
        branding_themes: vec![theme(name, "Standard"), theme(name, "Property lettings")],
        period_lock_date: None,
        end_of_year_lock_date: None,
        tier: Tier::Core,
        time_zone: zone("GMT0BST,M3.5.0/1,M10.5.0"),
        time_zone_name: "GMTSTANDARDTIME".to_owned(),
        short_code: "!rDgW1".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn kauri() -> Organisation {
    let name = "Kauri Grove Maintenance Limited";
    Organisation {
        id: named(name),
        name: name.to_owned(),
        country: "NZ".to_owned(),
        base_currency: "NZD".to_owned(),
        currencies: vec![
            currency("NZD", "New Zealand Dollar", Decimal::ONE),
            currency("AUD", "Australian Dollar", Decimal::new(912_300, 6)),
        ],
        accounts: chart::new_zealand(name),
        tax_rates: rates::new_zealand(),
        branding_themes: vec![theme(name, "Standard")],
        period_lock_date: None,
        end_of_year_lock_date: None,
        tier: Tier::Starter,
        time_zone: zone("NZST-12NZDT,M9.5.0,M4.1.0/3"),
        time_zone_name: "NEWZEALANDSTANDARDTIME".to_owned(),
        short_code: "!kGm42".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
    }
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
    TimeZone::posix(rule).expect("the rule is a constant that a test reads")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_organisations_agree_with_themselves() {
        for organisation in Settings::demo("id", "secret", "http://localhost/").organisations {
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
    fn today_follows_the_organisations_clock() {
        let late: Timestamp = "2026-06-30T23:30:00Z".parse().unwrap();
        assert_eq!(ridgeway().today(late).to_string(), "2026-07-01");
        let winter: Timestamp = "2026-12-31T23:30:00Z".parse().unwrap();
        assert_eq!(ridgeway().today(winter).to_string(), "2026-12-31");
        assert_eq!(kauri().today(winter).to_string(), "2027-01-01");
    }
}
