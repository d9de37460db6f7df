//! Payments: those that the CRM recorded, and the money on an invoice from both sides.

use domain::body::{Field, Shape};
use domain::ids::{PaymentId, XeroPaymentId};
use domain::receipts::{Answer as Is, Receipts};
use engine::{Engine, payments, receipts};
use lambda_http::Request;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::records::{crm_id, unknown};
use super::{Answer, attended, may_change, unavailable};
use crate::http::{Caller, Problem, RequestBody, json, read_body};

fn payment_id(text: &str) -> Result<PaymentId, Problem> {
    PaymentId::new(text).map_err(|error| Problem::bad_field("payment_id", &error.to_string()))
}

/// Answers with a payment and its parts.
pub(super) async fn one(engine: &Engine, caller: &Caller, id: &str) -> Answer {
    found(payments::parts(engine, &caller.account, &payment_id(id)?).await)
}

/// Syncs the parts of a payment while the person waits. If that takes too long, the answer is the
/// parts in their current state.
pub(super) async fn sync_now(engine: &Engine, caller: &Caller, id: &str) -> Answer {
    may_change(caller)?;
    let (account, id) = (&caller.account, payment_id(id)?);
    let sync = payments::sync_now(engine, account, &id, attended(engine));
    found(Box::pin(sync).await)
}

pub(super) async fn never_send(engine: &Engine, caller: &Caller, id: &str) -> Answer {
    may_change(caller)?;
    let id = payment_id(id)?;
    let withheld = payments::never_send(engine, &caller.account, &caller.user, &id).await;
    match withheld.map_err(|error| unavailable(&error))? {
        payments::NeverSendAll::Done => one(engine, caller, id.as_str()).await,
        payments::NeverSendAll::BeingSent => Err(Problem::conflict(
            "This payment is being sent to Xero. Try again in a minute or two.",
        )),
        payments::NeverSendAll::Unknown => Err(unknown()),
    }
}

/// The money on an invoice.
#[derive(Serialize)]
struct Money<'a> {
    /// The payments that the CRM recorded.
    recorded: &'a [domain::receipts::Recorded],
    /// The payments in Xero, each with its relation to the CRM's.
    received: &'a [domain::receipts::Received],
    /// The number of payments that a person has to decide on.
    unclear: usize,
}

pub(super) async fn on_invoice(engine: &Engine, caller: &Caller, id: &str) -> Answer {
    let known = receipts::of(engine, &caller.account, &crm_id(id)?).await;
    match known.map_err(|error| unavailable(&error))? {
        Some(receipts) => Ok(json(200, &view(&receipts))),
        None => Err(Problem::not_found("No payments are known for this invoice.")),
    }
}

fn view(receipts: &Receipts) -> Money<'_> {
    let unclear = receipts.unclear().count();
    Money { recorded: &receipts.recorded, received: &receipts.received, unclear }
}

/// A person's answer about an unclear payment.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Says {
    /// It is this payment of the CRM.
    SameAs(PaymentId),
    /// It is none of the CRM's payments.
    Import(bool),
}

const SAYS: &[Field] = &[Field::value("same_as"), Field::value("import")];

impl RequestBody for Says {
    const SHAPE: Shape = Shape::Object(SAYS);
    const MUST: &'static str =
        "must be {\"same_as\": \"<the id of a payment>\"} or {\"import\": true}";
}

pub(super) async fn settle(
    engine: &Engine,
    caller: &Caller,
    id: &str,
    payment: &str,
    request: &Request,
) -> Answer {
    may_change(caller)?;
    let is = match read_body::<Says>(request)? {
        Says::SameAs(payment) => Is::Same(payment),
        Says::Import(true) => Is::New,
        Says::Import(false) => return Err(Problem::bad_field("body", Says::MUST)),
    };
    let payment = Uuid::parse_str(payment).map_err(|_| {
        Problem::bad_field("xero_payment_id", "must be the id of a payment in Xero")
    })?;
    let (account, invoice) = (&caller.account, crm_id(id)?);
    let settled = receipts::settle(engine, account, &invoice, XeroPaymentId(payment), is).await;
    if settled.map_err(|error| unavailable(&error))? {
        on_invoice(engine, caller, id).await
    } else {
        Err(Problem::conflict(
            "This payment is not unclear, or the named payment is already matched with another one in Xero.",
        ))
    }
}

fn found<E: std::error::Error + 'static>(
    parts: Result<Option<payments::PaymentView>, E>,
) -> Answer {
    match parts {
        Ok(Some(view)) => Ok(json(200, &view)),
        Ok(None) => Err(unknown()),
        Err(error) => Err(unavailable(&error)),
    }
}
