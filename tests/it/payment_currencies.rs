//! Stripe payments whose balance has another currency than the invoice: the Stripe bank account in
//! Xero has Stripe's balance, to the cent.

use domain::account_codes::AccountCodes;
use domain::entity::EntityKind::{Invoice, Payment};
use domain::operation::OperationState;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use store::table::StoredItem;
use tests::World;
use tests::builders::{PaymentMessage, a_payment, an_invoice};
use tests::world::every_account;
use xero_sim::{Fault, FaultKind, InvoiceStatus, Match, Settings};

/// A world whose Stripe bank account has this currency.
pub(crate) fn holding(currency: &str) -> World {
    holding_with(currency, |_| {})
}

/// The same, after a change of Xero's settings.
pub(crate) fn holding_with(currency: &str, change: impl FnOnce(&mut Settings)) -> World {
    let world = World::with(|settings| {
        let accounts = &mut settings.organisations[0].accounts;
        let stripe = accounts.iter_mut().find(|one| one.code.as_deref() == Some("092"));
        stripe.unwrap().currency = Some(currency.to_owned());
        change(settings);
    });
    world.connect();
    world.choose_accounts();
    world
}

/// An invoice in this currency over this amount, free of tax.
fn bill(world: &World, id: &str, currency: &str, amount: &str) {
    let invoice = an_invoice(id, "cli_1").currency(currency).price(amount, amount).tax_rate("0");
    world.receive(Invoice, &invoice.body());
}

/// Removes status and amounts from a document's row, which the rows of early releases do not have.
pub(crate) fn forget_amounts(world: &World, sort_key: &str) {
    let forget = |item: StoredItem| {
        if item.key.sk != sort_key {
            return item;
        }
        let mut record: serde_json::Value = serde_json::from_str(&item.record).unwrap();
        record["link"].as_object_mut().unwrap().remove("amounts").unwrap();
        StoredItem { open: None, record: record.to_string(), ..item }
    };
    let items = world.table.all_items().into_iter().map(forget).collect();
    world.table.restore_items(items);
}

fn failure_code(world: &World, part: &str) -> String {
    let operation = world.mapping(Payment, part).unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped, "{part}");
    operation.failure.unwrap().code.into_owned()
}

/// The messages of the sync log.
fn log(world: &World) -> String {
    world.log().into_iter().map(|entry| entry.message).collect::<Vec<_>>().join("\n")
}

fn euros_to_pounds() -> PaymentMessage {
    a_payment("pay_1", &[("inv_1", "120.00")])
        .currency("EUR")
        .settlement("GBP", "102.56", "0.854667")
}

#[test]
fn a_foreign_invoice_settled_in_the_base_currency() {
    let world = holding("GBP");
    bill(&world, "inv_1", "EUR", "120.00");
    world.receive(Payment, &euros_to_pounds().fee("3.21").surcharge("1.00").body());
    // 102.56 + 1.00 - 3.21
    assert_eq!(world.balance_of("092"), "100.35");
    let (status, rate) = world.books(|books| {
        let payment = books.payments().next().unwrap();
        (books.invoices().next().unwrap().status, payment.currency_rate.normalize().to_string())
    });
    assert_eq!((status, rate.as_str()), (InvoiceStatus::Paid, "1.170047"));
}

#[test]
fn an_invoice_in_the_base_currency_settled_in_a_foreign_one() {
    let world = holding("EUR");
    bill(&world, "inv_1", "GBP", "120.00");
    let payment = a_payment("pay_1", &[("inv_1", "120.00")]);
    let payment = payment.settlement("EUR", "138.31", "1.152583").fee("4.27");
    world.receive(Payment, &payment.body());
    assert_eq!(world.balance_of("092"), "134.04");
}

#[test]
fn a_foreign_invoice_settled_in_its_own_currency() {
    let world = holding("EUR");
    bill(&world, "inv_1", "EUR", "120.00");
    let payment = a_payment("pay_1", &[("inv_1", "120.00")]).currency("EUR").fee("4.27");
    world.receive(Payment, &payment.body());
    assert_eq!(world.balance_of("092"), "115.73");
}

#[test]
fn the_shares_of_several_invoices_are_what_stripe_settled() {
    let world = holding("GBP");
    for (id, amount) in [("inv_1", "33.33"), ("inv_2", "33.33"), ("inv_3", "33.34")] {
        bill(&world, id, "EUR", amount);
    }
    let shares = [("inv_1", "33.33"), ("inv_2", "33.33"), ("inv_3", "33.34")];
    let payment = a_payment("pay_1", &shares).currency("EUR");
    world.receive(Payment, &payment.settlement("GBP", "85.47", "0.8547").fee("1.75").body());
    assert_eq!(world.balance_of("092"), "83.72");
}

