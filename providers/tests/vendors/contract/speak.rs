//! Text-to-speech of vendors, each against a server on loopback that speaks its documented wire, and misbehaves.

use std::{sync::Arc, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, ProviderError, TextToSpeech,
    layers::{Timed, Timeouts},
    tts::{Clause, Speech, SpeechStream},
};
use tokio::time::timeout;

use super::{
    LIMITS, nobody, settled,
    stage::{Act, At, HEAD, KEY, LONG, REFUSALS, Stage, Then},
    tasks,
    vendors::{MOUTHS, Mouth},
    voice,
};
use crate::support::{FLOOD, Step, answer, at_once};

type Said = Result<Vec<Result<Speech, ProviderError>>, ProviderError>;

impl Mouth {
    /// The adapter before a vendor that does this.
    async fn on(&self, act: Act) -> (Arc<dyn TextToSpeech>, Stage) {
        let stage = self.wire.play(act).await;
        ((self.build)(stage.at()), stage)
    }

    async fn before(&self, steps: Vec<Step>) -> (Arc<dyn TextToSpeech>, Stage) {
        let stage = Stage::plain(steps).await;
        ((self.build)(stage.at()), stage)
    }

    async fn say(&self, mouth: &dyn TextToSpeech) -> Said {
        say(self.name, mouth, self.text).await
    }

    /// A voice that was heard and is owed more; the second clause is not known yet.
    async fn speaking(&self, mouth: &dyn TextToSpeech) -> SpeechStream {
        let text = clauses(&self.text[..1]).chain(stream::pending()).boxed();
        let mut speech = mouth.speak(voice(1.0), text).await.unwrap();
        let first = timeout(LONG, speech.next()).await.unwrap_or_else(|_| panic!("{}: no sound", self.name));
        assert!(matches!(first, Some(Ok(Speech::Audio { .. } | Speech::Word { .. }))), "{}: {first:?}", self.name);
        speech
    }
}

pub(crate) async fn say(name: &str, mouth: &dyn TextToSpeech, text: &[&str]) -> Said {
    let speech = mouth.speak(voice(1.0), clauses(text)).await?;
    Ok(timeout(LONG, speech.collect()).await.unwrap_or_else(|_| panic!("{name}: no end")))
}

fn clauses(texts: &[&str]) -> BoxStream<'static, Clause> {
    super::clauses(texts, Arc::default())
}

/// What was voiced before the error that ended it, or all of it: promises are kept in either case.
pub(crate) fn ending(name: &str, text: &[&str], said: Said) -> (Vec<Speech>, Option<ProviderError>) {
    let mut events = said.unwrap_or_else(|error| vec![Err(error)]);
    let error = events.pop_if(|last| last.is_err()).map(Result::unwrap_err);
    let told: Vec<_> =
        events.into_iter().map(|event| event.unwrap_or_else(|error| panic!("{name}: {error} and more"))).collect();
    let mut open = 0;
    for event in &told {
        match event {
            Speech::Audio { clause, clip } => assert!(*clause == open && !clip.samples.is_empty(), "{name}: {clause}"),
            Speech::Word { clause, range, start, end } => {
                assert!(text[*clause as usize].get(range.clone()).is_some() && start <= end, "{name}: {range:?}");
            }
            Speech::ClauseDone { clause } => {
                assert_eq!(*clause, open, "{name}");
                open += 1;
            }
        }
    }
    assert_eq!(error.is_none(), open as usize == text.len(), "{name}: {open} clauses, {error:?}");
    assert!(!error.as_ref().is_some_and(|error| format!("{error:?}").contains(KEY)), "{name}: {error:?}");
    (told, error)
}

/// All samples, each with its clause.
fn sound(told: &[Speech]) -> Vec<(u32, i16)> {
    let clips = told.iter().filter_map(|event| match event {
        Speech::Audio { clause, clip } => Some(clip.samples.iter().map(|sample| (*clause, *sample))),
        Speech::Word { .. } | Speech::ClauseDone { .. } => None,
    });
    clips.flatten().collect()
}

#[tokio::test]
async fn documented_speech_is_heard() {
    for vendor in MOUTHS {
        let (mouth, mut stage) = vendor.on(Act::Whole).await;
        let (told, error) = ending(vendor.name, vendor.text, vendor.say(&*mouth).await);
        assert_eq!(error, None, "{}", vendor.name);
        for clause in 0..vendor.text.len() as u32 {
            assert!(sound(&told).iter().any(|(of, _)| *of == clause), "{}: clause {clause} is mute", vendor.name);
        }
        let words = told.iter().any(|event| matches!(event, Speech::Word { .. }));
        assert_eq!(words, mouth.capabilities().word_timestamps, "{}", vendor.name);
        stage.was_obeyed(vendor.name).await;
    }
}

