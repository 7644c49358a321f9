//! How late packets are, and hence how long one that is missing is waited for.
//!
//! The fastest packets of the last seconds are the measure. How much later the others come is kept as a histogram that
//! forgets, as NetEQ does (WebRTC, `modules/audio_coding/neteq`), and all but 1 % of them are waited for: waiting costs
//! something only where a packet is missing.

use std::time::Duration;

use super::ticks::Ticks;

/// What was learnt of the network.
#[derive(Debug)]
pub(super) struct Delay {
    fastest: Option<Fastest>,
    /// Share of the packets that came later than the fastest by so many steps; the last holds all beyond.
    shares: [f32; STEPS],
    learnt: u32,
    depth: Ticks,
    /// How long the sound of the last packet lasts.
    packet: Ticks,
    /// Transit of the last packet, counted from the start of its sound.
    last: Option<Ticks>,
    /// Interarrival jitter times 16, as in RFC 3550, appendix A.8.
    jitter: Ticks,
}

/// The shortest transits, from the end of a packet's sound to its arrival: of the period that runs, and the one before.
/// Both clocks have origins of their own, so only differences mean something.
#[derive(Clone, Copy, Debug)]
struct Fastest {
    current: Ticks,
    previous: Ticks,
    since: Ticks,
}

impl Delay {
    pub(super) fn new() -> Self {
        let mut shares = [0.0; STEPS];
        shares[FIRST_GUESS] = 1.0;
        let packet = Ticks::from_millis(20);
        let mut new =
            Self { fastest: None, shares, learnt: 0, depth: Ticks::ZERO, packet, last: None, jitter: Ticks::ZERO };
        new.settle();
        new
    }

    /// Learns from a packet that arrives at `now`, in time for its sound to be given out.
    pub(super) fn on_time(&mut self, now: Ticks, start: Ticks, length: Ticks) {
        self.packet = length;
        self.learnt = self.learnt.saturating_add(1);
        // The first ones weigh more, or the guess would stay for long.
        self.observe(now, start, length, WEIGHT.max(1.0 / (self.learnt + 1) as f32));
    }

    /// Learns from one that does not: it alone makes the next ones be waited for as long, for a while.
    pub(super) fn late(&mut self, now: Ticks, start: Ticks, length: Ticks) {
        self.observe(now, start, length, LATE_WEIGHT);
    }

    /// The sender's clock begins anew: what was learnt of the network holds, but not what is fast.
    pub(super) fn restart(&mut self) {
        (self.fastest, self.last) = (None, None);
    }

    /// When the packet that begins at `start` is no longer waited for; `None` before the first.
    pub(super) fn due(&self, start: Ticks) -> Option<Ticks> {
        let fastest = self.fastest?;
        Some(start + self.packet + fastest.current.min(fastest.previous) + self.depth)
    }

    /// How long one is waited for beyond the fastest.
    pub(super) fn depth(&self) -> Duration {
        self.depth.span()
    }

    /// How long the sound of a packet lasts, as long as it does not say otherwise.
    pub(super) const fn packet(&self) -> Ticks {
        self.packet
    }

    pub(super) fn jitter(&self) -> Duration {
        Ticks(self.jitter.0 / 16).span()
    }

    fn observe(&mut self, now: Ticks, start: Ticks, length: Ticks, weight: f32) {
        let transit = now - start;
        if let Some(last) = self.last.replace(transit) {
            let change = (transit - last).0.abs().min(MOST_JITTER.0);
            self.jitter += Ticks(change - (self.jitter.0 + 8) / 16);
        }
        let transit = transit - length;
        let fastest = self.fastest.get_or_insert(Fastest { current: transit, previous: transit, since: now });
        if now - fastest.since >= PERIOD {
            *fastest = Fastest { current: transit, previous: fastest.current, since: now };
        }
        fastest.current = fastest.current.min(transit);
        let later = transit - fastest.current.min(fastest.previous);
        // One so late that no waiting would help teaches no more than others do: its sender's clock may have stood still.
        let weight = if later > MOST { WEIGHT } else { weight };
        let step = usize::try_from(later.0 / STEP.0).unwrap_or(0).min(STEPS - 1);
        for share in &mut self.shares {
            *share *= 1.0 - weight;
        }
        self.shares[step] += weight;
        self.settle();
    }

    fn settle(&mut self) {
        let mut beyond = 1.0;
        let reached = |share: &f32| {
            beyond -= share;
            beyond < FORSAKEN
        };
        let steps = self.shares.iter().position(reached).unwrap_or(STEPS - 1) + 1;
        let wanted = Ticks(STEP.0 * steps as i64);
        self.depth = wanted.clamp(self.packet + LEAST_BEYOND_A_PACKET, MOST);
    }
}

/// Resolution of the histogram.
const STEP: Ticks = Ticks::from_millis(10);

/// Beyond this nothing is waited for: a listener who learns so late that somebody has stopped speaking is no company.
const MOST: Ticks = Ticks::from_millis(400);
const STEPS: usize = (MOST.0 / STEP.0) as usize;

/// The next packet should be there to say what it remembers of the missing one.
const LEAST_BEYOND_A_PACKET: Ticks = Ticks::from_millis(10);

/// What is waited for before anything is known: 60 ms.
const FIRST_GUESS: usize = 5;

/// Of packets, those which may come too late.
const FORSAKEN: f32 = 0.01;

/// One packet's part in what is known: 5 s of 20 ms until two thirds are forgotten.
const WEIGHT: f32 = 1.0 / 256.0;

/// A late packet's part: more than those which may be, so that the depth reaches it at once, for about 3.5 s.
const LATE_WEIGHT: f32 = 0.02;

/// How long the fastest packet counts, once or twice over. Crystals part by 2 ms at most meanwhile.
const PERIOD: Ticks = Ticks::from_millis(5_000);

/// One step of the jitter estimate: a minute's pause of a sender whose clock stands still is no jitter.
const MOST_JITTER: Ticks = Ticks::from_millis(60_000);
