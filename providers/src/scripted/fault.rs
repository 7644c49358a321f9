//! How a scripted provider fails, and on which of its calls.

use std::{collections::BTreeMap, future};

use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

use crate::{ErrorKind, ProviderError};

/// One way to fail. `after` counts the events given before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Opening fails at once.
    Refuse(ErrorKind),
    /// Opening never answers.
    Ignore,
    /// The stream fails.
    Break {
        /// Events before.
        after: usize,
        /// As what.
        kind: ErrorKind,
    },
    /// The stream stays open and says nothing more.
    Hang {
        /// Events before.
        after: usize,
    },
    /// The stream ends without its terminal event, as if the connection was cut.
    Vanish {
        /// Events before.
        after: usize,
    },
    /// The stream yields what its contract forbids, then ends.
    Garbage {
        /// Events before.
        after: usize,
    },
}

/// Which calls fail, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    always: Option<Fault>,
    calls: BTreeMap<u64, Fault>,
}

impl Faults {
    /// Every call fails so.
    pub fn always(fault: Fault) -> Self {
        Self { always: Some(fault), calls: BTreeMap::new() }
    }

    /// Call number `call`, from 1, fails so.
    #[must_use]
    pub fn on(mut self, call: u64, fault: Fault) -> Self {
        self.calls.insert(call, fault);
        self
    }

    pub(super) fn of(&self, call: u64) -> Option<Fault> {
        self.calls.get(&call).copied().or(self.always)
    }
}

/// Fails to open, if that is the fault.
pub(super) async fn open(provider: &'static str, fault: Option<Fault>) -> Result<(), ProviderError> {
    match fault {
        Some(Fault::Refuse(kind)) => Err(ProviderError::new(provider, kind, "scripted refusal")),
        Some(Fault::Ignore) => future::pending().await,
        Some(Fault::Break { .. } | Fault::Hang { .. } | Fault::Vanish { .. } | Fault::Garbage { .. }) | None => Ok(()),
    }
}

/// Lets the fault strike the stream.
pub(super) fn strike<T: Send + 'static>(
    provider: &'static str,
    fault: Option<Fault>,
    events: BoxStream<'static, Result<T, ProviderError>>,
    garbage: Vec<T>,
) -> BoxStream<'static, Result<T, ProviderError>> {
    match fault {
        None | Some(Fault::Refuse(_) | Fault::Ignore) => events,
        Some(Fault::Break { after, kind }) => {
            let error = ProviderError::new(provider, kind, "scripted failure");
            events.take(after).chain(stream::once(future::ready(Err(error)))).boxed()
        }
        Some(Fault::Hang { after }) => events.take(after).chain(stream::pending()).boxed(),
        Some(Fault::Vanish { after }) => events.take(after).boxed(),
        Some(Fault::Garbage { after }) => events.take(after).chain(stream::iter(garbage.into_iter().map(Ok))).boxed(),
    }
}
