//! Dates as Xero writes them: any text is one or is none, and a date is the same when it is written plainly.

use jiff::civil::Date;
use xero::date::{date, instant};

/// Reads the bytes as an instant and as a date.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(at) = instant(text) {
        assert_eq!(instant(&at.to_string()), Ok(at), "{text:?}");
    }
    if let Ok(day) = date(text) {
        assert_eq!(date(&plain(day)), Ok(day), "{text:?}");
    }
}

fn plain(day: Date) -> String {
    format!("{day}T00:00:00")
}
