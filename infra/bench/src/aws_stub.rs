//! The services of AWS that the functions call, on one address: DynamoDB by an embedded emulator,
//! and as much of Secrets Manager, SQS and Scheduler as the functions need. It counts the calls.
//!
//! It checks neither signatures nor permissions; the local stack does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use dynoxide::{Database, DynoxideError};
use http::{Request, Response, StatusCode};
use local::failure::Failure;
use local::http_server::Site;
use serde_json::{Value, json};
use store::table::StoredItem;

use crate::dynamo_items::{TABLE_NAME, encode_item, table_layout};

/// The MD5 in every response. The SDK does not check it.
const MD5: &str = "00000000000000000000000000000000";

/// A message that a function sent to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The address of the queue.
    pub queue_url: String,
    /// The body.
    pub body: String,
}

/// The services.
pub struct AwsStub {
    database: Database,
    secrets: Mutex<BTreeMap<String, String>>,
    sent: Mutex<Vec<SentMessage>>,
    calls: Mutex<BTreeMap<String, usize>>,
}

impl std::fmt::Debug for AwsStub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsStub").field("calls", &self.calls).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AwsStub {
    /// The services with these secrets, and a table with these items.
    pub fn new(secrets: BTreeMap<String, String>, items: &[StoredItem]) -> Result<Self, Failure> {
        let cannot = |error: DynoxideError| {
            Failure::new(format!("The embedded DynamoDB failed: {}", error.to_json()))
        };
        let database = Database::memory().map_err(cannot)?;
        let stub = Self {
            database,
            secrets: Mutex::new(secrets),
            sent: Mutex::default(),
            calls: Mutex::default(),
        };
        let created = stub.answer_table("CreateTable", &table_layout().to_string());
        check_answer("CreateTable", &created)?;
        for item in items {
            let put = json!({ "TableName": TABLE_NAME, "Item": encode_item(item) });
            check_answer("PutItem", &stub.answer_table("PutItem", &put.to_string()))?;
        }
        Ok(stub)
    }

    /// Takes the calls since the last time, by service and operation.
    pub fn take_calls(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut *locked(&self.calls))
    }

    /// Takes the messages that were sent to a queue since the last time.
    pub fn take_sent(&self, queue_url: &str) -> Vec<String> {
        let mut sent = locked(&self.sent);
        let all = std::mem::take(&mut *sent);
        let (taken, kept): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|message| message.queue_url == queue_url);
        *sent = kept;
        taken.into_iter().map(|message| message.body).collect()
    }

    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let target = request.headers().get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok()).unwrap_or_default();
        let (service, operation) = target.rsplit_once('.').unwrap_or_default();
        let body = String::from_utf8_lossy(request.body());
        let (name, (status, answer)) = match service {
            "DynamoDB_20120810" => ("DynamoDB", self.answer_table(operation, &body)),
            "secretsmanager" => ("Secrets Manager", self.answer_secrets(operation, &body)),
            "AmazonSQS" => ("SQS", self.answer_queue(operation, &body)),
            _ if request.uri().path().starts_with("/schedules/") => {
                ("Scheduler", (200, json!({ "ScheduleArn": "arn:aws:scheduler" }).to_string()))
            }
            _ => ("unknown", refuse("UnknownOperationException")),
        };
        let call = format!("{name} {operation}").trim_end().to_owned();
        *locked(&self.calls).entry(call).or_default() += 1;
        let mut response = Response::new(Bytes::from(answer));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = http::HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        response
    }

    fn answer_table(&self, operation: &str, body: &str) -> (u16, String) {
        let database = &self.database;
        match operation {
            "CreateTable" => carry_out(body, |request| database.create_table(request)),
            "GetItem" => carry_out(body, |request| database.get_item(request)),
            "BatchGetItem" => carry_out(body, |request| database.batch_get_item(request)),
            "PutItem" => carry_out(body, |request| database.put_item(request)),
            "UpdateItem" => carry_out(body, |request| database.update_item(request)),
            "DeleteItem" => carry_out(body, |request| database.delete_item(request)),
            "Query" => carry_out(body, |request| database.query(request)),
            "TransactWriteItems" => {
                carry_out(body, |request| database.transact_write_items(request))
            }
            _ => refuse("UnknownOperationException"),
        }
    }

    fn answer_secrets(&self, operation: &str, body: &str) -> (u16, String) {
        let request = serde_json::from_str::<Value>(body).unwrap_or_default();
        let field = |name: &str| request.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let Some(name) = field("SecretId").or_else(|| field("Name")) else {
            return refuse("InvalidParameterException");
        };
        let mut secrets = locked(&self.secrets);
        let is_known = secrets.contains_key(&name);
        let creates = operation == "CreateSecret";
        if creates && is_known {
            return refuse("ResourceExistsException");
        }
        if !creates && !is_known {
            return refuse("ResourceNotFoundException");
        }
        let mut answer = json!({ "ARN": format!("arn:aws:{name}"), "Name": name.as_str() });
        match operation {
            "GetSecretValue" => {
                let value = secrets.get(&name).cloned().unwrap_or_default();
                if let Some(answer) = answer.as_object_mut() {
                    answer.insert("SecretString".to_owned(), Value::String(value));
                }
            }
            "CreateSecret" | "PutSecretValue" => {
                secrets.insert(name, field("SecretString").unwrap_or_default());
            }
            "DeleteSecret" => {
                secrets.remove(&name);
            }
            _ => return refuse("UnknownOperationException"),
        }
        (200, answer.to_string())
    }

    fn answer_queue(&self, operation: &str, body: &str) -> (u16, String) {
        let request = serde_json::from_str::<Value>(body).unwrap_or_default();
        let text = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let queue_url = text(&request, "QueueUrl");
        let entries = request.get("Entries").and_then(Value::as_array).cloned();
        let entries = entries.unwrap_or_default();
        let answer = match operation {
            "SendMessage" => {
                self.keep_message(&queue_url, text(&request, "MessageBody"));
                json!({ "MessageId": "1", "MD5OfMessageBody": MD5 })
            }
            "SendMessageBatch" => {
                for entry in &entries {
                    self.keep_message(&queue_url, text(entry, "MessageBody"));
                }
                let done = entries.iter().map(|entry| {
                    json!({ "Id": text(entry, "Id"), "MessageId": "1", "MD5OfMessageBody": MD5 })
                });
                json!({ "Successful": done.collect::<Vec<_>>(), "Failed": [] })
            }
            "ChangeMessageVisibilityBatch" | "DeleteMessageBatch" => {
                let done = entries.iter().map(|entry| json!({ "Id": text(entry, "Id") }));
                json!({ "Successful": done.collect::<Vec<_>>(), "Failed": [] })
            }
            "ChangeMessageVisibility" | "DeleteMessage" => json!({}),
            _ => return refuse("AWS.SimpleQueueService.UnsupportedOperation"),
        };
        (200, answer.to_string())
    }

    fn keep_message(&self, queue_url: &str, body: String) {
        locked(&self.sent).push(SentMessage { queue_url: queue_url.to_owned(), body });
    }
}

