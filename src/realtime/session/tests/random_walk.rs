//! A random walk over every input a session can be given, valid, stale, late and doubled, with the invariants checked
//! after each step. A walk that fails is shrunk to the steps that matter and printed with its seed.
//!
//! `SESSION_WALK_STEPS` sets how many inputs are fed in all, `SESSION_WALK_SEED` where to start.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use audio::{Clip, SampleRate};
use providers::{
    ErrorKind,
    llm::{Call, Finish, Thought, Usage},
    stt::{FinalTranscript, Transcript},
    tool::{Act, ActState},
    tts::Speech,
};

use super::{
    super::{
        Input, Output,
        ids::{CallId, ItemId, ResponseId, TurnId},
        input::{CloseReason, Command, ContextItem, Heard, Place, Request, ResponseRequest, Spoken, Voice},
        item::{Body, Item, ItemStatus, Part, Role},
        output::{Event, Transcribe},
        settings::{Eagerness, Endpointing, Format, Kind, Mind, Modality, Player, Profile, Settings, TurnDetection},
    },
    scene::{Scene, broken, millis, profile, settings},
};

/// Steps of a run without the variable: what CI has time for in the dev profile.
const STEPS: u64 = 10_000_000;

/// Steps of one walk. Long enough for a conversation of many turns, short enough to shrink.
const WALK: usize = 400;

const SAYINGS: &[&str] = &["", "mm-hm", "yeah", "stop", "tell me more", "what time is it in Paris", "no", "okay then"];

const TEXTS: &[&str] = &[
    "Well, ",
    "I think it is fine. ",
    "The sun will shine until the evening, and then it may rain. ",
    "Yes",
    "3.14 ",
    "\n",
    "…",
    "and so on, and so forth; ",
    "Dr. Who. ",
    "今日はいい天気です。",
];

/// One step, small enough to print and meaningful in any state, so that any subset of a walk is a walk.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: u8,
    a: u16,
    b: u16,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn step(&mut self) -> Step {
        let bits = self.roll().to_be_bytes();
        let kind = WEIGHTS[usize::from(bits[0]) * WEIGHTS.len() / 256];
        Step { kind, a: u16::from_be_bytes([bits[1], bits[2]]), b: u16::from_be_bytes([bits[3], bits[4]]) }
    }
}

/// Kinds of steps, as often as they should come.
const WEIGHTS: &[u8] =
    b"ssssssqqqqqqqqqwwwwwPPPFFFFFFFFxiiTTTTTTTTTTTTTTCkkkuEEEEEfAAAAAAAAAAAAAAAAAAAAMMMMVVVVvaUUclNrrtttdRRRXo.=!LKKGGGGGGGGHHHHHH";

fn pick<T>(list: &[T], at: u16) -> Option<&T> {
    // Low numbers pick what is recent, so that most steps are about the present and some about the past.
    let back = (usize::from(at) * usize::from(at)) / 65_536 * list.len().min(12) / 65_536;
    list.get(list.len().checked_sub(1 + back)?)
}

/// A session under a walk, and what the world around it knows.
struct World {
    scene: Scene,
    position: Duration,
    speech: Option<Duration>,
    quiet: Duration,
    turns: Vec<TurnId>,
    /// Turns without a final transcript.
    unheard: Vec<TurnId>,
    pauses: Vec<(TurnId, Duration)>,
    responses: Vec<ResponseId>,
    clauses: Vec<(ResponseId, u32)>,
    /// Responses of a model that speaks for itself.
    native: BTreeSet<ResponseId>,
    items: Vec<ItemId>,
    seen: usize,
    commands: u32,
}

impl World {
    fn new(choice: u64) -> Self {
        let settings = variant(Settings { instructions: "walk 0".into(), ..settings() }, choice);
        let overlaps = [millis(160), millis(0), millis(400)];
        let profile = Profile {
            player: if choice & 1 == 0 { Player::Client } else { Player::Relay },
            lead: if choice & 1 == 0 { millis(2000) } else { millis(60) },
            overlap: overlaps[(choice >> 1) as usize % 3],
            resume_within: if choice & 32 == 0 { millis(2000) } else { millis(0) },
            advice: choice & 64 == 0,
            mind: if choice & 0x6000 == 0 { Mind::Native { text: choice & 0x8000 == 0 } } else { Mind::Cascade },
            longest_turn: if choice & 128 == 0 { millis(600_000) } else { millis(3000) },
            ..profile(settings)
        };
        let kind = if choice & 0x1f00 == 0 { Kind::Transcription } else { Kind::Conversation };
        let settings = Settings { kind, ..Settings::clone(&profile.settings) };
        Self {
            scene: Scene::of(Profile { settings: Arc::new(settings), ..profile }),
            position: Duration::ZERO,
            speech: None,
            quiet: Duration::ZERO,
            turns: Vec::new(),
            unheard: Vec::new(),
            pauses: Vec::new(),
            responses: vec![ResponseId::new("resp_unknown")],
            clauses: Vec::new(),
            native: BTreeSet::new(),
            items: vec![ItemId::new("item_unknown")],
            seen: 0,
            commands: 0,
        }
    }

