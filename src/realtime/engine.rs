//! What every session of a process is given: providers, limits and the process's own services.

use std::{fmt, sync::Arc, time::Duration};

use providers::{
    LanguageModel, RealtimeModel, SpeechToText, TextToSpeech, TurnDetector,
    layers::{Account, Memories, Metered},
};
use serde::{Deserialize, Serialize};

use super::{
    admission::Admission,
    dossier::Dossiers,
    history::Ledger,
    ingest::Hearing,
    session::settings::{Mind, Player, Profile, Settings},
};
use crate::{clock::Clock, drain::Drain};

/// The providers of a session. Cheap to clone; a session keeps its own for as long as it lives.
#[derive(Clone)]
pub struct Providers {
    /// Understands speech.
    pub stt: Arc<dyn SpeechToText>,
    /// Thinks of answers.
    pub llm: Arc<dyn LanguageModel>,
    /// Speaks them.
    pub tts: Arc<dyn TextToSpeech>,
    /// Hears, thinks and speaks in one; while it works, `llm` and `tts` have nothing to do.
    pub realtime: Option<Arc<dyn RealtimeModel>>,
    /// Judges pauses for `semantic_vad`; without, silence alone ends a turn.
    pub turn: Option<Arc<dyn TurnDetector>>,
}

impl Providers {
    /// The same, with all that is asked of them on this account.
    pub(crate) fn metered(self, account: &Arc<impl Account + 'static>) -> Self {
        let on = || -> Arc<dyn Account> { Arc::clone(account) as _ };
        Self {
            stt: Arc::new(Metered::new(on(), self.stt)),
            llm: Arc::new(Metered::new(on(), self.llm)),
            tts: Arc::new(Metered::new(on(), self.tts)),
            realtime: self.realtime.map(|model| Arc::new(Metered::new(on(), model)) as _),
            turn: self.turn,
        }
    }
}

/// What sessions share: nothing that one of them could spoil for another.
#[derive(Clone)]
pub struct Engine {
    /// Limits and tuning.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The process's shutdown.
    pub drain: Drain,
    /// Who is live.
    pub admission: Admission,
    /// Where history goes; without, nothing is kept.
    pub ledger: Option<Arc<dyn Ledger>>,
    /// What models are told beside the conversation; without, nothing.
    pub dossiers: Option<Arc<dyn Dossiers>>,
    /// What is remembered of conversations that are longer than models are told.
    pub memories: Memories,
}

/// Limits and tuning of live sessions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How far ahead of the listener speech is sent over WebSocket, where the client buffers (10 000).
    pub websocket_lead_ms: u64,
    /// How far ahead of the listener speech is released where the relay plays: WebRTC and telephony (60).
    pub playback_lead_ms: u64,
    /// Where the relay plays: how long a reply that was talked over is kept, to go on if nothing was said (2000).
    pub resume_within_ms: u64,
    /// Speech over a reply must last this long to interrupt it (160).
    pub overlap_ms: u64,
    /// … and this long while it sounds even, as hums and coughs do, or is understood as a backchannel such as "mm-hm" (800).
    /// What ends before is transcribed, and interrupts only if it turns out to be words.
    pub backchannel_ms: u64,
    /// `semantic_vad`: quiet before the turn detector is asked (200).
    pub advice_after_ms: u64,
    /// `semantic_vad`: silence that ends a turn when no turn detector answers (700).
    pub advice_fallback_ms: u64,
    /// A turn ends when no audio arrives for this long in its middle (1500).
    pub starvation_ms: u64,
    /// Longest turn and largest uncommitted buffer (600).
    pub longest_turn_secs: u64,
    /// Longest session (3600).
    pub longest_session_secs: u64,
    /// How long a provider may stay silent when it is its turn (60).
    pub patience_secs: u64,
    /// Tokens of a conversation and what stands beside it that models are told, about; what is older is told summarised
    /// (100 000). Less for a local model that reads less.
    pub context_tokens: usize,
    /// How long a client may leave a message unread, or keep silent without answering pings (20).
    pub stall_secs: u64,
    /// How long a reply may run on once shutdown has begun (5).
    pub drain_grace_secs: u64,
    /// Messages waiting for a client that does not read (8192): a fast model tells a long reply, word by word, within a second.
    pub downlink_messages: usize,
    /// Bytes waiting for a client that does not read (4 MiB).
    pub downlink_bytes: usize,
    /// Speech synthesised ahead of what was handed to the client (20 000).
    pub synthesis_lead_ms: u64,
    /// What tells speech from silence (`earshot`).
    pub voice_detector: VoiceDetector,
    /// Live sessions of the process (1000).
    pub sessions: usize,
    /// Live sessions of one principal (100).
    pub sessions_per_principal: usize,
}

