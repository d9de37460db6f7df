//! Injected faults: which calls they affect and how.

use http::Method;

/// A scheduled fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The calls it affects.
    pub on: Match,
    /// What happens to them.
    pub kind: FaultKind,
}

/// The calls that a fault affects.
#[derive(Clone, Debug)]
pub struct Match {
    /// Only calls of this method; `None` matches every method.
    pub method: Option<Method>,
    /// Only calls whose path starts with this.
    pub path_prefix: String,
    /// How many matching calls succeed first.
    pub skip: u32,
    /// How many matching calls it affects then; `None` means all.
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

    /// The same, after `skip` matching calls succeed.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }
}

/// The effect of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 500 without effect. Under an idempotency key the 500 is kept and replayed.
    Status500,
    /// 500 although the call took effect. Kept and replayed in the same way.
    Status500Applied,
    /// 503: this organisation is offline.
    Offline503,
    /// 503: planned maintenance.
    Maintenance503,
    /// 503: an outage.
    Unavailable503,
    /// The connection drops before the call takes effect.
    LostBefore,
    /// The call takes effect, but the response is lost.
    LostAfter,
    /// The call takes effect, and the response is truncated.
    Cut,
    /// 429 although no limit is reached.
    RateLimited {
        /// The value of `X-Rate-Limit-Problem`.
        problem: String,
        /// The value of `Retry-After`, if it is sent.
        retry_after_seconds: Option<u32>,
    },
    /// An HTML page of the network in front of Xero, on any path, without effect.
    EdgePage {
        /// The status; 400, 403 and 503 have been reported.
        status: u16,
    },
    /// The same without a body.
    EdgeEmpty {
        /// The status.
        status: u16,
    },
    /// One element of a written batch is returned with a nil id and without an error.
    OddElement {
        /// The index of the element in the request, from 0.
        index: u32,
        /// Whether it was saved.
        applied: bool,
    },
}

/// The scheduled faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that affects this call, if any; the first fault that is ready applies.
    pub(crate) fn take_fault(&mut self, method: &Method, path: &str) -> Option<FaultKind> {
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
