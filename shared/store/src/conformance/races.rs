//! Concurrent writers: at most one of those with the same expectation succeeds.

use futures::future::join_all;

use super::{create, delete, done, read, replace, version_of};
use crate::table::{ItemKey, ItemTable, ItemVersion, ItemWrite, NewItem, TableError};

const WRITERS: usize = 20;

/// How often a loser of a race over two items tries again. A writer loses at most once per other
/// writer, plus a few rounds without a winner.
const TRIES: usize = 200;

/// Runs all checks of this module.
pub async fn check_all(table: &dyn ItemTable) {
    one_of_twenty_creates_wins(table).await;
    one_of_twenty_equal_creates_wins(table).await;
    one_of_twenty_replaces_wins(table).await;
    one_of_twenty_deletes_wins(table).await;
    no_increment_is_lost(table).await;
    twins_written_together_never_differ(table).await;
}

/// Afterwards, the item is the winner's.
pub async fn one_of_twenty_creates_wins(table: &dyn ItemTable) {
    let key = ItemKey::new("RACE", "CREATE");
    let writes = (0..WRITERS).map(|writer| create(NewItem::new(key.clone(), writer.to_string())));
    let winner = only_winner(table, writes).await;
    let found = read(table, &key).await.expect("one writer won");
    assert_eq!(found, NewItem::new(key, winner.to_string()).into_stored(ItemVersion::FIRST));
}

/// Equal content does not count as having won.
pub async fn one_of_twenty_equal_creates_wins(table: &dyn ItemTable) {
    let key = ItemKey::new("RACE", "EQUAL");
    let writes = (0..WRITERS).map(|_| create(NewItem::new(key.clone(), "claimed")));
    only_winner(table, writes).await;
    let writes =
        (0..WRITERS).map(|_| replace(NewItem::new(key.clone(), "done"), ItemVersion::FIRST));
    only_winner(table, writes).await;
    assert_eq!(version_of(table, &key).await, Some(2));
}

/// Of twenty writers that read the same version, one succeeds.
pub async fn one_of_twenty_replaces_wins(table: &dyn ItemTable) {
    let key = ItemKey::new("RACE", "REPLACE");
    done(table, vec![create(NewItem::new(key.clone(), "before"))]).await;
    let writes = (0..WRITERS)
        .map(|writer| replace(NewItem::new(key.clone(), writer.to_string()), ItemVersion::FIRST));
    let winner = only_winner(table, writes).await;
    let found = read(table, &key).await.expect("it was there before");
    assert_eq!(found, NewItem::new(key, winner.to_string()).into_stored(ItemVersion::FIRST.next()));
}

/// An item can be deleted once.
pub async fn one_of_twenty_deletes_wins(table: &dyn ItemTable) {
    let key = ItemKey::new("RACE", "DELETE");
    done(table, vec![create(NewItem::new(key.clone(), "token"))]).await;
    only_winner(table, (0..WRITERS).map(|_| delete(&key, ItemVersion::FIRST))).await;
    assert_eq!(read(table, &key).await, None);
}

/// Twenty writers that each read, add one and write until they succeed add twenty.
pub async fn no_increment_is_lost(table: &dyn ItemTable) {
    let key = ItemKey::new("RACE", "COUNTER");
    done(table, vec![create(NewItem::new(key.clone(), "0"))]).await;
    join_all((0..WRITERS).map(|_| add_one(table, std::slice::from_ref(&key)))).await;
    let found = read(table, &key).await.expect("it was there before");
    assert_eq!(found.record, "20");
    assert_eq!(found.version.as_number(), 21);
}

/// The same over two items in one transaction: they are equal at the end and count every writer.
pub async fn twins_written_together_never_differ(table: &dyn ItemTable) {
    let twins = ["TWIN-1", "TWIN-2"].map(|sk| ItemKey::new("RACE", sk));
    done(table, twins.iter().map(|key| create(NewItem::new(key.clone(), "0"))).collect()).await;
    join_all((0..WRITERS).map(|_| add_one(table, &twins))).await;
    for key in &twins {
        let found = read(table, key).await.expect("it was there before");
        assert_eq!(found.record, "20");
        assert_eq!(found.version.as_number(), 21);
    }
}

/// Runs the writes concurrently and returns the position of the one that succeeded.
///
/// DynamoDB's transactions, and deletes are transactions there, may cancel each other until none
/// succeeds. Then nothing has changed, and the next round decides.
async fn only_winner(
    table: &dyn ItemTable,
    writes: impl Iterator<Item = ItemWrite> + Clone,
) -> usize {
    for _ in 0..TRIES {
        let outcomes = join_all(writes.clone().map(|write| table.write_items(vec![write]))).await;
        let mut winners = Vec::new();
        for (writer, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(()) => winners.push(writer),
                Err(TableError::Conflict) => {}
                Err(error) => unreachable!("unexpected error in a race: {error:?}"),
            }
        }
        assert!(winners.len() <= 1, "{} writers won", winners.len());
        if let Some(winner) = winners.pop() {
            return winner;
        }
    }
    unreachable!("no writer won within {TRIES} rounds");
}

/// Reads the items, which hold the same number, and writes them incremented, until it succeeds.
async fn add_one(table: &dyn ItemTable, keys: &[ItemKey]) {
    for _ in 0..TRIES {
        let mut writes = Vec::new();
        for key in keys {
            let found = read(table, key).await.expect("the counter exists");
            let count: u32 = found.record.parse().expect("the counter counts");
            writes.push(replace(NewItem::new(key.clone(), (count + 1).to_string()), found.version));
        }
        match table.write_items(writes).await {
            Ok(()) => return,
            Err(TableError::Conflict) => {}
            Err(error) => unreachable!("unexpected error in a race: {error:?}"),
        }
    }
    unreachable!("no write succeeded within {TRIES} tries");
}
