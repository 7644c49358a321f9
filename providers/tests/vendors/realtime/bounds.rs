//! Where a conversation ends: vendors that are not there, do not answer or do not read, and what is left of it.

use std::time::Duration;

use audio::Frame;
use providers::{
    ErrorKind, RealtimeModel,
    layers::{Timed, Timeouts},
    realtime::Command,
};
use tokio::{net::TcpListener, time::timeout};

use super::{
    server::{FLOOD, Mood, Server, Vendor},
    suite::model,
    talk::{Talk, respond, words},
};
use crate::support::{self, Step};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_vendor_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for vendor in Vendor::ALL {
        for (base_url, kind) in [(nowhere.as_str(), ErrorKind::Unavailable), ("nonsense", ErrorKind::Rejected)] {
            let error = timeout(SOON, Talk::open(&*model(vendor, base_url))).await.unwrap().err().unwrap();
            assert_eq!(error.kind, kind, "{vendor:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_answered_is_given_up_and_let_go() {
    let limit = Duration::from_millis(60);
    let timeouts = Timeouts { open: limit, first: limit, idle: limit };
    for vendor in Vendor::ALL {
        let half = Step::Send(b"HTTP/1.1 101 Switching Protocols\r\nx-slow: ".into());
        for steps in [vec![Step::Hang], vec![half, Step::Drip]] {
            let mut server = support::Server::start(vec![steps]).await;
            let base_url = server.base_url.trim_end_matches("/v1");
            let timed = Timed::<dyn RealtimeModel>::new("timed", timeouts, model(vendor, base_url));
            let error = timeout(SOON, Talk::open(&timed)).await.unwrap().err().unwrap();
            assert_eq!(error.kind, ErrorKind::Timeout, "{vendor:?}");
            assert_eq!(timeout(SOON, server.left.recv()).await, Ok(Some(())), "{vendor:?}: it is still there");
        }
    }
}

#[tokio::test]
async fn a_vendor_that_does_not_read_holds_the_speaker_back_and_is_still_heard() {
    for vendor in Vendor::ALL {
        let server = Server::start(vendor, Mood::Deaf).await;
        let mut talk = Talk::open(&*model(vendor, &server.base_url)).await.unwrap();
        speak(&talk).await;
        let mut taken = 0;
        while timeout(Duration::from_millis(200), talk.commands.send(Command::Hear(Frame::SILENCE))).await.is_ok() {
            taken += 1;
            assert!(taken < FLOOD / 640, "{vendor:?}: sound is taken although nobody reads it");
        }
        let reply = timeout(SOON, talk.reply(1)).await.unwrap().unwrap();
        assert_eq!(words(&reply), "Hello there.", "{vendor:?}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_conversations() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for vendor in Vendor::ALL {
        let mut server = Server::start(vendor, Mood::Well).await;
        let model = model(vendor, &server.base_url);
        let before = tasks();
        for round in 0..20 {
            let mut talk = Talk::open(&*model).await.unwrap();
            if round % 3 > 0 {
                speak(&talk).await;
                timeout(SOON, talk.next()).await.unwrap().unwrap();
            }
            if round % 3 > 1 {
                timeout(SOON, talk.reply(1)).await.unwrap().unwrap();
            }
            drop(talk);
            timeout(SOON, server.left.recv()).await.unwrap().unwrap();
        }
        let settled = async {
            while tasks() > before {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(SOON, settled).await.is_ok(), "{vendor:?}: {} tasks where {before} were", tasks());
    }
}

/// A word, and a reply to it is wanted.
async fn speak(talk: &Talk) {
    talk.tell(Command::Hear(Frame::SILENCE)).await;
    talk.tell(Command::Commit).await;
    talk.tell(respond(1)).await;
}
