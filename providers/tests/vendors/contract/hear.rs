//! Speech-to-text of vendors, each against a server on loopback that speaks its documented wire, and misbehaves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, ProviderError, SpeechToText,
    layers::{Timed, Timeouts},
    stt::{SttOptions, Transcript},
};
use tokio::time::timeout;

use super::{
    Guard, LIMITS, nobody, settled,
    stage::{Act, At, HEAD, KEY, LONG, REFUSALS, Stage, Then},
    tasks,
    vendors::{EARS, Ear},
};
use crate::support::{FLOOD, Step, answer, at_once};

type Heard = Result<Vec<Result<Transcript, ProviderError>>, ProviderError>;

impl Ear {
    /// The adapter before a vendor that does this.
    async fn on(&self, act: Act) -> (Arc<dyn SpeechToText>, Stage) {
        let stage = self.wire.play(act).await;
        ((self.build)(stage.at()), stage)
    }

    async fn before(&self, steps: Vec<Step>) -> (Arc<dyn SpeechToText>, Stage) {
        let stage = Stage::plain(steps).await;
        ((self.build)(stage.at()), stage)
    }

    fn utterance(&self) -> BoxStream<'static, Frame> {
        stream::iter((0..self.frames).map(|n| Frame([n as i16; Frame::SAMPLES]))).boxed()
    }

    /// The utterance of somebody who may say more; its end, where the model hears nothing before.
    fn speaker(&self, ear: &dyn SpeechToText) -> BoxStream<'static, Frame> {
        if ear.capabilities().interim_results {
            self.utterance().chain(stream::pending()).boxed()
        } else {
            self.utterance()
        }
    }

    async fn hear(&self, ear: &dyn SpeechToText) -> Heard {
        let transcripts = ear.transcribe(options(), self.utterance()).await?;
        Ok(timeout(LONG, transcripts.collect()).await.unwrap_or_else(|_| panic!("{}: no end", self.name)))
    }

    /// Ears that wait for more: that were told something, or where nothing is told before all is, have asked.
    async fn listening(
        &self,
        ear: &dyn SpeechToText,
        stage: &Stage,
    ) -> BoxStream<'static, Result<Transcript, ProviderError>> {
        let before = stage.told().len();
        let mut transcripts = ear.transcribe(options(), self.speaker(ear)).await.unwrap();
        if !self.partials {
            while stage.told().len() == before {
                let early = timeout(Duration::from_millis(5), transcripts.next()).await;
                assert!(early.is_err(), "{}: {early:?}", self.name);
            }
            return transcripts;
        }
        let first = timeout(LONG, transcripts.next()).await.unwrap_or_else(|_| panic!("{}: no partial", self.name));
        assert!(matches!(first, Some(Ok(Transcript::Partial { .. }))), "{}: {first:?}", self.name);
        transcripts
    }
}

pub(crate) fn options() -> SttOptions {
    SttOptions { language: Some("en".into()), prompt: Some("Quixal".into()), interim: true, ..SttOptions::default() }
}

/// What was understood before the error that ended it, or all of it: promises are kept in either case.
pub(crate) fn ending(name: &str, heard: Heard) -> (Vec<Transcript>, Option<ProviderError>) {
    let mut events = heard.unwrap_or_else(|error| vec![Err(error)]);
    let error = events.pop_if(|last| last.is_err()).map(Result::unwrap_err);
    let told: Vec<_> =
        events.into_iter().map(|event| event.unwrap_or_else(|error| panic!("{name}: {error} and more"))).collect();
    let mut promised = "";
    for (at, event) in told.iter().enumerate() {
        let stable = match event {
            Transcript::Partial { stable, .. } => stable,
            Transcript::Final(last) => {
                assert!(at + 1 == told.len() && error.is_none(), "{name}: a final transcript is the last event");
                assert!(last.words.iter().all(|word| word.start <= word.end && word.end <= last.duration), "{name}");
                &last.text
            }
        };
        assert!(stable.starts_with(promised), "{name}: {stable:?} takes {promised:?} back");
        promised = stable;
    }
    assert!(error.is_some() || matches!(told.last(), Some(Transcript::Final(_))), "{name}: {told:?}");
    assert!(!error.as_ref().is_some_and(|error| format!("{error:?}").contains(KEY)), "{name}: {error:?}");
    (told, error)
}

#[tokio::test]
async fn a_documented_utterance_is_understood() {
    for vendor in EARS {
        let (ear, mut stage) = vendor.on(Act::Whole).await;
        let (told, error) = ending(vendor.name, vendor.hear(&*ear).await);
        assert_eq!(error, None, "{}", vendor.name);
        let Some(Transcript::Final(last)) = told.last() else { panic!("{}: {told:?}", vendor.name) };
        assert!(!last.text.is_empty(), "{}", vendor.name);
        assert_eq!(last.duration, Frame::DURATION * vendor.frames as u32, "{}", vendor.name);
        assert_eq!(last.words.is_empty(), !ear.capabilities().word_timestamps, "{}", vendor.name);
        stage.was_obeyed(vendor.name).await;
    }
}

