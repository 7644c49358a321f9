//! Layers over scripted speech-to-speech, on a virtual clock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use audio::Frame;
use providers::{
    ErrorKind, RealtimeModel,
    layers::{
        Breaker, BreakerSettings, Fallback, Guarded, Limit, LimitSettings, Observation, Observed, Observer, Role,
        Timed, Timeouts,
    },
    realtime::{Command, RealtimeCapabilities},
    scripted::{self, Fault, Faults, RealtimeScript, Reply},
};
use tokio::time::Instant;

use super::talk::{Talk, respond, say, words};

/// The runtime's virtual clock, and what was told.
struct Watch {
    start: Instant,
    told: Mutex<Vec<Observation>>,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "the clock is the paused runtime's")]
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), told: Mutex::default() })
    }

    fn take(&self) -> Vec<Observation> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

impl Observer for Watch {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn observe(&self, _: &str, role: Role, event: Observation) {
        assert_eq!(role, Role::Realtime);
        self.told.lock().unwrap().push(event);
    }
}

fn scripted(script: RealtimeScript) -> Arc<dyn RealtimeModel> {
    Arc::new(scripted::RealtimeModel::new(script))
}

fn saying(text: &str) -> Arc<dyn RealtimeModel> {
    scripted(RealtimeScript { every: Reply::Text(text.into()), ..RealtimeScript::default() })
}

const SECOND: Duration = Duration::from_secs(1);
const TIMEOUTS: Timeouts = Timeouts { open: SECOND, first: Duration::from_secs(2), idle: Duration::from_secs(3) };

