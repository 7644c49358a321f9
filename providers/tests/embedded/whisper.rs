//! Whisper on real speech: the ten labelled utterances of Debian's pocketsphinx-testdata, noises, and bad days.
//!
//! Needs the models (`VOICE_RELAY_MODELS`, else the XDG data dir) and the recordings; without them each test says so
//! and passes.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use audio::{Frame, Threshold, Vad, Voice, vad::Engine};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, SpeechToText,
    local::{
        pool::{Pool, Priority},
        whisper::Whisper,
    },
    stt::{FinalTranscript, SttOptions, Transcript},
};
use tokio::sync::mpsc;

/// One model for all tests of this binary.
static WHISPER: LazyLock<Option<Whisper>> = LazyLock::new(|| {
    let path = models().join("whisper-base.ggml");
    if !path.exists() {
        skipped(&format!("no {}; `voice-relay models install` fetches it", path.display()));
        return None;
    }
    Some(Whisper::load(&path, Arc::clone(&POOL)).unwrap())
});

static POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new(Pool::cores(), 64));

#[tokio::test]
async fn librivox_sentences_are_understood_as_well_as_measured() {
    let Some(whisper) = &*WHISPER else { return };
    let Some(clips) = labelled("librivox", "transcription") else { return };
    let (wrong, words) = errors(whisper, &clips).await;
    assert_eq!(words, 71);
    assert!(wrong <= 3, "{wrong} of {words} words wrong; 2 were measured");
}

#[tokio::test]
async fn short_commands_are_understood_as_well_as_measured() {
    let Some(whisper) = &*WHISPER else { return };
    let Some(clips) = labelled("cards", "cards.transcription") else { return };
    let (wrong, words) = errors(whisper, &clips).await;
    assert_eq!(words, 21);
    assert!(wrong <= 5, "{wrong} of {words} words wrong; 4 were measured");
}

#[tokio::test]
async fn noises_give_no_text() {
    let Some(whisper) = &*WHISPER else { return };
    for (name, samples) in noises() {
        let heard = hear(whisper, english(), &samples).await;
        assert_eq!(heard.text, "", "{name}");
        assert_eq!(heard.duration, Duration::from_secs(3), "{name}");
    }
}

#[tokio::test]
async fn no_sound_at_all_gives_an_empty_transcript() {
    let Some(whisper) = &*WHISPER else { return };
    let heard = hear(whisper, english(), &[]).await;
    assert_eq!(heard, FinalTranscript { language: Some("en".into()), ..FinalTranscript::default() });
}

#[tokio::test]
async fn partials_only_grow_and_the_final_begins_with_them() {
    let Some((whisper, pool)) = alone(1) else { return };
    let Some(clips) = labelled("librivox", "transcription") else { return };
    let options = SttOptions { interim: true, ..english() };
    let (sender, source) = microphone();
    let transcripts = whisper.transcribe(options, source).await.unwrap();
    let listener = tokio::spawn(transcripts.collect::<Vec<_>>());
    for burst in frames(&clips[3].samples).chunks(10) {
        burst.iter().for_each(|frame| sender.send(*frame).unwrap());
        settle(&pool, Priority::Partial).await;
    }
    drop(sender);
    let mut transcripts = listener.await.unwrap();
    let Some(Ok(Transcript::Final(heard))) = transcripts.pop() else { panic!("no final") };
    let mut last = String::new();
    for transcript in &transcripts {
        let Ok(Transcript::Partial { stable, tentative }) = transcript else { panic!("{transcript:?}") };
        assert!(stable.starts_with(&last), "{last:?} then {stable:?}");
        assert!(!stable.is_empty() || !tentative.is_empty());
        last.clone_from(stable);
    }
    assert!(heard.text.starts_with(&last), "{last:?} then {:?}", heard.text);
    assert!(last.split(' ').count() >= 8, "only {last:?} was stable before the end");
    assert!(distance(&plain(&clips[3].text), &plain(&heard.text)) <= 2, "{}", heard.text);
}