    /// Learns the names of things from what came out.
    fn learn(&mut self) {
        for (_, output) in self.scene.log.drain(..) {
            match output {
                Output::Transcribe(Transcribe::Start { turn, .. } | Transcribe::Clip { turn, .. }) => {
                    self.turns.push(turn)
                }
                Output::Advise { turn, pause, .. } => self.pauses.push((turn, pause)),
                Output::Synthesize { response, clause, .. } => self.clauses.push((response, clause.id)),
                // One that speaks for itself may begin a second message.
                Output::Converse { response, .. } => {
                    self.clauses.extend([(response.clone(), 1), (response.clone(), 0), (response.clone(), 0)]);
                    self.native.insert(response);
                }
                Output::Notify(event) => match *event {
                    Event::ResponseCreated(view) => self.responses.push(view.id.clone()),
                    Event::ItemAdded { item, .. } => self.items.push(item.id),
                    Event::SpeechStarted { item, .. } => self.items.push(item),
                    _ => {}
                },
                _ => {}
            }
        }
    }

    fn feed(&mut self, input: Input) {
        self.scene.feed(input);
        self.seen += 1;
        self.learn();
    }

    fn command(&mut self, request: Request) {
        self.commands += 1;
        let event_id = Some(format!("event {}", self.commands).into());
        self.feed(Input::Command(Command { event_id, request }));
    }

    fn frames(&mut self, speech: bool, count: u16, realtime: bool) {
        // A third of what sounds stays even to its end, most of the rest until a few frames in.
        let even = if self.commands.is_multiple_of(3) { u16::MAX } else { count % 7 };
        for at in 0..count {
            if realtime {
                self.scene.run_for(millis(20));
                self.learn();
            }
            let onset = self.position;
            self.position += millis(20);
            let voice = if speech {
                Voice::Speech { since: *self.speech.get_or_insert(onset), last: self.position, varied: at >= even }
            } else {
                if self.speech.take().is_some() {
                    self.quiet = onset;
                }
                Voice::Quiet { since: self.quiet }
            };
            self.feed(Input::Heard(Heard { end: self.position, voice }));
        }
    }

    fn take(&mut self, step: Step) {
        let Step { a, b, .. } = step;
        match step.kind {
            b's' => self.frames(true, 1 + a % 16, b % 8 != 0),
            b'q' => self.frames(false, 1 + a % 32, b % 8 != 0),
            b'w' => {
                self.scene.run_for(millis(u64::from(a) / 16));
                self.learn();
            }
            b'P' | b'F' | b'x' => self.recognise(step),
            b'i' => {
                if let Some((turn, pause)) = pick(&self.pauses, a).copied() {
                    let complete =
                        if b % 5 == 0 { Err(broken(ErrorKind::Timeout)) } else { Ok(f32::from(b % 11) / 10.0) };
                    self.feed(Input::Advice { turn, pause, complete });
                }
            }
            b'T' | b'C' | b'k' | b'u' | b'E' | b'f' => self.think(step),
            b'A' | b'M' | b'V' | b'v' => self.speak(step),
            b'G' => self.reply(a, b),
            b'H' => {
                for turn in self.unheard.clone() {
                    self.recognise(Step { kind: b'F', a: u16::from(turn.0 % 2 == 0), b });
                }
            }
            b'a' => {
                let clip = Clip::new(SampleRate::HZ_16000, vec![0; 1600]);
                let parts = vec![Part::InputAudio { transcript: None, clip: Some(Arc::new(clip)) }];
                let body = if b % 3 == 0 { Body::Message { role: Role::User, parts } } else { written(b) };
                self.create(body, a);
            }
            b'U' => {
                let settings =
                    variant(Settings::clone(self.scene.session.settings()), u64::from(a) << 3 | u64::from(b));
                self.command(Request::Update(Box::new(settings)));
            }
            b'c' => self.command(Request::Commit),
            b'l' => self.command(Request::Clear),
            b'N' | b'r' | b't' | b'd' => self.edit(step),
            b'R' => self.respond(a, b),
            b'X' => {
                let id = if b % 2 == 0 { None } else { pick(&self.responses, a).cloned() };
                self.command(Request::Cancel(id));
            }
            b'o' => self.command(Request::ClearOutput),
            b'=' => {
                let (since, last) = (self.quiet, self.position);
                let voice =
                    if a % 2 == 0 { Voice::Speech { since, last, varied: b % 2 == 0 } } else { Voice::Quiet { since } };
                self.feed(Input::Heard(Heard { end: self.position, voice }));
            }
            b'L' => self.feed(Input::Lag(millis(u64::from(b) / 100))),
            b'K' => {
                let key = ['1', '2', '*', '#'][usize::from(a) % 4];
                self.feed(Input::Pressed { key, at: u64::from(b) });
            }
            b'!' if a < 2000 => self.feed(Input::Close(CloseReason::Hangup)),
            _ => self.feed(Input::Tick),
        }
    }