#[tokio::test(start_paused = true)]
async fn the_next_model_holds_what_the_first_does_not_open_and_hears_all_of_it() {
    for fault in [Fault::Refuse(ErrorKind::Unavailable), Fault::Refuse(ErrorKind::Unauthorized)] {
        let second = scripted::RealtimeModel::default();
        let first = scripted(RealtimeScript { faults: Faults::always(fault), ..RealtimeScript::default() });
        let chain = Fallback::<dyn RealtimeModel>::new(first, vec![Arc::new(second.clone())]);
        let mut talk = Talk::open(&chain).await.unwrap();
        for command in [Command::Hear(Frame::SILENCE), Command::Commit, respond(1)] {
            talk.tell(command).await;
        }
        assert_eq!(words(&talk.reply(1).await.unwrap()), "You said: scripted utterance 1");
        assert_eq!(second.conversations()[0].commands.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn once_open_a_death_is_the_callers_and_the_last_refusal_too() {
    let kind = ErrorKind::Unavailable;
    let dies = scripted(RealtimeScript {
        faults: Faults::always(Fault::Break { after: 2, kind }),
        ..RealtimeScript::default()
    });
    let other = scripted::RealtimeModel::default();
    let chain = Fallback::<dyn RealtimeModel>::new(dies, vec![Arc::new(other.clone())]);
    let mut talk = Talk::open(&chain).await.unwrap();
    talk.tell(respond(1)).await;
    assert_eq!(talk.reply(1).await.unwrap_err().kind, kind);
    assert_eq!(other.calls(), 0);
    let refusing =
        |kind| scripted(RealtimeScript { faults: Faults::always(Fault::Refuse(kind)), ..RealtimeScript::default() });
    let chain = Fallback::<dyn RealtimeModel>::new(refusing(kind), vec![refusing(ErrorKind::RateLimited)]);
    assert_eq!(Talk::open(&chain).await.err().unwrap().kind, ErrorKind::RateLimited);
}

#[test]
fn a_chain_promises_what_all_of_it_can_do() {
    let fixed = RealtimeCapabilities { tools: true, voices: vec!["b".into()], ..RealtimeCapabilities::default() };
    let able = scripted(RealtimeScript::default());
    let fixed = scripted(RealtimeScript { capabilities: fixed, ..RealtimeScript::default() });
    let promised = Fallback::<dyn RealtimeModel>::new(able, vec![fixed]).capabilities();
    assert_eq!((promised.tools, promised.text, promised.reconfigures), (true, false, false));
    assert_eq!(promised.voices, ["tone"]);
}

#[tokio::test(start_paused = true)]
async fn opening_and_every_reply_are_reported_as_requests() {
    let watch = Watch::new();
    let failing = BTreeMap::from([(2, ErrorKind::RateLimited)]);
    let script = RealtimeScript { open: SECOND, first: SECOND, failing, ..RealtimeScript::default() };
    let model = scripted::RealtimeModel::new(script);
    let observed = Observed::<dyn RealtimeModel>::new("x", watch.clone(), Arc::new(model.clone()));
    let mut talk = Talk::open(&observed).await.unwrap();
    assert_eq!(watch.take(), [Observation::Requested, Observation::Finished { after: SECOND }]);
    talk.tell(respond(1)).await;
    talk.reply(1).await.unwrap();
    let answered =
        [Observation::Requested, Observation::First { after: SECOND }, Observation::Finished { after: SECOND }];
    assert_eq!(watch.take(), answered);
    talk.tell(respond(2)).await;
    talk.reply(2).await.unwrap();
    let failed = Observation::Failed { after: SECOND, kind: ErrorKind::RateLimited };
    assert_eq!(watch.take(), [Observation::Requested, failed]);
    talk.tell(respond(3)).await;
    talk.next().await.unwrap();
    talk.tell(Command::Cancel).await;
    talk.tell(respond(4)).await;
    talk.reply(4).await.unwrap();
    assert_eq!(watch.take()[2], Observation::Cancelled { after: SECOND });
    model.kill(ErrorKind::Unavailable);
    talk.next().await.unwrap_err();
    let lost = Observation::Failed { after: Duration::ZERO, kind: ErrorKind::Unavailable };
    assert_eq!(watch.take(), [Observation::Requested, lost]);
}

#[tokio::test(start_paused = true)]
async fn models_are_given_up_in_time_and_idle_conversations_are_not() {
    let limits = [
        (RealtimeScript { open: SECOND * 2, ..RealtimeScript::default() }, "to open"),
        (RealtimeScript { first: SECOND * 4, ..RealtimeScript::default() }, "to the first step"),
        (RealtimeScript { pace: SECOND * 4, ..RealtimeScript::default() }, "between steps"),
    ];
    for (script, what) in limits {
        let timed = Timed::<dyn RealtimeModel>::new("x", TIMEOUTS, scripted(script));
        let error = async {
            let mut talk = Talk::open(&timed).await?;
            tokio::time::sleep(SECOND * 3_600).await;
            talk.tell(respond(1)).await;
            talk.reply(1).await
        };
        let error = error.await.unwrap_err();
        assert!(error.kind == ErrorKind::Timeout && error.detail.contains(what), "{what}: {error}");
    }
    let timed = Timed::<dyn RealtimeModel>::new("x", TIMEOUTS, scripted(RealtimeScript::default()));
    let mut talk = Talk::open(&timed).await.unwrap();
    for reply in 1..4 {
        talk.tell(say("hello")).await;
        talk.tell(respond(reply)).await;
        assert_eq!(words(&talk.reply(reply).await.unwrap()), "You said: hello");
        let quiet = tokio::time::timeout(SECOND * 3_600, talk.next()).await;
        assert!(quiet.is_err(), "nobody owes anything between replies");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_reply_owes_nothing_more() {
    let script = RealtimeScript { pace: SECOND * 60, ..RealtimeScript::default() };
    let timed = Timed::<dyn RealtimeModel>::new("x", TIMEOUTS, scripted(script));
    let mut talk = Talk::open(&timed).await.unwrap();
    talk.tell(respond(1)).await;
    talk.next().await.unwrap();
    talk.next().await.unwrap();
    talk.tell(Command::Cancel).await;
    assert!(tokio::time::timeout(SECOND * 3_600, talk.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn replies_that_fail_open_the_breaker_and_a_good_one_between_them_does_not() {
    let settings = BreakerSettings { failures: 2, ..BreakerSettings::default() };
    for (failing, opens) in [(vec![1, 2], true), (vec![1, 3], false)] {
        let watch = Watch::new();
        let failing = failing.into_iter().map(|reply| (reply, ErrorKind::Unavailable)).collect();
        let model = scripted(RealtimeScript { failing, ..RealtimeScript::default() });
        let breaker = Breaker::new("x", Role::Realtime, settings, watch);
        let guarded = Guarded::<dyn RealtimeModel>::new(Arc::new(breaker.clone()), model);
        let mut talk = Talk::open(&guarded).await.unwrap();
        for reply in 1..4 {
            talk.tell(respond(reply)).await;
            talk.reply(reply).await.unwrap();
            if reply == 2 {
                assert_eq!(breaker.resting().is_some(), opens);
            }
        }
        assert_eq!(breaker.resting(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_keeps_its_place_until_it_is_hung_up() {
    let settings = LimitSettings { concurrent: 1, waiting: 0, ..LimitSettings::default() };
    let limit = Limit::new("x", settings, Watch::new());
    let guarded = Guarded::<dyn RealtimeModel>::new(Arc::new(limit), saying("Fine."));
    let talk = Talk::open(&guarded).await.unwrap();
    assert_eq!(Talk::open(&guarded).await.err().unwrap().kind, ErrorKind::RateLimited);
    drop(talk);
    assert!(Talk::open(&guarded).await.is_ok());
}