#[tokio::test]
async fn a_pause_is_heard_at_once_so_that_the_end_costs_nothing() {
    let Some((whisper, pool)) = alone(1) else { return };
    let Some(clips) = labelled("cards", "cards.transcription") else { return };
    let heard = heard_by_its_end(&whisper, &pool, &clips[4].samples).await;
    assert!(heard.text.contains("hearts"), "{heard:?}");
}

#[tokio::test]
async fn a_preview_that_is_under_way_does_not_hold_up_the_pause() {
    let Some((whisper, pool)) = alone(2) else { return };
    let Some(clips) = labelled("cards", "cards.transcription") else { return };
    let _preview = block(&pool, Priority::Partial).await;
    let heard = heard_by_its_end(&whisper, &pool, &clips[4].samples).await;
    assert!(heard.text.contains("hearts"), "{heard:?}");
}

#[tokio::test]
async fn dropping_the_transcripts_frees_the_queue() {
    let Some((whisper, pool)) = alone(1) else { return };
    let Some(clips) = labelled("cards", "cards.transcription") else { return };
    let _busy = block(&pool, Priority::Final).await;
    let source = stream::iter(frames(&clips[0].samples)).boxed();
    let mut transcripts = whisper.transcribe(english(), source).await.unwrap();
    while pool.depth() == 0 {
        assert!(transcripts.next().now_or_never().is_none());
    }
    drop(transcripts);
    assert_eq!(pool.depth(), 0);
}

#[tokio::test]
async fn long_speech_is_cut_at_pauses_and_joined_in_order() {
    let Some(whisper) = &*WHISPER else { return };
    let Some(clips) = labelled("librivox", "transcription") else { return };
    // 25 s of sentences with pauses between them, and one sentence more.
    let mut samples = Vec::new();
    let mut expected = Vec::new();
    for clip in clips.iter().chain(&clips[..2]) {
        samples.extend(&clip.samples);
        samples.extend([0; 8_000]);
        expected.extend(plain(&clip.text));
    }
    let heard = hear(whisper, english(), &samples).await;
    let wrong = distance(&expected, &plain(&heard.text));
    assert!(wrong <= 6, "{wrong} of {} words wrong: {}", expected.len(), heard.text);
    assert!(heard.duration > Duration::from_secs(36));
    assert!(heard.segments.is_sorted_by_key(|segment| segment.start), "{:?}", heard.segments);
    assert!(heard.words.is_sorted_by_key(|word| word.start), "{:?}", heard.words);
    assert!(heard.segments.last().unwrap().end > Duration::from_secs(30));
}

#[tokio::test]
async fn silence_before_speech_costs_neither_text_nor_times() {
    let Some(whisper) = &*WHISPER else { return };
    let Some(clips) = labelled("cards", "cards.transcription") else { return };
    let mut samples = vec![0; 60 * 16_000];
    samples.extend(&clips[4].samples);
    let heard = hear(whisper, english(), &samples).await;
    assert!(heard.text.contains("hearts"), "{heard:?}");
    assert!(heard.words[0].start >= Duration::from_secs(60), "{:?}", heard.words);
}

#[tokio::test]
async fn english_is_recognised_as_english() {
    let Some(whisper) = &*WHISPER else { return };
    let Some(clips) = labelled("librivox", "transcription") else { return };
    let heard = hear(whisper, SttOptions::default(), &clips[0].samples).await;
    assert_eq!(heard.language.as_deref(), Some("en"));
    assert!(heard.text.contains("leisure"), "{heard:?}");
}

#[tokio::test]
async fn a_prompt_teaches_names() {
    let Some(whisper) = &*WHISPER else { return };
    let Some(clips) = labelled("librivox", "transcription") else { return };
    let options = SttOptions { prompt: Some("Mr. John Dashwode\0 and Mrs. Dashwode.".into()), ..english() };
    let heard = hear(whisper, options, &clips[0].samples).await;
    assert!(heard.text.contains("Dashwode"), "{heard:?}");
}

#[tokio::test]
async fn an_unknown_language_is_refused_and_a_region_is_not() {
    let Some(whisper) = &*WHISPER else { return };
    let options = |tag: &str| SttOptions { language: Some(tag.into()), ..SttOptions::default() };
    let refused = whisper.transcribe(options("tlh"), stream::empty().boxed()).await.err().unwrap();
    assert_eq!(refused.kind, ErrorKind::Rejected);
    assert!(whisper.transcribe(options("de-AT"), stream::empty().boxed()).await.is_ok());
    assert!(whisper.capabilities().languages.contains(&"de".to_owned()));
}

