//! Tests of what is read from a request.

use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// A name.
    name: Option<String>,
    /// A page.
    page: Option<String>,
}

#[test]
fn an_empty_parameter_counts_as_absent() {
    let read = |query| parse_parameters::<Wanted>(query).unwrap();
    let wanted = |name: Option<&str>, page: Option<&str>| Wanted {
        name: name.map(str::to_owned),
        page: page.map(str::to_owned),
    };
    assert_eq!(read(""), wanted(None, None));
    assert_eq!(read("page=&name"), wanted(None, None));
    assert_eq!(read("name=a%20b+c&&page=2"), wanted(Some("a b c"), Some("2")));
    assert_eq!(read("name=%ff"), wanted(Some("\u{fffd}"), None));
}

#[test]
fn an_unknown_or_repeated_parameter_is_refused_by_name() {
    let refused = |query| parse_parameters::<Wanted>(query).unwrap_err().into_detail();
    let unknown = "\"nam\" is not a known parameter; known are name, page";
    assert_eq!(refused("page=2&nam=x"), unknown);
    assert_eq!(refused("page=2&page=2"), "page: is given twice");
    assert!(refused("=").starts_with("\"\" is not a known parameter"));
    let long = refused(&"%e2%82%ac".repeat(5_000));
    assert!(long.starts_with(&format!("\"{}\" is", "?".repeat(NAME_MAX))), "{long}");
}

#[test]
fn a_change_requires_the_version_of_its_tag() {
    let read = |header: &str| parse_expected_version(Some(header.as_bytes()));
    assert_eq!(parse_expected_version(None), Ok(None));
    assert_eq!(read("*"), Ok(None));
    assert_eq!(read("\"0\""), Ok(Some(0)));
    assert_eq!(read("\"17\""), Ok(Some(17)));
    for other in ["\"x\"", "\"1\", \"2\"", "\"-1\"", "\"\""] {
        assert_eq!(read(other), Err(ProblemDetails::changed_meanwhile()), "{other}");
    }
}

#[test]
fn a_header_that_is_no_tag_is_refused_as_such_and_not_as_a_change_of_another_person() {
    for odd in [&b""[..], b"17", b"\"", b"\"17", b"W/17", b"\xff"] {
        let refused = parse_expected_version(Some(odd)).unwrap_err().into_detail();
        assert!(refused.starts_with("if-match: must be the etag"), "{odd:?}: {refused}");
    }
}
