//! Once warm, nothing on a live stream's path allocates: decode, resample, frame, keep, measure, judge, encode; and with
//! Opus over RTP: put in order, mend, decode, encode.
//!
//! Alone in its binary, since the counting allocator counts every thread of the process.
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    time::Duration,
};

use audio::{
    Decoder, Denoiser, Encoding, Framer, JitterBuffer, Level, OpusEncoder, Preroll, Resampler, SampleRate, Threshold,
    Vad, jitter::Packet, vad::Engine, wav,
};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// All that stands between a client's bytes and a verdict, and back.
struct Stream {
    decoder: Decoder,
    resampler: Resampler,
    framer: Framer,
    preroll: Preroll,
    denoiser: Option<Denoiser>,
    vad: Vad,
    egress: Resampler,
    decoded: Vec<i16>,
    wide: Vec<i16>,
    spoken: Vec<i16>,
    bytes: Vec<u8>,
}

impl Stream {
    fn new(encoding: Encoding, rate: SampleRate, engine: Engine, denoise: bool) -> Self {
        Self {
            decoder: Decoder::new(encoding),
            resampler: Resampler::new(rate, SampleRate::HZ_16000).expect("a filter between common rates"),
            framer: Framer::new(),
            preroll: Preroll::new(Duration::from_millis(600)),
            denoiser: denoise.then(Denoiser::default),
            vad: Vad::new(engine, Threshold::default()),
            egress: Resampler::aligned(SampleRate::HZ_16000, rate).expect("a filter between common rates"),
            decoded: Vec::with_capacity(4_800),
            wide: Vec::with_capacity(4_800),
            spoken: Vec::with_capacity(4_800),
            bytes: Vec::with_capacity(9_600),
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.decoded.clear();
        self.wide.clear();
        self.decoder.decode(bytes, &mut self.decoded);
        self.resampler.process(&self.decoded, &mut self.wide);
        let Self { framer, preroll, denoiser, vad, egress, spoken, bytes, .. } = self;
        let encoding = self.decoder.encoding();
        framer.push(&self.wide, |_, frame| {
            let frame = denoiser.as_mut().map_or(*frame, |denoiser| denoiser.clean(frame));
            preroll.push(&frame);
            black_box(Level::of(frame.samples()));
            black_box(vad.hear(&frame));
            spoken.clear();
            bytes.clear();
            egress.process(frame.samples(), spoken);
            encoding.encode(spoken, bytes);
        });
        black_box(self.preroll.since(Duration::ZERO).count());
    }
}

#[test]
fn a_warm_stream_allocates_nothing() {
    let sound: Vec<u8> = (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for engine in [Engine::Earshot, Engine::Energy] {
        for (encoding, rate) in [
            (Encoding::Pcm16, SampleRate::HZ_24000),
            (Encoding::Pcm16, SampleRate::HZ_48000),
            (Encoding::Pcm16, SampleRate::HZ_16000),
            (Encoding::Ulaw, SampleRate::HZ_8000),
            (Encoding::Alaw, SampleRate::HZ_8000),
        ] {
            for denoise in [false, true] {
                let mut stream = Stream::new(encoding, rate, engine, denoise);
                let mut run = || [160, 960, 1, 333, 1_920, 4_000].map(|size| stream.hear(&sound[..size]));
                for _ in 0..5 {
                    run();
                }
                let before = COUNT.with(Cell::get);
                for _ in 0..50 {
                    run();
                }
                let allocations = COUNT.with(Cell::get) - before;
                assert_eq!(allocations, 0, "{engine:?} {encoding:?} {rate:?}, denoised: {denoise}");
            }
        }
    }
}

#[test]
fn a_warm_opus_stream_allocates_nothing_whatever_its_network_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/cards-005.wav");
    let speech = wav::read(&std::fs::read(path).expect("the samples are there")).expect("it is a WAV file");
    let speech = speech.resampled(SampleRate::HZ_24000).expect("a filter between common rates").samples;
    let mut speech = speech.chunks_exact(480).cycle();
    let mut encoder = OpusEncoder::new(SampleRate::HZ_24000).expect("a rate of Opus");
    let mut buffer = JitterBuffer::new().expect("there is memory");
    let mut packets: [Vec<u8>; 8] = Default::default();
    let (mut sequence, mut latest) = (0_u16, 0_u16);
    let mut eight = || {
        for packet in &mut packets {
            packet.clear();
            encoder.encode(speech.next().expect("a cycle has no end"), packet).expect("20 ms");
        }
        // The third is lost, the fifth comes after the sixth and the last twice; then nothing comes for a while.
        for nth in [0, 1, 3, 5, 4, 6, 7, 7] {
            let number = sequence + nth;
            latest = latest.max(number + 1);
            let now = Duration::from_millis(u64::from(latest) * 20);
            let payload = &packets[usize::from(nth)];
            buffer.push(now, Packet { sequence: number, timestamp: u32::from(number) * 960, payload });
            buffer.pop(now, |frame| {
                black_box(frame);
            });
        }
        sequence += 8;
        if sequence.is_multiple_of(80) {
            encoder.encode_silence(&mut packets[0]).expect("silence");
            sequence += 20;
            let now = Duration::from_millis(u64::from(sequence) * 20);
            buffer.pop(now, |frame| {
                black_box(frame);
            });
        }
    };
    for _ in 0..40 {
        eight();
    }
    let before = COUNT.with(Cell::get);
    for _ in 0..400 {
        eight();
    }
    assert_eq!(COUNT.with(Cell::get) - before, 0);
    let stats = buffer.stats();
    assert!(stats.lost > 400 && stats.duplicate > 400 && stats.recovered > 100 && !stats.silent.is_zero(), "{stats:?}");
}
