//! Speech there and back, losses made up for, and everything that is no packet.

use std::{path::Path, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{Clip, wav};

/// Real speech at this rate, from where somebody speaks.
fn speech(rate: SampleRate) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/cards-005.wav");
    let clip: Clip = wav::read(&std::fs::read(path).unwrap()).unwrap();
    clip.resampled(rate).unwrap().samples
}

fn packets(encoder: &mut OpusEncoder, pcm: &[i16], frame: usize) -> Vec<Vec<u8>> {
    let encoded = pcm.chunks_exact(frame).map(|pcm| {
        let mut packet = Vec::new();
        encoder.encode(pcm, &mut packet).unwrap();
        packet
    });
    encoded.collect()
}

/// Signal to noise in decibels, where `heard` is late by as much as fits best, up to 20 ms.
fn fidelity(said: &[i16], heard: &[i16], rate: SampleRate) -> f64 {
    let energy = |samples: &mut dyn Iterator<Item = f64>| samples.map(|x| x * x).sum::<f64>();
    let of = |late: usize| {
        let pairs = said.iter().zip(&heard[late..]).map(|(&s, &h)| (f64::from(s), f64::from(h)));
        energy(&mut pairs.clone().map(|(s, _)| s)) / energy(&mut pairs.map(|(s, h)| s - h))
    };
    let best = (0..rate.samples_in(Duration::from_millis(20))).map(of).fold(0.0, f64::max);
    10.0 * best.log10()
}

#[test]
fn speech_survives_at_every_rate_there_is_on_either_side() {
    let rates = [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000, SampleRate::HZ_48000];
    for from in rates {
        let pcm = speech(from);
        let packets = packets(&mut OpusEncoder::new(from).unwrap(), &pcm, from.hertz() as usize / 50);
        for to in rates {
            let (mut decoder, mut heard) = (OpusDecoder::new(to).unwrap(), Vec::new());
            for packet in &packets {
                decoder.decode(packet, &mut heard).unwrap();
            }
            assert_eq!(heard.len(), packets.len() * to.hertz() as usize / 50);
            let ratio = fidelity(&speech(to), &heard, to);
            println!("{from:?} to {to:?}: {ratio:.1} dB");
            assert!(ratio > 3.0, "{from:?} to {to:?}: {ratio:.1} dB");
        }
    }
}

#[test]
fn what_is_lost_comes_back_from_the_next_packet_better_than_made_up() {
    let rate = SampleRate::HZ_16000;
    let pcm = speech(rate);
    let packets = packets(&mut OpusEncoder::new(rate).unwrap(), &pcm, 320);
    // The first ones have nothing to remember.
    assert!(packets.iter().filter(|packet| packet::has_recovery(packet)).count() > packets.len() / 2);
    let mut heard = [Vec::new(), Vec::new(), Vec::new()];
    let mut decoders = [(); 3].map(|()| OpusDecoder::new(rate).unwrap());
    let [whole, recovered, concealed] = &mut decoders;
    for (n, packet) in packets.iter().enumerate() {
        whole.decode(packet, &mut heard[0]).unwrap();
        if n % 5 == 3 && n + 1 < packets.len() {
            recovered.recover(&packets[n + 1], 320, &mut heard[1]).unwrap();
            concealed.conceal(320, &mut heard[2]).unwrap();
        } else {
            recovered.decode(packet, &mut heard[1]).unwrap();
            concealed.decode(packet, &mut heard[2]).unwrap();
        }
    }
    let against = |lossy: &[i16]| fidelity(&heard[0], lossy, rate);
    let (recovered, concealed) = (against(&heard[1]), against(&heard[2]));
    println!("every fifth lost: recovered {recovered:.1} dB, concealed {concealed:.1} dB");
    assert!(recovered > concealed + 3.0, "{recovered:.1} dB recovered, {concealed:.1} dB concealed");
    assert!(heard.iter().all(|heard| heard.len() == packets.len() * 320));
}

#[test]
fn silence_ends_what_was_said_costs_three_bytes_and_leaves_no_trace_in_what_follows() {
    let rate = SampleRate::HZ_24000;
    let pcm = speech(rate);
    let spoken = packets(&mut OpusEncoder::new(rate).unwrap(), &pcm, 480);
    let mut encoder = OpusEncoder::new(rate).unwrap();
    let mut twice = packets(&mut encoder, &pcm, 480);
    for nth in 0..50 {
        let mut packet = Vec::new();
        encoder.encode_silence(&mut packet).unwrap();
        assert_eq!(packet == OpusEncoder::SILENCE, nth > 0);
        twice.push(packet);
    }
    twice.extend(packets(&mut encoder, &pcm, 480));
    let (mut decoder, mut heard) = (OpusDecoder::new(rate).unwrap(), Vec::new());
    for packet in &twice {
        decoder.decode(packet, &mut heard).unwrap();
    }
    let (silence, again) = heard[spoken.len() * 480..].split_at(50 * 480);
    assert!(silence[960..].iter().all(|sample| sample.abs() <= 1), "silence is silent");
    let (first, second) = (fidelity(&pcm, &heard, rate), fidelity(&pcm, again, rate));
    println!("first {first:.1} dB, after silence {second:.1} dB");
    assert!((first - second).abs() < 0.5, "first {first:.1} dB, after silence {second:.1} dB");
}

