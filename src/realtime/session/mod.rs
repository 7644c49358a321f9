//! The pure centre: decides what happens in a conversation, and waits for nothing.
//!
//! [`Session::handle`] takes one [`Input`] with its time and appends [`Output`]s; [`Session::next_wake`] says when to call
//! again if nothing else happens first. There is no clock, no randomness, no socket and no serialisation in here, so a
//! session is a list of inputs and can be replayed. ARCHITECTURE.md names the invariants.
//!
//! A map. The microphone's machine is `turn` over a `span` of the stream, with `buffer` (what becomes an item), `endpoint`
//! (when a pause is an end), `overlap`, `doubt` and `backchannel` (sound over a reply), `utterance` and `hearing` (what was
//! said). The reply's machine is `response`, with `reply` (its state), `aside` (one beside the conversation), `stream` (how
//! it is written down), `ending` (how it stops), `plan`, `prompt` and `tools` (what the model is asked), `sentences`, `marks`
//! and `playout` (how it is spoken and what of it was heard); `native` is what differs where one model hears and speaks by
//! itself. `keypad` is the telephone's. `conversation` holds the items; `edit` and `update` are what
//! clients do to them and to the settings; `silence` speaks up.

mod aside;
mod backchannel;
mod buffer;
mod conversation;
mod doubt;
mod edit;
mod ending;
mod endpoint;
mod hearing;
pub mod ids;
pub mod input;
pub mod item;
mod keypad;
mod markers;
mod marks;
mod native;
pub mod output;
mod overlap;
mod plan;
mod playout;
mod prompt;
mod refusal;
mod reply;
mod response;
mod sentences;
pub mod settings;
mod silence;
mod span;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod tools;
mod turn;
mod update;
mod utterance;
mod wake;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use buffer::LEAST_COMMIT;
pub use conversation::Conversation;
pub use input::Input;
pub use output::Output;
pub use prompt::typed as typed_prompt;
pub use state::State;
pub use wake::Wake;

use self::{
    aside::Aside,
    ending::Tail,
    ids::Ids,
    input::{CloseReason, Command, Request, Voice},
    item::Item,
    keypad::Keypad,
    output::{Event, Record},
    playout::Playout,
    refusal::{Refusal, tell},
    reply::Reply,
    settings::{Mind, Player, Profile, Settings},
    silence::Silence,
    turn::{Owed, Turn},
    utterance::Utterance,
    wake::soonest,
};

/// One conversation with one listener.
#[derive(Debug)]
pub struct Session {
    profile: Profile,
    settings: Arc<Settings>,
    ids: Ids,
    life: Life,
    conversation: Conversation,

    /// The microphone.
    turn: Turn,
    /// End of what was heard of the stream, and when that came.
    position: Duration,
    /// How much of the next frame has come.
    begun: Duration,
    heard_at: Instant,
    last_voice: Voice,
    /// End of the audio that was committed, cleared or dropped: no later turn reaches back behind it.
    boundary: Duration,
    /// What was said and is not yet understood.
    utterances: Vec<Utterance>,
    owed: Owed,
    /// BCP 47 tag of what the person was last understood to speak.
    language: Option<String>,
    silence: Silence,
    keypad: Keypad,

    /// Who makes the next reply.
    mind: Mind,
    /// The response of the default conversation.
    active: Option<Box<Reply>>,
    /// Responses beside it.
    asides: Vec<Aside>,
    /// Finished responses that the listener still hears, oldest first.
    tails: Vec<Tail>,
    playout: Playout,
    /// Whether any speech ever went out: then the voice is locked.
    audible: bool,
}

/// Whether a session goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Open,
    Closed,
}

impl Session {
    /// Opens a session and greets the client.
    pub fn new(now: Instant, profile: Profile, out: &mut Vec<Output>) -> Self {
        let settings = Arc::clone(&profile.settings);
        tell(out, Event::SessionCreated(Arc::clone(&settings)));
        Self {
            ids: Ids::new(profile.seed),
            life: Life::Open,
            conversation: Conversation::default(),
            turn: Turn::Idle,
            position: Duration::ZERO,
            begun: Duration::ZERO,
            heard_at: now,
            last_voice: Voice::Quiet { since: Duration::ZERO },
            boundary: Duration::ZERO,
            utterances: Vec::new(),
            owed: Owed::Nothing,
            language: None,
            silence: Silence::Untimed,
            keypad: Keypad::Untouched,
            active: None,
            asides: Vec::new(),
            tails: Vec::new(),
            playout: Playout::new(now, profile.lead),
            audible: false,
            mind: profile.mind,
            settings,
            profile,
        }
    }

    /// Knows what was said before this session began. Clients are told nothing of it, and it is not recorded again.
    pub fn recall(&mut self, past: Vec<Item>) {
        for item in past {
            self.conversation.push(item);
        }
    }

