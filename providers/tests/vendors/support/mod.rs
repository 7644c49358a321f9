//! A server on loopback that answers each connection as it is told, byte by byte, and tells when its client leaves.

pub(crate) mod cassette;
pub(crate) mod dribble;
pub(crate) mod grpc;
pub(crate) mod heard;
pub(crate) mod proto;
pub(crate) mod usp;

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

/// Between two bytes of a server that drips.
const DRIP: Duration = Duration::from_millis(2);
/// Nothing was taken for so long: nobody reads.
const STALL: Duration = Duration::from_millis(300);
/// More than all buffers between two sockets hold.
pub(crate) const FLOOD: usize = 64 << 20;

/// One thing to do on a connection, once the request is read.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Say nothing until the client leaves.
    Hang,
    /// Break off with a reset.
    Reset,
    /// Send a byte now and then until the client leaves, never a whole event.
    Drip,
    /// Send these bytes again and again until nobody takes them any more.
    Flood(Vec<u8>),
}

/// What was asked, and what happened to connections.
pub(crate) struct Server {
    pub(crate) base_url: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    /// One message for each connection whose client left while it hung or dripped.
    pub(crate) left: mpsc::Receiver<()>,
    /// How much was taken of each flood.
    pub(crate) taken: mpsc::Receiver<usize>,
}

/// A stream of events with this body.
pub(crate) fn events(body: impl AsRef<[u8]>) -> Vec<Step> {
    answer("200 OK", "content-type: text/event-stream\r\n", body)
}

/// An answer whose end is the end of its connection.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n");
    vec![Step::Send([head.as_bytes(), body.as_ref()].concat())]
}

impl Server {
    /// Answers the first connection with the first steps, and so on; the last ones again and again.
    pub(crate) async fn start(answers: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (leaving, left) = mpsc::channel(64);
        let (taking, taken) = mpsc::channel(16);
        let log = requests.clone();
        tokio::spawn(async move {
            let mut answers = answers.into_iter();
            let mut steps = answers.next().unwrap_or_default();
            while let Ok((socket, _)) = listener.accept().await {
                let told = Told { log: log.clone(), leaving: leaving.clone(), taking: taking.clone() };
                tokio::spawn(serve(socket, steps.clone(), told));
                steps = answers.next().unwrap_or(steps);
            }
        });
        Self { base_url, requests, left, taken }
    }
}

/// Where a connection tells of itself.
struct Told {
    log: Arc<Mutex<Vec<String>>>,
    leaving: mpsc::Sender<()>,
    taking: mpsc::Sender<usize>,
}

async fn serve(mut socket: TcpStream, steps: Vec<Step>, told: Told) {
    let request = read_request(&mut socket).await;
    told.log.lock().unwrap().push(request);
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if socket.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Step::Hang => {
                let _ = socket.read(&mut [0]).await;
                let _ = told.leaving.send(()).await;
                return;
            }
            Step::Reset => {
                let _ = socket.set_zero_linger();
                return;
            }
            Step::Drip => {
                let mut said = [0; 256];
                loop {
                    tokio::select! {
                        read = socket.read(&mut said) => if !matches!(read, Ok(1..)) { break },
                        () = tokio::time::sleep(DRIP) => if socket.write_all(b":").await.is_err() { break },
                    }
                }
                let _ = told.leaving.send(()).await;
                return;
            }
            Step::Flood(bytes) => {
                let mut taken = 0;
                while taken < FLOOD && matches!(timeout(STALL, socket.write_all(&bytes)).await, Ok(Ok(()))) {
                    taken += bytes.len();
                }
                let _ = told.taking.send(taken).await;
                let _ = socket.read(&mut [0]).await;
                let _ = told.leaving.send(()).await;
                return;
            }
        }
    }
    let _ = socket.shutdown().await;
}

async fn read_request(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !is_whole(&bytes) && socket.read_buf(&mut bytes).await.unwrap_or(0) > 0 {}
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.len() - end - 4 >= length.unwrap_or(0)
}

/// Begins a handshake and never ends it.
pub(crate) async fn loris() -> Server {
    Server::start(vec![vec![Step::Send(b"HTTP/1.1 101 Switching Proto".to_vec()), Step::Hang]]).await
}

/// Breaks off the messages of an open WebSocket: `deaf` nothing is read any more, `garbage` bytes come that are no message,
/// `drip` a message comes byte by byte and never ends.
pub(crate) async fn misbehave(socket: &mut TcpStream, how: &str) -> Result<(), String> {
    let mut said = [0; 4_096];
    match how {
        "deaf" => std::future::pending().await,
        "garbage" => {
            let _ = socket.write_all(&[0xff; 16]).await;
            while let Ok(1..) = socket.read(&mut said).await {}
            Ok(())
        }
        "drip" => {
            // The head of a text message of 65535 bytes.
            let mut bytes: &[u8] = &[0x81, 126, 0xff, 0xff];
            loop {
                tokio::select! {
                    read = socket.read(&mut said) => if !matches!(read, Ok(1..)) { return Ok(()) },
                    () = tokio::time::sleep(DRIP) => if socket.write_all(bytes).await.is_err() { return Ok(()) },
                }
                bytes = b" ";
            }
        }
        _ => Err(format!("no step: = {how}")),
    }
}

/// Awaits what is to happen at once: meanwhile no time passes for any timer of this runtime. Who waits for one before
/// leaving, for however short a while, is found out, and a busy machine makes no difference.
pub(crate) async fn at_once<T>(event: impl Future<Output = T>) -> T {
    untimed(Duration::from_secs(10), event).await.expect("it waits for a timer, or for good")
}

/// What happens while the clock stands still, for so long in truth.
pub(crate) async fn untimed<T>(patience: Duration, event: impl Future<Output = T>) -> Option<T> {
    tokio::time::pause();
    // A paused clock goes on by itself, but not while a thread of the pool is at work.
    let (happened, waiting) = std::sync::mpsc::channel::<()>();
    let still = tokio::task::spawn_blocking(move || waiting.recv_timeout(patience));
    let event = timeout(Duration::from_millis(50), event).await;
    drop(happened);
    let ran_out = still.await.unwrap() == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
    tokio::time::resume();
    event.ok().filter(|_| !ran_out)
}
