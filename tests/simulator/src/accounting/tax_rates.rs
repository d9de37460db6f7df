//! `GET /TaxRates`.

use super::RequestContext;
use crate::answer::Answer;
use crate::books::Books;
use crate::filter::{Field, Kind, Queried, Value};
use crate::json::{Json, Object};
use crate::listing::Query;
use crate::organisation::{AccountClass, TaxRate};

impl RequestContext<'_> {
    pub(super) fn tax_rates(&mut self, tax_type: Option<&str>) -> Result<Answer, Answer> {
        let query = Query::read::<Row<'_>>(self.incoming)?;
        let mut rows: Vec<Row<'_>> = self
            .books
            .organisation
            .tax_rates
            .iter()
            .map(Row)
            .filter(|row| match tax_type {
                Some(tax_type) => row.0.tax_type == tax_type,
                None => query.admits(row),
            })
            .collect();
        if tax_type.is_some() && rows.is_empty() {
            return Err(Answer::not_found());
        }
        query.sort(&mut rows);
        let rows = rows.into_iter().map(|row| render(self.books, row.0)).collect();
        Ok(self.envelope("TaxRates", rows, None))
    }
}

fn render(books: &Books, rate: &TaxRate) -> Json {
    let applies = |class| rate.applies_to.contains(&class);
    let component = Object::new()
        .with("Name", &rate.name)
        .with("Rate", Json::decimal(rate.rate, 4))
        .with("IsCompound", false)
        .with("IsNonRecoverable", false);
    let object = Object::new()
        .with("Name", &rate.name)
        .with("TaxType", &rate.tax_type)
        .with("CanApplyToAssets", applies(AccountClass::Asset))
        .with("CanApplyToEquity", applies(AccountClass::Equity))
        .with("CanApplyToExpenses", applies(AccountClass::Expense))
        .with("CanApplyToLiabilities", applies(AccountClass::Liability))
        .with("CanApplyToRevenue", applies(AccountClass::Revenue))
        .with("DisplayTaxRate", Json::decimal(rate.rate, 4))
        .with("EffectiveRate", Json::decimal(rate.rate, 4))
        .with("Status", rate.status.as_str())
        .with("TaxComponents", vec![Json::Object(component)]);
    books.shown_rate(&rate.tax_type, object).into()
}

#[derive(Debug)]
struct Row<'a>(&'a TaxRate);

impl Queried for Row<'_> {
    const NAME: &'static str = "TaxRate";
    const FIELDS: &'static [Field] = &[
        Field { name: "Name", kind: Kind::FoldedText },
        Field { name: "TaxType", kind: Kind::Text },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "DisplayTaxRate", kind: Kind::Number },
        Field { name: "EffectiveRate", kind: Kind::Number },
        Field { name: "CanApplyToAssets", kind: Kind::Truth },
        Field { name: "CanApplyToEquity", kind: Kind::Truth },
        Field { name: "CanApplyToExpenses", kind: Kind::Truth },
        Field { name: "CanApplyToLiabilities", kind: Kind::Truth },
        Field { name: "CanApplyToRevenue", kind: Kind::Truth },
    ];

    fn value(&self, field: &str) -> Value {
        let applies = |class| Value::Truth(self.0.applies_to.contains(&class));
        match field {
            "Name" => Value::text(Some(&self.0.name)),
            "TaxType" => Value::text(Some(&self.0.tax_type)),
            "Status" => Value::text(Some(self.0.status.as_str())),
            "DisplayTaxRate" | "EffectiveRate" => Value::Number(self.0.rate),
            "CanApplyToAssets" => applies(AccountClass::Asset),
            "CanApplyToEquity" => applies(AccountClass::Equity),
            "CanApplyToExpenses" => applies(AccountClass::Expense),
            "CanApplyToLiabilities" => applies(AccountClass::Liability),
            "CanApplyToRevenue" => applies(AccountClass::Revenue),
            _ => Value::Null,
        }
    }
}
