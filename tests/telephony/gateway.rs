//! A gateway as the vendors' are: it sends the caller's sound every 20 ms, speech or silence, and plays what it is sent from
//! a buffer of its own, late by what its network takes.

use std::{
    collections::VecDeque,
    fs,
    time::{Duration, Instant},
};

use audio::{Clip, SampleRate, wav};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    server::PATIENCE,
    vendors::{Told, Vendor},
};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A call that runs by itself.
pub(crate) struct Gateway {
    pub(crate) vendor: Vendor,
    acts: mpsc::UnboundedSender<Act>,
    heard: watch::Receiver<Heard>,
}

/// What the caller does.
enum Act {
    Say(Vec<i16>),
    Press(char),
    Send(Message),
    HangUp,
}

/// What became of the call on the caller's side.
#[derive(Clone, Default, Debug)]
pub(crate) struct Heard {
    /// All that was played, silence too, from the first packet on, at the line's rate.
    pub(crate) sound: Vec<i16>,
    /// Packets that were played.
    pub(crate) played: usize,
    /// Where in `sound` the gateway was told to clear, and how many packets that threw away.
    pub(crate) clears: Vec<(usize, usize)>,
    /// Packets that came in all.
    pub(crate) came: usize,
    /// Events, of a gateway that follows them.
    pub(crate) events: Vec<Value>,
    /// The caller has said all of it.
    pub(crate) said: bool,
    /// When the caller last finished.
    pub(crate) quiet_since: Option<Instant>,
    /// How it ended.
    pub(crate) closed: Option<(u16, String)>,
}

enum Queued {
    Packet(Vec<u8>),
    Mark(String),
}

/// Dials with these headers.
pub(crate) async fn dial(url: &str, path: &str, headers: &[(&'static str, &str)]) -> Socket {
    let mut request = format!("{}{path}", url.replacen("http", "ws", 1)).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    connect_async(request).await.unwrap().0
}

impl Gateway {
    /// A call with this token. What the gateway plays it plays so late.
    pub(crate) async fn call(url: &str, vendor: Vendor, token: &str, late: Duration) -> Self {
        Self::call_with(url, vendor, json!({"token": token}), late).await
    }

    pub(crate) async fn call_with(url: &str, vendor: Vendor, parameters: Value, late: Duration) -> Self {
        let mut socket = dial(url, &format!("/telephony/{}", vendor.path()), &[]).await;
        for message in vendor.begin(&parameters) {
            socket.send(message).await.unwrap();
        }
        let (acts, orders) = mpsc::unbounded_channel();
        let (told, heard) = watch::channel(Heard::default());
        tokio::spawn(run(socket, vendor, late, orders, told));
        Self { vendor, acts, heard }
    }

    /// The caller says this, sound at the line's rate.
    pub(crate) fn say(&self, samples: Vec<i16>) {
        self.acts.send(Act::Say(samples)).unwrap();
    }

    /// The caller says what is on a recording.
    pub(crate) fn says(&self, name: &str) {
        self.say(recording(name, self.vendor.rate()));
    }

    pub(crate) fn press(&self, keys: &str) {
        keys.chars().for_each(|key| self.acts.send(Act::Press(key)).unwrap());
    }

    pub(crate) fn send(&self, message: Message) {
        self.acts.send(Act::Send(message)).unwrap();
    }

    pub(crate) fn hang_up(&self) {
        self.acts.send(Act::HangUp).unwrap();
    }

    /// Waits until this holds of what the caller heard.
    pub(crate) async fn until(&mut self, what: &str, holds: impl FnMut(&Heard) -> bool) -> Heard {
        let waited = tokio::time::timeout(PATIENCE, self.heard.wait_for(holds)).await;
        let heard = waited.map(|heard| heard.map(|heard| heard.clone()));
        match heard {
            Ok(Ok(heard)) => return heard,
            Ok(Err(_)) => panic!("the call ended before: {what}"),
            Err(_) => {}
        }
        panic!("waited in vain: {what}; {:?}", summary(&self.heard.borrow()))
    }

    /// Waits until an event of this type has come so often; returns the last one.
    pub(crate) async fn event(&mut self, kind: &str, times: usize) -> Value {
        let heard = self.until(kind, |heard| of(heard, kind).count() >= times).await;
        of(&heard, kind).nth(times - 1).unwrap().clone()
    }

    /// How much of this sound is.
    pub(crate) fn length(&self, samples: usize) -> Duration {
        self.vendor.rate().duration_of(samples)
    }

    /// Where the call stands.
    pub(crate) fn now(&self) -> Heard {
        self.heard.borrow().clone()
    }
}

/// Events of this type.
pub(crate) fn of<'a>(heard: &'a Heard, kind: &str) -> impl Iterator<Item = &'a Value> {
    heard.events.iter().filter(move |event| event["type"] == kind)
}

