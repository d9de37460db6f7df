//! A gate on the way out: counts the engine's IO steps and can be the last thing a process does.

use std::collections::BTreeSet;
use std::future::{self, Future};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::access::Access;

/// When, within a step, a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the step has done anything.
    Before,
    /// After it has done everything, before anybody knows.
    After,
}

/// The place where a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// The step, counting from 1.
    pub step: u32,
    /// Before or after it acts.
    pub moment: Moment,
}

/// Counts steps, and stops everything at the death that was set.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    steps: Arc<AtomicU32>,
    death: Arc<Mutex<Option<Death>>>,
    used: Arc<Mutex<BTreeSet<Access>>>,
}

impl Gate {
    /// From now on steps are counted from zero, and the process dies there.
    pub fn arm(&self, death: Option<Death>) {
        self.steps.store(0, Ordering::SeqCst);
        *self.death.lock().unwrap_or_else(PoisonError::into_inner) = death;
    }

    /// Steps since the gate was armed.
    pub fn steps(&self) -> u32 {
        self.steps.load(Ordering::SeqCst)
    }

    /// What of AWS was used since this was last asked.
    pub fn take_used(&self) -> BTreeSet<Access> {
        std::mem::take(&mut self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something of AWS is used.
    pub(crate) fn uses(&self, access: Access) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(access);
    }

    /// One step: `act` happens between the two moments.
    pub(crate) async fn step<T>(&self, act: impl Future<Output = T>) -> T {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        self.survive(Death { step, moment: Moment::Before }).await;
        let result = act.await;
        self.survive(Death { step, moment: Moment::After }).await;
        result
    }

    async fn survive(&self, here: Death) {
        let death = *self.death.lock().unwrap_or_else(PoisonError::into_inner);
        if death == Some(here) {
            future::pending::<()>().await;
        }
    }
}

/// Runs a future to its end, or to the death at the gate: then `None`, and the future is dropped.
///
/// Everything behind the gate answers at once, so a future that waits has died.
pub fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