    /// Feeds one thing that happened and appends everything to be done about it.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        if self.life == Life::Closed {
            return;
        }
        self.expire(now, out);
        match input {
            Input::Tick => {}
            Input::Heard(heard) => {
                self.begun = Duration::ZERO;
                self.heard(now, heard, out);
            }
            Input::Begun(length) => self.begun = length,
            Input::Lag(lag) => self.playout.lags(lag),
            Input::Pressed { key, at } => self.press(now, key, at, out),
            Input::Command(Command { event_id, request }) => {
                if let Err(refusal) = self.obey(now, request, out) {
                    refusal.tell(event_id, out);
                }
            }
            Input::Transcript { turn, event } => self.transcript(now, turn, event, out),
            Input::Advice { turn, pause, complete } => self.advised(now, turn, pause, complete, out),
            Input::Thought { response, event } => self.think(now, &response, event, out),
            Input::Spoken { response, event } => self.speak(now, &response, event, out),
            Input::Close(reason) => return self.close(now, reason, out),
        }
        self.settle(now, out);
    }

    /// When, and why, to call again if nothing else happens first. The time may have passed already.
    pub fn next_wake(&self) -> Option<(Instant, Wake)> {
        if self.life == Life::Closed {
            return None;
        }
        let speech = self.active.as_deref().and_then(|reply| next_release(reply, &self.playout));
        let beside = self.asides.iter().filter_map(|aside| next_release(&aside.reply, &aside.playout)).min();
        let drained = self.tails.first().and_then(|tail| self.playout.heard_at(tail.ends()));
        let weighing = match self.turn {
            Turn::Weighing { deadline, .. } => Some(deadline),
            Turn::Idle
            | Turn::Overlap { .. }
            | Turn::Speaking { .. }
            | Turn::Pausing { .. }
            | Turn::Gathering { .. } => None,
        };
        let transcript = self.utterances.iter().filter_map(Utterance::due).min();
        [
            (speech, Wake::Release),
            (beside, Wake::Release),
            (drained, Wake::Drained),
            (self.starves(), Wake::Starvation),
            (weighing, Wake::Weighing),
            (transcript, Wake::Transcript),
            (self.silence_ends(), Wake::Silence),
            (self.keys_end(), Wake::Keypad),
        ]
        .into_iter()
        .fold(None, |first, (at, why)| soonest(first, at.map(|at| (at, why))))
    }

    /// The effective settings.
    pub const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The conversation, as it was heard.
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    fn obey(&mut self, now: Instant, request: Request, out: &mut Vec<Output>) -> Result<(), Refusal> {
        match request {
            Request::Update(settings) => self.update(now, *settings, out),
            Request::Commit => self.commit(now, out),
            Request::Clear => {
                self.clear(now, out);
                Ok(())
            }
            Request::Create { item, place } => self.create(now, item, &place, out),
            Request::Retrieve(item) => self.retrieve(&item, out),
            Request::Truncate { item, content_index, audio_end } => {
                self.truncate(now, &item, content_index, audio_end, out)
            }
            Request::Delete(item) => self.delete(item, out),
            Request::Respond(request) => self.request(now, *request, out),
            Request::Cancel(id) => self.cancel(now, id.as_ref(), out),
            Request::ClearOutput => self.clear_output(now, out),
        }
    }

    /// Does what is due by now.
    fn expire(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.starves().is_some_and(|at| at <= now) {
            self.starve(now, out);
        }
        if matches!(self.turn, Turn::Weighing { deadline, .. } if deadline <= now)
            && let Turn::Weighing { span, until, .. } = std::mem::replace(&mut self.turn, Turn::Idle)
        {
            self.give_up_held(now, span, until, out);
        }
        self.give_up_transcripts(now, out);
        if self.keys_end().is_some_and(|at| at <= now) {
            self.say_keys(now, out);
        }
        self.drain(now, out);
        if self.silence_ends().is_some_and(|at| at <= now) && !self.is_replying() {
            self.break_silence(now, out);
        }
    }

    /// Does what follows from the state, whatever happened.
    fn settle(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.consult(now, out);
        self.pump(now, out);
        self.drain(now, out);
        self.promote(now, out);
        self.answer(now, out);
        self.time_silence(now);
        debug_assert!(!self.playout.is_held() || self.is_replying(), "nothing is held for good");
    }

    /// `output_audio_buffer.clear`.
    fn clear_output(&mut self, now: Instant, out: &mut Vec<Output>) -> Result<(), Refusal> {
        if self.profile.player == Player::Client {
            let message = "The output audio buffer can be cleared only where the server plays it.";
            return Err(Refusal::new("invalid_value", message).of("type"));
        }
        self.cut_tails(now, out);
        self.cut(now, output::CancelReason::ClientCancelled, out);
        Ok(())
    }

    fn close(&mut self, now: Instant, reason: CloseReason, out: &mut Vec<Output>) {
        self.end_responses(now, out);
        self.keep_keys(out);
        for utterance in std::mem::take(&mut self.utterances) {
            if utterance.is_pending() {
                self.conversation.understand(&utterance.item, utterance.stable());
                if let Some(item) = self.conversation.get(&utterance.item) {
                    let record = Record::Item { item: item.clone(), previous: self.conversation.previous(&item.id) };
                    out.push(Output::Record(Box::new(record)));
                }
            }
        }
        self.life = Life::Closed;
        out.push(Output::Close(reason));
    }
}

/// When more of a reply's speech may go out.
fn next_release(reply: &Reply, playout: &Playout) -> Option<Instant> {
    let open = reply.lines.iter().filter(|line| !line.is_closed());
    open.filter_map(|line| match &line.content {
        reply::Content::Speech { track, .. } => Some(track),
        reply::Content::Text(_) | reply::Content::Call { .. } => None,
    })
    .next()
    .and_then(|track| playout.next_release(track))
}
