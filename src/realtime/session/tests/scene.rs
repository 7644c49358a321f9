//! A stage for stories: a session, a virtual clock advanced wake by wake, and a client that checks every invariant.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use providers::{
    ErrorKind, ProviderError,
    llm::{Finish, Prompt, Thought, ToolChoice},
    stt::{FinalTranscript, Transcript},
    tts::Speech,
};

use super::{
    super::{
        Input, Output, Session, Wake,
        ids::{ItemId, ResponseId, TurnId},
        input::{Command, Heard, Request, ResponseRequest, Spoken, Voice},
        item::{Body, Item, ItemStatus, Part, Role},
        output::{Ask, ClientError, Event, Record, ResponseView, Transcribe},
        settings::{
            Endpointing, Format, InputSettings, Kind, Mind, Modality, OutputSettings, Player, Profile, Settings,
            Transcription, TurnDetection,
        },
    },
    client::Client,
};

pub(super) const fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The settings of most stories: `server_vad` with a silence of 500 ms, transcripts on.
pub(super) fn settings() -> Settings {
    Settings {
        kind: Kind::Conversation,
        model: "relay".into(),
        modality: Modality::Audio,
        instructions: "Be brief.".into(),
        input: InputSettings {
            format: Format::Pcm,
            noise_reduction: None,
            transcription: Some(Transcription { model: None, language: None, prompt: None, echoed: vec![] }),
            turn_detection: Some(TurnDetection {
                policy: Endpointing::Silence {
                    threshold: 0.5,
                    prefix_padding: millis(300),
                    silence: millis(500),
                    idle_timeout: None,
                },
                create_response: true,
                interrupt_response: true,
            }),
        },
        output: OutputSettings { format: Format::Pcm, voice: "alloy".into(), speed: 1.0 },
        tools: vec![],
        foreign_tools: vec![],
        tool_choice: ToolChoice::Auto,
        max_output_tokens: None,
        temperature: None,
        echoed: vec![],
    }
}

pub(super) fn profile(settings: Settings) -> Profile {
    Profile {
        player: Player::Client,
        lead: millis(2000),
        overlap: millis(160),
        backchannel: millis(800),
        resume_within: millis(2000),
        advice_after: millis(200),
        advice_fallback: millis(700),
        advice: true,
        starvation: millis(1500),
        longest_turn: Duration::from_secs(600),
        seed: 7,
        mind: Mind::Cascade,
        settings: Arc::new(settings),
    }
}

#[expect(clippy::disallowed_methods, reason = "any instant will do as the clock's origin")]
pub(super) fn origin() -> Instant {
    Instant::now()
}

pub(super) struct Scene {
    pub(super) session: Session,
    pub(super) client: Client,
    pub(super) start: Instant,
    pub(super) now: Instant,
    /// Everything that came out, with its time since the start.
    pub(super) log: Vec<(Duration, Output)>,
    position: Duration,
    voice: Voice,
    seen: usize,
    inputs: Vec<(Instant, Input)>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub(super) fn with(tune: impl FnOnce(&mut Settings), adjust: impl FnOnce(&mut Profile)) -> Self {
        let mut settings = settings();
        tune(&mut settings);
        let mut profile = profile(settings);
        adjust(&mut profile);
        Self::of(profile)
    }

    pub(super) fn of(profile: Profile) -> Self {
        let now = origin();
        let mut out = Vec::new();
        let client = Client::new(now, &profile);
        let session = Session::new(now, profile, &mut out);
        let log = out.into_iter().map(|output| (Duration::ZERO, output)).collect();
        let voice = Voice::Quiet { since: Duration::ZERO };
        Self { session, client, start: now, now, log, position: Duration::ZERO, voice, seen: 0, inputs: vec![] }
    }

    /// A person asked something and the assistant is answering: 3 s of speech made, two sentences.
    pub(super) fn mid_reply() -> Self {
        Self::mid_reply_with(|_| {}, |_| {})
    }

