//! Who follows a conversation, and what they are told of it, whichever way a turn came.
//!
//! A conversation is remembered while somebody follows it or a reply is being made in it, and only in this process. Events
//! are few, for the words of a reply are not among them: whoever is told of a reply reads them from its progress. Overflow
//! rule: who falls behind loses the oldest and is told so; nobody holds up those who tell.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::Watched;
use crate::{
    realtime::ledger::Reader,
    store::{MessageId, SessionId, UserId, messages::Message},
};

/// All conversations that somebody follows, or in which a reply is being made. Cheap to clone; clones are the same hub.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<House>>);

#[derive(Default)]
struct House {
    rooms: BTreeMap<SessionId, Room>,
    /// How many conversations a user follows, one that is followed twice counted twice.
    seats: BTreeMap<UserId, usize>,
}

#[derive(Default)]
struct Room {
    /// Towards those who follow; none while nobody does.
    events: Option<broadcast::Sender<Event>>,
    followers: usize,
    making: Option<Making>,
}

/// A reply in the making.
struct Making {
    reply: Watched,
    /// What it answers, once that is known.
    to: Option<MessageId>,
    /// Whether followers are told of it.
    told: bool,
    /// Whether something was said meanwhile that waits for an answer.
    more: bool,
    cancelled: CancellationToken,
}

/// What happened in a conversation.
#[derive(Clone)]
pub(crate) enum Event {
    /// A message came, or changed: it says what it says now.
    Message(Arc<Message>),
    /// A reply is being made.
    Reply(Watched),
}

/// As many follow as may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Crowded {
    /// The conversation.
    #[error("this conversation is followed by {MOST_OF_SESSION} already")]
    Session,
    /// Conversations of the user, all together.
    #[error("you follow {MOST_OF_USER} conversations already")]
    User,
}

/// Followers of one conversation: tabs and devices of one person, and some that are not gone yet.
pub(crate) const MOST_OF_SESSION: usize = 16;
/// Followers of all conversations of one user.
pub(crate) const MOST_OF_USER: usize = 128;
/// Events that may wait for a follower. A conversation makes one or two a turn.
const WAITING: usize = 64;

impl Hub {
    /// Takes a seat in a conversation, which is `user`'s. All that happens from now on is heard there.
    pub(crate) fn follow(&self, user: UserId, session: SessionId) -> Result<Follower, Crowded> {
        let mut house = self.house();
        if house.rooms.get(&session).is_some_and(|room| room.followers >= MOST_OF_SESSION) {
            return Err(Crowded::Session);
        }
        let seats = house.seats.entry(user).or_default();
        if *seats >= MOST_OF_USER {
            return Err(Crowded::User);
        }
        *seats += 1;
        let room = house.rooms.entry(session).or_default();
        room.followers += 1;
        let events = room.events.get_or_insert_with(|| broadcast::channel(WAITING).0).subscribe();
        Ok(Follower { hub: self.clone(), user, session, events })
    }

    /// Tells those who follow its conversation of a message that is kept.
    pub fn tell(&self, message: &Message) {
        if let Some(events) = self.house().rooms.get(&message.session).and_then(|room| room.events.as_ref()) {
            // Whoever leaves just now misses nothing.
            let _ = events.send(Event::Message(Arc::new(message.clone())));
        }
    }

    /// Has the reply in the making end where it is. Whether there is one.
    pub(crate) fn cancel(&self, session: SessionId) -> bool {
        let house = self.house();
        let making = house.rooms.get(&session).and_then(|room| room.making.as_ref());
        making.inspect(|making| making.cancelled.cancel()).is_some()
    }

    /// Takes the place of the one reply that this process makes in a conversation, if it is free.
    pub(super) fn take(&self, session: SessionId, reply: &Watched) -> Option<Place> {
        let mut house = self.house();
        let room = house.rooms.entry(session).or_default();
        // A room that was made for this has nobody making in it, so none is left behind empty.
        room.making.is_none().then(|| room.begin(self, session, reply))
    }

    /// The same for a reply to this message: if the place is taken, another reply follows the one in the making, unless that
    /// is to this message.
    pub(super) fn take_or_follow(&self, session: SessionId, reply: &Watched, to: MessageId) -> Option<Place> {
        let mut house = self.house();
        let room = house.rooms.entry(session).or_default();
        match &mut room.making {
            None => Some(room.begin(self, session, reply)),
            Some(making) => {
                making.more |= making.to != Some(to);
                None
            }
        }
    }

