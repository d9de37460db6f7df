//! Lambda's Runtime API on this machine: hands events to one function, and receives its answers.
//!
//! It has the four routes of <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>: the
//! next invocation, its response, its error, and the error of an initialisation.

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::SignedDuration;
use local::clock;
use local::failure::Failure;
use local::http_server::{self, Site};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

const PREFIX: &str = "/2018-06-01/runtime/";
/// The remaining time in the headers of an invocation. The stub does not enforce it.
const TIMEOUT: SignedDuration = SignedDuration::from_mins(10);
const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-2:000000000000:function:benchmark";
const TRACE: &str = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";

/// What a function reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionReport {
    /// It asks for the next event: it is initialised, or done with the one before.
    Ready,
    /// It answered the invocation of this id.
    Answered(String, Bytes),
    /// The invocation of this id failed.
    Failed(String, Bytes),
    /// Its initialisation failed.
    InitFailed(Bytes),
}

/// The Runtime API of one function. Dropping it ends the server.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    events: mpsc::UnboundedSender<Invocation>,
    reports: mpsc::UnboundedReceiver<FunctionReport>,
    invocations: u32,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: Bytes,
}

impl RuntimeApi {
    /// Listens on a free port.
    pub async fn start() -> Result<Self, Failure> {
        let cannot = |error| Failure::new("Cannot listen for the function").because(error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(cannot)?;
        let port = listener.local_addr().map_err(cannot)?.port();
        let (events, next) = mpsc::unbounded_channel();
        let (reported, reports) = mpsc::unbounded_channel();
        let routes = Arc::new(RuntimeRoutes { next: Mutex::new(next), reported });
        let mut server = JoinSet::new();
        server.spawn(http_server::serve(listener, routes));
        let address = format!("127.0.0.1:{port}");
        Ok(Self { address, events, reports, invocations: 0, _server: server })
    }

    /// Host and port, as in `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until the function asks for its first event.
    pub async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        match self.reports.recv().await {
            Some(FunctionReport::Ready) => Ok(()),
            other => Err(unexpected(other.as_ref())),
        }
    }

    /// Hands an event to a function that is ready, and waits until it is ready again. Returns the
    /// answer.
    ///
    /// # Errors
    ///
    /// If the invocation fails.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> Result<Bytes, Failure> {
        self.invocations = self.invocations.saturating_add(1);
        let id = format!("00000000-0000-4000-8000-{:012}", self.invocations);
        let invocation = Invocation { id: id.clone(), event: event.into() };
        let closed = || Failure::new("The server for the function has ended");
        self.events.send(invocation).map_err(|_| closed())?;
        let answer = match self.reports.recv().await {
            Some(FunctionReport::Answered(of, answer)) if of == id => answer,
            other => return Err(unexpected(other.as_ref())),
        };
        self.wait_until_ready().await?;
        Ok(answer)
    }
}

fn unexpected(report: Option<&FunctionReport>) -> Failure {
    match report {
        Some(FunctionReport::Ready) => Failure::new("The function skipped an invocation"),
        Some(FunctionReport::Answered(id, _)) => {
            Failure::new(format!("The function answered {id}, which it was not asked for"))
        }
        Some(FunctionReport::Failed(id, error)) => {
            let error = String::from_utf8_lossy(error);
            Failure::new(format!("The invocation {id} failed: {error}"))
        }
        Some(FunctionReport::InitFailed(error)) => {
            let error = String::from_utf8_lossy(error);
            Failure::new(format!("The function could not start: {error}"))
        }
        None => Failure::new("The server for the function has ended"),
    }
}

#[derive(Debug)]
struct RuntimeRoutes {
    next: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    reported: mpsc::UnboundedSender<FunctionReport>,
}

