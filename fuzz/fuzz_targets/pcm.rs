//! Any bytes as the audio of a stream cut anywhere: base64 carries it unchanged; decoding, resampling and framing count
//! exactly and do not notice the cuts; what is heard of it has ordered positions.
#![no_main]

use std::time::Duration;

use audio::{Decoder, Encoding, Frame, Framer, Resampler, SampleRate, Threshold, Vad, Voice, vad::Engine};
use libfuzzer_sys::fuzz_target;
use voice_relay_fuzz::stage::carries;

fuzz_target!(|input: &[u8]| {
    let [choice, size, rest @ ..] = input else { return };
    let encoding = [Encoding::Pcm16, Encoding::Ulaw, Encoding::Alaw][usize::from(choice % 3)];
    let rates = [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000, SampleRate::HZ_48000];
    let rate = rates[usize::from(choice / 3 % 4)];
    let engine = if choice / 12 % 2 == 0 { Engine::Earshot } else { Engine::Energy };
    let cut = usize::from(*size) + 1;
    carries(rest);

    let (whole, pieces) =
        (frames(encoding, rate, rest.chunks(rest.len().max(1))), frames(encoding, rate, rest.chunks(cut)));
    assert_eq!(whole, pieces);
    let samples = rest.len() / encoding.bytes_per_sample();
    let expected = (samples * 16_000).div_ceil(rate.hertz() as usize).div_ceil(Frame::SAMPLES);
    assert_eq!(whole.len(), expected);

    let mut vad = Vad::new(engine, Threshold::default());
    let mut latest = Duration::ZERO;
    for frame in &whole {
        let (Voice::Quiet { since } | Voice::Speech { since, .. }) = vad.hear(frame);
        assert!(latest <= since && since <= vad.position());
        latest = since;
    }
});

fn frames<'a>(encoding: Encoding, rate: SampleRate, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Frame> {
    let mut decoder = Decoder::new(encoding);
    let mut resampler = Resampler::new(rate, SampleRate::HZ_16000).expect("a filter between common rates");
    let mut framer = Framer::new();
    let (mut decoded, mut wide, mut frames) = (Vec::new(), Vec::new(), Vec::new());
    for chunk in chunks {
        decoded.clear();
        wide.clear();
        decoder.decode(chunk, &mut decoded);
        resampler.process(&decoded, &mut wide);
        framer.push(&wide, |_, frame| frames.push(*frame));
    }
    wide.clear();
    resampler.flush(&mut wide);
    framer.push(&wide, |_, frame| frames.push(*frame));
    framer.flush(|_, frame| frames.push(*frame));
    frames
}
