//! One Whisper model in memory and how it is asked. Blocking: runs on the pool's threads.
//!
//! Settings follow what was measured: one thread a run (several spin at barriers), the encoder's window cut to the
//! sound plus a second (a run costs an eighth of the full window's), timestamps on (without them short windows loop),
//! tokens capped, and a loop heard again with the full window. Each run forgets the one before, so that sessions share
//! a state without hearing each other.

use std::{
    collections::BTreeMap,
    ffi::c_void,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use audio::Frame;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperSegment, WhisperState,
};

use super::{
    hearing::{Hearing, is_loop, is_speech},
    window::Sound,
};
use crate::stt::{Segment, Word};

/// A loaded model and the states of its runs, at most one a pool thread.
pub(super) struct Engine {
    context: WhisperContext,
    states: Mutex<Vec<WhisperState>>,
    /// Settings a language: the crate leaks the language's name each time it is set, so it is set once.
    languages: BTreeMap<&'static str, FullParams<'static, 'static>>,
}

/// What to listen for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// ISO 639-1 as [`Engine::language`] gives it; `None` to detect.
    pub(super) language: Option<&'static str>,
    /// What to try first when the language is to be detected: another one costs a second run.
    pub(super) likely: Option<&'static str>,
    /// Words and names likely to occur.
    pub(super) prompt: Option<String>,
    /// Whether a loop is worth a second, full run.
    pub(super) thorough: bool,
}

/// Why a run gave nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// The model file cannot be used.
    #[error("{0}")]
    Load(String),
    /// The run failed or was aborted.
    #[error("whisper: {0}")]
    Run(String),
    /// The text ran in circles and the request was not thorough.
    #[error("the text ran in circles")]
    Loop,
}

