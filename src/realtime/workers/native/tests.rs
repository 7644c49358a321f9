//! The worker beside a scripted speech-to-speech model, on a paused clock.

use std::{error::Error, sync::Mutex, time::SystemTime};

use audio::SampleRate;
use futures_util::future::BoxFuture;
use providers::{
    Aside,
    llm::{Finish, Message, Thought},
    passage::Passages,
    realtime::Command,
    scripted::{Fault, Faults, RealtimeModel, RealtimeScript, Reply},
    tts::Voice,
};
use uuid::Uuid;

use super::*;
use crate::{
    clock::Clock,
    realtime::{
        admission::Admission,
        dossier::{Dossier, Dossiers, Found},
        session::output::Said,
        workers::{Providers, Report, tests::scripted},
    },
};

const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    native: Native,
    inbox: mpsc::Receiver<Report>,
    model: RealtimeModel,
    said: Vec<Said>,
    turns: u32,
    position: Duration,
}

impl Stage {
    fn with(script: RealtimeScript) -> Self {
        Self::ahead(script, Duration::from_secs(20))
    }

    fn ahead(script: RealtimeScript, lead: Duration) -> Self {
        Self::told_of(script, lead, Dossier::default())
    }

    fn told_of(script: RealtimeScript, lead: Duration, dossier: Dossier) -> Self {
        let model = RealtimeModel::new(script);
        let (reports, inbox) = mpsc::channel(64);
        let providers = Providers { realtime: Some(Arc::new(model.clone())), ..scripted(Faults::default()) };
        let recall = super::super::Recall { memory: Arc::default(), window: 100_000 };
        let kit =
            Kit { providers, reports, patience: PATIENCE, clock: Clock::system(), dossier, recall, toolbox: None };
        let native = Native::new(&kit, Arc::new(model.clone()), lead);
        Self { native, inbox, model, said: Vec::new(), turns: 0, position: Duration::ZERO }
    }

    /// Somebody speaks for so many frames, and the turn is committed as an item nobody has understood yet.
    fn speaks(&mut self, frames: u32) {
        self.utters(frames);
        self.said.push(Said { item: item(self.turns), message: None, heard: None });
    }

    /// Somebody speaks for so many frames.
    fn utters(&mut self, frames: u32) {
        self.turns += 1;
        let turn = TurnId(self.turns);
        self.native.listen(turn, item(self.turns), self.position, manner());
        let until = self.position + Frame::DURATION * frames;
        self.native.finish(turn, until);
        let frame = Frame([i16::try_from(self.turns).unwrap(); Frame::SAMPLES]);
        let stream: Vec<_> = (1..=frames).map(|n| (self.position + Frame::DURATION * n, frame)).collect();
        self.native.feed(stream.iter().map(|(end, frame)| (*end, frame)));
        self.position = until;
    }

    fn types(&mut self, words: &str) {
        self.turns += 1;
        self.said.push(Said { item: item(self.turns), message: Some(Message::User(words.into())), heard: None });
    }

    fn asks(&mut self) -> ResponseId {
        self.turns += 1;
        let response = ResponseId::new(format!("resp_{}", self.turns));
        let ask = Ask { manner: manner(), said: self.said.clone() };
        self.native.ask(response.clone(), Box::new(ask));
        response
    }

    /// Takes a whole reply: its words, its samples, and how it ended.
    async fn reply(&mut self, response: &ResponseId) -> (String, usize, Result<Finish, ErrorKind>) {
        let (mut text, mut samples) = (String::new(), 0);
        loop {
            let report = tokio::time::timeout(PATIENCE * 3, self.inbox.recv()).await.unwrap().unwrap();
            match report {
                Report::Sound { response: of, samples: piece, .. } => {
                    assert_eq!(of, *response);
                    samples += piece.len();
                    self.native.released(response, piece.len());
                }
                Report::Input(Input::Thought { response: of, event }) => {
                    assert_eq!(of, *response);
                    match event {
                        Ok(Thought::Text(more)) => text.push_str(&more),
                        Ok(Thought::Finished(finish)) => return (text, samples, Ok(finish)),
                        Ok(_) => {}
                        Err(error) => return (text, samples, Err(error.kind)),
                    }
                }
                Report::Input(other) => panic!("{other:?}"),
            }
        }
    }

    /// A reply that becomes an item.
    async fn answers(&mut self) -> String {
        let response = self.asks();
        let (text, _, finish) = self.reply(&response).await;
        assert_eq!(finish, Ok(Finish::Stop));
        self.turns += 1;
        self.native.added(response, item(self.turns));
        self.said.push(Said { item: item(self.turns), message: Some(Message::Assistant(text.clone())), heard: None });
        text
    }

