//! Language models of vendors, each against a server on loopback that speaks its documented wire, and misbehaves.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt};
use providers::{
    ErrorKind, LanguageModel, ProviderError, anthropic, azure, deepseek, gemini,
    layers::{Timed, Timeouts},
    llm::Thought,
    openai,
};
use tokio::time::timeout;

use super::{
    LIMITS,
    models::prompt,
    nobody, settled,
    stage::{KEY, REFUSALS},
    tasks,
};
use crate::support::{FLOOD, Server, Step, answer, at_once, events};

/// One adapter, and what its vendor answers.
pub(crate) struct Vendor {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) calls: &'static str,
    /// One more event of text, to be sent without end.
    word: &'static str,
    build: fn(base_url: String) -> Arc<dyn LanguageModel>,
}

pub(crate) const VENDORS: [Vendor; 7] = [
    Vendor {
        name: "openai",
        text: include_str!("../../exchanges/openai/openai-text.sse"),
        calls: include_str!("../../exchanges/openai/openai-calls.sse"),
        word: CHAT_WORD,
        build: |base_url| {
            let config = openai::Config { base_url, key: Some(KEY.into()), ..openai::Config::default() };
            Arc::new(openai::LanguageModel::new("test/model", "m", Arc::new(config)))
        },
    },
    Vendor {
        name: "openai responses",
        text: include_str!("../../exchanges/openai/responses-text.sse"),
        calls: include_str!("../../exchanges/openai/responses-calls.sse"),
        word: "data: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"word\"}\n\n",
        build: |base_url| {
            let api = openai::Api::Responses;
            let config = openai::Config { base_url, key: Some(KEY.into()), api, ..openai::Config::default() };
            Arc::new(openai::LanguageModel::new("test/model", "m", Arc::new(config)))
        },
    },
    Vendor {
        name: "anthropic",
        text: include_str!("../../exchanges/anthropic/text.sse"),
        calls: include_str!("../../exchanges/anthropic/calls.sse"),
        word: "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"word\"}}\n\n",
        build: |base_url| {
            let config = anthropic::Config { base_url, key: Some(KEY.into()), ..anthropic::Config::default() };
            Arc::new(anthropic::LanguageModel::new("test/model", "m", Arc::new(config)))
        },
    },
    Vendor {
        name: "gemini",
        text: include_str!("../../exchanges/gemini/text.sse"),
        calls: include_str!("../../exchanges/gemini/calls.sse"),
        word: "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"word\"}]}}]}\r\n\r\n",
        build: |base_url| {
            let config = gemini::Config { base_url, key: Some(KEY.into()), ..gemini::Config::default() };
            Arc::new(gemini::LanguageModel::new("test/model", "m", Arc::new(config)))
        },
    },
    Vendor {
        name: "deepseek",
        text: include_str!("../../exchanges/deepseek/text.sse"),
        calls: include_str!("../../exchanges/deepseek/calls.sse"),
        word: CHAT_WORD,
        build: |base_url| {
            let config = deepseek::Config { base_url, key: Some(KEY.into()), thinking: true };
            Arc::new(deepseek::LanguageModel::new("test/model", "m", Arc::new(config)))
        },
    },
    Vendor {
        name: "azure",
        text: include_str!("../../exchanges/azure/text.sse"),
        calls: include_str!("../../exchanges/openai/openai-calls.sse"),
        word: CHAT_WORD,
        build: |base_url| {
            let config = azure::llm::Config { base_url, key: Some(KEY.into()), ..azure::llm::Config::default() };
            Arc::new(azure::LanguageModel::new("test/model", "m", Arc::new(config)))
        },
    },
    Vendor {
        name: "azure classic",
        text: include_str!("../../exchanges/azure/asynchronous.sse"),
        calls: include_str!("../../exchanges/openai/openai-calls.sse"),
        word: CHAT_WORD,
        build: |base_url| {
            let api_version = Some("2024-10-21".into());
            let key = Some(KEY.into());
            let config = azure::llm::Config { base_url, key, api_version, ..azure::llm::Config::default() };
            Arc::new(azure::LanguageModel::new("test/model", "m", Arc::new(config)))
        },
    },
];

const CHAT_WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n";

impl Vendor {
    /// The adapter, and a server that gives this answer each time.
    pub(crate) async fn answering(&self, exchange: &str) -> (Arc<dyn LanguageModel>, Server) {
        self.at(vec![events(exchange)]).await
    }

    async fn at(&self, answers: Vec<Vec<Step>>) -> (Arc<dyn LanguageModel>, Server) {
        let server = Server::start(answers).await;
        ((self.build)(server.base_url.clone()), server)
    }
}

