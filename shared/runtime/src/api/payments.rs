//! Payments that the CRM recorded, and the payments of an invoice from both sides.

use domain::body::{BodyField, BodyShape};
use domain::ids::{PaymentId, XeroPaymentId};
use domain::invoice_payments::{InvoicePayments, PaymentDecision as Is};
use engine::Engine;
use engine::commands::payments;
use engine::sync::invoice_payments;
use lambda_http::Request;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::records::{parse_crm_id, unknown_record};
use super::{RouteResult, interactive_invocation, log_unavailable, may_change};
use crate::http::{ApiCaller, ProblemDetails, RequestBody, json_response, read_body};

fn parse_payment_id(text: &str) -> Result<PaymentId, ProblemDetails> {
    PaymentId::new(text)
        .map_err(|error| ProblemDetails::bad_field("payment_id", &error.to_string()))
}

/// Answers with a payment and its parts.
pub(super) async fn read_payment(engine: &Engine, caller: &ApiCaller, id: &str) -> RouteResult {
    answer_with_parts(
        payments::find_payment_view(engine, &caller.account, &parse_payment_id(id)?).await,
    )
}

/// Syncs the parts of a payment while the person waits. If that takes too long, the answer is the
/// parts in their current state.
pub(super) async fn sync_now(engine: &Engine, caller: &ApiCaller, id: &str) -> RouteResult {
    may_change(caller)?;
    let (account, id) = (&caller.account, parse_payment_id(id)?);
    let sync = payments::sync_payment_now(engine, account, &id, interactive_invocation(engine));
    answer_with_parts(Box::pin(sync).await)
}

pub(super) async fn never_send(engine: &Engine, caller: &ApiCaller, id: &str) -> RouteResult {
    may_change(caller)?;
    let id = parse_payment_id(id)?;
    let withheld = payments::never_send_payment(engine, &caller.account, &caller.user, &id).await;
    match withheld.map_err(|error| log_unavailable(&error))? {
        payments::PaymentNeverSendOutcome::Done => read_payment(engine, caller, id.as_str()).await,
        payments::PaymentNeverSendOutcome::BeingSent => Err(ProblemDetails::state_conflict(
            "This payment is being sent to Xero. Try again in a minute or two.",
        )),
        payments::PaymentNeverSendOutcome::Unknown => Err(unknown_record()),
    }
}

/// The payments of an invoice.
#[derive(Serialize)]
struct InvoicePaymentsView<'a> {
    /// The payments that the CRM recorded.
    recorded: &'a [domain::invoice_payments::RecordedPayment],
    /// The payments in Xero, each with its relation to the CRM's.
    received: &'a [domain::invoice_payments::ReceivedPayment],
    /// The number of payments that a person has to decide on.
    unclear: usize,
}

pub(super) async fn read_invoice_payments(
    engine: &Engine,
    caller: &ApiCaller,
    id: &str,
) -> RouteResult {
    let known =
        invoice_payments::find_invoice_payments(engine, &caller.account, &parse_crm_id(id)?).await;
    match known.map_err(|error| log_unavailable(&error))? {
        Some(receipts) => Ok(json_response(200, &view_payments(&receipts))),
        None => Err(ProblemDetails::not_found("No payments are known for this invoice.")),
    }
}

fn view_payments(receipts: &InvoicePayments) -> InvoicePaymentsView<'_> {
    let unclear = receipts.unclear_payments().count();
    InvoicePaymentsView { recorded: &receipts.recorded, received: &receipts.received, unclear }
}

/// A person's decision about an unclear payment.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaymentChoice {
    /// It is this payment of the CRM.
    SameAs(PaymentId),
    /// It is none of the CRM's payments.
    Import(bool),
}

const SAYS: &[BodyField] = &[BodyField::single_value("same_as"), BodyField::single_value("import")];

impl RequestBody for PaymentChoice {
    const SHAPE: BodyShape = BodyShape::Object(SAYS);
    const MUST: &'static str =
        "must be {\"same_as\": \"<the id of a payment>\"} or {\"import\": true}";
}

pub(super) async fn resolve_payment(
    engine: &Engine,
    caller: &ApiCaller,
    id: &str,
    payment: &str,
    request: &Request,
) -> RouteResult {
    may_change(caller)?;
    let is = match read_body::<PaymentChoice>(request)? {
        PaymentChoice::SameAs(payment) => Is::Same(payment),
        PaymentChoice::Import(true) => Is::New,
        PaymentChoice::Import(false) => {
            return Err(ProblemDetails::bad_field("body", PaymentChoice::MUST));
        }
    };
    let payment = Uuid::parse_str(payment).map_err(|_| {
        ProblemDetails::bad_field("xero_payment_id", "must be the id of a payment in Xero")
    })?;
    let (account, invoice) = (&caller.account, parse_crm_id(id)?);
    let settled =
        invoice_payments::resolve_payment(engine, account, &invoice, XeroPaymentId(payment), is)
            .await;
    if settled.map_err(|error| log_unavailable(&error))? {
        read_invoice_payments(engine, caller, id).await
    } else {
        Err(ProblemDetails::state_conflict(
            "This payment is not unclear, or the named payment is already matched with another one in Xero.",
        ))
    }
}

fn answer_with_parts<E: std::error::Error + 'static>(
    parts: Result<Option<payments::PaymentView>, E>,
) -> RouteResult {
    match parts {
        Ok(Some(view)) => Ok(json_response(200, &view)),
        Ok(None) => Err(unknown_record()),
        Err(error) => Err(log_unavailable(&error)),
    }
}
