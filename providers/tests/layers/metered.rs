//! What requests consume, by provider, and on whose account.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicIsize, Ordering},
    },
    time::Duration,
};

use audio::Frame;
use futures_util::{StreamExt, stream};
use providers::{
    ErrorKind, LanguageModel, RealtimeModel, SpeechToText, TextToSpeech,
    layers::{Account, Consumed, Fallback, Metered, Observation, Observed, Observer, Role},
    llm::{Message, Prompt, Thought, ToolChoice},
    realtime::{Command, EventStream, Manner, Opening, Step},
    scripted::{self, Fault, Faults, Length, LlmScript, RealtimeScript, SttScript, TtsScript},
    stt::SttOptions,
    tts::{Clause, Voice},
};

/// Adds up what it is told, as observer or as account.
#[derive(Default)]
struct Book {
    lines: Mutex<Vec<(String, Role, Consumed)>>,
    handovers: Mutex<Vec<(String, String, ErrorKind)>>,
    open: AtomicIsize,
}

impl Book {
    fn of(&self, provider: &str) -> Consumed {
        let mut sum = Consumed::default();
        for (_, _, what) in self.lines.lock().unwrap().iter().filter(|(name, ..)| name == provider) {
            sum += *what;
        }
        sum
    }
}

impl Observer for Book {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn observe(&self, _: &str, _: Role, _: Observation) {}

    fn consumed(&self, provider: &str, role: Role, what: Consumed) {
        self.lines.lock().unwrap().push((provider.to_owned(), role, what));
    }

    fn took_over(&self, _: Role, from: &str, to: &str, kind: ErrorKind) {
        self.handovers.lock().unwrap().push((from.to_owned(), to.to_owned(), kind));
    }
}

impl Account for Book {
    fn opened(&self, _: &str) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    fn consumed(&self, provider: &str, role: Role, what: Consumed) {
        Observer::consumed(self, provider, role, what);
    }

    fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn ear(name: &'static str, all: &Arc<Book>, faults: Faults) -> Arc<dyn SpeechToText> {
    let script = SttScript { faults, partials: Some(Duration::from_millis(100)), ..SttScript::default() };
    let inner: Arc<dyn SpeechToText> = Arc::new(scripted::SpeechToText::new(script));
    Arc::new(Observed::<dyn SpeechToText>::new(name, all.clone(), inner))
}

fn mouth(name: &'static str, all: &Arc<Book>, faults: Faults) -> Arc<dyn TextToSpeech> {
    let script = TtsScript { faults, length: Length::Fixed(Duration::from_secs(1)), ..TtsScript::default() };
    let inner: Arc<dyn TextToSpeech> = Arc::new(scripted::TextToSpeech::new(script));
    Arc::new(Observed::<dyn TextToSpeech>::new(name, all.clone(), inner))
}

fn mind(name: &'static str, all: &Arc<Book>) -> Arc<dyn LanguageModel> {
    let inner: Arc<dyn LanguageModel> = Arc::new(scripted::LanguageModel::new(LlmScript::default()));
    Arc::new(Observed::<dyn LanguageModel>::new(name, all.clone(), inner))
}

fn clauses() -> Vec<Clause> {
    vec![Clause { id: 0, text: "Grüß Gott".into() }, Clause { id: 1, text: "ab".into() }]
}

fn voice() -> Voice {
    Voice { name: "any".into(), language: None, speed: 1.0 }
}

#[tokio::test(start_paused = true)]
async fn sound_characters_and_tokens_are_counted_by_whom_they_went_to() {
    let (all, mine) = (Arc::new(Book::default()), Arc::new(Book::default()));
    let ear = Metered::<dyn SpeechToText>::new(mine.clone(), ear("ear", &all, Faults::default()));
    let audio = stream::iter(vec![Frame::SILENCE; 50]).boxed();
    let _: Vec<_> = ear.transcribe(SttOptions::default(), audio).await.unwrap().collect().await;
    let mouth = Metered::<dyn TextToSpeech>::new(mine.clone(), mouth("mouth", &all, Faults::default()));
    let _: Vec<_> = mouth.speak(voice(), stream::iter(clauses()).boxed()).await.unwrap().collect().await;
    let mind = Metered::<dyn LanguageModel>::new(mine.clone(), mind("mind", &all));
    let prompt = Prompt { messages: vec![Message::User("one two".into())], ..Prompt::default() };
    let _: Vec<_> = mind.reply(prompt).await.unwrap().collect().await;
    for book in [&all, &mine] {
        assert_eq!(book.of("ear").heard, Duration::from_secs(1));
        assert_eq!(book.of("mouth").characters, 11);
        assert_eq!(book.of("mouth").spoken, Duration::from_secs(2));
        assert!(book.of("mind").output_tokens > 0);
    }
    assert_eq!(mine.open.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_pays_for_what_it_took() {
    let (all, mine) = (Arc::new(Book::default()), Arc::new(Book::default()));
    let mouth = Metered::<dyn TextToSpeech>::new(mine.clone(), mouth("mouth", &all, Faults::default()));
    let mut speech = mouth.speak(voice(), stream::iter(clauses()).boxed()).await.unwrap();
    speech.next().await.unwrap().unwrap();
    assert_eq!(mine.open.load(Ordering::Relaxed), 1);
    drop(speech);
    assert!(mine.of("mouth").characters >= 9, "{:?}", mine.of("mouth"));
    assert_eq!(mine.open.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_chain_puts_each_engine_on_the_account_also_when_it_takes_over_midway() {
    let (all, mine, theirs) = (Arc::new(Book::default()), Arc::new(Book::default()), Arc::new(Book::default()));
    let breaks = Faults::always(Fault::Break { after: 2, kind: ErrorKind::Timeout });
    let chain = Fallback::new(ear("first", &all, breaks), vec![ear("second", &all, Faults::default())]).witnessed(
        Role::Stt,
        vec!["first".into(), "second".into()],
        all.clone(),
    );
    let chain: Arc<dyn SpeechToText> = Arc::new(chain);
    for book in [&mine, &theirs] {
        let metered = Metered::<dyn SpeechToText>::new(book.clone(), chain.clone());
        let audio = stream::iter(vec![Frame::SILENCE; 50]).boxed();
        let options = SttOptions { interim: true, ..SttOptions::default() };
        let heard: Vec<_> = metered.transcribe(options, audio).await.unwrap().collect().await;
        assert!(heard.iter().all(Result::is_ok));
    }
    for book in [&mine, &theirs] {
        assert!(book.of("first").heard > Duration::ZERO, "what was in vain is paid as well");
        assert_eq!(book.of("second").heard, Duration::from_secs(1));
    }
    assert_eq!(all.of("second").heard, Duration::from_secs(2));
    assert_eq!(all.handovers.lock().unwrap()[..], vec![("first".into(), "second".into(), ErrorKind::Timeout); 2]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_meters_is_on_nobodys_account() {
    let all = Arc::new(Book::default());
    let mind = mind("mind", &all);
    let _: Vec<_> = mind.reply(Prompt::default()).await.unwrap().collect().await;
    assert_eq!(all.open.load(Ordering::Relaxed), 0);
    assert!(!all.of("mind").is_nothing());
}

fn manner() -> Manner {
    Manner {
        instructions: String::new(),
        aside: None,
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        voice: Some(voice()),
        max_output_tokens: None,
    }
}

/// An observed model whose words sound 300 ms each, on this account.
fn talker(all: &Arc<Book>, mine: &Arc<Book>, faults: Faults) -> Arc<dyn RealtimeModel> {
    let script = RealtimeScript { faults, ..RealtimeScript::default() };
    let inner: Arc<dyn RealtimeModel> = Arc::new(scripted::RealtimeModel::new(script));
    let observed: Arc<dyn RealtimeModel> = Arc::new(Observed::<dyn RealtimeModel>::new("talker", all.clone(), inner));
    Arc::new(Metered::<dyn RealtimeModel>::new(mine.clone(), observed))
}

/// A conversation, and how it is told something.
async fn opened(model: &Arc<dyn RealtimeModel>) -> (tokio::sync::mpsc::Sender<Command>, EventStream) {
    let (sender, commands) = tokio::sync::mpsc::channel(256);
    let commands = tokio_stream::wrappers::ReceiverStream::new(commands).boxed();
    let opening = Opening { model: None, manner: manner(), history: Vec::new() };
    (sender, model.converse(opening, commands).await.unwrap())
}

/// A second of speech, and a reply to it.
fn turn(reply: u64) -> impl Iterator<Item = Command> {
    let heard = std::iter::repeat_n(Command::Hear(Frame::SILENCE), 50);
    heard.chain([Command::Commit, Command::Respond { reply, manner: Box::new(manner()) }])
}

/// Listens to a reply; how many words it had, and the tokens it wrote.
async fn listen(events: &mut EventStream) -> (u32, u64) {
    let (mut words, mut tokens) = (0, 0);
    while let Some(event) = events.next().await {
        match event.unwrap().step {
            Step::Sound(_) => words += 1,
            Step::Thought(Thought::Usage(usage)) => tokens += u64::from(usage.output_tokens),
            Step::Thought(Thought::Finished(_)) => break,
            Step::Thought(_) | Step::Failed(_) => {}
        }
    }
    (words, tokens)
}

#[tokio::test(start_paused = true)]
async fn a_spoken_conversation_is_charged_after_each_reply_and_at_its_end() {
    let (all, mine) = (Arc::new(Book::default()), Arc::new(Book::default()));
    let (commands, mut events) = opened(&talker(&all, &mine, Faults::default())).await;
    let (mut spoken, mut tokens) = (Duration::ZERO, 0);
    for reply in 1..=2 {
        for command in turn(reply) {
            commands.send(command).await.unwrap();
        }
        let (words, written) = listen(&mut events).await;
        spoken += Duration::from_millis(300) * words;
        tokens += written;
        assert!(tokens > 0);
        for book in [&all, &mine] {
            let told = book.of("talker");
            assert_eq!(told.heard, Duration::from_secs(reply), "reply {reply}");
            assert_eq!((told.spoken, told.output_tokens), (spoken, tokens), "reply {reply}");
        }
    }
    commands.send(Command::Hear(Frame::SILENCE)).await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_secs(1), events.next()).await;
    assert!(quiet.is_err(), "nobody asked for a reply");
    assert_eq!(mine.of("talker").heard, Duration::from_secs(2), "nothing is told in the midst of a turn");
    drop(events);
    assert_eq!(mine.of("talker").heard, Duration::from_millis(2_020));
    assert_eq!(mine.open.load(Ordering::Relaxed), 0);
    let roles: Vec<_> = mine.lines.lock().unwrap().iter().map(|(_, role, _)| *role).collect();
    assert!(roles.iter().all(|role| *role == Role::Realtime), "{roles:?}");
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_is_lost_or_never_opened_is_charged_for_what_it_took() {
    let (all, mine) = (Arc::new(Book::default()), Arc::new(Book::default()));
    let breaks = Faults::always(Fault::Break { after: 3, kind: ErrorKind::Unavailable });
    let (commands, mut events) = opened(&talker(&all, &mine, breaks)).await;
    for command in turn(1) {
        commands.send(command).await.unwrap();
    }
    while events.next().await.unwrap().is_ok() {}
    assert_eq!(mine.of("talker").heard, Duration::from_secs(1));
    assert!(mine.of("talker").spoken > Duration::ZERO, "what was heard before the loss is paid");
    drop(events);
    assert_eq!(mine.open.load(Ordering::Relaxed), 0);

    let refuses = Faults::always(Fault::Refuse(ErrorKind::RateLimited));
    let refused = talker(&all, &mine, refuses);
    let opening = Opening { model: None, manner: manner(), history: Vec::new() };
    assert!(refused.converse(opening, stream::pending().boxed()).await.is_err());
    assert_eq!(mine.open.load(Ordering::Relaxed), 0, "nothing is left open");
}
