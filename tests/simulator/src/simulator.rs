//! The simulator itself: one request in, one response out, at the instant that the caller names.

use crate::answer::Answer;
use crate::bookkeeper::{Bookkeeper, Refused, read_override};
use crate::books::Books;
use crate::calls::{Call, Delivery, Made, Violations, record};
use crate::faults::{Fault, FaultKind, Faults};
use crate::gateway::idempotency::Kept;
use crate::gateway::limits::{LimitKey, Limits};
use crate::gateway::{Gateway, Passed, internal_error};
use crate::identity::{Connection, Counter, Decision, Identity};
use crate::ids::Ids;
use crate::incoming::Incoming;
use crate::instants::Instants;
use crate::settings::{Settings, Unconfirmed};
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use std::collections::BTreeMap;
use url::Url;
use uuid::Uuid;

/// The path of the Accounting API.
const ACCOUNTING: &str = "/api.xro/2.0";

/// Xero as a pure state machine. It reads no clock and draws no randomness: the same settings and
/// the same exchanges give the same bytes.
#[derive(Clone, Debug)]
pub struct Simulator {
    settings: Settings,
    tenants: Vec<(Uuid, String)>,
    books: BTreeMap<Uuid, Books>,
    identity: Identity,
    limits: Limits,
    kept: Kept,
    faults: Faults,
    ids: Ids,
    calls: Vec<Call>,
}

/// The part of an exchange that the caller receives.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The complete response.
    Answer(Response<Bytes>),
    /// The connection dropped before the call took effect.
    LostBefore,
    /// The call took effect, but the response is lost.
    LostAfter,
    /// The call took effect, and the response is truncated; this is the complete one.
    Cut(Response<Bytes>),
}

/// A call between its arrival and the end of its response. It counts as concurrent until it is
/// passed to [`Simulator::end`].
#[derive(Debug)]
#[must_use = "a call that is never ended stays in flight forever"]
pub struct InFlight {
    reply: Reply,
    limit_key: Option<LimitKey>,
}

impl InFlight {
    /// The part that the caller receives; it is decided at the beginning.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }
}

/// The result of a consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The browser is redirected to this URL.
    Redirect(String),
    /// Xero shows its own page instead; this is its error code and text.
    ErrorPage(String),
}

impl Simulator {
    /// A Xero with these settings and empty books.
    pub fn new(settings: Settings) -> Self {
        let named = settings.organisations.iter().map(|one| (one.id, one.name.clone()));
        let books = settings.organisations.iter().map(|one| {
            let mut organisation = one.clone();
            organisation.list_reverse_charge(&settings.unconfirmed);
            (one.id, Books::new(organisation))
        });
        Self {
            tenants: named.collect(),
            books: books.collect(),
            identity: Identity::default(),
            limits: Limits::default(),
            kept: Kept::default(),
            faults: Faults::default(),
            ids: Ids::new(settings.seed),
            calls: Vec::new(),
            settings,
        }
    }

    /// One complete exchange at `now`, without other calls in flight unless [`Self::begin`] started
    /// them.
    pub fn handle(&mut self, now: impl Into<Instants>, request: &Request<Bytes>) -> Reply {
        let in_flight = self.begin(now, request);
        self.end(in_flight)
    }

    /// Starts a call. It is processed completely now; it stays in flight until [`Self::end`].
    pub fn begin(&mut self, now: impl Into<Instants>, request: &Request<Bytes>) -> InFlight {
        let now = now.into();
        let incoming = Incoming::read(request);
        let fault = self.faults.take_fault(incoming.method, incoming.path);
        if fault == Some(FaultKind::LostBefore) {
            self.calls.push(record(now.books, &incoming, Delivery::LostBefore, None));
            return InFlight { reply: Reply::LostBefore, limit_key: None };
        }
        let Passed { answer, format, limit_key, counted, replayed } =
            self.route(now, &incoming, fault.as_ref());
        let lowers = self.settings.unconfirmed.problems_in_lower_case;
        let answer = if lowers { answer.in_lower_case() } else { answer };
        let response = answer.render(format);
        let delivery = match fault {
            Some(FaultKind::LostAfter) => Delivery::LostAfter,
            Some(FaultKind::Cut) => Delivery::Cut,
            _ => Delivery::Answered,
        };
        let made = Made { response: &response, counted, replayed };
        self.calls.push(record(now.books, &incoming, delivery, Some(made)));
        let reply = match delivery {
            Delivery::Answered => Reply::Answer(response),
            Delivery::LostBefore => Reply::LostBefore,
            Delivery::LostAfter => Reply::LostAfter,
            Delivery::Cut => Reply::Cut(response),
        };
        InFlight { reply, limit_key }
    }

