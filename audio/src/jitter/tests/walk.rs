//! Any network: whatever it does, time is kept, order is kept and nothing is heard twice.

use proptest::prelude::*;

use super::*;

/// What happens to one packet.
#[derive(Clone, Copy, Debug)]
struct Fate {
    lost: bool,
    late: u32,
    again: Option<u32>,
}

fn fate() -> impl Strategy<Value = Fate> {
    let late = prop_oneof![6 => Just(0_u32), 3 => 0_u32..60, 1 => 0_u32..600];
    (prop::bool::weighted(0.1), late, prop::option::weighted(0.05, 0_u32..800)).prop_map(|(lost, late, again)| Fate {
        lost,
        late,
        again,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn time_and_order_are_kept_on_any_network(fates in prop::collection::vec(fate(), 300)) {
        let mut sent = Vec::new();
        for (packet, fate) in SENT.iter().zip(&fates).filter(|(packet, fate)| !fate.lost || packet.sequence == 0) {
            let late = if packet.sequence == 0 { 0 } else { fate.late };
            sent.push(Sent { at: packet.at + MS * late, ..packet.clone() });
            sent.extend(fate.again.map(|again| Sent { at: packet.at + MS * (late + again), ..packet.clone() }));
        }
        let end = MS * 6_000;
        let heard = hear(&sent, end);
        // Never ahead of the sender, never further behind than packets are waited for.
        for ((at, _), nth) in heard.frames.iter().zip(1..) {
            prop_assert!(*at >= Frame::DURATION * nth, "frame {nth} at {at:?}");
            prop_assert!(*at <= Frame::DURATION * nth + 440 * MS, "frame {nth} at {at:?}");
        }
        let Stats { received, late, duplicate, lost, restarts, implausible, .. } = heard.stats;
        prop_assert_eq!((restarts, implausible), (0, 0));
        prop_assert!(duplicate + late + lost <= received + 300);
        // Where a packet and the two before it came in time, what was said then is heard then.
        let samples = heard.samples();
        let in_time = |n: usize| !fates[n].lost && fates[n].late == 0;
        for n in (2..300.min(heard.frames.len())).filter(|&n| (n - 2..=n).all(in_time)) {
            let at = n * 320..(n + 1) * 320;
            if crate::Level::of(&WHOLE[at.clone()]).rms.dbfs() > -30.0 {
                let alike = likeness(&samples[at.clone()], &WHOLE[at]);
                prop_assert!(alike > 0.5, "frame {n}: {alike:.2}");
            }
        }
    }
}
