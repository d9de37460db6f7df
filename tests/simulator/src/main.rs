//! `xero-sim`: a simulated Xero on this machine, for every client that uses only supported
//! features.

use jiff::Timestamp;
use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use xero_sim::{Pace, Region, Settings, Simulator, Unconfirmed, host};

const USAGE: &str = "Usage: xero-sim [--port 9800] [--redirect-uri http://localhost:3000/callback]
                [--client-id demo-client] [--client-secret demo-secret]
                [--region GB] [--speed 1] [--answer name=value]...

Serves Xero's login, identity and API hosts on one local port, with two organisations
and two users. The web page is at /_simulator/.

--region   The first organisation's tax rates: GB, NZ, AU, US, GLOBAL, ZA or SG.
--speed    How many times as fast as real time dates and limits advance. Codes and tokens expire in
           real time at any speed.
--answer   An answer to an open question about Xero, such as --answer rounding=half-even;
           --answer help=1 lists the questions.
";

/// The options of the command line.
struct Options {
    port: u16,
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    region: Region,
    speed: i32,
    unconfirmed: Unconfirmed,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match read_options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(sentence) => {
            say(&mut io::stderr(), &format!("{sentence}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            say(&mut io::stderr(), &format!("{sentence}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let port = options.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            format!("Port {port} is in use by another program; choose one with --port.")
        } else {
            format!("Cannot open port {port}: {error}.")
        }
    })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    say(&mut io::stdout(), &welcome(&options, port));
    let mut settings = Settings::demo_in(
        options.region,
        &options.client_id,
        &options.client_secret,
        &options.redirect_uri,
    );
    settings.unconfirmed = options.unconfirmed;
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

/// Parses the command line, or returns what is wrong with it.
fn read_options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        port: 9800,
        client_id: "demo-client".to_owned(),
        client_secret: "demo-secret".to_owned(),
        redirect_uri: "http://localhost:3000/callback".to_owned(),
        region: Region::UnitedKingdom,
        speed: 1,
        unconfirmed: Unconfirmed::default(),
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} requires a value."))?;
        let wrong = || format!("{name} does not accept '{value}'.");
        match name.as_str() {
            "--port" => options.port = value.parse().map_err(|_| wrong())?,
            "--client-id" => options.client_id = value,
            "--client-secret" => options.client_secret = value,
            "--redirect-uri" => options.redirect_uri = value,
            "--region" => options.region = Region::parse(&value).ok_or_else(wrong)?,
            "--speed" => {
                let speed = value.parse().ok().filter(|speed: &i32| *speed > 0);
                options.speed = speed.ok_or_else(wrong)?;
            }
            "--answer" => {
                let (switch, answer) = value.split_once('=').ok_or_else(wrong)?;
                let set = options.unconfirmed.set(switch.trim(), answer);
                set.map_err(|refused| refused.to_string())?;
            }
            _ => return Err(format!("Unknown option {name}.")),
        }
    }
    Ok(options)
}

#[expect(clippy::disallowed_methods, reason = "on the socket, the clock is the machine's")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Writes a message; a closed pipe is not an error.
fn say(out: &mut impl io::Write, message: &str) {
    out.write_all(message.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
}
