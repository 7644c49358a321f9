//! Where there is a virus scanner, nothing is taken that it did not see. The scanner here speaks clamd's documented
//! `INSTREAM` (clamd(8)).

use std::{path::Path, sync::Arc};

use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
};
use voice_relay::storage::{Config, Storage};

use crate::{
    files::{files, kept, message, upload},
    server::Server,
};

/// What this scanner knows, as the real one knows the EICAR test file.
const VIRUS: &[u8] = b"X5O!P%@AP this would be a virus";
/// `StreamMaxLength` of this scanner.
const MOST: usize = 1 << 20;

/// Serves one connection.
async fn scan(mut socket: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut command = [0; 10];
    socket.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut stream = Vec::new();
    loop {
        let length = socket.read_u32().await? as usize;
        if length == 0 {
            break;
        }
        if stream.len() + length > MOST {
            return socket.write_all(b"INSTREAM size limit exceeded. ERROR\0").await;
        }
        let start = stream.len();
        stream.resize(start + length, 0);
        socket.read_exact(&mut stream[start..]).await?;
    }
    let found = stream.windows(VIRUS.len()).any(|window| window == VIRUS);
    socket.write_all(if found { b"stream: Win.Test.EICAR_HDB-1 FOUND\0" } else { b"stream: OK\0" }).await
}

async fn scanner() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(scan(socket));
        }
    });
    format!("tcp://{address}")
}

async fn server(dir: &Path, clamd: String) -> Server {
    let storage = Storage::open(&Config { clamd, ..Config::default() }, dir).unwrap();
    Server::with(|context| context.storage = storage).await
}

#[tokio::test]
async fn what_is_clean_is_taken_and_what_is_infected_is_put_away() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let server = server(dir.path(), scanner().await).await;
    let (_, message) = message(&server).await;
    assert_eq!(upload(&server, &message, "clean.txt", "x".repeat(300_000)).await.status, StatusCode::CREATED);
    let infected = [&b"y".repeat(100_000)[..], VIRUS].concat();
    let refused = upload(&server, &message, "invoice.txt", infected.clone()).await;
    assert_eq!(refused.problem(422), ("infected_file".to_owned(), "file".to_owned()));
    assert!(refused.body["detail"].as_str().unwrap().contains("Win.Test.EICAR_HDB-1"), "{}", refused.body);
    let away = files(dir.path(), "quarantine");
    assert_eq!(away.len(), 1);
    assert_eq!(std::fs::read(&away[0]).unwrap(), infected);
    assert_eq!((kept(dir.path()).len(), files(dir.path(), "arriving").len()), (1, 0));
    let listed = server.get(&format!("/api/messages/{message}/attachments")).await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_scanner_behind_a_socket_of_the_system_is_asked_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clamd.ctl");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(scan(socket));
        }
    });
    let server = server(dir.path(), format!("unix:{}", path.display())).await;
    let (_, message) = message(&server).await;
    assert_eq!(upload(&server, &message, "a.txt", "clean").await.status, StatusCode::CREATED);
    assert_eq!(upload(&server, &message, "a.txt", VIRUS).await.problem(422).0, "infected_file");
}

#[tokio::test]
async fn nothing_is_taken_unscanned() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody listens; hangs up at once; says nonsense; takes no file so large.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("tcp://{}", gone.local_addr().unwrap());
    drop(gone);
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs_up = format!("tcp://{}", mute.local_addr().unwrap());
    tokio::spawn(async move { while mute.accept().await.is_ok() {} });
    let mad = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let babbles = format!("tcp://{}", mad.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = mad.accept().await.unwrap();
            socket.write_all(b"stream: OK, I think\0").await.unwrap();
        }
    });
    for (clamd, size) in [(nobody, 10), (hangs_up, 10), (babbles, 10), (scanner().await, MOST + 1)] {
        let server = server(dir.path(), clamd.clone()).await;
        let (_, message) = message(&server).await;
        let refused = upload(&server, &message, "a.txt", "x".repeat(size)).await;
        assert_eq!(refused.problem(503).0, "scanner_unavailable", "{clamd}");
        assert_eq!(refused.header("retry-after"), "30");
        let listed = server.get(&format!("/api/messages/{message}/attachments")).await.body;
        assert_eq!(listed["items"], json!([]));
        assert_eq!((kept(dir.path()).len(), files(dir.path(), "quarantine").len()), (0, 0));
    }
}
