//! Senders that send nothing for a while: discontinuous transmission, a muted microphone, a new stream.

use super::*;

#[test]
fn a_pause_of_the_sender_is_silence_in_real_time_and_as_long_as_its_timestamps_say() {
    // From 6 s to 12 s only a sign of life every 400 ms, as Opus has it (RFC 7587, section 3.1.3).
    let quiet = |nth: usize| (300..600).contains(&nth);
    let mut sent = Vec::new();
    for (nth, packet) in SENT.iter().enumerate().filter(|(nth, _)| !quiet(*nth) || nth % 20 == 0) {
        let payload = if quiet(nth) { vec![packet.payload[0]] } else { packet.payload.clone() };
        sent.push(Sent { sequence: sent.len() as u16, payload, ..packet.clone() });
    }
    let heard = hear(&sent, Duration::from_secs(20));
    assert_eq!(heard.length(), Duration::from_secs(20));
    let Stats { lost, late, restarts, recovered, .. } = heard.stats;
    assert_eq!((lost, late, restarts, recovered), (0, 0, 0, 0), "nothing was missing");
    assert!(heard.delays().all(|delay| delay <= 30 * MS), "{:?}", heard.delays().max());
    assert!(heard.delays().skip(600).all(|delay| delay == Duration::ZERO), "speech is back at once");
    assert!(likeness(&heard.samples()[605 * 320..], &WHOLE[605 * 320..]) > 0.98);
}

#[test]
fn a_sender_whose_clock_stood_still_is_taken_up_again_after_a_moment() {
    let mut sent = SENT.clone();
    for sent in &mut sent[300..] {
        sent.at += Duration::from_secs(3);
    }
    let heard = hear(&sent, Duration::from_secs(23));
    let Stats { lost, late, restarts, depth, .. } = heard.stats;
    assert_eq!((lost, restarts), (0, 1));
    assert!(depth <= 40 * MS, "{depth:?}: no waiting would have helped");
    assert!(late <= 6, "{late} packets until it is believed");
    let samples = heard.samples();
    let (tail, said) = (&samples[samples.len() - 200 * 320..], &WHOLE[800 * 320..]);
    assert!(likeness(tail, said) > 0.99);
    assert!(heard.length() <= Duration::from_secs(23) && heard.length() > Duration::from_millis(22_800));
}

#[test]
fn another_stream_is_taken_up_after_a_moment_and_told() {
    // The last but one begins a little before where the other was, by its numbers.
    for (sequence, timestamp) in
        [(9_000, 4_000_000_000), (60_000, 900_000), (40_000, 960_000), (65_506, 4_000_000_000), (300, 48_000 * 600)]
    {
        let mut sent = SENT[..300].to_vec();
        let other = super::sent(20, sequence, timestamp);
        sent.extend(other.into_iter().skip(300));
        let heard = hear(&sent, Duration::from_secs(20));
        let Stats { late, implausible, restarts, .. } = heard.stats;
        assert_eq!(restarts, 1, "from {sequence} and {timestamp}: {:?}", heard.stats);
        assert!(late + implausible <= 6);
        let samples = heard.samples();
        let (tail, said) = (&samples[samples.len() - 200 * 320..], &WHOLE[800 * 320..]);
        assert!(likeness(tail, said) > 0.95);
    }
}

#[test]
fn nothing_is_due_before_the_first_packet_and_silence_for_ever_after_the_last() {
    let mut buffer = JitterBuffer::new().unwrap();
    assert_eq!(buffer.next_due(), None);
    buffer.pop(Duration::from_secs(9), |_| panic!("nothing is there to give"));
    assert_eq!(buffer.next_due(), None);
    let heard = hear(&SENT[..10], Duration::from_secs(60));
    assert!((Duration::from_millis(59_900)..=Duration::from_secs(60)).contains(&heard.length()));
    assert_eq!(heard.stats.lost, 0);
}
