//! Asking a list for one of several things, in as few calls as the length of a query allows.

use crate::error::XeroError;
use crate::session::encoded;

/// A filter longer than this, encoded, would exceed the 2,048 characters Xero takes in a query.
const FILTER_LIMIT: usize = 1_900;
const OR: &str = " OR ";

/// `field` is exactly `value`.
pub(super) fn clause(field: &str, value: &str) -> String {
    format!("{field}==\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""))
}

/// The clauses joined, each filter as long as Xero takes.
pub(super) fn filters(clauses: &[String]) -> Result<Vec<String>, XeroError> {
    let mut filters: Vec<String> = Vec::new();
    for clause in clauses {
        if encoded(clause).len() > FILTER_LIMIT {
            return Err(XeroError::Unsendable {
                reason: "the text is too long to be searched for",
            });
        }
        let room = |filter: &&mut String| {
            encoded(filter).len() + encoded(OR).len() + encoded(clause).len() <= FILTER_LIMIT
        };
        match filters.last_mut().filter(room) {
            Some(filter) => {
                filter.push_str(OR);
                filter.push_str(clause);
            }
            None => filters.push(clause.clone()),
        }
    }
    Ok(filters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_numbers_are_asked_for_about_forty_at_a_time_within_the_query_xero_takes() {
        let clauses = (0..120).map(|at| clause("ContactNumber", &format!("SC-cli_{at:03}")));
        let filters = filters(&clauses.collect::<Vec<_>>()).unwrap();
        let counts = filters.iter().map(|one| one.split(OR).count()).collect::<Vec<_>>();
        assert_eq!(counts.iter().sum::<usize>(), 120);
        assert!(counts.len() <= 4, "{counts:?}");
        for filter in &filters {
            assert!(encoded(filter).len() <= FILTER_LIMIT);
        }
    }

    #[test]
    fn a_quote_in_a_name_stays_inside_its_text() {
        assert_eq!(clause("Name", r#"The "Ridge" \ Co"#), r#"Name=="The \"Ridge\" \\ Co""#);
    }
}
