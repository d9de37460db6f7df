//! An organisation's settings: chart of accounts, tax rates, currencies, lock dates.

use crate::catalogue::{Item, TrackingCategory};
use crate::subscription::Subscription;
use crate::variants::every_variant;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A Xero organisation; its id is the tenant id.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// The tenant id.
    pub id: Uuid,
    /// The display name.
    pub name: String,
    /// Two letters, such as `GB`.
    pub country: String,
    /// The currency of the books.
    pub base_currency: String,
    /// The enabled currencies, the base currency among them.
    pub currencies: Vec<Currency>,
    /// The chart of accounts.
    pub accounts: Vec<Account>,
    /// The tax rates.
    pub tax_rates: Vec<TaxRate>,
    /// The items of the price list.
    pub items: Vec<Item>,
    /// The tracking categories.
    pub tracking: Vec<TrackingCategory>,
    /// The branding themes, the default first.
    pub branding_themes: Vec<BrandingTheme>,
    /// Rows dated on this day or before cannot change.
    pub period_lock_date: Option<Date>,
    /// The same for the end of the year.
    pub end_of_year_lock_date: Option<Date>,
    /// The app's plan, which sets the calls allowed in a day.
    pub tier: Tier,
    /// Whether its trial or subscription has ended: it stays connected and refuses every call of
    /// the Accounting API.
    pub is_closed: bool,
    /// Its subscription.
    pub subscription: Subscription,
    /// The read-only users.
    pub viewers: BTreeSet<Uuid>,
    /// How many more invoices can be approved, if the plan has a limit.
    pub approvals_left: Option<u32>,
    /// The time zone that determines the current date.
    pub time_zone: TimeZone,
    /// The zone's name in Xero's list, such as `GMTSTANDARDTIME`.
    pub time_zone_name: String,
    /// The code used in deep links.
    pub short_code: String,
    /// When the organisation was created.
    pub created_at: Timestamp,
}

/// The price plan of the app; Xero: 1,000 calls a day per tenant on Starter, 5,000 above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The free plan.
    Starter,
    /// Core or above.
    Core,
}

impl Tier {
    /// Calls allowed in a day for one tenant.
    pub fn daily_calls(self) -> u32 {
        match self {
            Self::Starter => 1_000,
            Self::Core => 5_000,
        }
    }
}

/// An enabled currency.
#[derive(Clone, Debug)]
pub struct Currency {
    /// Three letters.
    pub code: String,
    /// Its name.
    pub description: String,
    /// Units of this currency for one of the base currency, used when a document names no rate.
    pub day_rate: Decimal,
}

/// An account of the chart.
#[derive(Clone, Debug)]
pub struct Account {
    /// Xero's id.
    pub id: Uuid,
    /// The code, which users see; a bank account may have none.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: AccountKind,
    /// Whether it is active.
    pub status: RowStatus,
    /// The default tax rate of its lines.
    pub tax_type: String,
    /// Whether it accepts payments although it is not a bank account.
    pub takes_payments: bool,
    /// Xero's role for it, such as `DEBTORS` or `ROUNDING`.
    pub system_account: Option<String>,
    /// The currency of a bank account.
    pub currency: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Kinds of accounts, Xero's `Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "Xero's own names are self-explanatory")]
pub enum AccountKind {
    Bank,
    Current,
    Inventory,
    Fixed,
    Prepayment,
    CurrentLiability,
    Liability,
    TermLiability,
    Equity,
    DirectCosts,
    Expense,
    Overheads,
    Depreciation,
    Revenue,
    Sales,
    OtherIncome,
}

impl AccountKind {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bank => "BANK",
            Self::Current => "CURRENT",
            Self::Inventory => "INVENTORY",
            Self::Fixed => "FIXED",
            Self::Prepayment => "PREPAYMENT",
            Self::CurrentLiability => "CURRLIAB",
            Self::Liability => "LIABILITY",
            Self::TermLiability => "TERMLIAB",
            Self::Equity => "EQUITY",
            Self::DirectCosts => "DIRECTCOSTS",
            Self::Expense => "EXPENSE",
            Self::Overheads => "OVERHEADS",
            Self::Depreciation => "DEPRECIATN",
            Self::Revenue => "REVENUE",
            Self::Sales => "SALES",
            Self::OtherIncome => "OTHERINCOME",
        }
    }

    /// The class the kind belongs to.
    pub fn class(self) -> AccountClass {
        match self {
            Self::Bank | Self::Current | Self::Inventory | Self::Fixed | Self::Prepayment => {
                AccountClass::Asset
            }
            Self::CurrentLiability | Self::Liability | Self::TermLiability => {
                AccountClass::Liability
            }
            Self::Equity => AccountClass::Equity,
            Self::DirectCosts | Self::Expense | Self::Overheads | Self::Depreciation => {
                AccountClass::Expense
            }
            Self::Revenue | Self::Sales | Self::OtherIncome => AccountClass::Revenue,
        }
    }
}