type Reply = Result<Vec<Result<Thought, ProviderError>>, ProviderError>;

async fn ask(model: &dyn LanguageModel) -> Reply {
    Ok(model.reply(prompt()).await?.collect().await)
}

async fn whole(vendor: &Vendor, exchange: &str) -> Vec<Thought> {
    let (model, _server) = vendor.answering(exchange).await;
    ask(&*model).await.unwrap().into_iter().map(Result::unwrap).collect()
}

/// What was given before the error that ended the reply, or all of it.
fn ending(name: &str, reply: Reply) -> (Vec<Thought>, Option<ProviderError>) {
    let mut thoughts = reply.unwrap_or_else(|error| vec![Err(error)]);
    let error = thoughts.pop_if(|last| last.is_err()).map(Result::unwrap_err);
    (
        thoughts.into_iter().map(|thought| thought.unwrap_or_else(|_| panic!("{name}: one error, and last"))).collect(),
        error,
    )
}

#[tokio::test]
async fn bytes_may_come_in_any_pieces() {
    for vendor in VENDORS {
        let expected = whole(&vendor, vendor.text).await;
        for size in [1, 7, 100] {
            let whole = events(vendor.text);
            let Step::Send(bytes) = &whole[0] else { panic!() };
            let steps = bytes.chunks(size).map(|piece| Step::Send(piece.to_vec())).collect();
            let (model, _server) = vendor.at(vec![steps]).await;
            let (thoughts, error) = ending(vendor.name, ask(&*model).await);
            assert_eq!((thoughts, error), (expected.clone(), None), "{} in pieces of {size}", vendor.name);
        }
    }
}

#[tokio::test]
async fn dropping_a_reply_lets_go_of_the_vendor_at_once() {
    for vendor in VENDORS {
        for held in [vec![Step::Hang], vec![Step::Drip]] {
            let steps = [events(vendor.word), held].concat();
            let (model, mut server) = vendor.at(vec![steps]).await;
            let mut thoughts = model.reply(prompt()).await.unwrap();
            assert_eq!(thoughts.next().await.unwrap(), Ok(Thought::Text("word".into())), "{}", vendor.name);
            drop(thoughts);
            assert_eq!(at_once(server.left.recv()).await, Some(()), "{}", vendor.name);
        }
        // Also while it has not answered at all.
        let (model, mut server) = vendor.at(vec![vec![Step::Hang]]).await;
        assert!(timeout(Duration::from_millis(50), model.reply(prompt())).await.is_err());
        assert_eq!(at_once(server.left.recv()).await, Some(()), "{}", vendor.name);
    }
}

#[tokio::test]
async fn a_slow_listener_holds_the_vendor_back() {
    for vendor in VENDORS {
        let flood = Step::Flood(vendor.word.repeat(1_000).into_bytes());
        let (model, mut server) = vendor.at(vec![[events(""), vec![flood]].concat()]).await;
        let mut thoughts = model.reply(prompt()).await.unwrap();
        assert!(thoughts.next().await.unwrap().is_ok(), "{}", vendor.name);
        let taken = server.taken.recv().await.unwrap();
        assert!(taken < FLOOD / 2, "{}: {taken} bytes were taken unread", vendor.name);
        drop(thoughts);
        server.left.recv().await.unwrap();
    }
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    let body = format!(r#"{{"error":{{"message":"Not with {KEY}, friend."}}}}"#);
    for vendor in VENDORS {
        for (status, kind) in REFUSALS {
            let headers = "retry-after: 7\r\nlocation: http://127.0.0.1:1/elsewhere\r\n";
            for body in [body.as_str(), "<html>oops</html>"] {
                let (model, _server) = vendor.at(vec![answer(status, headers, body)]).await;
                let error = ask(&*model).await.unwrap_err();
                assert_eq!((error.kind, &*error.provider), (kind, "test/model"), "{} {status}", vendor.name);
                assert_eq!(error.retry_after, Some(Duration::from_secs(7)), "{} {status}", vendor.name);
                assert!(error.detail.contains(&status[..3]), "{}: {error}", vendor.name);
                assert!(!format!("{error:?}").contains(KEY), "{}: {error}", vendor.name);
            }
        }
    }
}

#[tokio::test]
async fn broken_answers_end_in_one_error_of_the_protocol() {
    for vendor in VENDORS {
        let half = &vendor.word[..vendor.word.len() / 2];
        for (what, steps) in [
            ("garbage", events(format!("{}data: <garbage>\n\n", vendor.word))),
            ("an end in the midst", events([vendor.word, half].concat())),
            ("a line without end", events(vec![b'x'; 2 << 20])),
            ("nothing", events("")),
            ("a page", answer("200 OK", "content-type: text/html\r\n", "<html></html>")),
            ("other JSON", answer("200 OK", "content-type: application/json\r\n", "[1]")),
        ] {
            let (model, _server) = vendor.at(vec![steps]).await;
            let (_, error) = ending(vendor.name, ask(&*model).await);
            assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Protocol), "{}: {what}", vendor.name);
        }
    }
}

