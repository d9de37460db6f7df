//! Every sentence with which Xero is known to reject a document, and what a person can do about it.
//!
//! To review a row, read the sentence as Xero writes it, then the remedy. `*` stands for any text
//! or none: a name, a number, a code, a date. Case, quotation marks, spaces, the headline "A
//! validation exception occurred" and any text after the sentence are ignored. If two rows match,
//! the one that matches from the beginning of the sentence takes precedence, and then the first: a
//! more specific sentence stands above a more general one.

mod contacts;
mod documents;
mod lines;
mod payments;
mod sentence;

use self::contacts::ABOUT_CONTACTS;
use self::documents::ABOUT_DOCUMENTS;
use self::lines::ABOUT_LINES;
use self::payments::ABOUT_PAYMENTS;
pub(super) use self::sentence::KnownSentence;

/// The known sentences, in their order of precedence.
pub(super) fn list_known_sentences() -> impl Iterator<Item = &'static KnownSentence> {
    [ABOUT_CONTACTS, ABOUT_LINES, ABOUT_DOCUMENTS, ABOUT_PAYMENTS].into_iter().flatten()
}
