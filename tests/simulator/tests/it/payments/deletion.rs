//! Deleted payments.

use super::*;

/// Rules 49 and 50.
#[test]
fn a_deleted_payment_reopens_its_invoice_and_is_listed_with_a_newer_time() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let payment = paid(&mut caller, invoice, "120");
    caller.pass(60);
    let row = delete(&mut caller, payment).first("Payments");
    assert_eq!(
        (&row["Status"], &row["Invoice"]["Status"]),
        (&"DELETED".into(), &"AUTHORISED".into())
    );
    let open = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!((&open["Status"], &open["Payments"]), (&json!("AUTHORISED"), &json!([])));
    assert!(open.get("FullyPaidOnDate").is_none());
    let changed = caller.since("/Payments", "2026-11-02T09:01:00").first("Payments");
    assert_eq!((id(&changed["PaymentID"]), &changed["Status"]), (payment, &json!("DELETED")));
    assert_eq!(delete(&mut caller, payment).messages(), ["The payment has been deleted."]);
    assert_eq!(paid_again(&mut caller, invoice), 200, "the invoice can be paid again");
}

fn paid_again(caller: &mut Caller, invoice: Uuid) -> u16 {
    put(caller, &payment(invoice, "120")).status
}

/// Rule 49, switched.
#[test]
fn a_deleted_payment_may_keep_its_time_and_be_omitted_from_lists() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.deleting_moves_payment = false;
        switches.deleted_payments_in_lists = false;
    });
    let invoice = caller.invoice("SC-1");
    let payment = paid(&mut caller, invoice, "120");
    let made = caller.now;
    caller.pass(60);
    delete(&mut caller, payment).first("Payments");
    let row = caller.books().payment(payment).unwrap();
    assert_eq!((row.status, row.updated_at), (PaymentStatus::Deleted, made));
    assert_eq!(caller.get("/Payments").json()["Payments"], json!([]));
    let asked = caller.get(&query("/Payments", &[("where", "Status==\"DELETED\"")]));
    assert_eq!(id(&asked.first("Payments")["PaymentID"]), payment);
}

/// Rule 50.
#[test]
fn a_payment_can_be_deleted_but_not_changed() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let made = paid(&mut caller, invoice, "120");
    let text = "Payments cannot be modified, only deleted.";
    for change in
        [json!({"Amount": 5}), json!({"Status": "AUTHORISED"}), json!({"Status": "VOIDED"})]
    {
        let answer = caller.post(&format!("/Payments/{made}"), &change.to_string());
        assert_eq!(answer.messages(), [text], "{change}");
    }
    let mut again = payment(invoice, "1");
    again["PaymentID"] = json!(made);
    assert_eq!(put(&mut caller, &again).messages(), [text]);
    assert_eq!(caller.post("/Payments", &again.to_string()).messages(), [text]);
    again["PaymentID"] = json!(Uuid::from_u128(3));
    assert_eq!(
        caller.post("/Payments", &again.to_string()).messages(),
        ["The document with the supplied id was not found for this endpoint."]
    );
    assert_eq!(delete(&mut caller, Uuid::from_u128(3)).status, 404);
    let mut dead = payment(invoice, "1");
    dead["Status"] = json!("DELETED");
    assert_eq!(put(&mut caller, &dead).messages().len(), 1);
    let body = json!({"PaymentID": made, "Status": "DELETED"});
    assert_eq!(caller.post("/Payments", &body.to_string()).status, 200);
}

/// Rule 50.
#[test]
fn a_reconciled_payment_can_only_be_deleted_by_hand() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let mut body = payment(invoice, "120");
    body["IsReconciled"] = json!(true);
    let row = put(&mut caller, &body).first("Payments");
    assert_eq!(row["IsReconciled"], true);
    let payment = id(&row["PaymentID"]);
    let text = "The payment has been reconciled and cannot be deleted.";
    assert_eq!(delete(&mut caller, payment).messages(), [text]);
    caller.bookkeeper().remove_payment(payment).unwrap();
    assert_eq!(caller.invoice_status(invoice), InvoiceStatus::Authorised);
}

/// Rule 50, switched.
#[test]
fn a_payment_whose_reconciliation_is_undone_can_be_deleted_and_may_keep_its_time() {
    for moves in [true, false] {
        let mut caller = Caller::unconfirmed(|switches| {
            switches.reconciling_moves_payment = moves;
        });
        let invoice = caller.invoice("SC-1");
        let payment = paid(&mut caller, invoice, "120");
        let made = caller.books().payment(payment).unwrap().updated_at;
        caller.pass(60);
        caller.bookkeeper().reconcile_payment(payment).unwrap();
        caller.bookkeeper().unreconcile_payment(payment).unwrap();
        let row = caller.books().payment(payment).unwrap();
        assert_eq!((row.updated_at > made, row.is_reconciled), (moves, false));
        assert_eq!(delete(&mut caller, payment).status, 200);
    }
}
