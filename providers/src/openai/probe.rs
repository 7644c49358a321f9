//! Is something OpenAI-compatible listening, and what does it serve?
//!
//! For `check`, and to offer a model found on this machine. Nothing found is ever used unasked.

use std::time::Duration;

use futures_util::future::join_all;
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{ErrorKind, ProviderError, Secret, net::http};

/// A server found on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What usually listens there: `Ollama`.
    pub server: &'static str,
    /// What to configure as its base URL.
    pub base_url: String,
    /// What it serves; never empty.
    pub models: Vec<String>,
}

/// The names of the models at this base URL (`GET {base}/models`).
///
/// # Errors
///
/// [`ErrorKind::Timeout`] after `patience`; else as any request: unreachable, unauthorized, or not what it should be.
pub async fn models(base_url: &str, key: Option<&Secret>, patience: Duration) -> Result<Vec<String>, ProviderError> {
    let error = |kind, why: String| ProviderError::new(PROBE, kind, why);
    let asked = tokio::time::timeout(patience, ask(base_url, key)).await;
    asked.unwrap_or_else(|_| Err(error(ErrorKind::Timeout, format!("no answer in {} ms", patience.as_millis()))))
}

/// Every known kind of server that answers on loopback with at least one model, except on ports that are our own.
pub async fn nearby(own_ports: &[u16], patience: Duration) -> Vec<Found> {
    let others = PLACES.iter().filter(|(_, port)| !own_ports.contains(port));
    let asked = others.map(|(server, port)| async move {
        let base_url = format!("http://127.0.0.1:{port}/v1");
        let models = models(&base_url, None, patience).await.ok().filter(|models| !models.is_empty())?;
        Some(Found { server, base_url, models })
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn ask(base_url: &str, key: Option<&Secret>) -> Result<Vec<String>, ProviderError> {
    let error = |kind, why: String| ProviderError::new(PROBE, kind, why);
    let url =
        http::endpoint(base_url, "models").map_err(|why| error(ErrorKind::Rejected, format!("base_url {why}")))?;
    let mut request = http::client(PROBE, &url).await?.get(url);
    if let Some(key) = key {
        request = request.bearer_auth(key.expose_secret());
    }
    let mut response = request.send().await.map_err(|error| http::failure(PROBE, error))?;
    let status = response.status();
    if !status.is_success() {
        return Err(error(http::kind_of(status), format!("status {}", status.as_u16())));
    }
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|error| http::failure(PROBE, error))? {
        body.extend_from_slice(&bytes);
        if body.len() > LONGEST {
            return Err(error(ErrorKind::Protocol, "the list of models is too long".to_owned()));
        }
    }
    let list: List = serde_json::from_slice(&body)
        .map_err(|_| error(ErrorKind::Protocol, "the answer is no list of models".to_owned()))?;
    Ok(list.data.unwrap_or_default().into_iter().map(|model| model.id).collect())
}

#[derive(Deserialize)]
struct List {
    data: Option<Vec<Model>>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

const PROBE: &str = "openai";
const LONGEST: usize = 1 << 20;
/// Default ports.
const PLACES: [(&str, u16); 4] = [("Ollama", 11_434), ("llama.cpp", 8_080), ("vLLM", 8_000), ("LM Studio", 1_234)];
