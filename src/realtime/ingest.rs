//! The microphone: bytes as the client sends them become frames in the stream, judged by voice activity detection.
//!
//! Owns the stream's position, which counts all audio ever appended, and the newest frames by position. Refuses to know
//! turns: what a position means is the session's to decide. Once warm, nothing is allocated per frame.

use std::time::Duration;

use audio::{Decoder, Denoiser, Encoding, Frame, Preroll, Resampler, SampleRate, Threshold, Vad, vad};

use super::session::{
    input::{Heard, Voice},
    settings::{Endpointing, Format, InputSettings},
};

/// How far back an onset may be put when it is told: 48 ms of speech with clicks between, and the attack before.
const HINDSIGHT: Duration = Duration::from_millis(300);
/// As much of a turn as the turn detector can make use of.
const ADVICE: Duration = Duration::from_secs(8);
/// As much sound as is heard in about 0.2 ms; noise reduction is ten times dearer than everything else together.
const SLICE: Duration = Duration::from_millis(200);
const SLICE_DENOISED: Duration = Duration::from_millis(40);
/// `semantic_vad` has no setting for it.
const SEMANTIC_PADDING: Duration = Duration::from_millis(300);

/// What does not change about listening during a session.
#[derive(Clone, Copy, Debug)]
pub struct Hearing {
    /// Whether a turn detector may ask for a turn's audio.
    pub advice: bool,
    /// What tells speech from silence.
    pub detector: vad::Engine,
}

/// One client's microphone.
pub struct Ingest {
    hearing: Hearing,
    format: Format,
    decoder: Decoder,
    /// Made when there is something to resample: a transport that decodes gives frames.
    resampler: Option<Resampler>,
    /// Samples decoded since the format was set.
    decoded: u64,
    /// Samples at 16 kHz that were not framed yet, and how many of them are spent.
    samples: Vec<i16>,
    spent: usize,
    scratch: Vec<i16>,
    /// While noise reduction is wanted.
    denoiser: Option<Box<Denoiser>>,
    ear: Option<Ear>,
    ring: Preroll,
    /// Where the open turn begins, whose audio a turn detector may ask for.
    turn: Option<Duration>,
    /// Whether one may.
    advice: bool,
}

/// Voice activity detection, absent while turns are manual. Positions of the detector count from `since`.
struct Ear {
    vad: Vad,
    since: Duration,
}

impl Ingest {
    /// A microphone that has heard nothing.
    pub fn new(settings: &InputSettings, hearing: Hearing) -> Self {
        let mut ingest = Self {
            hearing,
            format: settings.format,
            decoder: Decoder::new(encoding(settings.format)),
            resampler: None,
            decoded: 0,
            samples: Vec::new(),
            spent: 0,
            scratch: Vec::new(),
            denoiser: None,
            ear: None,
            ring: Preroll::new(span_of(settings)),
            turn: None,
            advice: false,
        };
        ingest.tune(settings);
        ingest
    }

    /// Takes over changed settings; what is not changed goes on undisturbed, and no audio is lost.
    pub fn configure(&mut self, settings: &InputSettings) {
        if settings.format != self.format {
            self.settle();
            self.format = settings.format;
            self.decoder = Decoder::new(encoding(settings.format));
            self.resampler = None;
            self.decoded = 0;
        }
        self.tune(settings);
        self.ring.resize(span_of(settings));
    }

    /// How many bytes of the current format may be heard at once without keeping everyone else waiting.
    pub const fn slice(&self) -> usize {
        let span = if self.denoiser.is_some() { SLICE_DENOISED } else { SLICE };
        rate(self.format).samples_in(span) * encoding(self.format).bytes_per_sample()
    }

    /// Takes bytes from the client. [`next`](Self::next) gives the frames they complete.
    pub fn take(&mut self, bytes: &[u8]) {
        self.scratch.clear();
        self.decoder.decode(bytes, &mut self.scratch);
        self.convert();
    }

    /// Takes 20 ms that a transport decoded. What was begun of a frame before is heard first.
    pub fn push(&mut self, frame: &Frame) {
        self.samples.extend_from_slice(frame.samples());
    }

    /// How much has come of a frame that is not whole yet.
    pub fn begun(&self) -> Duration {
        rate(self.format).duration_of(usize::try_from(self.decoded % self.frame()).unwrap_or(0))
    }

    /// Fills a frame that was begun with silence, for a buffer that is committed or cleared in the middle of one.
    pub fn settle(&mut self) {
        let missing = (self.frame() - self.decoded % self.frame()) % self.frame();
        self.scratch.clear();
        self.scratch.resize(usize::try_from(missing).unwrap_or(0), 0);
        self.convert();
    }

