//! The lines of a written document: descriptions, accounts, tax rates.

use super::{catalogue, pricing};
use crate::accounting::RequestContext;
use crate::accounting::fields::{Fields, Refusal, Sent};
use crate::books::line::Line;
use crate::json::Object;
use crate::money::LineAmounts;
use crate::organisation::{Account, AccountClass, AccountKind, RowStatus};

/// Xero: a description has at most 4,000 characters.
const LONGEST_DESCRIPTION: usize = 4_000;

/// The document's rules for its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::accounting) struct Terms {
    pub(in crate::accounting) line_amounts: LineAmounts,
    pub(in crate::accounting) accounts: Accounts,
    pub(in crate::accounting) discounts: Discounts,
}

/// The accounts that lines may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::accounting) enum Accounts {
    /// Every active account except bank accounts and Xero's system accounts.
    Open,
    /// Only the one for accounts receivable, which is the default.
    Debtors,
}

/// Whether lines may carry discounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::accounting) enum Discounts {
    Allowed,
    Refused,
}

/// The lines after a write. A sent line with the id of one of `before` changes it; a line of
/// `before` that is not sent is removed.
pub(in crate::accounting) fn read(
    context: &mut RequestContext<'_>,
    before: &[Line],
    sent: &[&Object],
    terms: Terms,
    messages: &mut Vec<String>,
) -> Result<Vec<Line>, Refusal> {
    let mut lines = Vec::with_capacity(sent.len());
    for element in sent {
        let fields = Fields::of(element);
        let existing = match fields.id("LineItemID")? {
            None => None,
            Some(id) => before.iter().find(|line| line.id == id).cloned(),
        };
        let mut line = existing.unwrap_or_else(|| Line {
            id: context.ids.next(),
            description: None,
            amounts: None,
            account_code: None,
            account: None,
            tax_type: None,
            discount: None,
            item_code: None,
            tracking: Vec::new(),
        });
        describe(&mut line, &fields, messages)?;
        catalogue::choose_item(context, &mut line, &fields, messages)?;
        catalogue::choose_tracking(context, &mut line, &fields, messages)?;
        choose_account(context, &mut line, &fields, terms, messages)?;
        choose_tax(context, &mut line, &fields, terms, messages)?;
        pricing::discount(context, &mut line, &fields, terms, messages)?;
        pricing::price(context, &mut line, &fields, terms, messages)?;
        lines.push(line);
    }
    Ok(lines)
}

/// The missing member of a line on a document that is not a draft.
pub(in crate::accounting) fn unfinished(line: &Line) -> Option<String> {
    if line.description.is_none() {
        return Some("Description is required for each line item.".to_owned());
    }
    // A line that has only a description needs no account.
    (line.amounts.is_some() && line.account.is_none())
        .then(|| "Account code must be specified".to_owned())
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
    Ok(())
}

fn choose_account(
    context: &RequestContext<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    terms: Terms,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let organisation = &context.books.organisation;
    let (named, account) = match (fields.text("AccountCode")?, fields.id("AccountID")?) {
        (Some(code), _) => (code.clone(), organisation.account(&code)),
        (None, Some(id)) => (id.to_string(), context.books.account(id)),
        (None, None) => match terms.accounts {
            Accounts::Open => return Ok(()),
            Accounts::Debtors => (DEBTORS.to_owned(), organisation.system_account(DEBTORS)),
        },
    };
    match account {
        Some(account) if account.status != RowStatus::Active => messages.push(format!(
            "Account code '{named}' has been archived, or has been deleted. Each line item must \
             reference a valid account.",
        )),
        Some(account) if terms.accounts.take(account) => {}
        Some(_) | None if context.unconfirmed.line_refusals_are_short => {
            messages.push("Account must be valid.".to_owned());
        }
        Some(_) | None => {
            messages.push(format!("Account code '{named}' is not a valid code for this document."));
        }
    }
    line.account_code = account.and_then(|account| account.code.clone());
    line.account = account.map(|account| account.id);
    Ok(())
}

/// Xero's role for the accounts receivable account.
const DEBTORS: &str = "DEBTORS";

impl Accounts {
    /// Xero: bank accounts and system accounts accept no lines; the rounding account does.
    fn take(self, account: &Account) -> bool {
        let role = account.system_account.as_deref();
        match self {
            Self::Open => {
                account.kind != AccountKind::Bank && role.is_none_or(|role| role == "ROUNDING")
            }
            Self::Debtors => role == Some(DEBTORS),
        }
    }
}

fn choose_tax(
    context: &RequestContext<'_>,
    line: &mut Line,
    fields: &Fields<'_>,
    terms: Terms,
    messages: &mut Vec<String>,
) -> Result<(), Refusal> {
    let account = line.account.and_then(|id| context.books.account(id));
    if let Some(tax_type) = fields.text("TaxType")? {
        let class = account.map(|account| account.kind.class());
        let is_applicable = may_apply(context, &tax_type, class);
        let is_short = context.unconfirmed.line_refusals_are_short;
        if !is_applicable && is_short {
            messages.push("Tax rate must be valid.".to_owned());
        }
        // For an unknown code Xero has been observed to use both messages (Xero-Java#336).
        if !is_short && context.books.organisation.tax_rate(&tax_type).is_none() {
            messages.push(format!(
                "The TaxType code {tax_type} does not exist or cannot be used for this type of \
                 transaction."
            ));
        }
        if !is_applicable && !is_short {
            let code = line.account_code.as_deref().unwrap_or_default();
            messages.push(format!(
                "The TaxType code '{tax_type}' cannot be used with account code '{code}'."
            ));
        }
        line.tax_type = Some(tax_type);
    } else if line.tax_type.is_none() {
        line.tax_type = account.map(|account| account.tax_type.clone());
    }
    if terms.line_amounts == LineAmounts::NoTax {
        line.tax_type = Some(context.books.organisation.untaxed().to_owned());
    }
    Ok(())
}

fn may_apply(context: &RequestContext<'_>, tax_type: &str, class: Option<AccountClass>) -> bool {
    context.books.organisation.tax_rate(tax_type).is_some_and(|rate| {
        rate.status == RowStatus::Active
            && class.is_none_or(|class| rate.applies_to.contains(&class))
    })
}
