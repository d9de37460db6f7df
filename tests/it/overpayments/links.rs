//! Overpayments follow the link of their contact.

use domain::surplus::Surplus;
use store::table::WriteExpectation;

use super::*;

/// A user unlinks a client from its contact.
fn unlinks(world: &World, client: &str) {
    let (by, account, client) = (owner(), world.account(), CrmId::new(client).unwrap());
    let unlinked = contacts::unlink_client(&world.engine, &account, &by, client);
    let unlinked = run(unlinked).unwrap().unwrap();
    assert!(matches!(unlinked, LinkOutcome::Done(_)), "{unlinked:?}");
}

/// A user links a client to a contact before anything of the client was sent.
fn links(world: &World, client: &str, contact: Uuid) {
    let (by, invocation) = (owner(), world.invocation());
    let (account, client) = (world.account(), CrmId::new(client).unwrap());
    let contact = XeroContactId(contact);
    let linked = contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
    let linked = run(linked).unwrap().unwrap();
    assert!(matches!(linked, LinkOutcome::Done(_)), "{linked:?}");
}

#[test]
fn an_overpayment_follows_the_link_of_its_contact_from_one_client_to_another() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(Contact, &a_client("cli_2", 1, "Another client", "record"));
    let (_, contact) = invoice(&world);
    let id = overpay(&world);
    world.poll_and_wait();
    unlinks(&world, "cli_1");
    let closed = ["1: open overpayment 13.94 of cli_1", "2: closed overpayment 13.94 of cli_1"];
    assert_eq!(describe_events(&world), closed);
    assert!(listed(&world).is_empty());
    assert_eq!(answer(&world, id, SurplusAnswer::Acknowledged), ResolveSurplusOutcome::NotOpen);
    // The CRM receives no events about its changes.
    let amount = "3.94".parse().unwrap();
    world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
    world.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
    assert_eq!(describe_events(&world), closed);
    links(&world, "cli_2", contact);
    assert_eq!(describe_events(&world)[2..], ["3: open overpayment 10 of cli_2"]);
    assert_eq!(listed(&world), [Decimal::from(10)]);
    let acknowledged = answer(&world, id, SurplusAnswer::Acknowledged);
    assert!(matches!(acknowledged, ResolveSurplusOutcome::Done(_)), "{acknowledged:?}");
    assert_eq!(describe_events(&world)[3..], ["4: closed overpayment 10 of cli_2"]);
    // What a user has decided stays as it is.
    unlinks(&world, "cli_2");
    links(&world, "cli_1", contact);
    assert_eq!(describe_events(&world).len(), 4);
}

#[test]
fn an_overpayment_of_a_merged_contact_belongs_to_no_client_once_its_client_is_unlinked() {
    let world = billed();
    let (_, merged) = invoice(&world);
    let kept = world.by_hand(|hand| hand.add_contact("Kept")).unwrap();
    world.by_hand(|hand| hand.merge_contacts(merged, kept)).unwrap();
    overpay(&world);
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["1: open overpayment 13.94 of cli_1"]);
    unlinks(&world, "cli_1");
    assert_eq!(describe_events(&world)[1..], ["2: closed overpayment 13.94 of cli_1"]);
    // A contact that has nothing to do with it.
    let other = world.by_hand(|hand| hand.add_contact("Another contact")).unwrap();
    links(&world, "cli_1", other);
    assert_eq!(describe_events(&world).len(), 2);
    links(&world, "cli_1", kept);
    assert_eq!(describe_events(&world)[2..], ["3: open overpayment 13.94 of cli_1"]);
}

/// A table in which a user unlinks the client just before a poll writes its overpayment.
#[derive(Debug)]
struct UserUnlinks {
    world: Arc<World>,
    has_unlinked: AtomicBool,
}

#[async_trait]
impl TableInterception for UserUnlinks {
    async fn intercept_request(&self, request: TableRequest<'_>) -> Result<(), TableError> {
        let TableRequest::Write(writes) = request else { return Ok(()) };
        let is_overpayment = writes.iter().any(|write| write.item_key().sk.starts_with("SURPLUS#"));
        if is_overpayment && !self.has_unlinked.swap(true, Ordering::SeqCst) {
            unlinks(&self.world, "cli_1");
        }
        Ok(())
    }
}

#[test]
fn an_overpayment_whose_client_is_unlinked_while_a_poll_reads_it_belongs_to_no_client() {
    for is_known in [false, true] {
        let world = billed();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        let id = overpay(&world);
        if is_known {
            world.poll_and_wait();
            let amount = "3.94".parse().unwrap();
            world.by_hand(|hand| hand.refund(Credit::Overpayment(id), amount, &today())).unwrap();
            world.clock.advance(SignedDuration::from_hours(24));
        }
        let world = Arc::new(world);
        let unlinks = UserUnlinks { world: world.clone(), has_unlinked: AtomicBool::new(false) };
        let store = InterceptedTable::store_on(world.table.clone(), unlinks);
        let engine = Engine { store, ..world.engine.clone() };
        run(poll_ledgers(&engine, &[world.ledger()], world.invocation())).unwrap();
        let last = describe_events(&world).pop().unwrap();
        assert!(last.ends_with(": closed overpayment 13.94 of cli_1"), "{last}");
        assert!(listed(&world).is_empty(), "{is_known}");
    }
}

