//! The checks between a caller and the books: bearer, tenant, limits, scope, idempotency.

pub(crate) mod idempotency;
pub(crate) mod limits;

use crate::accounting::{OddElement, RequestContext, Route};
use crate::answer::{Answer, Format};
use crate::books::Books;
use crate::faults::FaultKind;
use crate::identity::scopes::Access;
use crate::identity::{BadBearer, Identity, Session, bearer, refuse_bearer};
use crate::ids::Ids;
use crate::incoming::Incoming;
use crate::instants::Instants;
use crate::settings::{App, Unconfirmed};
use http::Method;
use idempotency::{Kept, KeyState, Owner, fingerprint};
use limits::{APP_MINUTE, CONCURRENT, Exceeded, LimitKey, Limits, Remaining};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Xero answers a longer query string as if the path did not exist.
const LONGEST_QUERY: usize = 2_048;

/// The context of one Accounting call.
#[derive(Debug)]
pub(crate) struct Gateway<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) books: &'a mut BTreeMap<Uuid, Books>,
    pub(crate) limits: &'a mut Limits,
    pub(crate) kept: &'a mut Kept,
    pub(crate) apps: &'a [App],
    pub(crate) unconfirmed: &'a Unconfirmed,
    pub(crate) ids: &'a mut Ids,
    pub(crate) now: Instants,
    pub(crate) fault: Option<&'a FaultKind>,
}

/// A response with its details for the call log.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) answer: Answer,
    pub(crate) format: Format,
    /// The limits that the call counts towards while it is in flight.
    pub(crate) limit_key: Option<LimitKey>,
    pub(crate) counted: bool,
    pub(crate) replayed: bool,
}

impl Passed {
    pub(crate) fn uncounted(answer: Answer) -> Self {
        Self { answer, format: Format::Json, limit_key: None, counted: false, replayed: false }
    }
}

/// An authenticated caller.
struct Caller {
    session: Session,
    tenant: Uuid,
    daily: u32,
    /// Whether the user may write to the tenant's books.
    may_change: bool,
}

impl Gateway<'_> {
    /// Answers one call of the Accounting API.
    pub(crate) fn pass(&mut self, incoming: &Incoming<'_>) -> Passed {
        let caller = match self.caller(incoming) {
            Ok(caller) => caller,
            Err(answer) => {
                let answer = self
                    .add_headers(answer, Remaining::untouched(crate::Tier::Starter.daily_calls()));
                return Passed::uncounted(answer);
            }
        };
        let limit_key: LimitKey = (caller.session.client_id.clone(), caller.tenant);
        let mut passed = if let Err(answer) = self.admit(&limit_key, caller.daily) {
            Passed::uncounted(answer)
        } else {
            let (answer, replayed) = self.admitted(incoming, &caller);
            let limit_key = Some(limit_key.clone());
            Passed { answer, format: format(incoming), limit_key, counted: true, replayed }
        };
        let remaining = self.limits.remaining(&limit_key, caller.daily, self.now.books);
        passed.answer = self.add_headers(passed.answer, remaining);
        passed
    }

    fn caller(&mut self, incoming: &Incoming<'_>) -> Result<Caller, Answer> {
        let session = bearer(incoming)
            .ok_or(BadBearer::Unknown)
            .and_then(|token| self.identity.session(token, self.now.identity))
            .cloned()
            .map_err(|bad| refuse_bearer(bad, self.ids))?;
        let tenant = incoming
            .header("xero-tenant-id")
            .and_then(|id| Uuid::parse_str(id.trim()).ok())
            .filter(|tenant| self.identity.is_connected(&session, *tenant));
        let known = tenant.and_then(|tenant| Some((tenant, self.books.get(&tenant)?)));
        match known {
            Some((tenant, books)) if !books.organisation.is_closed => {
                let daily = books.organisation.tier.daily_calls();
                let may_change = !books.organisation.viewers.contains(&session.user);
                Ok(Caller { session, tenant, daily, may_change })
            }
            Some(_) | None => {
                Err(Answer::problem(403, "AuthenticationUnsuccessful", self.ids.next()))
            }
        }
    }

    fn admit(&mut self, limit_key: &LimitKey, daily: u32) -> Result<(), Answer> {
        let refused =
            if let Some(FaultKind::RateLimited { problem, retry_after_seconds }) = self.fault {
                Err((problem.clone(), retry_after_seconds.map(i64::from)))
            } else {
                let unconfirmed = self.unconfirmed;
                self.limits
                    .admit(limit_key, daily, self.now.books)
                    .map_err(|exceeded| describe(exceeded, unconfirmed))
            };
        let Err((problem, retry_after)) = refused else {
            return Ok(());
        };
        let answer = if self.unconfirmed.throttle_has_no_body {
            Answer::empty(429)
        } else {
            Answer::plain(429, &self.unconfirmed.texts.too_many_calls)
        };
        let answer = answer.with_header("x-rate-limit-problem", problem);
        Err(match retry_after {
            Some(seconds) => answer.with_header("retry-after", seconds.to_string()),
            None => answer,
        })
    }

    /// Answers a call that counts. Also returns whether the response is a replay.
    fn admitted(&mut self, incoming: &Incoming<'_>, caller: &Caller) -> (Answer, bool) {
        if incoming.query.len() > LONGEST_QUERY {
            return (Answer::not_found(), false);
        }
        let segments = incoming.segments();
        let has_separator = segments.iter().any(|segment| segment.contains(['/', ':']));
        if has_separator && !self.unconfirmed.paths_take_separators {
            return (Answer::not_found(), false);
        }
        let route = match Route::find(incoming.method, &segments) {
            Ok(route) => route,
            Err(answer) => return (answer, false),
        };
        let further = route.further_area().filter(|_| self.unconfirmed.allocations_need_payments);
        let mut areas = [Some(route.area()), further].into_iter().flatten();
        if !areas.all(|area| caller.session.scopes.open(area, route.access())) {
            return (self.missing_scope(), false);
        }
        if route.access() == Access::Write && !caller.may_change {
            let status = self.unconfirmed.missing_permission_status;
            let answer = Answer::problem(status, "AuthorizationUnsuccessful", self.ids.next());
            return (answer, false);
        }
        if let Some(answer) = self.fault.and_then(offline) {
            return (answer, false);
        }
        self.once(incoming, caller, &route)
    }

    /// Answers a call under its idempotency key, if it is a write and has one.
    fn once(&mut self, incoming: &Incoming<'_>, caller: &Caller, route: &Route) -> (Answer, bool) {
        let is_write = [Method::POST, Method::PUT, Method::PATCH].contains(incoming.method);
        let remembers = is_write && !self.unconfirmed.unhelpful;
        let key = incoming.header("idempotency-key").filter(|_| remembers);
        let Some(key) = key else {
            return (self.execute(incoming, caller, route), false);
        };
        let tenant = self.unconfirmed.key_per_tenant.then_some(caller.tenant);
        let owner: Owner = (caller.session.client_id.clone(), tenant);
        let print = fingerprint(incoming, caller.tenant);
        match self.kept.check_key(&owner, key, print, self.now.books) {
            KeyState::Replay(answer) => (answer, true),
            KeyState::Refuse(text) if self.unconfirmed.key_refusal_is_plain => {
                (Answer::plain(400, text), false)
            }
            KeyState::Refuse(text) => (Answer::exception(10, "ValidationException", text), false),
            KeyState::New => {
                let answer = self.execute(incoming, caller, route);
                let is_refusal = (400..500).contains(&answer.status);
                if !is_refusal || self.unconfirmed.refusals_replayed {
                    self.kept.keep(owner, key, print, &answer, self.now.books);
                }
                (answer, false)
            }
        }
    }

    fn execute(&mut self, incoming: &Incoming<'_>, caller: &Caller, route: &Route) -> Answer {
        if self.fault == Some(&FaultKind::Status500) {
            return internal_error();
        }
        let app = self.apps.iter().find(|app| app.client_id == caller.session.client_id);
        let Some((books, app)) = self.books.get_mut(&caller.tenant).zip(app) else {
            return internal_error();
        };
        let mut context = RequestContext {
            books,
            ids: self.ids,
            unconfirmed: self.unconfirmed,
            now: self.now.books,
            app,
            may_change: caller.may_change,
            incoming,
            odd_element: self.fault.and_then(odd_element),
        };
        let answer = context.answer(route);
        match self.fault {
            Some(FaultKind::Status500Applied) => internal_error(),
            _ => answer,
        }
    }

    fn missing_scope(&mut self) -> Answer {
        let unconfirmed = self.unconfirmed;
        let word = if unconfirmed.missing_scope_misspelt {
            "insufficent_scope"
        } else {
            "insufficient_scope"
        };
        let status = unconfirmed.missing_scope_status;
        let answer = Answer::problem(status, "AuthorizationUnsuccessful", self.ids.next());
        if unconfirmed.missing_scope_in_header {
            answer.with_header("www-authenticate", word)
        } else {
            answer
        }
    }

    /// Adds the headers of every response.
    fn add_headers(&mut self, answer: Answer, remaining: Remaining) -> Answer {
        answer
            .with_header("x-daylimit-remaining", remaining.day.to_string())
            .with_header("x-minlimit-remaining", remaining.minute.to_string())
            .with_header("x-appminlimit-remaining", remaining.app_minute.to_string())
            .with_header("xero-correlation-id", self.ids.next().to_string())
    }
}

