//! The comparison of a ledger's books.

use domain::books::BooksComparison;
use domain::ids::Ledger;
use domain::outbound::EventMessage;

use crate::keys;
use crate::results::{StoreError, VersionedRecord};
use crate::store::{Store, encode_item, new_event};
use crate::table::{ItemWrite, WriteExpectation};

impl Store {
    /// Reads the comparison of a ledger's books. `None` if they were never compared.
    pub async fn find_books_comparison(
        &self,
        ledger: &Ledger,
    ) -> Result<Option<VersionedRecord<BooksComparison>>, StoreError> {
        self.read_record("read the comparison of the books", &keys::books_key(ledger)).await
    }

    /// Writes the comparison of a ledger's books and the event about it, in one transaction.
    pub async fn put_books_comparison(
        &self,
        comparison: &BooksComparison,
        expect: WriteExpectation,
        event: Option<&EventMessage>,
    ) -> Result<(), StoreError> {
        let mut writes = vec![ItemWrite::Put { item: encode_item(comparison), expect }];
        writes.extend(event.map(new_event));
        self.write_all("write the comparison of the books", writes).await
    }
}
