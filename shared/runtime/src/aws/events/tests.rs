//! Tests of the calls that deliver several events.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use xero::{Transport, TransportError};

use super::*;
use crate::aws::AwsClients;
use crate::aws::test_access::test_access;

fn entries(count: usize, bytes: usize) -> Vec<SendMessageBatchRequestEntry> {
    let entry = |number: usize| {
        let entry = SendMessageBatchRequestEntry::builder().id(number.to_string());
        entry.message_body("x".repeat(bytes)).build().unwrap()
    };
    (0..count).map(entry).collect()
}

#[test]
fn a_call_takes_ten_events_and_no_more_bytes_than_sqs_accepts() {
    assert_eq!(count_for_one_call(&entries(3, 1_000)), 3);
    assert_eq!(count_for_one_call(&entries(11, 1_000)), 10);
    assert_eq!(count_for_one_call(&entries(3, BODIES_BYTES_MAX / 2)), 2);
    assert_eq!(count_for_one_call(&entries(3, BODIES_BYTES_MAX + 1)), 1);
}

/// An SQS that refuses every second entry of its first call, and accepts all others.
#[derive(Debug, Default)]
struct PartlyRefusingQueue(Mutex<Vec<Vec<Value>>>);

#[async_trait]
impl Transport for PartlyRefusingQueue {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let call: Value = serde_json::from_slice(request.body()).unwrap();
        let entries = call["Entries"].as_array().unwrap().clone();
        let is_first = {
            let mut calls = self.0.lock().unwrap();
            calls.push(entries.clone());
            calls.len() == 1
        };
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (place, entry) in entries.iter().enumerate() {
            let id = &entry["Id"];
            if is_first && place % 2 == 1 {
                failed.push(format!(r#"{{"Id":{id},"SenderFault":false,"Code":"InternalError"}}"#));
            } else {
                let sent = format!(r#"{{"Id":{id},"MessageId":"sent","MD5OfMessageBody":""}}"#);
                successful.push(sent);
            }
        }
        let (successful, failed) = (successful.join(","), failed.join(","));
        let answer = format!(r#"{{"Successful":[{successful}],"Failed":[{failed}]}}"#);
        let response = Response::builder().header("content-type", "application/x-amz-json-1.0");
        Ok(response.body(Bytes::from(answer)).unwrap())
    }
}

fn an_event(number: u8) -> EventMessage {
    let id = format!("00000000-0000-4000-8000-0000000000{number:02}");
    let text = format!(
        r#"{{"version":1,"event_id":"{id}","account_id":"acc_1","occurred_at":"2026-11-02T09:00:00Z","type":"a.kind"}}"#
    );
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn events_of_a_call_that_sqs_refuses_alone_are_not_accepted_and_keep_their_ids() {
    let queue = Arc::new(PartlyRefusingQueue::default());
    let client = AwsClients::new(&test_access(), queue.clone()).build_queue_client();
    let address = "https://sqs.eu-west-2.amazonaws.com/1/events.fifo".to_owned();
    let events_queue = EventQueue::new(client, address);
    let events = [1, 2, 3, 4].map(an_event);
    let [one, two, three, four] = [0, 1, 2, 3].map(|place: usize| events[place].event_id);

    let published = events_queue.publish_unordered_events(&events).await;
    assert_eq!(published.accepted.into_iter().collect::<Vec<_>>(), [one, three]);
    let error = published.error.unwrap().source.to_string();
    assert_eq!(error, "SQS refused 2 of the messages, the first with InternalError");

    let refused = [events[1].clone(), events[3].clone()];
    let published = events_queue.publish_unordered_events(&refused).await;
    assert_eq!(published.accepted.into_iter().collect::<Vec<_>>(), [two, four]);
    assert!(published.error.is_none());

    let calls = queue.0.lock().unwrap();
    let [first, second] = calls.as_slice() else { panic!("{calls:?}") };
    for (again, before) in second.iter().zip([&first[1], &first[3]]) {
        assert_eq!(again["MessageDeduplicationId"], before["MessageDeduplicationId"]);
        assert_eq!(again["MessageBody"], before["MessageBody"]);
    }
}