/// Xero's name for a limit, and the seconds to wait if Xero reports them.
fn describe(exceeded: Exceeded, unconfirmed: &Unconfirmed) -> (String, Option<i64>) {
    let Exceeded { problem, retry_after } = exceeded;
    match problem {
        APP_MINUTE if unconfirmed.app_minute_hyphenated => ("app-minute".to_owned(), retry_after),
        CONCURRENT if unconfirmed.concurrent_says_when => (problem.to_owned(), Some(1)),
        _ => (problem.to_owned(), retry_after),
    }
}

/// Xero answers XML unless JSON is requested explicitly.
fn format(incoming: &Incoming<'_>) -> Format {
    let asks = incoming
        .headers
        .get_all("accept")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("application/json"));
    if asks { Format::Json } else { Format::Xml }
}

fn offline(fault: &FaultKind) -> Option<Answer> {
    let text = match fault {
        FaultKind::Offline503 => "The Organisation is offline",
        FaultKind::Maintenance503 => "The Xero API is currently offline for maintenance",
        FaultKind::Unavailable503 => "The Xero API is temporarily unavailable",
        FaultKind::Status500
        | FaultKind::Status500Applied
        | FaultKind::LostBefore
        | FaultKind::LostAfter
        | FaultKind::Cut
        | FaultKind::RateLimited { .. }
        | FaultKind::EdgePage { .. }
        | FaultKind::EdgeEmpty { .. }
        | FaultKind::OddElement { .. } => return None,
    };
    Some(Answer::plain(503, text))
}

/// The element of a write that is returned without its id.
fn odd_element(fault: &FaultKind) -> Option<OddElement> {
    let FaultKind::OddElement { index, applied } = fault else { return None };
    let index = usize::try_from(*index).unwrap_or(usize::MAX);
    Some(OddElement { index, applied: *applied })
}

/// Xero documents no body for its internal errors; callers must not rely on JSON.
pub(crate) fn internal_error() -> Answer {
    Answer::html(500, "<html><body><h1>An error occurred</h1></body></html>")
}
