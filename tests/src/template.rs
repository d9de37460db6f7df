//! Reads the template as `CloudFormation` does, as far as the checks need it.
//!
//! A function such as `!GetAtt Table.Arn` is read as its argument: the checks compare names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::project::locate_in_project;

/// A template.
#[derive(Debug, Clone)]
pub struct Template {
    whole: Value,
}

/// A permission of a role: an action and a resource.
pub type Right = (String, String);

impl Template {
    /// Reads the file at this path below the project's root.
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(locate_in_project(path)).expect("the template exists");
        Self { whole: serde_saphyr::from_str(&text).expect("the template is YAML") }
    }

    /// The value at a path of names.
    pub fn at(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.whole, |value, name| value.get(name).unwrap_or(&Value::Null))
    }

    /// The properties of a resource.
    pub fn properties(&self, resource: &str) -> &Value {
        self.at(&["Resources", resource, "Properties"])
    }

    /// The resources of a type, with their properties.
    pub fn of_type(&self, wanted: &str) -> BTreeMap<&str, &Value> {
        let all = self.at(&["Resources"]).as_object().expect("a template has resources");
        let of_type = all.iter().filter(|(_, one)| one.get("Type") == Some(&wanted.into()));
        of_type.map(|(name, _)| (name.as_str(), self.properties(name))).collect()
    }

    /// The permissions of a role, from its own and its managed policies.
    pub fn rights(&self, role: &str) -> BTreeSet<Right> {
        let properties = self.properties(role);
        let own = list(properties.get("Policies")).into_iter();
        let own = own.filter_map(|policy| policy.get("PolicyDocument"));
        let shared = list(properties.get("ManagedPolicyArns")).into_iter();
        let shared = shared.filter_map(Value::as_str).map(|name| {
            self.properties(name).get("PolicyDocument").expect("a managed policy has a document")
        });
        own.chain(shared).flat_map(allowed).collect()
    }
}

fn allowed(document: &Value) -> Vec<Right> {
    let mut rights = Vec::new();
    for statement in list(document.get("Statement")) {
        for action in list(statement.get("Action")) {
            for resource in list(statement.get("Resource")) {
                let text = |value: &Value| value.as_str().expect("a string").to_owned();
                rights.push((text(action), text(resource)));
            }
        }
    }
    rights
}

/// One value as a list, or a list.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}
