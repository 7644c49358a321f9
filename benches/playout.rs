//! What playing costs: queueing a provider's 100 ms, and releasing them as encoded deltas.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use voice_relay::realtime::{
    egress::Egress,
    session::{ids::ResponseId, settings::Format},
};

criterion_group!(benches, release, interrupt);
criterion_main!(benches);

const CLIP: Duration = Duration::from_millis(100);

fn clip() -> Vec<i16> {
    (0..2400).map(|sample| (sample * 37 % 8000) as i16).collect()
}

fn release(criterion: &mut Criterion) {
    let (clip, response) = (clip(), ResponseId::new("resp_0123456789ABCDEFGHIJK"));
    let mut group = criterion.benchmark_group("release_100ms");
    group.throughput(Throughput::Elements(clip.len() as u64));
    for (name, format) in [("pcm", Format::Pcm), ("mulaw", Format::Mulaw), ("alaw", Format::Alaw)] {
        let mut egress = Egress::default();
        egress.open(&response);
        let mut until = Duration::ZERO;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                egress.queue(&response, black_box(&clip));
                until += CLIP;
                let mut bytes = 0;
                egress.release(&response, (0, 0), format, until, |delta| bytes += delta.len());
                bytes
            });
        });
    }
    group.finish();
}

/// A reply of 3 s is dropped: part of the time from an onset to silence.
fn interrupt(criterion: &mut Criterion) {
    let (clip, response) = (clip(), ResponseId::new("resp_0123456789ABCDEFGHIJK"));
    criterion.bench_function("forget_3s", |bencher| {
        let full = || {
            let mut egress = Egress::default();
            egress.open(&response);
            for _ in 0..30 {
                egress.queue(&response, &clip);
            }
            egress
        };
        bencher.iter_batched(full, |mut egress| egress.forget(&response), criterion::BatchSize::SmallInput);
    });
}
