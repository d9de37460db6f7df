//! Runs many processes on one clock: events happen in the order of their due times, and a process
//! that dies is dropped.
//!
//! A future waits only for instants of virtual time. So a run is a list of instants, and the same
//! seed gives the same list.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use jiff::{SignedDuration, Timestamp};

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u32);

/// The event at an instant.
#[derive(Debug)]
pub enum Due<O> {
    /// A process continues.
    Waker(Waker),
    /// An event in the world.
    Occurrence(O),
}

/// The clock, with all pending events.
#[derive(Debug)]
struct Agenda<O> {
    now: Timestamp,
    entries: u64,
    due: BTreeMap<(Timestamp, u64), Due<O>>,
    ready: Vec<Pid>,
    /// The process that is being polled.
    current: Option<Pid>,
    /// The process that dies at the end of its poll.
    doomed: Vec<Pid>,
}

/// The clock that all parts of a world share.
#[derive(Debug)]
pub struct Timeline<O>(Arc<Mutex<Agenda<O>>>);

impl<O> Clone for Timeline<O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<O: Send + 'static> Timeline<O> {
    /// Creates a clock without pending events.
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Agenda {
            now: start,
            entries: 0,
            due: BTreeMap::new(),
            ready: Vec::new(),
            current: None,
            doomed: Vec::new(),
        })))
    }

    fn agenda(&self) -> MutexGuard<'_, Agenda<O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current virtual time.
    pub fn now(&self) -> Timestamp {
        self.agenda().now
    }

    /// Returns the running process.
    pub fn current(&self) -> Option<Pid> {
        self.agenda().current
    }

    /// Schedules an event.
    pub fn schedule(&self, at: Timestamp, occurrence: O) {
        self.put(at, Due::Occurrence(occurrence));
    }

    /// Schedules an event after a delay.
    pub fn schedule_in(&self, wait: SignedDuration, occurrence: O) {
        let at = after(self.now(), wait);
        self.schedule(at, occurrence);
    }

    fn put(&self, at: Timestamp, due: Due<O>) {
        let mut agenda = self.agenda();
        agenda.entries += 1;
        let key = (at.max(agenda.now), agenda.entries);
        agenda.due.insert(key, due);
    }

    /// Takes the next event and moves the clock to it.
    pub fn next(&self) -> Option<Due<O>> {
        let mut agenda = self.agenda();
        let ((at, _), due) = agenda.due.pop_first()?;
        agenda.now = at;
        Some(due)
    }

    /// Delays the running process.
    pub async fn sleep(&self, wait: SignedDuration) {
        let until = after(self.now(), wait);
        let mut is_booked = false;
        std::future::poll_fn(|context: &mut Context<'_>| {
            if is_booked && self.now() >= until {
                return Poll::Ready(());
            }
            if !is_booked {
                is_booked = true;
                self.put(until, Due::Waker(context.waker().clone()));
            }
            Poll::Pending
        })
        .await;
    }

    /// The running process dies here.
    pub async fn die(&self) {
        {
            let mut agenda = self.agenda();
            let current = agenda.current;
            agenda.doomed.extend(current);
        }
        std::future::pending::<()>().await;
    }

    fn take_ready(&self) -> Option<Pid> {
        self.agenda().ready.pop()
    }

    fn waker(&self, pid: Pid) -> Waker {
        Waker::from(Arc::new(ProcessWaker { agenda: self.0.clone(), pid }))
    }
}

/// Returns the instant a duration after another.
pub fn after(from: Timestamp, wait: SignedDuration) -> Timestamp {
    from.checked_add(wait).expect("an instant of this era")
}

struct ProcessWaker<O> {
    agenda: Arc<Mutex<Agenda<O>>>,
    pid: Pid,
}

impl<O: Send + 'static> Wake for ProcessWaker<O> {
    fn wake(self: Arc<Self>) {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        if !agenda.ready.contains(&self.pid) {
            agenda.ready.push(self.pid);
        }
    }
}

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The processes.
pub struct Processes<O, T> {
    timeline: Timeline<O>,
    running: BTreeMap<Pid, Running<T>>,
    started: u32,
}

/// How a process ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// It returned.
    Returned(T),
    /// It died.
    Died,
}

impl<O: Send + 'static, T> Processes<O, T> {
    /// No processes yet.
    pub fn new(timeline: Timeline<O>) -> Self {
        Self { timeline, running: BTreeMap::new(), started: 0 }
    }

    /// Starts a process.
    pub fn start(&mut self, work: impl Future<Output = T> + Send + 'static) -> Pid {
        self.started += 1;
        let pid = Pid(self.started);
        self.running.insert(pid, Box::pin(work));
        self.timeline.waker(pid).wake();
        pid
    }

    /// Kills a process at its current step.
    pub fn kill(&mut self, pid: Pid) -> bool {
        self.running.remove(&pid).is_some()
    }

    /// Whether a process still runs.
    pub fn is_running(&self, pid: Pid) -> bool {
        self.running.contains_key(&pid)
    }

    /// Whether no process runs.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Runs the next process that can continue, until it waits or ends.
    pub fn poll_one(&mut self) -> Option<(Pid, Option<Ended<T>>)> {
        let pid = self.timeline.take_ready()?;
        let Some(work) = self.running.get_mut(&pid) else { return Some((pid, None)) };
        let waker = self.timeline.waker(pid);
        self.timeline.agenda().current = Some(pid);
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        let is_doomed = {
            let mut agenda = self.timeline.agenda();
            agenda.current = None;
            let is_doomed = agenda.doomed.contains(&pid);
            agenda.doomed.retain(|doomed| *doomed != pid);
            is_doomed
        };
        let ended = match polled {
            Poll::Ready(result) => Some(Ended::Returned(result)),
            Poll::Pending if is_doomed => Some(Ended::Died),
            Poll::Pending => None,
        };
        if ended.is_some() {
            self.running.remove(&pid);
        }
        Some((pid, ended))
    }
}

impl<O, T> std::fmt::Debug for Processes<O, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processes").field("running", &self.running.len()).finish_non_exhaustive()
    }
}