    /// The verdict on the stream's next 20 ms, if they are there.
    #[expect(clippy::should_implement_trait, reason = "there is more after `None`, once more is taken")]
    pub fn next(&mut self) -> Option<Heard> {
        let Some(samples) = self.samples[self.spent..].first_chunk::<{ Frame::SAMPLES }>() else {
            self.samples.drain(..self.spent);
            self.spent = 0;
            return None;
        };
        let mut frame = Frame(*samples);
        self.spent += Frame::SAMPLES;
        if let Some(denoiser) = &mut self.denoiser {
            frame = denoiser.clean(&frame);
        }
        self.ring.push(&frame);
        let voice = self.ear.as_mut().map_or(Voice::Quiet { since: Duration::ZERO }, |ear| ear.hear(&frame));
        Some(Heard { end: self.ring.end(), voice })
    }

    /// Whether [`next`](Self::next) has a verdict to give.
    pub const fn has_next(&self) -> bool {
        self.samples.len() - self.spent >= Frame::SAMPLES
    }

    /// Where the newest frame ends.
    pub fn position(&self) -> Duration {
        self.ring.end()
    }

    /// Where the oldest frame begins that is still there.
    pub fn oldest(&self) -> Duration {
        self.ring.start()
    }

    /// The frames from the one that holds `position` on, each with the position where it ends.
    pub fn since(&self, position: Duration) -> impl Iterator<Item = (Duration, &Frame)> {
        self.ring.since(position)
    }

    /// Samples of a frame as the client sends them.
    const fn frame(&self) -> u64 {
        rate(self.format).samples_in(Frame::DURATION) as u64
    }

    /// A turn is open from here on: a turn detector may ask for all of it, as far as it is of use.
    pub fn hold(&mut self, from: Duration) {
        self.turn = Some(from);
        self.keep();
    }

    /// The turn is over: nobody asks for its audio any more.
    pub fn let_go(&mut self) {
        self.turn = None;
        self.keep();
    }

    fn keep(&mut self) {
        match self.turn.filter(|_| self.advice) {
            Some(from) => self.ring.hold(from, ADVICE),
            None => self.ring.let_go(),
        }
    }

    fn convert(&mut self) {
        self.decoded += self.scratch.len() as u64;
        if !self.scratch.is_empty() {
            let resampler = self.resampler.get_or_insert_with(|| resampler(self.format));
            resampler.process(&self.scratch, &mut self.samples);
        }
    }

    /// Cleans and detects as the settings say. What goes on keeps what it has heard.
    fn tune(&mut self, settings: &InputSettings) {
        let policy = settings.turn_detection.as_ref().map(|detection| &detection.policy);
        self.advice = self.hearing.advice && matches!(policy, Some(Endpointing::Semantic { .. }));
        self.keep();
        // One filter serves near and far microphones.
        self.denoiser = settings.noise_reduction.map(|_| self.denoiser.take().unwrap_or_default());
        let Some(detection) = &settings.turn_detection else {
            self.ear = None;
            return;
        };
        let threshold = match detection.policy {
            Endpointing::Silence { threshold, .. } => Threshold::new(threshold).unwrap_or_default(),
            Endpointing::Semantic { .. } => Threshold::default(),
        };
        match &mut self.ear {
            Some(ear) => ear.vad.set_threshold(threshold),
            None => {
                let vad = Vad::new(self.hearing.detector, threshold);
                self.ear = Some(Ear { vad, since: self.ring.end() });
            }
        }
    }
}

impl Ear {
    fn hear(&mut self, frame: &Frame) -> Voice {
        match self.vad.hear(frame) {
            audio::Voice::Quiet { since } => Voice::Quiet { since: self.since + since },
            audio::Voice::Speech { since, last, varied } => {
                Voice::Speech { since: self.since + since, last: self.since + last, varied }
            }
        }
    }
}

/// What is kept while nobody speaks: a turn is transcribed from its onset on, so only what lies before that is asked for
/// once it is heard.
fn span_of(settings: &InputSettings) -> Duration {
    let padding = match settings.turn_detection.as_ref().map(|detection| &detection.policy) {
        Some(Endpointing::Silence { prefix_padding, .. }) => *prefix_padding,
        Some(Endpointing::Semantic { .. }) => SEMANTIC_PADDING,
        None => Duration::ZERO,
    };
    padding + HINDSIGHT
}

const fn encoding(format: Format) -> Encoding {
    match format {
        Format::Pcm => Encoding::Pcm16,
        Format::Mulaw => Encoding::Ulaw,
        Format::Alaw => Encoding::Alaw,
    }
}

const fn rate(format: Format) -> SampleRate {
    match format {
        Format::Pcm => SampleRate::HZ_24000,
        Format::Mulaw | Format::Alaw => SampleRate::HZ_8000,
    }
}

