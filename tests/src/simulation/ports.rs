//! The engine's ports in a world where every step takes time and may fail.

mod secrets;
mod table;
mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::envelope::{QueueSource, WakeUp};
use domain::outbound::{EventMessage, OutboundEvent};
use engine::ports::{Clock, EventPublisher, PortError, PublishedEvents, WakeUps};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use xero_sim::InFlight;

use super::executor::{Pid, Timeline, after};
use super::faults::{Fault, Faults, Port, StepCourse, millis};
use super::mutation::Mutation;
use super::trace::Trace;
use crate::access::{Access, Function};
use crate::ports::{EVENTS_PER_CALL, locked, read_event};

pub use self::secrets::{Shown, SimSecrets};
pub use self::table::SimTable;
pub use self::transport::SimXero;

/// An event in the world.
#[derive(Debug)]
pub enum Occurrence {
    /// Xero has answered a call.
    CallEnds(InFlight),
    /// A request whose process no longer waits arrives at Xero.
    Arrives(Box<Request<Bytes>>),
    /// A scheduled wake-up fires.
    Fires(WakeUp),
    /// An event of the scenario.
    Scripted(super::script::ScriptedEvent),
    /// A queue delivers messages.
    Deliver,
    /// The time of a process is over.
    Deadline(Pid),
}

/// The state that all processes of a world share.
#[derive(Debug, Clone)]
pub struct SharedState {
    /// The clock.
    pub timeline: Timeline<Occurrence>,
    /// The faults.
    pub faults: Arc<Mutex<Faults>>,
    /// The trace of the run.
    pub trace: Arc<Mutex<Trace>>,
    /// The part that is removed from the protocol, to test the checker.
    pub mutation: Option<Mutation>,
    /// Suspended processes.
    pub frozen: Arc<Mutex<BTreeSet<Pid>>>,
    /// The function to which each process belongs.
    pub functions: Arc<Mutex<BTreeMap<Pid, Function>>>,
    /// The AWS accesses of the functions.
    pub used: Arc<Mutex<BTreeSet<(Function, Access)>>>,
}

impl SharedState {
    /// Creates a world in its initial state.
    pub fn new(
        timeline: Timeline<Occurrence>,
        faults: Faults,
        trace: Trace,
        mutation: Option<Mutation>,
    ) -> Self {
        Self {
            timeline,
            faults: Arc::new(Mutex::new(faults)),
            trace: Arc::new(Mutex::new(trace)),
            mutation,
            frozen: Arc::default(),
            functions: Arc::default(),
            used: Arc::default(),
        }
    }

    fn draw_course(&self, port: Port, what: impl FnOnce() -> String) -> StepCourse {
        let (course, step) = {
            let mut faults = locked(&self.faults);
            (faults.draw_course(port), faults.steps)
        };
        let (now, who) = (self.timeline.now(), self.timeline.current());
        if matches!(course.fault, Some(Fault::FreezeBefore | Fault::FreezeAfter)) {
            locked(&self.frozen).extend(who);
        }
        locked(&self.trace).step(now, who, step, course.fault, what);
        course
    }

    /// Records an AWS access of the running function.
    fn record_access(&self, access: Access) {
        let pid = self.timeline.current();
        let function = pid.and_then(|pid| locked(&self.functions).get(&pid).copied());
        if let Some(function) = function {
            locked(&self.used).insert((function, access));
        }
    }

    /// Whether a process is or was suspended.
    pub fn is_frozen(&self, pid: Pid) -> bool {
        locked(&self.frozen).contains(&pid)
    }

    /// Waits before a step, unless the process dies there.
    async fn before(&self, course: &StepCourse) {
        self.timeline.sleep(course.before).await;
        if course.fault == Some(Fault::DieBefore) {
            self.timeline.die().await;
        }
    }

    /// Waits after a step, unless the process dies there.
    async fn after(&self, course: &StepCourse) {
        self.timeline.sleep(course.after).await;
        if course.fault == Some(Fault::DieAfter) {
            self.timeline.die().await;
        }
    }
}

fn refused(operation: &'static str) -> PortError {
    PortError { operation, source: "the simulation injects an error".into() }
}

#[async_trait]
impl Clock for SharedState {
    fn now(&self) -> Timestamp {
        self.timeline.now()
    }

    async fn sleep_for(&self, moment: Duration) {
        self.timeline.sleep(SignedDuration::try_from(moment).expect("a pause is short")).await;
    }
}