    /// How many conversations are remembered.
    pub fn remembered(&self) -> usize {
        self.house().rooms.len()
    }

    /// Guarded for the length of a map operation, which cannot leave the maps half changed.
    fn house(&self) -> MutexGuard<'_, House> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for Hub {
    fn kept(&self, message: &Message) {
        self.tell(message);
    }
}

impl Room {
    fn begin(&mut self, hub: &Hub, session: SessionId, reply: &Watched) -> Place {
        let cancelled = CancellationToken::new();
        let making = Making { reply: reply.again(), to: None, told: false, more: false, cancelled: cancelled.clone() };
        self.making = Some(making);
        Place { hub: hub.clone(), session, reply: reply.id, cancelled }
    }
}

impl House {
    fn leave_if_empty(&mut self, session: SessionId) {
        if self.rooms.get(&session).is_some_and(|room| room.followers == 0 && room.making.is_none()) {
            self.rooms.remove(&session);
        }
    }
}

/// The place of a reply in the making; dropping it frees the place.
pub(super) struct Place {
    hub: Hub,
    session: SessionId,
    /// Whose place it is.
    pub(super) reply: MessageId,
    cancelled: CancellationToken,
}

impl Place {
    /// Tells those who follow that there will be words to this message, or, where that is not known, how it ends.
    pub(super) fn announce(&self, to: Option<MessageId>) {
        let mut house = self.hub.house();
        let Some(room) = house.rooms.get_mut(&self.session) else { return };
        let Some(making) = room.making.as_mut().filter(|making| making.reply.id == self.reply) else { return };
        if std::mem::replace(&mut making.told, true) {
            return;
        }
        making.to = to;
        if let Some(events) = &room.events {
            let _ = events.send(Event::Reply(making.reply.again()));
        }
    }

    /// Resolves once somebody wants the reply to end where it is.
    pub(super) fn cancelled(&self) -> impl Future<Output = ()> + Send + use<> {
        self.cancelled.clone().cancelled_owned()
    }

    /// Frees the place; or takes it for another reply, if something was said meanwhile that waits for one.
    pub(super) fn pass_on(self, next: &Watched) -> Option<Self> {
        let mut house = self.hub.house();
        let room = house.rooms.get_mut(&self.session)?;
        let more = room.making.as_ref().is_some_and(|making| making.reply.id == self.reply && making.more);
        more.then(|| room.begin(&self.hub, self.session, next))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut house = self.hub.house();
        let Some(room) = house.rooms.get_mut(&self.session) else { return };
        if room.making.as_ref().is_some_and(|making| making.reply.id == self.reply) {
            room.making = None;
        }
        house.leave_if_empty(self.session);
    }
}

/// A seat in a conversation; dropping it leaves.
pub(crate) struct Follower {
    hub: Hub,
    user: UserId,
    session: SessionId,
    events: broadcast::Receiver<Event>,
}

impl Follower {
    /// The reply in the making that followers were told of, from its beginning.
    pub(crate) fn making(&self) -> Option<Watched> {
        let house = self.hub.house();
        let making = house.rooms.get(&self.session)?.making.as_ref()?;
        making.told.then(|| making.reply.again())
    }

    /// What happens next; `None` where it fell behind, and something it does not know has happened.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        match self.events.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_)) => None,
            // There is a sender for as long as anybody follows.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut house = self.hub.house();
        if let Some(seats) = house.seats.get_mut(&self.user) {
            *seats -= 1;
            if *seats == 0 {
                house.seats.remove(&self.user);
            }
        }
        if let Some(room) = house.rooms.get_mut(&self.session) {
            room.followers -= 1;
            if room.followers == 0 {
                room.events = None;
            }
        }
        house.leave_if_empty(self.session);
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("remembered", &self.remembered()).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::{
        chat::progress::{self, Told},
        store::{
            Db,
            messages::{self, Post, Posted, Role},
            sessions, users,
        },
    };

    fn id<T: From<Uuid>>(n: u128) -> T {
        Uuid::from_u128(n).into()
    }

    fn reply(n: u128) -> (Told, Watched) {
        progress::begin(id(n))
    }