    pub(super) fn mid_reply_with(tune: impl FnOnce(&mut Settings), adjust: impl FnOnce(&mut Profile)) -> Self {
        let mut scene = Self::with(tune, adjust);
        scene.asks("what is the weather");
        scene.says("It is fine today. The sun will shine until the evening. ");
        scene.finishes(Finish::Stop);
        scene.sounds(0, 1000);
        scene.sounds(1, 2000);
        scene.voice_ends();
        scene
    }

    /// Feeds one input at the present time.
    pub(super) fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.client.before(&input);
        self.session.handle(self.now, input.clone(), &mut out);
        self.client.after(self.now, &input, &out, &self.session);
        let at = self.now - self.start;
        self.log.extend(out.into_iter().map(|output| (at, output)));
        self.inputs.push((self.now, input));
    }

    /// Lets time pass, wake by wake.
    pub(super) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some((at, why)) = self.session.next_wake()
            && at <= end
        {
            self.now = self.now.max(at);
            self.feed(Input::Tick);
            let next = self.session.next_wake();
            assert!(next.is_none_or(|(next, _)| next > at), "{why:?} at {at:?} came to nothing: {next:?}");
        }
        self.now = end;
    }

    fn frame(&mut self, voice: Voice) {
        self.run_for(millis(20));
        self.position += millis(20);
        self.voice = voice;
        self.feed(Input::Heard(Heard { end: self.position, voice }));
    }

    /// The person speaks for so long.
    pub(super) fn speaks(&mut self, ms: u64) {
        self.sounds_for(ms, true);
    }

    /// The person hums, coughs, or says "uh-huh" for so long.
    pub(super) fn hums(&mut self, ms: u64) {
        self.sounds_for(ms, false);
    }

    fn sounds_for(&mut self, ms: u64, varied: bool) {
        let since = match self.voice {
            Voice::Speech { since, .. } => since,
            Voice::Quiet { .. } => self.position,
        };
        for _ in 0..ms / 20 {
            let last = self.position + millis(20);
            self.frame(Voice::Speech { since, last, varied });
        }
    }

    /// The detector still waits for the voice to come back, for so long.
    pub(super) fn lingers(&mut self, ms: u64) {
        let voice = self.voice;
        for _ in 0..ms / 20 {
            self.frame(voice);
        }
    }

    /// The person is quiet for so long.
    pub(super) fn quiet(&mut self, ms: u64) {
        let since = match self.voice {
            Voice::Quiet { since } => since,
            Voice::Speech { .. } => self.position,
        };
        for _ in 0..ms / 20 {
            self.frame(Voice::Quiet { since });
        }
    }

    /// A whole question and its transcript.
    pub(super) fn asks(&mut self, words: &str) {
        self.speaks(1000);
        self.quiet(500);
        self.understood(words);
    }

    pub(super) fn turn(&self) -> TurnId {
        let mut started = self.outputs().rev().filter_map(|output| match output {
            Output::Transcribe(Transcribe::Start { turn, .. } | Transcribe::Clip { turn, .. }) => Some(*turn),
            _ => None,
        });
        started.next().expect("no turn yet")
    }

    pub(super) fn response(&self) -> ResponseId {
        self.client.order.last().expect("no response yet").clone()
    }

    pub(super) fn understood(&mut self, words: &str) {
        self.understood_of(self.turn(), words);
    }

    pub(super) fn understood_of(&mut self, turn: TurnId, words: &str) {
        let text = FinalTranscript { text: words.into(), duration: millis(1000), ..FinalTranscript::default() };
        self.feed(Input::Transcript { turn, event: Ok(Transcript::Final(text)) });
    }

    pub(super) fn partly(&mut self, stable: &str, tentative: &str) {
        let event = Ok(Transcript::Partial { stable: stable.into(), tentative: tentative.into() });
        self.feed(Input::Transcript { turn: self.turn(), event });
    }

    pub(super) fn thinks(&mut self, thought: Thought) {
        self.feed(Input::Thought { response: self.response(), event: Ok(thought) });
    }

    pub(super) fn says(&mut self, text: &str) {
        self.thinks(Thought::Text(text.into()));
    }

    pub(super) fn finishes(&mut self, finish: Finish) {
        self.thinks(Thought::Finished(finish));
    }

    pub(super) fn calls(&mut self, call: &str, name: &str, arguments: &str) {
        self.thinks(Thought::CallStarted { call: call.into(), name: name.into() });
        self.thinks(Thought::CallArguments(arguments.into()));
        self.thinks(Thought::CallDone);
    }

    /// A clause has been voiced.
    pub(super) fn sounds(&mut self, clause: u32, ms: u64) {
        let response = self.response();
        self.feed(Input::Spoken { response: response.clone(), event: Spoken::Audio { clause, length: millis(ms) } });
        self.feed(Input::Spoken { response, event: Spoken::Mark(Speech::ClauseDone { clause }) });
    }

    pub(super) fn voice_ends(&mut self) {
        self.feed(Input::Spoken { response: self.response(), event: Spoken::Finished });
    }

    /// A whole spoken reply.
    pub(super) fn replies(&mut self, text: &str, ms: u64) {
        self.says(text);
        self.finishes(Finish::Stop);
        self.sounds(0, ms);
        self.voice_ends();
    }

    pub(super) fn asks_for(&mut self, request: Request) {
        self.feed(Input::Command(Command { event_id: Some("mine".into()), request }));
    }

    pub(super) fn responds(&mut self, request: ResponseRequest) {
        self.asks_for(Request::Respond(Box::new(request)));
    }

    pub(super) fn types(&mut self, words: &str) {
        let body = Body::Message { role: Role::User, parts: vec![Part::InputText(words.into())] };
        self.creates(body);
    }

    pub(super) fn creates(&mut self, body: Body) {
        let item =
            Item { id: ItemId::new(""), status: ItemStatus::Completed, body, citations: Vec::new(), acts: Vec::new() };
        self.asks_for(Request::Create { item, place: super::super::input::Place::End });
    }

    pub(super) fn updates(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::clone(self.session.settings());
        change(&mut settings);
        self.asks_for(Request::Update(Box::new(settings)));
    }

    pub(super) fn outputs(&self) -> impl DoubleEndedIterator<Item = &Output> {
        self.log.iter().map(|(_, output)| output)
    }

    /// The names of what came out since the last look.
    pub(super) fn news(&mut self) -> Vec<&'static str> {
        let news =
            self.log[self.seen..].iter().map(|(_, output)| name(output)).filter(|name| !name.is_empty()).collect();
        self.seen = self.log.len();
        news
    }

    pub(super) fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.outputs().filter_map(|output| match output {
            Output::Notify(event) => Some(&**event),
            _ => None,
        })
    }

    pub(super) fn count(&self, wanted: &str) -> usize {
        self.outputs().filter(|output| name(output) == wanted).count()
    }

    /// When something last came out, since the start.
    pub(super) fn when(&self, wanted: &str) -> Duration {
        self.log.iter().rev().find(|(_, output)| name(output) == wanted).expect(wanted).0
    }

    pub(super) fn error(&self) -> &ClientError {
        let mut errors = self.events().rev().filter_map(|event| match event {
            Event::Error(error) => Some(error),
            _ => None,
        });
        errors.next().expect("no error")
    }

    pub(super) fn done(&self) -> &ResponseView {
        let mut done = self.events().rev().filter_map(|event| match event {
            Event::ResponseDone(view) => Some(&**view),
            _ => None,
        });
        done.next().expect("no response done")
    }

    pub(super) fn prompt(&self) -> &Prompt {
        let mut asked = self.outputs().rev().filter_map(|output| match output {
            Output::Infer { prompt, .. } => Some(&**prompt),
            _ => None,
        });
        asked.next().expect("the model was not asked")
    }

    /// What the speech-to-speech model was last asked.
    pub(super) fn asked(&self) -> &Ask {
        let mut asked = self.outputs().rev().filter_map(|output| match output {
            Output::Converse { ask, .. } => Some(&**ask),
            _ => None,
        });
        asked.next().expect("the model was not asked")
    }

    /// The speech-to-speech model gives sound.
    pub(super) fn utters(&mut self, message: u32, ms: u64) {
        let event = Spoken::Audio { clause: message, length: millis(ms) };
        self.feed(Input::Spoken { response: self.response(), event });
    }

    /// The last item of the last reply.
    pub(super) fn said(&self) -> ItemId {
        self.client.responses[&self.response()].lines.last().expect("no item").item.clone()
    }

    /// What history has of an item.
    pub(super) fn history(&self, id: &ItemId) -> &Item {
        let mut kept = self.outputs().rev().filter_map(|output| match output {
            Output::Record(record) => match &**record {
                Record::Item { item, .. } if item.id == *id => Some(item),
                Record::Item { .. } | Record::Deleted(_) => None,
            },
            _ => None,
        });
        kept.next().expect("not recorded")
    }

    pub(super) fn wake(&self) -> Option<Wake> {
        self.session.next_wake().map(|(_, why)| why)
    }

    pub(super) const fn position(&self) -> Duration {
        self.position
    }

    /// The session fed again with the same inputs.
    pub(super) fn replay(&self, profile: Profile) -> Vec<Output> {
        let mut out = Vec::new();
        let mut session = Session::new(self.start, profile, &mut out);
        for (now, input) in &self.inputs {
            session.handle(*now, input.clone(), &mut out);
        }
        out
    }
}

