//! Numbers as text, without floating point.

/// A count with separators: `12,345`.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A quotient with one decimal, rounded: `2.5`. A dash if the divisor is zero.
pub fn quotient(dividend: usize, divisor: usize) -> String {
    if divisor == 0 {
        return "–".to_owned();
    }
    let tenths = (dividend.saturating_mul(20) + divisor) / (divisor * 2);
    format!("{}.{}", thousands(tenths / 10), tenths % 10)
}

/// A share as a percentage with one decimal.
pub fn percentage(part: usize, whole: usize) -> String {
    format!("{} %", quotient(part.saturating_mul(100), whole))
}

/// A number of bytes in the unit that suits it: `870 B`, `12.3 kB`, `4.5 MB`.
pub fn bytes(count: usize) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", quotient(count, 1_000)),
        _ => format!("{} MB", quotient(count, 1_000_000)),
    }
}

/// Microseconds as milliseconds with one decimal.
pub fn milliseconds(microseconds: usize) -> String {
    quotient(microseconds, 1_000)
}

/// The middle of these values: the lower of the two in the middle if their number is even. Zero if
/// there are none.
pub fn median(values: &[usize]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn quotients_are_rounded_to_one_decimal() {
        assert_eq!(quotient(5, 2), "2.5");
        assert_eq!(quotient(2, 3), "0.7");
        assert_eq!(quotient(1, 3), "0.3");
        assert_eq!(quotient(1, 0), "–");
        assert_eq!(percentage(1, 8), "12.5 %");
    }

    #[test]
    fn bytes_and_times_have_a_unit_that_suits_them() {
        assert_eq!([999, 12_345, 4_500_000].map(bytes), ["999 B", "12.3 kB", "4.5 MB"]);
        assert_eq!(milliseconds(13_512), "13.5");
    }

    #[test]
    fn the_median_is_the_lower_of_two_in_the_middle() {
        assert_eq!(median(&[3, 1, 2]), 2);
        assert_eq!(median(&[4, 1, 2, 3]), 2);
        assert_eq!(median(&[]), 0);
    }
}
