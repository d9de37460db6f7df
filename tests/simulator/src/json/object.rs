//! JSON objects, built member by member.

use super::Json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The members of a JSON object, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object(Vec<(Cow<'static, str>, Json)>);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a member at the end.
    pub(crate) fn with(
        mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<Json>,
    ) -> Self {
        self.0.push((key.into(), value.into()));
        self
    }

    /// Adds a member if there is a value: Xero omits unset members.
    pub(crate) fn with_some(self, key: &'static str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Replaces a member, or adds it.
    pub(crate) fn set(&mut self, key: &'static str, value: impl Into<Json>) {
        self.0.retain(|(name, _)| name != key);
        self.0.push((Cow::Borrowed(key), value.into()));
    }

    /// The object with some members replaced or added, or removed if the value is `None`.
    pub(crate) fn with_members(self, members: &BTreeMap<String, Option<Json>>) -> Self {
        let mut replaced = Self::new();
        for (key, value) in self.0 {
            match members.get(&*key) {
                None => replaced.0.push((key, value)),
                Some(Some(shown)) => replaced.0.push((key, shown.clone())),
                Some(None) => {}
            }
        }
        for (key, shown) in members {
            let is_there = replaced.0.iter().any(|(name, _)| **name == **key);
            if let Some(shown) = shown
                && !is_there
            {
                replaced.0.push((Cow::Owned(key.clone()), shown.clone()));
            }
        }
        replaced
    }

    /// A member that exists and is not null.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        self.0
            .iter()
            .find(|(name, value)| name == key && *value != Json::Null)
            .map(|(_, value)| value)
    }

    pub(crate) fn into_members(self) -> impl Iterator<Item = (Cow<'static, str>, Json)> {
        self.0.into_iter()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

impl FromIterator<(Cow<'static, str>, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (Cow<'static, str>, Json)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Uuid> for Json {
    fn from(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Vec<Json>> for Json {
    fn from(list: Vec<Json>) -> Self {
        Self::List(list)
    }
}
