//! Writes whose replies are lost are sent again and recognise their own effect.

use store::table::{
    ItemKey, ItemTable as _, ItemVersion, ItemWrite, NewItem, TableError, WriteExpectation,
};

use crate::emulator::{Emulator, Fault};

fn key() -> ItemKey {
    ItemKey::new("A", "B")
}

fn create(key: ItemKey, record: &str) -> ItemWrite {
    ItemWrite::Put { item: NewItem::new(key, record), expect: WriteExpectation::Absent }
}

async fn version(emulator: &Emulator, key: &ItemKey) -> Option<u64> {
    emulator.table().get(key).await.unwrap().map(|item| item.version.as_number())
}

#[tokio::test]
async fn a_put_whose_reply_is_lost_succeeds_once() {
    let emulator = Emulator::start().await;
    emulator.requests();
    emulator.inject_faults([Fault::LostReply, Fault::LostReply]);
    emulator.table().write_items(vec![create(key(), "ours")]).await.unwrap();
    assert_eq!(emulator.requests(), 3);
    assert_eq!(version(&emulator, &key()).await, Some(1));

    emulator.inject_faults([Fault::LostReply]);
    let item = NewItem::new(key(), "next");
    let write = ItemWrite::Put {
        item: item.clone(),
        expect: WriteExpectation::Version(ItemVersion::FIRST),
    };
    emulator.table().write_items(vec![write]).await.unwrap();
    let stored = item.into_stored(ItemVersion::FIRST.next());
    assert_eq!(emulator.table().get(&key()).await.unwrap(), Some(stored));
}

#[tokio::test]
async fn a_lost_refusal_is_still_a_refusal() {
    let emulator = Emulator::start().await;
    emulator.table().write_items(vec![create(key(), "same")]).await.unwrap();
    emulator.inject_faults([Fault::LostReply]);
    let outcome = emulator.table().write_items(vec![create(key(), "same")]).await;
    assert!(matches!(outcome, Err(TableError::Conflict)), "{outcome:?}");
    assert_eq!(emulator.faults_left(), 0);
    assert_eq!(version(&emulator, &key()).await, Some(1));
}

#[tokio::test]
async fn a_delete_whose_reply_is_lost_succeeds_once() {
    let emulator = Emulator::start().await;
    emulator.table().write_items(vec![create(key(), "doomed")]).await.unwrap();
    let delete = || ItemWrite::Delete { key: key(), expect: ItemVersion::FIRST };
    emulator.inject_faults([Fault::LostReply]);
    emulator.table().write_items(vec![delete()]).await.unwrap();
    assert_eq!(version(&emulator, &key()).await, None);
    let again = emulator.table().write_items(vec![delete()]).await;
    assert!(matches!(again, Err(TableError::Conflict)), "{again:?}");
}

#[tokio::test]
async fn a_transaction_whose_reply_is_lost_succeeds_once() {
    let emulator = Emulator::start().await;
    let other = ItemKey::new("A", "C");
    let both = || vec![create(key(), "1"), create(other.clone(), "1")];
    emulator.inject_faults([Fault::LostReply, Fault::LostReply]);
    emulator.table().write_items(both()).await.unwrap();
    assert_eq!(version(&emulator, &key()).await, Some(1));
    assert_eq!(version(&emulator, &other).await, Some(1));
    let again = emulator.table().write_items(both()).await;
    assert!(matches!(again, Err(TableError::Conflict)), "{again:?}");
}

#[tokio::test]
async fn a_transaction_knows_its_items_when_its_token_is_forgotten() {
    let emulator = Emulator::start().await;
    emulator.forget_tokens();
    let other = ItemKey::new("A", "C");
    let both = || vec![create(key(), "1"), create(other.clone(), "1")];
    emulator.inject_faults([Fault::LostReply]);
    emulator.table().write_items(both()).await.unwrap();
    assert_eq!(emulator.faults_left(), 0);
    assert_eq!(version(&emulator, &other).await, Some(1));
    let again = emulator.table().write_items(both()).await;
    assert!(matches!(again, Err(TableError::Conflict)), "{again:?}");
}

#[tokio::test]
async fn a_write_whose_every_reply_is_lost_is_unavailable_and_may_have_happened() {
    let emulator = Emulator::start().await;
    emulator.inject_faults([Fault::LostReply, Fault::LostReply, Fault::LostReply]);
    let outcome = emulator.table().write_items(vec![create(key(), "landed")]).await;
    assert!(matches!(outcome, Err(TableError::Unavailable { .. })), "{outcome:?}");
    assert_eq!(version(&emulator, &key()).await, Some(1));
}