#[tokio::test]
async fn without_interim_results_only_the_final_transcript_comes() {
    for vendor in EARS {
        let (ear, _stage) = vendor.on(Act::Without(vendor.interim)).await;
        let quiet = SttOptions { interim: false, ..options() };
        let events: Vec<_> = ear.transcribe(quiet, vendor.utterance()).await.unwrap().collect().await;
        assert!(matches!(events[..], [Ok(Transcript::Final(_))]), "{}: {events:?}", vendor.name);
    }
}

#[tokio::test]
async fn words_are_told_while_the_vendor_still_listens() {
    for vendor in EARS.iter().filter(|vendor| vendor.partials) {
        let (ear, mut stage) = vendor.on(Act::Begun(Then::Hang)).await;
        let mut transcripts = vendor.listening(&*ear, &stage).await;
        assert!(transcripts.next().now_or_never().is_none(), "{}: nothing else was said", vendor.name);
        drop(transcripts);
        stage.left().await;
    }
}

#[tokio::test]
async fn dropping_the_transcripts_lets_go_of_the_vendor_and_the_audio() {
    for vendor in EARS {
        for then in [Then::Hang, Then::Drip].into_iter().filter(|then| vendor.wire.can(*then)) {
            let (ear, mut stage) = vendor.on(Act::Begun(then)).await;
            let alive = Arc::new(AtomicUsize::new(1));
            let guard = Guard(alive.clone());
            let audio = vendor.speaker(&*ear).inspect(move |_| _ = &guard).boxed();
            let mut transcripts = ear.transcribe(options(), audio).await.unwrap();
            if vendor.partials {
                assert!(timeout(LONG, transcripts.next()).await.unwrap().unwrap().is_ok(), "{}", vendor.name);
            } else {
                assert!(timeout(Duration::from_millis(50), transcripts.next()).await.is_err(), "{}", vendor.name);
            }
            drop(transcripts);
            assert_eq!(alive.load(Ordering::SeqCst), 0, "{}: the audio is still held", vendor.name);
            at_once(stage.left()).await;
        }
        if !vendor.wire.asks() {
            continue;
        }
        // Also while it has not answered at all.
        let (ear, mut stage) = vendor.before(vec![Step::Hang]).await;
        let opening = async { ear.transcribe(options(), vendor.utterance()).await?.collect::<Vec<_>>().map(Ok).await };
        let opening: Result<Heard, _> = timeout(Duration::from_millis(50), opening).await;
        assert!(opening.is_err(), "{}", vendor.name);
        at_once(stage.left()).await;
    }
}

#[tokio::test]
async fn a_reader_that_waits_holds_the_vendor_back() {
    for vendor in EARS.iter().filter(|vendor| vendor.partials && vendor.wire.can(Then::Flood)) {
        let (ear, mut stage) = vendor.on(Act::Begun(Then::Flood)).await;
        let transcripts = vendor.listening(&*ear, &stage).await;
        let taken = stage.taken().await;
        // Less would be no flood.
        assert!((10_000..FLOOD / 2).contains(&taken), "{}: {taken} bytes were taken unread", vendor.name);
        drop(transcripts);
        stage.left().await;
    }
}

#[tokio::test]
async fn a_vendor_that_does_not_read_holds_the_speaker_back_and_is_still_heard() {
    for vendor in EARS.iter().filter(|vendor| vendor.wire.can(Then::Deaf)) {
        let (ear, _stage) = vendor.on(Act::Begun(Then::Deaf)).await;
        if !ear.capabilities().interim_results {
            continue;
        }
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        let endless = stream::repeat(Frame::SILENCE).inspect(move |_| _ = count.fetch_add(1, Ordering::SeqCst));
        let mut transcripts = ear.transcribe(options(), endless.boxed()).await.unwrap();
        let first = timeout(LONG, transcripts.next()).await.unwrap();
        assert!(matches!(first, Some(Ok(Transcript::Partial { .. }))), "{}: {first:?}", vendor.name);
        let mut before = usize::MAX;
        while before != taken.load(Ordering::SeqCst) {
            before = taken.load(Ordering::SeqCst);
            assert!(before < FLOOD / 640, "{}: audio is taken although nobody reads it", vendor.name);
            assert!(timeout(Duration::from_millis(200), transcripts.next()).await.is_err(), "{}", vendor.name);
        }
    }
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    let quoting = format!(r#"{{"error":{{"message":"Not with {KEY}, friend."}}}}"#);
    for vendor in EARS.iter().filter(|vendor| vendor.wire.asks()) {
        for (status, kind) in REFUSALS {
            for body in [quoting.as_str(), "<html>oops</html>"] {
                let headers = "retry-after: 7\r\nlocation: http://127.0.0.1:1/elsewhere\r\n";
                let (ear, _stage) = vendor.before(answer(status, headers, body)).await;
                let (told, error) = ending(vendor.name, vendor.hear(&*ear).await);
                let error = error.unwrap_or_else(|| panic!("{}: {status}: {told:?}", vendor.name));
                assert_eq!((error.kind, &*error.provider), (kind, "test/model"), "{} {status}", vendor.name);
                assert_eq!(error.retry_after, Some(Duration::from_secs(7)), "{} {status}", vendor.name);
                assert!(error.detail.contains(&status[..3]), "{}: {error}", vendor.name);
            }
        }
    }
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_unavailable() {
    let nowhere = nobody().await;
    for vendor in EARS {
        for (origin, kind) in [(nowhere.as_str(), ErrorKind::Unavailable), ("nonsense", ErrorKind::Rejected)] {
            let at = At { origin: Some(origin.to_owned()), key: KEY.into() };
            let (_, error) = ending(vendor.name, vendor.hear(&*(vendor.build)(at)).await);
            assert_eq!(error.map(|error| error.kind), Some(kind), "{}", vendor.name);
        }
    }
}

#[tokio::test]
async fn broken_messages_end_in_one_error_of_the_protocol() {
    for vendor in EARS {
        let broken = vendor.broken.iter().map(|message| Then::Say(message));
        for then in broken.chain([Then::Garbage]).filter(|then| vendor.wire.can(*then)) {
            for act in [Act::Opened(then), Act::Begun(then)] {
                let (ear, _stage) = vendor.on(act).await;
                let (_, error) = ending(vendor.name, vendor.hear(&*ear).await);
                assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Protocol), "{}: {act:?}", vendor.name);
            }
        }
    }
}

