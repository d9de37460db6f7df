//! The account codes an account has chosen from its organisation's chart.

mod meanings;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::chart::Chart;
use crate::crm::payment::PaymentMethod;
use crate::crm::tracking::{LineTracking, TRACKING_MAX};
use crate::line_values::TrackingCatalogue;

pub use self::meanings::{ChosenAccount, ChosenMeanings, ChosenTaxRate};

/// The revenue account of invoice lines unless the customer chooses another.
pub const DEFAULT_SALES_CODE: &str = "200";

/// The account codes, the tax types and the tracking options that an account can configure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCodes {
    /// Revenue account of invoice lines.
    pub sales: String,
    /// Bank account that receives Stripe payouts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_bank: Option<String>,
    /// Expense account of Stripe's fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_fee: Option<String>,
    /// Income account of surcharges that customers pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_surcharge: Option<String>,
    /// Account of gift card redemptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_card: Option<String>,
    /// Account of payments in cash. While none is chosen, they are not written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash: Option<String>,
    /// Account of payments by cheque. While none is chosen, they are not written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheque: Option<String>,
    /// Account of payments by card on a separate terminal. While none is chosen, they are not
    /// written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Account of payments by bank transfer. While none is chosen, they are not written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_transfer: Option<String>,
    /// Xero's tax type for each tax rate of the CRM. A key is the rate as a plain percentage, such
    /// as `20`, or [`NO_TAX_RATE`] for lines outside the scope of tax. For a rate without an entry,
    /// translation looks for a tax rate of the same percentage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tax_types: BTreeMap<String, String>,
    /// The tracking options of lines that name none, at most one of each of two categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracking: Vec<LineTracking>,
    /// What the codes meant when a user chose them. `None` if no user has chosen any, or if an
    /// earlier release stored them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meanings: Option<ChosenMeanings>,
}

/// The key in [`AccountCodes::tax_types`] for lines outside the scope of tax.
pub const NO_TAX_RATE: &str = "none";

/// Why a chosen code cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeObjection {
    /// The name of the field: a code such as `sales`, a tax type such as `tax_types.20`, or a
    /// tracking option such as `tracking[0]`.
    pub field: String,
    /// The problem, phrased as the continuation of a sentence that starts with the field's name.
    pub problem: String,
}

impl AccountCodes {
    /// Checks the codes and the tax types against an organisation's chart. An empty list means that
    /// all of them can be used, and mean what they meant when they were chosen.
    pub fn find_objections(&self, chart: &Chart) -> Vec<CodeObjection> {
        let codes = self.list_accounts().into_iter().filter_map(|(purpose, code)| {
            let code = code?;
            let problem = account_objection(purpose, code, chart)
                .map(|problem| self.add_new_code(problem, code, chart))
                .or_else(|| self.find_account_doubt(code, chart))?;
            Some(CodeObjection { field: purpose.field_name().to_owned(), problem })
        });
        let taxes = self.tax_types.iter().filter_map(|(rate, tax_type)| {
            let problem = find_tax_type_objection(rate, tax_type, chart)
                .or_else(|| self.find_tax_doubt(tax_type, chart))?;
            Some(CodeObjection { field: format!("tax_types.{rate}"), problem })
        });
        codes.chain(taxes).collect()
    }

    /// The accounts by purpose; `None` where none is chosen.
    fn list_accounts(&self) -> [(AccountPurpose, Option<&String>); 9] {
        [
            (AccountPurpose::Sales, Some(&self.sales)),
            (AccountPurpose::StripeBank, self.stripe_bank.as_ref()),
            (AccountPurpose::StripeFee, self.stripe_fee.as_ref()),
            (AccountPurpose::StripeSurcharge, self.stripe_surcharge.as_ref()),
            (AccountPurpose::GiftCard, self.gift_card.as_ref()),
            (AccountPurpose::Cash, self.cash.as_ref()),
            (AccountPurpose::Cheque, self.cheque.as_ref()),
            (AccountPurpose::Card, self.card.as_ref()),
            (AccountPurpose::BankTransfer, self.bank_transfer.as_ref()),
        ]
    }

    /// Checks the tracking options against an organisation's tracking categories. An empty list means
    /// that all of them can be used.
    pub fn find_tracking_objections(&self, known: &TrackingCatalogue) -> Vec<CodeObjection> {
        let objection = |field: String, problem: String| CodeObjection { field, problem };
        if self.tracking.len() > TRACKING_MAX {
            let problem = format!("must contain at most {TRACKING_MAX} tracking options");
            return vec![objection("tracking".to_owned(), problem)];
        }
        if let [first, second] = self.tracking.as_slice()
            && first.category == second.category
        {
            let problem = "must name each tracking category once".to_owned();
            return vec![objection("tracking".to_owned(), problem)];
        }
        let problems = self.tracking.iter().enumerate().filter_map(|(at, tracking)| {
            if !tracking.has_readable_names() {
                let problem = "must name a category and an option, each in 1 to 255 characters";
                return Some(objection(format!("tracking[{at}]"), problem.to_owned()));
            }
            let problem = known.find_problem(tracking)?;
            let mut text = format!("names {}", problem.description);
            if !problem.candidates.is_empty() {
                let (kind, candidates) = (problem.candidate_kind, &problem.candidates);
                text = format!("{text}; possible {kind}: {candidates}");
            }
            Some(objection(format!("tracking[{at}]"), text))
        });
        problems.collect()
    }

