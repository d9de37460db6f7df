//! `GET /Items`: the price list.

use super::RequestContext;
use crate::answer::Answer;
use crate::books::Books;
use crate::catalogue::Item;
use crate::filter::{Field, Kind, Queried, Value};
use crate::json::{Json, Object};
use crate::listing::Query;

impl RequestContext<'_> {
    /// The items; `id` is an item's id or code.
    pub(super) fn items(&mut self, id: Option<&str>) -> Result<Answer, Answer> {
        let query = Query::read::<Row<'_>>(self.incoming)?;
        let items = self.books.organisation.items.iter().map(Row);
        let mut rows: Vec<Row<'_>> = items
            .filter(|row| match id {
                Some(id) => row.0.id.to_string().eq_ignore_ascii_case(id) || row.0.code == id,
                None => query.admits(row),
            })
            .collect();
        if id.is_some() && rows.is_empty() {
            return Err(Answer::not_found());
        }
        query.sort(&mut rows);
        let rows = rows.into_iter().map(|row| render(self.books, row.0)).collect();
        Ok(self.envelope("Items", rows, None))
    }
}

fn render(books: &Books, item: &Item) -> Json {
    let object = Object::new()
        .with("ItemID", item.id)
        .with("Code", &item.code)
        .with("Name", &item.name)
        .with("IsTrackedAsInventory", false)
        .with("IsSold", item.is_sold)
        .with("IsPurchased", true);
    books.shown(item.id, object).into()
}

#[derive(Debug)]
struct Row<'a>(&'a Item);

impl Queried for Row<'_> {
    const NAME: &'static str = "Item";
    const FIELDS: &'static [Field] = &[
        Field { name: "ItemID", kind: Kind::Guid },
        Field { name: "Code", kind: Kind::Text },
        Field { name: "Name", kind: Kind::FoldedText },
        Field { name: "IsSold", kind: Kind::Truth },
    ];

    fn value(&self, field: &str) -> Value {
        match field {
            "ItemID" => Value::Guid(self.0.id),
            "Code" => Value::text(Some(&self.0.code)),
            "Name" => Value::text(Some(&self.0.name)),
            "IsSold" => Value::Truth(self.0.is_sold),
            _ => Value::Null,
        }
    }
}
