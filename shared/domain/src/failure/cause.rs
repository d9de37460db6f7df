//! Causes of failures that decide more than the class of a failure does.

/// What a failure is about, where the next step of its record depends on it. Rows, logs and APIs hold the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The consent does not cover a call.
    PermissionMissing,
    /// Xero did not answer.
    XeroSilent,
    /// Xero had a fault of its own.
    XeroFaulty,
    /// Xero is offline for maintenance.
    XeroMaintenance,
    /// Xero takes no calls for another reason.
    XeroUnavailable,
    /// No request got through to Xero.
    XeroUnreachable,
    /// Xero has taken the organisation offline.
    OrganisationOffline,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 7] = crate::every_variant![
        PermissionMissing,
        XeroSilent,
        XeroFaulty,
        XeroMaintenance,
        XeroUnavailable,
        XeroUnreachable,
        OrganisationOffline
    ];

    /// The code that a failure with this cause is stored and shown with.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PermissionMissing => "permission_missing",
            Self::XeroSilent => "xero_silent",
            Self::XeroFaulty => "xero_faulty",
            Self::XeroMaintenance => "xero_maintenance",
            Self::XeroUnavailable => "xero_unavailable",
            Self::XeroUnreachable => "xero_unreachable",
            Self::OrganisationOffline => "organisation_offline",
        }
    }

    /// The cause with this code; `None` for a code that no next step depends on.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }

    /// Whether Xero, or the way to it, was out of order.
    pub const fn is_outage(self) -> bool {
        match self {
            Self::XeroSilent
            | Self::XeroFaulty
            | Self::XeroMaintenance
            | Self::XeroUnavailable
            | Self::XeroUnreachable
            | Self::OrganisationOffline => true,
            Self::PermissionMissing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, FailureClass};

    #[test]
    fn a_failure_has_its_cause_again_when_it_is_read_from_its_row() {
        for cause in Cause::ALL {
            let failure = Failure::new(FailureClass::Uncertain, cause.code(), "It failed.", "");
            let row = serde_json::to_string(&failure).unwrap();
            let read: Failure = serde_json::from_str(&row).unwrap();
            assert_eq!(read.cause(), Some(cause), "{row}");
            assert_eq!(read.is_about_an_outage(), cause.is_outage(), "{row}");
            assert!(!read.is_about_permission(), "{row}");
        }
    }

    #[test]
    fn a_code_that_only_resembles_one_is_no_cause() {
        for code in ["", "xero", "xero_silent_", "XERO_SILENT", "permission", "not_permitted"] {
            assert_eq!(Cause::from_code(code), None, "{code}");
        }
    }
}
