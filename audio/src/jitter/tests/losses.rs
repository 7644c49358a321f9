//! Packets that come late, twice, in another order, or not at all.

use super::*;

#[test]
fn a_lost_packet_is_remembered_by_the_next_and_holds_up_nothing_for_long() {
    let mut sent = SENT.clone();
    let lost: Vec<usize> = (100..900).step_by(20).filter(|&n| packet::has_recovery(&SENT[n + 1].payload)).collect();
    for &n in lost.iter().rev() {
        sent.remove(n);
    }
    let heard = hear(&sent, Duration::from_secs(20));
    assert_eq!((heard.stats.lost, heard.stats.recovered), (lost.len() as u64, lost.len() as u64));
    assert_eq!((heard.length(), heard.stats.concealed), (Duration::from_secs(20), Duration::ZERO));
    // Until its deadline, which is 30 ms after it should have been there, what comes after it waits.
    assert!(heard.delays().all(|delay| delay <= 30 * MS), "{:?}", heard.delays().max());
    let samples = heard.samples();
    let alike: Vec<f64> =
        lost.iter().map(|n| n * 320..(n + 1) * 320).map(|at| likeness(&samples[at.clone()], &WHOLE[at])).collect();
    let mean = alike.iter().sum::<f64>() / alike.len() as f64;
    assert!(mean > 0.75, "{mean:.3} alike on average: {alike:.2?}");
}

#[test]
fn many_lost_packets_are_made_up_for_then_silent_and_the_last_is_remembered() {
    let mut sent = SENT.clone();
    let first = (100..).find(|&n| packet::has_recovery(&SENT[n + 15].payload)).unwrap();
    sent.drain(first..first + 15);
    let heard = hear(&sent, Duration::from_secs(20));
    let Stats { lost, recovered, concealed, silent, .. } = heard.stats;
    assert_eq!((lost, recovered, concealed, silent), (15, 1, 120 * MS, 160 * MS));
    let samples = heard.samples();
    let gap = &samples[first * 320..(first + 15) * 320];
    assert!(gap[6 * 320..14 * 320].iter().all(|&sample| sample == 0), "silence after 120 ms");
    let steps = gap[..7 * 320].windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap();
    assert!(steps < 8_000, "no click: {steps}");
}

#[test]
fn packets_in_another_order_are_put_in_theirs() {
    let mut sent = SENT.clone();
    for n in (100..900).step_by(10) {
        sent[n].at += 25 * MS;
    }
    let heard = hear(&sent, Duration::from_secs(20));
    assert!(heard.samples() == *WHOLE, "{:?}", heard.stats);
    assert_eq!((heard.stats.lost, heard.stats.late, heard.stats.concealed), (0, 0, Duration::ZERO));
    assert!(heard.delays().all(|delay| delay <= 25 * MS));
}

#[test]
fn what_comes_twice_is_heard_once_also_long_after() {
    let again = |after: Duration| SENT.iter().map(move |sent| Sent { at: sent.at + after, ..sent.clone() });
    let sent: Vec<Sent> = [0, 0, 13, 700].into_iter().flat_map(|after| again(MS * after)).collect();
    let heard = hear(&sent, Duration::from_secs(20));
    assert!(heard.samples() == *WHOLE, "{:?}", heard.stats);
    let Stats { late, lost, depth, .. } = heard.stats;
    assert_eq!((late, lost, depth), (0, 0, 30 * MS), "a copy says nothing of how late packets are");
    assert!(heard.stats.duplicate > 2_900);
}

#[test]
fn one_late_packet_makes_the_next_ones_be_waited_for_as_long_and_is_forgotten_in_time() {
    let mut sent = SENT.clone();
    for n in [300, 320, 900] {
        sent[n].at += 150 * MS;
    }
    let until = |end: u32| hear(&sent, MS * end).stats;
    assert_eq!(until(5_900).depth, 30 * MS);
    let first = until(6_200);
    assert_eq!((first.late, first.lost, first.depth), (1, 0, 160 * MS));
    let second = until(6_600);
    assert_eq!(second.late, 1, "it is waited for");
    assert_eq!(until(12_000).depth, 30 * MS);
    assert_eq!(until(20_000).late, 2);
}

#[test]
fn the_wait_grows_with_the_networks_variation_and_has_an_end() {
    for (variation, least, most) in [(0, 30, 30), (40, 30, 60), (100, 80, 120), (200, 170, 220), (900, 400, 400)] {
        let mut sent = SENT.clone();
        for (sent, nth) in sent.iter_mut().zip(1_u32..) {
            sent.at += MS * (nth.wrapping_mul(2_654_435_761) >> 16) * variation / 65_536;
        }
        let heard = hear(&sent, Duration::from_secs(22));
        let Stats { depth, late, jitter, .. } = heard.stats;
        println!("{variation} ms: depth {depth:?}, {late} late, jitter {jitter:?}");
        assert!((MS * least..=MS * most).contains(&depth), "{variation} ms: {depth:?}");
        assert!(variation > 400 || late < 40, "{variation} ms: {late} late");
    }
}

#[test]
fn an_outage_is_silence_in_real_time_and_then_speech_goes_on_at_once() {
    let mut sent = SENT.clone();
    sent.drain(300..450);
    let heard = hear(&sent, Duration::from_secs(20));
    assert_eq!(heard.length(), Duration::from_secs(20));
    assert_eq!((heard.stats.lost, heard.stats.restarts), (150, 0));
    // In the outage every frame comes by itself, late by the depth.
    assert!(heard.delays().all(|delay| delay <= 30 * MS), "{:?}", heard.delays().max());
    assert!(heard.delays().skip(460).all(|delay| delay == Duration::ZERO));
    let samples = heard.samples();
    let after = likeness(&samples[455 * 320..], &WHOLE[455 * 320..]);
    assert!(after > 0.99, "{after:.3} alike afterwards");
}

#[test]
fn a_stall_whose_packets_all_come_at_once_loses_what_was_given_up_and_no_more() {
    let mut sent = SENT.clone();
    for sent in &mut sent[300..350] {
        sent.at = MS * 7_000 + Duration::from_micros(u64::from(sent.sequence));
    }
    let heard = hear(&sent, Duration::from_secs(20));
    assert_eq!((heard.length(), heard.stats.restarts), (Duration::from_secs(20), 0));
    assert!((45..50).contains(&heard.stats.late), "{:?}", heard.stats);
    assert_eq!(heard.stats.lost, 0);
}

#[test]
fn a_slower_route_is_taken_over_with_the_loss_of_what_it_held_up() {
    for slower in [40, 100, 300, 700] {
        let mut sent = SENT.clone();
        for sent in &mut sent[300..] {
            sent.at += MS * slower;
        }
        let heard = hear(&sent, MS * (20_000 + slower));
        let Stats { late, restarts, .. } = heard.stats;
        println!("{slower} ms slower: {late} late, {restarts} restarts, {:?} given", heard.length());
        assert!(late * 20 <= u64::from(slower.min(140)), "{slower} ms slower: {late} late");
        let made_up = heard.stats.concealed + heard.stats.silent;
        assert!(made_up <= MS * slower + 100 * MS, "{made_up:?} made up");
    }
}
