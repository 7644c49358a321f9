//! A speech-to-speech model that hums what it says, word by word, and remembers what it was told.
//!
//! Unlike a vendor's, its conversations stand still while nobody reads their events.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use audio::{Clip, Frame, SampleRate};
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::sync::watch;

use super::{
    Calls, Fault, Faults, fault,
    llm::{Reply, Telling},
    pause,
    tts::{Tone, pitch, wave},
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    llm::{Message, Prompt, Thought, ThoughtStream},
    realtime::{Command, Event, EventStream, Manner, Opening, RealtimeCapabilities, Step},
};

const NAME: &str = "scripted/realtime";

/// What the model says, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct RealtimeScript {
    /// Time to open a conversation.
    pub open: Duration,
    /// Time from [`Command::Respond`] to the first word.
    pub first: Duration,
    /// Time between words.
    pub pace: Duration,
    /// How long a word sounds. Its sound comes right after it.
    pub word: Duration,
    /// Rate of the sound.
    pub rate: SampleRate,
    /// Replies 1, 2, … of all conversations together. [`Reply::Echo`] calls what it heard `scripted utterance N`.
    pub replies: Vec<Reply>,
    /// Every later reply.
    pub every: Reply,
    /// What it says it can do.
    pub capabilities: RealtimeCapabilities,
    /// Which conversations fail, and how; their events are counted.
    pub faults: Faults,
    /// Replies, counted as `replies`, that fail as this in the place of their first word; the conversation goes on.
    pub failing: BTreeMap<u64, ErrorKind>,
}

impl Default for RealtimeScript {
    fn default() -> Self {
        Self {
            open: Duration::ZERO,
            first: Duration::ZERO,
            pace: Duration::ZERO,
            word: Duration::from_millis(300),
            rate: SampleRate::HZ_24000,
            replies: Vec::new(),
            every: Reply::default(),
            capabilities: RealtimeCapabilities {
                tools: true,
                text: true,
                reconfigures: true,
                languages: Vec::new(),
                voices: vec!["tone".to_owned()],
            },
            faults: Faults::default(),
            failing: BTreeMap::new(),
        }
    }
}

/// What a conversation was told.
#[derive(Clone, PartialEq, Debug)]
pub struct Conversation {
    /// How it began.
    pub opening: Opening,
    /// What followed, in order; of a long conversation the first 10 000.
    pub commands: Vec<Command>,
    /// It is under way.
    pub live: bool,
}

/// A deterministic speech-to-speech model. Cheap to clone; clones share what they were told.
#[derive(Clone, Debug)]
pub struct RealtimeModel(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    script: RealtimeScript,
    calls: Calls,
    replies: Calls,
    conversations: Mutex<Vec<Conversation>>,
    kills: watch::Sender<Option<ErrorKind>>,
}

impl Default for RealtimeModel {
    fn default() -> Self {
        Self::new(RealtimeScript::default())
    }
}

impl RealtimeModel {
    /// Plays `script`.
    pub fn new(script: RealtimeScript) -> Self {
        Self(Arc::new(Shared {
            script,
            calls: Calls::default(),
            replies: Calls::default(),
            conversations: Mutex::default(),
            kills: watch::Sender::new(None),
        }))
    }

    /// Conversations asked for so far, refused ones included.
    pub fn calls(&self) -> u64 {
        self.0.calls.count()
    }

    /// The conversations that were opened, in order.
    pub fn conversations(&self) -> Vec<Conversation> {
        self.0.conversations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends every conversation under way with a failure of this kind.
    pub fn kill(&self, kind: ErrorKind) {
        self.0.kills.send_replace(Some(kind));
    }
}

impl crate::RealtimeModel for RealtimeModel {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.0.script.capabilities.clone()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        let fault = self.0.script.faults.of(self.0.calls.begin());
        let mut killed = self.0.kills.subscribe();
        async move {
            pause(self.0.script.open).await;
            fault::open(NAME, fault).await?;
            let held = Held::begin(self.0.clone(), opening);
            let talk = Talk { said: last_words(&held), held, utterances: 0, reply: None };
            let events = generate(|out| async move {
                tokio::select! { biased;
                    kind = dead(&mut killed) => Err(failure(kind, "scripted death")),
                    ended = talk.hold(commands, out) => ended,
                }
            });
            Ok(strike(fault, events))
        }
        .boxed()
    }
}