#[tokio::test]
async fn a_reset_after_any_message_costs_no_word_before_it() {
    for vendor in VENDORS {
        for exchange in [vendor.text, vendor.calls] {
            let expected = whole(&vendor, exchange).await;
            let boundaries = exchange.match_indices("\n\n").chain(exchange.match_indices("\n\r\n"));
            for (at, blank) in boundaries {
                let steps = [events(&exchange[..at + blank.len()]), vec![Step::Reset]].concat();
                let (model, _server) = vendor.at(vec![steps]).await;
                let (thoughts, error) = ending(vendor.name, ask(&*model).await);
                let name = vendor.name;
                match error {
                    // A vendor that has said why it ends may go without its counts.
                    None => assert!(matches!(thoughts.last(), Some(Thought::Finished(_))), "{name} at {at}"),
                    Some(error) => {
                        assert!(matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Protocol), "{name}: {error}");
                        assert_eq!(described(&thoughts), described(&expected[..thoughts.len()]), "{name} at {at}");
                    }
                }
            }
        }
    }
}

/// Without ids, which are made up where the vendor gives none.
fn described(thoughts: &[Thought]) -> Vec<Thought> {
    let strip = |thought: &Thought| match thought {
        Thought::CallStarted { name, .. } => Thought::CallStarted { call: String::new(), name: name.clone() },
        Thought::Text(_)
        | Thought::Cited(_)
        | Thought::Acted(_)
        | Thought::CallArguments(_)
        | Thought::CallDone
        | Thought::Usage(_)
        | Thought::Finished(_) => thought.clone(),
    };
    thoughts.iter().map(strip).collect()
}

#[tokio::test]
async fn silence_and_dripping_are_given_up_and_let_go() {
    let soon = Duration::from_millis(60);
    for vendor in VENDORS {
        for (what, steps, timeouts) in [
            ("half-open", vec![Step::Hang], Timeouts { open: soon, ..LIMITS }),
            ("dripping head", vec![Step::Drip], Timeouts { open: soon, ..LIMITS }),
            ("silent", [events(""), vec![Step::Hang]].concat(), Timeouts { first: soon, ..LIMITS }),
            ("dripping", [events(""), vec![Step::Drip]].concat(), Timeouts { first: soon, ..LIMITS }),
            ("silent midway", [events(vendor.word), vec![Step::Hang]].concat(), Timeouts { idle: soon, ..LIMITS }),
            ("dripping midway", [events(vendor.word), vec![Step::Drip]].concat(), Timeouts { idle: soon, ..LIMITS }),
        ] {
            let (model, mut server) = vendor.at(vec![steps]).await;
            let timed = Timed::<dyn LanguageModel>::new("timed", timeouts, model);
            let (_, error) = ending(vendor.name, ask(&timed).await);
            let kind = error.map(|error| error.kind);
            // A head that is no HTTP is noticed sooner.
            let noticed = what == "dripping head" && kind == Some(ErrorKind::Unavailable);
            assert!(kind == Some(ErrorKind::Timeout) || noticed, "{}: {what}: {kind:?}", vendor.name);
            timeout(Duration::from_secs(5), server.left.recv()).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_unavailable() {
    let base_url = nobody().await;
    for vendor in VENDORS {
        let error = ask(&*(vendor.build)(base_url.clone())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{}", vendor.name);
        let error = ask(&*(vendor.build)("nonsense".into())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{}", vendor.name);
    }
}

#[tokio::test]
async fn nothing_is_left_behind() {
    for vendor in VENDORS {
        let (model, mut server) = vendor.at(vec![[events(vendor.word), vec![Step::Hang]].concat()]).await;
        let before = tasks();
        for _ in 0..10 {
            let mut replies = Vec::new();
            for _ in 0..3 {
                let mut reply = model.reply(prompt()).await.unwrap();
                assert!(reply.next().await.unwrap().is_ok() && reply.next().now_or_never().is_none());
                replies.push(reply);
            }
            drop(replies);
            for _ in 0..3 {
                server.left.recv().await.unwrap();
            }
        }
        settled(vendor.name, before).await;
    }
}