    fn recognise(&mut self, Step { kind, a, b }: Step) {
        // Most recognisers answer for the oldest turn that waits; some answer again, late, or for nobody.
        let next = self.unheard.first().copied().filter(|_| a % 8 != 0);
        let Some(turn) = next.or_else(|| pick(&self.turns, a).copied()) else { return };
        if kind != b'P' {
            self.unheard.retain(|unheard| *unheard != turn);
        }
        let saying = SAYINGS[usize::from(b) % SAYINGS.len()];
        let event = match kind {
            b'P' => {
                let (stable, tentative) = saying.split_at(if saying.len() > 4 { 4 } else { 0 });
                Ok(Transcript::Partial { stable: stable.into(), tentative: tentative.into() })
            }
            b'F' => Ok(Transcript::Final(FinalTranscript { text: saying.into(), ..FinalTranscript::default() })),
            _ => Err(broken(ErrorKind::Unavailable)),
        };
        self.feed(Input::Transcript { turn, event });
    }

    fn think(&mut self, Step { kind, a, b }: Step) {
        let Some(response) = pick(&self.responses, a).cloned() else { return };
        let event = match kind {
            b'T' => Ok(Thought::Text(TEXTS[usize::from(b) % TEXTS.len()].into())),
            b'C' => Ok(Thought::CallStarted { call: format!("call_{}", b % 7), name: "look_up".into() }),
            b'k' if b % 3 == 0 => Ok(Thought::CallDone),
            b'k' => Ok(Thought::CallArguments("{\"q\":1}".into())),
            b'u' if b % 2 == 0 && !self.native.contains(&response) => Ok(Thought::Acted(acted(b))),
            b'u' => Ok(Thought::Usage(Usage { input_tokens: u32::from(b), cached_tokens: 1, output_tokens: 2 })),
            b'E' => Ok(Thought::Finished(
                [Finish::Stop, Finish::Stop, Finish::Length, Finish::ContentFilter][usize::from(b) % 4],
            )),
            _ => Err(broken(ErrorKind::RateLimited)),
        };
        self.feed(Input::Thought { response, event });
    }

    fn speak(&mut self, Step { kind, a, b }: Step) {
        let Some((response, clause)) = pick(&self.clauses, a).cloned() else { return };
        let event = match kind {
            b'A' => Spoken::Audio {
                clause: if b % 64 == 1 { clause + 9 } else { clause },
                length: millis(u64::from(b) / 40),
            },
            b'M' if b % 2 == 0 => Spoken::Mark(Speech::ClauseDone { clause }),
            b'M' => {
                let end = millis(u64::from(b) / 50);
                Spoken::Mark(Speech::Word { clause, range: 0..usize::from(b % 13), start: Duration::ZERO, end })
            }
            b'V' => Spoken::Finished,
            _ => Spoken::Failed(broken(ErrorKind::Protocol)),
        };
        self.feed(Input::Spoken { response, event });
    }

