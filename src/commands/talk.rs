//! `voice-relay talk`: speaks a recording at the pace of speech and listens to the answer.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use audio::{Clip, SampleRate};
use clap::Args;
use serde_json::{Value, json};

use super::{Failure, credential, waterfall::Waterfall};
use crate::{
    client::{self, Receiver, Sender},
    clock::Clock,
    config::Config,
};

#[derive(Args)]
pub(super) struct Arguments {
    /// What to say: WAV, FLAC, MP3, Ogg Vorbis or M4A
    recording: PathBuf,
    /// Where to write the answer, as a WAV file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The relay [default: where this machine's configuration says it listens]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The key [default: one made in this machine's database, which expires by itself]
    #[arg(long, value_name = "KEY", env = "VOICE_RELAY_KEY", hide_env_values = true)]
    key: Option<String>,
    /// What the assistant is told to be
    #[arg(long, value_name = "TEXT")]
    instructions: Option<String>,
    /// Whose voice answers
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
}

/// Sound is sent in steps of this length, as a microphone gives it.
const STEP: Duration = Duration::from_millis(20);
/// Longest recording that is read.
const LONGEST: Duration = Duration::from_secs(600);
/// How long to wait for a relay that says nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Quiet after the last reply until the conversation counts as over.
const SETTLE: Duration = Duration::from_millis(1500);

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    let question = read(&arguments.recording)?;
    let url = arguments.url.clone().unwrap_or_else(|| config.server.url());
    let key = credential::local_or(arguments.key.as_deref(), config).await?;
    let (mut sender, receiver) = client::connect(&url, "gpt-realtime", &key).await?;
    sender.send(&session_update(&arguments)).await?;
    let clock = Clock::system();
    let (heard, listened) = tokio::sync::watch::channel(None);
    let speaking = tokio::spawn(speak(sender, question, clock.clone(), heard));
    let mut conversation = Conversation::new(clock, listened);
    let ended = conversation.follow(receiver).await;
    speaking.abort();
    ended?;
    if let Some(path) = &arguments.out {
        let reply = Clip::new(SampleRate::HZ_24000, conversation.reply);
        write(path, &reply)?;
        println!("reply saved to {} ({:.1} s)", path.display(), reply.duration().as_secs_f64());
    }
    Ok(())
}

fn session_update(arguments: &Arguments) -> Value {
    let mut session =
        json!({ "type": "realtime", "audio": { "input": { "transcription": { "model": "whisper-1" } } } });
    if let Some(instructions) = &arguments.instructions {
        session["instructions"] = json!(instructions);
    }
    if let Some(voice) = &arguments.voice {
        session["audio"]["output"] = json!({ "voice": voice });
    }
    json!({ "type": "session.update", "session": session })
}

/// Sends the recording, then silence, in real time; tells when the recording ended and how much of it was sent.
async fn speak(
    mut sender: Sender,
    question: Vec<i16>,
    clock: Clock,
    progress: tokio::sync::watch::Sender<Option<Instant>>,
) {
    let step = SampleRate::HZ_24000.samples_in(STEP);
    let silence = vec![0; step];
    let mut ticks = tokio::time::interval(STEP);
    let start = clock.now();
    let _nobody_waits = progress.send(Some(start));
    for chunk in question.chunks(step).chain(std::iter::repeat(&silence[..])) {
        ticks.tick().await;
        if sender.append(chunk).await.is_err() {
            return;
        }
    }
}

/// What was said so far, and when.
struct Conversation {
    clock: Clock,
    start: tokio::sync::watch::Receiver<Option<Instant>>,
    reply: Vec<i16>,
    words: String,
    end_of_speech: Option<Instant>,
    waterfall: Waterfall,
    silence: Duration,
    answered: bool,
}

impl Conversation {
    fn new(clock: Clock, start: tokio::sync::watch::Receiver<Option<Instant>>) -> Self {
        Self {
            clock,
            start,
            reply: Vec::new(),
            words: String::new(),
            end_of_speech: None,
            waterfall: Waterfall::default(),
            silence: Duration::from_millis(500),
            answered: false,
        }
    }

