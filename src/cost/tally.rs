//! What a session has consumed, by engine, and what that costs.
//!
//! Told once for each request, at its end: nothing here is on the way of sound.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use providers::layers::{Account, Consumed, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::Prices;

/// A session's account.
pub struct Tally {
    prices: Arc<Prices>,
    /// Guarded for the length of an addition, once a request.
    consumed: Mutex<BTreeMap<String, Consumed>>,
    open: AtomicUsize,
    settled: Notify,
}

/// What was spent, as it is kept with a session and shown to its owner.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Spending {
    /// What the costs are in.
    pub currency: String,
    /// All of which the price is known.
    pub total: f64,
    /// Engines whose price is not known: what they cost is not in the total.
    pub unknown: Vec<String>,
    /// By engine.
    pub by_provider: BTreeMap<String, Spent>,
}

/// What one engine consumed.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// In the currency; `None` where the price is not known.
    pub cost: Option<f64>,
    /// Sound it heard.
    pub audio_in_seconds: f64,
    /// Sound it made.
    pub audio_out_seconds: f64,
    /// Characters it was given to speak.
    pub characters: u64,
    /// Tokens it read.
    pub input_tokens: u64,
    /// Of these, from a cache.
    pub cached_tokens: u64,
    /// Tokens it wrote.
    pub output_tokens: u64,
}

impl Spending {
    /// Both together. Of another currency nothing is added: it was changed in the configuration meanwhile.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        if self.currency != other.currency {
            return self;
        }
        self.total = exact(self.total + other.total);
        for engine in &other.unknown {
            if !self.unknown.contains(engine) {
                self.unknown.push(engine.clone());
            }
        }
        for (engine, spent) in &other.by_provider {
            self.by_provider.entry(engine.clone()).and_modify(|sum| sum.add(spent)).or_insert(*spent);
        }
        self
    }
}

impl Tally {
    /// Nothing spent yet.
    pub fn new(prices: Arc<Prices>) -> Self {
        Self { prices, consumed: Mutex::default(), open: AtomicUsize::new(0), settled: Notify::new() }
    }

    /// All that was spent so far; `None` before the first request ends.
    pub fn spending(&self) -> Option<Spending> {
        let consumed = self.consumed();
        if consumed.is_empty() {
            return None;
        }
        let mut spending = Spending { currency: self.prices.currency().to_owned(), ..Spending::default() };
        for (engine, what) in consumed.iter() {
            let cost = self.prices.of(engine).map(|price| price.of(what));
            match cost {
                Some(cost) => spending.total += cost,
                None => spending.unknown.push(engine.clone()),
            }
            spending.by_provider.insert(engine.clone(), Spent::new(what, cost.map(exact)));
        }
        spending.total = exact(spending.total);
        Some(spending)
    }

    /// Waits until no request is open, but no longer than `patience`.
    pub async fn settle(&self, patience: Duration) {
        let settled = async {
            loop {
                let mut next = std::pin::pin!(self.settled.notified());
                next.as_mut().enable();
                if self.open.load(Ordering::Acquire) == 0 {
                    return;
                }
                next.await;
            }
        };
        // A request that is still open costs what it costs; its session's record goes without.
        let _ = tokio::time::timeout(patience, settled).await;
    }

    fn consumed(&self) -> MutexGuard<'_, BTreeMap<String, Consumed>> {
        self.consumed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account for Tally {
    fn opened(&self, _: &str) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    fn consumed(&self, provider: &str, _: Role, what: Consumed) {
        let mut consumed = self.consumed();
        match consumed.get_mut(provider) {
            Some(sum) => *sum += what,
            None => _ = consumed.insert(provider.to_owned(), what),
        }
    }

    fn closed(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.settled.notify_waiters();
        }
    }
}

impl Spent {
    fn add(&mut self, other: &Self) {
        self.cost = self.cost.zip(other.cost).map(|(one, other)| exact(one + other));
        self.audio_in_seconds += other.audio_in_seconds;
        self.audio_out_seconds += other.audio_out_seconds;
        self.characters += other.characters;
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.output_tokens += other.output_tokens;
    }

    fn new(what: &Consumed, cost: Option<f64>) -> Self {
        Self {
            cost,
            audio_in_seconds: what.heard.as_secs_f64(),
            audio_out_seconds: what.spoken.as_secs_f64(),
            characters: what.characters,
            input_tokens: what.input_tokens,
            cached_tokens: what.cached_tokens,
            output_tokens: what.output_tokens,
        }
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").field("consumed", &*self.consumed()).finish_non_exhaustive()
    }
}

/// To the billionth: beyond that there is only the noise of floating point.
fn exact(cost: f64) -> f64 {
    (cost * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::cost::Config;

    fn tally() -> Tally {
        let list = vec!["acme/ear minute=0.06".to_owned(), "acme/mind input=1 output=2".to_owned()];
        Tally::new(Arc::new(Prices::new(&Config { list, ..Config::default() })))
    }

    fn heard(seconds: u64) -> Consumed {
        Consumed { heard: Duration::from_secs(seconds), ..Consumed::default() }
    }

    #[test]
    fn spending_is_told_by_engine_and_what_has_no_price_is_named() {
        let tally = tally();
        assert_eq!(tally.spending(), None);
        Account::consumed(&tally, "acme/ear", Role::Stt, heard(20));
        Account::consumed(&tally, "acme/ear", Role::Stt, heard(10));
        let tokens = Consumed { input_tokens: 1_000, output_tokens: 500, ..Consumed::default() };
        Account::consumed(&tally, "acme/mind", Role::Llm, tokens);
        Account::consumed(&tally, "other/mouth", Role::Tts, Consumed { characters: 9, ..Consumed::default() });
        let told = serde_json::to_value(tally.spending().unwrap()).unwrap();
        assert_eq!(told["currency"], "USD");
        assert_eq!(told["total"], 0.032);
        assert_eq!(told["unknown"], serde_json::json!(["other/mouth"]));
        assert_eq!(told["by_provider"]["acme/ear"]["cost"], 0.03);
        assert_eq!(told["by_provider"]["acme/ear"]["audio_in_seconds"], 30.0);
        assert_eq!(told["by_provider"]["acme/mind"]["output_tokens"], 500);
        assert!(told["by_provider"]["other/mouth"]["cost"].is_null());
    }

    #[tokio::test(start_paused = true)]
    async fn settling_waits_for_open_requests_but_not_forever() {
        let tally = Arc::new(tally());
        tally.settle(Duration::from_secs(1)).now_or_never().unwrap();
        tally.opened("acme/ear");
        let waiting = tokio::spawn({
            let tally = Arc::clone(&tally);
            async move { tally.settle(Duration::from_secs(3_600)).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        tally.closed();
        waiting.await.unwrap();
        tally.opened("acme/ear");
        tally.settle(Duration::from_secs(1)).await;
    }
}
