//! The reference: a bare WebSocket server that receives what a relay receives and sends as much back, and does nothing
//! in between.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::commands::Failure;

/// The first message of a client: how much to send back for each message that follows.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Order {
    /// Messages for a message.
    pub(super) ratio: f64,
    /// Length of each, in bytes.
    pub(super) length: usize,
}

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// No message is longer than what a relay would send.
const LONGEST: usize = 1 << 20;

/// Serves until standard input ends, so never longer than the process that started it.
pub(super) async fn serve() -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::Other(format!("the reference cannot listen: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(told)?;
    println!("echo serves on http://{}", listener.local_addr().map_err(told)?);
    let accepting = async {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(stream));
            }
        }
    };
    let parent = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        () = accepting => {}
        _ = parent => {}
    }
    Ok(())
}

async fn echo(stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
    let first = tokio::time::timeout(PATIENCE, socket.next()).await.ok()??.ok()?;
    let order: Order = serde_json::from_str(first.to_text().ok()?).ok()?;
    let answer = Utf8Bytes::from("a".repeat(order.length.min(LONGEST)));
    let mut owed = 0.0;
    while let Some(Ok(message)) = socket.next().await {
        if !message.is_text() {
            continue;
        }
        owed += order.ratio;
        while owed >= 1.0 {
            owed -= 1.0;
            socket.send(Message::Text(answer.clone())).await.ok()?;
        }
    }
    Some(())
}
