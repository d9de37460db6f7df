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
const OWN_CRATES: [&str; 18] = [
    "domain",
    "xero",
    "store",
    "engine",
    "requests",
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
mod tests;
