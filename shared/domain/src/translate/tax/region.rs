//! Xero's regions and the tax rates that they use for the treatments without tax.
//!
//! The codes and names are those that developer.xero.com documents under Types and Tax rates. Codes
//! are stable; names and percentages can be changed in Xero, so a code counts only if the
//! organisation's live list has it. Xero documents none for Ireland and the other countries without
//! an edition of their own: names decide there.

use crate::chart::TaxRate;

/// A region of Xero, as far as its tax codes differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaxRegion {
    Australia,
    NewZealand,
    Singapore,
    SouthAfrica,
    UnitedKingdom,
    /// The United States, and every country whose codes Xero does not document. Xero gives these
    /// organisations placeholders of 0 %.
    Other,
}

/// Why a line charges no tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaxTreatment {
    /// A taxable sale at 0 %.
    ZeroRated,
    /// A sale that the law exempts.
    Exempt,
    /// No taxable sale.
    OutOfScope,
    /// The customer accounts for the tax.
    ReverseCharge,
}

impl TaxRegion {
    /// The region whose codes an organisation's list contains, archived rates included.
    pub(super) fn from_rates(rates: &[TaxRate]) -> Self {
        let has = |code: &str| rates.iter().any(|tax| tax.tax_type == code);
        if has("BASEXCLUDED") {
            Self::Australia
        } else if has("OUTPUT3") {
            Self::SouthAfrica
        } else if has("OUTPUTY24") || has("OSOUTPUT2") {
            Self::Singapore
        } else if has("OUTPUT2") && has("ZERORATED") {
            Self::NewZealand
        } else if has("RROUTPUT") || has("ECZROUTPUT") || (has("OUTPUT2") && has("ZERORATEDOUTPUT"))
        {
            Self::UnitedKingdom
        } else {
            Self::Other
        }
    }

    /// The codes that Xero documents for a treatment. Several codes leave a choice.
    const fn documented_codes(self, treatment: TaxTreatment) -> &'static [&'static str] {
        match treatment {
            TaxTreatment::ZeroRated => match self {
                Self::UnitedKingdom | Self::Singapore => &["ZERORATEDOUTPUT"],
                // South Africa's `ZERORATEDOUTPUT` is for exported goods.
                Self::NewZealand | Self::SouthAfrica => &["ZERORATED"],
                // GST-free income.
                Self::Australia => &["EXEMPTOUTPUT"],
                Self::Other => &[],
            },
            TaxTreatment::Exempt => match self {
                Self::UnitedKingdom | Self::SouthAfrica => &["EXEMPTOUTPUT"],
                Self::Australia => &["INPUTTAXED"],
                Self::Singapore => &["ES33OUTPUT", "ESN33OUTPUT"],
                Self::NewZealand | Self::Other => &[],
            },
            TaxTreatment::OutOfScope => match self {
                // Australian organisations have no `NONE`.
                Self::Australia => &["BASEXCLUDED"],
                Self::NewZealand
                | Self::Singapore
                | Self::SouthAfrica
                | Self::UnitedKingdom
                | Self::Other => &["NONE"],
            },
            TaxTreatment::ReverseCharge => match self {
                // Customer accounting.
                Self::Singapore => &["SRCAS"],
                Self::Australia
                | Self::NewZealand
                | Self::SouthAfrica
                | Self::UnitedKingdom
                | Self::Other => &["DRCHARGE20", "DRCHARGE5"],
            },
        }
    }

    /// The rates of a treatment: those with a documented code, or else those whose names say so.
    pub(super) fn select_rates<'a>(
        self,
        treatment: TaxTreatment,
        rates: &[&'a TaxRate],
    ) -> Vec<&'a TaxRate> {
        let codes = self.documented_codes(treatment);
        let is_documented = |tax: &&TaxRate| codes.contains(&tax.tax_type.as_str());
        let documented = rates.iter().copied().filter(is_documented).collect::<Vec<_>>();
        if !documented.is_empty() {
            return documented;
        }
        let is_named = |tax: &&TaxRate| {
            tax.charged_rate().is_zero() && treatment.is_meant_by(&fold_words(&tax.name))
        };
        rates.iter().copied().filter(is_named).collect()
    }
}

impl TaxTreatment {
    /// The treatment that a line names in words instead of a rate.
    pub(super) fn from_words(text: &str) -> Option<Self> {
        match fold_words(text).as_str() {
            "zero rated" => Some(Self::ZeroRated),
            "exempt" => Some(Self::Exempt),
            "out of scope" => Some(Self::OutOfScope),
            "reverse charge" => Some(Self::ReverseCharge),
            _ => None,
        }
    }

    /// Whether a rate's name, as [`fold_words`] writes it, states the treatment. Rates for exports
    /// and for trade within the European Union belong to other boxes of a tax return.
    fn is_meant_by(self, name: &str) -> bool {
        let is_domestic = !name
            .split(' ')
            .any(|word| matches!(word, "ec" | "eu" | "export" | "exports" | "exported"));
        match self {
            Self::ZeroRated => is_domestic && name.contains("zero rate"),
            Self::Exempt => is_domestic && name.contains("exempt"),
            Self::OutOfScope => {
                let phrases = ["out of scope", "outside the scope", "no vat", "no gst", "no tax"];
                phrases.into_iter().any(|phrase| name.contains(phrase))
            }
            Self::ReverseCharge => name.contains("reverse charge"),
        }
    }
}

/// The words of a text in small letters, separated by single spaces, without punctuation.
fn fold_words(text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
