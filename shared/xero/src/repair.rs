//! Repairs the text of an answer, so that one faulty character does not make the whole answer
//! unreadable.
//!
//! Rows in a customer's books were also written by other apps, some of which cut a text in the
//! middle of a character. A JSON parser rejects the whole body that contains such a text: a page of
//! 1,000 rows, or the outcomes of a batch.

use std::ops::RangeInclusive;

use bytes::Bytes;

/// The byte order mark that some servers write before a body in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The escape of the character that stands for an unreadable one. It is as long as the escape that
/// it replaces.
const UNREADABLE: &[u8] = br"\ufffd";

const BLANK: &[u8] = b" ";

/// The first and the second half of a character above U+FFFF, as UTF-16 writes it.
const FIRST_HALF: RangeInclusive<u16> = 0xd800..=0xdbff;
const SECOND_HALF: RangeInclusive<u16> = 0xdc00..=0xdfff;

/// Removes a byte order mark, and replaces what no JSON text may contain: bytes that are not UTF-8,
/// half a character in an escape (`\ud83d` alone), and control characters inside a string. A body
/// without these faults is returned as it is.
pub(crate) fn repair_text(body: Bytes) -> Bytes {
    let body =
        if body.starts_with(BYTE_ORDER_MARK) { body.slice(BYTE_ORDER_MARK.len()..) } else { body };
    let body = if std::str::from_utf8(&body).is_ok() {
        body
    } else {
        Bytes::from(String::from_utf8_lossy(&body).into_owned())
    };
    repair_strings(body)
}

/// Replaces faults inside the strings of a body by other characters of the same length.
fn repair_strings(body: Bytes) -> Bytes {
    let mut repaired: Option<Vec<u8>> = None;
    let mut is_in_string = false;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        let (length, replacement) = match byte {
            b'\\' if is_in_string => read_escape(&body, at),
            b'"' => {
                is_in_string = !is_in_string;
                (1, None)
            }
            0..=0x1f if is_in_string => (1, Some(BLANK)),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            let repaired = repaired.get_or_insert_with(|| body.to_vec());
            if let Some(faulty) = repaired.get_mut(at..at + replacement.len()) {
                faulty.copy_from_slice(replacement);
            }
        }
        at += length;
    }
    repaired.map_or(body, Bytes::from)
}

/// The length of the escape at this position, and its replacement if it is faulty. The two halves
/// of one character count as one escape.
fn read_escape(body: &[u8], at: usize) -> (usize, Option<&'static [u8]>) {
    let Some(unit) = code_unit(body, at) else { return (2, None) };
    let length = UNREADABLE.len();
    if !FIRST_HALF.contains(&unit) && !SECOND_HALF.contains(&unit) {
        return (length, None);
    }
    let next = code_unit(body, at + length);
    if FIRST_HALF.contains(&unit) && next.is_some_and(|next| SECOND_HALF.contains(&next)) {
        return (2 * length, None);
    }
    (length, Some(UNREADABLE))
}

/// The number in an escape of the form `\u0041` at this position.
fn code_unit(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..)?.strip_prefix(br"\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(body: &[u8]) -> String {
        String::from_utf8(repair_text(Bytes::copy_from_slice(body)).to_vec()).unwrap()
    }

    #[test]
    fn a_sound_body_is_returned_unchanged() {
        for body in [
            "",
            r#"{"Name":"Ridge \ud83d\ude00 \"& Sons\" \\ud83d \u00e9","Date":"\/Date(1)\/"}"#,
            "{\r\n\t\"Name\": \"é😀\",\n\t\"Path\": \"C:\\\\\"\n}",
            "The resource you're looking for cannot be found\n",
            r#""\"#,
            r#""\u12"#,
        ] {
            assert_eq!(repaired(body.as_bytes()), body);
        }
    }

    #[test]
    fn a_byte_order_mark_is_removed() {
        assert_eq!(repaired(b"\xef\xbb\xbf{}"), "{}");
        assert_eq!(repaired(b"\xef\xbb\xbf"), "");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(repaired(b"{\"a\":\"b \xf0\x9f\x98\"}"), "{\"a\":\"b \u{fffd}\"}");
    }

    #[test]
    fn half_a_character_in_an_escape_is_replaced() {
        for (faulty, sound) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uDE00""#, r#""\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
        ] {
            assert_eq!(repaired(faulty.as_bytes()), sound, "{faulty}");
            assert!(serde_json::from_str::<String>(sound).is_ok(), "{sound}");
        }
    }

    #[test]
    fn control_characters_inside_a_string_become_blanks() {
        let body = "{\n\"a\":\"one\ntwo\tthree\u{0}\"\n}";
        assert_eq!(repaired(body.as_bytes()), "{\n\"a\":\"one two three \"\n}");
    }
}