#[test]
fn a_missing_or_broken_model_is_named_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("whisper-none.ggml");
    let error = Whisper::load(&missing, Pool::new(1, 1)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.detail.contains("whisper-none.ggml") && error.detail.contains("models install"), "{error}");
    std::fs::write(&missing, b"not a model").unwrap();
    let error = Whisper::load(&missing, Pool::new(1, 1)).unwrap_err();
    assert!(error.detail.contains("models install"), "{error}");
}

fn english() -> SttOptions {
    SttOptions { language: Some("en".into()), ..SttOptions::default() }
}

async fn hear(whisper: &Whisper, options: SttOptions, samples: &[i16]) -> FinalTranscript {
    let source = stream::iter(frames(samples)).boxed();
    let transcripts: Vec<_> = whisper.transcribe(options, source).await.unwrap().collect().await;
    let [Ok(Transcript::Final(heard))] = &transcripts[..] else { panic!("not one final: {transcripts:?}") };
    heard.clone()
}

/// Wrong and expected words over all clips.
async fn errors(whisper: &Whisper, clips: &[Labelled]) -> (usize, usize) {
    let (mut wrong, mut words) = (0, 0);
    for clip in clips {
        let heard = hear(whisper, english(), &clip.samples).await;
        let expected = plain(&clip.text);
        let errors = distance(&expected, &plain(&heard.text));
        eprintln!("{errors} wrong: {:?} for {:?}", heard.text, clip.text);
        wrong += errors;
        words += expected.len();
    }
    (wrong, words)
}

fn frames(samples: &[i16]) -> Vec<Frame> {
    let frame = |chunk: &[i16]| {
        let mut frame = Frame::SILENCE;
        frame.0[..chunk.len()].copy_from_slice(chunk);
        frame
    };
    samples.chunks(Frame::SAMPLES).map(frame).collect()
}

fn microphone() -> (mpsc::UnboundedSender<Frame>, BoxStream<'static, Frame>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, tokio_stream::wrappers::UnboundedReceiverStream::new(receiver).boxed())
}

/// A model with threads of its own, for tests that look at the pool.
fn alone(threads: usize) -> Option<(Whisper, Arc<Pool>)> {
    WHISPER.as_ref()?;
    let pool = Pool::new(threads, 8);
    Some((Whisper::load(&models().join("whisper-base.ggml"), Arc::clone(&pool)).unwrap(), pool))
}

/// What is known of an utterance although no thread is free from 120 ms after its end on.
async fn heard_by_its_end(whisper: &Whisper, pool: &Arc<Pool>, samples: &[i16]) -> FinalTranscript {
    let mut sound = frames(samples);
    sound.extend([Frame::SILENCE; 30]);
    let pause = end_of_speech(&sound) + 6;
    let (sender, source) = microphone();
    let mut transcripts = whisper.transcribe(english(), source).await.unwrap();
    let listener = tokio::spawn(async move { transcripts.next().await });
    sound[..pause].iter().for_each(|frame| sender.send(*frame).unwrap());
    settle(pool, Priority::Soon).await;
    let _busy = block(pool, Priority::Final).await;
    sound[pause..].iter().for_each(|frame| sender.send(*frame).unwrap());
    drop(sender);
    let heard = tokio::time::timeout(Duration::from_secs(30), listener).await.expect("nothing was heard by the end");
    let Some(Ok(Transcript::Final(heard))) = heard.unwrap() else { panic!("not final") };
    heard
}

/// The frame before which speech ends, as the turn logic judges it.
fn end_of_speech(sound: &[Frame]) -> usize {
    let mut vad = Vad::new(Engine::default(), Threshold::default());
    let verdicts = sound.iter().filter_map(|frame| match vad.hear(frame) {
        Voice::Speech { last, .. } => Some(last),
        Voice::Quiet { .. } => None,
    });
    let last = verdicts.last().expect("somebody speaks");
    usize::try_from(last.as_millis().div_ceil(20)).unwrap()
}