fn summary(heard: &Heard) -> String {
    let kinds: Vec<_> = heard.events.iter().map(|event| event["type"].to_string()).collect();
    format!("{} played, {} came, {:?}, {:?}, {kinds:?}", heard.played, heard.came, heard.clears, heard.closed)
}

/// A recording of the samples folder at this rate.
pub(crate) fn recording(name: &str, rate: SampleRate) -> Vec<i16> {
    let path = format!("{}/samples/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let clip: Clip = wav::read(&fs::read(path).unwrap()).unwrap();
    clip.resampled(rate).unwrap().samples
}

/// The silence of a line: not quite none.
fn silence(vendor: Vendor) -> Vec<u8> {
    let count = vendor.rate().samples_in(Duration::from_millis(20));
    let noise: Vec<i16> = (0..count).map(|n| if n % 7 < 3 { 8 } else { -8 }).collect();
    vendor.packets(&noise).remove(0)
}

async fn run(
    mut socket: Socket,
    vendor: Vendor,
    late: Duration,
    mut orders: mpsc::UnboundedReceiver<Act>,
    told: watch::Sender<Heard>,
) {
    let mut beat = interval(Duration::from_millis(20));
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut speech, mut buffer, mut chunk) = (VecDeque::<Vec<u8>>::new(), VecDeque::<(u64, Queued)>::new(), 0);
    let (mut now, delay) = (0_u64, late.as_millis() as u64 / 20);
    loop {
        tokio::select! { biased;
            _ = beat.tick() => {
                now += 1;
                chunk += 1;
                let (packet, last) = match speech.pop_front() {
                    Some(packet) => (packet, speech.is_empty()),
                    None => (silence(vendor), false),
                };
                if socket.send(vendor.sound(chunk, &packet)).await.is_err() {
                    return;
                }
                let mut marks = Vec::new();
                told.send_modify(|heard| {
                    if last {
                        heard.said = true;
                        heard.quiet_since = Some(Instant::now());
                    }
                    marks = play(vendor, &mut buffer, now, heard);
                });
                for mark in marks {
                    let _ = socket.send(vendor.marked(&mark)).await;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Close(frame))) => {
                    let closed = frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.to_string()));
                    told.send_modify(|heard| heard.closed = Some(closed));
                    return told.closed().await;
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => match vendor.read(&message) {
                    Told::Sound(packet) => {
                        buffer.push_back((now + delay, Queued::Packet(packet)));
                        told.send_modify(|heard| heard.came += 1);
                    }
                    Told::Mark(mark) => buffer.push_back((now + delay, Queued::Mark(mark))),
                    Told::Clear => {
                        let dropped: Vec<_> = buffer.drain(..).map(|(_, queued)| queued).collect();
                        let packets = dropped.iter().filter(|queued| matches!(queued, Queued::Packet(_))).count();
                        told.send_modify(|heard| heard.clears.push((heard.sound.len(), packets)));
                        for queued in dropped {
                            if let Queued::Mark(mark) = queued {
                                let _ = socket.send(vendor.marked(&mark)).await;
                            }
                        }
                    }
                    Told::Event(event) => told.send_modify(|heard| heard.events.push(event)),
                },
                Some(Err(_)) | None => {
                    told.send_modify(|heard| heard.closed = Some((1006, String::new())));
                    return told.closed().await;
                }
            },
            Some(act) = orders.recv() => match act {
                Act::Say(samples) => {
                    speech.extend(vendor.packets(&samples));
                    told.send_modify(|heard| heard.said = false);
                }
                Act::Press(key) => socket.send(vendor.key(key)).await.unwrap(),
                Act::Send(message) => socket.send(message).await.unwrap(),
                Act::HangUp => match vendor.stop() {
                    Some(stop) => socket.send(stop).await.unwrap(),
                    None => socket.close(None).await.unwrap(),
                },
            },
        }
    }
}

/// Plays 20 ms; returns the marks that were reached.
fn play(vendor: Vendor, buffer: &mut VecDeque<(u64, Queued)>, now: u64, heard: &mut Heard) -> Vec<String> {
    let (mut marks, mut played) = (Vec::new(), false);
    while let Some((due, queued)) = buffer.front() {
        if *due > now || played && matches!(queued, Queued::Packet(_)) {
            break;
        }
        match buffer.pop_front() {
            Some((_, Queued::Packet(packet))) => {
                heard.sound.extend(vendor.decoded(&packet));
                heard.played += 1;
                played = true;
            }
            Some((_, Queued::Mark(mark))) => marks.push(mark),
            None => break,
        }
    }
    if !played && heard.played > 0 {
        let count = vendor.rate().samples_in(Duration::from_millis(20));
        heard.sound.resize(heard.sound.len() + count, 0);
    }
    marks
}
