//! The settings of the app, the CRM and the simulated Xero.

use std::sync::Arc;

use engine::Endpoints;
use engine::connection::app_registration::AppRegistration;
use secrecy::SecretString;
use url::Url;
use xero::OAuthApp;
use xero_sim::Settings;

const CLIENT_ID: &str = "servicecortex";
const CLIENT_SECRET: &str = "the-apps-own-secret";
const REDIRECT: &str = "https://api.servicecortex.example/oauth/callback";

/// A Xero with two organisations and our app. Its tokens cannot be verified: the engine receives
/// them from Xero itself and verifies no signature, and RSA would take half the time of a simulated
/// run.
pub fn xero_settings() -> Settings {
    Settings { signs_tokens: false, ..Settings::demo(CLIENT_ID, CLIENT_SECRET, REDIRECT) }
}

/// Our app, as registered at that Xero.
pub fn app() -> OAuthApp {
    OAuthApp {
        client_id: CLIENT_ID.to_owned(),
        client_secret: SecretString::from(CLIENT_SECRET),
        redirect_url: REDIRECT.to_owned(),
        login_url: url("https://login.xero.com"),
        identity_url: url("https://identity.xero.com"),
    }
}

/// Credentials that never change.
pub fn registered(app: OAuthApp) -> Arc<AppRegistration> {
    Arc::new(AppRegistration::new(app.clone(), Arc::new(app)))
}

/// The URLs of all endpoints.
pub fn places() -> Endpoints {
    Endpoints {
        xero_api: url("https://api.xero.com"),
        crm: url("https://app.servicecortex.example"),
        crm_return: url("https://app.servicecortex.example/settings/xero"),
        grant_secret_prefix: "servicecortex-xero/test/grant/".to_owned(),
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}
