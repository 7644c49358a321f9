//! What every speech-to-speech adapter does, against a server that plays its vendor's documented messages.

use std::{sync::Arc, time::Duration};

use audio::Frame;
use providers::{
    ErrorKind, RealtimeModel, azure, gemini,
    layers::{Timed, Timeouts},
    llm::{Finish, Thought},
    openai,
    realtime::{Command, Step},
    scripted::{self, RealtimeScript, Reply},
};
use tokio::time::timeout;

use super::{
    server::{FLOOD, Mood, Server, Vendor},
    talk::{Talk, is_last, respond, say, words},
};

const KEY: &str = "very-secret-key";
const SOON: Duration = Duration::from_secs(10);

/// The vendor's adapter, pointed there.
pub(crate) fn model(vendor: Vendor, base_url: &str) -> Arc<dyn RealtimeModel> {
    let key = Some(KEY.into());
    let openai = |dialect| openai::realtime::Settings { dialect, ..openai::realtime::Settings::default() };
    match vendor {
        Vendor::OpenAi | Vendor::OpenAiBeta => {
            let dialect =
                if vendor == Vendor::OpenAi { openai::realtime::Dialect::Ga } else { openai::realtime::Dialect::Beta };
            let config = openai::Config { base_url: format!("{base_url}/v1"), key, ..openai::Config::default() };
            Arc::new(openai::RealtimeModel::new("openai/gpt-realtime", "gpt-realtime", config.into(), openai(dialect)))
        }
        Vendor::Azure => {
            let config = azure::llm::Config { base_url: base_url.to_owned(), key, ..azure::llm::Config::default() };
            let settings = openai(openai::realtime::Dialect::Ga);
            Arc::new(azure::RealtimeModel::new("azure/my-realtime", "my-realtime", config.into(), settings))
        }
        Vendor::Gemini | Vendor::GeminiOlder => {
            let config = gemini::Config { base_url: format!("{base_url}/v1beta"), key, ..gemini::Config::default() };
            let realtime_text = vendor == Vendor::Gemini;
            let settings = gemini::live::Settings { realtime_text, ..gemini::live::Settings::default() };
            Arc::new(gemini::RealtimeModel::new("gemini/gemini-live", "gemini-live", config.into(), settings))
        }
    }
}

async fn open(vendor: Vendor, mood: Mood) -> (Server, Talk) {
    let server = Server::start(vendor, mood).await;
    let talk = Talk::open(&*model(vendor, &server.base_url)).await.unwrap();
    (server, talk)
}

/// One utterance, and a reply to it is wanted.
async fn speak(talk: &Talk, reply: u64) {
    for _ in 0..10 {
        talk.tell(Command::Hear(Frame([9; Frame::SAMPLES]))).await;
    }
    talk.tell(Command::Commit).await;
    talk.tell(respond(reply)).await;
}

fn samples(steps: &[Step]) -> Vec<i16> {
    let clips = steps.iter().filter_map(|step| match step {
        Step::Sound(clip) => Some(clip.samples.clone()),
        Step::Thought(_) | Step::Failed(_) => None,
    });
    clips.flatten().collect()
}

#[tokio::test]
async fn replies_have_words_sound_cost_and_an_end_one_after_the_other() {
    for vendor in Vendor::ALL {
        let (_server, mut talk) = open(vendor, Mood::Well).await;
        for reply in [3, 4, 9] {
            speak(&talk, reply).await;
            let steps = timeout(SOON, talk.reply(reply)).await.unwrap().unwrap();
            assert_eq!(words(&steps), "Hello there.", "{vendor:?}");
            assert_eq!(samples(&steps), (1..=10).collect::<Vec<i16>>(), "{vendor:?}");
            let [.., Step::Thought(Thought::Usage(usage)), Step::Thought(Thought::Finished(Finish::Stop))] = &steps[..]
            else {
                panic!("{vendor:?}: {steps:?}")
            };
            assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (132, 64, 121), "{vendor:?}");
        }
    }
}

#[tokio::test]
async fn typed_words_are_answered_as_spoken_ones_are() {
    for vendor in Vendor::ALL {
        let (_server, mut talk) = open(vendor, Mood::Well).await;
        talk.tell(say("Hello?")).await;
        talk.tell(respond(1)).await;
        assert_eq!(words(&timeout(SOON, talk.reply(1)).await.unwrap().unwrap()), "Hello there.", "{vendor:?}");
    }
}

