//! Many calls at once against a relay in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use audio::{Clip, OpusEncoder, SampleRate, wav};
use bytes::Bytes;
use providers::scripted::{Length, LlmScript, Reply, TtsScript};
use serde_json::json;
use tokio::time::sleep;
use voice_relay::realtime::Config;

use crate::{
    RELAY,
    caller::Caller,
    parts::Parts,
    relay::{Script, relay},
};

/// Sound that the voice gives at once.
const CHUNK: Duration = Duration::from_millis(100);

/// How long calls go on before they are measured.
const SETTLING: Duration = Duration::from_secs(30);

/// Recorded speech at 24 kHz, some seconds of it.
pub(crate) fn recording() -> Vec<i16> {
    let path = format!("{}/samples/question.wav", env!("CARGO_MANIFEST_DIR"));
    let clip: Clip = wav::read(&fs::read(path).unwrap()).unwrap();
    clip.resampled(SampleRate::HZ_24000).unwrap().samples
}

/// The relay: replies that outlast the measurement, in words and sound as fast as people speak. A voice that is faster than
/// that fills up to 20 s of speech ahead (`synthesis_lead_ms`), 48 KB each, whatever the transport.
pub(crate) async fn serve() {
    let words = "and so it goes on and on. ".repeat(400);
    let script = Script {
        llm: LlmScript { every: Reply::Text(words), pace: Duration::from_millis(300), ..LlmScript::default() },
        tts: TtsScript {
            length: Length::Fixed(Duration::from_secs(4)),
            chunk: CHUNK,
            pace: CHUNK,
            ..TtsScript::default()
        },
        config: Config { sessions: 1_000, sessions_per_principal: 1_000, ..Config::default() },
        ..Script::default()
    };
    let relay = relay(script).await;
    println!("{} {}", relay.url, relay.key);
    std::future::pending::<()>().await;
}

struct Relay {
    process: Child,
    url: String,
    key: String,
}

impl Relay {
    fn start() -> Self {
        let executable = std::env::current_exe().unwrap();
        let mut process = Command::new(executable).env(RELAY, "1").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (url, key) = line.trim().split_once(' ').unwrap();
        Self { url: url.to_owned(), key: key.to_owned(), process }
    }

    /// CPU time used so far, user and system.
    fn cpu(&self) -> Duration {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory, in KiB.
    fn memory(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) async fn run(count: usize, lasts: Duration, parts: &Parts) {
    let relay = Relay::start();
    let packets = encoded(&recording());
    // What a process touches first is no call's own.
    drop(talking(&relay, &packets).await);
    sleep(Duration::from_secs(1)).await;
    let before = relay.memory();
    let mut calls = Vec::new();
    for _ in 0..count {
        calls.push(talking(&relay, &packets).await);
    }
    // Calls begin prepared for loss, and are trusted once their clients have reported that they miss nothing.
    sleep(SETTLING).await;
    calls.iter_mut().for_each(|call| drop(call.heard()));
    let (began, cpu) = (Instant::now(), relay.cpu());
    sleep(lasts).await;
    let (elapsed, cpu) = (began.elapsed(), relay.cpu() - cpu);
    let memory = (relay.memory() - before) / count as f64;
    let share = cpu.as_secs_f64() / elapsed.as_secs_f64() / count as f64;
    let heard: usize = calls.iter_mut().map(|call| call.heard().len()).sum();
    println!("{count} calls, both sides speaking all the time, for {:.0} s:", elapsed.as_secs_f64());
    println!("  of a core per call    {:>6.2} %   (aim: 1.5; {:.0} calls a core)", share * 100.0, 1.0 / share);
    let Parts { encode, decode, vad, srtp } = parts;
    let codec = encode + decode;
    let percent = |micros: f64| micros / 20_000.0 * 100.0;
    println!(
        "    Opus                {:>6.2} %   encode {encode:.0} us, decode {decode:.0} us per 20 ms",
        percent(codec)
    );
    println!("    voice detection     {:>6.2} %   {vad:.1} us", percent(*vad));
    println!("    SRTP's cryptography {:>6.2} %   {srtp:.1} us, both ways", percent(*srtp));
    let rest = share * 100.0 - percent(codec) - percent(*vad) - percent(*srtp);
    println!("    the rest            {rest:>6.2} %   sockets, ICE, RTP, session");
    println!("  memory per call       {memory:>6.0} KiB (aim: 300)");
    let expected = count as f64 * elapsed.as_secs_f64() * 50.0;
    println!("  packets heard         {:>6.1} % of those due", heard as f64 / expected * 100.0);
}

/// What a caller says, encoded once for all of them.
fn encoded(speech: &[i16]) -> Vec<Bytes> {
    let mut encoder = OpusEncoder::new(SampleRate::HZ_24000).unwrap();
    let packets = speech.chunks_exact(480).map(|pcm| {
        let mut packet = Vec::new();
        encoder.encode(pcm, &mut packet).unwrap();
        packet.into()
    });
    packets.collect()
}

/// A call in which the client speaks without end over a reply without end.
async fn talking(relay: &Relay, packets: &[Bytes]) -> Caller {
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    let detection = json!({"type": "server_vad", "create_response": false, "interrupt_response": false});
    let input = json!({"turn_detection": detection});
    caller.send(json!({"type": "session.update", "session": {"type": "realtime", "audio": {"input": input}}})).await;
    caller.until("session.updated").await;
    caller.send(json!({"type": "response.create"})).await;
    caller.until("output_audio_buffer.started").await;
    caller.chatter(packets);
    caller.heard();
    caller
}