#[tokio::test]
async fn sound_is_given_before_its_end_and_before_the_next_clause_is_known() {
    for vendor in MOUTHS {
        let (mouth, mut stage) = vendor.on(Act::Begun(Then::Hang)).await;
        let mut speech = vendor.speaking(&*mouth).await;
        while speech.next().now_or_never().is_some_and(|event| event.unwrap().is_ok()) {}
        drop(speech);
        stage.left().await;
    }
}

#[tokio::test]
async fn nothing_to_say_is_done_without_a_sound() {
    for vendor in MOUTHS {
        let (mouth, _stage) = vendor.on(Act::Opened(Then::Hang)).await;
        let (told, error) = ending(vendor.name, &["", " … "], say(vendor.name, &*mouth, &["", " … "]).await);
        assert_eq!((told.len(), error), (2, None), "{}", vendor.name);
    }
}

#[tokio::test]
async fn a_clause_that_came_without_sound_is_not_done() {
    for vendor in MOUTHS {
        let stage = vendor.wire.mute(vendor.rest).await;
        let said = vendor.say(&*(vendor.build)(stage.at())).await;
        let (told, error) = ending(vendor.name, vendor.text, said);
        assert_eq!((told, error.map(|error| error.kind)), (vec![], Some(ErrorKind::Unavailable)), "{}", vendor.name);
    }
}

#[tokio::test]
async fn dropping_the_speech_lets_go_of_the_vendor_at_once() {
    for vendor in MOUTHS {
        for then in [Then::Hang, Then::Drip].into_iter().filter(|then| vendor.wire.can(*then)) {
            let (mouth, mut stage) = vendor.on(Act::Begun(then)).await;
            drop(vendor.speaking(&*mouth).await);
            at_once(stage.left()).await;
        }
        if !vendor.wire.asks() {
            continue;
        }
        // Also while it has not answered at all.
        let (mouth, mut stage) = vendor.before(vec![Step::Hang]).await;
        assert!(timeout(Duration::from_millis(50), vendor.say(&*mouth)).await.is_err(), "{}", vendor.name);
        at_once(stage.left()).await;
    }
}

#[tokio::test]
async fn a_listener_that_waits_holds_the_vendor_back() {
    for vendor in MOUTHS.iter().filter(|vendor| vendor.wire.can(Then::Flood)) {
        let (mouth, mut stage) = vendor.on(Act::Begun(Then::Flood)).await;
        let mut speech = vendor.speaking(&*mouth).await;
        let taken = stage.taken().await;
        // Less would be no flood.
        assert!((10_000..FLOOD / 2).contains(&taken), "{}: {taken} bytes were taken unread", vendor.name);
        assert!(timeout(LONG, speech.next()).await.unwrap().unwrap().is_ok(), "{}: it goes on", vendor.name);
        drop(speech);
        stage.left().await;
    }
}

