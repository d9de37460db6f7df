//! Tests of the order of events.

use super::*;

fn an_event(at: i64, id: u128, about: Option<(&str, u64)>) -> OutboundEvent {
    let news = match about {
        Some((invoice, sequence)) => EventContent::XeroStatus {
            invoice_id: CrmId::new(invoice).unwrap(),
            number: String::new(),
            sequence,
            status: "VOIDED".to_owned(),
            remarks: Vec::new(),
        },
        None => EventContent::Connection {
            status: ConnectionStatus::Active,
            organisation: None,
            message: String::new(),
        },
    };
    let at = Timestamp::from_second(at).unwrap();
    OutboundEvent::new(Uuid::from_u128(id), AccountId::new("acc_1").unwrap(), news, at)
}

#[test]
fn what_is_told_of_one_invoice_keeps_its_order_whatever_the_clocks_say() {
    let events = vec![
        an_event(1, 1, Some(("inv_1", 7))),
        an_event(2, 2, Some(("inv_2", 1))),
        an_event(2, 3, None),
        an_event(3, 4, Some(("inv_1", 6))),
        an_event(4, 5, Some(("inv_1", 8))),
    ];
    let ids = sort_for_delivery(events).into_iter().map(|event| event.event_id.0.as_u128());
    assert_eq!(ids.collect::<Vec<_>>(), [4, 2, 3, 1, 5]);
}