/// 87,654.32 at six decimals is a cent or more away from many amounts: the fee's document has it.
#[test]
fn the_cents_that_a_rate_of_six_decimals_loses_are_in_the_fee_whatever_xero_keeps_of_it() {
    for keeps_six in [false, true] {
        for settled in ["74918.15", "74918.16", "74918.17", "74918.18"] {
            for fee in ["2175.02", "0.00"] {
                let world = holding_with("GBP", |settings| {
                    settings.unconfirmed.rates_keep_six_places = keeps_six;
                });
                bill(&world, "inv_1", "EUR", "87654.32");
                let payment = a_payment("pay_1", &[("inv_1", "87654.32")]).currency("EUR");
                world.receive(
                    Payment,
                    &payment.settlement("GBP", settled, "0.8547").fee(fee).body(),
                );
                let (expected, fee): (Decimal, Decimal) =
                    (settled.parse().unwrap(), fee.parse().unwrap());
                assert_eq!(
                    world.balance_of("092"),
                    (expected - fee).to_string(),
                    "{settled} {fee}"
                );
            }
        }
    }
}

/// Xero takes the figure in the currency of the invoice.
#[test]
fn a_payment_in_another_currency_than_its_invoice_is_not_sent_even_if_its_row_has_no_amounts() {
    for is_early in [false, true] {
        let world = holding("GBP");
        bill(&world, "inv_1", "GBP", "120.00");
        if is_early {
            forget_amounts(&world, "MAP#invoice#inv_1");
        }
        world.receive(Payment, &euros_to_pounds().body());
        assert_eq!(failure_code(&world, "pay_1.1"), "payment_currency_differs", "{is_early}");
        assert_eq!(world.balance_of("092"), "0.00", "{is_early}");
    }
    // In the currency of the invoice it is sent.
    let world = holding("GBP");
    bill(&world, "inv_1", "GBP", "120.00");
    forget_amounts(&world, "MAP#invoice#inv_1");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "120.00")]).body());
    assert_eq!(world.balance_of("092"), "120.00");
}

#[test]
fn a_lost_answer_creates_no_second_payment_and_no_second_fee() {
    for path in ["/api.xro/2.0/Payments", "/api.xro/2.0/BankTransactions"] {
        let world = holding("GBP");
        bill(&world, "inv_1", "EUR", "120.00");
        let on = Match { method: Some(http::Method::PUT), ..Match::next(path) };
        world.inject(Fault { on, kind: FaultKind::LostAfter });
        world.receive(Payment, &euros_to_pounds().fee("3.21").body());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(world.balance_of("092"), "99.35", "{path}");
    }
}

#[test]
fn a_deleted_payment_leaves_nothing_in_the_account() {
    let world = holding("GBP");
    bill(&world, "inv_1", "EUR", "120.00");
    let payment = euros_to_pounds().fee("3.21").surcharge("1.00");
    world.receive(Payment, &payment.body());
    world.receive(Payment, &payment.deleted().body());
    assert_eq!(world.balance_of("092"), "0.00");
}

#[test]
fn without_a_settlement_the_payment_is_converted_by_xero_and_says_so() {
    let world = holding("GBP");
    bill(&world, "inv_1", "EUR", "120.00");
    let payment = a_payment("pay_1", &[("inv_1", "120.00")]).currency("EUR").fee("3.75");
    world.receive(Payment, &payment.body());
    assert!(log(&world).contains("The payment has no settlement"), "{}", log(&world));
    // The fee is in euros, and the account is not.
    assert_eq!(failure_code(&world, "pay_1.fee"), "account_currency_differs");
}

#[test]
fn an_account_in_another_currency_than_the_settlement_is_explained() {
    let world = holding("EUR");
    bill(&world, "inv_1", "EUR", "120.00");
    world.receive(Payment, &euros_to_pounds().body());
    assert_eq!(failure_code(&world, "pay_1.1"), "account_currency_differs");
    assert_eq!(world.balance_of("092"), "0.00");
}

#[test]
fn two_foreign_currencies_are_explained() {
    let world = holding("USD");
    bill(&world, "inv_1", "EUR", "120.00");
    let payment = a_payment("pay_1", &[("inv_1", "120.00")]).currency("EUR");
    world.receive(Payment, &payment.settlement("USD", "129.60", "1.08").fee("4.06").body());
    assert_eq!(failure_code(&world, "pay_1.1"), "two_foreign_currencies");
    assert_eq!(failure_code(&world, "pay_1.fee"), "two_foreign_currencies");
    assert_eq!(world.balance_of("092"), "0.00");
}

#[test]
fn a_payment_in_cash_into_an_account_that_xero_has_no_rate_for_is_explained() {
    let world = holding("USD");
    let codes = AccountCodes { cash: Some("092".to_owned()), ..every_account() };
    world.choose_codes(codes);
    bill(&world, "inv_1", "EUR", "120.00");
    let cash = a_payment("pay_1", &[("inv_1", "120.00")]).currency("EUR").method("cash");
    world.receive(Payment, &cash.body());
    assert_eq!(failure_code(&world, "pay_1.1"), "two_foreign_currencies");
    assert_eq!(world.balance_of("092"), "0.00");
}

#[test]
fn a_payment_in_cash_that_xero_converts_says_so() {
    let world = holding("GBP");
    let codes = AccountCodes { cash: Some("092".to_owned()), ..every_account() };
    world.choose_codes(codes);
    bill(&world, "inv_1", "EUR", "120.00");
    let cash = a_payment("pay_1", &[("inv_1", "120.00")]).currency("EUR").method("cash");
    world.receive(Payment, &cash.body());
    assert!(log(&world).contains("at its exchange rate of the day"), "{}", log(&world));
}