/// A conversation under way, in the book of all.
struct Held {
    shared: Arc<Shared>,
    number: usize,
    opening: Opening,
}

impl Held {
    fn begin(shared: Arc<Shared>, opening: Opening) -> Self {
        let mut all = shared.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        let number = all.len();
        all.push(Conversation { opening: opening.clone(), commands: Vec::new(), live: true });
        drop(all);
        Self { shared, number, opening }
    }

    fn note(&self, command: &Command) {
        let mut all = self.shared.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        let commands = &mut all[self.number].commands;
        if commands.len() < KEPT {
            commands.push(command.clone());
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.conversations.lock().unwrap_or_else(PoisonError::into_inner)[self.number].live = false;
    }
}

struct Talk {
    held: Held,
    /// What the person said last.
    said: String,
    utterances: u64,
    reply: Option<Speaking>,
}

/// A reply under way.
struct Speaking {
    number: u64,
    thoughts: ThoughtStream,
    hum: Option<Hum>,
}

impl Talk {
    async fn hold(
        mut self,
        mut commands: BoxStream<'static, Command>,
        out: Outlet<Event>,
    ) -> Result<(), ProviderError> {
        loop {
            let (reply, thought) = tokio::select! { biased;
                command = commands.next() => {
                    let Some(command) = command else { return Ok(()) };
                    self.held.note(&command);
                    if let Some(event) = self.obey(command) {
                        out.give(event).await;
                    }
                    continue;
                }
                thought = think(&mut self.reply) => thought,
            };
            let Some(thought) = thought else {
                self.reply = None;
                continue;
            };
            let sound = self.sound(&thought);
            if matches!(thought, Ok(Thought::Finished(_))) {
                self.reply = None;
            }
            out.give(Event { reply, step: thought.map_or_else(Step::Failed, Step::Thought) }).await;
            if let Some(clip) = sound {
                out.give(Event { reply, step: Step::Sound(clip) }).await;
            }
        }
    }

    fn obey(&mut self, command: Command) -> Option<Event> {
        match command {
            Command::Commit => {
                self.utterances += 1;
                self.said = format!("scripted utterance {}", self.utterances);
            }
            Command::Add(Message::User(text)) => self.said = text,
            Command::Cancel => self.reply = None,
            Command::Respond { reply, manner } => {
                if self.reply.is_some() {
                    let error = failure(ErrorKind::Rejected, "a reply is under way");
                    return Some(Event { reply, step: Step::Failed(error) });
                }
                self.reply = Some(self.begin(reply, &manner));
            }
            Command::Hear(_) | Command::Discard | Command::Add(_) | Command::Truncate(_) => {}
        }
        None
    }

    fn begin(&self, number: u64, manner: &Manner) -> Speaking {
        let script = &self.held.shared.script;
        let turn = self.held.shared.replies.begin();
        let hum = manner.voice.as_ref().map(|_| Hum::new(turn, script));
        if let Some(&kind) = script.failing.get(&turn) {
            let first = script.first;
            let fails = async move {
                pause(first).await;
                Err(failure(kind, "scripted failure of a reply"))
            };
            return Speaking { number, thoughts: stream::once(fails).boxed(), hum };
        }
        let prompt = Prompt {
            instructions: manner.instructions.clone(),
            messages: vec![Message::User(self.said.clone())],
            tools: manner.tools.clone(),
            tool_choice: manner.tool_choice.clone(),
            max_output_tokens: manner.max_output_tokens,
            ..Prompt::default()
        };
        let scripted = usize::try_from(turn - 1).ok().and_then(|index| script.replies.get(index));
        let reply = scripted.unwrap_or(&script.every).clone();
        let telling = Telling::new(reply, &prompt, turn, script.first, script.pace);
        Speaking { number, thoughts: generate(|out| telling.tell(out)), hum }
    }

