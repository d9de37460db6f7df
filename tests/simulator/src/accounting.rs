//! The Accounting API: one file or folder for each resource.
//!
//! A new resource adds a variant to [`route::Resource`], its folder, and an arm in
//! [`RequestContext::answer`].

mod accounts;
pub(crate) mod allocations;
pub(crate) mod bank_transactions;
pub(crate) mod batch_payments;
mod branding_themes;
pub(crate) mod contacts;
pub(crate) mod credit_notes;
mod currencies;
pub(crate) mod deposits;
pub(crate) mod documents;
mod fields;
mod history;
pub(crate) mod invoices;
mod items;
mod organisation;
pub(crate) mod payments;
mod route;
mod saving;
mod spelling;
mod tax_rates;
mod tracking_categories;

use crate::answer::Answer;
use crate::books::Books;
use crate::ids::Ids;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::settings::{App, Unconfirmed};
use jiff::Timestamp;
use route::{Action, Resource};

pub(crate) use route::Route;

/// The context of one call, once the gateway has accepted it.
#[derive(Debug)]
pub(crate) struct RequestContext<'a> {
    pub(crate) books: &'a mut Books,
    pub(crate) ids: &'a mut Ids,
    pub(crate) unconfirmed: &'a Unconfirmed,
    pub(crate) now: Timestamp,
    pub(crate) app: &'a App,
    /// Whether the user may write as well as read.
    pub(crate) may_change: bool,
    pub(crate) incoming: &'a Incoming<'a>,
    /// The element of a write that is returned without its id, if a fault requires it.
    pub(crate) odd_element: Option<OddElement>,
}

/// An element of a write that is returned with a nil id and without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OddElement {
    /// The index of the element in the request, from 0.
    pub(crate) index: usize,
    /// Whether it is saved.
    pub(crate) applied: bool,
}

impl RequestContext<'_> {
    /// Answers the call.
    pub(crate) fn answer(&mut self, route: &Route) -> Answer {
        let id = route.id.as_deref();
        let answered = match (route.resource, route.action) {
            (Resource::Organisation, _) => Ok(self.organisation()),
            (Resource::Actions, _) => Ok(self.actions()),
            (Resource::Accounts, _) => self.accounts(id),
            (Resource::TaxRates, _) => self.tax_rates(id),
            (Resource::Items, _) => self.items(id),
            (Resource::TrackingCategories, _) => self.tracking_categories(id),
            (Resource::Currencies, _) => self.currencies(),
            (Resource::BrandingThemes, _) => self.branding_themes(id),
            (Resource::Contacts, action) => self.serve::<contacts::Contacts>(action, id),
            (Resource::Invoices, action) => self.serve::<invoices::Invoices>(action, id),
            (Resource::CreditNotes, action) => self.serve::<credit_notes::CreditNotes>(action, id),
            (Resource::Payments, action) => self.serve::<payments::Payments>(action, id),
            (Resource::BatchPayments, action) => {
                self.serve::<batch_payments::BatchPayments>(action, id)
            }
            (Resource::BankTransactions, action) => {
                self.serve::<bank_transactions::BankTransactions>(action, id)
            }
            (Resource::Deposits(kind), _) => self.deposits(kind, id),
            (Resource::Allocations(source), Action::Remove) => {
                self.deallocate(source, id, route.part_id.as_deref())
            }
            (Resource::Allocations(source), _) => self.allocate(source, id),
            (Resource::OnlineInvoice, _) => self.online_invoice(id),
            (Resource::History(holder), Action::Read) => self.show_history(holder, id),
            (Resource::History(holder), _) => self.add_history(holder, id),
            (Resource::InvoiceEmail, _) => self.send_invoice(id),
        };
        spelling::spell(answered.unwrap_or_else(|refused| refused), self.unconfirmed)
    }

    /// A successful response with one collection.
    fn envelope(
        &mut self,
        collection: &'static str,
        rows: Vec<Json>,
        pagination: Option<Object>,
    ) -> Answer {
        let envelope = Object::new()
            .with("Id", self.ids.next())
            .with("Status", "OK")
            .with("ProviderName", &self.app.name)
            .with(
                "DateTimeUTC",
                Json::Moment { milliseconds: self.now.as_millisecond(), offset: false },
            )
            .with_some("pagination", pagination)
            .with(collection, rows);
        Answer::json(200, envelope)
    }

    /// Whether the call asks for four decimal places of unit amounts.
    fn unit_places(&self) -> u32 {
        if self.incoming.parameter("unitdp") == Some("4") { 4 } else { 2 }
    }
}