    /// What the newest conversation was told, sound in short: `h` a frame heard, `C` commit, `D` discard, `A` add, `T` truncate,
    /// `R` respond, `X` cancel.
    fn told(&self) -> String {
        let conversations = self.model.conversations();
        let letters = conversations.last().unwrap().commands.iter().map(|command| match command {
            Command::Hear(_) => 'h',
            Command::Commit => 'C',
            Command::Discard => 'D',
            Command::Add(_) => 'A',
            Command::Truncate(_) => 'T',
            Command::Respond { .. } => 'R',
            Command::Cancel => 'X',
        });
        letters.collect()
    }
}

fn item(number: u32) -> ItemId {
    ItemId::new(format!("item_{number}"))
}

fn manner() -> Manner {
    Manner {
        instructions: "Be brief.".into(),
        aside: None,
        tools: vec![],
        tool_choice: Default::default(),
        voice: Some(Voice { name: "tone".into(), language: None, speed: 1.0 }),
        max_output_tokens: None,
    }
}

fn says(replies: &[&str]) -> RealtimeScript {
    let replies = replies.iter().map(|text| Reply::Text((*text).to_owned())).collect();
    RealtimeScript { replies, ..RealtimeScript::default() }
}

#[tokio::test(start_paused = true)]
async fn it_hears_the_turn_and_answers_with_words_and_sound() {
    let mut stage = Stage::with(RealtimeScript { rate: SampleRate::HZ_16000, ..says(&["Fine, thanks."]) });
    stage.speaks(5);
    let response = stage.asks();
    let (text, samples, finish) = stage.reply(&response).await;
    assert_eq!((text.as_str(), finish), ("Fine, thanks.", Ok(Finish::Stop)));
    assert_eq!(samples, 2 * 24 * 300, "two words of 300 ms at 24 kHz, whatever the model's rate");
    assert_eq!(stage.told(), "hhhhhCR");
}

