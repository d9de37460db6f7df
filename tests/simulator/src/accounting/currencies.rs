//! `GET /Currencies`: the enabled ones.

use super::RequestContext;
use crate::answer::Answer;
use crate::filter::{Field, Kind, Queried, Value};
use crate::json::Object;
use crate::listing::Query;
use crate::organisation::Currency;

impl RequestContext<'_> {
    pub(super) fn currencies(&mut self) -> Result<Answer, Answer> {
        let query = Query::read::<Row<'_>>(self.incoming)?;
        let currencies = self.books.organisation.currencies.iter().map(Row);
        let mut rows: Vec<Row<'_>> = currencies.filter(|row| query.admits(row)).collect();
        query.sort(&mut rows);
        let rows = rows
            .into_iter()
            .map(|Row(currency)| {
                Object::new()
                    .with("Code", &currency.code)
                    .with("Description", &currency.description)
                    .into()
            })
            .collect();
        Ok(self.envelope("Currencies", rows, None))
    }
}

#[derive(Debug)]
struct Row<'a>(&'a Currency);

impl Queried for Row<'_> {
    const NAME: &'static str = "Currency";
    const FIELDS: &'static [Field] = &[
        Field { name: "Code", kind: Kind::Text },
        Field { name: "Description", kind: Kind::Text },
    ];

    fn value(&self, field: &str) -> Value {
        match field {
            "Code" => Value::text(Some(&self.0.code)),
            "Description" => Value::text(Some(&self.0.description)),
            _ => Value::Null,
        }
    }
}