/// Classes of accounts; a tax rate lists those that it may be used with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the five classes of bookkeeping")]
pub enum AccountClass {
    Asset,
    Equity,
    Expense,
    Liability,
    Revenue,
}

impl AccountClass {
    /// Every class.
    pub(crate) const ALL: [Self; 5] = every_variant![Asset, Equity, Expense, Liability, Revenue];

    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "ASSET",
            Self::Equity => "EQUITY",
            Self::Expense => "EXPENSE",
            Self::Liability => "LIABILITY",
            Self::Revenue => "REVENUE",
        }
    }
}

/// Whether an account or a tax rate is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStatus {
    /// Active.
    Active,
    /// Archived; documents that use it keep it.
    Archived,
}

impl RowStatus {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
        }
    }
}

/// A tax rate.
#[derive(Clone, Debug)]
pub struct TaxRate {
    /// The display name.
    pub name: String,
    /// The code that documents use.
    pub tax_type: String,
    /// Percent.
    pub rate: Decimal,
    /// Whether it is active.
    pub status: RowStatus,
    /// The classes of accounts it may be used with.
    pub applies_to: Vec<AccountClass>,
}

/// A layout of printed documents.
#[derive(Clone, Debug)]
pub struct BrandingTheme {
    /// Xero's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Organisation {
    /// The active or archived account with this code.
    pub fn account(&self, code: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.code.as_deref() == Some(code))
    }

    /// The account with this role of Xero's.
    pub fn system_account(&self, role: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.system_account.as_deref() == Some(role))
    }

    /// The tax rate with this code.
    pub fn tax_rate(&self, tax_type: &str) -> Option<&TaxRate> {
        self.tax_rates.iter().find(|rate| rate.tax_type == tax_type)
    }

    /// The code for no tax; Australian organisations have no `NONE`.
    pub(crate) fn untaxed(&self) -> &str {
        let outside = self.tax_rate("NONE").or_else(|| self.tax_rate("BASEXCLUDED"));
        outside.map_or("NONE", |rate| rate.tax_type.as_str())
    }

    /// The enabled currency with this code.
    pub fn currency(&self, code: &str) -> Option<&Currency> {
        self.currencies.iter().find(|currency| currency.code == code)
    }

    /// The later of the two lock dates.
    pub fn locked_through(&self) -> Option<Date> {
        self.period_lock_date.max(self.end_of_year_lock_date)
    }

    /// Whether the plan allows no further approvals.
    pub(crate) fn refuses_approvals(&self) -> bool {
        self.approvals_left == Some(0)
    }

    /// Counts an approval towards the plan's limit.
    pub(crate) fn count_approval(&mut self) {
        self.approvals_left = self.approvals_left.map(|left| left.saturating_sub(1));
    }

    /// The calendar date in the organisation's zone.
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(self.time_zone.clone()).date()
    }
}
