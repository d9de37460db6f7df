//! The translation of lines into the lines of a sales document in Xero: accounts and amounts. `tax`
//! chooses the tax rates.

use rust_decimal::Decimal;

use crate::account_codes::AccountCodes;
use crate::chart::{Chart, ChartAccount};
use crate::crm::lines::{DocumentLine, LineAmounts, LineDiscount};
use crate::document::sales::LineItem;
use crate::failure::{Failure, FailureCause, FailureClass, FailureCode};
use crate::ids::XeroContactId;
use crate::line_values::{CANDIDATES_MAX, LineValues};
use crate::money::{Money, round_to_cents};
use crate::spelling::fold_label;
use crate::totals;
use crate::translate::line_values::{find_item_code, find_tracking};
use crate::translate::tax::find_tax_type;
use crate::translate::text::{DocumentTexts, is_sendable};

/// Xero's limit for a line's description, in characters. Whether a character outside the basic plane,
/// such as an emoji, counts as one or as two (UTF-16) is not documented, so it counts as two here.
const DESCRIPTION_LIMIT: usize = 4_000;
/// The decimals of quantities and unit prices that Xero keeps, if the call has `unitdp=4`.
const PRICE_DECIMALS: u32 = 4;

/// The input of a translation besides the document.
#[derive(Debug, Clone, Copy)]
pub struct TranslationContext<'a> {
    /// The contact of the document's client.
    pub contact: XeroContactId,
    /// The chosen account codes.
    pub codes: &'a AccountCodes,
    /// The organisation's chart.
    pub chart: &'a Chart,
    /// The organisation's items and tracking categories, if lines name any.
    pub line_values: &'a LineValues,
    /// The base address of the CRM, for the address of the document's page.
    pub crm_url: &'a str,
}

/// How a document's lines show discounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiscountSupport {
    /// As a field beside the price.
    Apart,
    /// Included in the price: Xero accepts no discounts on a credit note.
    Within,
}

/// Translates the lines of a document.
pub(super) fn line_items(
    lines: &[DocumentLine],
    discounts: DiscountSupport,
    context: TranslationContext<'_>,
    texts: &mut DocumentTexts,
) -> Result<Vec<LineItem>, Failure> {
    let items = lines.iter().zip(1..).map(|(line, place)| {
        let account = match &line.account_code {
            Some(code) => find_line_account(place, code, context.chart)?,
            None => sales_account(context.codes, context.chart)?,
        };
        let item = line_item(line, discounts, account, context, texts)?;
        Ok::<_, Failure>(LineItem {
            item_code: find_item_code(place, line, context.line_values)?,
            tracking: find_tracking(place, line, context.codes, context.line_values)?,
            ..item
        })
    });
    items.collect()
}

pub(super) fn untranslatable_document(
    code: impl Into<FailureCode>,
    message: String,
    remedy: &str,
) -> Failure {
    Failure::new(FailureClass::Untranslatable, code, message, remedy)
}

/// Rejects a document whose stated total rounding cannot explain: one of its figures is wrong, and
/// the integration cannot tell which. `sign` converts the figures to the signs that the CRM shows.
pub(super) fn check_total(
    stated: Money,
    lines: &[DocumentLine],
    line_amounts: LineAmounts,
    sign: Decimal,
) -> Result<(), Failure> {
    if totals::is_explained_by_rounding(stated, lines, line_amounts) {
        return Ok(());
    }
    let total = round_to_cents(totals::sum_lines(lines, line_amounts).total * sign);
    let stated = round_to_cents(stated.amount * sign);
    Err(untranslatable_document(
        "total_unexplained",
        format!("The lines add up to {total}, but the stated total is {stated}."),
        "Correct the lines or the total in ServiceCortex, then send the document again.",
    ))
}

fn sales_account<'a>(codes: &AccountCodes, chart: &'a Chart) -> Result<&'a ChartAccount, Failure> {
    let code = &codes.sales;
    let Some(account) = chart.find_account(code) else {
        let new_code = codes.find_new_code(code, chart).map(|text| format!(" {text}."));
        return Err(untranslatable_document(
            FailureCause::AccountCodeUnknown,
            format!(
                "Account {code} {}.{}",
                chart.describe_missing_account(),
                new_code.unwrap_or_default()
            ),
            "Choose the default account code in Settings > Billing > Payment Settings.",
        ));
    };
    if !account.is_active {
        return Err(untranslatable_document(
            FailureCause::AccountCodeArchived,
            format!("Account {code} ({}) is archived in Xero.", account.name),
            "Choose another default account code in Settings > Billing > Payment Settings, or restore it in Xero, then retry.",
        ));
    }
    if account.is_bank() {
        return Err(untranslatable_document(
            FailureCause::AccountCodeBank,
            format!(
                "Account {code} ({}) is a bank account; Xero does not accept sales on bank accounts.",
                account.name
            ),
            "Choose a revenue account in Settings > Billing > Payment Settings.",
        ));
    }
    if let Some(change) = codes.find_account_change(account, chart) {
        return Err(untranslatable_document(
            "account_code_reassigned",
            format!("Account {change}. Nothing was booked on account {code}."),
            "Check the default account code in Settings > Billing > Payment Settings and save it; the document is then sent automatically.",
        ));
    }
    Ok(account)
}

