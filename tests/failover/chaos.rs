//! Fifty sessions talk while the vendors are killed, stalled and corrupted at random points. Every utterance is answered,
//! or refused with a reason; none is answered twice, none is lost, and nothing is left behind.
//!
//! `CHAOS_SECONDS` says for how long (45), `CHAOS_SEED` repeats what goes wrong; the seed is printed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use voice_relay::clock::Clock;

use crate::{
    client::{Answer, Client, recording},
    relay::{Relay, eventually},
    tones,
    vendors::{Fate, Truth, Vendor, Vendors},
};

const SESSIONS: u32 = 50;
const CHAINS: [&[&str]; 3] = [
    &["deepgram/nova-3", "deepgram/nova-2"],
    &["anthropic/claude-sonnet-4-5", "deepseek/deepseek-chat"],
    &["elevenlabs/eleven_flash_v2_5", "deepgram/aura-2-thalia-en"],
];
/// What a minute of the storm may add to memory: what is remembered of conversations, not what is leaked of sockets.
const GROWTH_MIB: u64 = 48;
/// The store opens more connections under load and keeps them; three files each.
const KEPT_FILES: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_utterance_is_answered_once_or_refused_with_a_reason() {
    let (clock, seconds) = (Clock::system(), setting("CHAOS_SECONDS").unwrap_or(45));
    let since_1970 = clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = setting("CHAOS_SEED").unwrap_or(u64::from(since_1970.subsec_nanos()));
    println!("CHAOS_SEED={seed} CHAOS_SECONDS={seconds}");
    let vendors = Vendors::start("").await;
    vendors.hear(Truth::Pilot);
    vendors.answer(reply);
    let relay = Relay::start(&vendors, CHAINS).await;
    // One session comes and goes before anything is counted.
    let mut first = Client::join(&relay).await;
    converse(&mut first, 0, &mut Tally::default()).await;
    first.leave().await;
    eventually("the first session ends", Duration::from_secs(10), async || is_quiet(&relay, &vendors).await).await;
    let descriptors = relay.descriptors();

    let end = clock.now() + Duration::from_secs(seconds);
    vendors.meet(storm(seed, clock.clone(), end));
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut sessions = Vec::new();
    for session in 0..SESSIONS {
        let client = Client::join(&relay).await;
        let (clock, tally) = (clock.clone(), tally.clone());
        sessions.push(tokio::spawn(async move {
            let own = talk(client, session, || clock.now() < end).await;
            tally.lock().unwrap().add(own);
        }));
    }
    tokio::time::sleep(Duration::from_secs(seconds / 2)).await;
    let halfway = relay.memory();
    for session in sessions {
        session.await.unwrap();
    }
    let (grown, tally) = (relay.memory().saturating_sub(halfway), tally.lock().unwrap().clone());
    println!("{tally:?}; {halfway} MiB halfway, {grown} more at the end; CHAOS_SEED={seed}");
    assert!(tally.answered() > tally.refused(), "most is answered: every engine has another beside it");
    assert!(grown <= GROWTH_MIB * seconds.div_ceil(60), "{grown} MiB more");
    eventually("nothing is left", Duration::from_secs(30), async || {
        is_quiet(&relay, &vendors).await && relay.descriptors() <= descriptors + KEPT_FILES
    })
    .await;
    let log = relay.log();
    assert!(!log.contains("panicked") && !log.contains("planted"), "{log}");
    for chain in CHAINS {
        assert!(relay.errors_of(chain[0]).await > 0.0, "{} never failed", chain[0]);
    }
}

/// How utterances ended, by status and reason.
#[derive(Clone, Debug, Default)]
struct Tally(BTreeMap<String, u32>);

impl Tally {
    fn count(&mut self, how: String) {
        *self.0.entry(how).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        for (how, count) in other.0 {
            *self.0.entry(how).or_default() += count;
        }
    }

    fn answered(&self) -> u32 {
        self.0.get("completed").copied().unwrap_or_default()
    }