/// Lets listeners take in all sound sent so far and have it heard, as urgently as this.
async fn settle(pool: &Pool, priority: Priority) {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
    pool.run(u64::MAX, priority, || ()).await.unwrap();
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

/// Keeps a thread of the pool until the answer is dropped.
async fn block(pool: &Arc<Pool>, priority: Priority) -> std::sync::mpsc::Sender<()> {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (started, running) = tokio::sync::oneshot::channel();
    let pool = Arc::clone(pool);
    tokio::spawn(async move { pool.run(u64::MAX, priority, move || (started.send(()), held.recv())).await });
    running.await.unwrap();
    release
}

struct Labelled {
    text: String,
    samples: Vec<i16>,
}

fn labelled(folder: &str, list: &str) -> Option<Vec<Labelled>> {
    let folder = Path::new("/usr/share/pocketsphinx/test/data").join(folder);
    let Ok(list) = std::fs::read_to_string(folder.join(list)) else {
        skipped(&format!("no {}; Debian's pocketsphinx-testdata has it", folder.display()));
        return None;
    };
    let clip = |line: &str| {
        let (text, name) = line.split_once("</s>")?;
        let name = name.trim().trim_matches(['(', ')']);
        let text = text.trim_start_matches("<s>").trim().to_owned();
        Some(Labelled { text, samples: wav(&folder.join(format!("{name}.wav"))) })
    };
    Some(list.lines().filter_map(clip).collect())
}

fn wav(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap();
    let data = bytes.windows(4).position(|mark| mark == b"data").unwrap() + 8;
    bytes[data..].as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// 3 s each of what microphones pick up when nobody speaks.
fn noises() -> Vec<(&'static str, Vec<i16>)> {
    const LENGTH: usize = 48_000;
    let mut seed = 1_u32;
    let mut random = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(seed >> 8) / f64::from(1 << 23) - 1.0
    };
    let mut noise = |gain: f64| (0..LENGTH).map(|_| (random() * gain) as i16).collect::<Vec<i16>>();
    let brown = |noise: &[i16]| {
        let mut level = 0.0;
        let step = |sample: &i16| {
            level = level * 0.98 + f64::from(*sample) * 0.2;
            level as i16
        };
        noise.iter().map(step).collect::<Vec<i16>>()
    };
    let tone = |hertz: f64| {
        let at = |n: usize| ((n as f64 * hertz * std::f64::consts::TAU / 16_000.0).sin() * 6_000.0) as i16;
        (0..LENGTH).map(at).collect::<Vec<i16>>()
    };
    let mut clicks = noise(20.0);
    for (at, burst) in noise(12_000.0).chunks(4_000).enumerate().map(|(n, burst)| (n * 4_000, burst)) {
        clicks[at..at + 60].copy_from_slice(&burst[..60]);
    }
    let loud = noise(9_000.0);
    vec![
        ("silence", vec![0; LENGTH]),
        ("faint noise", noise(600.0)),
        ("rumble", brown(&loud)),
        ("loud noise", loud),
        ("tone", tone(440.0)),
        ("hum", tone(50.0)),
        ("clicks", clicks),
    ]
}

/// Words without case, punctuation and ways to write numbers.
fn plain(text: &str) -> Vec<String> {
    let number = |word: &str| match word {
        "4" => "four".into(),
        "5" => "five".into(),
        "7" => "seven".into(),
        "8" => "eight".into(),
        "10" => "ten".into(),
        "mr" => "mister".into(),
        other => other.to_owned(),
    };
    let lower = text.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(number).collect()
}

fn distance(expected: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for word in expected {
        let mut diagonal = std::mem::replace(&mut row[0], 0);
        row[0] = diagonal + 1;
        for (at, other) in heard.iter().enumerate() {
            let substituted = diagonal + usize::from(word != other);
            diagonal = row[at + 1];
            row[at + 1] = substituted.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[heard.len()]
}

/// Past the test harness, which shows a passing test's output to nobody.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

fn models() -> PathBuf {
    let data = || {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/share");
        std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from).join("voice-relay/models")
    };
    std::env::var_os("VOICE_RELAY_MODELS").map_or_else(data, PathBuf::from)
}