    /// The account chosen for payments by this method.
    pub const fn payment_account(&self, method: PaymentMethod) -> Option<&String> {
        match method {
            PaymentMethod::Stripe => self.stripe_bank.as_ref(),
            PaymentMethod::GiftCard => self.gift_card.as_ref(),
            PaymentMethod::Cash => self.cash.as_ref(),
            PaymentMethod::Cheque => self.cheque.as_ref(),
            PaymentMethod::BankTransfer => self.bank_transfer.as_ref(),
            PaymentMethod::Card => self.card.as_ref(),
        }
    }

    /// Whether the integration writes payments by this method to Xero. Payments by Stripe and by
    /// gift card without an account wait until one is chosen.
    pub const fn is_pushed(&self, method: PaymentMethod) -> bool {
        method.is_always_pushed() || self.payment_account(method).is_some()
    }

    /// The tax type chosen for a rate in percent; if `rate` is `None`, for lines outside the scope
    /// of tax.
    pub fn tax_type(&self, rate: Option<Decimal>) -> Option<&str> {
        self.tax_types.get(&tax_rate_key(rate)).map(String::as_str)
    }
}

/// The key of a rate in percent in [`AccountCodes::tax_types`].
pub(crate) fn tax_rate_key(rate: Option<Decimal>) -> String {
    rate.map_or_else(|| NO_TAX_RATE.to_owned(), |rate| rate.normalize().to_string())
}

fn find_tax_type_objection(rate: &str, tax_type: &str, chart: &Chart) -> Option<String> {
    let percent = match rate {
        NO_TAX_RATE => None,
        rate => match Decimal::from_str_exact(rate) {
            Ok(percent) if percent.normalize().to_string() == rate => Some(percent),
            Ok(_) | Err(_) => {
                return Some(
                    "must use a plain percentage such as 20 or 12.5, or the word none, as its key"
                        .to_owned(),
                );
            }
        },
    };
    if tax_type.trim().is_empty() {
        return Some("must be a tax type in Xero, not an empty text".to_owned());
    }
    let Some(tax) = chart.tax_rates.iter().find(|tax| tax.tax_type == tax_type) else {
        let problem = if chart.lacks_tax_rates {
            "is not among the tax rates of Xero that the integration can read"
        } else {
            "does not exist in Xero"
        };
        return Some(format!("names tax type {tax_type}, which {problem}"));
    };
    if !tax.is_active {
        return Some(format!("names tax rate {}, which is archived in Xero", tax.name));
    }
    if !tax.is_for_sales() {
        return Some(format!("names tax rate {}, which cannot be used on sales", tax.name));
    }
    let expected = percent.unwrap_or_default();
    let charged = tax.charged_rate();
    (charged != expected).then(|| {
        format!(
            "names tax rate {}, which charges {} %, not {expected} %",
            tax.name,
            charged.normalize()
        )
    })
}

/// What an account is chosen for.
#[derive(Clone, Copy)]
enum AccountPurpose {
    Sales,
    StripeBank,
    StripeFee,
    StripeSurcharge,
    GiftCard,
    Cash,
    Cheque,
    Card,
    BankTransfer,
}

impl AccountPurpose {
    /// The name of the field in [`AccountCodes`].
    const fn field_name(self) -> &'static str {
        match self {
            Self::Sales => "sales",
            Self::StripeBank => "stripe_bank",
            Self::StripeFee => "stripe_fee",
            Self::StripeSurcharge => "stripe_surcharge",
            Self::GiftCard => "gift_card",
            Self::Cash => "cash",
            Self::Cheque => "cheque",
            Self::Card => "card",
            Self::BankTransfer => "bank_transfer",
        }
    }
}

fn account_objection(purpose: AccountPurpose, code: &str, chart: &Chart) -> Option<String> {
    if code.trim().is_empty() {
        return Some("must be the code of an account in Xero, not an empty text".to_owned());
    }
    let Some(account) = chart.find_account(code) else {
        return Some(if chart.lacks_accounts {
            format!("names account {code}, which {}", chart.describe_missing_account())
        } else {
            format!("names account {code}, which does not exist in Xero")
        });
    };
    if !account.is_active {
        return Some(format!("names account {code}, which is archived in Xero"));
    }
    match purpose {
        AccountPurpose::GiftCard
        | AccountPurpose::Cash
        | AccountPurpose::Cheque
        | AccountPurpose::Card
        | AccountPurpose::BankTransfer => (!account.takes_payments()).then(|| {
            format!(
                "must be an account that accepts payments: enable payments to {code} in Xero first"
            )
        }),
        AccountPurpose::StripeBank => {
            (!account.is_bank()).then(|| format!("must be a bank account, but {code} is not one"))
        }
        AccountPurpose::Sales | AccountPurpose::StripeFee | AccountPurpose::StripeSurcharge => {
            account.is_bank().then(|| format!("must not be a bank account, but {code} is one"))
        }
    }
}

impl Default for AccountCodes {
    fn default() -> Self {
        Self {
            sales: DEFAULT_SALES_CODE.to_owned(),
            stripe_bank: None,
            stripe_fee: None,
            stripe_surcharge: None,
            gift_card: None,
            cash: None,
            cheque: None,
            card: None,
            bank_transfer: None,
            tax_types: BTreeMap::new(),
            tracking: Vec::new(),
            meanings: None,
        }
    }
}

#[cfg(test)]
mod tests;
