//! The route of a call: the resource, its part, and the operation.

use super::allocations::Source;
use super::history::Holder;
use crate::answer::Answer;
use crate::books::deposit::DepositKind;
use crate::identity::scopes::{Access, Area};
use http::Method;

/// The route of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(super) resource: Resource,
    pub(super) action: Action,
    /// The id, number or code after the resource's name.
    pub(super) id: Option<String>,
    /// The id after the name of the part.
    pub(super) part_id: Option<String>,
}

/// The resources, each with the parts that have their own path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Organisation,
    Actions,
    Accounts,
    TaxRates,
    Items,
    TrackingCategories,
    Currencies,
    BrandingThemes,
    Contacts,
    Invoices,
    OnlineInvoice,
    InvoiceEmail,
    CreditNotes,
    Payments,
    BatchPayments,
    BankTransactions,
    Deposits(DepositKind),
    Allocations(Source),
    History(Holder),
}

/// The operation of a method: PUT creates, POST creates or updates, DELETE removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Read,
    Create,
    Upsert,
    Remove,
}

impl Route {
    /// The route of a path below `/api.xro/2.0`; not found if there is no such path, not
    /// implemented if the path does not support the method.
    pub(crate) fn find(method: &Method, segments: &[String]) -> Result<Self, Answer> {
        let mut rest = segments.iter().skip(2);
        let name = rest.next().ok_or_else(Answer::not_found)?.to_ascii_lowercase();
        let id = rest.next().cloned();
        let part = rest.next().map(|part| part.to_ascii_lowercase());
        let part_id = rest.next().cloned();
        if rest.next().is_some() {
            return Err(Answer::not_found());
        }
        let resource =
            Resource::named(&name, id.as_deref(), part.as_deref()).ok_or_else(Answer::not_found)?;
        let action = match *method {
            Method::GET => Action::Read,
            Method::PUT => Action::Create,
            Method::POST => Action::Upsert,
            Method::DELETE => Action::Remove,
            _ => return Err(Answer::not_implemented()),
        };
        let is_allocation = matches!(resource, Resource::Allocations(_));
        if part_id.is_some() && !is_allocation {
            return Err(Answer::not_found());
        }
        let takes = match (part_id.is_some(), action) {
            (true, Action::Remove) => true,
            (true, _) => false,
            (false, action) => resource.takes(action, id.is_some()),
        };
        if !takes {
            return Err(Answer::not_implemented());
        }
        Ok(Self { resource, action, id, part_id })
    }

    /// The scope family the call needs.
    pub(crate) fn area(&self) -> Area {
        match self.resource {
            Resource::Organisation
            | Resource::Actions
            | Resource::Accounts
            | Resource::TaxRates
            | Resource::Items
            | Resource::TrackingCategories
            | Resource::Currencies
            | Resource::BrandingThemes => Area::Settings,
            Resource::Contacts => Area::Contacts,
            Resource::Invoices
            | Resource::OnlineInvoice
            | Resource::InvoiceEmail
            | Resource::CreditNotes
            | Resource::History(Holder::Invoice | Holder::CreditNote)
            | Resource::Allocations(Source::CreditNote) => Area::Invoices,
            Resource::BankTransactions => Area::BankTransactions,
            Resource::Payments
            | Resource::BatchPayments
            | Resource::History(Holder::Payment)
            | Resource::Deposits(_)
            | Resource::Allocations(Source::Deposit(_)) => Area::Payments,
        }
    }

    /// A second scope family that the call may need: an allocation of a credit note is treated like
    /// a payment.
    pub(crate) fn further_area(&self) -> Option<Area> {
        (self.resource == Resource::Allocations(Source::CreditNote)).then_some(Area::Payments)
    }

    /// Whether the call changes anything.
    pub(crate) fn access(&self) -> Access {
        match self.action {
            Action::Read => Access::Read,
            Action::Create | Action::Upsert | Action::Remove => Access::Write,
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
            ("items", _, None) => Self::Items,
            ("trackingcategories", _, None) => Self::TrackingCategories,
            ("currencies", None, None) => Self::Currencies,
            ("brandingthemes", _, None) => Self::BrandingThemes,
            ("contacts", _, None) => Self::Contacts,
            ("invoices", _, None) => Self::Invoices,
            ("invoices", Some(_), Some("onlineinvoice")) => Self::OnlineInvoice,
            ("creditnotes", _, None) => Self::CreditNotes,
            ("creditnotes", Some(_), Some("allocations")) => Self::Allocations(Source::CreditNote),
            ("payments", _, None) => Self::Payments,
            ("overpayments", _, None) => Self::Deposits(DepositKind::Overpayment),
            ("overpayments", Some(_), Some("allocations")) => {
                Self::Allocations(Source::Deposit(DepositKind::Overpayment))
            }
            ("prepayments", _, None) => Self::Deposits(DepositKind::Prepayment),
            ("prepayments", Some(_), Some("allocations")) => {
                Self::Allocations(Source::Deposit(DepositKind::Prepayment))
            }
            ("banktransactions", _, None) => Self::BankTransactions,
            ("batchpayments", _, None) => Self::BatchPayments,
            ("invoices", Some(_), Some("history")) => Self::History(Holder::Invoice),
            ("creditnotes", Some(_), Some("history")) => Self::History(Holder::CreditNote),
            ("payments", Some(_), Some("history")) => Self::History(Holder::Payment),
            ("invoices", Some(_), Some("email")) => Self::InvoiceEmail,
            _ => return None,
        };
        Some(resource)
    }

    /// The methods that the simulator supports; Xero has more for some of these paths.
    fn takes(self, action: Action, has_id: bool) -> bool {
        match self {
            Self::Contacts
            | Self::Invoices
            | Self::CreditNotes
            | Self::Payments
            | Self::BatchPayments
            | Self::BankTransactions => match action {
                Action::Read | Action::Upsert => true,
                Action::Create => !has_id,
                Action::Remove => false,
            },
            Self::History(_) => matches!(action, Action::Read | Action::Create),
            Self::InvoiceEmail => action == Action::Upsert,
            Self::Allocations(_) => action == Action::Create,
            Self::Organisation
            | Self::Actions
            | Self::Accounts
            | Self::TaxRates
            | Self::Items
            | Self::TrackingCategories
            | Self::Currencies
            | Self::BrandingThemes
            | Self::Deposits(_)
            | Self::OnlineInvoice => action == Action::Read,
        }
    }
}
