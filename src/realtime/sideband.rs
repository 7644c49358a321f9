//! Second controllers of a live session: a seat is taken at the door, and whoever has one is brought to the driver.

use std::sync::Arc;

use futures_util::stream::BoxStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    protocol::Dialect,
    transport::{
        Incoming,
        downlink::{Downlink, Farewell},
    },
};

/// Most controllers of a session beside its client.
pub const MOST: usize = 4;

/// The seats of a session, as the door knows them.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    arrivals: mpsc::Sender<Box<Arrival>>,
    free: Arc<Semaphore>,
}

/// A seat that is taken; dropping it frees it.
#[derive(Debug)]
pub struct Seat {
    arrivals: mpsc::Sender<Box<Arrival>>,
    permit: OwnedSemaphorePermit,
}

/// A controller that has come.
pub(crate) struct Arrival {
    /// What it speaks.
    pub(crate) dialect: Dialect,
    /// What it is told.
    pub(crate) downlink: Downlink,
    /// What it says.
    pub(crate) uplink: BoxStream<'static, Incoming>,
    /// Where it sits until it leaves.
    pub(crate) seat: OwnedSemaphorePermit,
}

/// Where controllers arrive.
#[derive(Debug)]
pub(crate) struct Arrivals(pub(crate) mpsc::Receiver<Box<Arrival>>);

/// The seats of a new session, and where those who take them arrive. Boxed: a channel's memory comes in blocks of 32.
pub(super) fn seats() -> (Seats, Arrivals) {
    let (sender, receiver) = mpsc::channel(MOST);
    (Seats { arrivals: sender, free: Arc::new(Semaphore::new(MOST)) }, Arrivals(receiver))
}

impl Seats {
    /// A free seat, if there is one.
    pub(super) fn take(&self) -> Option<Seat> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Seat { arrivals: self.arrivals.clone(), permit })
    }
}

impl Seat {
    /// Brings its controller to the session; gives the downlink back if that is over. There is room for whoever has a seat.
    pub(crate) fn bring(
        self,
        dialect: Dialect,
        downlink: Downlink,
        uplink: BoxStream<'static, Incoming>,
    ) -> Result<(), Downlink> {
        let arrival = Box::new(Arrival { dialect, downlink, uplink, seat: self.permit });
        self.arrivals.try_send(arrival).map_err(|refused| refused.into_inner().downlink)
    }
}

impl Arrivals {
    /// The session is over: nobody is let in any more, and those who wait are sent away.
    pub(crate) fn close(&mut self, farewell: Farewell) {
        self.0.close();
        while let Ok(arrival) = self.0.try_recv() {
            arrival.downlink.close(farewell);
        }
    }
}
