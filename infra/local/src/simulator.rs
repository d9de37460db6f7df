//! Xero: the simulator, in this process, on a socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::net::TcpListener;
use uuid::Uuid;
use xero_sim::{
    App, Instants, Organisation, Pace, Region, ScopeSet, Settings, Simulator, XeroUser, host,
};

use crate::clock;
use crate::failure::Failure;

/// The app in the simulated Xero. The id is not valid anywhere else.
pub const CLIENT_ID: &str = "LOCALSERVICECORTEXXEROSYNC000001";

/// Another app of the same organisation, which the customer used before.
pub const OTHER_CLIENT_ID: &str = "LOCALSOMEOTHERINVOICINGAPP000002";

/// The redirect URI of the other app. No server listens there: the story reads the address.
pub const OTHER_REDIRECT: &str = "http://localhost:9/other/callback";

/// The lock date that the bookkeeper has set.
const LOCKED_THROUGH: Date = date(2025, 3, 31);

/// The simulated Xero. Clones share it.
#[derive(Debug, Clone)]
pub struct Xero {
    state: Arc<Mutex<Simulator>>,
    pace: Pace,
    client_secret: String,
    tenant: Uuid,
    tenant_name: String,
    user: Uuid,
    latency: Duration,
}

impl Xero {
    /// A Xero with the demo's organisations, whose app may redirect to `redirect_uri`, and with the
    /// given number of further businesses.
    pub fn open(redirect_uri: &str, businesses: u8) -> Result<Self, Failure> {
        let client_secret = drawn()?;
        let mut settings = Settings::demo(CLIENT_ID, &client_secret, redirect_uri);
        settings.apps.push(App {
            client_id: OTHER_CLIENT_ID.to_owned(),
            client_secret: Some(client_secret.clone()),
            name: "Some other invoicing app".to_owned(),
            redirect_uris: vec![OTHER_REDIRECT.to_owned()],
            scopes: ScopeSet::Granular,
        });
        let missing = || Failure::new("The simulator's demo has no organisation or no user");
        let organisation = settings.organisations.first_mut().ok_or_else(missing)?;
        organisation.period_lock_date = Some(LOCKED_THROUGH);
        let (tenant, tenant_name) = (organisation.id, organisation.name.clone());
        let user = settings.users.first().ok_or_else(missing)?.id;
        for number in 1..=businesses {
            let (organisation, owner) = business(number);
            settings.organisations.push(organisation);
            settings.users.push(owner);
        }
        let state = Arc::new(Mutex::new(Simulator::new(settings)));
        let pace = Pace::new(clock::now(), clock::XERO_PACE);
        let latency = Duration::ZERO;
        Ok(Self { state, pace, client_secret, tenant, tenant_name, user, latency })
    }

    /// The same Xero, which takes this time to answer a call.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Answers on the socket until it is dropped.
    pub async fn serve(self, listener: TcpListener) {
        // Its accept loop ends only with an error of the listening socket itself; later connections
        // are then refused, which reports the error.
        let (pace, latency) = (self.pace, self.latency);
        let clocks = Arc::new(move || pace.at(clock::now()));
        host::serve_with_latency(listener, self.state, clocks, latency).await.ok();
    }

    /// The current time of Xero's clocks.
    pub fn instants(&self) -> Instants {
        self.pace.at(clock::now())
    }

    /// The current time of the clock of Xero's books.
    pub fn now(&self) -> Timestamp {
        self.instants().books
    }

    /// Locks the simulator, to inspect or change it. It answers no requests meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Simulator> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The organisation of the story.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// Its name.
    pub fn tenant_name(&self) -> &str {
        &self.tenant_name
    }

    /// The Xero login of the user who connects it.
    pub fn user(&self) -> Uuid {
        self.user
    }

    /// The secret of both apps, random for each stack.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// The value that the operator stores in Secrets Manager for the app.
    pub fn app_secret(&self) -> Result<String, Failure> {
        #[derive(serde::Serialize)]
        struct AppSecret<'a> {
            client_id: &'a str,
            client_secret: &'a str,
        }
        serde_json::to_string(&AppSecret {
            client_id: CLIENT_ID,
            client_secret: &self.client_secret,
        })
        .map_err(|error| Failure::new("Cannot write the app's secret").because(error))
    }
}

/// A British business and its owner, who logs in as `owner<number>@business.example`.
fn business(number: u8) -> (Organisation, XeroUser) {
    let organisation = Organisation::demo(Region::UnitedKingdom, &format!("Business {number}"));
    let owner = XeroUser {
        id: Uuid::from_u128(0xb0_0000 + u128::from(number)),
        given_name: "Owner".to_owned(),
        family_name: number.to_string(),
        email: format!("owner{number}@business.example"),
        organisations: vec![organisation.id],
    };
    (organisation, owner)
}

fn drawn() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|error| Failure::new("Cannot generate a secret").because(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
