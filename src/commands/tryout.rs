//! `voice-relay check --live`: a vendor is asked whether it takes the key, an embedded engine does a small job.
//!
//! Neither costs anything.

use std::time::Duration;

use audio::{Clip, Frame, Framer};
use futures_util::{StreamExt, TryStreamExt, stream};
use providers::{
    ProviderError,
    embed::Purpose,
    llm::{Message, Prompt, Thought},
    stt::{SttOptions, Transcript},
    tts::{Clause, Speech, Voice},
};

use crate::{
    clock::Clock,
    config::Config,
    engines::{self, Engines},
    realtime::Providers,
    roster::Checkup,
};

/// Which chain an engine is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Stt,
    Llm,
    Tts,
    Turn,
    Realtime,
    Embed,
}

impl Place {
    /// As chains are called.
    const fn task(self) -> &'static str {
        match self {
            Self::Stt => "stt",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Turn => "turn",
            Self::Realtime => "realtime",
            Self::Embed => "embed",
        }
    }
}

/// Asks or tries the engine, and says in a few words what came of it.
pub(super) async fn live(name: &str, place: Place, config: &Config) -> Result<String, String> {
    match engines::checkup(name, place.task(), config) {
        Checkup::Asked { ask, .. } => ask().await.map(|()| "answers".to_owned()).map_err(|ailment| ailment.to_string()),
        Checkup::Embedded => match tokio::time::timeout(PATIENCE, job(name, place, config)).await {
            Ok(done) => done,
            Err(_) => Err(format!("has not finished a small job in {} s", PATIENCE.as_secs())),
        },
    }
}

/// A configuration in which the engine is alone in its chain, and scripted ones in the others.
pub(super) fn alone(name: &str, place: Place, config: &Config) -> Config {
    let mut alone = config.clone();
    let one = |mine: Place, stand_in: &str| vec![if mine == place { name.to_owned() } else { stand_in.to_owned() }];
    alone.providers.stt = one(Place::Stt, "scripted/stt");
    alone.providers.llm = one(Place::Llm, "scripted/llm");
    alone.providers.tts = one(Place::Tts, "scripted/tts");
    alone.providers.realtime = if place == Place::Realtime { vec![name.to_owned()] } else { Vec::new() };
    alone.routes.clear();
    alone.offered = engines::Offered::default();
    if place != Place::Turn {
        alone.providers.turn.clear();
    }
    if place != Place::Embed {
        alone.providers.embed.clear();
    }
    alone
}

async fn job(name: &str, place: Place, config: &Config) -> Result<String, String> {
    let told = |error: ProviderError| error.to_string();
    let mut alone = alone(name, place, config);
    let voice = config.providers.tts.iter().find(|name| name.starts_with("local/"));
    if let (Place::Stt, Some(voice)) = (place, voice) {
        alone.providers.tts = vec![voice.clone()];
    }
    let engines = Engines::load(&alone, &Clock::system()).await.map_err(told)?;
    let providers = engines.providers;
    match place {
        Place::Embed => {
            let model = engines.embedder.ok_or_else(|| "is not loaded".to_owned())?;
            let found = model.embed(vec![WORDS.to_owned()], Purpose::Question).await.map_err(told)?;
            let numbers = found.vectors.first().map_or(0, Vec::len);
            if numbers > 0 {
                Ok(format!("makes vectors of {numbers} numbers"))
            } else {
                Err("makes no vector".to_owned())
            }
        }
        Place::Turn | Place::Realtime => Ok("loads".to_owned()),
        Place::Tts => {
            let clips = speak(&providers).await.map_err(told)?;
            let length: Duration = clips.iter().map(Clip::duration).sum();
            match length.is_zero() {
                true => Err(format!("says nothing for \"{WORDS}\"")),
                false => Ok(format!("says \"{WORDS}\" in {} ms of sound", length.as_millis())),
            }
        }
        Place::Stt => {
            let sound = if voice.is_some() { speak(&providers).await.map_err(told)? } else { Vec::new() };
            let text = transcribe(&providers, sound).await.map_err(told)?;
            match (voice, text.is_empty()) {
                (None, _) => Ok("listens; there is no embedded voice to test what it understands".to_owned()),
                (Some(voice), true) => Err(format!("understands nothing of \"{WORDS}\" as {voice} says it")),
                (Some(voice), false) => Ok(format!("understands \"{text}\" where {voice} says \"{WORDS}\"")),
            }
        }
        Place::Llm => {
            let prompt = Prompt { messages: vec![Message::User(QUESTION.into())], ..Prompt::default() };
            let thoughts: Vec<_> =
                providers.llm.reply(prompt).await.map_err(told)?.try_collect().await.map_err(told)?;
            let words = |thought: &Thought| if let Thought::Text(text) = thought { Some(text.clone()) } else { None };
            let text: String = thoughts.iter().filter_map(words).collect();
            if text.is_empty() { Err("answers nothing".to_owned()) } else { Ok(format!("answers \"{text}\"")) }
        }
    }
}

