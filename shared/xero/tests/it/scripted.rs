//! A transport that answers from a script and records the requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use xero::{RequestSent, Transport, TransportError, TransportErrorKind};

/// One answer of the script.
#[derive(Debug)]
pub enum Answer {
    Reply(Response<Bytes>),
    Unfinished(RequestSent, TransportErrorKind),
}

#[derive(Debug, Default)]
pub struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl Scripted {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
        })
    }

    /// Answers one request with 200 and this body.
    pub fn ok(body: &str) -> Arc<Self> {
        Self::new([reply(200, &[], body)])
    }

    /// The requests so far, oldest first.
    pub fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        self.asked.lock().unwrap().push(request);
        match self.answers.lock().unwrap().pop_front().expect("a call the script does not expect") {
            Answer::Reply(response) => Ok(response),
            Answer::Unfinished(sent, kind) => {
                Err(TransportError { sent, kind, source: "scripted".into() })
            }
        }
    }
}

/// An answer with this status and a body that need not be text.
pub fn reply_bytes(status: u16, body: Vec<u8>) -> Answer {
    Answer::Reply(Response::builder().status(status).body(Bytes::from(body)).unwrap())
}

/// An answer with this status, these headers and this body.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Answer::Reply(response.body(Bytes::from(body.to_owned())).unwrap())
}