    /// Everybody does their part: the model says some sentences, the voice speaks them, or most of them.
    fn reply(&mut self, a: u16, b: u16) {
        let Some(response) = self.responses.last().cloned() else { return };
        for at in 0..1 + a % 4 {
            let text = TEXTS[usize::from(b.wrapping_add(at)) % TEXTS.len()].to_owned();
            self.feed(Input::Thought { response: response.clone(), event: Ok(Thought::Text(text)) });
            if self.native.contains(&response) {
                let event = Spoken::Audio { clause: 0, length: millis(40 + u64::from(b % 700)) };
                self.feed(Input::Spoken { response: response.clone(), event });
            }
        }
        if !a.is_multiple_of(7) {
            self.feed(Input::Thought { response: response.clone(), event: Ok(Thought::Finished(Finish::Stop)) });
        }
        let clauses: Vec<u32> =
            self.clauses.iter().filter(|(of, _)| *of == response).map(|(_, clause)| *clause).collect();
        for clause in clauses {
            let length = millis(100 + u64::from(b % 1000));
            self.feed(Input::Spoken { response: response.clone(), event: Spoken::Audio { clause, length } });
            let event = Spoken::Mark(Speech::ClauseDone { clause });
            self.feed(Input::Spoken { response: response.clone(), event });
        }
        if !a.is_multiple_of(5) {
            self.feed(Input::Spoken { response, event: Spoken::Finished });
        }
    }

    fn create(&mut self, body: Body, a: u16) {
        let id = if a.is_multiple_of(5) {
            pick(&self.items, a).cloned().unwrap_or_else(|| ItemId::new(""))
        } else {
            ItemId::new("")
        };
        let place = match a % 7 {
            0 => Place::Front,
            1 | 2 => pick(&self.items, a).map_or(Place::End, |id| Place::After(id.clone())),
            _ => Place::End,
        };
        self.command(Request::Create {
            item: Item { id, status: ItemStatus::Completed, body, citations: Vec::new(), acts: Vec::new() },
            place,
        });
    }

    fn edit(&mut self, Step { kind, a, b }: Step) {
        let Some(item) = pick(&self.items, a).cloned() else { return };
        match kind {
            b'N' => self.create(written(b), a),
            b'r' => self.command(Request::Retrieve(item)),
            b'd' => self.command(Request::Delete(item)),
            _ => {
                let spoken = self.responses.last().and_then(|id| self.scene.client.responses.get(id));
                let said = spoken.and_then(|response| response.lines.first()).map(|line| line.item.clone());
                let item = if a % 3 == 0 { item } else { said.unwrap_or(item) };
                let audio_end = millis(u64::from(b) / 30);
                self.command(Request::Truncate { item, content_index: u32::from(b % 17 == 3), audio_end });
            }
        }
    }

    fn respond(&mut self, a: u16, b: u16) {
        let input = match b % 6 {
            0 => Some(vec![]),
            1 => pick(&self.items, a).map(|id| vec![ContextItem::Reference(id.clone())]),
            _ => None,
        };
        let request = ResponseRequest {
            out_of_band: a.is_multiple_of(3),
            modality: [None, None, Some(Modality::Text), Some(Modality::Audio)][usize::from(b) % 4],
            voice: b.is_multiple_of(9).then(|| "echo".into()),
            input,
            ..ResponseRequest::default()
        };
        self.command(Request::Respond(Box::new(request)));
    }

    /// 11: whatever happened before, the next thing said is heard and answered.
    fn probe(&mut self) {
        if self.scene.session.state().turn == "closed" || self.scene.session.settings().kind == Kind::Transcription {
            return;
        }
        let plain = Settings { output: self.scene.session.settings().output.clone(), ..settings() };
        self.command(Request::Update(Box::new(plain)));
        self.frames(false, 30, true);
        self.scene.run_for(Duration::from_secs(3));
        self.learn();
        let words = "is anybody there";
        self.frames(true, 60, true);
        let before = self.responses.len();
        self.frames(false, 60, true);
        for turn in self.turns.clone() {
            let text = FinalTranscript { text: words.into(), ..FinalTranscript::default() };
            self.feed(Input::Transcript { turn, event: Ok(Transcript::Final(text)) });
        }
        self.scene.run_for(Duration::from_secs(1));
        self.learn();
        let state = self.scene.session.state();
        assert!(self.responses.len() > before, "11: the next utterance has no answer: {state}");
        assert_eq!(state.response, "thinking", "11: the next utterance is not thought about");
    }
}

