//! Workers beside scripted providers, on a paused clock.

use audio::SampleRate;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use providers::{
    ProviderError, SpeechToText,
    scripted::{self, Fault, Faults, Length, LlmScript, SttScript, TtsScript},
    stt::{FinalTranscript, SttCapabilities, Transcript, TranscriptStream},
};

use super::*;
use crate::realtime::session::input::Spoken;

const PATIENCE: Duration = Duration::from_secs(60);
const TURN: TurnId = TurnId(1);

fn recall() -> Recall {
    Recall { memory: Arc::default(), window: 100_000 }
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_given_exactly_its_stretch_of_the_stream() {
    let (heard, mut taken) = mpsc::unbounded_channel();
    let stt = Arc::new(Recorder(heard));
    let (mut workers, mut inbox) = workers(Providers { stt, ..scripted(Faults::default()) });
    let stream = stream(50);
    workers.listen(TURN, millis(115), SttOptions::default());
    assert_eq!(feed(&mut workers, &stream[..20]), Fed::All);
    workers.finish(TURN, millis(605));
    assert_eq!(feed(&mut workers, &stream), Fed::All);

    let understood = |input: &Input| matches!(input, Input::Transcript { event: Ok(Transcript::Final(_)), .. });
    assert!(last(&mut inbox, understood).await);
    let mut samples = Vec::new();
    while let Ok(frame) = taken.try_recv() {
        samples.extend_from_slice(frame.samples());
    }
    // Whole frames from 100 to 620 ms, silent where they reach beyond 115 and 605.
    let expected: Vec<i16> = (5..31)
        .flat_map(|frame| [frame + 1; Frame::SAMPLES])
        .enumerate()
        .map(|(at, sample)| if (15 * 16..(605 - 100) * 16).contains(&at) { sample } else { 0 })
        .collect();
    assert_eq!(samples, expected);
}

#[tokio::test(start_paused = true)]
async fn speech_to_text_that_takes_no_audio_fills_up_and_is_given_up() {
    let (mut workers, _inbox) = workers(scripted(Faults::always(Fault::Ignore)));
    workers.listen(TURN, Duration::ZERO, SttOptions::default());
    let stream = stream(300);
    assert_eq!(feed(&mut workers, &stream), Fed::Full);
    assert!(workers.is_full());
    assert!(workers.room().now_or_never().is_none());
    let given_up = workers.give_up(millis(6_000));
    assert!(matches!(given_up[..], [(Input::Transcript { turn: TURN, event: Err(_) }, lost)] if lost == millis(2_000)));
    assert_eq!(workers.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn every_way_to_fall_silent_is_told_as_a_failure() {
    for fault in [Fault::Ignore, Fault::Hang { after: 0 }, Fault::Vanish { after: 0 }, Fault::Garbage { after: 0 }] {
        let (mut workers, mut inbox) = workers(scripted(Faults::always(fault)));
        workers.think(response(), Prompt::default());
        let thought = last(&mut inbox, |input| matches!(input, Input::Thought { event: Err(_), .. })).await;
        assert!(thought, "{fault:?}");
        workers.speak(response(), voice(), clause());
        workers.speak_end(&response());
        let failed = |input: &Input| matches!(input, Input::Spoken { event: Spoken::Failed(_), .. });
        assert!(last(&mut inbox, failed).await, "{fault:?}");
        workers.listen(TURN, Duration::ZERO, SttOptions::default());
        workers.finish(TURN, Duration::ZERO);
        let unheard = |input: &Input| matches!(input, Input::Transcript { event: Err(_), .. });
        assert!(last(&mut inbox, unheard).await, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_before_the_end_of_the_audio_is_no_failure() {
    let (mut workers, mut inbox) = workers(scripted(Faults::default()));
    workers.listen(TURN, Duration::ZERO, SttOptions::default());
    tokio::time::advance(PATIENCE * 5).await;
    assert!(inbox.try_recv().is_err());
    workers.finish(TURN, Duration::ZERO);
    let understood = |input: &Input| matches!(input, Input::Transcript { event: Ok(Transcript::Final(_)), .. });
    assert!(last(&mut inbox, understood).await);
}

#[tokio::test(start_paused = true)]
async fn speech_at_any_rate_arrives_at_24_khz_as_long_as_it_was() {
    for rate in [SampleRate::HZ_16000, SampleRate::HZ_24000, SampleRate::HZ_48000] {
        let tts = TtsScript { rate, length: Length::Fixed(millis(1_230)), ..TtsScript::default() };
        let tts = Arc::new(scripted::TextToSpeech::new(tts));
        let (mut workers, mut inbox) = workers(Providers { tts, ..scripted(Faults::default()) });
        workers.speak(response(), voice(), clause());
        workers.speak_end(&response());
        let mut samples = 0;
        loop {
            match inbox.recv().await.unwrap() {
                Report::Sound { samples: piece, .. } => samples += piece.len(),
                Report::Input(Input::Spoken { event: Spoken::Finished, .. }) => break,
                Report::Input(Input::Spoken { event: Spoken::Mark(_), .. }) => {}
                other @ Report::Input(_) => panic!("{other:?}"),
            }
        }
        assert_eq!(samples, 24 * 1_230, "{rate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn speech_runs_no_further_ahead_than_its_credit() {
    let tts = TtsScript { length: Length::Fixed(Duration::from_secs(10)), ..TtsScript::default() };
    let providers = Providers { tts: Arc::new(scripted::TextToSpeech::new(tts)), ..scripted(Faults::default()) };
    let (mut workers, mut inbox) =
        Workers::new(providers, Clock::system(), PATIENCE, Duration::from_secs(1), Dossier::default(), recall());
    workers.speak(response(), voice(), clause());
    assert_eq!(sound(&mut inbox).await, 24_000);
    workers.released(&response(), 12_000);
    assert_eq!(sound(&mut inbox).await, 12_000);
    assert_eq!(sound(&mut inbox).await, 0);
}

/// All samples that come before the worker waits.
async fn sound(inbox: &mut mpsc::Receiver<Report>) -> usize {
    let mut samples = 0;
    while let Ok(Some(report)) = tokio::time::timeout(millis(100), inbox.recv()).await {
        if let Report::Sound { samples: piece, .. } = report {
            samples += piece.len();
        }
    }
    samples
}

/// Whether the wanted input comes; sound and everything else may come before.
async fn last(inbox: &mut mpsc::Receiver<Report>, wanted: impl Fn(&Input) -> bool) -> bool {
    let found = async {
        loop {
            match inbox.recv().await {
                Some(Report::Input(input)) if wanted(&input) => return true,
                Some(Report::Input(_) | Report::Sound { .. }) => {}
                None => return false,
            }
        }
    };
    tokio::time::timeout(PATIENCE * 10, found).await.unwrap_or(false)
}

fn workers(providers: Providers) -> (Workers, mpsc::Receiver<Report>) {
    Workers::new(providers, Clock::system(), PATIENCE, Duration::from_secs(20), Dossier::default(), recall())
}

pub(super) fn scripted(faults: Faults) -> Providers {
    Providers {
        stt: Arc::new(scripted::SpeechToText::new(SttScript { faults: faults.clone(), ..SttScript::default() })),
        llm: Arc::new(scripted::LanguageModel::new(LlmScript { faults: faults.clone(), ..LlmScript::default() })),
        tts: Arc::new(scripted::TextToSpeech::new(TtsScript { faults, ..TtsScript::default() })),
        realtime: None,
        turn: None,
    }
}

fn feed(workers: &mut Workers, stream: &[Frame]) -> Fed {
    workers.feed(None, |from| {
        let first = (from.as_millis() / 20) as usize;
        stream.iter().enumerate().skip(first).map(|(at, frame)| (millis(20 * (at as u64 + 1)), frame))
    })
}

/// Frames that tell where they stand.
fn stream(frames: i16) -> Vec<Frame> {
    (1..=frames).map(|frame| Frame([frame; Frame::SAMPLES])).collect()
}

fn response() -> ResponseId {
    ResponseId::new("resp_1")
}

fn voice() -> Voice {
    Voice { name: "tone".into(), language: None, speed: 1.0 }
}

fn clause() -> Clause {
    Clause { id: 0, text: "Hello.".into() }
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Speech-to-text that hands on what it hears.
struct Recorder(mpsc::UnboundedSender<Frame>);

impl SpeechToText for Recorder {
    fn capabilities(&self) -> SttCapabilities {
        SttCapabilities::default()
    }

    fn transcribe(
        &self,
        _: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let heard = self.0.clone();
        let hear = async move {
            audio
                .for_each(|frame| {
                    let _ = heard.send(frame);
                    async {}
                })
                .await;
            Ok(Transcript::Final(FinalTranscript::default()))
        };
        async move { Ok(futures_util::stream::once(hear).boxed()) }.boxed()
    }
}