    /// Reads events until the last turn is answered and nothing more comes.
    async fn follow(&mut self, mut receiver: Receiver) -> Result<(), Failure> {
        let mut turns_open = 0_u32;
        loop {
            let patience = if self.answered && turns_open == 0 { SETTLE } else { PATIENCE };
            let event = match receiver.next(patience).await {
                Ok(event) => event,
                Err(client::ClientError::Silent(_)) if self.answered && turns_open == 0 => return Ok(()),
                Err(client::ClientError::Silent(_)) => return Err(Failure::Other(NOTHING_HEARD.into())),
                Err(error) => return Err(error.into()),
            };
            match event["type"].as_str().unwrap_or_default() {
                "input_audio_buffer.speech_started" => turns_open += 1,
                "response.done" => turns_open = turns_open.saturating_sub(1),
                _ => {}
            }
            self.note(&event)?;
        }
    }

    fn note(&mut self, event: &Value) -> Result<(), Failure> {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap_or_default() {
            "session.updated" => {
                let silence = &event["session"]["audio"]["input"]["turn_detection"]["silence_duration_ms"];
                self.silence = Duration::from_millis(silence.as_u64().unwrap_or(500));
            }
            "input_audio_buffer.speech_stopped" => self.turn_ended(event),
            "conversation.item.input_audio_transcription.completed" => {
                self.waterfall.transcript = self.since_speech();
                println!("you:   {}", text("transcript"));
            }
            "response.output_audio_transcript.delta" | "response.output_text.delta" => {
                self.waterfall.first_text = self.waterfall.first_text.or(self.since_speech());
                self.words += &text("delta");
            }
            "response.output_audio.delta" => {
                self.waterfall.first_audio = self.waterfall.first_audio.or(self.since_speech());
                self.reply.extend(client::samples(&text("delta")));
            }
            "response.done" => self.response_ended(&event["response"])?,
            "error" => return Err(Failure::Other(format!("the relay says: {}", event["error"]["message"]))),
            _ => {}
        }
        Ok(())
    }

    /// Speech ended the endpointing silence before the end of the committed audio.
    fn turn_ended(&mut self, event: &Value) {
        let committed = Duration::from_millis(event["audio_end_ms"].as_u64().unwrap_or(0));
        self.end_of_speech = self.start.borrow().map(|start| start + committed.saturating_sub(self.silence));
        self.waterfall = Waterfall { endpoint: self.since_speech(), ..Waterfall::default() };
    }

    fn response_ended(&mut self, response: &Value) -> Result<(), Failure> {
        self.waterfall.done = self.since_speech();
        println!("relay: {}", std::mem::take(&mut self.words));
        match response["status"].as_str().unwrap_or_default() {
            "failed" => {
                let message = &response["status_details"]["error"]["message"];
                return Err(Failure::Other(format!("the reply failed: {message}")));
            }
            "cancelled" => println!("       (interrupted)"),
            _ => print!("\n{}", self.waterfall),
        }
        self.answered = true;
        Ok(())
    }

    fn since_speech(&self) -> Option<Duration> {
        Some(self.clock.now().saturating_duration_since(self.end_of_speech?))
    }
}

const NOTHING_HEARD: &str = "no answer came: is there speech in the recording?";

fn read(path: &std::path::Path) -> Result<Vec<i16>, Failure> {
    let told = |error: &dyn std::fmt::Display| Failure::Other(format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| told(&error))?;
    let clip = audio::media::decode(bytes, LONGEST).map_err(|error| told(&error))?;
    clip.resampled(SampleRate::HZ_24000).map(|clip| clip.samples).map_err(|error| told(&error))
}

fn write(path: &std::path::Path, reply: &Clip) -> Result<(), Failure> {
    let wav = audio::wav::write(reply, audio::Encoding::Pcm16);
    std::fs::write(path, wav).map_err(|error| Failure::Other(format!("{}: {error}", path.display())))
}
