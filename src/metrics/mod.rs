//! The names of everything that is counted, in one place, and the exporter that `/metrics` renders.
//!
//! Code that counts calls the functions here; nobody else spells a metric's name. Latencies are in milliseconds, and
//! their buckets are chosen for a conversation: fine below the 200 ms at which people notice, coarse above. Below 1 ms
//! they tell what the relay itself adds.

mod declared;
mod meter;

use std::time::Duration;

use ::metrics::{Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use providers::ErrorKind;

use self::declared::*;
pub use self::{declared::names, meter::ProviderMeter};

/// Upper bounds of the latency buckets, in milliseconds.
const BUCKETS: [f64; 26] = [
    0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 40.0, 60.0, 100.0, 150.0, 250.0,
    400.0, 700.0, 1_200.0, 2_500.0, 5_000.0, 15_000.0,
];

/// Between the exporter's looks at what was recorded. What nobody looks at takes memory without end.
const UPKEEP: Duration = Duration::from_secs(5);

/// Upper bounds of the queue depths.
const DEPTHS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1_024.0];

/// The exporter behind `/metrics`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Exporter(PrometheusHandle);

impl Exporter {
    /// Installs the process's recorder, for a runtime that stays, and describes every metric. Fails when one is
    /// installed already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_ms".into()), &BUCKETS)?
            .set_buckets_for_metric(Matcher::Full(QUEUE_DEPTH.into()), &DEPTHS)?
            .install_recorder()?;
        describe();
        let kept = handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                kept.run_upkeep();
            }
        });
        Ok(Self(handle))
    }

    /// All metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// Where audio of the user was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// A turn asked for audio older than the pre-roll still held.
    Preroll,
    /// Speech-to-text did not keep up and its turn was failed.
    Transcriber,
    /// A transport on which we play stood still.
    Loudspeaker,
    /// A session did not keep up with its client's microphone.
    Microphone,
}

/// The queues whose depth is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queue {
    /// Frames towards speech-to-text.
    Listen,
    /// Events of workers towards their session.
    Inbox,
    /// Messages towards the client.
    Downlink,
    /// Entries towards the store.
    History,
}

/// What a provider is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Speech-to-text.
    Listen,
    /// The language model.
    Think,
    /// Text-to-speech.
    Speak,
    /// The turn detector.
    Advise,
    /// Speech-to-speech.
    Converse,
    /// The embedding model.
    Embed,
}

/// A session, counted as live for as long as this lives.
#[derive(Debug)]
pub struct LiveSession(());

/// A session began.
pub fn session_opened(transport: &'static str) -> LiveSession {
    gauge!(LIVE_SESSIONS).increment(1.0);
    counter!(SESSIONS, "transport" => transport).increment(1);
    LiveSession(())
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        gauge!(LIVE_SESSIONS).decrement(1.0);
    }
}

/// One of the latencies that rule the product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Latency {
    /// From the first speech over a reply to its flush, with the time that speech must last to count.
    OnsetToFlush,
    /// From the end of speech to the commit of the turn.
    EndOfTurn,
    /// From the commit to the final transcript.
    FinalTranscript,
    /// From asking the language model to its first token.
    FirstToken,
    /// From the commit to the first audio of the reply.
    FirstAudio,
}

/// A session measured a latency.
pub fn measured(latency: Latency, span: Duration) {
    let name = match latency {
        Latency::OnsetToFlush => ONSET_TO_FLUSH,
        Latency::EndOfTurn => END_OF_TURN,
        Latency::FinalTranscript => FINAL_TRANSCRIPT,
        Latency::FirstToken => FIRST_TOKEN,
        Latency::FirstAudio => FIRST_AUDIO,
    };
    histogram!(name).record(millis(span));
}

/// What the relay itself adds to the way of sound, one direction each. Recording takes no lock and looks nothing up.
#[derive(Clone)]
pub struct Way(Histogram);

impl Way {
    /// From reading a client's message to speech-to-text taking its newest frame.
    pub fn to_provider() -> Self {
        Self(histogram!(FRAME_TO_PROVIDER))
    }

    /// From text-to-speech giving sound that the client may have at once to the socket taking it.
    pub fn to_client() -> Self {
        Self(histogram!(AUDIO_TO_CLIENT))
    }

