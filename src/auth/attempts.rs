//! How often an address may be wrong.
//!
//! Each failure fills an address's bucket, which drains with time. The number of addresses remembered is bounded; when
//! full, the one that failed longest ago is forgotten.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The failures of all addresses.
#[derive(Default)]
pub(super) struct Attempts(Mutex<BTreeMap<IpAddr, Bucket>>);

#[derive(Clone, Copy)]
struct Bucket {
    failures: f64,
    at: Instant,
}

impl Bucket {
    /// How many failures still count.
    fn level(&self, now: Instant) -> f64 {
        (self.failures - now.saturating_duration_since(self.at).as_secs_f64() / DRAIN.as_secs_f64()).max(0.0)
    }
}

impl Attempts {
    /// How long this address has to wait; `None` if it may try.
    pub(super) fn wait(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        let level = self.lock().get(&neighbourhood(from))?.level(now);
        (level >= BURST).then(|| DRAIN.mul_f64(level - BURST + 1.0))
    }

    /// Notes that this address was wrong.
    pub(super) fn fail(&self, from: IpAddr, now: Instant) {
        let mut buckets = self.lock();
        let from = neighbourhood(from);
        if buckets.len() >= ADDRESSES && !buckets.contains_key(&from) {
            let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(address, _)| *address);
            oldest.map(|address| buckets.remove(&address));
        }
        let bucket = buckets.entry(from).or_insert(Bucket { failures: 0.0, at: now });
        *bucket = Bucket { failures: bucket.level(now) + 1.0, at: now };
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An IPv6 customer has a /64 of addresses to try from; they count as one.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// Failures in a row before an address has to wait: more than any misconfigured client makes before a person looks.
const BURST: f64 = 60.0;

/// How long one failure counts. One guess a second is hopeless against the sixteen characters an admin key must have.
const DRAIN: Duration = Duration::from_secs(1);

/// Addresses remembered; some 400 KiB.
const ADDRESSES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn an_address_that_keeps_failing_waits_and_another_does_not() {
        let (attempts, now) = (Attempts::default(), Clock::system().now());
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
        let (attempts, now) = (Attempts::default(), Clock::system().now());
        for n in 0..60 {
            attempts.fail(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, n).into(), now);
        }
        assert!(attempts.wait("2001:db8:0:1::ffff".parse().unwrap(), now).is_some());
        assert!(attempts.wait("2001:db8:0:2::1".parse().unwrap(), now).is_none());
    }

    #[test]
    fn memory_is_bounded_however_many_addresses_fail() {
        let (attempts, mut now) = (Attempts::default(), Clock::system().now());
        for n in 0..10_000 {
            now += Duration::from_millis(1);
            attempts.fail(address(n), now);
        }
        let buckets = attempts.lock();
        assert_eq!(buckets.len(), ADDRESSES);
        assert!(buckets.contains_key(&address(9_999)), "the latest are remembered");
    }
}
