//! Filters that match one of several values, in as few calls as the maximum length of a query
//! allows.

use crate::error::XeroError;
use crate::session::encoded;

/// The maximum length of an encoded filter, in characters. A longer one would exceed the 2,048
/// characters that Xero accepts in a query.
const FILTER_LIMIT: usize = 1_900;
const OR: &str = " OR ";

/// A clause that requires `field` to equal `value`, or `None` if the value contains a quotation
/// mark, a backslash or a control character. Xero rejects every way of escaping them with a syntax
/// error, whatever the rest of the filter says. Such a value must be found by other means.
pub(super) fn clause(field: &str, value: &str) -> Option<String> {
    is_quotable(value).then(|| format!("{field}==\"{value}\""))
}

/// Whether a text may be between the quotation marks of a filter.
pub(super) fn is_quotable(value: &str) -> bool {
    !value.chars().any(|sign| matches!(sign, '"' | '\\') || sign.is_control())
}

/// Joins the clauses into filters, each as long as Xero accepts.
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
        let clauses =
            (0..120).map(|at| clause("ContactNumber", &format!("SC-cli_{at:03}")).unwrap());
        let filters = filters(&clauses.collect::<Vec<_>>()).unwrap();
        let counts = filters.iter().map(|one| one.split(OR).count()).collect::<Vec<_>>();
        assert_eq!(counts.iter().sum::<usize>(), 120);
        assert!(counts.len() <= 4, "{counts:?}");
        for filter in &filters {
            assert!(encoded(filter).len() <= FILTER_LIMIT);
        }
    }

    #[test]
    fn what_cannot_be_quoted_never_stands_in_a_filter() {
        assert_eq!(clause("Number", "O'Brien & Co"), Some(r#"Number=="O'Brien & Co""#.to_owned()));
        for bad in [r#"12" pipe"#, r"a\b", "a\nb"] {
            assert_eq!(clause("Number", bad), None, "{bad}");
        }
    }
}
