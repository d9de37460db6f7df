//! The lines of a written invoice: figures, discount, account, tax.

use super::write::Planned;
use crate::accounting::Desk;
use crate::accounting::fields::{Fields, Refusal, Sent};
use crate::books::invoice::{Invoice, Line, LineFigures};
use crate::json::Object;
use crate::money::{self, Discount, Figures, LineAmounts, Priced, Unpriceable};
use crate::organisation::{Account, AccountClass, AccountKind, Standing};
use rust_decimal::Decimal;

/// Xero: a description has at most 4,000 characters.
const LONGEST_DESCRIPTION: usize = 4_000;

/// Replaces the lines by the sent ones. A sent line with the id of an existing one changes it; an
/// existing line that is not sent is gone.
pub(super) fn apply(
    desk: &mut Desk<'_>,
    planned: &mut Planned,
    sent: &[&Object],
) -> Result<(), Refusal> {
    let before = std::mem::take(&mut planned.invoice.lines);
    for element in sent {
        let fields = Fields::of(element);
        let existing = match fields.id("LineItemID")? {
            None => None,
            Some(id) => before.iter().find(|line| line.id == id).cloned(),
        };
        let mut line = existing.unwrap_or_else(|| Line {
            id: desk.ids.next(),
            description: None,
            amounts: None,
            account_code: None,
            account: None,
            tax_type: None,
            discount: None,
        });
        describe(&mut line, &fields, &mut planned.messages)?;
        choose_account(desk, &mut line, &fields, &mut planned.messages)?;
        choose_tax(desk, &mut line, &fields, planned)?;
        choose_discount(desk, &mut line, &fields, &mut planned.messages)?;
        price(desk, &mut line, &fields, planned)?;
        planned.invoice.lines.push(line);
    }
    Ok(())
}

/// Computes the tax of every line again, after the meaning of the line amounts changed.
pub(super) fn tax_again(desk: &Desk<'_>, invoice: &mut Invoice) {
    let line_amounts = invoice.line_amounts;
    for line in &mut invoice.lines {
        let rate = rate(desk, line.tax_type.as_deref());
        if let Some(figures) = &mut line.amounts {
            figures.tax_amount =
                money::tax(figures.line_amount, rate, line_amounts, desk.unconfirmed.rounding);
        }
    }
}

fn describe(
    line: &mut Line,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    match fields.sent("Description")? {
        Sent::Nothing => {}
        Sent::Empty => line.description = None,
        Sent::Text(text) => {
            if text.chars().count() > LONGEST_DESCRIPTION {
                messages.push(format!(
                    "Description must be {LONGEST_DESCRIPTION} characters or fewer."
                ));
            }
            line.description = Some(text);
        }
    }
    if let Some(code) = fields.text("ItemCode")? {
        // The simulated organisations sell no stock items, so no code can be right.
        messages.push(format!("Item code '{code}' is not valid"));
    }
    Ok(())
}

fn choose_account(
    desk: &Desk<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let organisation = &desk.books.organisation;
    let (named, account) = match (fields.text("AccountCode")?, fields.id("AccountID")?) {
        (Some(code), _) => (code.clone(), organisation.account(&code)),
        (None, Some(id)) => {
            (id.to_string(), organisation.accounts.iter().find(|account| account.id == id))
        }
        (None, None) => return Ok(()),
    };
    match account {
        Some(account) if account.status != Standing::Active => messages.push(format!(
            "Account code '{named}' has been archived, or has been deleted. Each line item must \
             reference a valid account.",
        )),
        Some(account) if takes_lines(account) => {}
        Some(_) | None => {
            messages.push(format!("Account code '{named}' is not a valid code for this document."));
        }
    }
    line.account_code = account.and_then(|account| account.code.clone());
    line.account = account.map(|account| account.id);
    Ok(())
}

/// Xero: bank accounts and its own accounts take no lines; the rounding account does.
fn takes_lines(account: &Account) -> bool {
    let is_own = account.system_account.as_deref().is_some_and(|role| role != "ROUNDING");
    account.kind != AccountKind::Bank && !is_own
}