#[tokio::test]
async fn long_clauses_are_said_in_pieces_that_fit_and_stay_one_clause() {
    let sentence = "Un été à la mer vaut mieux que cent hivers dans les murs gris d'une ville. ";
    // The second fits everywhere, and is too long to be asked for ahead of its turn.
    let text = [sentence.repeat(160), sentence.repeat(8)];
    let text = text.each_ref().map(|text| text.trim_end());
    for vendor in MOUTHS {
        let Some(stage) = vendor.wire.repeat(vendor.rest).await else { continue };
        let mouth = (vendor.build)(stage.at());
        let (told, error) = ending(vendor.name, &text, say(vendor.name, &*mouth, &text).await);
        assert_eq!(error, None, "{}", vendor.name);
        let pieces: Vec<_> = stage.told().iter().filter_map(|message| (vendor.said)(message)).collect();
        let pieces: Vec<_> = pieces.into_iter().filter(|piece| !piece.trim().is_empty()).collect();
        assert!(pieces.iter().all(|piece| (vendor.fits)(piece)), "{}", vendor.name);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(words(&pieces.join(" ")) == words(&text.join(" ")), "{}: every word once", vendor.name);
        assert_eq!(pieces.len() > 2, !(vendor.fits)(text[0]), "{}: {} pieces", vendor.name, pieces.len());
        let each = sound(&told).iter().filter(|(clause, _)| *clause == 1).count();
        assert_eq!(sound(&told).len(), pieces.len() * each, "{}: sound of every piece", vendor.name);
    }
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    let quoting = format!(r#"{{"error":{{"message":"Not with {KEY}, friend."}}}}"#);
    for vendor in MOUTHS.iter().filter(|vendor| vendor.wire.asks()) {
        for (status, kind) in REFUSALS {
            for body in [quoting.as_str(), "<html>oops</html>"] {
                let headers = "retry-after: 7\r\nlocation: http://127.0.0.1:1/elsewhere\r\n";
                let (mouth, _stage) = vendor.before(answer(status, headers, body)).await;
                let (told, error) = ending(vendor.name, vendor.text, vendor.say(&*mouth).await);
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
    for vendor in MOUTHS {
        for (origin, kind) in [(nowhere.as_str(), ErrorKind::Unavailable), ("nonsense", ErrorKind::Rejected)] {
            let at = At { origin: Some(origin.to_owned()), key: KEY.into() };
            let (_, error) = ending(vendor.name, vendor.text, vendor.say(&*(vendor.build)(at)).await);
            assert_eq!(error.map(|error| error.kind), Some(kind), "{}", vendor.name);
        }
    }
}

#[tokio::test]
async fn broken_messages_end_in_one_error_of_the_protocol() {
    for vendor in MOUTHS {
        let broken = vendor.broken.iter().map(|message| Then::Say(message));
        for then in broken.chain([Then::Garbage]).filter(|then| vendor.wire.can(*then)) {
            for act in [Act::Opened(then), Act::Begun(then)] {
                let (mouth, _stage) = vendor.on(act).await;
                let (_, error) = ending(vendor.name, vendor.text, vendor.say(&*mouth).await);
                assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Protocol), "{}: {act:?}", vendor.name);
            }
        }
    }
}

#[tokio::test]
async fn a_reset_after_any_message_repeats_no_sound_and_is_one_error() {
    for vendor in MOUTHS {
        let (mouth, _stage) = vendor.on(Act::Whole).await;
        let (whole, _) = ending(vendor.name, vendor.text, vendor.say(&*mouth).await);
        let (mouth, _stage) = vendor.before(vec![Step::Reset]).await;
        let (_, error) = ending(vendor.name, vendor.text, vendor.say(&*mouth).await);
        assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Unavailable), "{}: not even opened", vendor.name);
        let mut errors = 0;
        for after in 0..=vendor.wire.messages() {
            let (mouth, _stage) = vendor.on(Act::Cut(after)).await;
            let (told, error) = ending(vendor.name, vendor.text, vendor.say(&*mouth).await);
            let (heard, all, name) = (sound(&told), sound(&whole), vendor.name);
            assert!(all.starts_with(&heard), "{name} at {after}: {} samples of {}", heard.len(), all.len());
            // A vendor that has voiced everything may go without its goodbye.
            let Some(error) = error else { continue };
            errors += 1;
            assert!(matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Protocol), "{name} at {after}: {error}");
        }
        assert!(errors + 3 >= vendor.wire.messages(), "{}: only {errors} resets are errors", vendor.name);
    }
}

#[tokio::test]
async fn silence_and_dripping_are_given_up_and_let_go() {
    let soon = Duration::from_millis(60);
    let opening = Timeouts { open: soon, first: soon, ..LIMITS };
    let (first, idle) = (Timeouts { first: soon, ..LIMITS }, Timeouts { idle: soon, ..LIMITS });
    for vendor in MOUTHS {
        let slow = [vec![Step::Hang], vec![Step::Send(HEAD.into()), Step::Drip]];
        let mut stages = Vec::new();
        for steps in slow.into_iter().filter(|_| vendor.wire.asks()) {
            stages.push((format!("{steps:?}"), Stage::plain(steps).await, opening));
        }
        for then in [Then::Hang, Then::Drip].into_iter().filter(|then| vendor.wire.can(*then)) {
            for (act, timeouts) in [(Act::Opened(then), first), (Act::Begun(then), idle)] {
                stages.push((format!("{act:?}"), vendor.wire.play(act).await, timeouts));
            }
        }
        for (what, mut stage, timeouts) in stages {
            let timed = Timed::<dyn TextToSpeech>::new("timed", timeouts, (vendor.build)(stage.at()));
            let (_, error) = ending(vendor.name, vendor.text, vendor.say(&timed).await);
            let kind = error.map(|error| error.kind);
            assert_eq!(kind, Some(ErrorKind::Timeout), "{}: {what}", vendor.name);
            stage.left().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_left_behind() {
    for vendor in MOUTHS {
        let (mouth, mut stage) = vendor.on(Act::Begun(Then::Hang)).await;
        // A connection that calls share stays.
        drop(vendor.speaking(&*mouth).await);
        stage.left().await;
        let before = tasks();
        for _ in 0..10 {
            let mut open = Vec::new();
            for _ in 0..3 {
                open.push(vendor.speaking(&*mouth).await);
            }
            drop(open);
            for _ in 0..3 {
                stage.left().await;
            }
        }
        settled(vendor.name, before).await;
        let (mouth, mut stage) = vendor.on(Act::Whole).await;
        let mut before = usize::MAX;
        for _ in 0..6 {
            let (_, error) = ending(vendor.name, vendor.text, vendor.say(&*mouth).await);
            assert_eq!(error, None, "{}", vendor.name);
            stage.was_obeyed(vendor.name).await;
            before = before.min(tasks());
        }
        settled(vendor.name, before).await;
    }
}
