//! Tests of what is kept of a message that SQS refuses.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use xero::{Transport, TransportError};

use super::*;
use crate::aws::AwsClients;
use crate::aws::test_access::test_access;

/// An SQS that refuses the first messages with a code, and accepts the others.
#[derive(Debug)]
struct RefusingQueue {
    code: &'static str,
    refusals: usize,
    requests: Mutex<Vec<Bytes>>,
}

impl RefusingQueue {
    fn new(code: &'static str, refusals: usize) -> Arc<Self> {
        Arc::new(Self { code, refusals, requests: Mutex::default() })
    }

    /// The messages that were sent, as JSON.
    fn messages(&self) -> Vec<Value> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
    }
}

#[async_trait]
impl Transport for RefusingQueue {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let sent = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(request.into_body());
            requests.len()
        };
        let response = Response::builder().header("content-type", "application/x-amz-json-1.0");
        if sent > self.refusals {
            return Ok(response.body(Bytes::from_static(br#"{"MessageId":"moved"}"#)).unwrap());
        }
        let code = self.code;
        let body = format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"no"}}"#);
        let response = response.status(400).header("x-amzn-query-error", format!("{code};Sender"));
        Ok(response.body(Bytes::from(body)).unwrap())
    }
}

/// Moves a message with this body to the queue.
async fn move_message(queue: &Arc<RefusingQueue>, body: &str) -> Result<(), PortError> {
    let client = AwsClients::new(&test_access(), queue.clone()).build_queue_client();
    let address = "https://sqs.eu-west-2.amazonaws.com/1/letters.fifo".to_owned();
    let letters = DeadLetterQueue::new(client, address);
    let letter = DeadLetter { message_id: "m1", group: "acc_1", body };
    letters.dead_letter(letter, &DeadLetterReason::new("panicked", "It panicked.")).await
}

#[test]
fn the_beginning_of_a_body_ends_between_characters() {
    assert_eq!(truncate_body("short"), "short");
    let long = format!("a{}", "é".repeat(BEGINNING_BYTES));
    assert_eq!(truncate_body(&long).len(), BEGINNING_BYTES - 1);
}

#[tokio::test]
async fn a_message_whose_content_is_refused_is_moved_with_less_of_it() {
    let body = "x".repeat(2 * BEGINNING_BYTES);
    let queue = RefusingQueue::new("InvalidParameterValue", 2);
    move_message(&queue, &body).await.unwrap();
    let messages = queue.messages();
    let lengths = messages.iter().map(|one| one["MessageBody"].as_str().unwrap().len());
    assert_eq!(
        lengths.collect::<Vec<_>>(),
        [2 * BEGINNING_BYTES, 2 * BEGINNING_BYTES, BEGINNING_BYTES]
    );
    let has_sentence = messages.iter().map(|one| one["MessageAttributes"]["reason"].is_object());
    assert_eq!(has_sentence.collect::<Vec<_>>(), [true, false, false]);
    for message in &messages {
        assert_eq!(message["MessageAttributes"]["reason_code"]["StringValue"], "panicked");
    }
}

#[tokio::test]
async fn a_message_that_is_refused_for_another_reason_loses_nothing() {
    let codes = ["AccessDenied", "AWS.SimpleQueueService.NonExistentQueue", "InvalidSecurity"];
    for code in codes {
        let queue = RefusingQueue::new(code, 2);
        let body = "x".repeat(2 * BEGINNING_BYTES);
        move_message(&queue, &body).await.unwrap_err();
        assert_eq!(queue.messages().len(), 1, "{code}: no shorter form is sent");
    }
}
