//! How users connect and disconnect accounts.

use domain::envelope::{WakeUp, WakeUpKind};
use domain::ids::{AccountId, UserId};
use engine::commands::connect::{
    self, CallbackOutcome, ConnectError, ConnectOutcome, ConsentCallback,
};
use engine::connection::disconnect::{self, DisconnectOutcome};
use engine::ports::Clock;
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;
use xero_sim::Consent;

use super::World;
use crate::io_monitor::run;

impl World {
    /// A user connects the account to the first organisation.
    pub fn connect(&self) -> ConnectOutcome {
        let tenant = self.tenant();
        self.connect_to(&[tenant])
    }

    /// A user connects the account and ticks these organisations.
    pub fn connect_to(&self, tenants: &[Uuid]) -> ConnectOutcome {
        self.connect_account(&self.account(), tenants)
    }

    /// A user connects the given account and ticks these organisations.
    pub fn connect_account(&self, account: &AccountId, tenants: &[Uuid]) -> ConnectOutcome {
        let user = self.user();
        self.connect_as(account, user, tenants)
    }

    /// A user connects the given account with this Xero login and ticks these organisations. Then
    /// processes the wake-up that the connection sends.
    pub fn connect_as(&self, account: &AccountId, login: Uuid, tenants: &[Uuid]) -> ConnectOutcome {
        let ticket = self.authorise(account, login, tenants);
        let completed = self.complete(account, &ticket);
        self.follow_connects();
        completed
    }

    /// A user starts a connection attempt and allows it at Xero. Returns the ticket that the
    /// browser brings back.
    #[expect(clippy::panic, reason = "another outcome here is a broken test")]
    pub fn authorise(&self, account: &AccountId, login: Uuid, tenants: &[Uuid]) -> SecretString {
        let address = self.begin_for(account);
        let location = self.consent(&address, login, tenants);
        match self.follow_callback(&location) {
            CallbackOutcome::Authorised { ticket } => ticket,
            other @ (CallbackOutcome::Denied
            | CallbackOutcome::Expired
            | CallbackOutcome::Failed) => panic!("{other:?}"),
        }
    }

    /// Allows the access that a consent URL asks for, and ticks these organisations. Returns the
    /// URL that Xero redirects to.
    #[expect(clippy::panic, reason = "an error page here is a broken test")]
    pub fn consent(&self, address: &str, login: Uuid, tenants: &[Uuid]) -> String {
        let consent = self.xero().consent(self.xero_clock.now(), address, login, tenants);
        let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
        location
    }

    /// Starts a connection attempt. Returns the URL of the consent page.
    pub fn begin(&self) -> String {
        self.begin_for(&self.account())
    }

    /// Starts a connection attempt of the given account. Returns the URL of the consent page.
    pub fn begin_for(&self, account: &AccountId) -> String {
        let begun = run(connect::begin_connect(&self.engine, account, &owner()));
        begun.expect("the process does not crash").expect("the consent page has an address")
    }

    /// The browser returns to the callback.
    pub fn follow_callback(&self, location: &str) -> CallbackOutcome {
        let received = connect::receive_callback(&self.engine, callback(location));
        run(received).expect("the process does not crash").expect("the table answers")
    }

    /// The user who started an account's connection attempt completes it.
    pub fn complete(&self, account: &AccountId, ticket: &SecretString) -> ConnectOutcome {
        self.try_complete(account, &owner(), ticket).expect("everything answers")
    }

    /// The given user presents a ticket for an account.
    #[expect(clippy::result_large_err, reason = "tests use only one at a time")]
    pub fn try_complete(
        &self,
        account: &AccountId,
        user: &UserId,
        ticket: &SecretString,
    ) -> Result<ConnectOutcome, ConnectError> {
        let invocation = self.invocation();
        let completed = connect::complete_connect(&self.engine, account, user, ticket, invocation);
        run(completed).expect("the process does not crash")
    }

    /// Processes the wake-ups of new connections: carrying over records that waited, and reading
    /// the chart. Every other wake-up stays in its queue.
    pub fn follow_connects(&self) {
        let is_connected = |wake: &WakeUp| wake.work == WakeUpKind::Connected;
        while let Some(wake) = self.wake_ups.take(is_connected) {
            self.wakes(wake);
        }
    }

    /// A user disconnects the account.
    pub fn disconnect(&self) -> DisconnectOutcome {
        self.disconnect_account(&self.account())
    }

    /// A user disconnects the given account.
    pub fn disconnect_account(&self, account: &AccountId) -> DisconnectOutcome {
        let ended = disconnect::disconnect_account(&self.engine, account, self.invocation());
        run(ended).expect("the process does not crash").expect("the table answers")
    }
}

/// The CRM user who connects accounts.
pub fn owner() -> UserId {
    UserId::new("usr_owner").expect("an id")
}

/// The query parameters of the URL that a browser returned to.
pub fn callback(location: &str) -> ConsentCallback {
    let url = Url::parse(location).expect("a URL");
    let parameter = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    ConsentCallback {
        state: parameter("state").map(SecretString::from),
        code: parameter("code").map(SecretString::from),
        error: parameter("error"),
    }
}
