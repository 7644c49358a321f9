//! Numbers that wrap and clocks that go wrong.

use super::*;

#[test]
fn numbers_and_timestamps_wrap_without_a_trace() {
    for (sequence, timestamp) in [(65_500, 0), (0, 4_294_960_000), (65_300, 4_294_700_000), (32_760, 2_147_483_000)] {
        let mut sent = sent(20, sequence, timestamp);
        // Reordered right across.
        for n in (5..900).step_by(3) {
            sent[n].at += 25 * MS;
        }
        let heard = hear(&sent, Duration::from_secs(20));
        let Stats { lost, late, duplicate, restarts, .. } = heard.stats;
        assert_eq!((lost, late, duplicate, restarts), (0, 0, 0, 0), "from {sequence} and {timestamp}");
        assert!(heard.samples() == *WHOLE, "{:?}", heard.stats);
    }
}

#[test]
fn an_hour_with_a_clock_that_goes_wrong_neither_drifts_nor_grows() {
    const HOUR: u32 = 3_600 * 50;
    for parts_per_million in [-200_i64, 200] {
        let (mut buffer, mut frames, mut longest) = (JitterBuffer::new().unwrap(), 0_u32, Duration::ZERO);
        for nth in 1..=HOUR {
            // The sender's 20 ms by our clock, on a network that varies by 40 ms; one packet in 50 is lost.
            let said = Duration::from_nanos(
                (20_000_000 * i64::from(nth) * (1_000_000 + parts_per_million) / 1_000_000) as u64,
            );
            let noise = nth.wrapping_mul(2_654_435_761) >> 16;
            let arrival = said + MS * noise * 40 / 65_536;
            if noise % 50 == 0 {
                continue;
            }
            while let Some(due) = buffer.next_due().filter(|due| *due < arrival) {
                buffer.pop(due, |_| frames += 1);
            }
            let (sequence, timestamp) = (nth as u16, nth.wrapping_mul(960));
            buffer.push(arrival, Packet { sequence, timestamp, payload: &OpusEncoder::SILENCE });
            buffer.pop(arrival, |_| frames += 1);
            longest = longest.max(Frame::DURATION * (nth - frames.min(nth)));
            assert!(frames <= nth, "nothing is given before it was said");
        }
        let stats = buffer.stats();
        println!("{parts_per_million} ppm: {frames} frames, behind by {longest:?} at most, {stats:?}");
        assert!(HOUR - frames <= 2, "{frames} of {HOUR} frames");
        assert!(longest <= 80 * MS, "{longest:?} behind");
        assert_eq!((stats.restarts, stats.implausible), (0, 0));
        assert!(stats.late < u64::from(HOUR / 500), "{} late", stats.late);
        assert!(stats.depth <= 60 * MS);
    }
}

#[test]
fn a_process_that_was_held_up_is_not_busy_with_silence_afterwards() {
    let (mut buffer, mut frames) = (JitterBuffer::new().unwrap(), 0_u32);
    buffer.push(Duration::ZERO, SENT[0].packet());
    buffer.pop(Duration::from_secs(3_600), |_| frames += 1);
    assert!((250..=252).contains(&frames), "{frames} frames");
    assert!(buffer.stats().skipped > Duration::from_secs(3_590));
}

#[test]
fn time_that_goes_back_or_has_no_end_does_no_harm() {
    let (mut buffer, mut frames) = (JitterBuffer::new().unwrap(), 0_u32);
    for (nth, at) in [5_000, 0, 10, 5_020, 1, u64::MAX].into_iter().enumerate() {
        buffer.push(Duration::from_millis(at), SENT[nth].packet());
        buffer.pop(Duration::from_millis(at), |_| frames += 1);
    }
    buffer.pop(Duration::MAX, |_| frames += 1);
    assert!(frames >= 6);
}

#[test]
fn jitter_is_that_of_rfc_3550() {
    // Every other packet 16 ms late: differences of 16 ms, of which the estimate takes a sixteenth each.
    let mut sent = SENT[..200].to_vec();
    for sent in sent.iter_mut().skip(1).step_by(2) {
        sent.at += 16 * MS;
    }
    let expected = |packets: i32| 16.0 * (1.0 - (15.0_f64 / 16.0).powi(packets - 1));
    for packets in [2, 10, 200] {
        let heard = hear(&sent[..packets], Duration::from_secs(5));
        let jitter = heard.stats.jitter.as_secs_f64() * 1_000.0;
        assert!((jitter - expected(packets as i32)).abs() < 0.1, "{packets}: {jitter} ms");
    }
}
