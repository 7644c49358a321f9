//! A relay that takes calls, with providers that say what they are told.

use std::{net::SocketAddr, sync::Arc};

use providers::scripted::{LanguageModel, LlmScript, SpeechToText, SttScript, TextToSpeech, TtsScript};
use voice_relay::{
    clock::Clock,
    realtime::{
        Calls, Config,
        admission::Admission,
        webrtc::{self, Sockets},
    },
    rest::Context,
};

use crate::server::Server;

/// What the providers say, and how the relay is tuned.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) stt: SttScript,
    pub(crate) llm: LlmScript,
    pub(crate) tts: TtsScript,
    pub(crate) config: Config,
    pub(crate) webrtc: webrtc::Config,
}

/// A relay on loopback.
pub(crate) async fn relay(script: Script) -> Server {
    relay_with(script, |_| ()).await
}

/// A relay on loopback, with a context changed by `change`.
pub(crate) async fn relay_with(script: Script, change: impl FnOnce(&mut Context)) -> Server {
    Server::with(|context| {
        set(context, script);
        change(context);
    })
    .await
}

fn set(context: &mut Context, script: Script) {
    let loopback: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let clock = Clock::system();
    let sockets = Sockets::bind(&script.webrtc, loopback).unwrap();
    context.calls = Some(Calls::open(sockets, &clock).unwrap());
    context.turn = script.webrtc.turn;
    context.engine.admission = Admission::new(script.config.sessions, script.config.sessions_per_principal);
    context.engine.config = script.config;
    context.engine.clock = clock;
    context.providers.stt = Arc::new(SpeechToText::new(script.stt));
    context.providers.llm = Arc::new(LanguageModel::new(script.llm));
    context.providers.tts = Arc::new(TextToSpeech::new(script.tts));
}
