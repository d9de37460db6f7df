//! Filters that match one of several values, in as few calls as the maximum length of a query
//! allows.

use crate::error::XeroError;
use crate::session::percent_encode;

/// The maximum length of an encoded filter, in characters. A longer one would exceed the 2,048
/// characters that Xero accepts in a query.
const FILTER_LIMIT: usize = 1_900;
const OR: &str = " OR ";

/// A clause that requires `field` to equal `value`, or `None` if the value contains a quotation
/// mark, a backslash or a control character. Xero rejects every way of escaping them with a syntax
/// error, whatever the rest of the filter says. Such a value must be found by other means.
pub(super) fn clause_if_quotable(field: &str, value: &str) -> Option<String> {
    is_quotable(value).then(|| equals_clause(field, value))
}

/// Whether a filter is short enough for a call.
pub(super) fn is_sendable_filter(filter: &str) -> bool {
    percent_encode(filter).len() <= FILTER_LIMIT
}

/// A clause that requires `field` to equal `value`, which must be quotable.
pub(super) fn equals_clause(field: &str, value: &str) -> String {
    format!("{field}==\"{value}\"")
}

/// Whether a text may be between the quotation marks of a filter.
pub(super) fn is_quotable(value: &str) -> bool {
    !value.chars().any(|sign| matches!(sign, '"' | '\\') || sign.is_control())
}

/// A filter that requires one of the clauses.
pub(super) fn any_of(clauses: impl Iterator<Item = String>) -> String {
    clauses.collect::<Vec<_>>().join(OR)
}

/// Divides keys into groups, in order. The filter that requires one of the clauses of a group is as
/// long as Xero accepts.
pub(super) fn group_keys<K>(
    keys: &[K],
    clause: impl Fn(&K) -> String,
) -> Result<Vec<&[K]>, XeroError> {
    let or = percent_encode(OR).len();
    let mut groups: Vec<&[K]> = Vec::new();
    let (mut begin, mut length) = (0, 0);
    for (at, key) in keys.iter().enumerate() {
        let own = percent_encode(&clause(key)).len();
        if own > FILTER_LIMIT {
            return Err(XeroError::Unsendable {
                reason: "the text is too long to be searched for",
            });
        }
        if at == begin {
            length = own;
        } else if length + or + own <= FILTER_LIMIT {
            length += or + own;
        } else {
            groups.extend(keys.get(begin..at));
            (begin, length) = (at, own);
        }
    }
    groups.extend(keys.get(begin..).filter(|last| !last.is_empty()));
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_numbers_are_asked_for_about_forty_at_a_time_within_the_query_xero_takes() {
        let numbers = (0..120).map(|at| format!("SC-cli_{at:03}")).collect::<Vec<_>>();
        let of = |number: &String| equals_clause("ContactNumber", number);
        let groups = group_keys(&numbers, of).unwrap();
        assert!(groups.len() <= 4, "{groups:?}");
        assert_eq!(groups.concat(), numbers);
        for group in &groups {
            assert!(percent_encode(&any_of(group.iter().map(of))).len() <= FILTER_LIMIT);
        }
        let longer = percent_encode(&any_of(groups[0].iter().chain(&groups[1][..1]).map(of)));
        assert!(longer.len() > FILTER_LIMIT, "one more would not fit");
    }

    #[test]
    fn a_clause_that_is_too_long_is_refused_and_no_key_needs_no_filter() {
        let of = |number: &String| equals_clause("Number", number);
        let numbers = ["a".repeat(1_880), "b".to_owned()];
        assert_eq!(group_keys(&numbers, of).unwrap().len(), 2);
        assert!(group_keys(&["a".repeat(1_900)], of).is_err());
        assert!(group_keys(&[], of).unwrap().is_empty());
    }

    #[test]
    fn values_that_cannot_be_quoted_are_never_in_a_filter() {
        assert_eq!(
            clause_if_quotable("Number", "O'Brien & Co"),
            Some(r#"Number=="O'Brien & Co""#.to_owned())
        );
        for bad in [r#"12" pipe"#, r"a\b", "a\nb"] {
            assert_eq!(clause_if_quotable("Number", bad), None, "{bad}");
        }
    }
}
