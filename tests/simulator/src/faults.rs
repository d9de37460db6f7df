//! Trouble on demand: which calls it befalls and what it does to them.

use http::Method;

/// Trouble to come.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The calls it befalls.
    pub on: Match,
    /// What happens to them.
    pub kind: FaultKind,
}

/// Which calls a fault befalls.
#[derive(Clone, Debug)]
pub struct Match {
    /// Only calls of this method; every method if not set.
    pub method: Option<Method>,
    /// Only calls whose path starts with this.
    pub path_prefix: String,
    /// How many matching calls go through first.
    pub skip: u32,
    /// How many matching calls it befalls then; without limit if not set.
    pub times: Option<u32>,
}

impl Match {
    /// The next call whose path starts with `path_prefix`, and only that one.
    pub fn next(path_prefix: &str) -> Self {
        Self { method: None, path_prefix: path_prefix.to_owned(), skip: 0, times: Some(1) }
    }

    /// Every call whose path starts with `path_prefix`, until the faults are cleared.
    pub fn every(path_prefix: &str) -> Self {
        Self { times: None, ..Self::next(path_prefix) }
    }

    /// The same, but only calls of this method.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// The same, after letting `skip` matching calls through.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 500 and nothing applied. Under an idempotency key the 500 is kept and replayed.
    Status500,
    /// 500 although the call was applied. Kept and replayed in the same way.
    Status500Applied,
    /// 503: this organisation is offline.
    Offline503,
    /// 503: planned maintenance.
    Maintenance503,
    /// 503: an outage.
    Unavailable503,
    /// The connection drops before anything is applied.
    LostBefore,
    /// Applied, but the answer never arrives.
    LostAfter,
    /// Applied, and the answer stops in the middle.
    Cut,
    /// 429 although no limit is reached.
    RateLimited {
        /// The value of `X-Rate-Limit-Problem`.
        problem: String,
        /// The value of `Retry-After`, if it is sent.
        retry_after_seconds: Option<u32>,
    },
    /// An HTML page of the network in front of Xero, on any path; nothing applied.
    EdgePage {
        /// The status; 400, 403 and 503 have been reported.
        status: u16,
    },
    /// The same without a body.
    EdgeEmpty {
        /// The status.
        status: u16,
    },
    /// One element of a written batch comes back with a nil id and without an error.
    OddElement {
        /// Which element of the request, from 0.
        index: u32,
        /// Whether it was saved.
        applied: bool,
    },
}

/// The faults in waiting.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What befalls this call, if anything; the first fault that is ready wins.
    pub(crate) fn befall(&mut self, method: &Method, path: &str) -> Option<FaultKind> {
        let mut befalls = None;
        for fault in &mut self.0 {
            let on = &mut fault.on;
            let matches = on.method.as_ref().is_none_or(|wanted| wanted == method)
                && path.starts_with(&on.path_prefix);
            if !matches {
                continue;
            }
            if on.skip > 0 {
                on.skip -= 1;
                continue;
            }
            if befalls.is_none() && on.times != Some(0) {
                on.times = on.times.map(|times| times - 1);
                befalls = Some(fault.kind.clone());
            }
        }
        self.0.retain(|fault| fault.on.times != Some(0));
        befalls
    }
}