    fn sound(&mut self, thought: &Result<Thought, ProviderError>) -> Option<Clip> {
        let hum = self.reply.as_mut()?.hum.as_mut()?;
        matches!(thought, Ok(Thought::Text(_))).then(|| hum.word())
    }
}

/// The next thought of the reply under way; none once it is over.
async fn think(reply: &mut Option<Speaking>) -> (u64, Option<Result<Thought, ProviderError>>) {
    match reply {
        Some(reply) => (reply.number, reply.thoughts.next().await),
        None => std::future::pending().await,
    }
}

struct Hum {
    tone: Tone,
    rate: SampleRate,
    samples: usize,
    wave: [i16; Tone::STEPS],
}

impl Hum {
    /// Each reply has its own pitch, that of the clause with this number less one.
    fn new(turn: u64, script: &RealtimeScript) -> Self {
        let tone = Tone::new(pitch(((turn - 1) % 8) as u32), script.rate);
        Self { tone, rate: script.rate, samples: script.rate.samples_in(script.word), wave: wave() }
    }

    fn word(&mut self) -> Clip {
        Clip::new(self.rate, self.tone.next(self.samples, &self.wave))
    }
}

fn last_words(held: &Held) -> String {
    let said = held.opening.history.iter().rev().find_map(|message| match message {
        Message::User(text) => Some(text.clone()),
        Message::System(_) | Message::Assistant(_) | Message::Call(_) | Message::Result { .. } => None,
    });
    said.unwrap_or_else(|| "nothing".to_owned())
}

/// Waits for the next kill.
async fn dead(killed: &mut watch::Receiver<Option<ErrorKind>>) -> ErrorKind {
    match killed.changed().await {
        Ok(()) => killed.borrow_and_update().unwrap_or(ErrorKind::Unavailable),
        // The model is gone; conversations outlive it.
        Err(_) => std::future::pending().await,
    }
}

/// Lets the fault strike. A conversation that hangs goes on taking commands, as a connection does for a while.
fn strike(fault: Option<Fault>, events: EventStream) -> EventStream {
    let Some(Fault::Hang { after }) = fault else { return fault::strike(NAME, fault, events, garbage()) };
    let mut given = 0;
    let heard = events.filter(move |_| {
        given += 1;
        std::future::ready(given <= after)
    });
    heard.boxed()
}

fn failure(kind: ErrorKind, detail: &str) -> ProviderError {
    ProviderError::new(NAME, kind, detail)
}

/// A step of a reply nobody asked for.
fn garbage() -> Vec<Event> {
    vec![Event { reply: u64::MAX, step: Step::Sound(Clip::new(Frame::RATE, vec![i16::MAX; 7])) }]
}

/// Commands remembered of a conversation: more than three minutes of frames.
const KEPT: usize = 10_000;

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio_stream::wrappers::ReceiverStream;

    use super::*;
    use crate::{RealtimeModel as _, llm::Finish, tts::Voice};

    fn manner() -> Manner {
        Manner {
            instructions: String::new(),
            aside: None,
            tools: Vec::new(),
            tool_choice: crate::llm::ToolChoice::Auto,
            voice: Some(Voice { name: "tone".into(), language: None, speed: 1.0 }),
            max_output_tokens: None,
        }
    }

    fn respond(reply: u64) -> Command {
        Command::Respond { reply, manner: Box::new(manner()) }
    }

    async fn open(model: &RealtimeModel) -> (mpsc::Sender<Command>, EventStream) {
        let (sender, commands) = mpsc::channel(64);
        let opening = Opening { model: None, manner: manner(), history: Vec::new() };
        let events = model.converse(opening, ReceiverStream::new(commands).boxed()).await.unwrap();
        (sender, events)
    }

