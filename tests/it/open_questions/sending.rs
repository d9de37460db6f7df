//! Questions about what Xero accepts, and about its answers to writes.

use domain::document::sales::NewStatus;
use domain::entity::EntityKind::{Allocation, Contact, CreditNote, Invoice, Payment};
use domain::sync_preferences::SyncPreferences;
use http::Method;
use jiff::civil::date;
use tests::builders::{a_client, a_credit_note, a_payment, an_allocation, an_invoice};
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, InvoiceStatus, Match, Receipt};

use super::*;

pub(super) const SCENARIOS: &[Scenario] = &[
    (
        send_a_batch_with_a_refused_invoice,
        &[
            "batch_answers_in_order",
            "errors_summarised_by_default",
            "refused_batch_saves_valid",
            "refused_rows_have_ids",
            "errors_are_descriptions",
            "currency_refusal_says_users",
        ],
    ),
    (send_without_a_due_date, &["approval_needs_due_date", "missing_date_is_today"]),
    (round_half_a_cent, &["rounding", "tax_may_exceed_unit_amount"]),
    (use_an_archived_account, &["line_refusals_are_short"]),
    (send_unusual_names, &["names_are_tidied", "long_names_accepted"]),
    (clear_a_field, &["empty_text_clears"]),
    (find_two_contacts, &["name_before_number"]),
    (
        match_names_with_other_accents,
        &["search_ignores_accents", "accents_distinguish_names", "names_are_tidied"],
    ),
    (match_a_name_without_its_accents, &["search_ignores_accents"]),
    (
        keep_deleted_money_deleted,
        &["deleted_payments_in_lists", "deleted_transactions_in_lists", "deleting_moves_payment"],
    ),
    (keep_a_deleted_draft_deleted, &["deleted_in_lists", "deleted_frees_number"]),
    (use_an_archived_contact, &["unarchiving_allowed", "archived_takes_edits", "archived_by_id"]),
    (void_an_invoice_of_an_archived_contact, &["archived_takes_voids"]),
    (use_a_taken_number, &["posted_number_overwrites"]),
    (use_a_number_in_other_capitals, &["invoice_numbers_ignore_case"]),
    (void_a_voided_invoice, &["voiding_twice_succeeds"]),
    (edit_a_part_paid_invoice, &["part_paid_takes_sent_mark"]),
    (book_a_fee_and_a_surcharge, &["bank_lines_include_tax"]),
    (find_numbers_with_separators, &["paths_take_separators"]),
    (
        apply_and_remove_credit,
        &[
            "allocation_keeps_date",
            "allocation_needs_date",
            "allocation_answer_has_id",
            "allocation_removal_in_envelope",
            "allocation_removal_like_example",
        ],
    ),
];

fn send_a_batch_with_a_refused_invoice(world: &mut World) {
    world.connect();
    let invoices = [
        an_invoice("inv_1", "cli_1"),
        an_invoice("inv_2", "cli_1").currency("NZD"),
        an_invoice("inv_3", "cli_1"),
    ];
    world.receive_together(Invoice, &invoices.map(|invoice| invoice.body()));
    world.advance(MINUTES(60));
    assert_synced(world, Invoice, "inv_1");
    assert_synced(world, Invoice, "inv_3");
    let code = failure_code(world, Invoice, "inv_2");
    assert!(code.starts_with("currency_not_"), "{code}");
    assert_eq!(world.count_live_invoices(), 2);
}

fn send_without_a_due_date(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    assert_synced(world, Invoice, "inv_1");
    assert_synced(world, CreditNote, "cn_1");
    let statuses = world.books(|books| {
        let (invoice, note) = (books.invoices().next(), books.credit_notes().next());
        [invoice.unwrap().status, note.unwrap().status]
    });
    assert_eq!(statuses, [InvoiceStatus::Authorised; 2]);
}

