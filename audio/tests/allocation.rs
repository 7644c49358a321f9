//! Once warm, nothing on a live stream's path allocates: decode, resample, frame, keep, measure, judge, encode.
//!
//! Alone in its binary, since the counting allocator counts every thread of the process.
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    time::Duration,
};

use audio::{Decoder, Denoiser, Encoding, Framer, Level, Preroll, Resampler, SampleRate, Threshold, Vad, vad::Engine};

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
