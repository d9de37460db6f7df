//! The rates of the domestic reverse charge, which British builders add to their tax rates: the
//! customer owes the tax, and the invoice carries none.

use crate::organisation::AccountClass::{Asset, Equity, Liability, Revenue};
use crate::organisation::{Organisation, RowStatus, TaxRate};
use crate::settings::Unconfirmed;
use rust_decimal::Decimal;

/// Code, name and percent; Xero's codes for purchases begin with `DRCHARGESUPPLY`.
const RATES: [(&str, &str, i64); 2] = [
    ("DRCHARGE20", "Domestic Reverse Charge @ 20% (VAT on Income)", 20),
    ("DRCHARGE5", "Domestic Reverse Charge @ 5% (VAT on Income)", 5),
];

/// The rates as they are listed: with the percentage of their names, or with zero.
fn rates(unconfirmed: &Unconfirmed) -> impl Iterator<Item = TaxRate> {
    let shows_its_rate = unconfirmed.reverse_charge_shows_its_rate;
    RATES.into_iter().map(move |(tax_type, name, percent)| TaxRate {
        name: name.to_owned(),
        tax_type: tax_type.to_owned(),
        rate: if shows_its_rate { Decimal::from(percent) } else { Decimal::ZERO },
        status: RowStatus::Active,
        applies_to: vec![Asset, Equity, Liability, Revenue],
    })
}

impl Organisation {
    /// Sets whether the rates of the reverse charge are listed, if the organisation is British.
    pub(crate) fn list_reverse_charge(&mut self, unconfirmed: &Unconfirmed) {
        if self.country == "GB" {
            self.tax_rates.retain(|rate| !rate.is_reverse_charge());
            if unconfirmed.reverse_charge_is_listed {
                self.tax_rates.extend(rates(unconfirmed));
            }
        }
    }
}

impl TaxRate {
    fn is_reverse_charge(&self) -> bool {
        RATES.iter().any(|(tax_type, _, _)| self.tax_type == *tax_type)
    }

    /// The percentage that a line is charged; zero under the reverse charge, whatever rate is
    /// listed.
    pub(crate) fn charged(&self) -> Decimal {
        if self.is_reverse_charge() { Decimal::ZERO } else { self.rate }
    }
}