/// The tax is half a cent. If Xero rounds it otherwise than the CRM, the difference is reported.
fn round_half_a_cent(world: &mut World) {
    world.connect();
    let invoice = an_invoice("inv_1", "cli_1").price("0.10", "0.11").tax_rate("5");
    world.receive(Invoice, &invoice.body());
    assert_synced(world, Invoice, "inv_1");
    let amounts = world.mapping(Invoice, "inv_1").unwrap().link.unwrap().amounts.unwrap();
    let differs = amounts.xero_total != amounts.crm_total;
    assert_eq!(amounts.total_difference().is_some(), differs);
    let log = world.log();
    let is_reported = log.last().unwrap().message.contains("The totals differ");
    assert_eq!(is_reported, differs, "{log:?}");
}

fn use_an_archived_account(world: &mut World) {
    world.connect();
    world.by_hand(|bookkeeper| bookkeeper.archive_account("200").unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let code = failure_code(world, Invoice, "inv_1");
    assert!(code.starts_with("account_"), "{code}");
    assert_eq!(world.count_live_invoices(), 0);
}

fn send_unusual_names(world: &mut World) {
    world.connect();
    let long = "n".repeat(255);
    world.receive(Contact, &a_client("cli_1", 1, "Ridge   Plumbing  Ltd", "push"));
    world.receive(Contact, &a_client("cli_2", 1, &long, "push"));
    assert_synced(world, Contact, "cli_1");
    assert_synced(world, Contact, "cli_2");
    let mut names =
        world.books(|books| books.contacts().map(|one| one.name.clone()).collect::<Vec<_>>());
    names.sort();
    assert_eq!(names, ["Ridge Plumbing Ltd", long.as_str()]);
}

/// An address is removed in the CRM, and later there is a new one.
fn clear_a_field(world: &mut World) {
    world.connect();
    let addresses = [Some("a@ridge.example"), None, Some("b@ridge.example")];
    for (revision, address) in (1..).zip(addresses) {
        let invoice = an_invoice(&format!("inv_{revision}"), "cli_1").client_revision(revision);
        let invoice = match address {
            Some(address) => invoice.client_email(address),
            None => invoice,
        };
        world.receive(Invoice, &invoice.body());
        assert_synced(world, Contact, "cli_1");
    }
    let emails =
        world.books(|books| books.contacts().map(|one| one.email.clone()).collect::<Vec<_>>());
    assert_eq!(emails, [Some("b@ridge.example".to_owned())]);
}

/// One contact has the number of the client, and another one its name: the second is a stranger.
fn find_two_contacts(world: &mut World) {
    world.connect();
    let stranger = world.by_hand(|bookkeeper| {
        let numbered = bookkeeper.add_contact("Old Ridge").unwrap();
        let number = |contact: &mut xero_sim::Contact| contact.number = Some("SC-cli_1".to_owned());
        bookkeeper.edit_contact(numbered, number).unwrap();
        bookkeeper.add_contact("Ridge").unwrap()
    });
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "push"));
    world.advance(MINUTES(60));
    let link = world.mapping(Contact, "cli_1").unwrap().link;
    assert!(link.is_none_or(|link| link.xero_id.0 != stranger));
    let kept = world.books(|books| books.contact(stranger).unwrap().clone());
    assert_eq!((kept.name.as_str(), kept.number), ("Ridge", None));
    assert_eq!(world.books(|books| books.contacts().count()), 2);
}

/// A bookkeeper enters a contact. Its e-mail address shows which client it is.
fn enter_contact(world: &World, name: &str, email: &str) -> Uuid {
    world.by_hand(|bookkeeper| {
        let id = bookkeeper.add_contact(name).unwrap();
        let change = |contact: &mut xero_sim::Contact| contact.email = Some(email.to_owned());
        bookkeeper.edit_contact(id, change).unwrap();
        id
    })
}

