//! The control surface under `/_simulator/`: shows the books, injects faults, and performs the
//! bookkeeper's actions. It is not part of Xero and exists only on the socket.

use super::order::Order;
use super::{actions, journal, page};
use crate::accounting::bank_transactions::render as banking;
use crate::accounting::batch_payments::render as batches;
use crate::accounting::contacts::render as contacts;
use crate::accounting::credit_notes::render as credit_notes;
use crate::accounting::deposits::render as deposits;
use crate::accounting::documents::render::Detail;
use crate::accounting::invoices::render as invoices;
use crate::accounting::payments::render as payments;
use crate::answer::{Answer, Format};
use crate::books::Books;
use crate::books::deposit::DepositKind;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::organisation::Account;
use crate::simulator::Simulator;
use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

const ROOT: &str = "/_simulator";

/// Whether a path belongs to the control surface.
pub(super) fn owns(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers one call of the control surface.
pub(super) fn answer(
    simulator: &mut Simulator,
    now: Timestamp,
    incoming: &Incoming<'_>,
) -> Response<Bytes> {
    let segments = incoming.segments();
    let rest: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let answer = match (incoming.method.as_str(), rest.as_slice()) {
        ("GET", []) => page::overview(simulator, now),
        ("GET", ["organisations"]) => organisations(simulator),
        ("GET", ["organisations", tenant, collection]) => match book(simulator, tenant) {
            Some(books) => rows(books, collection, now),
            None => missing(),
        },
        ("GET", ["calls"]) => Answer::json(200, journal::calls(simulator)),
        ("GET", ["violations"]) => Answer::json(200, journal::violations(simulator)),
        ("GET", ["answers"]) => answers(simulator),
        ("POST", ["answers"]) => set_answers(simulator, incoming),
        ("POST", ["faults"]) => journal::inject(simulator, incoming),
        ("DELETE", ["faults"]) => {
            simulator.clear_faults();
            Answer::empty(204)
        }
        ("POST", ["organisations", tenant, path @ ..]) => match Uuid::parse_str(tenant) {
            Ok(tenant) => actions::act(simulator, now, tenant, path, incoming),
            Err(_) => missing(),
        },
        _ => missing(),
    };
    answer.render(Format::Json)
}

fn organisations(simulator: &Simulator) -> Answer {
    let rows = simulator.settings().organisations.iter().map(|one| {
        let now = simulator.books(one.id).map_or(one, Books::organisation);
        Object::new()
            .with("id", one.id)
            .with("name", &one.name)
            .with("country", &one.country)
            .with("currency", &one.base_currency)
            .with("isConnected", is_linked(simulator, one.id))
            .with("isClosed", now.is_closed)
            .with("subscription", now.subscription.as_str())
            .with("isRestricted", !now.viewers.is_empty())
            .into()
    });
    Answer::json(200, rows.collect::<Vec<Json>>())
}

/// Whether any app is connected to an organisation.
pub(super) fn is_linked(simulator: &Simulator, tenant: Uuid) -> bool {
    let mut apps = simulator.settings().apps.iter();
    apps.any(|app| simulator.is_connected(&app.client_id, tenant))
}

/// Every switch with its answer and the suggested answers.
fn answers(simulator: &Simulator) -> Answer {
    let rows = simulator.settings().unconfirmed.answers().into_iter().map(|(name, now, all)| {
        let all: Vec<Json> = all.iter().copied().map(Json::from).collect();
        Json::Object(Object::new().with("name", name).with("answer", now).with("answers", all))
    });
    Answer::json(200, rows.collect::<Vec<Json>>())
}

/// Sets switches: `{"rounding":"half-even","archived_by_id":false}`. One invalid answer refuses
/// all.
fn set_answers(simulator: &mut Simulator, incoming: &Incoming<'_>) -> Answer {
    let mut unconfirmed = simulator.settings().unconfirmed.clone();
    for (name, answer) in Order::read(incoming).pairs() {
        if let Err(refused) = unconfirmed.set(&name, &answer) {
            return refuse(400, &refused.to_string());
        }
    }
    simulator.set_unconfirmed(unconfirmed);
    if wants_page(incoming) {
        return Answer::empty(303).with_header("location", "/_simulator/");
    }
    answers(simulator)
}

/// Whether the request comes from a form of the page.
pub(super) fn wants_page(incoming: &Incoming<'_>) -> bool {
    incoming.header("accept").is_some_and(|accept| accept.contains("text/html"))
}

fn rows(books: &Books, collection: &str, now: Timestamp) -> Answer {
    let today = books.organisation().today(now);
    let deposits = |kind| {
        let rows = books.deposits().filter(move |one| one.kind == kind);
        rows.filter_map(|one| deposits::deposit(books, one, Detail::Full, 4, today, false))
            .map(Json::from)
            .collect()
    };
    let rows: Vec<Json> = match collection {
        "contacts" => books
            .contacts()
            .map(|one| contacts::contact(books, one, contacts::Detail::Full, today).into())
            .collect(),
        "invoices" => books
            .invoices()
            .map(|one| invoices::invoice(books, one, invoices::Detail::Full, 4, today).into())
            .collect(),
        "payments" => books
            .payments()
            .map(|one| payments::payment(books, one, payments::Detail::Listed, 4, today).into())
            .collect(),
        "batches" => books.batches().map(|one| batches::batch(books, one).into()).collect(),
        "transactions" => books
            .transactions()
            .map(|one| banking::transaction(books, one, Detail::Full, 4, today).into())
            .collect(),
        "credit-notes" => books
            .credit_notes()
            .map(|one| credit_notes::credit_note(books, one, Detail::Full, 4, today).into())
            .collect(),
        "overpayments" => deposits(DepositKind::Overpayment),
        "prepayments" => deposits(DepositKind::Prepayment),
        "balances" => books.balances().map(|(account, left)| balance(account, left)).collect(),
        _ => return missing(),
    };
    Answer::json(200, rows)
}

fn balance(account: &Account, balance: Decimal) -> Json {
    Object::new()
        .with_some("code", account.code.as_ref())
        .with("name", &account.name)
        .with_some("currency", account.currency.as_ref())
        .with("balance", Json::decimal(balance, 2))
        .into()
}

fn book<'a>(simulator: &'a Simulator, tenant: &str) -> Option<&'a Books> {
    simulator.books(Uuid::parse_str(tenant).ok()?)
}

/// The resource does not exist.
pub(super) fn missing() -> Answer {
    refuse(404, "There is no such resource.")
}

/// A refusal with one sentence.
pub(super) fn refuse(status: u16, sentence: &str) -> Answer {
    Answer::json(status, Object::new().with("error", sentence))
}
