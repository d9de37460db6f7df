//! Converts a query's range to DynamoDB's key condition.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::attributes::KeyNames;
use crate::table::SortRange;

/// The items of a partition that a query reads, as a DynamoDB expression.
#[derive(Debug)]
pub(super) struct KeyCondition {
    pub(super) expression: &'static str,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl KeyCondition {
    /// Builds the condition for a range without empty texts.
    pub(super) fn new(key_names: KeyNames, pk: String, range: SortRange) -> Self {
        let (expression, bounds) = match range {
            SortRange::All => ("#pk = :pk", Vec::new()),
            SortRange::Prefix(prefix) => {
                ("#pk = :pk AND begins_with(#sk, :prefix)", vec![(":prefix", prefix)])
            }
            SortRange::AtLeast(from) => ("#pk = :pk AND #sk >= :from", vec![(":from", from)]),
            SortRange::AtMost(to) => ("#pk = :pk AND #sk <= :to", vec![(":to", to)]),
            SortRange::Between { from, to } => {
                ("#pk = :pk AND #sk BETWEEN :from AND :to", vec![(":from", from), (":to", to)])
            }
        };
        let mut names = HashMap::from([("#pk".to_owned(), key_names.pk.to_owned())]);
        // DynamoDB refuses a placeholder that the expression does not use.
        if !bounds.is_empty() {
            names.insert("#sk".to_owned(), key_names.sk.to_owned());
        }
        let values = std::iter::once((":pk", pk))
            .chain(bounds)
            .map(|(name, text)| (name.to_owned(), AttributeValue::S(text)))
            .collect();
        Self { expression, names, values }
    }
}
