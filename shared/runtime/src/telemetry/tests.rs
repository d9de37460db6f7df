//! Tests of the lines of a log and their format.

use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use engine::ports::SecretStore;
use http::{Request, Response};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use xero::{Transport, TransportError};

use super::*;
use crate::aws::test_access::test_access;
use crate::aws::{AwsClients, SecretsManager};
use crate::config::AwsConfig;

#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns what is logged while `work` runs, with this format and filter.
fn log(format: &str, filter: &str, work: impl FnOnce()) -> String {
    let config = LogConfig::parse(|name| match name {
        env::AWS_LAMBDA_LOG_FORMAT => Some(format.to_owned()),
        env::RUST_LOG => Some(filter.to_owned()),
        _ => None,
    });
    let written = Written::default();
    let writer = written.clone();
    tracing::subscriber::with_default(log_subscriber(config, move || writer.clone()), work);
    let bytes = written.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn json_lines(filter: &str, work: impl FnOnce()) -> Vec<Value> {
    let log = log("JSON", filter, work);
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

macro_rules! write_all_levels {
    ($($target:literal),*) => {{
        $(
            tracing::error!(target: $target, endpoint = $target, "a line");
            tracing::warn!(target: $target, endpoint = $target, "a line");
            tracing::info!(target: $target, endpoint = $target, "a line");
            tracing::debug!(target: $target, endpoint = $target, "a line");
            tracing::trace!(target: $target, endpoint = $target, "a line");
        )*
    }};
}

fn levels_of<'a>(lines: &'a [Value], target: &str) -> Vec<&'a str> {
    let lines = lines.iter().filter(|line| line["fields"]["endpoint"] == target);
    lines.map(|line| line["level"].as_str().unwrap()).collect()
}

#[test]
fn a_library_logs_no_debug_line_and_the_product_no_trace_line_under_any_filter() {
    for filter in ["trace", "TRACE", "info,h=trace,e=trace", "hyper=trace,engine=trace,trace"] {
        let lines = json_lines(filter, || {
            write_all_levels!("hyper::proto", "h2", "engineering", "engine::push", "engine");
        });
        for target in ["hyper::proto", "h2", "engineering"] {
            assert_eq!(levels_of(&lines, target), ["ERROR", "WARN", "INFO"], "{filter}");
        }
        for target in ["engine::push", "engine"] {
            let levels = levels_of(&lines, target);
            assert_eq!(levels, ["ERROR", "WARN", "INFO", "DEBUG"], "{filter}");
        }
    }
}

#[test]
fn a_filter_asks_for_less_or_for_more_of_one_crate() {
    let lines = |filter| json_lines(filter, || write_all_levels!("store", "xero"));
    assert_eq!(levels_of(&lines("error"), "store"), ["ERROR"]);
    let asked = lines("warn,store=debug");
    assert_eq!(levels_of(&asked, "store"), ["ERROR", "WARN", "INFO", "DEBUG"]);
    assert_eq!(levels_of(&asked, "xero"), ["ERROR", "WARN"]);
    for unreadable in ["", "[span]=debug", "store=much"] {
        assert_eq!(levels_of(&lines(unreadable), "xero"), ["ERROR", "WARN", "INFO"]);
    }
}

#[test]
fn the_level_of_lambda_counts_where_there_is_no_filter() {
    let of = |level: &str| {
        LogConfig::parse(|name| (name == env::AWS_LAMBDA_LOG_LEVEL).then(|| level.to_owned()))
    };
    assert_eq!(of("WARN").wanted.default_level(), Some(LevelFilter::WARN));
    assert_eq!(of("FATAL").wanted.default_level(), Some(LevelFilter::ERROR));
    assert_eq!(LogConfig::parse(|_| None).wanted.default_level(), Some(LevelFilter::INFO));
    assert_eq!(LogConfig::parse(|_| None).format, LogFormat::Text);
}

#[test]
fn a_line_has_its_time_its_level_its_fields_and_the_spans_around_it() {
    let lines = json_lines("info", || {
        tracing::info_span!("records", account.id = "acc_1", entity = "invoice").in_scope(|| {
            tracing::info!(crm.id = "inv_7", attempt = 2, "attempt");
        });
    });
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{line}");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["fields"]["message"], "attempt");
    assert_eq!(line["fields"]["crm.id"], "inv_7");
    assert_eq!(line["span"]["account.id"], "acc_1");
    assert_eq!(line["spans"][0]["entity"], "invoice");
    let text = log("Text", "info", || tracing::info!(crm.id = "inv_7", "attempt"));
    assert!(text.contains("attempt crm.id=\"inv_7\""), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

const TOKENS: &str = "secret-token-value";
const SECRET_KEY: &str = "secret-key-of-the-role";
const SESSION: &str = "session-of-the-role";

/// A Secrets Manager with one secret.
#[derive(Debug)]
struct OneSecret;

#[async_trait]
impl Transport for OneSecret {
    async fn send_request(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let body = format!(r#"{{"Name":"grant","SecretString":"{TOKENS}"}}"#);
        let response = Response::builder().header("content-type", "application/x-amz-json-1.1");
        Ok(response.body(Bytes::from(body)).unwrap())
    }
}

#[test]
fn a_secret_that_is_read_is_in_no_line_under_any_filter() {
    let access = AwsConfig {
        secret_access_key: SecretString::from(SECRET_KEY),
        session_token: Some(SecretString::from(SESSION)),
        ..test_access()
    };
    let client = AwsClients::new(&access, Arc::new(OneSecret)).build_secrets_client();
    let secrets = SecretsManager::new(client);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let log = log("JSON", "trace,aws_smithy_runtime=trace", || {
        let read = runtime.block_on(secrets.get_secret("grant")).unwrap().unwrap();
        assert_eq!(read.expose_secret(), TOKENS);
        tracing::debug!(?read, "a secret was read");
    });
    assert!(log.contains("a secret was read"), "{log}");
    for hidden in [TOKENS, SECRET_KEY, SESSION] {
        assert!(!log.contains(hidden), "{log}");
    }
}
