//! Dates as Xero writes them: any text either is a date or is refused, and a date is the same after
//! it is written in plain form.

use jiff::civil::Date;
use xero::date::{parse_date, parse_instant};

/// Reads the bytes as an instant and as a date.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(at) = parse_instant(text) {
        assert_eq!(parse_instant(&at.to_string()), Ok(at), "{text:?}");
    }
    if let Ok(day) = parse_date(text) {
        assert_eq!(parse_date(&plain(day)), Ok(day), "{text:?}");
    }
}

fn plain(day: Date) -> String {
    format!("{day}T00:00:00")
}