#[test]
fn an_overpayment_is_open_again_for_a_client_that_is_linked_again() {
    let world = billed();
    let (_, contact) = invoice(&world);
    overpay(&world);
    world.poll_and_wait();
    let other = world.by_hand(|hand| hand.add_contact("Another contact")).unwrap();
    links(&world, "cli_1", other);
    assert_eq!(describe_events(&world)[1..], ["2: closed overpayment 13.94 of cli_1"]);
    links(&world, "cli_1", contact);
    assert_eq!(describe_events(&world)[2..], ["3: open overpayment 13.94 of cli_1"]);
}

#[test]
fn money_paid_on_the_invoice_of_a_client_that_was_unlinked_before_is_not_reported() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    unlinks(&world, "cli_1");
    overpay(&world);
    assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
    assert!(describe_events(&world).is_empty());
    assert!(listed(&world).is_empty());
}

/// The contact gets the client `cli_2` by a match of names, which an e-mail address proves.
fn is_matched_by_a_push(world: &World, contact: Uuid) {
    let email = "ap@ridge.example";
    world
        .by_hand(|hand| hand.edit_contact(contact, |one| one.email = Some(email.to_owned())))
        .unwrap();
    world.receive(Invoice, &an_invoice("inv_2", "cli_2").client_email(email).body());
}

fn is_linked_by_a_user(world: &World, contact: Uuid) {
    world.receive(Contact, &a_client("cli_2", 1, "Another client", "record"));
    links(world, "cli_2", contact);
}

fn is_linked_by_a_reconciliation(world: &World, _: Uuid) {
    world.receive(Contact, &a_client("cli_2", 1, "Client cli_2", "record"));
    world.start_reconciliation();
    world.advance(SignedDuration::from_mins(2));
}

/// The contact of the client `cli_1` was merged into this one.
fn is_linked_after_a_merge(world: &World, contact: Uuid) {
    let (_, merged) = invoice(world);
    world.by_hand(|hand| hand.merge_contacts(merged, contact)).unwrap();
    links(world, "cli_1", contact);
}

/// Links a client to this contact.
type LinkContact = fn(&World, Uuid);

#[test]
fn money_that_was_read_while_its_contact_had_no_client_is_reported_once_it_has_one() {
    let cases: [(LinkContact, &str); 4] = [
        (is_matched_by_a_push, "cli_2"),
        (is_linked_by_a_user, "cli_2"),
        (is_linked_by_a_reconciliation, "cli_2"),
        (is_linked_after_a_merge, "cli_1"),
    ];
    for (link, client) in cases {
        let (world, contact) = a_world_with_money_of_no_client();
        link(&world, contact);
        assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"], "{client}");
        assert_eq!(describe_events(&world), [format!("1: open overpayment 7 of {client}")]);
        // What was read is not read again.
        assert!(surplus_calls(&world).is_empty());
    }
}

#[test]
fn money_from_before_the_connect_is_reported_once_its_contact_has_a_client() {
    let world = World::new();
    let contact = world.add_contact("Client cli_2");
    world.by_hand(|hand| hand.receive_overpayment(contact, 7.into(), &today())).unwrap();
    world.clock.advance(SignedDuration::from_hours(24 * 30));
    world.connect();
    let world = bill(world);
    assert!(describe_events(&world).is_empty());
    is_linked_by_a_user(&world, contact);
    assert_eq!(surplus_calls(&world), ["GET /Overpayments", "GET /Prepayments"]);
    assert_eq!(describe_events(&world), ["1: open overpayment 7 of cli_2"]);
    // What was read is not read again.
    assert!(surplus_calls(&world).is_empty());
}

#[test]
fn an_overpayment_that_no_link_has_closed_is_closed_by_the_daily_check() {
    let world = billed();
    overpay(&world);
    world.poll_and_wait();
    let is_surplus = |item: &StoredItem| item.key.sk.starts_with("SURPLUS#");
    let open = world.table.all_items().into_iter().find(is_surplus).unwrap();
    unlinks(&world, "cli_1");
    // An earlier release has left it open, and did not store the contact.
    let mut record: serde_json::Value = serde_json::from_str(&open.record).unwrap();
    record.as_object_mut().unwrap().remove("contact").unwrap();
    let earlier = StoredItem { record: record.to_string(), ..open };
    let mut items = world.table.all_items();
    items.retain(|item| !is_surplus(item));
    items.push(earlier);
    world.table.restore_items(items);
    assert_eq!(listed(&world).len(), 1);
    // No invoice is open, so the ledger is verified in one hour of the day.
    for _ in 0..2 * 24 * 4 {
        world.poll_and_wait();
    }
    assert!(listed(&world).is_empty());
    let last = describe_events(&world).pop().unwrap();
    assert!(last.ends_with(": closed overpayment 13.94 of cli_1"), "{last}");
}

