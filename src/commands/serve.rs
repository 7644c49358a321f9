//! `voice-relay serve`: the relay itself.

use std::time::Duration;

use providers::{Secret, openai};
use secrecy::ExposeSecret;

use super::Failure;
use crate::{
    app::{self, App},
    clock::Clock,
    config::{Config, Environment, Flags},
    engines,
    engines::Reloads,
    realtime::webrtc,
    server::{self, Listener},
    telemetry,
};

pub(super) async fn run(config: &Config, flags: &Flags) -> Result<(), Failure> {
    telemetry::start(&config.log);
    app::prepare(config)?;
    server::take_open_files();
    let listener = Listener::bind(&config.server).await?;
    let webrtc = sockets(config, &listener)?;
    let app = App::build(config, Clock::system(), webrtc).await?;
    let page_key = app.page_key().await?;
    welcome(config, flags, &listener, &app, page_key.as_ref());
    let offers = tokio::spawn(offer(config.clone()));
    let reloading = tokio::spawn(reload(flags.clone(), app.reloads()));
    let served = app.serve(listener, stopped()).await;
    offers.abort();
    reloading.abort();
    served.map_err(|error| Failure::Other(format!("serving failed: {error}")))
}

/// Binds what WebRTC calls arrive on, unless they are switched off: the port of HTTP, over UDP, when nothing is said.
fn sockets(config: &Config, listener: &Listener) -> Result<Option<webrtc::Sockets>, Failure> {
    if !config.webrtc.enabled {
        return Ok(None);
    }
    let bound = listener.address().and_then(|beside| webrtc::Sockets::bind(&config.webrtc, beside));
    let told = |error| {
        Failure::Other(format!(
            "no WebRTC calls can arrive: {error}; [webrtc] listen names another address, enabled = false does without"
        ))
    };
    bound.map(Some).map_err(told)
}

/// What a newcomer needs to talk to it: a link, a key, something to paste.
fn welcome(config: &Config, flags: &Flags, listener: &Listener, app: &App, page_key: Option<&Secret>) {
    let url = if config.server.public_url.is_empty() { listener.url() } else { config.server.url() };
    println!("voice-relay {} serves on {url}\n", env!("CARGO_PKG_VERSION"));
    if let Some(key) = page_key {
        // Behind the `#`, so that no browser sends it anywhere; the page takes it out of the address bar.
        println!("  open this to talk (the link is good for 12 hours):\n  {url}/#key={}\n", key.expose_secret());
    }
    let key = match app.made_key() {
        Some(key) => {
            println!("  admin key (shown once, keep it): {}\n", key.expose_secret());
            key.expose_secret()
        }
        None => {
            println!(
                "  key: the admin key you have, or a new one of `voice-relay keys create --name me{}`\n",
                same(flags)
            );
            "YOUR_KEY"
        }
    };
    let elsewhere = if url == DEFAULT { String::new() } else { format!(" --url {}", quoted(&url)) };
    println!(
        "  voice-relay talk samples/question.wav --out reply.wav{elsewhere}{}   # speak to it from here\n",
        same(flags)
    );
    println!("{}", SNIPPET.replace("URL", &url).replace("YOUR_KEY", key));
}

/// Where commands look for a relay when nothing is said.
const DEFAULT: &str = "http://127.0.0.1:8080";

/// The flags by which another command finds this relay's data.
fn same(flags: &Flags) -> String {
    let paths = [("--config", &flags.config), ("--data-dir", &flags.data_dir)];
    let given = paths.into_iter().filter_map(|(flag, path)| Some((flag, path.as_ref()?)));
    given.map(|(flag, path)| format!(" {flag} {}", quoted(&path.display().to_string()))).collect()
}

/// As a shell reads it back.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:[]".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A whole conversation through the official SDK, ready to paste.
const SNIPPET: &str = r#"  # or from Python, with the official SDK: pip install 'openai[realtime]'
from openai import OpenAI
client = OpenAI(base_url="URL/v1", api_key="YOUR_KEY")
with client.realtime.connect(model="gpt-realtime") as relay:
    relay.session.update(session={"type": "realtime", "output_modalities": ["text"]})
    words = [{"type": "input_text", "text": "What is 12 times 7?"}]
    relay.conversation.item.create(item={"type": "message", "role": "user", "content": words})
    relay.response.create()
    print(next(event.text for event in relay if event.type == "response.output_text.done"))
"#;

/// Says so where a model server runs on this machine; never uses it unasked.
async fn offer(config: Config) {
    if config.providers.llm.iter().any(|name| engines::server(name, &config).is_some()) {
        return;
    }
    let own: Vec<u16> =
        config.server.listen.rsplit(':').next().and_then(|port| port.parse().ok()).into_iter().collect();
    for found in openai::nearby(&own, LOOK).await {
        println!(
            "  {} answers on {}. To think with it: compatible.mine.base_url = \"{}\", providers.llm = [\"mine/MODEL\"], \
             where MODEL is one of {}",
            found.server,
            found.base_url,
            found.base_url,
            found.models.join(", ")
        );
    }
}

/// How long a model server on this machine may take to answer.
const LOOK: Duration = Duration::from_secs(1);

/// Reads the accounts again at each SIGHUP: keys from the configuration, the environment's files and systemd. Running
/// sessions go on, their next request with the new key. A configuration with a mistake changes nothing.
#[cfg(unix)]
async fn reload(flags: Flags, reloads: Reloads) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        match Config::load(&flags, &Environment) {
            Ok(config) => {
                reloads.apply(&config);
                tracing::info!("accounts were read again");
            }
            Err(problems) => {
                tracing::error!(%problems, "the configuration has mistakes; the accounts stay as they are")
            }
        }
    }
}

#[cfg(not(unix))]
async fn reload(_: Flags, _: Reloads) {}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_the_flags_by_which_it_finds_the_relays_data() {
        let flags = Flags {
            listen: Some("127.0.0.1:9000".into()),
            data_dir: Some("/tmp/it's here".into()),
            config: Some("relay.toml".into()),
        };
        assert_eq!(same(&flags), r" --config relay.toml --data-dir '/tmp/it'\''s here'");
        assert_eq!(same(&Flags::default()), "");
    }
}
