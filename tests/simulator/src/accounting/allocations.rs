//! Allocations: sub-resources of the credit they use.

pub(super) mod render;
pub(crate) mod rules;

use super::RequestContext;
use super::fields::{Fields, Refusal, echo};
use super::saving::{Collection, How, Saved};
use crate::accounting::invoices::locked;
use crate::answer::Answer;
use crate::books::allocation::Credit;
use crate::books::deposit::DepositKind;
use crate::json::Object;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The kinds of credit that have allocations below their path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    CreditNote,
    Deposit(DepositKind),
}

impl Source {
    /// The credit of this kind named by a path.
    fn find(self, context: &RequestContext<'_>, id: &str) -> Option<Credit> {
        match self {
            Self::CreditNote => {
                context.find_credit_note(id).map(|note| Credit::CreditNote(note.id))
            }
            Self::Deposit(kind) => context.find_deposit(kind, id).map(Credit::of),
        }
    }
}

/// The collection. Xero only adds and removes allocations; they are read with the credit.
#[derive(Debug)]
enum Allocations {}

impl Collection for Allocations {
    const NAME: &'static str = "Allocations";
    const SINGULAR: &'static str = "Allocation";
    const ID: &'static str = "AllocationID";
    const KNOWN: &'static [&'static str] = &["Invoice", "Amount", "Date"];

    fn list(_desk: &mut RequestContext<'_>) -> Result<Answer, Answer> {
        Err(Answer::not_implemented())
    }

    fn show(_desk: &mut RequestContext<'_>, _id: &str) -> Result<Answer, Answer> {
        Err(Answer::not_implemented())
    }

    /// The credit named by the path.
    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        Uuid::parse_str(id).ok().filter(|id| context.books.credit(*id).is_some())
    }

    fn save(
        context: &mut RequestContext<'_>,
        element: &Object,
        how: How,
    ) -> Result<Saved, Refusal> {
        let credit = match how {
            How::Update(id) => context.books.credit(id),
            How::Create | How::Upsert => None,
        };
        let Some(credit) = credit else {
            return Err(Refusal::Invalid(vec![context.unconfirmed.texts.unknown_credit.clone()]));
        };
        let fields = Fields::of(element);
        let invoice = match fields.object("Invoice")? {
            None => None,
            Some(invoice) => {
                let invoice = Fields::of(invoice);
                match (invoice.id("InvoiceID")?, invoice.text("InvoiceNumber")?) {
                    (Some(id), _) => Some(id),
                    (None, Some(number)) => context.find_invoice(&number).map(|found| found.id),
                    (None, None) => None,
                }
            }
        };
        let date = fields.date("Date")?;
        if date.is_none() && context.unconfirmed.allocation_needs_date {
            return Err(Refusal::Invalid(vec![context.unconfirmed.texts.missing_date.clone()]));
        }
        let intent = rules::Intent {
            credit,
            invoice,
            // `AppliedAmount` is the name in XML; in JSON it is unknown, so the amount is missing.
            amount: fields.number("Amount")?.unwrap_or(Decimal::ZERO),
            date,
        };
        let id = context.ids.next();
        let allocation = rules::plan(context.books, context.unconfirmed, intent, id)
            .map_err(Refusal::Invalid)?;
        let rendered = render::answer(&allocation, context.unconfirmed);
        context.books.put_allocation(allocation, context.now);
        Ok(Saved { rendered, warnings: Vec::new() })
    }

    fn echo(element: &Object, messages: &[String]) -> Object {
        echo(element, Self::ID, messages)
    }
}

impl RequestContext<'_> {
    /// `PUT /{Credit}/{id}/Allocations`
    pub(super) fn allocate(&mut self, source: Source, id: Option<&str>) -> Result<Answer, Answer> {
        let credit = id.and_then(|id| source.find(self, id)).ok_or_else(Answer::not_found)?;
        self.add_below::<Allocations>(credit.id())
    }

    /// `DELETE /{Credit}/{id}/Allocations/{allocation}`: reopens both documents.
    pub(super) fn deallocate(
        &mut self,
        source: Source,
        id: Option<&str>,
        allocation: Option<&str>,
    ) -> Result<Answer, Answer> {
        let credit = id.and_then(|id| source.find(self, id)).ok_or_else(Answer::not_found)?;
        let found = allocation
            .and_then(|id| self.books.allocation(Uuid::parse_str(id).ok()?))
            .filter(|allocation| allocation.credit == credit)
            .ok_or_else(Answer::not_found)?;
        if let Some(message) = locked(self.books, &self.unconfirmed.texts, found.date) {
            let echoed = render::removed(found);
            return Err(Answer::validation(vec![echo(&echoed, "AllocationID", &[message]).into()]));
        }
        let body = if self.unconfirmed.allocation_removal_like_example {
            render::removed_like_example(found)
        } else {
            render::removed(found)
        };
        let body = body.with("IsDeleted", true);
        let id = found.id;
        self.books.remove_allocation(id, self.now);
        if self.unconfirmed.allocation_removal_in_envelope {
            return Ok(self.envelope(Allocations::NAME, vec![body.into()], None));
        }
        Ok(Answer::json(200, body))
    }
}
