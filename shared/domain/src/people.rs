//! The names of an account's users, as their tokens gave them. Rows and events hold only the ids of
//! users; the names are looked up when people read them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, UserId};

/// The maximum number of users whose names are kept for an account.
pub const PEOPLE_MAX: usize = 200;
/// The maximum length of a name, in characters.
pub const PERSON_NAME_MAX: usize = 200;

/// The users of an account who changed something.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPeople {
    /// The account.
    pub account: AccountId,
    /// Their names.
    pub names: BTreeMap<UserId, String>,
}

/// Prints only the number of names, because personal data must not reach the logs.
impl fmt::Debug for KnownPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownPeople({}, {})", self.account, self.names.len())
    }
}

impl KnownPeople {
    /// An account of which no user is known.
    pub const fn without_people(account: AccountId) -> Self {
        Self { account, names: BTreeMap::new() }
    }

    /// The people with this user's name, cut to [`PERSON_NAME_MAX`]. `None` if it is known already,
    /// if the name is empty, or if [`PEOPLE_MAX`] others are known.
    pub fn with_name(&self, user: &UserId, name: &str) -> Option<Self> {
        let name: String = name.trim().chars().take(PERSON_NAME_MAX).collect();
        let known = self.names.get(user);
        let is_full = known.is_none() && self.names.len() >= PEOPLE_MAX;
        if name.is_empty() || known == Some(&name) || is_full {
            return None;
        }
        let mut next = self.clone();
        next.names.insert(user.clone(), name);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_user(number: usize) -> UserId {
        UserId::new(format!("usr_{number}")).unwrap()
    }

    #[test]
    fn a_name_is_kept_once_and_within_its_bounds() {
        let none = KnownPeople::without_people(AccountId::new("acc_1").unwrap());
        assert_eq!(none.with_name(&a_user(1), "  "), None);
        let long = "é".repeat(PERSON_NAME_MAX + 1);
        let one = none.with_name(&a_user(1), &long).unwrap();
        assert_eq!(one.names[&a_user(1)].chars().count(), PERSON_NAME_MAX);
        assert_eq!(one.with_name(&a_user(1), &long), None);
        let renamed = one.with_name(&a_user(1), "Ana Ruiz").unwrap();
        assert_eq!(renamed.names[&a_user(1)], "Ana Ruiz");
        assert!(!format!("{renamed:?}").contains("Ana"));
    }

    #[test]
    fn a_row_holds_a_limited_number_of_names() {
        let mut people = KnownPeople::without_people(AccountId::new("acc_1").unwrap());
        for number in 0..PEOPLE_MAX {
            people = people.with_name(&a_user(number), "Ana").unwrap();
        }
        assert_eq!(people.with_name(&a_user(PEOPLE_MAX), "Bo"), None);
        assert!(people.with_name(&a_user(0), "Bo").is_some());
    }
}