pub(super) fn text(item: &Item) -> String {
    let Body::Message { parts, .. } = &item.body else { return String::new() };
    parts.iter().filter_map(super::super::conversation::words).collect()
}

pub(super) fn broken(kind: ErrorKind) -> ProviderError {
    ProviderError::new("test", kind, "on purpose")
}

/// What an output is called on the wire, or in here; empty for what only observers see.
pub(super) fn name(output: &Output) -> &'static str {
    match output {
        Output::Transcribe(Transcribe::Start { .. }) => "start",
        Output::Transcribe(Transcribe::Finish { .. }) => "finish",
        Output::Transcribe(Transcribe::Abandon { .. }) => "abandon",
        Output::Transcribe(Transcribe::Clip { .. }) => "clip",
        Output::Advise { .. } => "advise",
        Output::Infer { .. } => "infer",
        Output::Converse { .. } => "converse",
        Output::Synthesize { .. } => "synthesize",
        Output::SynthesizeEnd { .. } => "synthesize_end",
        Output::Cancel(_) => "cancel",
        Output::Release { .. } => "audio.delta",
        Output::Flush(_) => "flush",
        Output::Pause => "pause",
        Output::Resume => "resume",
        Output::Expect | Output::Record(_) | Output::Measure(_) => "",
        Output::Close(_) => "close",
        Output::Notify(event) => match &**event {
            Event::SessionCreated(_) => "session.created",
            Event::SessionUpdated(_) => "session.updated",
            Event::SpeechStarted { .. } => "speech_started",
            Event::SpeechStopped { .. } => "speech_stopped",
            Event::Committed { .. } => "committed",
            Event::Cleared => "cleared",
            Event::IdleTimeout { .. } => "timeout_triggered",
            Event::KeyPressed { .. } => "key.pressed",
            Event::ItemAdded { .. } => "item.added",
            Event::ItemDone { .. } => "item.done",
            Event::ItemRetrieved(_) => "item.retrieved",
            Event::ItemTruncated { .. } => "item.truncated",
            Event::ItemDeleted(_) => "item.deleted",
            Event::TranscriptionDelta { .. } => "transcription.delta",
            Event::TranscriptionCompleted { .. } => "transcription.completed",
            Event::TranscriptionFailed { .. } => "transcription.failed",
            Event::ResponseCreated(_) => "response.created",
            Event::OutputItemAdded { .. } => "output_item.added",
            Event::OutputItemDone { .. } => "output_item.done",
            Event::PartAdded(_) => "part.added",
            Event::PartDone { .. } => "part.done",
            Event::TextDelta { .. } => "text.delta",
            Event::TextDone { .. } => "text.done",
            Event::AudioDone(_) => "audio.done",
            Event::ArgumentsDelta { .. } => "arguments.delta",
            Event::ArgumentsDone { .. } => "arguments.done",
            Event::ResponseDone(_) => "response.done",
            Event::PlaybackStarted(_) => "playback.started",
            Event::PlaybackStopped(_) => "playback.stopped",
            Event::PlaybackCleared(_) => "playback.cleared",
            Event::Error(_) => "error",
        },
    }
}
