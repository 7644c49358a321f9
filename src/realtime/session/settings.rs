//! The session object's effective values, typed and already validated.
//!
//! `protocol::settings` merges and checks what clients send; what stands here is always coherent. Opaque JSON is carried
//! for clients that expect to read it back.

use std::{sync::Arc, time::Duration};

use providers::{
    Json,
    llm::{Tool, ToolChoice},
};

/// Everything a client can configure. A response reads one snapshot.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Conversation or transcription; fixed for the connection.
    pub kind: Kind,
    /// The model's name as the client knows it; fixed after the start.
    pub model: String,
    /// What replies are made of.
    pub modality: Modality,
    /// What the assistant is told to be; empty for none.
    pub instructions: String,
    /// The microphone's side.
    pub input: InputSettings,
    /// The loudspeaker's side.
    pub output: OutputSettings,
    /// Functions the model may call.
    pub tools: Vec<Tool>,
    /// Tools of kinds that are stored and echoed but not served (`mcp`), each its JSON object.
    pub foreign_tools: Vec<Json>,
    /// Whether the model may, must or must not call functions.
    pub tool_choice: ToolChoice,
    /// Most tokens of one reply, 1 to 4096; `None` is `"inf"`.
    pub max_output_tokens: Option<u32>,
    /// Sampling temperature; `None` leaves it to the model.
    pub temperature: Option<f32>,
    /// Members that are echoed as they came, by name: `truncation`, `tracing`, `prompt`, `include`, `reasoning`, …
    pub echoed: Vec<(String, Json)>,
}

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Speech in, replies out.
    Conversation,
    /// Speech in, transcripts out; no responses.
    Transcription,
}

/// What a reply is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Modality {
    /// Speech and its transcript.
    Audio,
    /// Text alone.
    Text,
}

/// The microphone's side of the settings.
#[derive(Clone, PartialEq, Debug)]
pub struct InputSettings {
    /// How the client encodes what it sends.
    pub format: Format,
    /// Which noise reduction runs before voice detection.
    pub noise_reduction: Option<NoiseReduction>,
    /// What transcripts the client wants to see; `None` = no transcript events (the model still gets the words).
    pub transcription: Option<Transcription>,
    /// How turns end; `None` = the client says so (manual turns).
    pub turn_detection: Option<TurnDetection>,
}

/// An audio encoding on the wire, always mono.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Signed 16-bit little-endian at 24 kHz.
    Pcm,
    /// G.711 µ-law at 8 kHz.
    Mulaw,
    /// G.711 A-law at 8 kHz.
    Alaw,
}

/// Where the microphone stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoiseReduction {
    /// A headset.
    NearField,
    /// A laptop or a conference room.
    FarField,
}

/// What transcripts the client wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transcription {
    /// The model's name as the client knows it.
    pub model: Option<String>,
    /// BCP 47 tag, or `None` to detect.
    pub language: Option<String>,
    /// Words and names likely to occur.
    pub prompt: Option<String>,
    /// Members echoed as they came (`delay`, `keywords`, `languages`).
    pub echoed: Vec<(String, Json)>,
}

/// How turns end by themselves.
#[derive(Clone, PartialEq, Debug)]
pub struct TurnDetection {
    /// Silence alone, or silence and meaning.
    pub policy: Endpointing,
    /// Whether the end of a turn makes a response.
    pub create_response: bool,
    /// Whether the start of a turn cancels the running response.
    pub interrupt_response: bool,
}

/// The endpointing policy: when a pause is the end of a turn.
#[derive(Clone, PartialEq, Debug)]
pub enum Endpointing {
    /// `server_vad`: a pause of a given length.
    Silence {
        /// Voice activity threshold, 0 to 1 as the protocol counts (0.5 is the default).
        threshold: f32,
        /// Audio kept from before the onset.
        prefix_padding: Duration,
        /// The pause that ends a turn.
        silence: Duration,
        /// Quiet after a reply until the assistant speaks up unasked; 5 to 30 s.
        idle_timeout: Option<Duration>,
    },
    /// `semantic_vad`: a pause after which the turn sounds complete.
    Semantic {
        /// How soon to take the floor.
        eagerness: Eagerness,
    },
}

/// How soon `semantic_vad` takes the floor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Eagerness {
    /// Waits up to 8 s.
    Low,
    /// Waits up to 4 s.
    Medium,
    /// Waits up to 2 s.
    High,
    /// As `Medium`.
    Auto,
}

/// The loudspeaker's side of the settings.
#[derive(Clone, PartialEq, Debug)]
pub struct OutputSettings {
    /// How the client wants to be sent speech.
    pub format: Format,
    /// The voice's name as the client knows it. Locked once audio was sent.
    pub voice: String,
    /// Pace, 0.25 to 1.5.
    pub speed: f32,
}

/// What does not change during a session: where it plays and how the operator tuned it.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// Who plays the reply.
    pub player: Player,
    /// How far ahead of the listener speech is released: tens of milliseconds where we play, seconds where the client
    /// buffers.
    pub lead: Duration,
    /// Speech over a reply must last this long to interrupt it (default 160 ms; 0 interrupts at the onset).
    pub overlap: Duration,
    /// … and this long while it sounds even, or all that was understood of it is a backchannel such as "mm-hm" (default
    /// 800 ms).
    pub backchannel: Duration,
    /// After an interruption on a transport where we play, how long the cut reply is kept in case nothing was said.
    pub resume_within: Duration,
    /// `semantic_vad`: quiet before the turn detector is asked (default 200 ms).
    pub advice_after: Duration,
    /// `semantic_vad`: the silence that ends a turn when no turn detector answers (default 700 ms).
    pub advice_fallback: Duration,
    /// Whether a turn detector is there to be asked.
    pub advice: bool,
    /// A turn ends when no audio at all arrives for this long in the middle of it (a muted microphone; default 1500 ms).
    pub starvation: Duration,
    /// Longest turn and largest uncommitted buffer (default 10 min).
    pub longest_turn: Duration,
    /// Seed of the session's ids.
    pub seed: u64,
    /// Who makes replies as the session begins.
    pub mind: Mind,
    /// Instructions and other settings of the session's start.
    pub settings: Arc<Settings>,
}

/// Who makes replies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mind {
    /// A language model reads what was understood, and a voice speaks its words.
    Cascade,
    /// One model hears and speaks by itself.
    Native {
        /// Whether it also answers in text alone; else the cascade does.
        text: bool,
    },
}

/// Who plays the reply, and so what a false alarm can cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Player {
    /// The client buffers and flushes by itself on `speech_started` (WebSocket): that event waits for confirmation
    /// during a reply, and nothing can be resumed.
    Client,
    /// We play in real time (WebRTC, telephony): pause on the onset, flush once confirmed, resume otherwise.
    Relay,
}
