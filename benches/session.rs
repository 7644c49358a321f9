//! What deciding costs: one step of the pure session, which happens 50 times a second in each, and a whole turn.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use providers::{
    llm::{Finish, Thought},
    stt::{FinalTranscript, Transcript},
    tts::Speech,
};
use voice_relay::{
    clock::Clock,
    realtime::{
        protocol::{Query, settings},
        session::{
            Input, Output, Session,
            ids::{ResponseId, TurnId},
            input::{Heard, Spoken, Voice},
            output::Transcribe,
            settings::{Mind, Player, Profile},
        },
    },
};

criterion_group!(benches, step, turn);
criterion_main!(benches);

const FRAME: Duration = Duration::from_millis(20);

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("heard_20ms");
    let mut idle = Scene::new();
    group.bench_function("quiet", |bencher| bencher.iter(|| idle.hears(Voice::Quiet { since: Duration::ZERO })));
    let mut speaking = Scene::new();
    let onset = Voice::Speech { since: Duration::ZERO, last: Duration::ZERO, varied: true };
    speaking.hears(onset);
    group.bench_function("speech", |bencher| bencher.iter(|| speaking.hears(onset)));
    group.finish();
}

/// Two seconds of speech, the silence after it, and a reply of 3 s in two clauses and clips of 100 ms. A new session
/// each time, as a conversation that grows would make each turn dearer than the one before.
fn turn(criterion: &mut Criterion) {
    criterion.bench_function("whole_turn", |bencher| {
        bencher.iter_batched(Scene::new, |mut scene| scene.turn(), criterion::BatchSize::SmallInput);
    });
}

/// A session, and how far it is.
struct Scene {
    session: Session,
    out: Vec<Output>,
    now: Instant,
    position: Duration,
}

impl Scene {
    fn new() -> Self {
        let query = Query::Conversation { model: Some("m".to_owned()) };
        let settings = settings::initial(&query, None, &settings::Defaults::default()).expect("the defaults are valid");
        let profile = Profile {
            player: Player::Client,
            lead: Duration::from_secs(10),
            overlap: Duration::from_millis(160),
            backchannel: Duration::from_millis(800),
            resume_within: Duration::ZERO,
            advice_after: Duration::from_millis(200),
            advice_fallback: Duration::from_millis(700),
            advice: false,
            starvation: Duration::from_millis(1500),
            longest_turn: Duration::from_secs(1 << 40),
            seed: 7,
            mind: Mind::Cascade,
            settings: Arc::new(settings),
        };
        let now = Clock::system().now();
        let mut out = Vec::new();
        Self { session: Session::new(now, profile, &mut out), out, now, position: Duration::ZERO }
    }

    fn feed(&mut self, input: Input) {
        self.session.handle(self.now, black_box(input), &mut self.out);
    }

    /// 20 ms pass, with their sound. What is decided is looked at and dropped, as a driver does.
    fn hears(&mut self, voice: Voice) -> usize {
        self.out.clear();
        self.now += FRAME;
        self.position += FRAME;
        self.feed(Input::Heard(Heard { end: self.position, voice }));
        self.out.len() + usize::from(self.session.next_wake().is_some())
    }

    fn turn(&mut self) -> usize {
        let onset = self.position;
        self.hears(Voice::Speech { since: onset, last: self.position + FRAME, varied: true });
        let turn = self.opened();
        for _ in 1..100 {
            self.hears(Voice::Speech { since: onset, last: self.position + FRAME, varied: true });
        }
        let quiet = self.position;
        for _ in 0..25 {
            self.hears(Voice::Quiet { since: quiet });
        }
        let text = FinalTranscript { text: "what is the weather".to_owned(), ..FinalTranscript::default() };
        self.feed(Input::Transcript { turn, event: Ok(Transcript::Final(text)) });
        self.reply()
    }

    fn reply(&mut self) -> usize {
        let response = self.infers();
        let thought = |event| Input::Thought { response: response.clone(), event: Ok(event) };
        for word in "It is fine today. The sun will shine until the evening.".split_inclusive(' ') {
            self.feed(thought(Thought::Text(word.to_owned())));
        }
        self.feed(thought(Thought::Finished(Finish::Stop)));
        let spoken = |event| Input::Spoken { response: response.clone(), event };
        for clause in 0..2 {
            for _ in 0..15 {
                self.feed(spoken(Spoken::Audio { clause, length: Duration::from_millis(100) }));
            }
            self.feed(spoken(Spoken::Mark(Speech::ClauseDone { clause })));
        }
        self.feed(spoken(Spoken::Finished));
        let done = self.out.len();
        assert!(done > 30, "a reply was released and done");
        done
    }

    fn opened(&self) -> TurnId {
        let opened = self.out.iter().find_map(|output| {
            let Output::Transcribe(Transcribe::Start { turn, .. }) = output else { return None };
            Some(*turn)
        });
        opened.expect("a turn opens with speech")
    }

    fn infers(&self) -> ResponseId {
        let asked = self.out.iter().find_map(|output| {
            let Output::Infer { response, .. } = output else { return None };
            Some(response.clone())
        });
        asked.expect("the model is asked once the transcript is there")
    }
}
