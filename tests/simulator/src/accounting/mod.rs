//! The Accounting API: one file or folder for each resource.
//!
//! A new resource adds a variant to [`Resource`], its folder, and an arm in [`Desk::answer`].

mod accounts;
mod branding_themes;
pub(crate) mod contacts;
mod currencies;
mod fields;
pub(crate) mod invoices;
mod organisation;
mod saving;
mod tax_rates;

use crate::answer::Answer;
use crate::books::Books;
use crate::identity::scopes::{Access, Area};
use crate::ids::Ids;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::settings::{App, Unconfirmed};
use http::Method;
use jiff::Timestamp;

/// What one call works with, once the gateway has let it in.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) books: &'a mut Books,
    pub(crate) ids: &'a mut Ids,
    pub(crate) unconfirmed: &'a Unconfirmed,
    pub(crate) now: Timestamp,
    pub(crate) app: &'a App,
    pub(crate) incoming: &'a Incoming<'a>,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    resource: Resource,
    action: Action,
    /// The id, number or code behind the resource's name.
    id: Option<String>,
}

/// The resources, each with the parts of it that have a path of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource {
    Organisation,
    Actions,
    Accounts,
    TaxRates,
    Currencies,
    BrandingThemes,
    Contacts,
    Invoices,
    OnlineInvoice,
    InvoiceHistory,
}

/// What a method means: PUT creates, POST creates or updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Read,
    Create,
    Upsert,
}

impl Route {
    /// The route of a path below `/api.xro/2.0`; not found if there is no such path, not
    /// implemented if the path does not take the method.
    pub(crate) fn find(method: &Method, segments: &[String]) -> Result<Self, Answer> {
        let mut rest = segments.iter().skip(2);
        let name = rest.next().ok_or_else(Answer::not_found)?.to_ascii_lowercase();
        let id = rest.next().cloned();
        let part = rest.next().map(|part| part.to_ascii_lowercase());
        if rest.next().is_some() {
            return Err(Answer::not_found());
        }
        let resource =
            Resource::named(&name, id.as_deref(), part.as_deref()).ok_or_else(Answer::not_found)?;
        let action = match *method {
            Method::GET => Action::Read,
            Method::PUT => Action::Create,
            Method::POST => Action::Upsert,
            _ => return Err(Answer::not_implemented()),
        };
        if !resource.takes(action, id.is_some()) {
            return Err(Answer::not_implemented());
        }
        Ok(Self { resource, action, id })
    }

    /// The scope family the call needs.
    pub(crate) fn area(&self) -> Area {
        match self.resource {
            Resource::Organisation
            | Resource::Actions
            | Resource::Accounts
            | Resource::TaxRates
            | Resource::Currencies
            | Resource::BrandingThemes => Area::Settings,
            Resource::Contacts => Area::Contacts,
            Resource::Invoices | Resource::OnlineInvoice | Resource::InvoiceHistory => {
                Area::Invoices
            }
        }
    }

    /// Whether the call changes anything.
    pub(crate) fn access(&self) -> Access {
        match self.action {
            Action::Read => Access::Read,
            Action::Create | Action::Upsert => Access::Write,
        }
    }
}

impl Resource {
    fn named(name: &str, id: Option<&str>, part: Option<&str>) -> Option<Self> {
        let resource = match (name, id, part) {
            ("organisation" | "organisations", None, None) => Self::Organisation,
            ("organisation" | "organisations", Some(actions), None)
                if actions.eq_ignore_ascii_case("actions") =>
            {
                Self::Actions
            }
            ("accounts", _, None) => Self::Accounts,
            ("taxrates", _, None) => Self::TaxRates,
            ("currencies", None, None) => Self::Currencies,
            ("brandingthemes", _, None) => Self::BrandingThemes,
            ("contacts", _, None) => Self::Contacts,
            ("invoices", _, None) => Self::Invoices,
            ("invoices", Some(_), Some("onlineinvoice")) => Self::OnlineInvoice,
            ("invoices", Some(_), Some("history")) => Self::InvoiceHistory,
            _ => return None,
        };
        Some(resource)
    }

    /// The methods the simulator carries out; Xero has more for some of these paths.
    fn takes(self, action: Action, has_id: bool) -> bool {
        match self {
            Self::Contacts | Self::Invoices => action != Action::Create || !has_id,
            Self::InvoiceHistory => action != Action::Upsert,
            Self::Organisation
            | Self::Actions
            | Self::Accounts
            | Self::TaxRates
            | Self::Currencies
            | Self::BrandingThemes
            | Self::OnlineInvoice => action == Action::Read,
        }
    }
}

impl Desk<'_> {
    /// Answers the call.
    pub(crate) fn answer(&mut self, route: &Route) -> Answer {
        let id = route.id.as_deref();
        let answered = match (route.resource, route.action) {
            (Resource::Organisation, _) => Ok(self.organisation()),
            (Resource::Actions, _) => Ok(self.actions()),
            (Resource::Accounts, _) => self.accounts(id),
            (Resource::TaxRates, _) => self.tax_rates(id),
            (Resource::Currencies, _) => self.currencies(),
            (Resource::BrandingThemes, _) => self.branding_themes(id),
            (Resource::Contacts, Action::Read) => match id {
                None => self.list_contacts(),
                Some(id) => self.show_contact(id),
            },
            (Resource::Contacts, Action::Create) => self.create::<contacts::Contacts>(),
            (Resource::Contacts, Action::Upsert) => self.upsert::<contacts::Contacts>(id),
            (Resource::Invoices, Action::Read) => match id {
                None => self.list_invoices(),
                Some(id) => self.show_invoice(id),
            },
            (Resource::Invoices, Action::Create) => self.create::<invoices::Invoices>(),
            (Resource::Invoices, Action::Upsert) => self.upsert::<invoices::Invoices>(id),
            (Resource::OnlineInvoice, _) => self.online_invoice(id),
            (Resource::InvoiceHistory, Action::Read) => self.show_history(id),
            (Resource::InvoiceHistory, _) => self.add_history(id),
        };
        answered.unwrap_or_else(|refused| refused)
    }

    /// A successful answer with one collection.
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
