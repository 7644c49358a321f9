//! Who is live: limits at the door, the list of sessions, and a way to end one.
//!
//! A [`Pass`] is a place taken; dropping it frees the place, whatever way its session ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::sync::SetOnce;
use uuid::Uuid;

use super::{
    session::input::CloseReason,
    sideband::{self, Arrivals, Seat, Seats},
    transport::sideband::OVER,
};
use crate::cost::{Prices, Spending, Tally};

/// The door. Cheap to clone; clones are the same door.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Door>, Arc<Prices>);

#[derive(Debug)]
struct Door {
    total: usize,
    per_principal: usize,
    /// Guarded for the length of a map operation, at a session's start and end only.
    live: Mutex<BTreeMap<Uuid, Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    live: Live,
    /// What it came by, if that is good for one session at a time.
    ticket: Option<Uuid>,
    /// Why it is to end, once somebody wants that.
    end: Arc<SetOnce<CloseReason>>,
    tally: Arc<Tally>,
    seats: Seats,
}

/// A session that wants a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entrant {
    /// What it is called, unless one that lives is called so.
    pub id: Uuid,
    /// The conversation it goes on with; `None`: it begins one.
    pub conversation: Option<Uuid>,
    /// What it comes by, if that is good for one session at a time: it takes the place of another that came by the same.
    pub ticket: Option<Uuid>,
    /// Whose it is.
    pub principal: Arc<str>,
    /// `ws`, `webrtc`, …
    pub transport: &'static str,
    /// When it begins.
    pub since: SystemTime,
}

/// A live session as its owner or an operator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Live {
    /// The session.
    pub id: Uuid,
    /// The conversation it goes on with; `None`: it begins one, which has the session's id.
    pub conversation: Option<Uuid>,
    /// Whose it is.
    pub principal: Arc<str>,
    /// `ws`, `webrtc`, …
    pub transport: &'static str,
    /// When it began.
    pub since: SystemTime,
}

impl Live {
    /// The session's name on the wire: `sess_…`.
    pub fn name(&self) -> String {
        name(self.id)
    }
}

/// What the session of this id is called on the wire.
pub fn name(id: Uuid) -> String {
    format!("sess_{}", id.simple())
}

/// Why a session may not begin. The caller answers 429.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The process serves as many as it may.
    #[error("the server is at its limit of {0} live sessions")]
    Full(usize),
    /// This principal has as many as it may.
    #[error("you are at your limit of {0} live sessions")]
    Greedy(usize),
}

/// Why nobody may control a live session beside its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoSeat {
    /// There is no such session, or it is somebody else's.
    #[error("no such call is running")]
    Nobody,
    /// It has as many controllers as it may.
    #[error("the call is at its limit of {0} second controllers")]
    Full(usize),
}

impl Admission {
    /// A door with these limits on live sessions, together and of one principal.
    pub fn new(total: usize, per_principal: usize) -> Self {
        Self(Arc::new(Door { total, per_principal, live: Mutex::new(BTreeMap::new()) }), Arc::default())
    }

    /// Counts what sessions spend by these prices.
    #[must_use]
    pub fn with_prices(self, prices: Prices) -> Self {
        Self(self.0, Arc::new(prices))
    }

    /// Takes a place for a session of `principal`.
    pub fn admit(
        &self,
        principal: impl Into<Arc<str>>,
        transport: &'static str,
        since: SystemTime,
    ) -> Result<Pass, Refused> {
        let (id, principal) = (Uuid::now_v7(), principal.into());
        self.admit_as(Entrant { id, conversation: None, ticket: None, principal, transport, since })
    }

    /// Takes a place for a session; one that came by the same ticket is asked to end.
    pub fn admit_as(&self, entrant: Entrant) -> Result<Pass, Refused> {
        let Entrant { id, conversation, ticket, principal, transport, since } = entrant;
        let mut live = self.0.lock();
        let replaced = |entry: &&Entry| ticket.is_some() && entry.ticket == ticket;
        let others = || live.values().filter(|entry| !replaced(entry));
        if others().count() >= self.0.total {
            return Err(Refused::Full(self.0.total));
        }
        if others().filter(|entry| entry.live.principal == principal).count() >= self.0.per_principal {
            return Err(Refused::Greedy(self.0.per_principal));
        }
        for entry in live.values().filter(replaced) {
            // Whoever was to end for another reason ends for that.
            let _ = entry.end.set(CloseReason::Replaced);
        }
        let (seats, arrivals) = sideband::seats();
        let id = if live.contains_key(&id) { Uuid::now_v7() } else { id };
        let entry = Entry {
            live: Live { id, conversation, principal, transport, since },
            ticket,
            end: Arc::default(),
            tally: Arc::new(Tally::new(Arc::clone(&self.1))),
            seats,
        };
        live.insert(entry.live.id, entry.clone());
        Ok(Pass { entry, arrivals: Some(arrivals), door: self.clone() })
    }

    /// All live sessions, oldest first.
    pub fn list(&self) -> Vec<Live> {
        self.0.lock().values().map(|entry| entry.live.clone()).collect()
    }

