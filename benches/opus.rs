//! What Opus costs: 20 ms of speech encoded, decoded, and taken through the jitter buffer. A session that talks by WebRTC
//! does each 50 times a second; 1 % of a core are 200 µs.

use std::{hint::black_box, path::Path, time::Duration};

use audio::{JitterBuffer, OpusDecoder, OpusEncoder, SampleRate, jitter::Packet};
use criterion::{Criterion, criterion_group, criterion_main};

criterion_group!(benches, encode, decode, jitter);
criterion_main!(benches);

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("opus_encode_20ms");
    for rate in [SampleRate::HZ_24000, SampleRate::HZ_48000] {
        let speech = speech(rate);
        let mut frames = speech.chunks_exact(rate.hertz() as usize / 50).cycle();
        let (mut encoder, mut packet) = (OpusEncoder::new(rate).expect("a rate of Opus"), Vec::new());
        group.bench_function(format!("{rate:?}"), |bencher| {
            bencher.iter(|| {
                packet.clear();
                encoder.encode(black_box(frames.next().expect("a cycle has no end")), &mut packet)
            });
        });
    }
    let (mut encoder, mut packet) = (OpusEncoder::new(SampleRate::HZ_24000).expect("a rate of Opus"), Vec::new());
    group.bench_function("silence", |bencher| {
        bencher.iter(|| {
            packet.clear();
            encoder.encode_silence(&mut packet)
        });
    });
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("opus_decode_20ms");
    let packets = packets();
    for rate in [SampleRate::HZ_16000, SampleRate::HZ_24000, SampleRate::HZ_48000] {
        let (mut packets, mut pcm) = (packets.iter().cycle(), Vec::new());
        let mut decoder = OpusDecoder::new(rate).expect("a rate of Opus");
        group.bench_function(format!("{rate:?}"), |bencher| {
            bencher.iter(|| {
                pcm.clear();
                decoder.decode(black_box(packets.next().expect("a cycle has no end")), &mut pcm)
            });
        });
    }
    group.finish();
}

/// Packets as a browser sends them to frames as voice activity detection hears them.
fn jitter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("jitter_push_pop_20ms");
    let packets = packets();
    for (name, one_lost_in) in [("clear", u32::MAX), ("one_in_20_lost", 20), ("nothing_comes", 1)] {
        let mut buffer = JitterBuffer::new().expect("there is memory");
        let mut number = 0_u32;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let now = Duration::from_millis(20) * number;
                if number == 0 || !number.is_multiple_of(one_lost_in) {
                    let payload = &packets[number as usize % packets.len()];
                    buffer.push(now, Packet { sequence: number as u16, timestamp: number.wrapping_mul(960), payload });
                }
                buffer.pop(now, |frame| {
                    black_box(frame);
                });
                number += 1;
            });
        });
    }
    group.finish();
}

fn packets() -> Vec<Vec<u8>> {
    let mut encoder = OpusEncoder::new(SampleRate::HZ_48000).expect("a rate of Opus");
    let encoded = |pcm: &[i16]| {
        let mut packet = Vec::new();
        encoder.encode(pcm, &mut packet).expect("20 ms");
        packet
    };
    speech(SampleRate::HZ_48000).chunks_exact(960).map(encoded).collect()
}

/// Real speech.
fn speech(rate: SampleRate) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/cards-005.wav");
    let file = std::fs::read(path).expect("the samples are there");
    let clip = audio::media::decode(file, Duration::from_secs(60)).expect("it is a WAV file");
    clip.resampled(rate).expect("the filter knows both rates").samples
}
