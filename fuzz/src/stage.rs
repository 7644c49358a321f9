//! A session on a virtual clock, and around it a world that does what it asks: hears, understands, thinks and speaks.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use audio::{Decoder, Encoding, Frame, vad::Engine};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use providers::{
    ErrorKind, ProviderError,
    llm::{Finish, Thought},
    stt::{FinalTranscript, Transcript},
    tts::Speech,
};

use crate::{
    listener::Listener,
    realtime::{
        egress::Egress,
        ingest::{Hearing, Ingest},
        protocol::{ClientEvent, Dialect, Encoder, Query, decode, settings},
        session::{
            Input, LEAST_COMMIT, Output, Session,
            ids::{ResponseId, TurnId},
            input::{CloseReason, Command, Heard, Request, Spoken, Voice},
            output::{ClientError, Event, PartRef, Transcribe},
            settings::{Format, Mind, Modality, Player, Profile},
        },
    },
};

/// Most audio and most time of one run: what is played longer costs runs and finds nothing new.
const LONGEST: Duration = Duration::from_secs(120);
const OVERLAP: Duration = Duration::from_millis(160);

/// One session and its world.
pub struct Stage {
    now: Instant,
    end: Instant,
    session: Session,
    ingest: Ingest,
    /// How much of the stream did not pass through `ingest`, and the last verdict on it.
    skipped: Duration,
    voice: Voice,
    egress: Egress,
    encoder: Encoder,
    /// What the client speaks. It is told in the shape that `listener` knows; in the other one, only the shape is checked.
    dialect: Dialect,
    other: Encoder,
    listener: Listener,
    scratch: Vec<u8>,
    out: Vec<Output>,
    /// What the session waits for, oldest first.
    turns: VecDeque<TurnId>,
    pauses: VecDeque<(TurnId, Duration)>,
    thinking: VecDeque<ResponseId>,
    clauses: VecDeque<(ResponseId, u32)>,
    ending: VecDeque<ResponseId>,
}

impl Stage {
    /// A session that has just begun, of a kind by `choice`.
    pub fn new(choice: u8) -> Self {
        let query = if choice & 1 == 0 {
            Query::Conversation { model: Some("m".to_owned()) }
        } else {
            Query::Transcription { model: None }
        };
        let settings = settings::initial(&query, None, &settings::Defaults::default()).expect("the defaults are valid");
        let hearing = Hearing { advice: choice & 2 == 0, detector: Engine::Energy };
        let ingest = Ingest::new(&settings.input, hearing);
        let profile = Profile {
            player: if choice & 4 == 0 { Player::Client } else { Player::Relay },
            lead: Duration::from_millis(if choice & 4 == 0 { 10_000 } else { 60 }),
            overlap: OVERLAP,
            backchannel: Duration::from_millis(800),
            resume_within: Duration::from_secs(2),
            advice_after: Duration::from_millis(200),
            advice_fallback: Duration::from_millis(700),
            advice: choice & 2 == 0,
            starvation: Duration::from_millis(1500),
            longest_turn: Duration::from_secs(600),
            seed: 7,
            mind: if choice & 8 == 0 { Mind::Cascade } else { Mind::Native { text: choice & 16 == 0 } },
            settings: Arc::new(settings),
        };
        let (now, mut out) = (Instant::now(), Vec::new());
        let session = Session::new(now, profile, &mut out);
        let mut stage = Self {
            now,
            end: now + LONGEST,
            session,
            ingest,
            skipped: Duration::ZERO,
            voice: Voice::Quiet { since: Duration::ZERO },
            egress: Egress::default(),
            encoder: Encoder::new("sess_1", 0),
            dialect: if choice & 64 == 0 { Dialect::Ga } else { Dialect::Beta },
            other: Encoder::new("sess_1", 0).in_dialect(Dialect::Beta),
            listener: Listener::default(),
            scratch: Vec::new(),
            out,
            turns: VecDeque::new(),
            pauses: VecDeque::new(),
            thinking: VecDeque::new(),
            clauses: VecDeque::new(),
            ending: VecDeque::new(),
        };
        stage.obey();
        stage
    }

    /// The client sends a message. A command is answered at once, by an event of its own or by an error that names it;
    /// only what clears the loudspeaker has nothing to say when that is silent.
    pub fn says(&mut self, text: &str) {
        self.listener.expects(text);
        let mut scratch = std::mem::take(&mut self.scratch);
        match decode(text, self.dialect, self.session.settings(), &mut scratch) {
            Ok(ClientEvent::Append { audio, .. }) => {
                for slice in audio.chunks(self.ingest.slice()) {
                    self.ingest.take(slice);
                    self.listen();
                }
            }
            Ok(ClientEvent::Command(command)) => {
                let (told, silent) = (self.listener.told(), command.request == Request::ClearOutput);
                self.command(command);
                assert!(self.listener.told() > told || silent, "no answer to {text:?}");
            }
            Err(error) => self.refuse(error),
        }
        self.scratch = scratch;
        self.listener.stops_expecting();
    }

