//! Snapshots as the table stores them: compressed, in an attribute of their own.
//!
//! In a record, which is JSON, the text of a snapshot would be escaped: a text of 242 KB with many
//! quotation marks became a row of 482 KB, which DynamoDB refuses.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// Maximum bytes of a text that is compressed: twice the size of the longest message, and more than
/// an item may have. A longer text is stored as it is, so that the table refuses its item as too
/// large; therefore no stored snapshot unpacks to more.
pub(crate) const TEXT_MAX_BYTES: usize = 512 * 1024;

/// Minimum bytes of a text worth compressing.
const COMPRESSED_FROM_BYTES: usize = 1024;
/// The compression level: 6 of 10, the default of most tools.
const LEVEL: u8 = 6;

/// The first byte identifies the format of the other bytes.
const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

/// Packs a text for storage. The result is at most one byte longer than the text.
pub(crate) fn pack_text(text: &str) -> Vec<u8> {
    let plain = text.as_bytes();
    let is_compressed = (COMPRESSED_FROM_BYTES..=TEXT_MAX_BYTES).contains(&plain.len());
    let deflated = is_compressed.then(|| compress_to_vec(plain, LEVEL));
    match deflated.filter(|deflated| deflated.len() < plain.len()) {
        Some(deflated) => with_form(DEFLATED, &deflated),
        None => with_form(PLAIN, plain),
    }
}

fn with_form(form: u8, bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 1);
    packed.push(form);
    packed.extend_from_slice(bytes);
    packed
}

/// Unpacks a text. `None` if the bytes are not a result of [`pack_text`] or unpack to more than
/// [`TEXT_MAX_BYTES`].
pub(crate) fn unpack_text(packed: &[u8]) -> Option<String> {
    let (form, bytes) = packed.split_first()?;
    let text = match *form {
        PLAIN => bytes.to_vec(),
        DEFLATED => decompress_to_vec_with_limit(bytes, TEXT_MAX_BYTES).ok()?,
        _ => return None,
    };
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_text_is_unpacked_unchanged() {
        let long = "Ōtāhuhu \"quoted\" 水管工 ".repeat(2_000);
        for text in ["", "{}", "short", long.as_str()] {
            assert_eq!(unpack_text(&pack_text(text)).as_deref(), Some(text));
        }
    }

    #[test]
    fn quotation_marks_cost_next_to_nothing() {
        assert!(pack_text(&"\"".repeat(242 * 1024)).len() < 1024);
    }

    #[test]
    fn what_cannot_be_compressed_grows_by_one_byte() {
        let text = random_text(256 * 1024);
        assert!(pack_text(&text).len() <= text.len() + 1);
        assert_eq!(unpack_text(&pack_text(&text)), Some(text));
    }

    #[test]
    fn a_text_over_the_bound_is_not_unpacked() {
        let bomb = |bytes: usize| with_form(DEFLATED, &compress_to_vec(&vec![b'x'; bytes], LEVEL));
        assert!(unpack_text(&bomb(TEXT_MAX_BYTES)).is_some());
        assert_eq!(unpack_text(&bomb(TEXT_MAX_BYTES + 1)), None);
        assert_eq!(unpack_text(&bomb(TEXT_MAX_BYTES * 100)), None);
    }

    #[test]
    fn a_text_over_the_bound_is_kept_whole_so_that_the_table_refuses_it() {
        let packed = pack_text(&"x".repeat(TEXT_MAX_BYTES + 1));
        assert!(packed.len() > crate::table::MAX_ITEM_BYTES);
    }

    #[test]
    fn bytes_that_were_not_packed_are_refused() {
        let wrong: [&[u8]; 4] = [&[], &[7, b'x'], &[DEFLATED, 255, 255], &[PLAIN, 0xff]];
        for bytes in wrong {
            assert_eq!(unpack_text(bytes), None, "{bytes:?}");
        }
    }

    /// Returns text without patterns: printable ASCII, which has more entropy per byte than any
    /// other text.
    fn random_text(bytes: usize) -> String {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let random = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b' ' + u8::try_from(state % 95).expect("less than 95"))
        });
        random.take(bytes).collect()
    }
}
