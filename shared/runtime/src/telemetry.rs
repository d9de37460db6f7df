//! The functions' logs: which lines they contain, and in which format.
//!
//! The verbosity is a parameter; the permitted contents are not. Libraries log headers, addresses
//! and whole bodies below `INFO`, so no parameter enables those lines, and the product's own code
//! logs nothing below `DEBUG`.

use std::fmt;

use engine::ports::Clock;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, FilterFn, LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::clock::SystemClock;
use crate::env;

/// The product's own crates, including the functions.
const OWN_CRATES: [&str; 17] = [
    "domain",
    "xero",
    "store",
    "engine",
    "runtime",
    "contact_push",
    "invoice_push",
    "credit_note_push",
    "payment_push",
    "payment_poll",
    "settings_api",
    "oauth_callback",
    "pages",
    "sweep",
    "keep_alive",
    "health_check",
    "log_cleanup",
];

/// The configuration of the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogConfig {
    /// The format of a line.
    format: LogFormat,
    /// The requested lines; [`find_limit`] limits them.
    wanted: Targets,
}

/// The format of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogFormat {
    /// A JSON object, like Lambda's own lines.
    Json,
    /// Text without colours.
    Text,
}

impl LogConfig {
    /// Reads the format and the filter. `lookup` returns a variable's value. The function's own
    /// filter takes precedence over Lambda's level. Invalid parts of a filter are ignored; the
    /// default is `info`.
    pub(crate) fn parse(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let json = lookup(env::AWS_LAMBDA_LOG_FORMAT);
        let is_json = json.is_some_and(|format| format.eq_ignore_ascii_case("json"));
        let mut filters = [env::RUST_LOG, env::AWS_LAMBDA_LOG_LEVEL].into_iter().filter_map(lookup);
        let filter = filters.find(|filter| !filter.trim().is_empty());
        Self {
            format: if is_json { LogFormat::Json } else { LogFormat::Text },
            wanted: find_wanted(&filter.unwrap_or_default()),
        }
    }
}

/// Parses a filter such as `info,engine=debug`.
fn find_wanted(filter: &str) -> Targets {
    let mut wanted = Targets::new().with_default(LevelFilter::INFO);
    for part in filter.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        // Lambda's name for a level above error.
        let part = if part.eq_ignore_ascii_case("fatal") { "error" } else { part };
        let Ok(directive) = part.parse::<Targets>() else { continue };
        if let Some(level) = directive.default_level() {
            wanted = wanted.with_default(level);
        }
        wanted.extend(directive);
    }
    wanted
}

/// The most verbose level at which a target may log.
fn find_limit(target: &str) -> Level {
    let name = target.split("::").next().unwrap_or(target);
    if OWN_CRATES.contains(&name) { Level::DEBUG } else { Level::INFO }
}

fn is_permitted(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= find_limit(metadata.target())
}

/// Formats the time of a line as RFC 3339. Lambda reads it from the member `timestamp`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>).
struct LineTime;

impl FormatTime for LineTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:.6}", SystemClock.now())
    }
}

/// Starts writing the log to standard output, from which Lambda collects it.
///
/// # Panics
///
/// If logging has already started.
pub(crate) fn start_logging(config: LogConfig) {
    log_subscriber(config, std::io::stdout).init();
}

/// Returns a subscriber that writes the permitted lines to `writer`.
fn log_subscriber<W>(
    config: LogConfig,
    writer: W,
) -> impl tracing::Subscriber + Send + Sync + 'static
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let LogConfig { format, wanted } = config;
    let layer = tracing_subscriber::fmt::layer::<Registry>()
        .with_target(false)
        .with_ansi(false)
        .with_timer(LineTime)
        .with_writer(writer);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => layer.json().boxed(),
        LogFormat::Text => layer.boxed(),
    };
    let limit = FilterFn::new(is_permitted).with_max_level_hint(LevelFilter::DEBUG);
    tracing_subscriber::registry().with(layer.with_filter(wanted.and(limit)))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use aws_sdk_secretsmanager::Client;
    use bytes::Bytes;
    use engine::ports::SecretStore;
    use http::{Request, Response};
    use jiff::Timestamp;
    use secrecy::{ExposeSecret, SecretString};
    use serde_json::Value;
    use xero::{Transport, TransportError};

    use super::*;
    use crate::aws::{SecretsManager, sdk_config};
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
            tracing::info_span!("records", account.id = "acc_1", entity = "invoice").in_scope(
                || {
                    tracing::info!(crm.id = "inv_7", attempt = 2, "attempt");
                },
            );
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

    const TOKENS: &str = "tokens-that-nobody-may-see";
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
        let config = AwsConfig {
            region: "eu-west-2".to_owned(),
            access_key_id: "key-id".to_owned(),
            secret_access_key: SecretString::from(SECRET_KEY),
            session_token: Some(SecretString::from(SESSION)),
            endpoint_url: None,
        };
        let secrets = SecretsManager::new(Client::new(&sdk_config(&config, Arc::new(OneSecret))));
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
}
