//! `GET /Organisation` and the permitted actions of its user.

use super::RequestContext;
use super::fields::date_moment;
use crate::answer::Answer;
use crate::json::{Json, Object};
use crate::subscription::Subscription;

/// The permitted actions of the simulated user unless the user is read-only; Xero lists more
/// actions.
const ACTIONS: [&str; 8] = [
    "ApproveBills",
    "ApproveInvoices",
    "CreateApprovedInvoice",
    "CreateDraftInvoice",
    "CreateInvoicePayment",
    "EditContact",
    "UpdateApprovedInvoice",
    "ViewContacts",
];

impl RequestContext<'_> {
    pub(super) fn organisation(&mut self) -> Answer {
        let one = &self.books.organisation;
        // Xero has editions for four countries; every other organisation is global.
        let version = match one.country.as_str() {
            "GB" => "UK",
            "AU" => "AU",
            "NZ" => "NZ",
            "US" => "US",
            _ => "GLOBAL",
        };
        let body = Object::new()
            .with("Name", &one.name)
            .with("LegalName", &one.name)
            .with("PaysTax", true)
            .with("Version", version)
            .with("OrganisationType", "COMPANY")
            .with("BaseCurrency", &one.base_currency)
            .with("CountryCode", &one.country)
            .with("IsDemoCompany", one.subscription == Subscription::Demo)
            .with("OrganisationStatus", "ACTIVE")
            .with("FinancialYearEndDay", Json::whole(31))
            .with("FinancialYearEndMonth", Json::whole(3))
            .with("SalesTaxBasis", "ACCRUALS")
            .with("SalesTaxPeriod", "QUARTERLY1")
            .with("DefaultSalesTax", "Tax Exclusive")
            .with("DefaultPurchasesTax", "Tax Exclusive")
            .with_some("PeriodLockDate", one.period_lock_date.map(date_moment))
            .with_some("EndOfYearLockDate", one.end_of_year_lock_date.map(date_moment))
            .with("CreatedDateUTC", Json::instant(one.created_at))
            .with("OrganisationEntityType", "COMPANY")
            .with("Timezone", &one.time_zone_name)
            .with("ShortCode", &one.short_code)
            .with("OrganisationID", one.id)
            .with("Edition", "BUSINESS")
            .with("Class", one.subscription.class())
            .with("Addresses", Vec::new())
            .with("Phones", Vec::new())
            .with("ExternalLinks", Vec::new())
            .with("PaymentTerms", Object::new());
        let body = self.books.shown(one.id, body);
        self.envelope("Organisations", vec![body.into()], None)
    }

    pub(super) fn actions(&mut self) -> Answer {
        let rows = ACTIONS
            .into_iter()
            .map(|name| {
                let is_allowed = self.may_change || name.starts_with("View");
                let status = if is_allowed { "ALLOWED" } else { "NOT-ALLOWED" };
                Object::new().with("Name", name).with("Status", status).into()
            })
            .collect();
        self.envelope("Actions", rows, None)
    }
}
