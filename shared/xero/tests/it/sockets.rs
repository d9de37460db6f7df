//! Tests of the transport on a real socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use xero::{
    RequestSent, ReqwestTransport, Transport, TransportError, TransportErrorKind, TransportOptions,
};

/// `"thirteen byte"`, compressed by gzip.
const GZIPPED: &str = "H4sIAAAAAAACAyvJyCwqSU3NU0iqLEkFAGbsMyENAAAA";

/// Longer than a busy machine takes for an exchange with itself.
const PATIENCE: Duration = Duration::from_mins(5);

/// 100,000 bytes, compressed by gzip to 132.
const BOMB: &str = "H4sIAAAAAAAC/+3BMQEAAADCoNqLbw0PoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIBXA3ERB/6ghgEA";

fn a_transport() -> ReqwestTransport {
    ReqwestTransport::new(TransportOptions {
        connect_timeout: PATIENCE,
        exchange_timeout: PATIENCE,
        body_limit_bytes: 64,
        user_agent: "servicecortex-tests".to_owned(),
    })
    .unwrap()
}

/// Listens for one connection, reads one request, sends `answer` and closes the connection. Returns
/// the address and, through the handle, the request as received.
fn serve(answer: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/path?q=%20a", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut request).unwrap() > 0, "{request}");
        }
        let length = request
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(&answer).unwrap();
        request + std::str::from_utf8(&body).unwrap()
    });
    (address, server)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn get(address: &str) -> Request<Bytes> {
    Request::get(address).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_request_is_sent_unchanged() {
    let (address, server) = serve(answer("200 OK\r\nx-mark: 7", b"fine"));
    let request = Request::put(&address)
        .header("x-amz-target", "DynamoDB_20120810.PutItem")
        .header("user-agent", "somebody-else/1.0")
        .body(Bytes::from_static(b"{\"a\":1}"))
        .unwrap();
    let response = a_transport().send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-mark"], "7");
    assert_eq!(&response.body()[..], b"fine");

    let seen = server.join().unwrap();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "{\"a\":1}");
    let mut lines: Vec<&str> = head.lines().filter(|line| !line.starts_with("host: ")).collect();
    lines.sort_unstable();
    let expected = [
        "PUT /path?q=%20a HTTP/1.1",
        "accept-encoding: identity",
        "accept: */*",
        "content-length: 7",
        "user-agent: somebody-else/1.0",
        "x-amz-target: DynamoDB_20120810.PutItem",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (address, server) = serve(answer("302 Found\r\nlocation: http://127.0.0.1:1/", b""));
    let response = a_transport().send_request(get(&address)).await.unwrap();
    assert_eq!(response.status(), 302);
    assert!(server.join().unwrap().contains("user-agent: servicecortex-tests"));
}

#[tokio::test]
async fn a_fault_is_an_answer_with_its_body() {
    let (address, _server) =
        serve(answer("503 Service Unavailable", b"The Organisation is offline"));
    let response = a_transport().send_request(get(&address)).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(&response.body()[..], b"The Organisation is offline");
}

#[tokio::test]
async fn an_answer_over_the_limit_is_cut_off() {
    let (address, _server) = serve(answer("200 OK", &[b'x'; 65]));
    let error = a_transport().send_request(get(&address)).await.unwrap_err();
    assert_eq!((error.sent, error.kind), (RequestSent::Unknown, TransportErrorKind::TooLarge));
    let (address, _server) = serve(answer("200 OK", &[b'x'; 64]));
    assert_eq!(a_transport().send_request(get(&address)).await.unwrap().body().len(), 64);
}

#[tokio::test]
async fn gzip_is_decoded_if_it_was_requested() {
    let compressed = STANDARD.decode(GZIPPED).unwrap();
    let (address, server) = serve(answer("200 OK\r\ncontent-encoding: gzip", &compressed));
    let mut request = get(&address);
    request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let response = a_transport().send_request(request).await.unwrap();
    assert_eq!(&response.body()[..], b"thirteen byte");
    assert!(server.join().unwrap().contains("accept-encoding: gzip"));
}

/// Requests an answer that is compressed like this.
async fn fail_to_get_compressed(compressed: &[u8]) -> TransportError {
    let (address, _server) = serve(answer("200 OK\r\ncontent-encoding: gzip", compressed));
    let mut request = get(&address);
    request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    a_transport().send_request(request).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_is_measured_after_it_is_decoded() {
    let error = fail_to_get_compressed(&STANDARD.decode(BOMB).unwrap()).await;
    assert_eq!((error.sent, error.kind), (RequestSent::Unknown, TransportErrorKind::TooLarge));
}

#[tokio::test]
async fn a_compressed_answer_that_was_cut_off_is_not_taken_for_a_whole_one() {
    let compressed = STANDARD.decode(GZIPPED).unwrap();
    for length in [15, compressed.len() - 8, compressed.len() - 1] {
        let error = fail_to_get_compressed(&compressed[..length]).await;
        let expected = (RequestSent::Unknown, TransportErrorKind::Interrupted);
        assert_eq!((error.sent, error.kind), expected, "{length} bytes");
    }
}

#[tokio::test]
async fn a_refused_connection_has_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // Nobody listens on the port of its other end, and no other test gets it meanwhile.
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = format!("http://{}/?code=hush", connected.local_addr().unwrap());
    let error = a_transport().send_request(get(&address)).await.unwrap_err();
    assert_eq!((error.sent, error.kind), (RequestSent::No, TransportErrorKind::Connect));
    assert!(!format!("{error:?}").contains("hush"));
}

#[tokio::test]
async fn nothing_is_sent_to_a_host_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 1];
        stream.read_exact(&mut hello).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        hello
    });
    let error = a_transport().send_request(get(&address)).await.unwrap_err();
    assert_eq!((error.sent, error.kind), (RequestSent::No, TransportErrorKind::Connect));
    assert_eq!(server.join().unwrap(), [0x16], "a TLS handshake record");
}

#[tokio::test]
async fn a_connection_that_breaks_mid_answer_leaves_the_outcome_open() {
    let (address, _server) = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf".to_vec());
    let error = a_transport().send_request(get(&address)).await.unwrap_err();
    assert_eq!((error.sent, error.kind), (RequestSent::Unknown, TransportErrorKind::Interrupted));
}

#[tokio::test]
async fn an_answer_that_never_arrives_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let transport = ReqwestTransport::new(TransportOptions {
        connect_timeout: PATIENCE,
        exchange_timeout: Duration::from_millis(50),
        body_limit_bytes: 64,
        user_agent: "servicecortex-tests".to_owned(),
    })
    .unwrap();
    let error = transport.send_request(get(&address)).await.unwrap_err();
    assert_eq!((error.sent, error.kind), (RequestSent::Unknown, TransportErrorKind::Timeout));
}

#[tokio::test]
async fn an_invalid_address_is_never_used() {
    let error = a_transport().send_request(get("/only/a/path")).await.unwrap_err();
    assert_eq!((error.sent, error.kind), (RequestSent::No, TransportErrorKind::Invalid));
}