impl RuntimeRoutes {
    async fn hand_out_next(&self) -> Response<Bytes> {
        self.report(FunctionReport::Ready);
        let next = self.next.lock().await.recv().await;
        let Some(Invocation { id, event }) = next else {
            return respond(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new());
        };
        let deadline = clock::now().as_millisecond().saturating_add(millis(TIMEOUT));
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", deadline)
            .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
            .header("lambda-runtime-trace-id", TRACE)
            .body(event);
        response.expect("the headers are valid")
    }

    fn report(&self, report: FunctionReport) -> Response<Bytes> {
        // The measurement may be over, and the receiver gone.
        self.reported.send(report).ok();
        respond(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#))
    }
}

impl Site for RuntimeRoutes {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let segments = path.split('/').collect::<Vec<_>>();
        match (&head.method, segments.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.hand_out_next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                self.report(FunctionReport::Answered((*id).to_owned(), body))
            }
            (&Method::POST, ["invocation", id, "error"]) => {
                self.report(FunctionReport::Failed((*id).to_owned(), body))
            }
            (&Method::POST, ["init", "error"]) => self.report(FunctionReport::InitFailed(body)),
            _ => respond(StatusCode::NOT_FOUND, Bytes::new()),
        }
    }
}

fn respond(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use local::http_client::HttpClient;

    use super::*;

    async fn get_next(http: &HttpClient, base: &str) -> Response<Bytes> {
        let request = Request::get(format!("{base}/invocation/next")).body(Bytes::new()).unwrap();
        http.send(request).await.unwrap()
    }

    async fn post(http: &HttpClient, address: String, body: &'static str) -> StatusCode {
        let request = Request::post(address).body(Bytes::from_static(body.as_bytes())).unwrap();
        http.send(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_function_receives_events_one_by_one_and_answers_them() {
        let mut api = RuntimeApi::start().await.unwrap();
        let base = format!("http://{}/2018-06-01/runtime", api.address());
        let function = async {
            let http = HttpClient::default();
            for word in ["one", "two"] {
                let next = get_next(&http, &base).await;
                assert_eq!(next.body(), &format!("\"{word}\""));
                let header = |name: &str| next.headers()[name].to_str().unwrap().to_owned();
                assert!(header("lambda-runtime-deadline-ms").parse::<i64>().unwrap() > 0);
                assert!(header("lambda-runtime-invoked-function-arn").starts_with("arn:aws"));
                let id = header("lambda-runtime-aws-request-id");
                let answered = post(&http, format!("{base}/invocation/{id}/response"), "7").await;
                assert_eq!(answered, StatusCode::ACCEPTED);
            }
            // The last request for an event is never answered.
            get_next(&http, &base).await;
        };
        let driver = async {
            api.wait_until_ready().await.unwrap();
            assert_eq!(api.invoke("\"one\"").await.unwrap(), "7");
            assert_eq!(api.invoke("\"two\"").await.unwrap(), "7");
        };
        tokio::select! {
            () = driver => {}
            () = function => panic!("the function is answered once too often"),
        }
    }

    #[tokio::test]
    async fn a_failed_invocation_and_a_failed_start_are_failures() {
        let mut api = RuntimeApi::start().await.unwrap();
        let base = format!("http://{}/2018-06-01/runtime", api.address());
        let http = HttpClient::default();
        let failing = async {
            let next = get_next(&http, &base).await;
            let id = next.headers()["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
            post(&http, format!("{base}/invocation/{id}/error"), "no table").await
        };
        let driver = async {
            api.wait_until_ready().await.unwrap();
            api.invoke("{}").await.unwrap_err().lines().remove(0)
        };
        let (failed, status) = tokio::join!(driver, failing);
        assert!(failed.contains("no table"), "{failed}");
        assert_eq!(status, StatusCode::ACCEPTED);

        post(&http, format!("{base}/init/error"), "no variables").await;
        let failed = api.wait_until_ready().await.unwrap_err().lines().remove(0);
        assert!(failed.contains("could not start: no variables"), "{failed}");
        assert_eq!(post(&http, format!("{base}/else"), "").await, StatusCode::NOT_FOUND);
    }
}
