//! The totals of the documents in Xero that are not voided, beside those that the CRM billed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::check::{Happened, Row};

/// The sums of one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// The number of invoices in Xero that are not voided, including credited ones.
    pub(super) invoices: usize,
    /// Their total according to the CRM.
    pub(super) billed: Decimal,
    /// Their total in Xero.
    pub(super) in_xero: Decimal,
}

/// The totals of the documents in Xero that are not voided, by currency.
pub(super) fn sums(rows: &[Row]) -> BTreeMap<&str, Sums> {
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for row in rows {
        let stands = match row.happened {
            Happened::Pushed | Happened::Credited | Happened::Updated | Happened::Unchanged => true,
            Happened::Voided | Happened::Failed(_) | Happened::Open(_) => false,
        };
        if let (true, Some(in_xero)) = (stands, row.in_xero) {
            let sum = sums.entry(&row.currency).or_default();
            sum.invoices = sum.invoices.saturating_add(1);
            sum.billed = sum.billed.saturating_add(row.billed);
            sum.in_xero = sum.in_xero.saturating_add(in_xero);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::sums;
    use crate::story::check::{Happened, Row};

    #[test]
    fn voided_and_failed_documents_are_not_summed() {
        let row = |happened, in_xero: Option<i64>| Row {
            number: "1".into(),
            client: "Ana".into(),
            currency: "GBP".into(),
            billed: Decimal::new(1001, 2),
            in_xero: in_xero.map(|cents| Decimal::new(cents, 2)),
            happened,
            problem: None,
        };
        let rows = [
            row(Happened::Pushed, Some(1000)),
            row(Happened::Updated, Some(1001)),
            row(Happened::Voided, Some(1001)),
            row(Happened::Failed("no".into()), None),
            Row { billed: Decimal::new(-4800, 2), ..row(Happened::Credited, Some(-4800)) },
        ];
        let sums = sums(&rows);
        let pounds = &sums["GBP"];
        assert_eq!(
            (pounds.invoices, pounds.billed, pounds.in_xero),
            (3, Decimal::new(-2798, 2), Decimal::new(-2799, 2))
        );
    }
}
