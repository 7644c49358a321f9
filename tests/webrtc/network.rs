//! A network between client and relay that can be made bad: it passes datagrams both ways, and has an address of its own.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{net::UdpSocket, sync::Notify, time::sleep};
use tokio_util::task::AbortOnDropHandle;

/// Datagrams are passed as long as this lives.
pub(crate) struct Network {
    /// Where the client sends to reach the relay.
    pub(crate) address: SocketAddr,
    pub(crate) weather: Arc<Weather>,
    moved: Arc<Notify>,
    _passing: AbortOnDropHandle<()>,
}

/// How bad it is. All of it may change at any time.
#[derive(Default)]
pub(crate) struct Weather {
    /// Of a hundred datagrams, how many are lost.
    pub(crate) loss: AtomicU32,
    /// Longest delay, in milliseconds; each datagram has one of its own.
    pub(crate) jitter: AtomicU32,
    /// Whether every datagram comes twice.
    pub(crate) twice: AtomicBool,
    /// Whether nothing passes.
    pub(crate) down: AtomicBool,
    chance: AtomicU64,
}

impl Network {
    /// A way to the relay at `relay`.
    pub(crate) async fn to(relay: SocketAddr) -> Self {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = front.local_addr().unwrap();
        let (weather, moved) = (Arc::new(Weather::default()), Arc::new(Notify::new()));
        let passing = pass(front, relay, Arc::clone(&weather), Arc::clone(&moved));
        Self { address, weather, moved, _passing: AbortOnDropHandle::new(tokio::spawn(passing)) }
    }

    /// The client comes from another address from now on, as when a phone leaves the house.
    pub(crate) fn move_on(&self) {
        self.moved.notify_one();
    }
}

impl Weather {
    /// The same sequence each run (splitmix64).
    fn chance(&self, of: u32) -> u32 {
        let state = self.chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 33) as u32 % of.max(1)
    }

    fn fate(&self) -> Vec<Duration> {
        if self.down.load(Ordering::Relaxed) || self.chance(100) < self.loss.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let copies = if self.twice.load(Ordering::Relaxed) { 2 } else { 1 };
        let jitter = self.jitter.load(Ordering::Relaxed);
        (0..copies).map(|_| Duration::from_millis(u64::from(self.chance(jitter + 1)))).collect()
    }
}

async fn pass(front: Arc<UdpSocket>, relay: SocketAddr, weather: Arc<Weather>, moved: Arc<Notify>) {
    let mut back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let mut client = None;
    let (mut up, mut down) = ([0; 2_000], [0; 2_000]);
    loop {
        tokio::select! {
            received = front.recv_from(&mut up) => {
                let Ok((length, source)) = received else { continue };
                client = Some(source);
                send(&back, relay, &up[..length], &weather);
            }
            received = back.recv_from(&mut down) => {
                let (Ok((length, _)), Some(client)) = (received, client) else { continue };
                send(&front, client, &down[..length], &weather);
            }
            () = moved.notified() => back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()),
        }
    }
}

fn send(socket: &Arc<UdpSocket>, to: SocketAddr, contents: &[u8], weather: &Weather) {
    for delay in weather.fate() {
        let (socket, contents) = (Arc::clone(socket), contents.to_vec());
        tokio::spawn(async move {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            let _ = socket.send_to(&contents, to).await;
        });
    }
}
