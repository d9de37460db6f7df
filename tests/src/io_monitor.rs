//! The monitor of the engine's IO: counts its steps and can crash the process at one of them.

use std::collections::BTreeSet;
use std::future::{self, Future};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::access::Access;

/// The moment within a step at which a process crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the step has any effect.
    Before,
    /// After the step has taken effect, before the process learns of it.
    After,
}

/// The step at which a process crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashPoint {
    /// The step, counting from 1.
    pub step: u32,
    /// Before or after the step takes effect.
    pub moment: Moment,
}

/// Counts the steps of the engine's IO, and crashes the process at the configured one.
#[derive(Debug, Clone, Default)]
pub struct IoMonitor {
    steps: Arc<AtomicU32>,
    crash: Arc<Mutex<Option<CrashPoint>>>,
    accesses: Arc<Mutex<BTreeSet<Access>>>,
}

impl IoMonitor {
    /// Restarts the count of steps at zero, and sets the step at which the process crashes.
    pub fn crash_at(&self, crash: Option<CrashPoint>) {
        self.steps.store(0, Ordering::SeqCst);
        *self.crash.lock().unwrap_or_else(PoisonError::into_inner) = crash;
    }

    /// Steps since the count was restarted.
    pub fn steps(&self) -> u32 {
        self.steps.load(Ordering::SeqCst)
    }

    /// The AWS accesses since the last call.
    pub fn take_accesses(&self) -> BTreeSet<Access> {
        std::mem::take(&mut self.accesses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records an AWS access.
    pub(crate) fn record_access(&self, access: Access) {
        self.accesses.lock().unwrap_or_else(PoisonError::into_inner).insert(access);
    }

    /// One step: `act` runs between the two moments.
    pub(crate) async fn run_step<T>(&self, act: impl Future<Output = T>) -> T {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        self.crash_if_due(CrashPoint { step, moment: Moment::Before }).await;
        let result = act.await;
        self.crash_if_due(CrashPoint { step, moment: Moment::After }).await;
        result
    }

    async fn crash_if_due(&self, here: CrashPoint) {
        let crash = *self.crash.lock().unwrap_or_else(PoisonError::into_inner);
        if crash == Some(here) {
            future::pending::<()>().await;
        }
    }
}

/// Runs a future to completion, or to the configured crash: then returns `None` and drops the
/// future.
///
/// Every monitored step answers immediately, so a future that is pending without having woken its
/// task has crashed.
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
