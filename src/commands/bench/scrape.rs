//! The relay's own histograms, read from `/metrics`: latencies that a client cannot see.

use std::{collections::BTreeMap, time::Duration};

use secrecy::ExposeSecret;

use super::{child::Process, spread::Spread};

/// How long the relay may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every latency by its name and labels. A bucket's upper bound stands for what is in it, so these are never too good.
pub(super) async fn latencies(relay: &Process) -> BTreeMap<String, Spread> {
    let request = reqwest::Client::new().get(format!("{}/metrics", relay.url)).timeout(PATIENCE);
    let answer = request.bearer_auth(relay.key.expose_secret()).send().await;
    match answer.and_then(reqwest::Response::error_for_status) {
        Ok(answer) => read(&answer.text().await.unwrap_or_default()),
        Err(error) => {
            eprintln!("bench: the relay's metrics cannot be read: {error}");
            BTreeMap::new()
        }
    }
}

/// Lines look like `name_ms_bucket{role="stt",le="5"} 12` and count everything up to their bound.
fn read(text: &str) -> BTreeMap<String, Spread> {
    let mut buckets: BTreeMap<String, Vec<(f64, usize)>> = BTreeMap::new();
    for line in text.lines() {
        let Some((name, bound, count)) = bucket(line) else { continue };
        buckets.entry(name).or_default().push((bound, count));
    }
    buckets.into_iter().map(|(name, buckets)| (name, spread(&buckets))).filter(|(_, spread)| spread.count > 0).collect()
}

fn bucket(line: &str) -> Option<(String, f64, usize)> {
    let (series, count) = line.rsplit_once(' ')?;
    let (name, labels) = series.strip_suffix('}')?.split_once("_ms_bucket{")?;
    let bound = labels.split(',').find_map(|label| label.strip_prefix("le=\"")?.strip_suffix('"'))?;
    let others: Vec<_> = labels.split(',').filter(|label| !label.starts_with("le=")).collect();
    let name =
        if others.is_empty() { name.to_owned() } else { format!("{name} {}", others.join(",").replace('"', "")) };
    Some((name, bound.parse().unwrap_or(f64::INFINITY), count.parse().ok()?))
}

fn spread(buckets: &[(f64, usize)]) -> Spread {
    let count = buckets.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let rank = |percent: usize| {
        let rank = (count * percent).div_ceil(100).max(1);
        let within = buckets.iter().filter(|(_, below)| *below >= rank).map(|(bound, _)| *bound);
        within.min_by(f64::total_cmp).filter(|bound| bound.is_finite())
    };
    Spread { count, p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_bound_of_a_bucket_stands_for_what_is_in_it() {
        let text = "# TYPE voice_relay_first_audio_ms histogram\n\
            voice_relay_first_audio_ms_bucket{le=\"1\"} 60\n\
            voice_relay_first_audio_ms_bucket{le=\"2\"} 96\n\
            voice_relay_first_audio_ms_bucket{le=\"5\"} 98\n\
            voice_relay_first_audio_ms_bucket{le=\"+Inf\"} 100\n\
            voice_relay_first_audio_ms_sum 123\n\
            voice_relay_provider_latency_ms_bucket{role=\"stt\",le=\"1\"} 3\n\
            voice_relay_live_sessions 4\n";
        let read = read(text);
        let first = read["voice_relay_first_audio"];
        assert_eq!((first.count, first.p50, first.p95, first.p99), (100, Some(1.0), Some(2.0), None));
        assert_eq!(read["voice_relay_provider_latency role=stt"].p99, Some(1.0));
        assert_eq!(read.len(), 2);
    }
}
