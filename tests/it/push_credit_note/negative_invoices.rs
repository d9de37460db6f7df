//! Invoices with a negative total, which are credit notes in Xero.

use super::*;

#[test]
fn a_negative_invoice_is_a_credit_note_and_never_an_invoice() {
    let world = World::connected();
    let negative = an_invoice("inv_1", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    assert_eq!(notes(&world), [(InvoiceStatus::Authorised, "114.00".to_owned())]);
    assert_eq!(world.books(|books| books.invoices().count()), 0);
    // It is corrected to a positive invoice: the note is voided; and vice versa.
    let positive = an_invoice("inv_1", "cli_1").revision(2);
    world.receive(Invoice, &positive.body());
    assert_eq!(notes(&world)[0].0, InvoiceStatus::Voided);
    let invoices =
        || world.books(|books| books.invoices().map(|one| one.status).collect::<Vec<_>>());
    assert_eq!(invoices(), [InvoiceStatus::Authorised]);
    // Late messages change nothing.
    let late = world.receive(Invoice, &negative.body());
    assert_eq!(late, MessageOutcome::Pushed(PushOutcome::Stale { known: 2 }));
    world.receive(Invoice, &negative.revision(3).body());
    assert_eq!(invoices(), [InvoiceStatus::Voided]);
}

#[test]
fn an_invoice_whose_total_changes_its_sign_again_and_again_is_in_the_books_once() {
    let world = World::connected();
    let invoice = an_invoice("inv_1", "cli_1");
    for (revision, price, total) in [
        (1, "-95.00", "-114.00"),
        (2, "95.00", "114.00"),
        (3, "-95.00", "-114.00"),
        (4, "95.00", "114.00"),
    ] {
        let message = invoice.clone().revision(revision).price(price, total);
        world.receive(Invoice, &message.body());
        world.advance(SignedDuration::from_mins(1));
        let expected: Decimal = total.parse().unwrap();
        assert_eq!(receivable_in_effect(&world), expected, "{revision}");
    }
}

#[test]
fn an_invoice_whose_stored_text_was_dropped_is_in_the_books_once_after_a_change_of_sign() {
    let world = World::connected();
    let invoice = an_invoice("inv_1", "cli_1");
    for (revision, price, total) in
        [(1, "95.00", "114.00"), (2, "-95.00", "-114.00"), (3, "95.00", "114.00")]
    {
        let message = invoice.clone().revision(revision).price(price, total);
        world.receive(Invoice, &message.body());
        world.advance(SignedDuration::from_mins(1));
        let expected: Decimal = total.parse().unwrap();
        assert_eq!(receivable_in_effect(&world), expected, "{revision}");
        let (kind, id) =
            if revision == 2 { (CreditNote, "inv_1~credit") } else { (Invoice, "inv_1") };
        let key = MappingKey::new(world.ledger(), kind, CrmId::new(id).unwrap());
        let store = &world.engine.store;
        let row = run(store.find_mapping(&key)).unwrap().unwrap().unwrap();
        let expect = WriteExpectation::Version(row.version);
        run(store.put_mapping(&row.record.without_text(), expect, None)).unwrap().unwrap();
    }
}

/// The totals of the invoices less those of the credit notes that are in effect.
fn receivable_in_effect(world: &World) -> Decimal {
    world.books(|books| {
        let invoices = books.invoices().filter(|one| !one.status.is_gone());
        let notes = books.credit_notes().filter(|one| !one.status.is_gone());
        let billed: Decimal = invoices.map(|one| one.total).sum();
        let credited: Decimal = notes.map(|one| one.total).sum();
        billed - credited
    })
}

#[test]
fn a_credit_note_with_the_derived_id_of_a_negative_invoice_is_a_separate_record() {
    let world = World::connected();
    let negative = an_invoice("inv_1", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    let namesake = a_credit_note("inv_1.credit", "cli_1").price("10.00", "12.00");
    world.receive(CreditNote, &namesake.body());
    let mut totals = notes(&world).into_iter().map(|(_, total)| total).collect::<Vec<_>>();
    totals.sort();
    assert_eq!(totals, ["114.00", "12.00"]);
    let link = |id: &str| world.mapping(CreditNote, id).unwrap().link.unwrap().xero_id;
    assert_ne!(link("inv_1~credit"), link("inv_1.credit"));
    // Each is changed separately.
    world.receive(CreditNote, &namesake.revision(2).voided().body());
    let live = notes(&world).into_iter().filter(|(status, _)| !status.is_gone());
    assert_eq!(live.collect::<Vec<_>>(), [(InvoiceStatus::Authorised, "114.00".to_owned())]);
}

#[test]
fn the_note_of_a_negative_invoice_is_found_under_the_id_of_earlier_releases() {
    let world = World::connected();
    let negative = an_invoice("inv_1", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    let mut earlier = world.mapping(CreditNote, "inv_1~credit").unwrap();
    earlier.key.crm_id = CrmId::new("inv_2.credit").unwrap();
    earlier.snapshot.json = earlier.snapshot.json.replace("inv_1", "inv_2");
    let written = run(world.engine.store.put_mapping(&earlier, WriteExpectation::Absent, None));
    written.expect("the process does not crash").expect("the table answers");
    let found = world.mapping(CreditNote, "inv_2~credit").unwrap();
    assert_eq!(found.key, earlier.key);
    // A credit note of the CRM with such an id does not belong to an invoice.
    world.receive(CreditNote, &a_credit_note("inv_3.credit", "cli_1").body());
    assert!(world.mapping(CreditNote, "inv_3~credit").is_none());
}