#[tokio::test(start_paused = true)]
async fn each_turn_tells_only_what_is_new() {
    let mut stage = Stage::with(says(&["One.", "Two."]));
    stage.speaks(2);
    assert_eq!(stage.answers().await, "One.");
    stage.types("and typed");
    stage.speaks(1);
    assert_eq!(stage.answers().await, "Two.");
    assert_eq!((stage.told().as_str(), stage.model.calls()), ("hhCRhACR", 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_heard_of_a_reply_is_told_once() {
    let mut stage = Stage::with(says(&["One two three.", "Yes."]));
    stage.speaks(1);
    stage.answers().await;
    stage.said.last_mut().unwrap().heard = Some(Duration::from_millis(350));
    stage.speaks(1);
    stage.answers().await;
    assert_eq!(stage.told(), "hCRhTCR");
    stage.speaks(1);
    stage.answers().await;
    assert_eq!(stage.told(), "hCRhTCRhCR");
}

#[tokio::test(start_paused = true)]
async fn a_cough_is_forgotten() {
    let mut stage = Stage::with(says(&["Yes."]));
    stage.utters(2);
    stage.native.abandon(TurnId(stage.turns));
    stage.speaks(1);
    stage.answers().await;
    // The conversation is opened by the cough; what of it was sent is taken back.
    assert!(["hCR", "hhDhCR", "hDhCR"].contains(&stage.told().as_str()), "{}", stage.told());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_reply_leaves_nothing_behind() {
    let script = RealtimeScript { pace: Duration::from_millis(100), ..says(&["One two three four.", "Yes."]) };
    let mut stage = Stage::with(script);
    stage.speaks(1);
    let first = stage.asks();
    assert!(matches!(stage.inbox.recv().await, Some(Report::Input(Input::Thought { .. }))));
    stage.native.cancel(&first);
    while stage.inbox.try_recv().is_ok() {}
    stage.speaks(1);
    let second = stage.asks();
    // `reply` fails on whatever belongs to the first.
    assert_eq!(stage.reply(&second).await.0, "Yes.");
    assert_eq!(stage.told(), "hCRXThCR", "nobody heard of it");
}

#[tokio::test(start_paused = true)]
async fn two_utterances_that_wait_are_two_messages() {
    let mut stage = Stage::with(says(&["Both."]));
    stage.speaks(2);
    tokio::time::sleep(Duration::from_millis(10)).await;
    stage.speaks(1);
    stage.answers().await;
    assert_eq!(stage.told(), "hhDhDhhChCR");
}

#[tokio::test(start_paused = true)]
async fn a_changed_past_takes_a_new_conversation_that_is_told_what_is_left() {
    let mut stage = Stage::with(says(&["One.", "Two."]));
    stage.types("first");
    stage.answers().await;
    stage.said.remove(0);
    stage.types("second");
    assert_eq!(stage.answers().await, "Two.");
    assert_eq!((stage.told().as_str(), stage.model.calls()), ("AAR", 2));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_ends_while_nobody_needs_it_is_begun_anew_and_hears_the_turn_under_way_again() {
    let mut stage = Stage::with(says(&["One.", "Two."]));
    stage.speaks(1);
    stage.answers().await;
    stage.said[0].message = Some(Message::User("words of the first turn".into()));
    stage.model.kill(ErrorKind::Unavailable);
    tokio::time::sleep(Duration::from_millis(10)).await;
    stage.speaks(3);
    assert_eq!(stage.answers().await, "Two.");
    assert_eq!(stage.model.calls(), 2);
    let told = stage.told();
    assert_eq!(told.matches('C').count(), 1, "{told}");
    assert!(told.contains("AA") && told.ends_with("CR"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn every_loss_is_told_to_who_waits() {
    let kinds = |fault| Stage::with(RealtimeScript { faults: Faults::always(fault), ..says(&["One two three."]) });
    for (fault, expected) in [
        (Fault::Refuse(ErrorKind::Unauthorized), ErrorKind::Unauthorized),
        (Fault::Ignore, ErrorKind::Timeout),
        (Fault::Hang { after: 2 }, ErrorKind::Timeout),
        (Fault::Vanish { after: 2 }, ErrorKind::Unavailable),
        (Fault::Break { after: 2, kind: ErrorKind::RateLimited }, ErrorKind::RateLimited),
    ] {
        let mut stage = kinds(fault);
        stage.speaks(1);
        let response = stage.asks();
        assert_eq!(stage.reply(&response).await.2, Err(expected), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn sound_is_taken_no_further_ahead_than_its_credit() {
    let script = RealtimeScript { word: Duration::from_secs(2), ..says(&["One two three four."]) };
    let mut stage = Stage::ahead(script, Duration::from_secs(1));
    stage.speaks(1);
    let response = stage.asks();
    let mut samples = 0;
    while let Ok(Some(report)) = tokio::time::timeout(Duration::from_millis(100), stage.inbox.recv()).await {
        if let Report::Sound { samples: piece, .. } = report {
            samples += piece.len();
        }
    }
    assert_eq!(samples, 24_000);
    stage.native.released(&response, 24_000);
    let (_, rest, finish) = stage.reply(&response).await;
    assert_eq!((samples + rest, finish), (8 * 24_000, Ok(Finish::Stop)));
}

/// A dossier that says what was last put here.
#[derive(Default)]
struct Shelf(Mutex<Option<Aside>>);

impl Shelf {
    fn put(&self, text: &str) {
        *self.0.lock().unwrap() = Some(Aside::new(text, "").unwrap());
    }
}

impl Dossiers for Shelf {
    fn find(&self, _: &str, _: Uuid) -> BoxFuture<'_, Result<Found, Box<dyn Error + Send + Sync>>> {
        let aside = self.0.lock().unwrap().clone();
        Box::pin(async { Ok(Found { aside, documents: false }) })
    }

    fn search(&self, _: &str, _: &str) -> BoxFuture<'_, Result<Option<Passages>, Box<dyn Error + Send + Sync>>> {
        Box::pin(async { panic!("a model that hears by itself is given no passages") })
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_called_with_its_dossier_and_told_of_a_change_with_the_next_reply() {
    for reconfigures in [true, false] {
        let shelf = Arc::new(Shelf::default());
        shelf.put("old");
        let pass = Admission::new(1, 1).admit("ann", "ws", SystemTime::UNIX_EPOCH).unwrap();
        let dossier = Dossier::of(Some(Arc::clone(&shelf) as _), pass.live(), Clock::system());
        let mut script = says(&["One.", "Two.", "Three."]);
        script.capabilities.reconfigures = reconfigures;
        let mut stage = Stage::told_of(script, Duration::from_secs(20), dossier);
        tokio::time::sleep(Duration::from_millis(1)).await;
        stage.speaks(10);
        assert_eq!(stage.answers().await, "One.");
        stage.speaks(10);
        assert_eq!(stage.answers().await, "Two.");
        assert_eq!(stage.model.calls(), 1, "what has not changed takes no other conversation");
        shelf.put("new");
        stage.speaks(10);
        assert_eq!(stage.answers().await, "Three.");

        let conversations = stage.model.conversations();
        let told = |manner: &Manner| manner.aside.as_ref().map(|told| told.expose(true).unwrap()).unwrap();
        let replies = conversations.iter().flat_map(|conversation| &conversation.commands).filter_map(|command| {
            let Command::Respond { manner, .. } = command else { return None };
            Some(told(manner))
        });
        assert_eq!(replies.collect::<Vec<_>>(), ["old", "old", "new"]);
        let openings: Vec<_> = conversations.iter().map(|conversation| told(&conversation.opening.manner)).collect();
        assert_eq!(openings, if reconfigures { vec!["old"] } else { vec!["old", "new"] });
    }
}