#[tokio::test]
async fn a_reset_after_any_message_costs_no_word_before_it() {
    for vendor in EARS {
        let (ear, _stage) = vendor.on(Act::Whole).await;
        let (whole, _) = ending(vendor.name, vendor.hear(&*ear).await);
        let (ear, _stage) = vendor.before(vec![Step::Reset]).await;
        let (_, error) = ending(vendor.name, vendor.hear(&*ear).await);
        assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Unavailable), "{}: not even opened", vendor.name);
        let mut errors = 0;
        for after in 0..=vendor.wire.messages() {
            let (ear, _stage) = vendor.on(Act::Cut(after)).await;
            let (told, error) = ending(vendor.name, vendor.hear(&*ear).await);
            // A vendor that has told everything may go without its goodbye.
            let Some(error) = error else { continue };
            errors += 1;
            let name = vendor.name;
            assert!(matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Protocol), "{name} at {after}: {error}");
            assert_eq!(told, whole[..told.len()], "{name} at {after}");
        }
        assert!(errors + 4 >= vendor.wire.messages(), "{}: only {errors} resets are errors", vendor.name);
    }
}

#[tokio::test]
async fn silence_and_dripping_are_given_up_and_let_go() {
    let soon = Duration::from_millis(60);
    let (opening, first) = (Timeouts { open: soon, first: soon, ..LIMITS }, Timeouts { first: soon, ..LIMITS });
    for vendor in EARS {
        let slow = [vec![Step::Hang], vec![Step::Send(HEAD.into()), Step::Drip]];
        let mut stages = Vec::new();
        for steps in slow.into_iter().filter(|_| vendor.wire.asks()) {
            stages.push((format!("{steps:?}"), Stage::plain(steps).await, opening));
        }
        for then in [Then::Hang, Then::Drip].into_iter().filter(|then| vendor.wire.can(*then)) {
            for (act, timeouts) in [(Act::Opened(then), first), (Act::Begun(then), first)] {
                stages.push((format!("{act:?}"), vendor.wire.play(act).await, timeouts));
            }
        }
        for (what, mut stage, timeouts) in stages {
            let timed = Timed::<dyn SpeechToText>::new("timed", timeouts, (vendor.build)(stage.at()));
            let (_, error) = ending(vendor.name, vendor.hear(&timed).await);
            let kind = error.map(|error| error.kind);
            assert_eq!(kind, Some(ErrorKind::Timeout), "{}: {what}", vendor.name);
            stage.left().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_left_behind() {
    for vendor in EARS {
        let (ear, mut stage) = vendor.on(Act::Begun(Then::Hang)).await;
        // A connection that calls share stays.
        drop(vendor.listening(&*ear, &stage).await);
        stage.left().await;
        let before = tasks();
        for _ in 0..10 {
            let mut open = Vec::new();
            for _ in 0..3 {
                open.push(vendor.listening(&*ear, &stage).await);
            }
            drop(open);
            for _ in 0..3 {
                stage.left().await;
            }
        }
        settled(vendor.name, before).await;
        let (ear, mut stage) = vendor.on(Act::Whole).await;
        let mut before = usize::MAX;
        for _ in 0..6 {
            let (_, error) = ending(vendor.name, vendor.hear(&*ear).await);
            assert_eq!(error, None, "{}", vendor.name);
            stage.was_obeyed(vendor.name).await;
            before = before.min(tasks());
        }
        settled(vendor.name, before).await;
    }
}
