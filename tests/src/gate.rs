//! A gate around the engine's IO: counts its steps and can end the process at one of them.

use std::collections::BTreeSet;
use std::future::{self, Future};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::access::Access;

/// The moment within a step at which a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the step has any effect.
    Before,
    /// After the step has taken effect, before the process learns of it.
    After,
}

/// The step at which a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// The step, counting from 1.
    pub step: u32,
    /// Before or after the step takes effect.
    pub moment: Moment,
}

/// Counts steps, and ends the process at the configured one.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    steps: Arc<AtomicU32>,
    death: Arc<Mutex<Option<Death>>>,
    used: Arc<Mutex<BTreeSet<Access>>>,
}

impl Gate {
    /// Restarts the count of steps at zero, and sets the step at which the process dies.
    pub fn arm(&self, death: Option<Death>) {
        self.steps.store(0, Ordering::SeqCst);
        *self.death.lock().unwrap_or_else(PoisonError::into_inner) = death;
    }

    /// Steps since the gate was armed.
    pub fn steps(&self) -> u32 {
        self.steps.load(Ordering::SeqCst)
    }

    /// The AWS accesses since the last call.
    pub fn take_used(&self) -> BTreeSet<Access> {
        std::mem::take(&mut self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records an AWS access.
    pub(crate) fn uses(&self, access: Access) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(access);
    }

    /// One step: `act` runs between the two moments.
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

/// Runs a future to completion, or to the death at the gate: then returns `None` and drops the
/// future.
///
/// Everything behind the gate answers immediately, so a future that is pending without having woken
/// its task has died.
pub fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let woken = Arc::new(WakeFlag::default());
    let waker = Waker::from(woken.clone());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return Some(value),
            Poll::Pending if woken.0.swap(false, Ordering::SeqCst) => {}
            Poll::Pending => return None,
        }
    }
}

/// Whether a task was woken.
#[derive(Debug, Default)]
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
