//! The regions whose tax rates the simulator knows, and their other differences.

use crate::variants::every_variant;

/// A region of Xero, which decides an organisation's tax rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of countries")]
pub enum Region {
    UnitedKingdom,
    NewZealand,
    Australia,
    UnitedStates,
    Ireland,
    /// A country without an edition of its own; here the United Arab Emirates.
    Global,
    SouthAfrica,
    Singapore,
}

/// The differences between regions other than rates and charts.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegionDefaults {
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    pub(super) currency_name: &'static str,
    /// As a POSIX rule, which needs no table of zones.
    pub(super) time_zone: &'static str,
    pub(super) time_zone_name: &'static str,
}

impl Region {
    /// Every region.
    pub const ALL: [Self; 8] = every_variant![
        UnitedKingdom,
        NewZealand,
        Australia,
        UnitedStates,
        Ireland,
        Global,
        SouthAfrica,
        Singapore
    ];

    /// The country's two letters, or `GLOBAL`.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnitedKingdom => "GB",
            Self::NewZealand => "NZ",
            Self::Australia => "AU",
            Self::UnitedStates => "US",
            Self::Ireland => "IE",
            Self::Global => "GLOBAL",
            Self::SouthAfrica => "ZA",
            Self::Singapore => "SG",
        }
    }

    /// Parses a code, ignoring case.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.code().eq_ignore_ascii_case(code))
    }

    pub(super) fn defaults(self) -> RegionDefaults {
        let (country, currency, currency_name, time_zone, time_zone_name) = match self {
            Self::UnitedKingdom => {
                ("GB", "GBP", "British Pound", "GMT0BST,M3.5.0/1,M10.5.0", "GMTSTANDARDTIME")
            }
            Self::NewZealand => (
                "NZ",
                "NZD",
                "New Zealand Dollar",
                "NZST-12NZDT,M9.5.0,M4.1.0/3",
                "NEWZEALANDSTANDARDTIME",
            ),
            Self::Australia => (
                "AU",
                "AUD",
                "Australian Dollar",
                "AEST-10AEDT,M10.1.0,M4.1.0/3",
                "AUSEASTERNSTANDARDTIME",
            ),
            Self::UnitedStates => (
                "US",
                "USD",
                "United States Dollar",
                "EST5EDT,M3.2.0,M11.1.0",
                "EASTERNSTANDARDTIME",
            ),
            Self::Ireland => ("IE", "EUR", "Euro", "GMT0IST,M3.5.0/1,M10.5.0", "GMTSTANDARDTIME"),
            Self::Global => {
                ("AE", "AED", "United Arab Emirates Dirham", "<+04>-4", "ARABIANSTANDARDTIME")
            }
            Self::SouthAfrica => {
                ("ZA", "ZAR", "South African Rand", "SAST-2", "SOUTHAFRICASTANDARDTIME")
            }
            Self::Singapore => {
                ("SG", "SGD", "Singapore Dollar", "<+08>-8", "SINGAPORESTANDARDTIME")
            }
        };
        RegionDefaults { country, currency, currency_name, time_zone, time_zone_name }
    }
}
