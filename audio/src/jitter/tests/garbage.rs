//! What no honest sender sends.

use super::*;

#[test]
fn payloads_that_are_no_opus_are_made_up_for_and_told() {
    let mut sent = SENT.clone();
    for (n, payload) in [(200, vec![]), (300, vec![0x83]), (400, vec![0xff; 1_400]), (500, vec![0; 9_000])] {
        sent[n].payload = payload;
    }
    let heard = hear(&sent, Duration::from_secs(20));
    let Stats { undecodable, lost, concealed, .. } = heard.stats;
    assert_eq!((undecodable, lost, concealed), (4, 0, 80 * MS));
    assert_eq!(heard.length(), Duration::from_secs(20));
    assert!(heard.delays().all(|delay| delay == Duration::ZERO), "nothing is waited for");
}

#[test]
fn a_flood_gets_no_more_sound_in_than_time_has_passed_and_takes_bounded_room() {
    let (mut buffer, mut frames) = (JitterBuffer::new().unwrap(), 0_u32);
    let payload = vec![0x78; 1_400];
    for nth in 0..200_000_u32 {
        let now = Duration::from_micros(u64::from(nth) * 50);
        buffer.push(now, Packet { sequence: nth as u16, timestamp: nth.wrapping_mul(960), payload: &payload });
        buffer.pop(now, |_| frames += 1);
    }
    let most = (10.0 * 1.01 + 2.0) * 50.0;
    assert!(f64::from(frames) <= most, "{frames} frames in 10 s");
    assert!(frames > 500);
}

#[test]
fn packets_nobody_asks_for_are_kept_up_to_a_bound() {
    let mut buffer = JitterBuffer::new().unwrap();
    for sent in &SENT[..100] {
        buffer.push(sent.at, sent.packet());
    }
    let mut frames = 0;
    buffer.pop(SENT[99].at, |_| frames += 1);
    assert_eq!((buffer.stats().overflowed, frames >= 64), (36, true));
}

#[test]
fn timestamps_between_samples_add_up_to_their_time() {
    let mut sent = SENT.clone();
    for (sent, nth) in sent.iter_mut().zip(0_u32..) {
        sent.timestamp += nth;
    }
    let heard = hear(&sent, Duration::from_secs(20));
    // 999 ticks of 48 kHz more than 20 s.
    let samples = 20 * 16_000 + 999 / 3;
    assert_eq!(heard.frames.len(), samples / 320);
    assert_eq!((heard.stats.lost, heard.stats.late), (0, 0));
}
