//! The sentence about an invoice or a credit note whose total or tax in Xero is not the CRM's.

use rust_decimal::Decimal;

use crate::crm::lines::{DocumentLine, LineAmounts};
use crate::mapping::DocumentAmounts;
use crate::money::{Money, round_to_cents};
use crate::totals;

/// Describes the difference between a document in Xero and the lines of the CRM, if there is one. A
/// cent for each line is a matter of rounding: of the total it is described as such, of the tax it
/// is not described. With prices that contain tax, another tax rate in Xero changes the tax alone.
pub fn describe_other_totals(
    amounts: &DocumentAmounts,
    tax_in_xero: Option<Money>,
    lines: &[DocumentLine],
    line_amounts: LineAmounts,
) -> Option<String> {
    if amounts.status.is_gone() {
        return None;
    }
    let computed = totals::sum_lines(lines, line_amounts);
    let rounding = Decimal::new(i64::try_from(lines.len()).unwrap_or(i64::MAX), 2);
    let is_near = |ours: Decimal, theirs: Decimal| {
        ours.checked_sub(theirs).is_some_and(|difference| difference.abs() <= rounding)
    };
    let DocumentAmounts { xero_total, crm_total, .. } = amounts;
    let Some(difference) = amounts.total_difference() else {
        let tax = tax_in_xero.filter(|tax| !is_near(computed.total_tax, tax.amount))?.in_cents();
        let ours = Money::new(computed.total_tax, tax.currency).in_cents();
        return Some(format!(
            "The tax differs: {tax} in Xero, {ours} in ServiceCortex. Compare the tax rates of the lines in Xero."
        ));
    };
    let is_rounding =
        xero_total.currency == crm_total.currency && is_near(computed.total, xero_total.amount);
    let reason = if is_rounding && difference.amount > Decimal::ZERO {
        format!(
            "Xero rounds the tax of each line. When {crm_total} is paid, {difference} stays due in Xero: credit it there, or add a line over -{} on the account for rounding before the payment.",
            difference.amount
        )
    } else if is_rounding {
        "Xero rounds the tax of each line.".to_owned()
    } else {
        format!(
            "The lines in ServiceCortex add up to {}. Compare the lines and their tax rates in Xero.",
            round_to_cents(computed.total)
        )
    };
    Some(format!(
        "The totals differ: {xero_total} in Xero, {crm_total} in ServiceCortex ({}). {reason}",
        difference.amount
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::sales::DocumentStatus;
    use crate::money::tests::pounds;
    use crate::translate::tests::a_line;

    /// What is said about three lines of 25.43 with 15 % of tax, which come to 87.72 in Xero.
    fn describe_figures(
        crm: i64,
        xero: i64,
        tax: i64,
        line_amounts: LineAmounts,
    ) -> Option<String> {
        let amounts = DocumentAmounts {
            status: DocumentStatus::Authorised,
            crm_total: pounds(crm),
            xero_total: pounds(xero),
            amount_due: pounds(xero),
            amount_paid: None,
            amount_credited: None,
            credits: Vec::new(),
            credit_uses: Vec::new(),
            due_date: None,
            paid_on: None,
            missing_since: None,
        };
        let lines = vec![a_line("1", "25.43", Some("15")); 3];
        let tax = Some(pounds(tax));
        let said = describe_other_totals(&amounts, tax, &lines, line_amounts);
        let gone = DocumentAmounts { status: DocumentStatus::Voided, ..amounts };
        assert_eq!(describe_other_totals(&gone, tax, &lines, line_amounts), None);
        said
    }

    #[test]
    fn a_total_that_xero_rounds_otherwise_is_explained_by_rounding() {
        let said = describe_figures(8_773, 8_772, 1_143, LineAmounts::Exclusive).unwrap();
        assert_eq!(
            said,
            "The totals differ: GBP 87.72 in Xero, GBP 87.73 in ServiceCortex (-0.01). Xero rounds the tax of each line."
        );
        assert_eq!(describe_figures(8_772, 8_772, 1_143, LineAmounts::Exclusive), None);
        // A higher total leaves a cent due, which nothing else explains.
        let said = describe_figures(8_771, 8_772, 1_143, LineAmounts::Exclusive).unwrap();
        assert!(
            said.ends_with(
                "When GBP 87.71 is paid, GBP 0.01 stays due in Xero: credit it there, or add a line over -0.01 on the account for rounding before the payment."
            ),
            "{said}"
        );
    }

    #[test]
    fn a_total_that_no_rounding_gives_is_not_explained_by_rounding() {
        // Xero charges 20 % instead of 15 %.
        let said = describe_figures(8_772, 9_155, 1_526, LineAmounts::Exclusive).unwrap();
        assert!(said.contains("add up to 87.72"), "{said}");
        assert!(said.contains("tax rates"), "{said}");
        assert!(!said.contains("rounds"), "{said}");
    }

    #[test]
    fn another_tax_within_the_same_total_is_described_beyond_a_cent_for_each_line() {
        // 76.29 contain 9.96 of tax, computed on each line.
        let inclusive = LineAmounts::Inclusive;
        let said = describe_figures(7_629, 7_629, 1_272, inclusive).unwrap();
        assert!(said.starts_with("The tax differs: GBP 12.72 in Xero, GBP 9.96"), "{said}");
        assert_eq!(describe_figures(7_629, 7_629, 996, inclusive), None);
        assert_eq!(describe_figures(7_629, 7_629, 999, inclusive), None);
        assert!(describe_figures(7_629, 7_629, 1_000, inclusive).is_some());
    }
}