fn resampler(format: Format) -> Resampler {
    Resampler::new(rate(format), Frame::RATE).expect("the filter knows the rates of every format")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::session::settings::{Eagerness, NoiseReduction, TurnDetection};

    const HEARING: Hearing = Hearing { advice: true, detector: vad::Engine::Earshot };

    fn manual(format: Format) -> InputSettings {
        InputSettings { format, noise_reduction: None, transcription: None, turn_detection: None }
    }

    fn automatic(threshold: f32, prefix_padding: Duration) -> InputSettings {
        let silence = Duration::from_millis(500);
        let policy = Endpointing::Silence { threshold, prefix_padding, silence, idle_timeout: None };
        let turn_detection = Some(TurnDetection { policy, create_response: true, interrupt_response: true });
        InputSettings { turn_detection, ..manual(Format::Pcm) }
    }

    fn ends(ingest: &mut Ingest) -> Vec<u64> {
        std::iter::from_fn(|| ingest.next()).map(|heard| heard.end.as_millis() as u64).collect()
    }

    #[test]
    fn twenty_milliseconds_in_are_one_frame_out_at_once_in_every_format() {
        for (format, bytes) in [(Format::Pcm, 960), (Format::Mulaw, 160), (Format::Alaw, 160)] {
            let mut ingest = Ingest::new(&manual(format), HEARING);
            assert_eq!(ingest.slice(), bytes * 10);
            for end in 1..10 {
                ingest.take(&vec![0; bytes]);
                assert_eq!(ends(&mut ingest), [end * 20], "{format:?}");
            }
        }
    }

    #[test]
    fn noise_reduction_is_taken_up_and_left_without_losing_a_frame() {
        let mut ingest = Ingest::new(&manual(Format::Pcm), HEARING);
        let noisy = InputSettings { noise_reduction: Some(NoiseReduction::FarField), ..manual(Format::Pcm) };
        for (settings, end) in [(&noisy, 20), (&noisy, 40), (&manual(Format::Pcm), 60)] {
            ingest.configure(settings);
            ingest.take(&[0; 960]);
            assert_eq!(ends(&mut ingest), [end]);
        }
    }

    #[test]
    fn settling_completes_a_begun_frame_and_leaves_a_whole_one_alone() {
        let mut ingest = Ingest::new(&manual(Format::Pcm), HEARING);
        ingest.take(&[0; 961]);
        assert_eq!(ingest.begun(), Duration::ZERO);
        ingest.settle();
        assert_eq!(ends(&mut ingest), [20], "half a sample begins no frame");
        ingest.take(&[0; 481]);
        assert_eq!(ingest.begun().as_micros(), 10_041, "a whole sample of the odd byte and 240 more");
        ingest.settle();
        assert_eq!(ingest.begun(), Duration::ZERO);
        assert_eq!(ends(&mut ingest), [40]);
        ingest.settle();
        assert_eq!(ends(&mut ingest), Vec::<u64>::new());
    }

    #[test]
    fn the_position_goes_on_when_the_format_the_padding_and_the_detection_change() {
        let mut ingest = Ingest::new(&manual(Format::Pcm), HEARING);
        ingest.take(&[0; 960 * 100]);
        assert_eq!(ends(&mut ingest).last(), Some(&2_000));
        let before: Vec<_> = ingest.since(Duration::from_millis(1_500)).map(|(end, frame)| (end, *frame)).collect();
        ingest.configure(&automatic(0.5, Duration::from_secs(2)));
        ingest.configure(&manual(Format::Mulaw));
        ingest.configure(&automatic(0.7, Duration::from_secs(1)));
        let after: Vec<_> = ingest.since(Duration::from_millis(1_500)).map(|(end, frame)| (end, *frame)).collect();
        assert_eq!(before, after);
        ingest.take(&[0; 960]);
        let heard = ingest.next().unwrap();
        assert_eq!(heard.end, Duration::from_millis(2_020));
        assert!(matches!(heard.voice, Voice::Quiet { .. }));
    }

    fn semantic() -> InputSettings {
        let policy = Endpointing::Semantic { eagerness: Eagerness::Medium };
        let turn_detection = Some(TurnDetection { policy, create_response: true, interrupt_response: true });
        InputSettings { turn_detection, ..manual(Format::Pcm) }
    }

    /// How much is kept after a minute more of silence.
    fn kept_after_a_minute(ingest: &mut Ingest) -> Duration {
        for _ in 0..3_000 {
            ingest.take(&[0; 960]);
            ingest.next();
        }
        ingest.position() - ingest.oldest()
    }

    #[test]
    fn what_lies_before_an_onset_is_kept_and_of_an_open_turn_what_a_detector_can_use() {
        let padding = Duration::from_millis(700);
        let mut ingest = Ingest::new(&automatic(0.5, padding), HEARING);
        assert_eq!(kept_after_a_minute(&mut ingest), padding + HINDSIGHT);
        ingest.hold(ingest.position());
        assert_eq!(kept_after_a_minute(&mut ingest), padding + HINDSIGHT, "nobody will ask");

        ingest.configure(&semantic());
        assert_eq!(kept_after_a_minute(&mut ingest), ADVICE, "a turn detector may, in the middle of the turn");
        ingest.let_go();
        assert_eq!(ingest.position() - ingest.oldest(), SEMANTIC_PADDING + HINDSIGHT, "at once");
        assert_eq!(kept_after_a_minute(&mut ingest), SEMANTIC_PADDING + HINDSIGHT);
    }
}
