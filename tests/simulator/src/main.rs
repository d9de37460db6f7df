//! `xero-sim`: a simulated Xero on this machine, for every client that uses only supported
//! features.

use std::ffi::OsStr;
use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Parser, value_parser};
use jiff::Timestamp;
use tokio::net::TcpListener;
use xero_sim::{Pace, Region, Settings, Simulator, Unconfirmed, host};

/// Serves Xero's login, identity and API hosts on one local port, with two organisations and two
/// users. The web page is at `/_simulator/`.
#[derive(Debug, Parser)]
#[command(name = "xero-sim")]
struct Options {
    /// The port to listen on, on localhost only.
    #[arg(long, value_name = "N", default_value = "9800")]
    port: u16,
    /// The app's redirect URI, compared character by character.
    #[arg(long, value_name = "URI", default_value = "http://localhost:3000/callback")]
    redirect_uri: String,
    /// The app's client id.
    #[arg(long, value_name = "ID", default_value = "demo-client")]
    client_id: String,
    /// The app's client secret.
    #[arg(long, value_name = "SECRET", default_value = "demo-secret")]
    client_secret: String,
    /// The region of the first organisation, which decides its tax rates and its currency.
    #[arg(
        long,
        value_name = "REGION",
        default_value = Region::UnitedKingdom.code(),
        ignore_case = true,
        value_parser = region_parser()
    )]
    region: Region,
    /// How many times as fast as real time dates and limits advance. Codes and tokens expire in real
    /// time at any speed.
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(i32).range(1..))]
    speed: i32,
    /// An answer to an open question about Xero, such as rounding=half-even. Can be repeated;
    /// help=1 lists the questions.
    #[arg(long = "answer", value_name = "NAME=VALUE", value_parser = AnswerParser)]
    answers: Vec<(String, String)>,
}

/// Parses the code of a region, ignoring case.
fn region_parser() -> impl TypedValueParser<Value = Region> {
    PossibleValuesParser::new(Region::ALL.map(Region::code))
        .try_map(|code| Region::parse(&code).ok_or("there is no such region"))
}

/// Parses `name=value`. The names and their values are those of [`Unconfirmed`].
#[derive(Clone, Debug)]
struct AnswerParser;

impl TypedValueParser for AnswerParser {
    type Value = (String, String);

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let text = value.to_string_lossy().into_owned();
        let (name, answer) = text.split_once('=').unwrap_or((text.as_str(), ""));
        let names = PossibleValuesParser::new(Unconfirmed::names());
        let name = names.parse_ref(command, argument, OsStr::new(name.trim()))?;
        Unconfirmed::default()
            .set(&name, answer)
            .map_err(|refused| command.clone().error(ErrorKind::ValueValidation, refused))?;
        Ok((name, answer.to_owned()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // An invalid command line ends the process here, with the exit code 2.
    let options = Options::parse();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            say(&mut io::stderr(), &format!("{sentence}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), String> {
    let port = options.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            format!("Port {port} is in use by another program; choose one with --port.")
        } else {
            format!("Cannot open port {port}: {error}.")
        }
    })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    say(&mut io::stdout(), &welcome(options, port));
    let mut settings = Settings::demo_in(
        options.region,
        &options.client_id,
        &options.client_secret,
        &options.redirect_uri,
    );
    for (name, answer) in &options.answers {
        settings.unconfirmed.set(name, answer).map_err(|refused| refused.to_string())?;
    }
    let simulator = Arc::new(Mutex::new(Simulator::new(settings)));
    let pace = Pace::new(now(), options.speed);
    host::serve_with_clocks(listener, simulator, Arc::new(move || pace.at(now())))
        .await
        .map_err(|error| format!("The simulator stopped: {error}."))
}

fn welcome(options: &Options, port: u16) -> String {
    format!(
        "Simulated Xero is listening on http://localhost:{port}
  web page       http://localhost:{port}/_simulator/
  authorize      http://localhost:{port}/identity/connect/authorize
  token          http://localhost:{port}/connect/token
  connections    http://localhost:{port}/connections
  accounting     http://localhost:{port}/api.xro/2.0/
  client id      {}
  client secret  {}
  redirect uri   {}
",
        options.client_id, options.client_secret, options.redirect_uri,
    )
}

#[expect(clippy::disallowed_methods, reason = "on the socket, the clock is the machine's")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Writes a message; a closed pipe is not an error.
fn say(out: &mut impl io::Write, message: &str) {
    out.write_all(message.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
}
