//! Response bodies: complete ones, and truncated ones.

use super::{Lost, lock};
use crate::simulator::{InFlight, Simulator};
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// Keeps a call in flight until its response has been sent.
#[derive(Debug)]
pub(super) struct InFlightGuard {
    simulator: Arc<Mutex<Simulator>>,
    in_flight: Option<InFlight>,
}

impl InFlightGuard {
    pub(super) fn new(simulator: Arc<Mutex<Simulator>>, in_flight: InFlight) -> Self {
        Self { simulator, in_flight: Some(in_flight) }
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        if let Some(in_flight) = self.in_flight.take() {
            drop(lock(&self.simulator).end(in_flight));
        }
    }
}

/// A body with the call it belongs to.
#[derive(Debug)]
pub(super) struct Outgoing {
    left: Bytes,
    /// The length promised by the headers.
    promised: u64,
    ending: Ending,
    /// Held until hyper has finished with the body.
    _guard: Option<InFlightGuard>,
}

/// What follows the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Whole,
    /// Yielding once lets the server send the first part before the connection drops.
    CutAfterWaiting,
    CutNow,
}

impl Outgoing {
    pub(super) fn whole(bytes: Bytes, guard: Option<InFlightGuard>) -> Self {
        let promised = length(&bytes);
        Self { left: bytes, promised, ending: Ending::Whole, _guard: guard }
    }

    /// Promises the length of `bytes` and sends the first half.
    pub(super) fn cut(mut bytes: Bytes, guard: Option<InFlightGuard>) -> Self {
        let promised = length(&bytes).max(1);
        bytes.truncate(bytes.len() / 2);
        Self { left: bytes, promised, ending: Ending::CutAfterWaiting, _guard: guard }
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        let part = std::mem::take(&mut self.left);
        if !part.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        match self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::CutAfterWaiting => {
                self.ending = Ending::CutNow;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::CutNow => Poll::Ready(Some(Err(Lost))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.ending == Ending::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