#[test]
fn packets_tell_their_length_and_what_they_remember() {
    assert_eq!(packet::duration(&OpusEncoder::SILENCE), Ok(Duration::from_millis(20)));
    assert_eq!(packet::duration(&[0x83]), Err(OpusError::Packet), "a count of frames is missing");
    assert_eq!(packet::duration(&[]), Err(OpusError::Packet));
    // SILK of 60 ms, two frames of it: 120 ms; a third would be too much.
    assert_eq!(packet::duration(&[0b0001_1001, 0, 0]), Ok(packet::LONGEST));
    assert_eq!(packet::duration(&[0b0001_1011, 3, 0, 0, 0]), Err(OpusError::Packet));
    assert_eq!(packet::frame_duration(&[0b0001_1001, 0, 0]), Ok(Duration::from_millis(60)));
    assert!(!packet::has_recovery(&OpusEncoder::SILENCE), "CELT remembers nothing");
    for (toc, header, expected) in [
        (0b0000_1000, 0b0100_0000, true),  // SILK, 20 ms, mono: activity, then memory
        (0b0000_1000, 0b1000_0000, false), // active only
        (0b0001_1000, 0b0001_0000, true),  // 60 ms: three flags of activity first
        (0b0001_1000, 0b0110_0000, false),
        (0b0000_1100, 0b0001_0000, true), // stereo: that of the side
        (0b0111_1000, 0b0100_0000, true), // hybrid
    ] {
        assert_eq!(packet::has_recovery(&[toc, header, 0]), expected, "{toc:#010b} {header:#010b}");
        // As the second of the codes: a first frame of two bytes, then another.
        assert_eq!(packet::has_recovery(&[toc | 2, 2, header, 0, 0]), expected);
        // As the third: two frames of any length behind a byte of padding, then two of the same.
        assert_eq!(packet::has_recovery(&[toc | 3, 0xc2, 1, 2, header, 0, 0, 0]), expected);
        assert_eq!(packet::has_recovery(&[toc | 3, 0x02, header, 0]), expected);
    }
}

#[test]
fn stereo_is_mixed_down() {
    let mut stereo = ::opus::Encoder::new(48_000, ::opus::Channels::Stereo, ::opus::Application::Audio).unwrap();
    let (mut decoder, mut heard) = (OpusDecoder::new(SampleRate::HZ_16000).unwrap(), Vec::new());
    let tone = |n: usize| (f64::from(n as u32) * 440.0 * std::f64::consts::TAU / 48_000.0).sin() * 12_000.0;
    for frame in 0..50 {
        let left_only = |n: usize| if n.is_multiple_of(2) { tone(frame * 960 + n / 2) as i16 } else { 0 };
        let pcm: Vec<i16> = (0..1_920).map(left_only).collect();
        let mut packet = [0; 1_275];
        let length = stereo.encode(&pcm, &mut packet).unwrap();
        decoder.decode(&packet[..length], &mut heard).unwrap();
    }
    let level = crate::Level::of(&heard[8_000..]).rms.dbfs();
    assert_eq!(heard.len(), 16_000);
    assert!((level + 17.7).abs() < 1.0, "half of -11.7 dBFS, not {level}");
}

#[test]
fn what_opus_does_not_know_is_refused_and_nothing_comes_of_it() {
    let odd = SampleRate::new(44_100).unwrap();
    assert_eq!(OpusDecoder::new(odd).unwrap_err(), OpusError::Rate(odd));
    assert_eq!(OpusEncoder::new(odd).unwrap_err(), OpusError::Rate(odd));
    let (mut decoder, mut pcm) = (OpusDecoder::new(SampleRate::HZ_16000).unwrap(), Vec::new());
    assert_eq!(decoder.conceal(41, &mut pcm), Err(OpusError::FrameSize(41)));
    assert_eq!(decoder.recover(&OpusEncoder::SILENCE, 41, &mut pcm), Err(OpusError::FrameSize(41)));
    assert_eq!(decoder.recover(&[], 320, &mut pcm), Err(OpusError::Packet));
    assert_eq!(decoder.decode(&[], &mut pcm), Err(OpusError::Packet));
    let (mut encoder, mut packet) = (OpusEncoder::new(SampleRate::HZ_16000).unwrap(), Vec::new());
    assert_eq!(encoder.encode(&[0; 100], &mut packet), Err(OpusError::FrameSize(100)));
    assert!(pcm.is_empty() && packet.is_empty());
}

#[test]
fn more_is_spent_when_more_may_be_and_more_is_remembered_when_more_is_lost() {
    let pcm = speech(SampleRate::HZ_24000);
    let bits = |bitrate: u32, loss: u8| {
        let mut encoder = OpusEncoder::new(SampleRate::HZ_24000).unwrap();
        encoder.set_bitrate(bitrate).unwrap();
        encoder.set_expected_loss(loss).unwrap();
        let packets = packets(&mut encoder, &pcm, 480);
        let remembering = packets.iter().filter(|packet| packet::has_recovery(packet)).count();
        (packets.concat().len() * 8 * 50 / packets.len(), remembering * 100 / packets.len())
    };
    let (default, thrifty, careless) = (bits(32_000, 5), bits(16_000, 5), bits(32_000, 0));
    println!("bit/s and share with FEC: {default:?}, at 16 kbit/s {thrifty:?}, without loss {careless:?}");
    assert!(default.0 < 36_000 && thrifty.0 < 18_000);
    assert!(default.1 > 50 && careless.1 == 0);
}

proptest! {
    #[test]
    fn any_bytes_decode_to_the_length_they_tell_or_to_nothing(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..20)) {
        let (mut decoder, mut pcm) = (OpusDecoder::new(SampleRate::HZ_16000).unwrap(), Vec::new());
        for packet in &packets {
            packet::has_recovery(packet);
            let before = pcm.len();
            let told = packet::duration(packet).map(|length| SampleRate::HZ_16000.samples_in(length));
            let decoded = decoder.decode(packet, &mut pcm);
            prop_assert_eq!(pcm.len() - before, if decoded.is_ok() { told.unwrap() } else { 0 });
            decoder.recover(packet, 320, &mut pcm).ok();
        }
    }
}
