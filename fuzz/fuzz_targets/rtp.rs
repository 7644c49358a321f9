//! Any bytes as the packets of an Opus stream: whatever their numbers, times and payloads, frames come in order of time,
//! no more of them than time has passed, and what is counted adds up.
//!
//! A packet is: how much time passes (2 bytes, tenths of a millisecond), how far its number and its timestamp are beyond
//! the last (1 and 2 bytes, in packets and in 2.5 ms, signed), the length of its payload (1 byte), the payload.
#![no_main]

use std::time::Duration;

use audio::{
    JitterBuffer,
    jitter::{Packet, Stats},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut buffer = JitterBuffer::new().expect("there is memory");
    let (mut now, mut sequence, mut timestamp, mut frames) = (Duration::ZERO, 65_000_u16, 4_294_900_000_u32, 0_u64);
    let (mut rest, mut began) = (input, None);
    while let [wait, longer, number, time, far, length, tail @ ..] = rest {
        let (payload, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        let until = now + Duration::from_micros(u64::from(u16::from_le_bytes([*wait, *longer])) * 100);
        // As its driver does: whenever something is due.
        while let Some(due) = buffer.next_due().filter(|due| *due < until) {
            assert!(due >= now, "due at {due:?}, which was {now:?} ago");
            now = due;
            let before = frames;
            buffer.pop(now, |_| frames += 1);
            assert!(buffer.next_due().is_none_or(|due| due > now), "{} frames, and still due", frames - before);
        }
        now = until;
        sequence = sequence.wrapping_add_signed(i16::from(*number as i8));
        timestamp = timestamp.wrapping_add_signed(i32::from(i16::from_le_bytes([*time, *far])) * 120);
        buffer.push(now, Packet { sequence, timestamp, payload });
        buffer.pop(now, |_| frames += 1);
        let passed = now - *began.get_or_insert(now);
        let most = passed + passed / 100 + Duration::from_millis(2_120);
        assert!(frames <= most.as_millis() as u64 / 20, "{frames} frames in {passed:?}");
    }
    let Stats { received, late, duplicate, implausible, overflowed, .. } = buffer.stats();
    assert!(late + duplicate + implausible + overflowed <= received);
});