/// The CRM composes accents differently, which is invisible. The second name cannot be in a
/// filter.
fn match_names_with_other_accents(world: &mut World) {
    world.connect();
    for (client, entered, sent) in [
        ("cli_1", "Caf\u{e9} M\u{fc}ller", "Cafe\u{301}  Mu\u{308}ller"),
        ("cli_2", "The \"Caf\u{e9}\" of Bern", "The \\\"Cafe\u{301}\\\" of Bern"),
    ] {
        let email = format!("{client}@cafe.example");
        let contact = enter_contact(world, entered, &email);
        let invoice = an_invoice(&format!("inv_{client}"), client);
        world.receive(Invoice, &invoice.client_name(sent).client_email(&email).body());
        assert_synced(world, Contact, client);
        assert_eq!(world.contact_of(client), Some(contact), "{client}");
    }
    assert_eq!(world.books(|books| books.contacts().count()), 2);
}

fn match_a_name_without_its_accents(world: &mut World) {
    world.connect();
    let contact = enter_contact(world, "Caf\u{e9} M\u{fc}ller", "ap@cafe.example");
    let invoice = an_invoice("inv_1", "cli_1").client_name("CAFE MULLER");
    world.receive(Invoice, &invoice.client_email("ap@cafe.example").body());
    assert_synced(world, Contact, "cli_1");
    assert_eq!(world.contact_of("cli_1"), Some(contact));
    assert_eq!(world.books(|books| books.contacts().count()), 1);
}

/// The answers to the writes are lost, and a bookkeeper deletes what they wrote before it is looked
/// up.
fn keep_deleted_money_deleted(world: &mut World) {
    world.connect();
    world.choose_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    for path in ["/api.xro/2.0/Payments", "/api.xro/2.0/BankTransactions"] {
        let on = Match::next(path).method(Method::PUT);
        world.inject(Fault { on, kind: FaultKind::LostAfter });
    }
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).fee("3.20").body());
    let payment = world.books(|books| books.payments().next().unwrap().id);
    let fee = world.books(|books| books.transactions().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| {
        bookkeeper.remove_payment(payment).unwrap();
        bookkeeper.remove_transaction(fee).unwrap();
    });
    world.advance(SignedDuration::from_hours(14));
    assert_synced(world, Payment, "pay_1.1");
    assert_synced(world, Payment, "pay_1.fee");
    assert_eq!(world.books(|books| books.payments().count()), 1);
    assert_eq!(world.books(|books| books.transactions().count()), 1);
}

/// The answer to the write of a draft is lost, and a bookkeeper deletes the draft before it is looked
/// up.
fn keep_a_deleted_draft_deleted(world: &mut World) {
    world.connect();
    let drafts = SyncPreferences { new_invoices: NewStatus::Draft, ..SyncPreferences::default() };
    world.choose_preferences(drafts);
    let on = Match::next("/api.xro/2.0/Invoices").method(Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let draft = world.books(|books| books.invoices().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.delete(draft).unwrap());
    world.advance(SignedDuration::from_hours(14));
    assert_synced(world, Invoice, "inv_1");
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().link.unwrap().xero_id.0, draft);
    assert_eq!(world.books(|books| books.invoices().count()), 1);
}

fn use_an_archived_contact(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let contact = world.mapping(Contact, "cli_1").unwrap().link.unwrap().xero_id.0;
    world.by_hand(|bookkeeper| bookkeeper.archive_contact(contact).unwrap());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(failure_code(world, Invoice, "inv_2"), "contact_archived");
    world.receive(Contact, &a_client("cli_1", 2, "Client one", "push"));
    assert_eq!(failure_code(world, Contact, "cli_1"), "contact_archived");
    world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    world.advance(MINUTES(60));
    assert_synced(world, Invoice, "inv_2");
    assert_synced(world, Contact, "cli_1");
    let names =
        world.books(|books| books.contacts().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names, ["Client one"]);
}