fn written(b: u16) -> Body {
    let call = CallId::new(format!("call_{}", b % 7));
    match b % 6 {
        0 => Body::Output { call, output: "{}".into() },
        1 => Body::Call { call, name: "look_up".into(), arguments: "{}".into() },
        2 => Body::Message { role: Role::System, parts: vec![Part::InputText("be nice".into())] },
        3 => Body::Message { role: Role::Assistant, parts: vec![Part::OutputText("I said so".into())] },
        4 => Body::Message {
            role: Role::Assistant,
            parts: vec![Part::OutputAudio { transcript: "earlier".into(), length: millis(700) }],
        },
        _ => Body::Message { role: Role::User, parts: vec![Part::InputText("typed".into())] },
    }
}

/// Settings that differ in what matters to the machines.
fn variant(settings: Settings, choice: u64) -> Settings {
    let bit = |at: u32| choice >> at & 1 == 1;
    let eagerness = [Eagerness::Low, Eagerness::Medium, Eagerness::High, Eagerness::Auto][(choice >> 3) as usize % 4];
    let policy = if bit(5) {
        Endpointing::Semantic { eagerness }
    } else {
        Endpointing::Silence {
            threshold: 0.5,
            prefix_padding: millis(if bit(6) { 300 } else { 0 }),
            silence: millis(if bit(7) { 500 } else { 200 }),
            idle_timeout: bit(8).then_some(millis(5000)),
        }
    };
    let detection =
        TurnDetection { policy, create_response: !(bit(9) && bit(10)), interrupt_response: !(bit(11) && bit(12)) };
    let mut next = Settings { instructions: format!("walk {}", choice % 97), ..settings };
    next.input.turn_detection = (choice >> 13 & 3 != 0).then_some(detection);
    if bit(15) && bit(3) {
        next.input.transcription = None;
    } else {
        next.input.transcription = super::scene::settings().input.transcription;
    }
    if bit(4) && bit(6) {
        next.modality = Modality::Text;
    }
    if bit(4) && bit(7) {
        next.output.voice = "shimmer".into();
    }
    if bit(5) && bit(9) && bit(6) {
        next.output.format = Format::Mulaw;
    }
    next
}

/// Walks and probes; how many inputs that were.
fn walk(choice: u64, steps: &[Step]) -> usize {
    let mut world = World::new(choice);
    world.learn();
    for step in steps {
        world.take(*step);
    }
    world.probe();
    world.feed(Input::Close(CloseReason::Hangup));
    world.feed(Input::Close(CloseReason::Hangup));
    world.seen
}

thread_local! {
    static COMPLAINT: RefCell<String> = const { RefCell::new(String::new()) };
    static WALKING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps this thread's panics for the shrinker; those of other tests are printed as ever.
fn listen_for_complaints() {
    WALKING.set(true);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if WALKING.get() {
            COMPLAINT.with_borrow_mut(|complaint| *complaint = info.to_string());
        } else {
            before(info);
        }
    }));
}

/// What a walk breaks, if anything.
fn complaint(choice: u64, steps: &[Step]) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| walk(choice, steps))).err().map(|_| COMPLAINT.with_borrow(Clone::clone))
}

/// Removes steps for as long as the walk still fails.
fn shrink(choice: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut chunk = steps.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + chunk).min(steps.len()));
            if complaint(choice, &fewer).is_some() {
                steps = fewer;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    steps
}

fn print(steps: &[Step]) -> String {
    steps.iter().map(|Step { kind, a, b }| format!("{}({a}, {b}) ", char::from(*kind))).collect()
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn no_order_of_inputs_breaks_an_invariant() {
    let wanted = variable("SESSION_WALK_STEPS", STEPS);
    let mut seed = variable("SESSION_WALK_SEED", 1);
    listen_for_complaints();
    let mut taken = 0;
    while taken < wanted {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let choice = dice.roll();
        let steps: Vec<Step> = (0..WALK).map(|_| dice.step()).collect();
        match catch_unwind(AssertUnwindSafe(|| walk(choice, &steps))) {
            Ok(seen) => taken += seen as u64,
            Err(_) => {
                let steps = shrink(choice, steps);
                let what = complaint(choice, &steps).unwrap_or_default();
                WALKING.set(false);
                panic!("seed {seed}: {what}\n{} steps: {}", steps.len(), print(&steps));
            }
        }
        seed += 1;
    }
    WALKING.set(false);
}

/// Something that was done, begun or proposed.
fn acted(b: u16) -> Act {
    let call = Call { call: format!("act_{}", b % 5), name: "look".into(), arguments: "{}".into() };
    let state = ActState::ALL[usize::from(b / 8) % 4];
    Act { call, output: "blue".into(), state, writes: b.is_multiple_of(4), confidential: false }
}
