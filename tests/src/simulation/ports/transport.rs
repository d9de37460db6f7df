//! The simulation's transport to Xero.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use xero::{Transport, TransportError, TransportErrorKind};
use xero_sim::{Fault as XeroFault, FaultKind, InFlight, Match, Reply, Simulator};

use super::{Occurrence, SharedState};
use crate::ports::{locked, lost, not_sent};
use crate::simulation::checker::Observations;
use crate::simulation::executor::after;
use crate::simulation::faults::{Fault, Port, millis};
use crate::simulation::mutation::Mutation;

/// The timeout of our transport for an exchange.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(25);

/// The transport to Xero.
#[derive(Clone)]
pub struct SimXero {
    /// Xero.
    pub simulator: Arc<Mutex<Simulator>>,
    /// The checker, which observes the requests.
    pub observations: Observations,
    /// The world.
    pub shared: SharedState,
}

impl std::fmt::Debug for SimXero {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimXero")
    }
}

#[async_trait]
impl Transport for SimXero {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let what = format!("{} {}", request.method(), request.uri());
        if let Some(response) = Mutation::answered(self.shared.mutation, &request) {
            return Ok(response);
        }
        let timeline = &self.shared.timeline;
        let course = self.shared.draw_course(Port::Xero, move || what);
        self.observations.begins(timeline.now(), &request);
        if course.fault == Some(Fault::Straggler) {
            let at = after(timeline.now(), course.before);
            timeline.schedule(at, Occurrence::Arrives(Box::new(request)));
            timeline.sleep(TIMEOUT).await;
            return Err(lost(TransportErrorKind::Timeout));
        }
        self.shared.before(&course).await;
        if course.fault == Some(Fault::FailBefore) {
            self.observations.ends(timeline.now(), &request);
            return Err(not_sent());
        }
        let reply = self.act(&request, course.fault);
        let in_flight = match course.fault {
            Some(Fault::FreezeAfter) => millis(500),
            _ => course.after,
        };
        let answers_at = after(timeline.now(), in_flight);
        timeline.schedule(answers_at, Occurrence::CallEnds(reply.0));
        self.observations.ends(answers_at, &request);
        if course.after > TIMEOUT && course.fault != Some(Fault::FreezeAfter) {
            timeline.sleep(TIMEOUT).await;
            return Err(lost(TransportErrorKind::Timeout));
        }
        self.shared.after(&course).await;
        if course.fault == Some(Fault::FailAfter) {
            return Err(lost(TransportErrorKind::Timeout));
        }
        match reply.1 {
            Reply::Answer(response) => {
                // Xero ignores the key of a caller that it refuses.
                if response.status() != StatusCode::UNAUTHORIZED {
                    self.observations.record_answer(timeline.current(), &request);
                }
                Ok(response)
            }
            Reply::Cut(_) => Err(lost(TransportErrorKind::Interrupted)),
            Reply::LostBefore | Reply::LostAfter => Err(lost(TransportErrorKind::Timeout)),
        }
    }
}

impl SimXero {
    fn act(&self, request: &Request<Bytes>, fault: Option<Fault>) -> (InFlight, Reply) {
        let kind = match fault {
            Some(Fault::Faulty) => Some(FaultKind::Status500),
            Some(Fault::FaultyAfter) => Some(FaultKind::Status500Applied),
            Some(Fault::Cut) => Some(FaultKind::Cut),
            Some(Fault::Throttled) => Some(FaultKind::RateLimited {
                problem: "minute".to_owned(),
                retry_after_seconds: Some(20),
            }),
            _ => None,
        };
        let mut simulator = locked(&self.simulator);
        if let Some(kind) = kind {
            simulator.inject(XeroFault { on: Match::next("/"), kind });
        }
        let in_flight = simulator.begin(self.shared.timeline.now(), request);
        let reply = in_flight.reply().clone();
        (in_flight, reply)
    }
}