    /// Some sound has gone all the way.
    pub fn took(&self, span: Duration) {
        self.0.record(millis(span));
    }
}

/// A reply ended: `completed` or `incomplete`.
pub fn replied(status: &'static str) {
    counter!(REPLIES, "status" => status).increment(1);
}

/// A chat socket, counted as open for as long as this lives.
#[derive(Debug)]
pub struct ChatSocket(());

/// A chat socket was opened.
pub fn chat_opened() -> ChatSocket {
    gauge!(CHAT_SOCKETS).increment(1.0);
    ChatSocket(())
}

impl Drop for ChatSocket {
    fn drop(&mut self) {
        gauge!(CHAT_SOCKETS).decrement(1.0);
    }
}

/// A message was typed into a chat socket: `kept`, `repeated` or `refused`.
pub fn chatted(outcome: &'static str) {
    counter!(CHAT_MESSAGES, "outcome" => outcome).increment(1);
}

/// A first answer came after this long as the relay saw it, whoever gave it; [`ProviderMeter`] counts by name.
pub fn provider_answered(role: Role, latency: Duration) {
    meter::answered(role, "relay", latency);
}

/// A provider failed that no [`ProviderMeter`] watches; `kind` is what the caller could do about it.
pub fn provider_failed(role: Role, provider: &str, kind: ErrorKind) {
    let kind = error_name(kind);
    counter!(PROVIDER_ERRORS, "role" => role.name(), "provider" => provider.to_owned(), "kind" => kind).increment(1);
}

const fn error_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::Unauthorized => "unauthorized",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Rejected => "rejected",
        ErrorKind::Protocol => "protocol",
        ErrorKind::Timeout => "timeout",
    }
}

/// Jobs that wait for a thread of the embedded engines.
pub fn inference_depth(depth: usize) {
    gauge!(INFERENCE_QUEUE).set(depth as f64);
}

/// Audio of the user was lost.
pub fn audio_dropped(loss: Loss, span: Duration) {
    let name = match loss {
        Loss::Preroll => "preroll",
        Loss::Transcriber => "transcriber",
        Loss::Loudspeaker => "loudspeaker",
        Loss::Microphone => "microphone",
    };
    counter!(DROPPED_AUDIO, "where" => name).increment(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
}

/// A datagram of the WebRTC port was lost: `unknown` belongs to no call, `in` found its call behind, `out` found no room in
/// the socket.
pub fn datagram_lost(why: &'static str) {
    counter!(LOST_DATAGRAMS, "why" => why).increment(1);
}

/// A call ended: what became of its microphone's packets.
pub fn rtp_ended(stats: &audio::jitter::Stats) {
    let fates = [
        ("received", stats.received),
        ("lost", stats.lost),
        ("late", stats.late),
        ("duplicate", stats.duplicate),
        ("recovered", stats.recovered),
        ("undecodable", stats.undecodable),
        ("implausible", stats.implausible + stats.overflowed),
    ];
    for (fate, packets) in fates {
        counter!(RTP_PACKETS, "fate" => fate).increment(packets);
    }
    histogram!(RTP_JITTER).record(millis(stats.jitter));
}

/// How many entries were found waiting in a queue that was not empty.
pub fn queue_depth(queue: Queue, depth: usize) {
    let name = match queue {
        Queue::Listen => "listen",
        Queue::Inbox => "inbox",
        Queue::Downlink => "downlink",
        Queue::History => "history",
    };
    histogram!(QUEUE_DEPTH, "queue" => name).record(depth as f64);
}

/// A client was closed because it does not read.
pub fn slow_reader() {
    counter!(SLOW_READERS).increment(1);
}

/// A job that makes a document findable ended: `ready`, `failed`, `waits`, or `gone`, its document being deleted.
pub fn document_attended(outcome: &'static str, span: Duration) {
    counter!(DOCUMENTS, "outcome" => outcome).increment(1);
    histogram!(DOCUMENT, "outcome" => outcome).record(millis(span));
}

/// History could not keep up; a record is incomplete.
pub fn history_overflowed() {
    counter!(HISTORY_OVERFLOWS).increment(1);
}

impl Role {
    /// As labels and answers spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listen => "stt",
            Self::Think => "llm",
            Self::Speak => "tts",
            Self::Advise => "turn",
            Self::Converse => "realtime",
            Self::Embed => "embed",
        }
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}
