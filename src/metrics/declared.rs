//! Every metric: its name, what it is, what it means. A test holds each to being fed.

use ::metrics::{describe_counter, describe_gauge, describe_histogram};

pub(super) const LIVE_SESSIONS: &str = "voice_relay_live_sessions";
pub(super) const SESSIONS: &str = "voice_relay_sessions_total";
pub(super) const ONSET_TO_FLUSH: &str = "voice_relay_onset_to_flush_ms";
pub(super) const END_OF_TURN: &str = "voice_relay_end_of_turn_ms";
pub(super) const FINAL_TRANSCRIPT: &str = "voice_relay_final_transcript_ms";
pub(super) const FIRST_TOKEN: &str = "voice_relay_first_token_ms";
pub(super) const FIRST_AUDIO: &str = "voice_relay_first_audio_ms";
pub(super) const REPLIES: &str = "voice_relay_replies_total";
pub(super) const CHAT_SOCKETS: &str = "voice_relay_chat_sockets";
pub(super) const CHAT_MESSAGES: &str = "voice_relay_chat_messages_total";
pub(super) const FRAME_TO_PROVIDER: &str = "voice_relay_frame_to_provider_ms";
pub(super) const AUDIO_TO_CLIENT: &str = "voice_relay_audio_to_client_ms";
pub(super) const PROVIDER_REQUESTS: &str = "voice_relay_provider_requests_total";
pub(super) const PROVIDER_CONNECT: &str = "voice_relay_provider_connect_ms";
pub(super) const PROVIDER_LATENCY: &str = "voice_relay_provider_latency_ms";
pub(super) const PROVIDER_FINAL: &str = "voice_relay_provider_final_ms";
pub(super) const PROVIDER_ERRORS: &str = "voice_relay_provider_errors_total";
pub(super) const PROVIDER_RESTING: &str = "voice_relay_provider_resting";
pub(super) const PROVIDER_FAILOVERS: &str = "voice_relay_provider_failovers_total";
pub(super) const PROVIDER_AUDIO: &str = "voice_relay_provider_audio_ms_total";
pub(super) const PROVIDER_CHARACTERS: &str = "voice_relay_provider_characters_total";
pub(super) const PROVIDER_TOKENS: &str = "voice_relay_provider_tokens_total";
pub(super) const PROVIDER_COST: &str = "voice_relay_provider_cost_micros_total";
pub(super) const PROVIDER_UNPRICED: &str = "voice_relay_provider_unpriced_total";
pub(super) const INFERENCE_QUEUE: &str = "voice_relay_inference_queue";
pub(super) const DROPPED_AUDIO: &str = "voice_relay_dropped_audio_ms_total";
pub(super) const LOST_DATAGRAMS: &str = "voice_relay_lost_datagrams_total";
pub(super) const RTP_PACKETS: &str = "voice_relay_rtp_packets_total";
pub(super) const RTP_JITTER: &str = "voice_relay_rtp_jitter_ms";
pub(super) const QUEUE_DEPTH: &str = "voice_relay_queue_depth";
pub(super) const SLOW_READERS: &str = "voice_relay_slow_readers_total";
pub(super) const DOCUMENTS: &str = "voice_relay_documents_total";
pub(super) const DOCUMENT: &str = "voice_relay_document_ms";
pub(super) const HISTORY_OVERFLOWS: &str = "voice_relay_history_overflows_total";

/// The names of all metrics.
pub fn names() -> impl Iterator<Item = &'static str> {
    DECLARED.iter().map(|(name, ..)| *name)
}

pub(super) fn describe() {
    for (name, kind, meaning) in DECLARED {
        match kind {
            Kind::Counter => describe_counter!(*name, *meaning),
            Kind::Gauge => describe_gauge!(*name, *meaning),
            Kind::Histogram => describe_histogram!(*name, *meaning),
        }
    }
}

/// How a metric moves.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

const DECLARED: &[(&str, Kind, &str)] = &[
    (LIVE_SESSIONS, Kind::Gauge, "Sessions that are open"),
    (SESSIONS, Kind::Counter, "Sessions ever opened, by transport"),
    (
        ONSET_TO_FLUSH,
        Kind::Histogram,
        "From the first speech over a reply to its flush, with the time that speech must last to count",
    ),
    (END_OF_TURN, Kind::Histogram, "From the end of speech to the commit of the turn"),
    (FINAL_TRANSCRIPT, Kind::Histogram, "From the commit to the final transcript"),
    (FIRST_TOKEN, Kind::Histogram, "From asking the language model to its first token"),
    (FIRST_AUDIO, Kind::Histogram, "From the commit to the first audio of the reply"),
    (REPLIES, Kind::Counter, "Replies ended, by how"),
    (CHAT_SOCKETS, Kind::Gauge, "Chat sockets that are open"),
    (CHAT_MESSAGES, Kind::Counter, "Messages typed into chat sockets, by outcome"),
    (FRAME_TO_PROVIDER, Kind::Histogram, "From reading a client's audio to speech-to-text taking it; sampled"),
    (AUDIO_TO_CLIENT, Kind::Histogram, "From text-to-speech giving audio that may go at once to its being sent"),
    (PROVIDER_REQUESTS, Kind::Counter, "Requests to providers, by role and provider"),
    (PROVIDER_CONNECT, Kind::Histogram, "Until a provider took a request, by role and provider"),
    (PROVIDER_LATENCY, Kind::Histogram, "Until a provider's first answer, by role and provider"),
    (PROVIDER_FINAL, Kind::Histogram, "Until a request ended well, by role and provider"),
    (PROVIDER_ERRORS, Kind::Counter, "Failures of providers, by role, provider and kind"),
    (PROVIDER_RESTING, Kind::Gauge, "1 while a provider is left alone because it kept failing"),
    (
        PROVIDER_FAILOVERS,
        Kind::Counter,
        "Requests that another provider took over, by role, from, to and kind of failure",
    ),
    (PROVIDER_AUDIO, Kind::Counter, "Milliseconds of sound that providers heard (in) or made (out)"),
    (PROVIDER_CHARACTERS, Kind::Counter, "Characters that providers were given to speak"),
    (PROVIDER_TOKENS, Kind::Counter, "Tokens that providers read (input; of these cached) and wrote (output)"),
    (PROVIDER_COST, Kind::Counter, "What providers charge by the table of prices, in millionths of the currency"),
    (PROVIDER_UNPRICED, Kind::Counter, "Requests whose provider has no price, so that their cost is not counted"),
    (INFERENCE_QUEUE, Kind::Gauge, "Jobs that wait for a thread of the embedded engines"),
    (DROPPED_AUDIO, Kind::Counter, "Milliseconds of user audio lost, by where"),
    (LOST_DATAGRAMS, Kind::Counter, "Datagrams of the WebRTC port that were lost in the relay, by why"),
    (RTP_PACKETS, Kind::Counter, "Packets of clients' microphones, by what became of them; counted as calls end"),
    (RTP_JITTER, Kind::Histogram, "Interarrival jitter of clients' microphones (RFC 3550) as calls end"),
    (QUEUE_DEPTH, Kind::Histogram, "Entries found waiting in a queue that was not empty, by queue"),
    (SLOW_READERS, Kind::Counter, "Sessions closed because the client does not read"),
    (DOCUMENTS, Kind::Counter, "Jobs that make documents findable, by how they ended"),
    (DOCUMENT, Kind::Histogram, "How long such a job took, by how it ended"),
    (HISTORY_OVERFLOWS, Kind::Counter, "Times that history could not keep up with a session"),
];
