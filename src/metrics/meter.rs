//! What providers do, counted by role and provider: requests, failures, latencies, consumption and its cost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::metrics::{counter, gauge, histogram};
use providers::{
    ErrorKind,
    layers::{self, Consumed, Observation, Observer},
};

use super::{Role, declared::*, error_name, millis, provider_failed};
use crate::{clock::Clock, cost::Prices};

/// Counts what providers do. Wrap them in [`providers::layers::Observed`] with this.
#[derive(Debug)]
pub struct ProviderMeter {
    clock: Clock,
    start: Instant,
    prices: Arc<Prices>,
}

impl ProviderMeter {
    /// A meter that measures by `clock` and knows no prices.
    pub fn new(clock: Clock) -> Self {
        Self { start: clock.now(), clock, prices: Arc::default() }
    }

    /// Counts cost by these.
    #[must_use]
    pub fn with_prices(self, prices: Arc<Prices>) -> Self {
        Self { prices, ..self }
    }
}

impl Observer for ProviderMeter {
    fn now(&self) -> Duration {
        self.clock.now() - self.start
    }

    fn observe(&self, provider: &str, role: layers::Role, event: Observation) {
        let role = Role::from(role);
        match event {
            Observation::Requested => requested(role, provider),
            Observation::First { after } => answered(role, provider, after),
            Observation::Finished { after } => took(PROVIDER_FINAL, role, provider, after),
            Observation::Failed { kind, .. } => provider_failed(role, provider, kind),
            Observation::Opened { .. } => left_alone(role, provider, true),
            Observation::Closed => left_alone(role, provider, false),
            // A reply that is interrupted is no fault of its provider.
            Observation::Cancelled { .. } => {}
        }
    }

    fn connected(&self, provider: &str, role: layers::Role, after: Duration) {
        took(PROVIDER_CONNECT, role.into(), provider, after);
    }

    fn consumed(&self, provider: &str, role: layers::Role, what: Consumed) {
        let role = Role::from(role);
        let add = |name: &'static str, label: Option<(&'static str, &'static str)>, amount: u64| {
            if amount == 0 {
                return;
            }
            let (role, provider) = (role.name(), provider.to_owned());
            match label {
                Some((key, value)) => counter!(name, "role" => role, "provider" => provider, key => value),
                None => counter!(name, "role" => role, "provider" => provider),
            }
            .increment(amount);
        };
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        add(PROVIDER_AUDIO, Some(("direction", "in")), ms(what.heard));
        add(PROVIDER_AUDIO, Some(("direction", "out")), ms(what.spoken));
        add(PROVIDER_CHARACTERS, None, what.characters);
        add(PROVIDER_TOKENS, Some(("kind", "input")), what.input_tokens);
        add(PROVIDER_TOKENS, Some(("kind", "cached")), what.cached_tokens);
        add(PROVIDER_TOKENS, Some(("kind", "output")), what.output_tokens);
        match self.prices.micros(provider, &what) {
            Some(micros) => add(PROVIDER_COST, None, micros),
            None => add(PROVIDER_UNPRICED, None, 1),
        }
    }

    fn took_over(&self, role: layers::Role, from: &str, to: &str, kind: ErrorKind) {
        let (role, from, to) = (Role::from(role).name(), from.to_owned(), to.to_owned());
        let kind = error_name(kind);
        counter!(PROVIDER_FAILOVERS, "role" => role, "from" => from, "to" => to, "kind" => kind).increment(1);
    }
}

impl From<layers::Role> for Role {
    fn from(role: layers::Role) -> Self {
        match role {
            layers::Role::Stt => Self::Listen,
            layers::Role::Llm => Self::Think,
            layers::Role::Tts => Self::Speak,
            layers::Role::Realtime => Self::Converse,
            layers::Role::Embed => Self::Embed,
        }
    }
}

pub(super) fn answered(role: Role, provider: &str, latency: Duration) {
    took(PROVIDER_LATENCY, role, provider, latency);
}

fn took(name: &'static str, role: Role, provider: &str, span: Duration) {
    histogram!(name, "role" => role.name(), "provider" => provider.to_owned()).record(millis(span));
}

fn requested(role: Role, provider: &str) {
    counter!(PROVIDER_REQUESTS, "role" => role.name(), "provider" => provider.to_owned()).increment(1);
}

/// Whether a provider is left alone because it kept failing.
fn left_alone(role: Role, provider: &str, yes: bool) {
    gauge!(PROVIDER_RESTING, "role" => role.name(), "provider" => provider.to_owned()).set(f64::from(u8::from(yes)));
}
