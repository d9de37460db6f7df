//! The health of an account: how many of its records were given up, and whether that causes a
//! warning.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::idempotency::ContentHash;
use crate::ids::AccountId;

/// The number of given-up records from which on an account is warned, as promised to customers.
pub const WARN_FROM: u32 = 5;

/// The result of the newest health check of an account that has, or had, records that were given
/// up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountHealth {
    /// The account.
    pub account: AccountId,
    /// The number of records of the connected organisation that were given up.
    pub skipped: u32,
    /// When the number reached [`WARN_FROM`]. `None` while it is below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned_since: Option<Timestamp>,
    /// When this result was found.
    pub found_at: Timestamp,
}

impl AccountHealth {
    /// The health to store for a count, given what was stored before. `None` when nothing has
    /// changed.
    pub fn find_change(
        before: Option<&Self>,
        account: &AccountId,
        skipped: u32,
        now: Timestamp,
    ) -> Option<Self> {
        let since = before.and_then(|before| before.warned_since);
        let warned_since = (skipped >= WARN_FROM).then(|| since.unwrap_or(now));
        let is_same = match before {
            Some(before) => before.skipped == skipped && before.warned_since == warned_since,
            None => skipped == 0,
        };
        let account = account.clone();
        (!is_same).then_some(Self { account, skipped, warned_since, found_at: now })
    }

    /// The warning on the settings page, or `None` when there is no warning.
    pub fn warning_text(&self) -> Option<String> {
        self.warned_since?;
        Some(skipped_records_warning(self.skipped))
    }
}

/// The warning on the settings page about this number of given-up records.
pub fn skipped_records_warning(skipped: u32) -> String {
    format!(
        "{skipped} records could not be synced, so Xero does not match ServiceCortex. Open the sync log and \
         follow the remedy in each entry. Then press Sync all, or press Never send for records that \
         should not be in Xero."
    )
}

/// Whether an account's connection is checked in this hour (UTC) of the day. Every account has one
/// of the 24 hours, so all are checked once a day.
pub fn is_check_due(account: &AccountId, now: Timestamp) -> bool {
    let hash = ContentHash::of_bytes(account.as_str().as_bytes());
    let number = hash.as_str().get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let hour = u32::try_from(now.to_zoned(TimeZone::UTC).hour()).unwrap_or(0);
    number.unwrap_or(0) % 24 == hour
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn next(before: Option<&AccountHealth>, skipped: u32, now: i64) -> Option<AccountHealth> {
        AccountHealth::find_change(before, &AccountId::new("acc_1").unwrap(), skipped, at(now))
    }

    #[test]
    fn five_are_a_warning_and_four_lift_it() {
        let four = next(None, 4, 1).unwrap();
        assert_eq!((four.skipped, four.warning_text()), (4, None));
        let five = next(Some(&four), 5, 2).unwrap();
        assert_eq!(five.warned_since, Some(at(2)));
        assert!(five.warning_text().unwrap().starts_with("5 records could not be synced"));
        let seven = next(Some(&five), 7, 3).unwrap();
        assert_eq!(seven.warned_since, Some(at(2)), "it stands since it was first found");
        let lifted = next(Some(&seven), 4, 4).unwrap();
        assert_eq!((lifted.warned_since, lifted.warning_text()), (None, None));
    }

    #[test]
    fn what_has_not_changed_is_not_written() {
        assert_eq!(next(None, 0, 1), None);
        let five = next(None, 5, 1).unwrap();
        assert_eq!(next(Some(&five), 5, 2), None);
        let none = next(Some(&five), 0, 3).unwrap();
        assert_eq!(next(Some(&none), 0, 4), None);
    }

    #[test]
    fn every_account_is_looked_at_in_one_hour_of_the_day() {
        let mut busiest = 0;
        for hour in 0..24 {
            let looked = (0..2_400).filter(|number| {
                let account = AccountId::new(format!("acc_{number}")).unwrap();
                is_check_due(&account, at(hour * 3_600))
            });
            busiest = busiest.max(looked.count());
        }
        assert!((100..150).contains(&busiest), "{busiest}");
        let account = AccountId::new("acc_1").unwrap();
        let hours = (0..24).filter(|hour| is_check_due(&account, at(hour * 3_600 + 1_799)));
        assert_eq!(hours.count(), 1);
    }
}
