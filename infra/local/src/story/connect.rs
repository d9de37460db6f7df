//! The owner connects the account in a browser, and the CRM completes the connection as the owner.

use bytes::Bytes;
use http::{Method, Response};

use super::Story;
use super::api::is_busy;
use super::{browser, earlier};
use crate::failure::Failure;
use crate::wait::{self, Look, PATIENCE};

/// Where the ticket is presented.
const COMPLETE_PATH: &str = "/v1/connection/complete";

/// The wait has a single condition without visible progress.
const NOTHING_TO_SEE: u64 = 0;

impl Story<'_> {
    /// An owner connects the account in a browser.
    pub(super) async fn connect(&self) -> Result<(), Failure> {
        let (http, xero) = (&self.stack.http, self.stack.xero());
        self.console.step("Another app enters invoice #INV-9001 in Xero");
        earlier::enter_the_other_invoice(http, &self.stack.addresses().simulator, xero).await?;

        self.console.step("The owner presses Connect and allows access on Xero's page");
        let callback = browser::press(http, &self.consent_page().await?, "allow").await?;
        let returned = browser::follow_callback(http, &callback).await?;
        let ticket = match returned.ticket {
            Some(ticket) if returned.word == "authorised" => ticket,
            Some(_) | None => {
                let word = returned.word;
                return Err(Failure::new(format!("The browser returned with \"{word}\"")));
            }
        };
        self.console.done("back in the CRM, which presents the ticket as the owner");
        *self.ticket.borrow_mut() = Some(ticket.clone());
        self.present(&ticket).await?;
        self.connected().await?;
        self.watch.expect_connected();
        self.console.done(&format!("{} is connected", xero.tenant_name()));
        Ok(())
    }

    /// The URL of Xero's consent page.
    async fn consent_page(&self) -> Result<String, Failure> {
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            Ok::<_, Failure>(match self.api.start_connecting().await? {
                Some(started) => Look::Done(started.authorize_url),
                None => Look::Pending { state: NOTHING_TO_SEE, quiet: None },
            })
        });
        let address = waited.await?;
        address.ok_or_else(|| Failure::new("POST /v1/connection did not respond in time"))
    }

    /// Uses the ticket to connect the account, and checks that it is not accepted again.
    async fn present(&self, ticket: &str) -> Result<(), Failure> {
        let mut was_busy = false;
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            let answer = self.present_once(ticket).await?;
            let use_of_ticket = read_use(&answer, was_busy)?;
            was_busy = was_busy || is_busy(&answer);
            Ok::<_, Failure>(use_of_ticket)
        });
        let used: Option<()> = waited.await?;
        used.ok_or_else(|| Failure::new(format!("POST {COMPLETE_PATH} did not finish in time")))?;
        let again = self.present_once(ticket).await?;
        if again.status().is_success() {
            return Err(Failure::new("The same ticket was accepted a second time"));
        }
        Ok(())
    }

    async fn present_once(&self, ticket: &str) -> Result<Response<Bytes>, Failure> {
        let (http, api, token) = (&self.stack.http, self.api.address(), self.api.token());
        let answer = browser::present(http, api, token, ticket).await?;
        // A function that timed out has no response of its own.
        if !answer.status().is_server_error() {
            self.api.check_description(&Method::POST, COMPLETE_PATH, &answer).await?;
        }
        Ok(answer)
    }

    /// Waits until the API reports that the account is connected.
    async fn connected(&self) -> Result<(), Failure> {
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            let Some(connection) = self.api.connection_unless_busy().await? else {
                return Ok(Look::Pending { state: NOTHING_TO_SEE, quiet: None });
            };
            match connection.obstacle() {
                Some(obstacle) => Err(Failure::new(obstacle)),
                None => Ok(Look::Done(())),
            }
        });
        let connected = waited.await?;
        connected.ok_or_else(|| Failure::new("GET /v1/connection did not respond in time"))
    }
}

/// Whether a ticket is used, after the response to it. A busy machine may connect the account
/// without answering in time, and then refuses the ticket: the status shows whether it is connected.
fn read_use(answer: &Response<Bytes>, was_busy: bool) -> Result<Look<()>, Failure> {
    if is_busy(answer) {
        return Ok(Look::Pending { state: NOTHING_TO_SEE, quiet: None });
    }
    if was_busy && answer.status().is_client_error() {
        return Ok(Look::Done(()));
    }
    match browser::completion(answer)?.outcome.as_str() {
        "connected" => Ok(Look::Done(())),
        // The API answers in time even if Xero does not; the same ticket resumes.
        browser::IN_PROGRESS => Ok(Look::Pending { state: NOTHING_TO_SEE, quiet: None }),
        other => Err(Failure::new(format!("The connection attempt ended with \"{other}\""))),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Response, StatusCode};

    use super::{Look, NOTHING_TO_SEE, read_use};

    fn answer(status: StatusCode, body: &'static str) -> Response<Bytes> {
        let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
        *answer.status_mut() = status;
        answer
    }

    #[test]
    fn a_ticket_is_presented_again_while_the_api_is_busy_or_has_not_finished() {
        let pending = Look::Pending { state: NOTHING_TO_SEE, quiet: None };
        let unfinished = answer(StatusCode::ACCEPTED, r#"{"outcome":"in_progress"}"#);
        assert_eq!(read_use(&unfinished, false).unwrap(), pending);
        let busy = answer(StatusCode::SERVICE_UNAVAILABLE, "");
        assert_eq!(read_use(&busy, false).unwrap(), pending);
        let connected = answer(StatusCode::OK, r#"{"outcome":"connected"}"#);
        assert_eq!(read_use(&connected, false).unwrap(), Look::Done(()));
    }

    #[test]
    fn a_refused_ticket_was_used_only_if_an_answer_is_missing() {
        let refused = answer(StatusCode::CONFLICT, "{}");
        assert_eq!(read_use(&refused, true).unwrap(), Look::Done(()));
        assert!(read_use(&refused, false).is_err());
        let other = answer(StatusCode::OK, r#"{"outcome":"no_organisation"}"#);
        assert!(read_use(&other, true).is_err());
    }
}