#[tokio::test]
async fn nothing_of_a_cancelled_reply_comes_after_the_next_was_asked_for() {
    let scripted = RealtimeScript { every: Reply::Text("Hello there.".into()), ..RealtimeScript::default() };
    let scripted: Arc<dyn RealtimeModel> = Arc::new(scripted::RealtimeModel::new(scripted));
    let mut cases = vec![("scripted".to_owned(), scripted, None)];
    for vendor in Vendor::ALL {
        let server = Server::start(vendor, Mood::Well).await;
        cases.push((format!("{vendor:?}"), model(vendor, &server.base_url), Some(server)));
    }
    for (name, model, _server) in cases {
        let mut talk = Talk::open(&*model).await.unwrap();
        speak(&talk, 1).await;
        assert_eq!(timeout(SOON, talk.next()).await.unwrap().unwrap().reply, 1);
        talk.tell(Command::Cancel).await;
        talk.tell(Command::Truncate(Duration::ZERO)).await;
        speak(&talk, 2).await;
        let mut replies = Vec::new();
        loop {
            let event = timeout(SOON, talk.next()).await.unwrap().unwrap();
            replies.push(event.reply);
            if event.reply == 2 && is_last(&event.step) {
                break;
            }
        }
        let first = replies.iter().position(|reply| *reply == 2).unwrap();
        assert!(replies[first..].iter().all(|reply| *reply == 2), "{name}: {replies:?}");
    }
}

#[tokio::test]
async fn dropping_a_conversation_closes_its_connection_at_once() {
    for vendor in Vendor::ALL {
        for replying in [false, true] {
            let (mut server, mut talk) = open(vendor, Mood::Well).await;
            if replying {
                speak(&talk, 1).await;
                timeout(SOON, talk.next()).await.unwrap().unwrap();
            }
            drop(talk);
            assert!(timeout(Duration::from_millis(50), server.left.recv()).await.is_ok(), "{vendor:?} {replying}");
        }
    }
}

#[tokio::test]
async fn the_end_of_the_commands_hangs_up_without_an_error() {
    for vendor in Vendor::ALL {
        let (mut server, talk) = open(vendor, Mood::Well).await;
        let Talk { commands, mut events } = talk;
        drop(commands);
        let rest = timeout(SOON, futures_util::StreamExt::next(&mut events)).await.unwrap();
        assert!(rest.is_none(), "{vendor:?}: {rest:?}");
        drop(events);
        assert!(timeout(SOON, server.left.recv()).await.is_ok());
    }
}

#[tokio::test]
async fn a_vendor_that_speaks_without_end_is_held_back() {
    for vendor in Vendor::ALL {
        let (mut server, mut talk) = open(vendor, Mood::Flood).await;
        speak(&talk, 1).await;
        timeout(SOON, talk.next()).await.unwrap().unwrap();
        let taken = timeout(Duration::from_secs(60), server.taken.recv()).await.unwrap().unwrap();
        assert!(taken < FLOOD / 2, "{vendor:?}: {taken} bytes were taken though nobody listens");
    }
}

#[tokio::test]
async fn what_is_told_goes_out_although_nobody_reads_a_reply() {
    for vendor in Vendor::ALL {
        let (server, talk) = open(vendor, Mood::Well).await;
        speak(&talk, 1).await;
        let before = server.heard(3).await.len();
        tokio::time::sleep(Duration::from_millis(50)).await;
        talk.tell(Command::Cancel).await;
        for _ in 0..20 {
            talk.tell(Command::Hear(Frame::SILENCE)).await;
        }
        server.heard(before + 20).await;
    }
}

#[tokio::test]
async fn a_reset_at_any_message_ends_in_one_error() {
    for vendor in Vendor::ALL {
        for after in 0..vendor.messages() {
            let server = Server::start(vendor, Mood::Reset(after)).await;
            let error = fate(&server, vendor).await;
            assert_eq!(error, Some(ErrorKind::Unavailable), "{vendor:?} after {after}");
        }
    }
}

