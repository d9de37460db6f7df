//! Batch payments: lists, single reads, creating a batch and deleting it as a whole.

mod create;
pub(crate) mod render;
mod row;

use super::RequestContext;
use super::fields::{Fields, Refusal, echo, invalid};
use super::payments::rules;
use super::saving::{Collection, How, Saved};
use crate::answer::Answer;
use crate::books::payment::PaymentStatus;
use crate::books::settling::Clock;
use crate::json::{Json, Object};
use crate::listing::{Query, SelectedRows};
use row::Row;
use uuid::Uuid;

pub(super) use render::nested;

/// The collection. PUT creates batches, POST deletes them.
#[derive(Debug)]
pub(super) enum BatchPayments {}

impl Collection for BatchPayments {
    const NAME: &'static str = "BatchPayments";
    const SINGULAR: &'static str = "BatchPayment";
    const ID: &'static str = "BatchPaymentID";
    const KNOWN: &'static [&'static str] = &["BatchPaymentID", "Status", "Account", "Payments"];

    /// Xero: this list has no pages.
    fn list(context: &mut RequestContext<'_>) -> Result<Answer, Answer> {
        let query = Query::read::<Row<'_>>(context.incoming)?;
        let asked_for = context.books.batches().map(|batch| Row::new(context.books, batch));
        let selected =
            SelectedRows::select(context.incoming, context.unconfirmed, &query, None, asked_for)?;
        let rows: Vec<Json> = selected
            .rows
            .into_iter()
            .map(|row| render::batch(context.books, row.batch).into())
            .collect();
        Ok(context.envelope(Self::NAME, rows, None))
    }

    fn show(context: &mut RequestContext<'_>, id: &str) -> Result<Answer, Answer> {
        let batch = Uuid::parse_str(id).ok().and_then(|id| context.books.batch(id));
        let row = render::batch(context.books, batch.ok_or_else(Answer::not_found)?);
        Ok(context.envelope(Self::NAME, vec![row.into()], None))
    }

    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid> {
        Uuid::parse_str(id).ok().filter(|id| context.books.batch(*id).is_some())
    }

    fn save(
        context: &mut RequestContext<'_>,
        element: &Object,
        how: How,
    ) -> Result<Saved, Refusal> {
        let fields = Fields::of(element);
        let id = match how {
            How::Create => create::create(context, &fields)?,
            How::Update(id) => delete(context, &fields, Some(id))?,
            How::Upsert => {
                let id = fields.id("BatchPaymentID")?;
                delete(context, &fields, id)?
            }
        };
        let rendered = context.books.batch(id).map(|batch| render::batch(context.books, batch));
        Ok(Saved { rendered: rendered.unwrap_or_default(), warnings: Vec::new() })
    }

    fn echo(element: &Object, messages: &[String]) -> Object {
        echo(element, Self::ID, messages)
    }
}

/// Deletes a batch.
fn delete(
    context: &mut RequestContext<'_>,
    fields: &Fields<'_>,
    id: Option<Uuid>,
) -> Result<Uuid, Refusal> {
    let texts = &context.unconfirmed.texts;
    let Some(batch) = id.and_then(|id| context.books.batch(id)) else {
        return invalid(&texts.unknown_payment);
    };
    if fields.text("Status")?.as_deref() != Some(PaymentStatus::Deleted.as_str()) {
        return invalid(&texts.payment_fixed);
    }
    if let Some(message) = rules::refuses_batch_deletion(context.books, texts, batch) {
        return invalid(&message);
    }
    let id = batch.id;
    context.books.delete_batch(id, Clock::of_deletion(context.unconfirmed), context.now);
    Ok(id)
}