/// The account that a line names. `place` is the line's number, from 1.
fn find_line_account<'a>(
    place: u32,
    code: &str,
    chart: &'a Chart,
) -> Result<&'a ChartAccount, Failure> {
    let (failure, problem) = match chart.find_account(code) {
        None => ("line_account_unknown", chart.describe_missing_account()),
        Some(account) if !account.is_active => ("line_account_archived", "is archived in Xero"),
        Some(account) if account.is_bank() => {
            ("line_account_bank", "is a bank account; Xero does not accept sales on bank accounts")
        }
        Some(account) => return Ok(account),
    };
    let candidates = list_account_candidates(code, chart);
    let message = if candidates.is_empty() {
        format!("Line {place} names account {code}, which {problem}.")
    } else {
        format!(
            "Line {place} names account {code}, which {problem}. Possible accounts: {candidates}."
        )
    };
    let remedy = "Correct the account on the line in ServiceCortex, then send the document again.";
    Err(untranslatable_document(failure, message, remedy))
}

/// The accounts that a line may have meant: those with this name, otherwise those for income.
fn list_account_candidates(wanted: &str, chart: &Chart) -> String {
    let usable = || chart.accounts.iter().filter(|one| one.is_active && !one.is_bank());
    let wanted = fold_label(wanted);
    let mut found: Vec<&ChartAccount> =
        usable().filter(|one| fold_label(&one.name) == wanted).collect();
    if found.is_empty() {
        found = usable().filter(|one| one.is_income()).collect();
    }
    let names = found.into_iter().take(CANDIDATES_MAX);
    let names = names.map(|account| format!("{} ({})", account.code, account.name));
    names.collect::<Vec<_>>().join(", ")
}

fn line_item(
    line: &DocumentLine,
    discounts: DiscountSupport,
    account: &ChartAccount,
    context: TranslationContext<'_>,
    texts: &mut DocumentTexts,
) -> Result<LineItem, Failure> {
    let tax_type = find_tax_type(line, account, context.codes, context.chart)?;
    let figures = compute_line(line, discounts, texts);
    Ok(LineItem {
        description: figures.description,
        quantity: figures.quantity,
        unit_amount: figures.unit_amount,
        account_code: account.code.clone(),
        tax_type: tax_type.to_owned(),
        discount_rate: figures.discount_rate,
        discount_amount: figures.discount_amount,
        item_code: None,
        tracking: Vec::new(),
    })
}

/// A line without its account and its tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineFigures {
    pub(super) description: String,
    pub(super) quantity: Decimal,
    pub(super) unit_amount: Decimal,
    pub(super) discount_rate: Option<Decimal>,
    pub(super) discount_amount: Option<Decimal>,
}

/// Computes the description and the price of a line. If the description is too long, the figures that
/// end it stay: the line shows them nowhere else.
pub(super) fn compute_line(
    line: &DocumentLine,
    discounts: DiscountSupport,
    texts: &mut DocumentTexts,
) -> LineFigures {
    let priced = compute_price(line, discounts);
    let text = texts.prepare_block("lines", &build_description(line));
    let note = priced.note.map(|note| format!("\n{note}")).unwrap_or_default();
    let kept = shorten_text(&text, DESCRIPTION_LIMIT.saturating_sub(note.len()));
    if kept.len() < text.len() {
        let name = line.name.chars().filter(|sign| is_sendable(*sign)).take(60);
        texts.warnings.push(format!(
            "The description of \"{}\" was shortened: Xero accepts at most {DESCRIPTION_LIMIT} characters.",
            name.collect::<String>()
        ));
    }
    LineFigures {
        description: kept + &note,
        quantity: priced.quantity,
        unit_amount: priced.unit_amount,
        discount_rate: priced.discount_rate,
        discount_amount: priced.discount_amount,
    }
}

fn build_description(line: &DocumentLine) -> String {
    let parts = [Some(line.name.as_str()), line.description.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// The beginning of a text that has at most `limit` UTF-16 units.
fn shorten_text(text: &str, limit: usize) -> String {
    let mut units = 0_usize;
    let fits = |sign: &char| {
        units = units.saturating_add(sign.len_utf16());
        units <= limit
    };
    text.chars().take_while(fits).collect()
}

/// Quantity, price and discount in a form from which Xero computes exactly the same line amount.
struct LinePrice {
    quantity: Decimal,
    unit_amount: Decimal,
    discount_rate: Option<Decimal>,
    discount_amount: Option<Decimal>,
    /// The original figures, if they had to be combined into one.
    note: Option<String>,
}

/// Computes the price of a line. A discount of zero is omitted. A discount of the whole line, or on
/// a negative line, is included in the price: Xero rejects it ("Discount must not be greater than
/// the line total.").
fn compute_price(line: &DocumentLine, discounts: DiscountSupport) -> LinePrice {
    let exact = |number: Decimal, decimals: u32| number.normalize().scale() <= decimals;
    let is_apart = discounts == DiscountSupport::Apart && totals::line_amount(line) > Decimal::ZERO;
    let discount = line.discount.as_ref().filter(|discount| !discount.is_zero());
    let (discount_rate, discount_amount, fits) = match discount {
        None => (None, None, true),
        Some(LineDiscount::Percent(percent)) => {
            (Some(*percent), None, is_apart && exact(*percent, 2))
        }
        Some(LineDiscount::Amount(amount)) => (None, Some(*amount), is_apart && exact(*amount, 2)),
    };
    if fits && exact(line.quantity, PRICE_DECIMALS) && exact(line.unit_price, PRICE_DECIMALS) {
        let (quantity, unit_amount) = (line.quantity, line.unit_price);
        return LinePrice { quantity, unit_amount, discount_rate, discount_amount, note: None };
    }
    let discount = match discount {
        None => String::new(),
        Some(LineDiscount::Percent(percent)) => format!(", less {percent} %"),
        Some(LineDiscount::Amount(amount)) => format!(", less {amount}"),
    };
    LinePrice {
        quantity: Decimal::ONE,
        unit_amount: totals::line_amount(line),
        discount_rate: None,
        discount_amount: None,
        note: Some(format!("({} x {}{discount})", line.quantity, line.unit_price)),
    }
}