#[test]
fn a_daily_check_assigns_a_limited_number_of_overpayments_and_the_next_one_continues() {
    const COUNT: usize = 1_500;
    let world = billed();
    let (ledger, store) = (world.ledger(), &world.engine.store);
    // An open invoice, so that a poll of each day is the daily check.
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let id = XeroId(overpay(&world));
    world.poll_and_wait();
    let known = run(store.find_surplus(&ledger, id)).unwrap().unwrap().unwrap().record;
    unlinks(&world, "cli_1");
    // What a process has left that died right after the client was unlinked.
    let ids = (1..=COUNT).map(|number| XeroId(Uuid::from_u128(u128::try_from(number).unwrap())));
    let ids = ids.collect::<Vec<_>>();
    for id in &ids {
        let left = Surplus { id: *id, ..known.clone() };
        run(store.put_surplus(&left, WriteExpectation::Absent, None)).unwrap().unwrap();
    }
    let count_closed = || {
        let find = |id: &XeroId| run(store.find_surplus(&ledger, *id)).unwrap().unwrap().unwrap();
        ids.iter().filter(|id| find(id).record.is_unlinked).count()
    };
    for expected in [1_000, COUNT, COUNT] {
        world.clock.advance(SignedDuration::from_hours(24));
        world.poll_and_wait();
        assert_eq!(count_closed(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_attention_list_shows_an_overpayment_with_the_client_that_is_linked_now_or_not_at_all()
{
    let world = billed();
    let (_, contact) = invoice(&world);
    overpay(&world);
    world.poll_and_wait();
    world.receive(Contact, &a_client("cli_2", 1, "Another client", "record"));
    let gateway = Gateway::new(&world, Delays::default());
    let choice = format!(r#"{{"contact_id":"{contact}"}}"#);
    for (method, client, body, shown) in
        [("DELETE", "cli_1", None, vec![]), ("PUT", "cli_2", Some(choice.as_str()), vec!["cli_2"])]
    {
        let path = format!("/v1/clients/{client}/contact");
        let (_, changed) = gateway.send(&a_request(method, &path, "", "Owner", body)).await;
        assert_eq!(changed.status().as_u16(), 200, "{method}");
        let (_, list) = gateway.send(&a_request("GET", "/v1/attention", "", "Owner", None)).await;
        let list: serde_json::Value = serde_json::from_slice(list.body()).unwrap();
        let overpaid = list["overpaid"].as_array().unwrap();
        let clients = overpaid.iter().map(|one| one["client_id"].as_str().unwrap());
        assert_eq!(clients.collect::<Vec<_>>(), shown, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_attention_list_shows_an_overpayment_and_its_route_takes_the_answer() {
    let world = billed();
    let id = overpay(&world);
    world.poll_and_wait();
    let gateway = Gateway::new(&world, Delays::default());
    let (_, list) = gateway.send(&a_request("GET", "/v1/attention", "", "Owner", None)).await;
    let list: serde_json::Value = serde_json::from_slice(list.body()).unwrap();
    let [shown] = list["overpaid"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!(shown["xero_id"], id.to_string());
    assert_eq!(shown["kind"], "overpayment");
    assert_eq!(shown["client_id"], "cli_1");
    assert_eq!(shown["remaining"]["amount"], "13.94");
    assert_eq!(shown["candidates"][0], "inv_1");
    // The money of an invoice in pounds pays none in euros.
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").currency("EUR").body());
    let path = format!("/v1/overpayments/{id}");
    for (role, body, expected, field) in [
        ("Owner", r#"{"acknowledged":false}"#, 400, Some("acknowledged")),
        ("Owner", r#"{"invoice":"inv_9"}"#, 400, Some("invoice")),
        ("Owner", r#"{"invoice":"inv_2"}"#, 400, Some("invoice")),
        ("Owner", r#"{"invoice":"inv_1"}"#, 200, None),
        ("Owner", r#"{"acknowledged":true}"#, 409, None),
    ] {
        let (_, answered) = gateway.send(&a_request("POST", &path, "", role, Some(body))).await;
        assert_eq!(answered.status().as_u16(), expected, "{body}");
        let answered: serde_json::Value = serde_json::from_slice(answered.body()).unwrap();
        assert_eq!(answered["field"].as_str(), field, "{answered}");
    }
    let (_, list) = gateway.send(&a_request("GET", "/v1/attention", "", "Owner", None)).await;
    let list: serde_json::Value = serde_json::from_slice(list.body()).unwrap();
    assert_eq!(list["overpaid"], serde_json::json!([]));
}
