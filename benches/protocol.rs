//! What the wire costs: an append of 20 ms, a delta of 100 ms, and the events between.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use voice_relay::realtime::{
    protocol::{Dialect, Encoder, Query, decode, settings},
    session::{
        ids::{ItemId, ResponseId},
        output::{Event, PartRef},
        settings::{Modality, Settings},
    },
};

criterion_group!(benches, reading, writing);
criterion_main!(benches);

fn reading(criterion: &mut Criterion) {
    let settings = session();
    let mut scratch = Vec::new();
    let mut group = criterion.benchmark_group("decode");
    // 20 ms of 24 kHz PCM16 are 960 bytes, 1280 characters of base64.
    let append = format!(r#"{{"type":"input_audio_buffer.append","audio":"{}"}}"#, "AbC/".repeat(320));
    group.throughput(Throughput::Bytes(append.len() as u64));
    group.bench_function("append_20ms", |bencher| {
        bencher.iter(|| decode(black_box(&append), Dialect::Ga, &settings, &mut scratch).is_ok());
    });
    let update = r#"{"type":"session.update","session":{"type":"realtime","instructions":"Be brief.",
        "audio":{"input":{"turn_detection":{"type":"semantic_vad"},"transcription":{"model":"whisper-1"}}},
        "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{}}}]}}"#;
    group.throughput(Throughput::Bytes(update.len() as u64));
    group.bench_function("session_update", |bencher| {
        bencher.iter(|| decode(black_box(update), Dialect::Ga, &settings, &mut scratch).is_ok());
    });
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    let mut encoder = Encoder::new("sess_1", 0);
    let mut out = String::new();
    let part = PartRef {
        response: ResponseId::new("resp_0123456789ABCDEFGHIJK"),
        item: ItemId::new("item_0123456789ABCDEFGHIJK"),
        output_index: 0,
        content_index: 0,
        modality: Modality::Audio,
    };
    let mut group = criterion.benchmark_group("encode");
    let audio = vec![7; 4800];
    group.throughput(Throughput::Bytes(audio.len() as u64));
    group.bench_function("audio_delta_100ms", |bencher| {
        bencher.iter(|| {
            out.clear();
            encoder.audio_delta(&part, black_box(&audio), &mut out);
            out.len()
        });
    });
    let events = [
        Event::TextDelta { part: part.clone(), delta: "a few words".into() },
        Event::SpeechStarted { item: part.item.clone(), start: Duration::from_millis(1200) },
    ];
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("small_events", |bencher| {
        bencher.iter(|| {
            out.clear();
            events.iter().for_each(|event| encoder.encode(black_box(event), &mut out));
            out.len()
        });
    });
    group.finish();
}

fn session() -> Settings {
    let query = Query::Conversation { model: Some("m".to_owned()) };
    settings::initial(&query, None, &settings::Defaults::default()).expect("the defaults are valid")
}
