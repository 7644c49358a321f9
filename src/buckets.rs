//! How often somebody may do something: leaky buckets, one for each of them.
//!
//! Whatever is counted, a wrong password or a request, is a drop into its bucket, which drains with time. The number of buckets
//! is bounded; when full, the emptiest is forgotten, so that a flood of names does not wash away the one that matters.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How much is too much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// Drops in a row before one has to wait.
    pub(crate) burst: f64,
    /// How long one drop counts.
    pub(crate) drain: Duration,
    /// Buckets remembered.
    pub(crate) most: usize,
}

/// The buckets of all that were counted lately: addresses, accounts, keys.
pub(crate) struct Buckets<K> {
    limit: Limit,
    buckets: Mutex<BTreeMap<K, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    drops: f64,
    at: Instant,
}

impl Bucket {
    /// How many drops still count.
    fn level(&self, drain: Duration, now: Instant) -> f64 {
        (self.drops - now.saturating_duration_since(self.at).as_secs_f64() / drain.as_secs_f64()).max(0.0)
    }
}

impl<K: Ord + Copy> Buckets<K> {
    pub(crate) const fn new(limit: Limit) -> Self {
        Self { limit, buckets: Mutex::new(BTreeMap::new()) }
    }

    /// How long they have to wait; `None` if they may try.
    pub(crate) fn wait(&self, who: K, now: Instant) -> Option<Duration> {
        self.limit.wait(self.lock().get(&who)?, now)
    }

    /// Counts one more, whether or not there is room.
    pub(crate) fn add(&self, who: K, now: Instant) {
        self.count(&mut self.lock(), who, now);
    }

    /// Counts one more if there is room, before it is known how it ends, so that many at once are no way around, and says how
    /// many count now; else says how long to wait.
    pub(crate) fn take(&self, who: K, now: Instant) -> Result<f64, Duration> {
        let mut buckets = self.lock();
        let wait = buckets.get(&who).and_then(|bucket| self.limit.wait(bucket, now));
        wait.map_or(Ok(()), Err)?;
        Ok(self.count(&mut buckets, who, now))
    }

    /// Takes one back: it was nothing to be counted.
    pub(crate) fn give_back(&self, who: K) {
        if let Some(bucket) = self.lock().get_mut(&who) {
            bucket.drops = (bucket.drops - 1.0).max(0.0);
        }
    }

    /// Forgets all that was counted: they have shown who they are.
    pub(crate) fn forgive(&self, who: K) {
        self.lock().remove(&who);
    }

    fn count(&self, buckets: &mut BTreeMap<K, Bucket>, who: K, now: Instant) -> f64 {
        let Limit { drain, most, .. } = self.limit;
        if buckets.len() >= most && !buckets.contains_key(&who) {
            let emptiest = buckets.iter().min_by(|(_, a), (_, b)| a.level(drain, now).total_cmp(&b.level(drain, now)));
            emptiest.map(|(who, _)| *who).map(|who| buckets.remove(&who));
        }
        let bucket = buckets.entry(who).or_insert(Bucket { drops: 0.0, at: now });
        *bucket = Bucket { drops: bucket.level(drain, now) + 1.0, at: now };
        bucket.drops
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limit {
    fn wait(&self, bucket: &Bucket, now: Instant) -> Option<Duration> {
        let level = bucket.level(self.drain, now);
        // Draining is counted in fractions, which are never quite whole.
        (level > self.burst - 1.0 + 1e-6).then(|| self.drain.mul_f64(level - self.burst + 1.0))
    }
}

/// Where somebody is. An IPv6 customer has a /64 of addresses; they count as one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Address(IpAddr);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const LIMIT: Limit = Limit { burst: 60.0, drain: Duration::from_secs(1), most: 4096 };

    fn address(n: u32) -> Address {
        IpAddr::from(std::net::Ipv4Addr::from_bits(n)).into()
    }

    fn buckets() -> (Buckets<Address>, Instant) {
        (Buckets::new(LIMIT), Clock::system().now())
    }

    #[test]
    fn an_address_that_keeps_failing_waits_and_another_does_not() {
        let (buckets, now) = buckets();
        for _ in 0..60 {
            assert_eq!(buckets.wait(address(1), now), None);
            buckets.add(address(1), now);
        }
        assert_eq!(buckets.wait(address(1), now), Some(Duration::from_secs(1)));
        assert_eq!(buckets.wait(address(2), now), None);
        assert_eq!(buckets.wait(address(1), now + Duration::from_secs(1)), None);
    }

    #[test]
    fn neighbours_in_one_network_share_a_bucket() {
        let (buckets, now) = buckets();
        let six = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
        for n in 0..60 {
            buckets.add(six(&format!("2001:db8:0:1::{n:x}")), now);
        }
        assert!(buckets.wait(six("2001:db8:0:1::ffff"), now).is_some());
        assert!(buckets.wait(six("2001:db8:0:2::1"), now).is_none());
    }

    #[test]
    fn attempts_under_way_count_until_they_are_given_back() {
        let (buckets, now) = buckets();
        for _ in 0..60 {
            buckets.take(address(1), now).unwrap();
        }
        assert_eq!(buckets.take(address(1), now), Err(Duration::from_secs(1)));
        buckets.give_back(address(1));
        assert_eq!(buckets.take(address(1), now), Ok(60.0));
        buckets.forgive(address(1));
        assert_eq!(buckets.wait(address(1), now), None);
    }

    #[test]
    fn memory_is_bounded_and_a_flood_does_not_wash_away_whoever_is_guessed_at() {
        let (buckets, mut now) = buckets();
        for _ in 0..60 {
            buckets.add(address(20_000), now);
        }
        for n in 0..10_000 {
            now += Duration::from_millis(1);
            buckets.add(address(n), now);
        }
        assert_eq!(buckets.lock().len(), LIMIT.most);
        assert!(buckets.lock().contains_key(&address(9_999)), "the latest are remembered");
        assert!(buckets.lock().contains_key(&address(20_000)));
    }
}
