//! A second controller of a session: who may be one, and that nothing it does or fails to do hurts the session.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    live::{Socket, dial, next, owner, refused, send},
    secrets::secret,
    server::Server,
};

/// A session over WebSocket, and what a controller calls it.
async fn session(server: &Server) -> (Socket, String) {
    let mut client = owner(server, "?model=gpt-realtime").await;
    let created = next(&mut client, "session.created").await;
    let query = format!("?call_id={}", created["session"]["id"].as_str().unwrap());
    (client, query)
}

/// Reads to the goodbye and returns its code.
async fn goodbye(socket: &mut Socket) -> u16 {
    let ending = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 1006,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ending).await.expect("it ends")
}

fn typed(text: &str) -> Value {
    let content = json!([{"type": "input_text", "text": text}]);
    json!({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}})
}

#[tokio::test]
async fn a_key_controls_its_own_calls_an_admin_all_and_a_client_secret_none() {
    let server = Server::start().await;
    let (_client, query) = session(&server).await;
    let bearer = |key: &str| format!("Bearer {key}");
    let admin = bearer(&server.key);
    let (_, stranger) = server.stranger().await;
    let (stranger, own) = (bearer(&stranger), bearer(&server.api_key("realtime").await));
    let secret = bearer(&secret(&server, json!({})).await);
    for (key, query, expected) in [
        (&stranger, query.as_str(), (404, "call_not_found")),
        (&secret, &query, (403, "insufficient_scope")),
        (&admin, "?call_id=rtc_0190b0a0000070008000000000000000", (404, "call_not_found")),
        (&admin, "?call_id=nonsense", (404, "call_not_found")),
    ] {
        let (status, code) = refused(&server, query, &[("authorization", key.as_str())]).await;
        assert_eq!((status, code.as_str()), expected, "{query}");
    }
    for key in [&own, &admin] {
        let (mut controller, _) = dial(&server, &query, &[("authorization", key.as_str())]).await.unwrap();
        next(&mut controller, "session.created").await;
    }

    let theirs = [("authorization", stranger.as_str())];
    let (mut client, _) = dial(&server, "?model=gpt-realtime", &theirs).await.unwrap();
    let name = next(&mut client, "session.created").await["session"]["id"].as_str().unwrap().to_owned();
    let by_call = format!("?call_id={}", name.replace("sess_", "rtc_"));
    assert_eq!(refused(&server, &by_call, &[("authorization", &own)]).await.0, 404);
    assert!(dial(&server, &by_call, &[("authorization", &admin)]).await.is_ok());
}

#[tokio::test]
async fn each_speaks_its_own_dialect_and_errors_go_to_whoever_erred() {
    let server = Server::start().await;
    let (mut client, query) = session(&server).await;
    let bearer = format!("Bearer {}", server.key);
    let headers = [("authorization", bearer.as_str()), ("openai-beta", "realtime=v1")];
    let (mut controller, _) = dial(&server, &query, &headers).await.unwrap();
    let greeted = next(&mut controller, "session.created").await;
    assert_eq!(greeted["session"]["input_audio_format"], "pcm16");

    send(&mut controller, json!({"type": "session.update", "session": {"instructions": "Be brief.", "voice": "echo"}}))
        .await;
    let updated = next(&mut client, "session.updated").await;
    assert_eq!(updated["session"]["audio"]["output"]["voice"], "echo");
    assert_eq!(next(&mut controller, "session.updated").await["session"]["voice"], "echo");

    let wrong = json!({"type": "nothing", "event_id": "mine"});
    for (erring, param) in
        [(wrong, json!("type")), (json!({"type": "input_audio_buffer.append", "audio": "AAAA"}), Value::Null)]
    {
        send(&mut controller, erring).await;
        let error = loop {
            let Message::Text(text) = controller.next().await.unwrap().unwrap() else { continue };
            break serde_json::from_str::<Value>(&text).unwrap();
        };
        assert_eq!((&error["type"], &error["error"]["param"]), (&json!("error"), &param));
    }
    // `next` takes no error for an event: the client saw none of them.
    send(&mut client, typed("Are you there?")).await;
    next(&mut client, "conversation.item.done").await;
    assert_eq!(
        next(&mut controller, "conversation.item.created").await["item"]["content"][0]["text"],
        "Are you there?"
    );
    send(&mut controller, json!({"type": "response.create", "response": {"modalities": ["text"]}})).await;
    next(&mut client, "response.output_text.done").await;
    next(&mut controller, "response.text.done").await;
}

#[tokio::test]
async fn a_session_outlives_its_controllers_and_they_do_not_outlive_it() {
    let server = Server::start().await;
    let (mut client, query) = session(&server).await;
    let mut controllers = Vec::new();
    for _ in 0..4 {
        controllers.push(owner(&server, &query).await);
    }
    let bearer = format!("Bearer {}", server.key);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(refused(&server, &query, &headers).await, (429, "rate_limit_exceeded".into()));
    controllers.pop().unwrap().close(None).await.unwrap();
    let again = async {
        loop {
            if let Ok((socket, _)) = dial(&server, &query, &headers).await {
                return socket;
            }
            tokio::task::yield_now().await;
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(20), again).await.expect("a seat is free again");
    controllers.push(again);
    send(&mut client, json!({"type": "input_audio_buffer.clear"})).await;
    next(&mut client, "input_audio_buffer.cleared").await;
    client.close(None).await.unwrap();
    for mut controller in controllers {
        assert_eq!(goodbye(&mut controller).await, 1000);
    }
}

#[tokio::test]
async fn a_controller_that_does_not_read_is_dropped_and_the_session_goes_on() {
    let server = Server::start().await;
    let (mut client, query) = session(&server).await;
    let mut deaf = owner(&server, &query).await;
    next(&mut deaf, "session.created").await;
    let long = "a".repeat(1 << 20);
    // More than the queue and the sockets' buffers hold.
    for _ in 0..24 {
        send(&mut client, typed(&long)).await;
        let done = next(&mut client, "conversation.item.done").await;
        let id = done["item"]["id"].as_str().unwrap();
        send(&mut client, json!({"type": "conversation.item.delete", "item_id": id})).await;
        next(&mut client, "conversation.item.deleted").await;
    }
    // Whoever does not read may miss the goodbye too.
    let code = goodbye(&mut deaf).await;
    assert!([1013, 1006].contains(&code), "{code}");
    send(&mut client, json!({"type": "input_audio_buffer.clear"})).await;
    next(&mut client, "input_audio_buffer.cleared").await;
}
