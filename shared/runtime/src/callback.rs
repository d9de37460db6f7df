//! The OAuth callback: Xero sends the browser here, and it goes on to the CRM whatever happened.

use engine::chain::Chain;
use engine::connect::{Callback, Landing, finish};
use lambda_http::{Body, Error, Request, RequestExt, Response, service_fn};
use secrecy::SecretString;
use url::Url;

use crate::boot::{Booted, boot};

/// Serves the callback until Lambda stops the process.
pub async fn serve() -> Result<(), Error> {
    let booted = boot().await?;
    let booted = &booted;
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(answer(booted, &request).await)
    }))
    .await
}

async fn answer(booted: &Booted, request: &Request) -> Response<Body> {
    let query = request.query_string_parameters();
    let callback = Callback {
        state: query.first("state").map(SecretString::from),
        code: query.first("code").map(SecretString::from),
        error: query.first("error").map(ToOwned::to_owned),
    };
    let landing = finish(&booted.engine, callback).await.unwrap_or_else(|error| {
        tracing::error!(error = %Chain(&error), "the connect failed");
        Landing::Failed
    });
    redirect(&booted.crm_return_url, landing)
}

/// To the CRM, with a word that says how it went and nothing else: no code, no state, no name.
fn redirect(crm: &Url, landing: Landing) -> Response<Body> {
    let mut location = crm.clone();
    location.query_pairs_mut().append_pair("xero", landing.as_str());
    Response::builder()
        .status(302)
        .header("location", location.as_str())
        .header("cache-control", "no-store")
        // The address of this page holds the code; the next page must not learn it.
        .header("referrer-policy", "no-referrer")
        .body(Body::Empty)
        .expect("a checked address makes a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_goes_back_to_the_crm_with_one_word_more() {
        let crm = Url::parse("https://app.servicecortex.example/settings?tab=xero").unwrap();
        let response = redirect(&crm, Landing::Connected);
        assert_eq!(
            response.headers()["location"],
            "https://app.servicecortex.example/settings?tab=xero&xero=connected"
        );
    }
}
