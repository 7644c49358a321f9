//! `voice-relay serve`: the relay itself.

use std::time::Duration;

use providers::openai;
use secrecy::ExposeSecret;

use super::Failure;
use crate::{
    app::{self, App},
    clock::Clock,
    config::Config,
    server::Listener,
    telemetry,
};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    telemetry::start(&config.log);
    app::prepare(config)?;
    let listener = Listener::bind(&config.server).await?;
    let app = App::build(config, Clock::system()).await?;
    welcome(config, &listener, &app);
    let offers = tokio::spawn(offer(config.clone()));
    let served = app.serve(listener, stopped()).await;
    offers.abort();
    served.map_err(|error| Failure::Other(format!("serving failed: {error}")))
}

/// What a newcomer needs to talk to it: URL, key, something to paste.
fn welcome(config: &Config, listener: &Listener, app: &App) {
    let url = if config.server.public_url.is_empty() { listener.url() } else { config.server.url() };
    println!("voice-relay {} serves on {url}", env!("CARGO_PKG_VERSION"));
    let shown = match app.made_key() {
        Some(key) => {
            println!("\n  admin key (shown once, keep it): {}", key.expose_secret());
            key.expose_secret().to_owned()
        }
        None => "$VOICE_RELAY_ADMIN_KEY".to_owned(),
    };
    println!(
        "\n  voice-relay talk samples/question.wav --out reply.wav   # speak to it from here\n\n  \
         # or with the official Python SDK (pip install 'openai[realtime]')\n  \
         client = AsyncOpenAI(base_url=\"{url}/v1\", api_key=\"{shown}\")\n  \
         async with client.realtime.connect(model=\"gpt-realtime\") as connection: ...\n"
    );
}

/// Says so where a model server runs on this machine; never uses it unasked.
async fn offer(config: Config) {
    if config.providers.llm.iter().any(|name| name == "openai/chat") {
        return;
    }
    let own: Vec<u16> =
        config.server.listen.rsplit(':').next().and_then(|port| port.parse().ok()).into_iter().collect();
    for found in openai::nearby(&own, LOOK).await {
        println!(
            "  {} answers on {}. To think with it: providers.llm = [\"openai/chat\"], openai.base_url = \"{}\", \
             openai.model = one of {}",
            found.server,
            found.base_url,
            found.base_url,
            found.models.join(", ")
        );
    }
}

/// How long a model server on this machine may take to answer.
const LOOK: Duration = Duration::from_secs(1);

/// Resolves at SIGTERM or Ctrl-C.
pub(super) async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _no_signals = interrupt.await;
}
