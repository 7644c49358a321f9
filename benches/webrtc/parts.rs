//! What the parts of a call cost by themselves, per 20 ms.

use std::{hint::black_box, time::Instant};

use audio::{Frame, OpusDecoder, OpusEncoder, SampleRate, Threshold, Vad, vad::Engine};
use aws_lc_rs::{cipher, hmac};

use crate::load::recording;

/// Microseconds per 20 ms.
pub(crate) struct Parts {
    pub(crate) encode: f64,
    pub(crate) decode: f64,
    pub(crate) vad: f64,
    /// Both directions: AES-CM and HMAC-SHA1 over a packet each (RFC 3711), as SRTP's usual profile has it.
    pub(crate) srtp: f64,
}

/// As many steps as the recording has, several times.
const ROUNDS: usize = 5;

pub(crate) fn measure() -> Parts {
    let speech = recording();
    let mut encoder = OpusEncoder::new(SampleRate::HZ_24000).unwrap();
    // As in a call whose client reports that it misses nothing.
    encoder.set_expected_loss(0).unwrap();
    let mut packets = Vec::new();
    let encode = per_step(speech.chunks_exact(480), |pcm| {
        let mut packet = Vec::with_capacity(128);
        encoder.encode(pcm, &mut packet).unwrap();
        packets.push(packet);
    });
    let (mut decoder, mut heard) = (OpusDecoder::new(SampleRate::HZ_16000).unwrap(), Vec::new());
    let decode = per_step(packets.iter(), |packet| decoder.decode(packet, &mut heard).unwrap());
    let mut vad = Vad::new(Engine::Earshot, Threshold::default());
    let vad = per_step(heard.as_chunks::<{ Frame::SAMPLES }>().0.iter(), |samples| {
        black_box(vad.hear(&Frame(*samples)));
    });
    let srtp = 2.0 * per_step(packets.iter(), |packet| protect(packet));
    Parts { encode, decode, vad, srtp }
}

fn per_step<T>(steps: impl Iterator<Item = T> + Clone, mut each: impl FnMut(T)) -> f64 {
    let began = Instant::now();
    let mut count = 0;
    for _ in 0..ROUNDS {
        for step in steps.clone() {
            each(step);
            count += 1;
        }
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}

/// AES-CM with a 128-bit key, then HMAC-SHA1, over one packet.
fn protect(packet: &[u8]) {
    let key = cipher::UnboundCipherKey::new(&cipher::AES_128, &[7; 16]).unwrap();
    let key = cipher::EncryptingKey::ctr(key).unwrap();
    let mut sealed = packet.to_vec();
    key.less_safe_encrypt(&mut sealed, cipher::EncryptionContext::Iv128([9; 16].into())).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[7; 20]);
    black_box(hmac::sign(&key, &sealed));
}