impl Engine {
    /// Reads a ggml file.
    pub(super) fn load(path: &Path) -> Result<Self, EngineError> {
        // Without hooks whisper.cpp writes to stderr.
        whisper_rs::install_logging_hooks();
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default())
            .map_err(|error| EngineError::Load(error.to_string()))?;
        let known = if context.is_multilingual() { languages(context.n_vocab()) } else { vec!["en"] };
        let languages = known.into_iter().map(|language| (language, settings(language))).collect();
        Ok(Self { context, states: Mutex::default(), languages })
    }

    /// The languages it understands.
    pub(super) fn languages(&self) -> impl Iterator<Item = &'static str> {
        self.languages.keys().copied()
    }

    /// Its name of a BCP 47 tag's language.
    pub(super) fn language(&self, tag: &str) -> Option<&'static str> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let whisper = match primary.as_str() {
            "nb" => "no",
            "fil" => "tl",
            "jv" => "jw",
            other => other,
        };
        self.languages.get_key_value(whisper).map(|(name, _)| *name)
    }

    /// Hears `sound`. Setting `abort` ends the run with an error, but not within the encoder, which takes about 0.1 s a
    /// second of sound.
    pub(super) fn hear(&self, sound: &Sound, request: &Request, abort: &AtomicBool) -> Result<Hearing, EngineError> {
        let mut state = self.state()?;
        let heard = self.hear_with(&mut state, sound, request, abort);
        self.states.lock().unwrap_or_else(PoisonError::into_inner).push(state);
        heard
    }

    fn state(&self) -> Result<WhisperState, EngineError> {
        let free = self.states.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| self.context.create_state().map_err(run_failed), Ok)
    }

    fn hear_with(
        &self,
        state: &mut WhisperState,
        sound: &Sound,
        request: &Request,
        abort: &AtomicBool,
    ) -> Result<Hearing, EngineError> {
        let mut samples: Vec<f32> = sound.samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        // whisper.cpp ignores what is shorter than 100 ms.
        samples.resize(samples.len().max(SHORTEST), 0.0);
        let duration = Frame::RATE.duration_of(samples.len());
        let (short, cap) = (window(duration), most_tokens(duration));
        let prompt = self.prompt(request);
        let run = |state: &mut WhisperState, language, window| {
            let mut params: FullParams<'_, '_> = self.settings(language);
            params.set_tokens(&prompt);
            params.set_max_tokens(cap);
            params.set_audio_ctx(window);
            abort_when(&mut params, abort);
            state.full(params, &samples).map_err(run_failed)
        };
        let mut language = request.language.or(request.likely).unwrap_or(ENGLISH);
        run(state, language, short)?;
        if request.language.is_none()
            && duration >= TELLING
            && let Some(spoken) = self.spoken(state)?
            && spoken != language
        {
            language = spoken;
            run(state, language, short)?;
        }
        let mut window = short;
        loop {
            let hearing = self.read(state, sound, language);
            let tokens: i32 = state.as_iter().map(|segment| segment.n_tokens()).sum();
            if tokens < cap && !is_loop(&hearing.text(), duration) || window == WHOLE_WINDOW {
                return Ok(hearing);
            }
            // A little more silence mostly ends a loop, at a tenth of the cost of the whole window.
            window = if window == short { (short * 2).min(WHOLE_WINDOW) } else { WHOLE_WINDOW };
            if window == WHOLE_WINDOW && !request.thorough {
                return Err(EngineError::Loop);
            }
            run(state, language, window)?;
        }
    }

    /// The language of the sound just heard, unless in doubt.
    ///
    /// The encoder is most of a run's cost, so its output is asked again, at the cost of one token.
    fn spoken(&self, state: &mut WhisperState) -> Result<Option<&'static str>, EngineError> {
        if self.languages.len() == 1 {
            return Ok(None);
        }
        state.decode(&[self.context.token_sot()], 0, 1).map_err(run_failed)?;
        let logits = state.get_logits().map_err(run_failed)?;
        let logit = |name: &'static str| {
            let token = usize::try_from(self.context.token_lang(whisper_rs::get_lang_id(name)?)).ok()?;
            Some((name, *logits.get(token)?))
        };
        let scored: Vec<_> = self.languages.keys().filter_map(|name| logit(name)).collect();
        let Some((name, most)) = scored.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok(None) };
        // The softmax of the best is one over this.
        let sum: f32 = scored.iter().map(|(_, logit)| (logit - most).exp()).sum();
        Ok((sum.recip() >= SURE).then_some(name))
    }

    fn settings(&self, language: &'static str) -> FullParams<'static, 'static> {
        self.languages.get(language).cloned().unwrap_or_else(|| settings(ENGLISH))
    }

    fn prompt(&self, request: &Request) -> Vec<i32> {
        /// whisper.cpp takes half of its 448 text positions, less one.
        const MOST: usize = 223;
        let prompt = request.prompt.as_deref().unwrap_or_default().replace('\0', " ");
        let prompt = prompt.trim();
        if prompt.is_empty() {
            return Vec::new();
        }
        // A token holds at least one byte. The end of a long prompt is the part nearest to the speech.
        let mut tokens = self.context.tokenize(&format!(" {prompt}"), prompt.len() + 8).unwrap_or_default();
        tokens.drain(..tokens.len().saturating_sub(MOST));
        tokens
    }

    fn read(&self, state: &WhisperState, sound: &Sound, language: &'static str) -> Hearing {
        let mut hearing = Hearing { language: Some(language), ..Hearing::default() };
        let clock = Clock { start: sound.start, length: Frame::RATE.duration_of(sound.samples.len()) };
        for segment in state.as_iter() {
            let Ok(text) = segment.to_str_lossy() else { continue };
            let tokens = self.tokens(&segment);
            let avg_logprob = tokens.iter().map(|token| token.logprob).sum::<f32>() / tokens.len().max(1) as f32;
            if !is_speech(&text, avg_logprob) {
                continue;
            }
            let start = clock.at(segment.start_timestamp());
            hearing.segments.push(Segment {
                text: text.into_owned(),
                start,
                end: clock.at(segment.end_timestamp()).max(start),
                avg_logprob: Some(avg_logprob),
                // whisper.cpp reads it after the language token, where it is always next to nothing.
                no_speech_prob: None,
            });
            hearing.words.extend(words(&tokens, &clock));
        }
        hearing
    }

    fn tokens(&self, segment: &WhisperSegment<'_>) -> Vec<Token> {
        let end = self.context.token_eot();
        let tokens = (0..segment.n_tokens()).filter_map(|at| segment.get_token(at));
        let text = tokens.filter(|token| token.token_id() < end);
        text.map(|token| {
            let data = token.token_data();
            let bytes = token.to_bytes().unwrap_or_default().to_vec();
            Token { bytes, start: data.t0, end: data.t1, logprob: data.plog }
        })
        .collect()
    }
}

