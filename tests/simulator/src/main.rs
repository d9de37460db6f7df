//! `xero-sim`: a simulated Xero on this machine, for anybody's client.

use jiff::Timestamp;
use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use xero_sim::{Settings, Simulator, host};

const USAGE: &str = "Usage: xero-sim [--port 9800] [--redirect-uri http://localhost:3000/callback]
                [--client-id demo-client] [--client-secret demo-secret]

Serves Xero's login, identity and API hosts on one port of this machine, with two organisations
and two users. The page for people is at /_simulator/.
";

/// What the command line asked for.
struct Options {
    port: u16,
    client_id: String,
    client_secret: String,
    redirect_uri: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        say(&mut io::stderr(), USAGE);
        return ExitCode::from(2);
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
            format!("Port {port} cannot be opened: {error}.")
        }
    })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    say(&mut io::stdout(), &welcome(&options, port));
    let settings =
        Settings::demo(&options.client_id, &options.client_secret, &options.redirect_uri);
    let simulator = Arc::new(Mutex::new(Simulator::new(settings)));
    host::serve(listener, simulator, Arc::new(now))
        .await
        .map_err(|error| format!("The simulator stopped: {error}."))
}

fn welcome(options: &Options, port: u16) -> String {
    format!(
        "Simulated Xero is listening on http://localhost:{port}
  for people     http://localhost:{port}/_simulator/
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

fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        port: 9800,
        client_id: "demo-client".to_owned(),
        client_secret: "demo-secret".to_owned(),
        redirect_uri: "http://localhost:3000/callback".to_owned(),
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--port" => options.port = value.parse().ok()?,
            "--client-id" => options.client_id = value,
            "--client-secret" => options.client_secret = value,
            "--redirect-uri" => options.redirect_uri = value,
            _ => return None,
        }
    }
    Some(options)
}

#[expect(clippy::disallowed_methods, reason = "on the socket, time is the machine's")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Writes a message; a closed pipe is nothing to stop for.
fn say(out: &mut impl io::Write, message: &str) {
    out.write_all(message.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
}
