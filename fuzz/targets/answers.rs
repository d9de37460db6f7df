//! Xero's answers: whatever a server answers to whatever call, the client gives a result and does not panic.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use domain::failure::FailureClass;
use domain::ids::{
    TenantId, XeroBankTransactionId, XeroContactId, XeroCreditNoteId, XeroInvoiceId, XeroPaymentId,
};
use http::{Request, Response};
use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;
use xero::api::{
    accounts, bank_transactions, contacts, credit_notes, invoices, organisation, payments,
    tax_rates,
};
use xero::{Session, Transport, TransportError, XeroError};

/// Statuses that are read in different ways.
const STATUSES: [u16; 7] = [200, 400, 401, 403, 404, 429, 503];

/// A server that always answers the same.
#[derive(Debug)]
struct Canned {
    status: u16,
    body: Bytes,
}

#[async_trait]
impl Transport for Canned {
    async fn exchange(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let response = Response::builder().status(self.status).body(self.body.clone());
        Ok(response.expect("a known status makes a response"))
    }
}

/// Makes every kind of call to a server that answers these bytes.
pub(crate) fn run(bytes: &[u8]) {
    for status in STATUSES {
        let body = Bytes::copy_from_slice(bytes);
        let session = session(Arc::new(Canned { status, body }));
        answered(call_each(&session));
    }
}

async fn call_each(session: &Session) {
    let id = Uuid::from_u128(7);
    let since = Timestamp::UNIX_EPOCH;
    check(organisation::organisation(session).await);
    check(accounts::accounts(session).await);
    check(tax_rates::tax_rates(session).await);
    check(contacts::get(session, XeroContactId(id)).await);
    check(contacts::page(session, 1).await);
    check(invoices::get(session, XeroInvoiceId(id)).await);
    check(invoices::changed(session, since, 1).await);
    check(credit_notes::get(session, XeroCreditNoteId(id)).await);
    check(payments::get(session, XeroPaymentId(id)).await);
    check(payments::changed(session, since, 1).await);
    check(bank_transactions::get(session, XeroBankTransactionId(id)).await);
}

/// What people are told of a failure is text that a log and a queue take.
fn check<T>(result: Result<T, XeroError>) {
    let Err(error) = result else { return };
    let failure = error.failure(Timestamp::UNIX_EPOCH);
    assert!(FailureClass::ALL.contains(&failure.class));
    assert!(failure.message.chars().count() <= 5_000, "too long: {failure}");
}

fn session(server: Arc<Canned>) -> Session {
    let address = Url::parse("https://api.xero.example").expect("an address");
    let token = SecretString::from("token");
    Session::new(server, address, token, TenantId(Uuid::from_u128(1)))
}

/// The result of a future that waits for nobody.
fn answered<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a canned answer is there at once"),
    }
}