    /// What a live session has spent so far; `None` before it spent anything, or if there is no such session.
    pub fn spending(&self, id: Uuid) -> Option<Spending> {
        let tally = self.0.lock().get(&id).map(|entry| Arc::clone(&entry.tally));
        tally?.spending()
    }

    /// A seat for a second controller of a live session, if it is of those that `theirs` approves of.
    pub fn seat(&self, id: Uuid, theirs: impl FnOnce(&Live) -> bool) -> Result<Seat, NoSeat> {
        let entry = self.0.lock().get(&id).cloned();
        let entry = entry.filter(|entry| theirs(&entry.live)).ok_or(NoSeat::Nobody)?;
        entry.seats.take().ok_or(NoSeat::Full(sideband::MOST))
    }

    /// Asks a live session to end. Returns whether there is such a session.
    pub fn kick(&self, id: Uuid) -> bool {
        let end = self.0.lock().get(&id).map(|entry| Arc::clone(&entry.end));
        // Whoever was to end before is asked no more.
        end.inspect(|end| drop(end.set(CloseReason::Kicked))).is_some()
    }
}

impl Door {
    /// A map operation that panicked cannot have left the map half changed.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Entry>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place taken at the door; dropping it frees the place.
#[derive(Debug)]
pub struct Pass {
    entry: Entry,
    /// Where second controllers arrive, until somebody runs the session.
    arrivals: Option<Arrivals>,
    door: Admission,
}

impl Pass {
    /// The session that took it.
    pub const fn live(&self) -> &Live {
        &self.entry.live
    }

    /// What it spends.
    pub const fn tally(&self) -> &Arc<Tally> {
        &self.entry.tally
    }

    /// Where second controllers arrive, for whoever runs the session.
    pub(crate) fn arrivals(&mut self) -> Option<Arrivals> {
        self.arrivals.take()
    }

    /// Resolves once somebody wants the session to end, to why.
    pub fn ended(&self) -> impl Future<Output = CloseReason> + Send + 'static {
        let end = Arc::clone(&self.entry.end);
        async move { *end.wait().await }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.door.0.lock().remove(&self.entry.live.id);
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.close(OVER);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn door() -> Admission {
        Admission::new(3, 2)
    }

    fn admit(door: &Admission, principal: &str) -> Result<Pass, Refused> {
        door.admit(principal, "ws", SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_place_is_free_again_once_its_pass_is_dropped() {
        let door = door();
        let first = admit(&door, "ann").unwrap();
        let _second = admit(&door, "ann").unwrap();
        assert_eq!(admit(&door, "ann").unwrap_err(), Refused::Greedy(2));
        let _other = admit(&door, "bob").unwrap();
        assert_eq!(admit(&door, "eve").unwrap_err(), Refused::Full(3));
        drop(first);
        assert!(admit(&door, "ann").is_ok());
    }

    #[test]
    fn a_session_has_a_few_seats_for_those_who_may_take_them() {
        let door = door();
        let pass = admit(&door, "ann").unwrap();
        let id = pass.live().id;
        let seat = || door.seat(id, |live| &*live.principal == "ann");
        let mut taken: Vec<_> = (0..sideband::MOST).map(|_| seat().unwrap()).collect();
        assert_eq!(seat().unwrap_err(), NoSeat::Full(sideband::MOST));
        taken.pop();
        assert!(seat().is_ok());
        assert_eq!(door.seat(id, |live| &*live.principal == "bob").unwrap_err(), NoSeat::Nobody);
        drop(pass);
        assert_eq!(seat().unwrap_err(), NoSeat::Nobody);
    }

    #[tokio::test]
    async fn a_kick_reaches_the_session_it_names_and_no_other() {
        let door = door();
        let ann = admit(&door, "ann").unwrap();
        let bob = admit(&door, "bob").unwrap();
        assert!(door.kick(ann.live().id));
        assert_eq!(ann.ended().await, CloseReason::Kicked);
        assert!(bob.ended().now_or_never().is_none());
        assert!(!door.kick(Uuid::nil()));
        assert_eq!(door.list().len(), 2);
    }

    #[test]
    fn who_comes_by_a_ticket_takes_the_place_of_whoever_came_by_it_before() {
        let door = door();
        let with = |ticket: u128| {
            let (id, since) = (Uuid::now_v7(), SystemTime::UNIX_EPOCH);
            let (ticket, principal) = (Some(Uuid::from_u128(ticket)), "ann".into());
            door.admit_as(Entrant { id, conversation: None, ticket, principal, transport: "ws", since })
        };
        let (first, other) = (with(1).unwrap(), with(2).unwrap());
        assert_eq!(with(3).unwrap_err(), Refused::Greedy(2));
        let again = with(1).unwrap();
        assert_eq!(first.ended().now_or_never(), Some(CloseReason::Replaced));
        assert_eq!((again.ended().now_or_never(), other.ended().now_or_never()), (None, None));
        drop(first);
        assert!(door.list().iter().any(|live| live.id == again.live().id));
    }
}