    async fn reply(events: &mut EventStream) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = events.next().await {
            let event = event.unwrap();
            let over = matches!(event.step, Step::Thought(Thought::Finished(_)) | Step::Failed(_));
            all.push(event);
            if over {
                break;
            }
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn every_word_is_followed_by_its_sound_and_all_is_remembered() {
        let model = RealtimeModel::default();
        let (commands, mut events) = open(&model).await;
        for command in [Command::Hear(Frame::SILENCE), Command::Commit, respond(7)] {
            commands.send(command).await.unwrap();
        }
        let steps = reply(&mut events).await;
        assert!(steps.iter().all(|event| event.reply == 7));
        let words = "You said: scripted utterance 1".split_inclusive(' ');
        for (word, pair) in words.zip(steps.chunks(2)) {
            assert_eq!(pair[0].step, Step::Thought(Thought::Text(word.to_owned())));
            assert!(matches!(&pair[1].step, Step::Sound(clip) if clip.duration() == Duration::from_millis(300)));
        }
        assert_eq!(steps.last().unwrap().step, Step::Thought(Thought::Finished(Finish::Stop)));
        drop(commands);
        assert!(events.next().await.is_none());
        drop(events);
        let told = model.conversations();
        assert_eq!((told[0].commands.len(), told[0].live), (3, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_reply_is_silent_and_the_next_one_speaks() {
        let model = RealtimeModel::new(RealtimeScript { pace: Duration::from_secs(1), ..RealtimeScript::default() });
        let (commands, mut events) = open(&model).await;
        commands.send(respond(1)).await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap().reply, 1);
        for command in [Command::Cancel, respond(2)] {
            commands.send(command).await.unwrap();
        }
        let late: Vec<_> = reply(&mut events).await.iter().map(|event| event.reply).collect();
        assert!(late.iter().filter(|reply| **reply == 1).count() <= 2, "{late:?}");
        assert_eq!(late.last(), Some(&2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_reply_leaves_the_conversation_alive() {
        let failing = BTreeMap::from([(1, ErrorKind::RateLimited)]);
        let model = RealtimeModel::new(RealtimeScript { failing, ..RealtimeScript::default() });
        let (commands, mut events) = open(&model).await;
        commands.send(respond(1)).await.unwrap();
        let steps = reply(&mut events).await;
        assert!(
            matches!(&steps[..], [Event { step: Step::Failed(error), .. }] if error.kind == ErrorKind::RateLimited)
        );
        commands.send(respond(2)).await.unwrap();
        assert!(reply(&mut events).await.len() > 2);
    }

    #[tokio::test(start_paused = true)]
    async fn it_dies_stalls_and_is_killed_as_told() {
        let kind = ErrorKind::Unavailable;
        let faults = Faults::default().on(1, Fault::Break { after: 3, kind }).on(2, Fault::Hang { after: 3 });
        let model = RealtimeModel::new(RealtimeScript { faults, ..RealtimeScript::default() });
        for (expected, ends) in [(3, true), (3, false)] {
            let (commands, mut events) = open(&model).await;
            commands.send(respond(1)).await.unwrap();
            for _ in 0..expected {
                assert!(events.next().await.unwrap().is_ok());
            }
            let after = tokio::time::timeout(Duration::from_secs(3600), events.next()).await;
            assert_eq!(after.is_ok_and(|event| event.unwrap().is_err()), ends);
        }
        let (_commands, mut events) = open(&model).await;
        assert!(events.next().now_or_never().is_none());
        model.kill(ErrorKind::Timeout);
        assert_eq!(events.next().await.unwrap().unwrap_err().kind, ErrorKind::Timeout);
        let (_commands, mut later) = open(&model).await;
        assert!(later.next().now_or_never().is_none(), "a later conversation lives");
    }
}
