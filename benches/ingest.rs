//! What hearing costs: an append of 20 ms at 24 kHz, from bytes to the verdict. A session does this 50 times a second.

use std::{hint::black_box, path::Path, time::Duration};

use audio::{Encoding, SampleRate, vad};
use criterion::{Criterion, criterion_group, criterion_main};
use voice_relay::realtime::{
    ingest::{Hearing, Ingest},
    protocol::{Query, settings},
    session::settings::{InputSettings, NoiseReduction},
};

criterion_group!(benches, append);
criterion_main!(benches);

/// 20 ms of 24 kHz PCM16.
const APPEND: usize = 960;

fn append(criterion: &mut Criterion) {
    let speech = speech();
    let silence = vec![0; speech.len()];
    let automatic = input();
    let manual = InputSettings { turn_detection: None, ..automatic.clone() };
    let denoised = InputSettings { noise_reduction: Some(NoiseReduction::NearField), ..automatic.clone() };
    let mut group = criterion.benchmark_group("append_20ms");
    let cases = [
        ("speech", &speech, &automatic, vad::Engine::Earshot),
        ("silence", &silence, &automatic, vad::Engine::Earshot),
        ("energy_gate", &speech, &automatic, vad::Engine::Energy),
        ("manual_turns", &speech, &manual, vad::Engine::Earshot),
        ("noise_reduction", &speech, &denoised, vad::Engine::Earshot),
    ];
    for (name, sound, settings, detector) in cases {
        let hearing = Hearing { advice: false, detector };
        let mut ingest = Ingest::new(settings, hearing);
        let mut appends = sound.chunks_exact(APPEND).cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                ingest.take(black_box(appends.next().expect("a cycle has no end")));
                ingest.next()
            });
        });
    }
    group.finish();
}

/// Real speech, as a client sends it.
fn speech() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/cards-005.wav");
    let file = std::fs::read(path).expect("the samples are there");
    let clip = audio::media::decode(file, Duration::from_secs(60)).expect("it is a WAV file");
    let clip = clip.resampled(SampleRate::HZ_24000).expect("the filter knows both rates");
    let mut bytes = Vec::new();
    Encoding::Pcm16.encode(&clip.samples, &mut bytes);
    bytes
}

fn input() -> InputSettings {
    let query = Query::Conversation { model: Some("m".to_owned()) };
    settings::initial(&query, None, &settings::Defaults::default()).expect("the defaults are valid").input
}
