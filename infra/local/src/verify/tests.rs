//! The selection and the names of the checks.

use clap::ValueEnum as _;

use super::{Check, in_order};

#[test]
fn checks_run_in_a_fixed_order_regardless_of_the_arguments() {
    assert_eq!(in_order(&[Check::EndToEnd, Check::Format]), [Check::Format, Check::EndToEnd]);
    assert_eq!(in_order(&[]), Check::value_variants());
    assert_eq!(in_order(&[Check::Browser]), [Check::Browser]);
}

#[test]
fn every_check_has_the_name_that_the_documents_use() {
    let names = Check::value_variants().iter().copied().map(Check::name).collect::<Vec<_>>();
    let expected =
        "fmt clippy docs tests e2e api story browser pages template deny loops sdk fuzz lambda";
    assert_eq!(names.join(" "), expected);
}
