//! The OAuth callback: Xero redirects the browser here, and the browser continues to the CRM in
//! every case.

use engine::Engine;
use engine::commands::connect::{CallbackOutcome, ConsentCallback, receive_callback};
use engine::error_chain::ErrorChain;
use lambda_http::{Body, Error, Request, RequestExt, Response};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::api::ANSWER_WITHIN;
use crate::boot::boot_engine;
use crate::http::with_security_headers;
use crate::lambda::serve_requests;

/// Serves the callback until Lambda stops the process.
pub async fn serve_callback() -> Result<(), Error> {
    let booted = boot_engine().await?;
    let booted = &booted;
    serve_requests(move |request| async move {
        answer_callback(&booted.engine, &booted.crm_return_url, &request).await
    })
    .await
}

/// Answers a callback within 25 seconds, even if AWS is slow, with a redirect to the page `crm`.
pub async fn answer_callback(engine: &Engine, crm: &Url, request: &Request) -> Response<Body> {
    let query = request.query_string_parameters();
    let callback = ConsentCallback {
        state: query.first("state").map(SecretString::from),
        code: query.first("code").map(SecretString::from),
        error: query.first("error").map(ToOwned::to_owned),
    };
    let received = Box::pin(receive_callback(engine, callback));
    let outcome = match tokio::time::timeout(ANSWER_WITHIN.unsigned_abs(), received).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => {
            tracing::error!(error = %ErrorChain(&error), "the callback failed");
            CallbackOutcome::Failed
        }
        Err(_) => {
            tracing::error!("the callback took too long");
            CallbackOutcome::Failed
        }
    };
    redirect_to_crm(crm, &outcome)
}

/// Redirects to the CRM with the outcome and, if the person may continue, the ticket, which only
/// that person can use. The address contains no code, no state and no name.
fn redirect_to_crm(crm: &Url, outcome: &CallbackOutcome) -> Response<Body> {
    let mut location = crm.clone();
    location.query_pairs_mut().append_pair("xero", outcome.as_str());
    if let CallbackOutcome::Authorised { ticket } = outcome {
        location.query_pairs_mut().append_pair("ticket", ticket.expose_secret());
    }
    // The address of this page contains the code, and the next page must not receive it. The
    // referrer policy is one of these headers.
    with_security_headers(Response::builder().status(302))
        .header("location", location.as_str())
        .header("cache-control", "no-store")
        .body(Body::Empty)
        .expect("a checked address makes a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(outcome: &CallbackOutcome) -> String {
        let crm = Url::parse("https://app.servicecortex.example/settings?tab=xero").unwrap();
        redirect_to_crm(&crm, outcome).headers()["location"].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_browser_returns_to_the_crm_with_the_outcome_in_one_word() {
        assert_eq!(
            location(&CallbackOutcome::Denied),
            "https://app.servicecortex.example/settings?tab=xero&xero=denied"
        );
    }

    #[test]
    fn a_return_passes_on_nothing_of_its_own_address_and_is_not_stored() {
        let crm = Url::parse("https://app.servicecortex.example/").unwrap();
        let response = redirect_to_crm(&crm, &CallbackOutcome::Denied);
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(response.headers()[name], value, "{name}");
        }
    }

    #[test]
    fn only_an_authorisation_carries_the_ticket() {
        let ticket = SecretString::from("a-ticket");
        assert_eq!(
            location(&CallbackOutcome::Authorised { ticket }),
            "https://app.servicecortex.example/settings?tab=xero&xero=authorised&ticket=a-ticket"
        );
        assert!(!location(&CallbackOutcome::Expired).contains("ticket"));
    }
}