    /// Ends a call whose response has been read completely, or lost. Returns the response.
    pub fn end(&mut self, in_flight: InFlight) -> Reply {
        if let Some(limit_key) = &in_flight.limit_key {
            self.limits.leave(limit_key);
        }
        in_flight.reply
    }

    /// Adds a fault after those already scheduled.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.inject(fault);
    }

    /// Removes every fault. Responses already kept under an idempotency key are not removed.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Every call since the start, oldest first.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// How often callers exceeded a limit.
    pub fn violations(&self) -> Violations {
        self.limits.violations
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The books of an organisation.
    pub fn books(&self, tenant: Uuid) -> Option<&Books> {
        self.books.get(&tenant)
    }

    /// Whether any user has connected the organisation to the app.
    pub fn is_connected(&self, client_id: &str, tenant: Uuid) -> bool {
        self.identity.connections().iter().any(|connection: &Connection| {
            connection.client_id == client_id && connection.tenant == tenant
        })
    }

    /// A consent without a browser, under the same rules as the page: `user` allows the app that
    /// created `authorize_url` to use `tenants`.
    pub fn consent(
        &mut self,
        now: impl Into<Instants>,
        authorize_url: &str,
        user: Uuid,
        tenants: &[Uuid],
    ) -> Consent {
        let decision = Decision::Allow { user, tenants: tenants.to_vec() };
        self.decide(now.into(), authorize_url, &decision)
    }

    /// The same, but the user cancels.
    pub fn deny(&mut self, now: impl Into<Instants>, authorize_url: &str) -> Consent {
        self.decide(now.into(), authorize_url, &Decision::Cancel)
    }

    /// A bookkeeper who works in Xero itself; `None` if there is no such organisation.
    pub fn bookkeeper(&mut self, now: Timestamp, tenant: Uuid) -> Option<Bookkeeper<'_>> {
        let books = self.books.get_mut(&tenant)?;
        Some(Bookkeeper::new(books, &mut self.ids, &self.settings.unconfirmed, now))
    }

    /// A user disconnects the app in Xero: removes the link to the organisation, keeps the tokens.
    pub fn disconnect(&mut self, client_id: &str, user: Uuid, tenant: Uuid) {
        self.identity.disconnect(client_id, user, tenant);
    }

    /// Users disconnect an app in Xero, as [`Self::disconnect`] does: every user and every app
    /// unless one is given. Returns how many links there were.
    pub fn remove_links(
        &mut self,
        tenant: Uuid,
        client_id: Option<&str>,
        user: Option<Uuid>,
    ) -> usize {
        self.identity.remove_links(tenant, client_id, user)
    }

    /// Ends the tokens of every user who has linked the organisation, as 60 days without a refresh
    /// do. The links remain. Returns how many refresh tokens there were.
    pub fn end_tokens(&mut self, tenant: Uuid) -> usize {
        self.identity.end_tokens(tenant)
    }

    /// Renders a member of every link to an organisation as `json` from now on; omits the member if
    /// `json` is `None`.
    pub fn override_link_members(
        &mut self,
        tenant: Uuid,
        member: &str,
        json: Option<&str>,
    ) -> Result<(), Refused> {
        self.identity.override_link_members(tenant, member, read_override(json)?);
        Ok(())
    }

    /// Changes the answers to the open questions about Xero; earlier effects are kept.
    pub fn set_unconfirmed(&mut self, unconfirmed: Unconfirmed) {
        for books in self.books.values_mut() {
            books.organisation.list_reverse_charge(&unconfirmed);
        }
        self.settings.unconfirmed = unconfirmed;
    }

    fn decide(&mut self, now: Instants, authorize_url: &str, decision: &Decision) -> Consent {
        let query = Url::parse(authorize_url)
            .ok()
            .and_then(|url| url.query().map(str::to_owned))
            .unwrap_or_default();
        match self.counter(now).decide(&query, decision) {
            Ok(location) => Consent::Redirect(location),
            Err(wrong) => Consent::ErrorPage(format!("{}: {}", wrong.error, wrong.description)),
        }
    }

    fn route(
        &mut self,
        now: Instants,
        incoming: &Incoming<'_>,
        fault: Option<&FaultKind>,
    ) -> Passed {
        if let Some(answer) = fault.and_then(at_the_edge) {
            return Passed::uncounted(answer);
        }
        let is_accounting = incoming
            .path
            .get(..ACCOUNTING.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(ACCOUNTING));
        if is_accounting {
            return self.gateway(now, fault).pass(incoming);
        }
        Passed::uncounted(match fault {
            Some(FaultKind::Status500) => internal_error(),
            Some(FaultKind::Offline503 | FaultKind::Maintenance503 | FaultKind::Unavailable503) => {
                Answer::plain(503, "The service is unavailable")
            }
            Some(FaultKind::RateLimited { problem, retry_after_seconds }) => {
                let answer = Answer::empty(429).with_header("x-rate-limit-problem", problem);
                match retry_after_seconds {
                    Some(seconds) => answer.with_header("retry-after", seconds.to_string()),
                    None => answer,
                }
            }
            Some(FaultKind::Status500Applied) => {
                self.counter(now).serve(incoming);
                internal_error()
            }
            Some(
                FaultKind::LostBefore
                | FaultKind::LostAfter
                | FaultKind::Cut
                | FaultKind::EdgePage { .. }
                | FaultKind::EdgeEmpty { .. }
                | FaultKind::OddElement { .. },
            )
            | None => self.counter(now).serve(incoming).unwrap_or_else(Answer::not_found),
        })
    }

    fn counter(&mut self, now: Instants) -> Counter<'_> {
        Counter {
            identity: &mut self.identity,
            apps: &self.settings.apps,
            users: &self.settings.users,
            tenants: &self.tenants,
            unconfirmed: &self.settings.unconfirmed,
            ids: &mut self.ids,
            signs_tokens: self.settings.signs_tokens,
            now: now.identity,
        }
    }

    fn gateway<'a>(&'a mut self, now: Instants, fault: Option<&'a FaultKind>) -> Gateway<'a> {
        Gateway {
            identity: &self.identity,
            books: &mut self.books,
            limits: &mut self.limits,
            kept: &mut self.kept,
            apps: &self.settings.apps,
            unconfirmed: &self.settings.unconfirmed,
            ids: &mut self.ids,
            now,
            fault,
        }
    }
}

/// The response of the network in front of Xero; the call does not reach Xero.
fn at_the_edge(fault: &FaultKind) -> Option<Answer> {
    match fault {
        FaultKind::EdgePage { status } => {
            let page = format!(
                "<html><head><title>Request blocked</title></head><body><h1>{status}</h1>\
                 <p>The request could not be satisfied.</p></body></html>"
            );
            Some(Answer::html(*status, page))
        }
        FaultKind::EdgeEmpty { status } => Some(Answer::empty(*status)),
        FaultKind::Status500
        | FaultKind::Status500Applied
        | FaultKind::Offline503
        | FaultKind::Maintenance503
        | FaultKind::Unavailable503
        | FaultKind::LostBefore
        | FaultKind::LostAfter
        | FaultKind::Cut
        | FaultKind::RateLimited { .. }
        | FaultKind::OddElement { .. } => None,
    }
}