/// A piece of a word; times in centiseconds from the start of the sound.
struct Token {
    bytes: Vec<u8>,
    start: i64,
    end: i64,
    logprob: f32,
}

/// Turns centiseconds of the sound into times of the utterance.
struct Clock {
    start: Duration,
    length: Duration,
}

impl Clock {
    fn at(&self, centiseconds: i64) -> Duration {
        let time = Duration::from_millis(10 * u64::try_from(centiseconds).unwrap_or(0));
        self.start + time.min(self.length)
    }
}

/// Joins tokens to words: one that begins with a space begins a word.
fn words(tokens: &[Token], clock: &Clock) -> Vec<Word> {
    let grouped = tokens.chunk_by(|_, next| !next.bytes.starts_with(b" "));
    let word = |group: &[Token]| {
        let bytes: Vec<u8> = group.iter().flat_map(|token| token.bytes.iter().copied()).collect();
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        let start = clock.at(group.first()?.start);
        let end = clock.at(group.last()?.end).max(start);
        (!text.is_empty()).then_some(Word { text, start, end })
    };
    grouped.filter_map(word).collect()
}

fn settings(language: &'static str) -> FullParams<'static, 'static> {
    let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    params.set_n_threads(1);
    params.set_no_context(true);
    params.set_temperature_inc(0.0);
    params.set_token_timestamps(true);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_special(false);
    params.set_print_timestamps(false);
    if language != ENGLISH {
        params.set_language(Some(language));
    }
    params
}

fn languages(vocabulary: i32) -> Vec<&'static str> {
    // Cantonese, the hundredth, came with the third large model and its longer vocabulary.
    let count = if vocabulary > 51_865 { 100 } else { 99 };
    (0..count).filter_map(whisper_rs::get_lang_str).collect()
}

/// Positions of the encoder for a sound and a second of silence: 20 ms each.
fn window(duration: Duration) -> i32 {
    let positions = (duration + Duration::from_secs(1)).as_millis().div_ceil(20);
    i32::try_from(positions).map_or(WHOLE_WINDOW, |positions| positions.min(WHOLE_WINDOW))
}

/// Fast speech has about five tokens a second, with two more for timestamps and punctuation.
fn most_tokens(duration: Duration) -> i32 {
    (6.0 * duration.as_secs_f32()) as i32 + 8
}

#[expect(unsafe_code, reason = "whisper.cpp asks a C function; the crate's safe setter leaks a closure a run")]
fn abort_when(params: &mut FullParams<'_, '_>, flag: &AtomicBool) {
    unsafe extern "C" fn is_set(flag: *mut c_void) -> bool {
        // SAFETY: `hear` borrows the flag for as long as the run lasts.
        unsafe { (*flag.cast_const().cast::<AtomicBool>()).load(Ordering::Relaxed) }
    }
    // SAFETY: the pair belongs together, and the callback only reads an atomic.
    unsafe {
        params.set_abort_callback(Some(is_set));
        params.set_abort_callback_user_data(std::ptr::from_ref(flag).cast_mut().cast());
    }
}

fn run_failed(error: whisper_rs::WhisperError) -> EngineError {
    EngineError::Run(error.to_string())
}

const ENGLISH: &str = "en";
/// Positions of the encoder for 30 s.
const WHOLE_WINDOW: i32 = 1_500;
/// Probability of a language from which it is not in doubt.
const SURE: f32 = 0.7;
/// Sound, with the silence around it, that tells its language: half a second of "five" passes for Chinese with
/// confidence. Less is taken for the likely language.
const TELLING: Duration = Duration::from_millis(1_500);
/// 160 ms.
const SHORTEST: usize = 2_560;
