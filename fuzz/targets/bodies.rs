//! Bodies of API requests: any bytes are read or refused in a short sentence.

/// The longest sentence: the account codes name all their fields.
const LENGTH_MAX: usize = 400;

/// Reads the bytes as each route would that takes a body.
pub(crate) fn run(bytes: &[u8]) {
    for objection in requests::list_body_errors(bytes).into_iter().flatten() {
        assert!(objection.chars().count() <= LENGTH_MAX, "too long: {objection}");
        assert!(!objection.chars().any(char::is_control), "unprintable: {objection:?}");
    }
}