/// Scheduled and enqueued wake-ups.
#[derive(Debug, Clone)]
pub struct SimWakeUps {
    /// The queues.
    pub queues: super::queue::Queues,
    /// The world.
    pub shared: SharedState,
}

impl SimWakeUps {
    async fn step(
        &self,
        port: Port,
        what: String,
        act: impl Fn() + Send + Sync,
    ) -> Result<(), PortError> {
        let course = self.shared.draw_course(port, move || what);
        self.shared.before(&course).await;
        match course.fault {
            Some(Fault::FailBefore) => return Err(refused("enqueue a wake-up")),
            Some(Fault::Lost) => {}
            Some(Fault::Twice) => {
                act();
                act();
            }
            _ => act(),
        }
        self.shared.after(&course).await;
        if course.fault == Some(Fault::FailAfter) {
            Err(refused("enqueue a wake-up"))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl WakeUps for SimWakeUps {
    async fn schedule(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        self.shared.record_access(Access::ScheduleWakeUp);
        let what = format!("schedule {:?} at {at}", wake.work);
        let timeline = &self.shared.timeline;
        let schedule = || {
            let latest = millis(locked(&self.shared.faults).below(30_000));
            let at = after(at.max(timeline.now()), latest);
            timeline.schedule(at, Occurrence::Fires(wake.clone()));
        };
        self.step(Port::Schedule, what, schedule).await
    }

    async fn enqueue(&self, wake: &WakeUp) -> Result<(), PortError> {
        self.shared.record_access(Access::of_wake_up(wake.kind));
        let what = format!("enqueue {:?}", wake.work);
        let enqueue = || {
            let (source, account) = (QueueSource::WakeUps, wake.account.as_str());
            self.queues.push(wake.kind, source, account, wake.to_body());
            self.shared.timeline.schedule(self.shared.timeline.now(), Occurrence::Deliver);
        };
        self.step(Port::WakeUp, what, enqueue).await
    }
}

/// The events that the CRM receives.
#[derive(Debug, Clone)]
pub struct SimEvents {
    /// Deliveries, in order.
    pub deliveries: Arc<Mutex<Vec<OutboundEvent>>>,
    /// The world.
    pub shared: SharedState,
}

impl SimEvents {
    /// Sends events in one call. Returns those that the queue accepted. A queue may refuse some of
    /// them: here, every second one, beginning with the first.
    async fn publish_together<'e>(
        &self,
        events: &'e [EventMessage],
    ) -> (Vec<&'e EventMessage>, Result<(), PortError>) {
        self.shared.record_access(Access::PublishEvent);
        let contents = events.iter().filter_map(read_event).collect::<Vec<_>>();
        assert_eq!(contents.len(), events.len(), "events of this release");
        let what = contents.iter().map(|event| format!("tell {:?}", event.content));
        let what = what.collect::<Vec<_>>().join(" + ");
        let course = self.shared.draw_course(Port::Event, move || what);
        self.shared.before(&course).await;
        let refused_every = match course.fault {
            Some(Fault::FailBefore) => Some(1),
            Some(Fault::Partly) => Some(2),
            _ => None,
        };
        let is_refused =
            |place: usize| refused_every.is_some_and(|every: usize| place.is_multiple_of(every));
        let times = if course.fault == Some(Fault::Twice) { 2 } else { 1 };
        let mut accepted = Vec::new();
        for (place, (event, content)) in events.iter().zip(contents).enumerate() {
            if !is_refused(place) {
                accepted.push(event);
                locked(&self.deliveries).extend(std::iter::repeat_n(content, times));
            }
        }
        self.shared.after(&course).await;
        if course.fault == Some(Fault::FailAfter) {
            return (Vec::new(), Err(refused("deliver an event")));
        }
        let is_complete = accepted.len() == events.len();
        (accepted, if is_complete { Ok(()) } else { Err(refused("deliver an event")) })
    }
}

#[async_trait]
impl EventPublisher for SimEvents {
    async fn publish_event(&self, event: &EventMessage) -> Result<(), PortError> {
        self.publish_together(std::slice::from_ref(event)).await.1
    }

    async fn publish_unordered_events(&self, events: &[EventMessage]) -> PublishedEvents {
        let mut published = PublishedEvents::default();
        for together in events.chunks(EVENTS_PER_CALL) {
            let (accepted, result) = self.publish_together(together).await;
            published.add(accepted.into_iter().map(|event| event.event_id), Ok(()));
            published.add([], result);
        }
        published
    }
}