    fn refused(&self) -> u32 {
        self.0.values().sum::<u32>() - self.answered()
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Says what it heard last, and enough beside for two clauses.
fn reply(words: &str) -> String {
    let heard = words.lines().last().unwrap_or_default();
    format!("You said {heard}. That is all that was heard of you, and it is good to hear it.")
}

/// Speaks as long as the storm lasts, is answered once it is over, and leaves.
async fn talk(mut client: Client, session: u32, goes_on: impl Fn() -> bool) -> Tally {
    let mut tally = Tally::default();
    let mut numbers = (0..tones::UTTERANCES).cycle().map(|utterance| session * tones::UTTERANCES + utterance);
    while goes_on() {
        converse(&mut client, numbers.next().unwrap(), &mut tally).await;
    }
    recovers(&mut client, numbers.next().unwrap()).await;
    client.leave().await;
    tally
}

/// Says one utterance, hears its answer, and sees that it is the only one and the right one.
async fn converse(client: &mut Client, number: u32, tally: &mut Tally) {
    client.speak(&tones::with_pilot(&recording("cards-003"), number)).await;
    let answer = client.answer().await;
    let spoken = tones::spoken(number);
    for kind in ["input_audio_buffer.speech_started", "input_audio_buffer.committed", "response.created"] {
        assert_eq!(answer.count(kind), 1, "{spoken}: {kind}");
    }
    let kinds = ["completed", "failed"].map(|end| format!("conversation.item.input_audio_transcription.{end}"));
    assert_eq!(kinds.iter().map(|kind| answer.count(kind)).sum::<usize>(), 1, "{spoken}: told once what was said");
    if answer.count(&kinds[0]) == 1 {
        assert_eq!(answer.transcript(), spoken);
    }
    judge(&answer, &spoken);
    tally.count(format!("{} {}", answer.status(), answer.code()).trim().to_owned());
    // A person listens to the end, and thinks a while where nothing came.
    let length = Duration::from_millis(answer.sound().len() as u64 / 48).max(Duration::from_secs(1));
    let strays = client.rest(length + Duration::from_millis(100 + 37 * u64::from(number % 9))).await;
    let about = |event: &&Value| {
        ["response.", "input_audio"].iter().any(|kind| event["type"].as_str().unwrap().starts_with(kind))
    };
    assert_eq!(strays.iter().filter(about).collect::<Vec<_>>(), Vec::<&Value>::new(), "{spoken}: nothing more");
}

fn judge(answer: &Answer, spoken: &str) {
    let (text, whole) = (answer.text(), reply(spoken));
    match answer.status() {
        "completed" if answer.transcript() == spoken => {
            assert_eq!(text.trim_end(), whole);
            assert_eq!(tones::tell(&whole, &tones::heard(&answer.sound()), 0), Ok(()), "{spoken}");
        }
        // The ears were lost after some words: these are answered.
        "completed" => assert!(text.starts_with("You said "), "{text}"),
        "failed" | "incomplete" => {
            assert_ne!(answer.code(), "", "{spoken}: a reason is told");
            if answer.transcript() == spoken {
                assert!(whole.starts_with(text.trim_end()), "{text}");
            }
        }
        other => panic!("{spoken}: {other}"),
    }
}

/// Once the vendors are back, every session is answered: engines that rest are tried again in time.
async fn recovers(client: &mut Client, number: u32) {
    for _ in 0..60 {
        let mut tally = Tally::default();
        converse(client, number, &mut tally).await;
        if tally.answered() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("session {number} never recovers");
}

async fn is_quiet(relay: &Relay, vendors: &Vendors) -> bool {
    relay.metric("voice_relay_live_sessions", &[]).await == 0.0 && vendors.live() == 0
}

/// One connection in eight meets with something, and now and then a vendor is gone for a while: not the ears, which are
/// both of one vendor.
fn storm(seed: u64, clock: Clock, end: Instant) -> impl FnMut(Vendor) -> Fate + Send {
    let mut dice = Dice(seed);
    let (mut down, mut until) = (Vendor::Aura, clock.now());
    move |vendor| {
        let now = clock.now();
        if now >= end {
            return Fate::Well;
        }
        if now >= until && dice.roll(100) == 0 {
            down = [Vendor::Aura, Vendor::Eleven, Vendor::Claude, Vendor::DeepSeek][dice.roll(4) as usize];
            until = now + Duration::from_millis(500 + dice.roll(2_500));
        }
        if now < until && vendor == down {
            return if dice.roll(2) == 0 { Fate::Refuse(503) } else { Fate::Reset(0) };
        }
        let after = dice.roll(24) as usize;
        match dice.roll(80) {
            0 => Fate::Refuse([429, 500, 503, 529][dice.roll(4) as usize]),
            1 => Fate::Stall(after),
            2..=3 => Fate::Corrupt(after),
            4..=6 => Fate::Reset(after),
            7..=9 => Fate::Die(after),
            _ => Fate::Well,
        }
    }
}

/// SplitMix64: the same seed, the same storm.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}
