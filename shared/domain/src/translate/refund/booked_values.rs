//! The accounts and the tax rates with which an invoice is booked in Xero.

use crate::chart::Chart;
use crate::crm::invoice::Invoice;
use crate::crm::lines::DocumentLine;
use crate::document::invoice::RemoteLine;
use crate::failure::{Failure, FailureClass};

/// A value of a line in Xero.
type LineValue = fn(&RemoteLine) -> Option<&String>;

/// The invoice with the accounts and the tax rates that its lines have in Xero, where the CRM names
/// none: a refund takes back what was booked, and the defaults may have changed since. If Xero has
/// another number of lines, only a value that all of them have is used. A tax rate that documents
/// can no longer carry is left to the usual rules.
///
/// # Errors
///
/// Fails if an account cannot be used any more: booked on another one, the refund would be missing
/// on the invoice's.
pub fn with_booked_values(
    invoice: &Invoice,
    held: &[RemoteLine],
    chart: &Chart,
) -> Result<Invoice, Failure> {
    let is_same_count = held.len() == invoice.lines.len();
    let lines = invoice.lines.iter().enumerate().map(|(place, line)| {
        let place = Some(place).filter(|_| is_same_count);
        let mut line = line.clone();
        if line.account_code.is_none()
            && let Some(code) = find_value(held, place, read_account_code)
        {
            require_usable_account(code, invoice, chart)?;
            line.account_code = Some(code.clone());
        }
        if line.tax_name.is_none()
            && let Some(tax_type) = find_value(held, place, read_tax_type)
            && is_usable_rate(tax_type, &line, chart)
        {
            line.tax_name = Some(tax_type.clone());
        }
        Ok::<_, Failure>(line)
    });
    let lines = lines.collect::<Result<Vec<DocumentLine>, Failure>>()?;
    Ok(Invoice { lines, ..invoice.clone() })
}

const fn read_account_code(line: &RemoteLine) -> Option<&String> {
    line.account_code.as_ref()
}

const fn read_tax_type(line: &RemoteLine) -> Option<&String> {
    line.tax_type.as_ref()
}

/// The value of one line; without its place, the value that all lines have.
fn find_value(held: &[RemoteLine], place: Option<usize>, value: LineValue) -> Option<&String> {
    if let Some(place) = place {
        return held.get(place).and_then(value);
    }
    let first = held.first().and_then(value)?;
    held.iter().all(|line| value(line) == Some(first)).then_some(first)
}

fn require_usable_account(code: &str, invoice: &Invoice, chart: &Chart) -> Result<(), Failure> {
    let problem = match chart.find_account(code) {
        Some(account) if account.is_active => return Ok(()),
        Some(_) => "is archived in Xero",
        None => chart.describe_missing_account(),
    };
    Err(Failure::new(
        FailureClass::Untranslatable,
        "refund_account_unusable",
        format!(
            "{} is booked on account {code}, which {problem}, so the refund cannot be booked on it.",
            invoice.number
        ),
        "Restore the account in Xero, then retry.",
    ))
}

/// Whether documents to customers can carry this rate, and it charges the line's percentage.
fn is_usable_rate(tax_type: &str, line: &DocumentLine, chart: &Chart) -> bool {
    let percent = line.tax_rate.unwrap_or_default();
    let mut rates = chart.tax_rates.iter();
    rates.any(|tax| tax.tax_type == tax_type && tax.is_for_sales() && tax.charged_rate() == percent)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::chart::ChartAccount;
    use crate::chart::tests::{a_chart, a_rate, an_account};
    use crate::failure::ResponsibleParty;
    use crate::translate::tests::{a_line, an_invoice};

    fn held(account: &str, tax_type: &str) -> RemoteLine {
        RemoteLine {
            id: None,
            description: None,
            quantity: Decimal::ONE,
            unit_amount: Decimal::TEN,
            discount_rate: None,
            discount_amount: None,
            account_code: Some(account.to_owned()),
            tax_type: Some(tax_type.to_owned()),
            item_code: None,
            tracking: Vec::new(),
        }
    }

    fn chart() -> Chart {
        let archived = ChartAccount { is_active: false, ..an_account("201", "REVENUE") };
        let rates = vec![a_rate("OUTPUT2", "20%", 20.into()), a_rate("RROUTPUT", "5%", 5.into())];
        let accounts = vec![an_account("200", "REVENUE"), an_account("260", "REVENUE"), archived];
        Chart { tax_rates: rates, ..a_chart(accounts) }
    }

    /// The account and the tax rate of a line.
    type BookedValues = (Option<String>, Option<String>);

    /// The account and the tax rate of each line of an invoice with two lines.
    fn booked(held: &[RemoteLine]) -> Result<Vec<BookedValues>, Failure> {
        let own = DocumentLine {
            account_code: Some("260".to_owned()),
            tax_name: Some("20%".to_owned()),
            ..a_line("1", "10", Some("20"))
        };
        let lines = vec![a_line("1", "10", Some("20")), own];
        let invoice = with_booked_values(&Invoice { lines, ..an_invoice() }, held, &chart())?;
        let values = invoice.lines.into_iter().map(|line| (line.account_code, line.tax_name));
        Ok(values.collect())
    }

    #[test]
    fn a_line_that_names_no_account_and_no_rate_has_those_of_the_invoice_in_xero() {
        let own = (Some("260".to_owned()), Some("20%".to_owned()));
        let first = |account: Option<&str>, tax: Option<&str>| {
            vec![(account.map(str::to_owned), tax.map(str::to_owned)), own.clone()]
        };
        let (sales, other) = (held("200", "OUTPUT2"), held("260", "RROUTPUT"));
        for (held, expected) in [
            (vec![sales.clone(), other.clone()], first(Some("200"), Some("OUTPUT2"))),
            // 5 % is not what the line charges.
            (vec![other.clone(), sales.clone()], first(Some("260"), None)),
            (vec![sales.clone()], first(Some("200"), Some("OUTPUT2"))),
            (vec![sales.clone(), other, sales], first(None, None)),
            (Vec::new(), first(None, None)),
        ] {
            assert_eq!(booked(&held).unwrap(), expected, "{held:?}");
        }
    }

    #[test]
    fn an_account_that_cannot_be_used_any_more_is_not_replaced_by_the_default() {
        for account in ["201", "999"] {
            let refused = booked(&[held(account, "OUTPUT2")]).unwrap_err();
            assert_eq!(refused.code, "refund_account_unusable");
            assert!(refused.message.contains(account), "{refused}");
            assert_eq!(refused.find_responsible_party(), ResponsibleParty::Bookkeeper);
        }
    }
}