    #[tokio::test]
    async fn who_falls_behind_is_told_so_and_holds_nobody_up() {
        let (hub, message) = (Hub::default(), message().await);
        let mut slow = hub.follow(id(1), message.session).unwrap();
        let mut quick = hub.follow(id(1), message.session).unwrap();
        for _ in 0..=WAITING {
            hub.tell(&message);
            assert!(matches!(quick.next().await, Some(Event::Message(told)) if *told == message));
        }
        assert!(slow.next().await.is_none(), "something is lost to it");
        for _ in 0..WAITING {
            assert!(matches!(slow.next().await, Some(Event::Message(_))), "and the rest is not");
        }
        assert!(slow.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn nothing_is_remembered_of_a_conversation_that_nobody_follows_and_in_which_nothing_is_made() {
        let hub = Hub::default();
        let (one, two) = (hub.follow(id(1), id(7)).unwrap(), hub.follow(id(1), id(7)).unwrap());
        let place = hub.take(id(7), &reply(9).1).unwrap();
        drop((one, two));
        assert_eq!(hub.remembered(), 1, "a reply is being made");
        drop(place);
        assert_eq!(hub.remembered(), 0);
        assert!(hub.house().seats.is_empty());
    }

    #[test]
    fn one_reply_is_made_at_a_time_and_another_follows_for_what_was_said_meanwhile() {
        let hub = Hub::default();
        let (first, second, third) = (reply(1).1, reply(2).1, reply(3).1);
        let place = hub.take(id(7), &first).unwrap();
        assert!(hub.take(id(7), &second).is_none());
        place.announce(Some(id(5)));
        assert!(hub.take_or_follow(id(7), &second, id(5)).is_none());
        assert!(place.pass_on(&second).is_none(), "it is to that very message");

        let place = hub.take(id(7), &first).unwrap();
        assert!(hub.take_or_follow(id(7), &second, id(6)).is_none());
        let place = place.pass_on(&second).unwrap();
        assert!(hub.take(id(7), &third).is_none(), "the place is not free in between");
        assert!(place.pass_on(&third).is_none());
        assert_eq!(hub.remembered(), 0);
    }

    #[tokio::test]
    async fn who_comes_amid_a_reply_is_told_of_it_from_its_beginning_once_it_is_announced() {
        let hub = Hub::default();
        let (told, watched) = reply(1);
        let place = hub.take(id(7), &watched).unwrap();
        let mut before = hub.follow(id(1), id(7)).unwrap();
        assert!(before.making().is_none());
        place.announce(Some(id(5)));
        place.announce(Some(id(5)));
        assert!(matches!(before.next().now_or_never(), Some(Some(Event::Reply(reply))) if reply.id == watched.id));
        assert!(before.next().now_or_never().is_none(), "it is told of once");
        told.say("words");
        let mut making = hub.follow(id(1), id(7)).unwrap().making().unwrap();
        assert!(matches!(making.next().await, crate::chat::Stage::Words(words) if words == "words"));
    }

    #[tokio::test]
    async fn a_cancel_reaches_the_reply_in_the_making() {
        let hub = Hub::default();
        assert!(!hub.cancel(id(7)));
        let place = hub.take(id(7), &reply(1).1).unwrap();
        assert!(place.cancelled().now_or_never().is_none());
        assert!(hub.cancel(id(7)));
        place.cancelled().await;
        drop(place);
        assert!(!hub.cancel(id(7)));
        assert!(hub.take(id(7), &reply(2).1).unwrap().cancelled().now_or_never().is_none(), "the next is another");
    }

    #[test]
    fn seats_are_so_many_in_a_conversation_and_of_a_user() {
        let hub = Hub::default();
        let mut all: Vec<_> = (0..MOST_OF_SESSION).map(|_| hub.follow(id(1), id(7)).unwrap()).collect();
        assert_eq!(hub.follow(id(1), id(7)).err(), Some(Crowded::Session));
        all.extend((all.len()..MOST_OF_USER).map(|n| hub.follow(id(1), id(100 + n as u128)).unwrap()));
        assert_eq!(hub.follow(id(1), id(8)).err(), Some(Crowded::User));
        assert!(hub.follow(id(2), id(8)).is_ok());
        all.pop();
        assert!(hub.follow(id(1), id(8)).is_ok());
    }

    async fn message() -> Message {
        let (dir, at) = (tempfile::tempdir().unwrap(), Timestamp::UNIX_EPOCH);
        let db = Db::open(&dir.path().join("relay.db")).await.unwrap();
        let ann = users::owner(&db, at).await.unwrap().id;
        let session = sessions::create(&db, ann, SessionId::new(at), at).await.unwrap().id;
        let post = Post { role: Role::User, content: "hello", client_message: None, parent: None };
        let posted = messages::post(&db, ann, session, post, at).await.unwrap();
        let Posted::Kept(message) = posted else { panic!("{posted:?}") };
        *message
    }
}
