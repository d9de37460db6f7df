//! The section about growth: what a push and a poll cost while the account has more and more
//! records.

use ::tests::World;
use ::tests::builders::an_invoice;
use store::table::{IndexKey, ItemKey, StoredItem};
use uuid::Uuid;

use crate::aws_calls::{AwsUse, settle_polls, world_with_client};
use crate::numbers::{quotient, thousands};
use crate::push::push_messages;
use crate::report::{ReportSection, Table};

/// The numbers of invoices that are in Xero already.
pub const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// The invoice whose rows are copied.
const MODEL: &str = "inv_first";
/// Invoices that are pushed together.
const TOGETHER: usize = 9;
/// The first of the made-up ids of invoices in Xero.
const FIRST_ID: u128 = 0x5e47_0000_0000_4000_9000_0000_0000_0000;

/// What a push and a poll cost with this many mappings.
#[derive(Debug, Clone, Copy)]
pub struct GrowthPoint {
    /// Invoices that are in Xero already.
    pub mappings: usize,
    /// A push of one invoice.
    pub push_one: AwsUse,
    /// A push of nine invoices together.
    pub push_nine: AwsUse,
    /// A poll without a change.
    pub poll_idle: AwsUse,
}

/// Counts in an account with this many mappings.
pub fn count_with_mappings(mappings: usize) -> GrowthPoint {
    let counted = world_with_client();
    // A poll has seen the model, so none has to look at its copies.
    settle_polls(&counted.world);
    add_mappings(&counted.world, mappings);
    let messages = |from: usize, count: usize| {
        let body = |number| an_invoice(&format!("inv_new_{number}"), "cli_known").body();
        (from..from + count).map(body).collect::<Vec<_>>()
    };
    let push_one = counted.count(|world| push_messages(world, &messages(0, 1)));
    let push_nine = counted.count(|world| push_messages(world, &messages(1, TOGETHER)));
    settle_polls(&counted.world);
    let poll_idle = counted.count(|world| {
        world.poll();
    });
    GrowthPoint { mappings, push_one, push_nine, poll_idle }
}

/// Adds copies of the rows of the model to the table, as if as many invoices had been pushed.
fn add_mappings(world: &World, mappings: usize) {
    let xero_id = world.books(|books| books.invoices().next().map(|invoice| invoice.id));
    let xero_id = xero_id.expect("the model is in Xero").to_string();
    let mut items = world.table.all_items();
    // Entries of the log expire, and are not part of a mapping.
    let model = items.iter().filter(|item| item.expires_at.is_none() && is_of_model(item));
    let model = model.cloned().collect::<Vec<_>>();
    for number in 0..mappings {
        let copies = model.iter().filter_map(|item| {
            let copy = copy_item(item, number, &xero_id);
            // A row that only mentions the model belongs to the whole account.
            (copy.key != item.key).then_some(copy)
        });
        items.extend(copies);
    }
    world.table.restore_items(items);
}

fn is_of_model(item: &StoredItem) -> bool {
    [&item.key.pk, &item.key.sk, &item.record].into_iter().any(|text| text.contains(MODEL))
}

fn copy_item(item: &StoredItem, number: usize, xero_id: &str) -> StoredItem {
    let offset = u128::try_from(number).unwrap_or_default();
    let other_id = Uuid::from_u128(FIRST_ID + offset).to_string();
    let crm_id = format!("inv_{number:06}");
    let renamed = |text: &str| {
        let text = text.replace(MODEL, &crm_id).replace(xero_id, &other_id);
        text.replace(&MODEL.to_uppercase(), &crm_id.to_uppercase())
    };
    let index_key = |key: &Option<IndexKey>| {
        key.as_ref().map(|key| IndexKey::new(renamed(&key.pk), renamed(&key.sk)))
    };
    StoredItem {
        key: ItemKey::new(renamed(&item.key.pk), renamed(&item.key.sk)),
        version: item.version,
        due: index_key(&item.due),
        open: index_key(&item.open),
        attention: index_key(&item.attention),
        expires_at: item.expires_at,
        record: renamed(&item.record),
        snapshot: item.snapshot.clone(),
    }
}

/// Measures and describes the section.
pub fn measure_section(sizes: &[usize]) -> ReportSection {
    let mut section = ReportSection::new("Growth");
    section.add_text(format!(
        "Calls of AWS and units of the table in an account that has this many invoices in Xero, all of \
         them open: for a push of one invoice of a known client, a push of {TOGETHER} together, and a \
         poll without a change."
    ));
    let mut table = Table::new(&[
        "mappings",
        "calls, one",
        "read units",
        "write units",
        "calls, nine",
        "read units",
        "write units",
        "calls, poll",
        "read units",
        "write units",
    ]);
    for size in sizes {
        let point = count_with_mappings(*size);
        let mut cells = vec![thousands(point.mappings)];
        for used in [point.push_one, point.push_nine, point.poll_idle] {
            cells.push(used.calls().to_string());
            cells.push(quotient(used.table.read_halves, 2));
            cells.push(used.table.write_units.to_string());
        }
        table.add_row(cells);
    }
    section.add_table(&table);
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_mappings_changes_no_count() {
        let (few, many) = (count_with_mappings(10), count_with_mappings(3_000));
        assert_eq!(few.push_one.calls(), many.push_one.calls(), "{few:?} {many:?}");
        assert_eq!(few.push_nine.calls(), many.push_nine.calls(), "{few:?} {many:?}");
        assert_eq!(few.poll_idle.calls(), many.poll_idle.calls(), "{few:?} {many:?}");
        assert_eq!(many.poll_idle.xero, 2, "{many:?}");
    }

    #[test]
    fn every_copy_has_keys_of_its_own() {
        let counted = world_with_client();
        let before = counted.world.table.all_items().len();
        add_mappings(&counted.world, 50);
        let added = counted.world.table.all_items().len() - before;
        assert!(added >= 100, "a mapping and a reverse link each: {added}");
        assert_eq!(added % 50, 0);
    }
}