/// How a conversation of one reply fails.
async fn fate(server: &Server, vendor: Vendor) -> Option<ErrorKind> {
    let mut talk = match timeout(SOON, Talk::open(&*model(vendor, &server.base_url))).await.unwrap() {
        Ok(talk) => talk,
        Err(error) => return Some(error.kind),
    };
    speak(&talk, 1).await;
    loop {
        match timeout(SOON, futures_util::StreamExt::next(&mut talk.events)).await.unwrap() {
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let after = timeout(SOON, futures_util::StreamExt::next(&mut talk.events)).await.unwrap();
                assert!(after.is_none(), "{vendor:?}: {after:?} after {error}");
                return Some(error.kind);
            }
            None => return None,
        }
    }
}

#[tokio::test]
async fn what_is_no_message_ends_in_one_error() {
    for vendor in Vendor::ALL {
        for after in 0..vendor.messages() {
            for garbled in ["{\"half", "[]", ""] {
                let server = Server::start(vendor, Mood::Garbled(after, garbled)).await;
                assert_eq!(fate(&server, vendor).await, Some(ErrorKind::Protocol), "{vendor:?} after {after}");
            }
        }
    }
}

#[tokio::test]
async fn goodbyes_are_failures_whose_reasons_are_told() {
    for vendor in Vendor::ALL {
        let mut cases = vec![(0, 1011, "Internal error.", ErrorKind::Unavailable)];
        cases.push((vendor.messages() - 1, 1001, "Going away", ErrorKind::Unavailable));
        cases.push(match vendor {
            Vendor::Gemini | Vendor::GeminiOlder => {
                (0, 1007, "API key not valid. Please pass a valid API key.", ErrorKind::Unauthorized)
            }
            Vendor::OpenAi | Vendor::OpenAiBeta | Vendor::Azure => {
                (0, 3000, "invalid_request_error.invalid_api_key", ErrorKind::Unauthorized)
            }
        });
        for (after, code, reason, kind) in cases {
            let server = Server::start(vendor, Mood::Close(after, code, reason)).await;
            assert_eq!(fate(&server, vendor).await, Some(kind), "{vendor:?} {code}");
        }
    }
}

#[tokio::test]
async fn refused_handshakes_have_the_kind_of_their_status_and_tell_no_key() {
    let body = r#"{"error":{"message":"you and your very-secret-key","type":"x"}}"#;
    for (status, headers, kind, wait) in [
        ("401 Unauthorized", "", ErrorKind::Unauthorized, None),
        ("403 Forbidden", "", ErrorKind::Unauthorized, None),
        ("404 Not Found", "", ErrorKind::Rejected, None),
        ("408 Request Timeout", "", ErrorKind::Timeout, None),
        ("429 Too Many Requests", "retry-after: 7\r\n", ErrorKind::RateLimited, Some(Duration::from_secs(7))),
        ("500 Internal Server Error", "", ErrorKind::Unavailable, None),
        ("503 Service Unavailable", "", ErrorKind::Unavailable, None),
    ] {
        let base_url = Server::refusing(status, headers, body).await;
        for vendor in Vendor::ALL {
            let error = Talk::open(&*model(vendor, &base_url)).await.err().unwrap();
            assert_eq!((error.kind, error.retry_after), (kind, wait), "{vendor:?} {status}");
            assert!(!error.to_string().contains(KEY), "{error}");
        }
    }
}

#[tokio::test]
async fn a_vendor_that_falls_silent_is_given_up_in_time() {
    let limit = Duration::from_millis(200);
    let timeouts = Timeouts { open: limit, first: limit, idle: limit };
    for vendor in Vendor::ALL {
        for after in [0, vendor.messages() - 2] {
            let server = Server::start(vendor, Mood::Mute(after)).await;
            let timed = Timed::<dyn RealtimeModel>::new("timed", timeouts, model(vendor, &server.base_url));
            let failed = async {
                let mut talk = Talk::open(&timed).await?;
                speak(&talk, 1).await;
                talk.reply(1).await
            };
            let error = timeout(SOON, failed).await.unwrap().unwrap_err();
            assert_eq!(error.kind, ErrorKind::Timeout, "{vendor:?} after {after}");
        }
    }
}