fn void_an_invoice_of_an_archived_contact(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let contact = world.mapping(Contact, "cli_1").unwrap().link.unwrap().xero_id.0;
    world.by_hand(|bookkeeper| bookkeeper.archive_contact(contact).unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
    world.by_hand(|bookkeeper| bookkeeper.restore_contact(contact).unwrap());
    world.advance(MINUTES(60));
    assert_synced(world, Invoice, "inv_1");
    assert_eq!(world.count_live_invoices(), 0);
}

/// The number of a new invoice is that of another one.
fn use_a_taken_number(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let other = an_invoice("inv_9", "cli_1").number("#INV_1").price("10.00", "12.00");
    world.receive(Invoice, &other.body());
    world.advance(MINUTES(60));
    failure_code(world, Invoice, "inv_9");
    let totals =
        world.books(|books| books.invoices().map(|one| one.total.to_string()).collect::<Vec<_>>());
    assert_eq!(totals, ["114.00"]);
}

/// The number of a new invoice is that of another one, in capitals. Neither changes the other.
fn use_a_number_in_other_capitals(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").number("job-1").body());
    let other = an_invoice("inv_2", "cli_1").number("JOB-1").price("10.00", "12.00");
    world.receive(Invoice, &other.body());
    world.advance(MINUTES(60));
    assert_synced(world, Invoice, "inv_1");
    let totals = world.books(|books| {
        books.invoices().map(|one| (one.number.clone(), one.total.to_string())).collect::<Vec<_>>()
    });
    assert!(totals.contains(&(Some("job-1".to_owned()), "114.00".to_owned())), "{totals:?}");
    if totals.len() == 1 {
        let code = failure_code(world, Invoice, "inv_2");
        assert!(code.contains("number"), "{code}");
    } else {
        assert_synced(world, Invoice, "inv_2");
        assert_eq!(totals.len(), 2);
    }
}

fn void_a_voided_invoice(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let invoice = world.books(|books| books.invoices().next().unwrap().id);
    world.by_hand(|bookkeeper| bookkeeper.void(invoice).unwrap());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).voided().body());
    assert_synced(world, Invoice, "inv_1");
}

/// The account has invoices marked as sent since this one was created.
fn edit_a_part_paid_invoice(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let marking = SyncPreferences { mark_as_sent: true, ..SyncPreferences::default() };
    world.choose_preferences(marking);
    world.is_paid("#INV_1", "14.00", &Receipt::on(date(2026, 11, 2)));
    let later = an_invoice("inv_1", "cli_1").revision(2).due_date("2026-12-31");
    world.receive(Invoice, &later.body());
    assert_synced(world, Invoice, "inv_1");
    let due = world.books(|books| books.invoices().next().unwrap().due_date);
    assert_eq!(due, Some(date(2026, 12, 31)));
}

fn book_a_fee_and_a_surcharge(world: &mut World) {
    world.connect();
    world.choose_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]).fee("3.20").surcharge("2.00");
    world.receive(Payment, &payment.body());
    for part in ["pay_1.1", "pay_1.fee", "pay_1.surcharge"] {
        assert_synced(world, Payment, part);
    }
    let mut balance = world.books(|books| books.balance_of("092").unwrap());
    balance.rescale(2);
    assert_eq!(balance.to_string(), "112.80");
}

/// The answers to the first writes are lost, and the documents are looked up by their numbers.
fn find_numbers_with_separators(world: &mut World) {
    world.connect();
    for path in ["/api.xro/2.0/Invoices", "/api.xro/2.0/CreditNotes"] {
        let on = Match::next(path).method(Method::PUT);
        world.inject(Fault { on, kind: FaultKind::LostAfter });
    }
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").number("2026/11:1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").number("CN/11:1").body());
    world.advance(MINUTES(60));
    assert_synced(world, Invoice, "inv_1");
    assert_synced(world, CreditNote, "cn_1");
    assert_eq!(world.count_live_invoices(), 1);
    assert_eq!(world.books(|books| books.credit_notes().count()), 1);
}

fn apply_and_remove_credit(world: &mut World) {
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    let credit = an_allocation("al_1", "cn_1", "inv_1", "10.00");
    for (body, applied) in [(credit.body(), 1), (credit.clone().removed().body(), 0)] {
        world.receive(CreditNote, &body);
        assert_synced(world, Allocation, "al_1");
        assert_eq!(world.books(|books| books.allocations().count()), applied);
    }
}
