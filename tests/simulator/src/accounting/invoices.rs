//! Invoices and bills: lists, single reads, writes, history.

mod approval;
mod change;
mod email;
pub(crate) mod render;
mod row;
mod write;

pub(crate) use approval::{
    MONEY_APPLIED, NEGATIVE, TOO_MANY_APPROVED, VOID_REFUSED, WRONG_STATUS, locked,
};
pub(super) use write::Invoices;

use super::RequestContext;
use crate::answer::Answer;
use crate::books::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use crate::json::{Json, Object};
use crate::listing::{Page, Query, SelectedRows, comma_list, id_list, search_term};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use render::Detail;
use row::Row;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The parameters of a list that are lists themselves.
struct Wanted {
    ids: Option<Vec<Uuid>>,
    contacts: Option<Vec<Uuid>>,
    numbers: Option<Vec<String>>,
    ignores_case: bool,
    statuses: Option<Vec<String>>,
    term: Option<String>,
    /// Only invoices created by this app.
    created_by: Option<String>,
}

impl Wanted {
    fn read(context: &RequestContext<'_>) -> Result<Self, Answer> {
        let incoming = context.incoming;
        let own = incoming.flag("createdByMyApp").unwrap_or(false);
        Ok(Self {
            ids: id_list(incoming, "IDs")?,
            contacts: id_list(incoming, "ContactIDs")?,
            numbers: comma_list(incoming, "InvoiceNumbers"),
            ignores_case: context.unconfirmed.invoice_numbers_ignore_case,
            statuses: comma_list(incoming, "Statuses"),
            term: search_term(incoming),
            created_by: own.then(|| context.app.client_id.clone()),
        })
    }

    fn admits(&self, invoice: &Invoice) -> bool {
        let among = |list: &Option<Vec<Uuid>>, id: Uuid| {
            list.as_ref().is_none_or(|list| list.contains(&id))
        };
        let number = invoice.number.as_deref().unwrap_or_default();
        let is_number = |wanted: &String| {
            wanted == number || (self.ignores_case && wanted.eq_ignore_ascii_case(number))
        };
        among(&self.ids, invoice.id)
            && among(&self.contacts, invoice.contact)
            && self.numbers.as_ref().is_none_or(|numbers| numbers.iter().any(is_number))
            && self.statuses.as_ref().is_none_or(|statuses| {
                statuses.iter().any(|status| status == invoice.status.as_str())
            })
            && self.created_by.as_ref().is_none_or(|app| invoice.created_by.as_ref() == Some(app))
            && self.term.as_ref().is_none_or(|term| {
                let reference = invoice.reference.as_deref().unwrap_or_default();
                [number, reference].into_iter().any(|text| text.to_lowercase().contains(term))
            })
    }
}

impl RequestContext<'_> {
    fn list_invoices(&mut self) -> Result<Answer, Answer> {
        let incoming = self.incoming;
        let query = Query::read::<Row<'_>>(incoming)?;
        let wanted = Wanted::read(self)?;
        let summary = incoming.flag("summaryOnly").unwrap_or(false);
        let page = Page::asked(incoming, summary || wanted.statuses.is_some(), self.unconfirmed);
        let names_status = wanted.statuses.is_some()
            || query.condition.as_ref().is_some_and(|condition| condition.mentions("Status"));
        let shows_deleted = names_status || self.unconfirmed.deleted_in_lists;
        let asked_for = self
            .books
            .invoices()
            .filter(|invoice| shows_deleted || invoice.status != InvoiceStatus::Deleted)
            .filter(|invoice| wanted.admits(invoice))
            .map(|invoice| Row { invoice, contact: self.books.contact(invoice.contact) });
        let SelectedRows { rows, pagination } =
            SelectedRows::select(incoming, self.unconfirmed, &query, page, asked_for)?;
        let detail = match (summary, page) {
            (true, _) => Detail::Summary,
            (false, Some(_)) => Detail::Paged,
            (false, None) => Detail::Listed,
        };
        let rows: Vec<Json> =
            rows.into_iter().map(|row| self.render_invoice(row.invoice, detail).into()).collect();
        Ok(self.envelope("Invoices", rows, pagination))
    }

    /// One invoice by id or by number.
    fn show_invoice(&mut self, id: &str) -> Result<Answer, Answer> {
        let invoice = self.find_invoice(id).ok_or_else(Answer::not_found)?;
        let row = self.render_invoice(invoice, Detail::Full);
        Ok(self.envelope("Invoices", vec![row.into()], None))
    }

    /// The URL where the customer sees the invoice; a draft has none.
    pub(super) fn online_invoice(&mut self, id: Option<&str>) -> Result<Answer, Answer> {
        let invoice = id.and_then(|id| self.find_invoice(id)).ok_or_else(Answer::not_found)?;
        let shown = invoice.kind == InvoiceKind::Sales
            && matches!(invoice.status, InvoiceStatus::Authorised | InvoiceStatus::Paid);
        if !shown {
            return Err(Answer::not_found());
        }
        let token = URL_SAFE_NO_PAD.encode(Sha256::digest(invoice.id.as_bytes()));
        let row = Object::new().with("OnlineInvoiceUrl", format!("https://in.xero.com/{token}"));
        Ok(self.envelope("OnlineInvoices", vec![row.into()], None))
    }

    fn render_invoice(&self, invoice: &Invoice, detail: Detail) -> Object {
        render::invoice(self.books, invoice, detail, self.unit_places(), self.today())
    }

    /// An invoice named by a path, by its id, or by a sales invoice's number. If a number was
    /// reused after its invoice was deleted, the path refers to the newer invoice.
    pub(super) fn find_invoice(&self, id: &str) -> Option<&Invoice> {
        Uuid::parse_str(id).ok().and_then(|id| self.books.invoice(id)).or_else(|| {
            self.books
                .invoices_numbered(id)
                .min_by_key(|invoice| (invoice.status.is_gone(), invoice.id))
        })
    }
}
