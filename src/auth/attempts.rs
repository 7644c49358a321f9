//! How often somebody may be wrong.
//!
//! Each failure fills a bucket, which drains with time. The number of buckets is bounded; when full, the emptiest is
//! forgotten, so that a flood of names does not wash away the one that is being guessed at.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How much is too much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// Failures in a row before one has to wait.
    pub(super) burst: f64,
    /// How long one failure counts.
    pub(super) drain: Duration,
    /// Buckets remembered.
    pub(super) most: usize,
}

/// The failures of all who failed: addresses, or accounts.
pub(super) struct Attempts<K> {
    limit: Limit,
    buckets: Mutex<BTreeMap<K, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    failures: f64,
    at: Instant,
}

impl Bucket {
    /// How many failures still count.
    fn level(&self, drain: Duration, now: Instant) -> f64 {
        (self.failures - now.saturating_duration_since(self.at).as_secs_f64() / drain.as_secs_f64()).max(0.0)
    }
}

impl<K: Ord + Copy> Attempts<K> {
    pub(super) const fn new(limit: Limit) -> Self {
        Self { limit, buckets: Mutex::new(BTreeMap::new()) }
    }

    /// How long they have to wait; `None` if they may try.
    pub(super) fn wait(&self, who: K, now: Instant) -> Option<Duration> {
        self.limit.wait(self.lock().get(&who)?, now)
    }

    /// Notes that they were wrong.
    pub(super) fn fail(&self, who: K, now: Instant) {
        self.count(&mut self.lock(), who, now);
    }

    /// Notes an attempt before it is known how it ends, so that many at once are no way around; else says how long to wait.
    pub(super) fn take(&self, who: K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.lock();
        let wait = buckets.get(&who).and_then(|bucket| self.limit.wait(bucket, now));
        wait.map_or(Ok(()), Err)?;
        self.count(&mut buckets, who, now);
        Ok(())
    }

    /// Takes one attempt back: it was not wrong.
    pub(super) fn give_back(&self, who: K) {
        if let Some(bucket) = self.lock().get_mut(&who) {
            bucket.failures = (bucket.failures - 1.0).max(0.0);
        }
    }

    /// Forgets their failures: they have shown who they are.
    pub(super) fn forgive(&self, who: K) {
        self.lock().remove(&who);
    }

    fn count(&self, buckets: &mut BTreeMap<K, Bucket>, who: K, now: Instant) {
        let Limit { drain, most, .. } = self.limit;
        if buckets.len() >= most && !buckets.contains_key(&who) {
            let emptiest = buckets.iter().min_by(|(_, a), (_, b)| a.level(drain, now).total_cmp(&b.level(drain, now)));
            emptiest.map(|(who, _)| *who).map(|who| buckets.remove(&who));
        }
        let bucket = buckets.entry(who).or_insert(Bucket { failures: 0.0, at: now });
        *bucket = Bucket { failures: bucket.level(drain, now) + 1.0, at: now };
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limit {
    /// Credentials per address: more than any misconfigured client makes before a person looks, and one guess a second is
    /// hopeless against the sixteen characters an admin key must have. Some 400 KiB of addresses.
    pub(super) const CREDENTIALS: Self = Self { burst: 60.0, drain: Duration::from_secs(1), most: 4096 };

    /// Passwords per address: an office behind one address on a Monday morning, and then one every ten seconds.
    pub(super) const LOGINS: Self = Self { burst: 30.0, drain: Duration::from_secs(10), most: 4096 };

    /// Passwords per account, from wherever: 3000 guesses a day against the 10^8 that a password must be good for. Its owner
    /// waits half a minute at worst once whoever guesses has been stopped.
    pub(super) const ACCOUNT: Self = Self { burst: 10.0, drain: Duration::from_secs(30), most: 16_384 };

    /// Accounts made per address.
    pub(super) const REGISTRATIONS: Self = Self { burst: 10.0, drain: Duration::from_secs(60), most: 4096 };

    fn wait(&self, bucket: &Bucket, now: Instant) -> Option<Duration> {
        let level = bucket.level(self.drain, now);
        (level > self.burst - 1.0).then(|| self.drain.mul_f64(level - self.burst + 1.0))
    }
}

/// Where an attempt comes from. An IPv6 customer has a /64 of addresses to try from; they count as one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Address(IpAddr);

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

    fn address(n: u32) -> Address {
        IpAddr::from(std::net::Ipv4Addr::from_bits(n)).into()
    }

    fn attempts() -> (Attempts<Address>, Instant) {
        (Attempts::new(Limit::CREDENTIALS), Clock::system().now())
    }

    #[test]
    fn an_address_that_keeps_failing_waits_and_another_does_not() {
        let (attempts, now) = attempts();
        for _ in 0..60 {
            assert_eq!(attempts.wait(address(1), now), None);
            attempts.fail(address(1), now);
        }
        assert_eq!(attempts.wait(address(1), now), Some(Duration::from_secs(1)));
        assert_eq!(attempts.wait(address(2), now), None);
        assert_eq!(attempts.wait(address(1), now + Duration::from_secs(1)), None);
    }

    #[test]
    fn neighbours_in_one_network_share_a_bucket() {
        let (attempts, now) = attempts();
        let six = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
        for n in 0..60 {
            attempts.fail(six(&format!("2001:db8:0:1::{n:x}")), now);
        }
        assert!(attempts.wait(six("2001:db8:0:1::ffff"), now).is_some());
        assert!(attempts.wait(six("2001:db8:0:2::1"), now).is_none());
    }

    #[test]
    fn attempts_under_way_count_until_they_are_given_back() {
        let (attempts, now) = attempts();
        for _ in 0..60 {
            attempts.take(address(1), now).unwrap();
        }
        assert_eq!(attempts.take(address(1), now), Err(Duration::from_secs(1)));
        attempts.give_back(address(1));
        assert_eq!(attempts.take(address(1), now), Ok(()));
        attempts.forgive(address(1));
        assert_eq!(attempts.wait(address(1), now), None);
    }

    #[test]
    fn memory_is_bounded_and_a_flood_does_not_wash_away_whoever_is_guessed_at() {
        let (attempts, mut now) = attempts();
        for _ in 0..60 {
            attempts.fail(address(20_000), now);
        }
        for n in 0..10_000 {
            now += Duration::from_millis(1);
            attempts.fail(address(n), now);
        }
        assert_eq!(attempts.lock().len(), Limit::CREDENTIALS.most);
        assert!(attempts.lock().contains_key(&address(9_999)), "the latest are remembered");
        assert!(attempts.lock().contains_key(&address(20_000)));
    }
}
