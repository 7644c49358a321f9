//! From the client's microphone to what listens in the relay, and from what speaks in the relay to the client's ear.
//!
//! Clicks: a packet of full scale in a stream of quiet ones. Up: from handing the packet to the socket to the frame
//! with the click reaching speech-to-text; 20 ms of encoding before that are the client's. Down: from text-to-speech
//! giving the click to its packet being decoded.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use audio::{Clip, Frame, SampleRate};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use providers::{
    ProviderError, SpeechToText, TextToSpeech,
    stt::{FinalTranscript, SttCapabilities, SttOptions, Transcript, TranscriptStream},
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};
use serde_json::json;
use tokio::time::sleep;

use crate::{
    caller::Caller,
    relay::{Script, relay_with},
    tell,
};

/// Clicks each way.
const CLICKS: usize = 100;
/// Between two: more than any delay, and no multiple of 20 ms.
const PAUSE: Duration = Duration::from_millis(107);

/// When clicks were seen.
type Seen = Arc<Mutex<Vec<Instant>>>;

/// Notes clicks, understands nothing.
struct Ear(Seen);

impl SpeechToText for Ear {
    fn capabilities(&self) -> SttCapabilities {
        SttCapabilities::default()
    }

    fn transcribe(
        &self,
        _: SttOptions,
        mut audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let seen = Arc::clone(&self.0);
        let heard = async move {
            while let Some(frame) = audio.next().await {
                note(&seen, frame.samples());
            }
            Ok(Transcript::Final(FinalTranscript { text: "go on".into(), ..FinalTranscript::default() }))
        };
        async { Ok(heard.into_stream().boxed() as TranscriptStream) }.boxed()
    }
}

/// Says clicks.
struct Mouth(Seen);

impl TextToSpeech for Mouth {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities::default()
    }

    fn speak(&self, _: Voice, text: BoxStream<'static, Clause>) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let given = Arc::clone(&self.0);
        let clicks = text.take(1).flat_map(move |clause| {
            let given = Arc::clone(&given);
            let click = move |index: usize| {
                let given = Arc::clone(&given);
                async move {
                    sleep(PAUSE).await;
                    given.lock().unwrap().push(Instant::now());
                    // Short, so that nothing waits for its turn behind it.
                    let samples = vec![if index.is_multiple_of(2) { 20_000 } else { -20_000 }; 480];
                    Ok(Speech::Audio { clause: clause.id, clip: Clip { rate: SampleRate::HZ_24000, samples } })
                }
            };
            futures_util::stream::iter(0..CLICKS).then(click)
        });
        async { Ok(clicks.boxed() as SpeechStream) }.boxed()
    }
}

/// Notes the first of a row of loud stretches.
fn note(seen: &Seen, samples: &[i16]) {
    let mut seen = seen.lock().unwrap();
    let now = Instant::now();
    let new = seen.last().is_none_or(|last| now - *last > PAUSE / 2);
    if new && samples.iter().any(|sample| sample.unsigned_abs() > 8_000) {
        seen.push(now);
    }
}

pub(crate) async fn run() {
    let (up, down) = (Seen::default(), Seen::default());
    let (ear, mouth) = (Arc::new(Ear(Arc::clone(&up))), Arc::new(Mouth(Arc::clone(&down))));
    let relay = relay_with(Script::default(), |context| {
        context.providers.stt = ear;
        context.providers.tts = mouth;
    })
    .await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    // The turn stays open from the first click on: only the client ends it.
    let input =
        json!({"turn_detection": {"type": "server_vad", "silence_duration_ms": 10_000, "create_response": false}});
    caller.send(json!({"type": "session.update", "session": {"type": "realtime", "audio": {"input": input}}})).await;
    caller.until("session.updated").await;
    let speech: Vec<i16> = crate::load::recording().into_iter().map(|sample| sample / 8).collect();
    caller.say(&speech);
    caller.until("input_audio_buffer.speech_started").await;
    let sent = caller.click(CLICKS, PAUSE).await;
    tell("microphone packet to speech-to-text", pairs(&sent, &up.lock().unwrap()), "");
    caller.send(json!({"type": "input_audio_buffer.clear"})).await;
    caller.send(json!({"type": "response.create"})).await;
    caller.until("output_audio_buffer.started").await;
    let heard = Seen::default();
    while heard.lock().unwrap().len() < CLICKS {
        note(&heard, &caller.hear().await.samples);
    }
    let given = down.lock().unwrap().clone();
    let heard = heard.lock().unwrap().clone();
    let (ups, downs) = (pairs(&sent, &up.lock().unwrap()), pairs(&given, &heard));
    tell("text-to-speech to packet at the client", downs.clone(), "");
    // Either direction at its worst of twenty at the same time is rarer than one in twenty.
    let p95 = |mut spans: Vec<Duration>| {
        spans.sort_unstable();
        crate::rank(&spans, 95)
    };
    println!("mouth to ear, sum of both p95: {:.1} ms (aim: 60)\n", p95(ups) + p95(downs));
}

fn pairs(from: &[Instant], to: &[Instant]) -> Vec<Duration> {
    let spans = from.iter().map(|from| to.iter().find(|to| *to >= from).map(|to| *to - *from));
    spans.flatten().filter(|span| *span < PAUSE).collect()
}