/// What tells speech from silence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VoiceDetector {
    /// A small neural network.
    Earshot,
    /// Loudness over the noise: any loud sound is speech to it. For machines too weak for the network.
    Energy,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            websocket_lead_ms: 10_000,
            playback_lead_ms: 60,
            resume_within_ms: 2_000,
            overlap_ms: 160,
            backchannel_ms: 800,
            advice_after_ms: 200,
            advice_fallback_ms: 700,
            starvation_ms: 1_500,
            longest_turn_secs: 600,
            longest_session_secs: 3_600,
            patience_secs: 60,
            context_tokens: 100_000,
            stall_secs: 20,
            drain_grace_secs: 5,
            downlink_messages: 8_192,
            downlink_bytes: 4 << 20,
            synthesis_lead_ms: 20_000,
            voice_detector: VoiceDetector::Earshot,
            sessions: 1_000,
            sessions_per_principal: 100,
        }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let minute = 60_000;
        let bounds = [
            ("websocket_lead_ms", self.websocket_lead_ms, 20, 10 * minute),
            ("playback_lead_ms", self.playback_lead_ms, 20, 1_000),
            ("resume_within_ms", self.resume_within_ms, 0, 10_000),
            ("overlap_ms", self.overlap_ms, 0, 5_000),
            ("backchannel_ms", self.backchannel_ms, 0, 5_000),
            ("advice_after_ms", self.advice_after_ms, 20, 5_000),
            ("advice_fallback_ms", self.advice_fallback_ms, 20, minute),
            ("starvation_ms", self.starvation_ms, 100, minute),
            ("longest_turn_secs", self.longest_turn_secs, 1, 3_600),
            ("longest_session_secs", self.longest_session_secs, 1, 7 * 24 * 3_600),
            ("patience_secs", self.patience_secs, 1, 3_600),
            ("context_tokens", self.context_tokens as u64, 1_000, 10_000_000),
            ("stall_secs", self.stall_secs, 1, 3_600),
            ("drain_grace_secs", self.drain_grace_secs, 0, 3_600),
            ("downlink_messages", self.downlink_messages as u64, 16, 1 << 20),
            ("downlink_bytes", self.downlink_bytes as u64, 64 << 10, 1 << 30),
            ("synthesis_lead_ms", self.synthesis_lead_ms, 500, 10 * minute),
            ("sessions", self.sessions as u64, 1, 1 << 20),
            ("sessions_per_principal", self.sessions_per_principal as u64, 1, 1 << 20),
        ];
        let wrong = bounds.into_iter().filter(|(_, value, least, most)| !(least..=most).contains(&value));
        wrong.map(|(key, _, least, most)| (key, format!("must be between {least} and {most}"))).collect()
    }

    /// How a session's microphone is listened to.
    pub(crate) fn hearing(&self, advice: bool) -> Hearing {
        let detector = match self.voice_detector {
            VoiceDetector::Earshot => audio::vad::Engine::Earshot,
            VoiceDetector::Energy => audio::vad::Engine::Energy,
        };
        Hearing { advice, detector }
    }

    /// The profile of a session that is played by `player`.
    pub(crate) fn profile(
        &self,
        player: Player,
        settings: Arc<Settings>,
        advice: bool,
        mind: Mind,
        seed: u64,
    ) -> Profile {
        let lead = match player {
            Player::Client => Duration::from_millis(self.websocket_lead_ms),
            Player::Relay => self.playback_lead(),
        };
        Profile {
            player,
            lead,
            overlap: Duration::from_millis(self.overlap_ms),
            backchannel: Duration::from_millis(self.backchannel_ms),
            resume_within: Duration::from_millis(self.resume_within_ms),
            advice_after: Duration::from_millis(self.advice_after_ms),
            advice_fallback: Duration::from_millis(self.advice_fallback_ms),
            advice,
            starvation: Duration::from_millis(self.starvation_ms),
            longest_turn: Duration::from_secs(self.longest_turn_secs),
            seed,
            mind,
            settings,
        }
    }

    /// How far ahead of the listener speech is released where we play.
    pub(crate) const fn playback_lead(&self) -> Duration {
        Duration::from_millis(self.playback_lead_ms)
    }

    /// How long a session may last.
    pub const fn longest_session(&self) -> Duration {
        Duration::from_secs(self.longest_session_secs)
    }

    /// How long a reply may run on once shutdown has begun.
    pub(crate) const fn drain_grace(&self) -> Duration {
        Duration::from_secs(self.drain_grace_secs)
    }

    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_secs)
    }

    pub(crate) const fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_secs)
    }

    /// How long somebody may give no sign of life: two pings and the time to answer them.
    pub(crate) const fn vanished(&self) -> Duration {
        Duration::from_millis(self.stall_secs * 2_250)
    }

    pub(crate) const fn synthesis_lead(&self) -> Duration {
        Duration::from_millis(self.synthesis_lead_ms)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense_and_every_value_that_does_not_is_named() {
        assert_eq!(Config::default().validate(), []);
        let config = Config { sessions: 0, downlink_messages: 0, patience_secs: 0, ..Config::default() };
        let named: Vec<_> = config.validate().into_iter().map(|(key, _)| key).collect();
        assert_eq!(named, ["patience_secs", "downlink_messages", "sessions"]);
    }
}
