//! Answers that resemble a confirmation of a removal that Xero has not performed: the record stays
//! failed until Xero has performed it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::entity::EntityKind::{Allocation, CreditNote, Invoice, Payment};
use domain::operation::OperationState;
use http::{Method, Request, Response};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tests::ports::{Intercepted, respond};
use xero::{Transport, TransportError};
use xero_sim::{PaymentStatus, TransactionStatus};

/// Longer than all retries.
const LONG: SignedDuration = SignedDuration::from_hours(13);

/// Bodies of a 200 that do not say that an allocation was removed.
const NO_REMOVALS: [&str; 6] = [
    "",
    " \r\n",
    "[]",
    r#"{"IsDeleted":false}"#,
    r#"{"Allocations":[{"IsDeleted":false}]}"#,
    r#"{"StatusAttributeString":"ERROR","ValidationErrors":[{"Message":"Not now."}]}"#,
];

#[test]
fn credit_is_removed_although_an_answer_seemed_to_confirm_it_before() {
    for body in NO_REMOVALS {
        let mut world = World::connected();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        let credit = an_allocation("al_1", "cn_1", "inv_1", "10.00");
        world.receive(CreditNote, &credit.body());
        let is_answered = AtomicBool::new(false);
        let inner = world.engine.transport.clone();
        world.engine.transport = Intercepted::on(inner, move |request: &Request<Bytes>| {
            let is_it =
                *request.method() == Method::DELETE && !is_answered.swap(true, Ordering::SeqCst);
            is_it.then(|| Ok(respond(200, body)))
        });
        world.receive(CreditNote, &credit.removed().body());
        assert_eq!(world.books(|books| books.allocations().count()), 1, "{body}");
        let operation = world.mapping(Allocation, "al_1").unwrap().operation;
        assert!(operation.failure.is_some(), "{body}");
        assert!(
            matches!(operation.state, OperationState::Waiting { .. }),
            "{body}: {:?}",
            operation.state
        );
        world.advance(LONG);
        assert_eq!(world.books(|books| books.allocations().count()), 0, "{body}");
        let operation = world.mapping(Allocation, "al_1").unwrap().operation;
        assert_eq!(operation.state, OperationState::Synced, "{body}: {:?}", operation.failure);
    }
}

/// A transport to Xero that answers the first removal below a path with the row as it is, and does
/// not perform it.
#[derive(Debug)]
struct Unperformed {
    inner: Arc<dyn Transport>,
    path: &'static str,
    is_answered: AtomicBool,
}

#[async_trait]
impl Transport for Unperformed {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_it = *request.method() == Method::POST
            && request.uri().path().starts_with(self.path)
            && !self.is_answered.swap(true, Ordering::SeqCst);
        if !is_it {
            return self.inner.send_request(request).await;
        }
        let (mut head, _) = request.into_parts();
        head.method = Method::GET;
        self.inner.send_request(Request::from_parts(head, Bytes::new())).await
    }
}

#[test]
fn a_payment_is_deleted_although_an_answer_showed_it_as_it_was() {
    for (path, part) in
        [("/api.xro/2.0/Payments/", "pay_1.1"), ("/api.xro/2.0/BankTransactions/", "pay_1.fee")]
    {
        let mut world = World::with_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let payment = a_payment("pay_1", &[("inv_1", "14.00")]).reference("ch_1").fee("3.20");
        world.receive(Payment, &payment.body());
        let inner = world.engine.transport.clone();
        let is_answered = AtomicBool::new(false);
        world.engine.transport = Arc::new(Unperformed { inner, path, is_answered });
        world.receive(Payment, &payment.deleted().body());
        let operation = world.mapping(Payment, part).unwrap().operation;
        assert!(
            matches!(operation.state, OperationState::Waiting { .. }),
            "{part}: {:?}",
            operation.state
        );
        world.advance(LONG);
        let operation = world.mapping(Payment, part).unwrap().operation;
        assert_eq!(operation.state, OperationState::Synced, "{part}: {:?}", operation.failure);
        let standing = world.books(|books| {
            let payments = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
            let moved =
                books.transactions().filter(|one| one.status == TransactionStatus::Authorised);
            payments.count() + moved.count()
        });
        assert_eq!(standing, 0, "{part}");
    }
}
