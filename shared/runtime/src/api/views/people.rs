//! Users in responses.

use std::collections::BTreeMap;

use domain::ids::UserId;
use serde::Serialize;
use utoipa::ToSchema;

/// The users of an account who changed something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeopleView {
    /// The users, in the order of their ids.
    pub(crate) people: Vec<PersonView>,
}

/// A user of the account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonView {
    /// The id, as other responses name the user.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
}

impl PeopleView {
    /// The users with these names.
    pub(crate) fn of_names(names: BTreeMap<UserId, String>) -> Self {
        let people = names.into_iter().map(|(id, name)| PersonView { id: id.to_string(), name });
        Self { people: people.collect() }
    }
}