    /// The microphone gives frames of speech or quiet in real time, as a detector would judge them.
    pub fn sounds(&mut self, speech: bool, frames: u8) {
        for _ in 0..frames {
            if self.end <= self.now {
                return;
            }
            self.waits(20);
            let onset = self.ingest.position() + self.skipped;
            self.skipped += Frame::DURATION;
            let end = onset + Frame::DURATION;
            self.voice = match (speech, self.voice) {
                // Even at first, as every sound is, and varied from the fifth frame on.
                (true, Voice::Quiet { .. }) => Voice::Speech { since: onset, last: end, varied: false },
                (true, Voice::Speech { since, .. }) => {
                    Voice::Speech { since, last: end, varied: end - since > 4 * Frame::DURATION }
                }
                (false, Voice::Speech { .. }) => Voice::Quiet { since: onset },
                (false, quiet) => quiet,
            };
            self.feed(Input::Heard(Heard { end, voice: self.voice }));
        }
    }

    /// Time passes, wake by wake.
    pub fn waits(&mut self, ms: u64) {
        let until = (self.now + Duration::from_millis(ms)).min(self.end.max(self.now));
        while let Some((at, why)) = self.session.next_wake().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.feed(Input::Tick);
            let next = self.session.next_wake();
            assert!(next.is_none_or(|(next, _)| next > at), "{why:?} came to nothing: {next:?}");
        }
        self.now = until;
    }

    /// The oldest utterance is understood, so far or for good; or it is not.
    pub fn understands(&mut self, heard: Understood<'_>) {
        let Some(turn) = self.turns.front().copied() else { return };
        let event = match heard {
            Understood::Partly(text) => {
                let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
                let (stable, tentative) = text.split_at(half);
                Ok(Transcript::Partial { stable: stable.to_owned(), tentative: tentative.to_owned() })
            }
            Understood::Wholly(text) => {
                Ok(Transcript::Final(FinalTranscript { text: text.to_owned(), ..FinalTranscript::default() }))
            }
            Understood::Not => Err(broken()),
        };
        if !matches!(heard, Understood::Partly(_)) {
            self.turns.pop_front();
        }
        self.feed(Input::Transcript { turn, event });
    }

    /// The oldest pause is judged.
    pub fn advises(&mut self, percent: u8) {
        let Some((turn, pause)) = self.pauses.pop_front() else { return };
        let complete = if percent > 100 { Err(broken()) } else { Ok(f32::from(percent) / 100.0) };
        self.feed(Input::Advice { turn, pause, complete });
    }

    /// The model of the oldest response that is asked for thinks on.
    pub fn thinks(&mut self, thought: Thought) {
        let Some(response) = self.thinking.front().cloned() else { return };
        if matches!(thought, Thought::Finished(_)) {
            self.thinking.pop_front();
        }
        self.feed(Input::Thought { response, event: Ok(thought) });
    }

    /// The model of the oldest response fails.
    pub fn despairs(&mut self) {
        let Some(response) = self.thinking.pop_front() else { return };
        self.feed(Input::Thought { response, event: Err(broken()) });
    }

    /// The oldest clause is voiced for so long; or, at no length, speech fails.
    pub fn voices(&mut self, ms: u64) {
        if let Some((response, clause)) = self.clauses.pop_front() {
            if ms == 0 {
                return self.feed(Input::Spoken { response, event: Spoken::Failed(broken()) });
            }
            let sound = vec![1000; ms as usize * 24];
            if let Some(length) = self.egress.queue(&response, &sound) {
                self.feed(Input::Spoken { response: response.clone(), event: Spoken::Audio { clause, length } });
            }
            let event = Spoken::Mark(Speech::ClauseDone { clause });
            self.feed(Input::Spoken { response, event });
        } else if let Some(response) = self.ending.pop_front() {
            self.feed(Input::Spoken { response, event: Spoken::Finished });
        }
    }

    /// A reply runs to its end: all is thought, voiced and played.
    pub fn replies(&mut self, text: &str) {
        self.thinks(Thought::Text(text.to_owned()));
        self.thinks(Thought::Finished(Finish::Stop));
        for _ in 0..16 {
            self.voices(300);
        }
    }

    /// The client leaves; whatever was begun is ended, and nothing follows.
    pub fn ends(mut self) {
        self.feed(Input::Close(CloseReason::Hangup));
        self.listener.ends();
        self.session.handle(self.now, Input::Tick, &mut self.out);
        self.session.handle(self.now, Input::Close(CloseReason::Drain), &mut self.out);
        assert_eq!(self.out, [], "something after the end");
    }

    fn command(&mut self, command: Command) {
        let commits = command.request == Request::Commit;
        if commits {
            self.feed(Input::Begun(self.ingest.begun()));
        }
        if command.request == Request::Clear || commits && self.session.buffered() >= LEAST_COMMIT {
            self.ingest.settle();
            self.listen();
        }
        let updates = matches!(command.request, Request::Update(_));
        self.feed(Input::Command(command));
        if updates {
            self.ingest.configure(&self.session.settings().input);
        }
    }

    fn listen(&mut self) {
        while let Some(Heard { end, voice }) = self.ingest.next() {
            let past = self.skipped;
            let voice = match voice {
                Voice::Quiet { since } => Voice::Quiet { since: since + past },
                Voice::Speech { since, last, varied } => {
                    Voice::Speech { since: since + past, last: last + past, varied }
                }
            };
            self.feed(Input::Heard(Heard { end: end + past, voice }));
        }
    }

    fn feed(&mut self, input: Input) {
        self.session.handle(self.now, input, &mut self.out);
        self.obey();
    }

    fn refuse(&mut self, error: ClientError) {
        self.out.push(Output::Notify(Box::new(Event::Error(error))));
        self.obey();
    }

    fn obey(&mut self) {
        for output in std::mem::take(&mut self.out) {
            match output {
                Output::Transcribe(Transcribe::Start { turn, .. } | Transcribe::Clip { turn, .. }) => {
                    self.turns.push_back(turn);
                }
                Output::Transcribe(Transcribe::Abandon { turn }) => self.turns.retain(|of| *of != turn),
                Output::Advise { turn, pause, .. } => self.pauses.push_back((turn, pause)),
                Output::Infer { response, .. } => self.thinking.push_back(response),
                // It gives sound unasked, and words like any model.
                Output::Converse { response, .. } => {
                    self.egress.open(&response);
                    self.thinking.push_back(response.clone());
                    self.clauses.push_back((response, 0));
                }
                Output::Synthesize { response, clause, .. } => {
                    self.egress.open(&response);
                    self.clauses.push_back((response, clause.id));
                }
                Output::SynthesizeEnd { response } => self.ending.push_back(response),
                Output::Cancel(response) => self.forget(&response),
                Output::Flush(response) => self.egress.forget(&response),
                Output::Release { response, item, output_index, content_index, format, until } => {
                    let part = PartRef { response, item, output_index, content_index, modality: Modality::Audio };
                    self.release(&part, format, Some(until));
                }
                Output::Notify(event) => self.notify(&event),
                Output::Transcribe(Transcribe::Finish { .. })
                | Output::Pause
                | Output::Resume
                | Output::Record(_)
                | Output::Expect
                | Output::Measure(_)
                | Output::Close(_) => {}
            }
        }
    }

    fn notify(&mut self, event: &Event) {
        if let Event::AudioDone(part) = event {
            self.release(part, Format::Pcm, None);
        }
        let mut text = String::new();
        self.encoder.encode(event, &mut text);
        self.other.tell(event, |text| {
            let read = serde_json::from_str::<serde_json::Value>(&text);
            assert!(read.is_ok_and(|event| event["type"].is_string()), "{text}");
        });
        self.listener.hears(&text);
        if let Event::ResponseDone(response) = event {
            self.forget(&response.id);
        }
    }

    fn release(&mut self, part: &PartRef, format: Format, until: Option<Duration>) {
        let Self { egress, encoder, listener, .. } = self;
        let indexes = (part.output_index, part.content_index);
        let mut play = |audio: &[u8]| {
            let mut text = String::new();
            encoder.audio_delta(part, audio, &mut text);
            listener.hears(&text);
        };
        match until {
            Some(until) => drop(egress.release(&part.response, indexes, format, until, play)),
            None => egress.finish(&part.response, indexes, &mut play),
        }
    }

    fn forget(&mut self, response: &ResponseId) {
        self.thinking.retain(|of| of != response);
        self.clauses.retain(|(of, _)| of != response);
        self.ending.retain(|of| of != response);
        self.egress.forget(response);
    }
}

/// What became of an utterance.
pub enum Understood<'a> {
    /// So far.
    Partly(&'a str),
    /// For good.
    Wholly(&'a str),
    /// The recogniser failed.
    Not,
}

/// Sound in an append arrives byte by byte, whatever it is.
pub fn carries(sound: &[u8]) {
    let query = Query::Conversation { model: Some("m".to_owned()) };
    let settings = settings::initial(&query, None, &settings::Defaults::default()).expect("the defaults are valid");
    let text = format!(r#"{{"type":"input_audio_buffer.append","audio":"{}"}}"#, BASE64_STANDARD.encode(sound));
    let mut scratch = vec![7; 9];
    match decode(&text, Dialect::Ga, &settings, &mut scratch) {
        Ok(ClientEvent::Append { audio, event_id: None }) => assert_eq!(audio, sound),
        other => panic!("{other:?}"),
    }
    let mut samples = Vec::new();
    Decoder::new(Encoding::Pcm16).decode(sound, &mut samples);
    assert_eq!(samples.len(), sound.len() / 2);
}

fn broken() -> ProviderError {
    ProviderError::new("world", ErrorKind::Unavailable, "as the walk has it")
}