fn choose_tax(
    desk: &Desk<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    planned: &mut Planned,
) -> Result<(), Refusal> {
    let organisation = &desk.books.organisation;
    let account = organisation.accounts.iter().find(|account| Some(account.id) == line.account);
    if let Some(tax_type) = fields.text("TaxType")? {
        let class = account.map(|account| account.kind.class());
        if !may_apply(desk, &tax_type, class) {
            let code = line.account_code.as_deref().unwrap_or_default();
            planned.messages.push(format!(
                "The TaxType code '{tax_type}' cannot be used with account code '{code}'."
            ));
        }
        line.tax_type = Some(tax_type);
    } else if line.tax_type.is_none() {
        line.tax_type = account.map(|account| account.tax_type.clone());
    }
    if planned.invoice.line_amounts == LineAmounts::NoTax {
        line.tax_type = Some("NONE".to_owned());
    }
    Ok(())
}

fn may_apply(desk: &Desk<'_>, tax_type: &str, class: Option<AccountClass>) -> bool {
    desk.books.organisation.tax_rate(tax_type).is_some_and(|rate| {
        rate.status == Standing::Active
            && class.is_none_or(|class| rate.applies_to.contains(&class))
    })
}

fn rate(desk: &Desk<'_>, tax_type: Option<&str>) -> Decimal {
    tax_type
        .and_then(|tax_type| desk.books.organisation.tax_rate(tax_type))
        .map(|rate| rate.rate)
        .unwrap_or_default()
}

fn choose_discount(
    desk: &Desk<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let percent = fields.number("DiscountRate")?.filter(|rate| !rate.is_zero());
    let amount = fields.number("DiscountAmount")?.filter(|amount| !amount.is_zero());
    match (percent, amount) {
        (None, None) => {}
        (Some(percent), None) => {
            if percent < Decimal::ZERO || percent > Decimal::ONE_HUNDRED {
                messages.push("Discount rate must be between 0 and 100.".to_owned());
            } else {
                line.discount = Some(Discount::Rate(percent));
            }
        }
        (None, Some(amount)) => {
            let rounded = money::round(amount, 2, desk.unconfirmed.rounding);
            line.discount = Some(Discount::Amount(rounded));
        }
        (Some(_), Some(_)) => messages
            .push("A line item takes a discount rate or a discount amount, not both.".to_owned()),
    }
    Ok(())
}

fn price(
    desk: &Desk<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    planned: &mut Planned,
) -> Result<(), Refusal> {
    let sent = Figures {
        quantity: fields.number("Quantity")?,
        unit_amount: fields.number("UnitAmount")?,
        line_amount: fields.number("LineAmount")?,
    };
    let says_nothing =
        sent.quantity.is_none() && sent.unit_amount.is_none() && sent.line_amount.is_none();
    let before = line.amounts;
    if says_nothing && before.is_none() {
        return Ok(());
    }
    let figures = Figures {
        quantity: sent.quantity.or(before.map(|figures| figures.quantity)),
        unit_amount: sent.unit_amount.or(before.map(|figures| figures.unit_amount)),
        line_amount: sent.line_amount,
    };
    let rounding = desk.unconfirmed.rounding;
    // A line that keeps its price keeps the places it was priced with.
    let keeps = sent.unit_amount.is_none() && before.is_some();
    let places = if keeps { 4 } else { desk.unit_places() };
    let overridden = fields.number("TaxAmount")?;
    let line_amounts = planned.invoice.line_amounts;
    let outcome = money::price(figures, line.discount, places, rounding).and_then(|priced| {
        let tax_amount = tax(desk, line, priced, line_amounts, overridden)?;
        Ok(LineFigures {
            quantity: priced.quantity,
            unit_amount: priced.unit_amount,
            line_amount: priced.line_amount,
            tax_amount,
            discounted: priced.discounted,
        })
    });
    match outcome {
        Ok(figures) => line.amounts = Some(figures),
        Err(Unpriceable::Disagrees { sent, expected }) => planned.messages.push(format!(
            "The line total {sent:.2} does not match the expected line total {expected:.2}"
        )),
        Err(Unpriceable::TooLarge) => {
            planned.messages.push("The line amount is too large.".to_owned());
        }
    }
    Ok(())
}

/// The tax of a line; a sent amount overrides the computed one.
fn tax(
    desk: &Desk<'_>,
    line: &Line,
    priced: Priced,
    line_amounts: LineAmounts,
    overridden: Option<Decimal>,
) -> Result<Decimal, Unpriceable> {
    let rounding = desk.unconfirmed.rounding;
    if let Some(amount) = overridden.filter(|_| line_amounts != LineAmounts::NoTax) {
        return money::overridden_tax(amount, rounding);
    }
    let rate = rate(desk, line.tax_type.as_deref());
    Ok(money::tax(priced.line_amount, rate, line_amounts, rounding))
}