impl Site for AwsStub {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.respond(&request)
    }
}

fn refuse(code: &str) -> (u16, String) {
    (400, json!({ "__type": code, "message": code, "Message": code }).to_string())
}

fn check_answer(operation: &str, (status, body): &(u16, String)) -> Result<(), Failure> {
    if *status == 200 {
        return Ok(());
    }
    Err(Failure::new(format!("The embedded DynamoDB refuses {operation}: {body}")))
}

fn carry_out<Input, Output>(
    body: &str,
    operation: impl FnOnce(Input) -> Result<Output, DynoxideError>,
) -> (u16, String)
where
    Input: serde::de::DeserializeOwned,
    Output: serde::Serialize,
{
    let Ok(request) = serde_json::from_str(body) else { return refuse("SerializationException") };
    match operation(request) {
        Ok(answer) => (200, serde_json::to_string(&answer).unwrap_or_default()),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

#[cfg(test)]
mod tests {
    use store::table::{IndexKey, ItemKey, ItemVersion, NewItem};

    use super::*;

    fn stub() -> AwsStub {
        let item = NewItem {
            due: Some(IndexKey::new("DUE", "1")),
            snapshot: Some(vec![1, 2, 3]),
            ..NewItem::new(ItemKey::new("A", "B"), "{}")
        };
        let secrets = BTreeMap::from([("app".to_owned(), "hush".to_owned())]);
        AwsStub::new(secrets, &[item.into_stored(ItemVersion::FIRST)]).unwrap()
    }

    fn ask(stub: &AwsStub, target: &str, body: &Value) -> (u16, Value) {
        let request = Request::post("/").header("x-amz-target", target);
        let response = stub.respond(&request.body(Bytes::from(body.to_string())).unwrap());
        let answer = serde_json::from_slice(response.body()).unwrap_or_default();
        (response.status().as_u16(), answer)
    }

    #[test]
    fn a_copied_item_is_read_by_its_key_and_by_its_index() {
        let stub = stub();
        let key = json!({ "pk": { "S": "A" }, "sk": { "S": "B" } });
        let get = json!({ "TableName": TABLE_NAME, "Key": key, "ConsistentRead": true });
        let (status, answer) = ask(&stub, "DynamoDB_20120810.GetItem", &get);
        assert_eq!((status, &answer["Item"]["record"]["S"]), (200, &json!("{}")), "{answer}");
        assert_eq!(answer["Item"]["snapshot"]["B"], "AQID");
        let query = json!({
            "TableName": TABLE_NAME,
            "IndexName": "due",
            "KeyConditionExpression": "due_pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": "DUE" } },
        });
        let (status, answer) = ask(&stub, "DynamoDB_20120810.Query", &query);
        assert_eq!((status, &answer["Count"]), (200, &json!(1)), "{answer}");
    }

    #[test]
    fn secrets_are_read_and_written_and_messages_are_kept() {
        let stub = stub();
        let get = json!({ "SecretId": "app" });
        let (_, answer) = ask(&stub, "secretsmanager.GetSecretValue", &get);
        assert_eq!(answer["SecretString"], "hush");
        let put = json!({ "SecretId": "other", "SecretString": "x" });
        let (status, answer) = ask(&stub, "secretsmanager.PutSecretValue", &put);
        assert_eq!((status, &answer["__type"]), (400, &json!("ResourceNotFoundException")));
        let send = json!({ "QueueUrl": "q", "MessageBody": "wake up" });
        assert_eq!(ask(&stub, "AmazonSQS.SendMessage", &send).0, 200);
        assert_eq!(
            (stub.take_sent("other"), stub.take_sent("q")),
            (vec![], vec!["wake up".into()])
        );
        assert!(stub.take_sent("q").is_empty());
    }

    #[test]
    fn calls_are_counted_by_service_and_operation() {
        let stub = stub();
        for _ in 0..2 {
            ask(&stub, "AmazonSQS.DeleteMessage", &json!({}));
        }
        ask(&stub, "AmazonSQS.Unheard", &json!({}));
        let expected = [("SQS DeleteMessage", 2), ("SQS Unheard", 1)];
        let expected = expected.map(|(call, count)| (call.to_owned(), count));
        assert_eq!(stub.take_calls(), BTreeMap::from(expected));
        assert!(stub.take_calls().is_empty());
    }
}
