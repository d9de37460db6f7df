//! The four ports of the local stack: consecutive ports from a given one, or free ones.

use std::io::{Error, ErrorKind};
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use crate::failure::Failure;

/// The sockets of the runner's own servers, and one that reserves the port of the local AWS, which
/// opens it itself.
#[derive(Debug)]
pub struct Ports {
    /// The front address of the API.
    pub api: TcpListener,
    /// Xero.
    pub simulator: TcpListener,
    /// The stand-in for the CRM, which signs the tokens.
    pub crm: TcpListener,
    /// The local AWS. Its port is reserved until this is dropped: other processes take free ports
    /// while the stack is being prepared.
    pub aws: TcpListener,
}

impl Ports {
    /// Binds `first` and the three ports after it, or four free ones.
    pub async fn take(first: Option<u16>) -> Result<Self, Failure> {
        let port = |place: u16| first.map(|first| first.checked_add(place));
        let api = listen(port(0), "the API").await?;
        let simulator = listen(port(1), "the Xero simulator").await?;
        let crm = listen(port(2), "the CRM's stand-in").await?;
        let aws = listen(port(3), "the local AWS").await?;
        Ok(Self { api, simulator, crm, aws })
    }
}

/// The address of a listening socket, as the base of a URL.
pub fn address(listener: &TcpListener) -> Result<String, Failure> {
    Ok(format!("http://127.0.0.1:{}", number(listener)?))
}

/// The same socket under the name `localhost`. Xero: a redirect URI without TLS must be on
/// `localhost`.
pub fn address_by_name(listener: &TcpListener) -> Result<String, Failure> {
    Ok(format!("http://localhost:{}", number(listener)?))
}

/// The port of a listening socket.
pub fn number(listener: &TcpListener) -> Result<u16, Failure> {
    let address = listener.local_addr();
    Ok(address.map_err(|error| Failure::new("A socket has no address").because(error))?.port())
}

#[expect(clippy::option_option, reason = "no port given, a port out of range, a port")]
async fn listen(wish: Option<Option<u16>>, whom: &str) -> Result<TcpListener, Failure> {
    let port = match wish {
        None => 0,
        Some(Some(port)) => port,
        Some(None) => {
            return Err(Failure::new(format!("No port is left for {whom}"))
                .remedy("Choose a lower --port; four consecutive ports are needed."));
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    listener.map_err(|error| explain_bind_error(port, whom, error))
}

fn explain_bind_error(port: u16, whom: &str, error: Error) -> Failure {
    let failure = if error.kind() == ErrorKind::AddrInUse {
        Failure::new(format!("Port {port} for {whom} is in use"))
    } else {
        Failure::new(format!("Cannot listen on port {port} for {whom}")).because(error)
    };
    failure.remedy("Choose another --port, or omit it to use free ports.")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::{Error, ErrorKind, Ports, explain_bind_error, number};

    #[test]
    fn a_port_that_this_user_may_not_use_is_named_with_a_remedy() {
        let denied = Error::from(ErrorKind::PermissionDenied);
        let lines = explain_bind_error(80, "the API", denied).lines();
        assert_eq!(lines[0], "Cannot listen on port 80 for the API: permission denied");
        assert!(lines[1].contains("--port"), "{lines:?}");
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_its_purpose() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let lines = Ports::take(Some(port)).await.unwrap_err().lines();
        assert_eq!(lines[0], format!("Port {port} for the API is in use"));
        assert!(lines[1].contains("--port"));
    }

    #[tokio::test]
    async fn without_a_given_port_free_ports_are_used() {
        let ports = Ports::take(None).await.unwrap();
        assert_ne!(number(&ports.aws).unwrap(), 0);
    }

    #[tokio::test]
    async fn no_other_process_gets_the_port_of_the_local_aws_before_it_starts() {
        let ports = Ports::take(None).await.unwrap();
        let port = number(&ports.aws).unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        assert_eq!(other.unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn consecutive_ports_past_the_last_one_are_refused() {
        let lines = Ports::take(Some(u16::MAX)).await.unwrap_err().lines();
        assert!(lines[0].starts_with("No port is left") || lines[0].contains("in use"));
    }
}