async fn speak(providers: &Providers) -> Result<Vec<Clip>, ProviderError> {
    let voice = Voice { name: String::new(), language: None, speed: 1.0 };
    let clauses = stream::iter([Clause { id: 0, text: WORDS.into() }]).boxed();
    let speech: Vec<_> = providers.tts.speak(voice, clauses).await?.try_collect().await?;
    let clips = speech.into_iter().filter_map(|speech| match speech {
        Speech::Audio { clip, .. } => Some(clip),
        Speech::Word { .. } | Speech::ClauseDone { .. } => None,
    });
    Ok(clips.collect())
}

/// What is understood of this sound, with some silence after it.
async fn transcribe(providers: &Providers, sound: Vec<Clip>) -> Result<String, ProviderError> {
    let frames = stream::iter(cut(sound)).boxed();
    let transcripts: Vec<_> = providers.stt.transcribe(SttOptions::default(), frames).await?.try_collect().await?;
    let last = transcripts.into_iter().rev().find_map(|transcript| match transcript {
        Transcript::Final(last) => Some(last.text),
        Transcript::Partial { .. } => None,
    });
    Ok(last.unwrap_or_default())
}

fn cut(sound: Vec<Clip>) -> Vec<Frame> {
    let (mut framer, mut frames) = (Framer::new(), Vec::new());
    for clip in sound {
        // Every rate that an engine speaks at can be resampled; what could not would be told as not understood.
        let Ok(clip) = clip.resampled(Frame::RATE) else { continue };
        framer.push(&clip.samples, |_, frame| frames.push(*frame));
    }
    framer.flush(|_, frame| frames.push(*frame));
    frames.extend([Frame::SILENCE; 25]);
    frames
}

/// Short, and hard to mishear.
const WORDS: &str = "Good morning, how are you?";
const QUESTION: &str = "What is 12 times 7?";
/// Longer than the smallest machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn engines_of_this_process_do_a_small_job() {
        let config = Config::default();
        let spoken = live("scripted/tts", Place::Tts, &config).await.unwrap();
        assert!(spoken.starts_with("says \"Good morning"), "{spoken}");
        let answered = live("local/agent", Place::Llm, &config).await.unwrap();
        assert!(answered.contains("84"), "{answered}");
    }

    #[tokio::test]
    async fn a_vendor_is_asked_and_what_ails_it_is_told_in_a_few_words() {
        let mut config = Config::default();
        assert_eq!(live("deepgram/nova-3", Place::Stt, &config).await, Err("key missing".to_owned()));
        config.deepgram.api_key = "planted".to_owned().into();
        config.deepgram.base_url = "http://127.0.0.1:1".to_owned();
        assert_eq!(live("deepgram/nova-3", Place::Stt, &config).await, Err("unreachable".to_owned()));
    }
}
