//! Stand-ins for vendors on one local port, each under its own path: they speak the vendors' documented messages, know
//! what is true, and fail as they are told, each connection for itself.
//!
//! Ears know the words of what is said to them and reveal them as the sound comes; mouths make a tone a word, so that
//! what was dropped or doubled can be told from the sound; minds give a known reply, or go on with it.

mod line;
mod listen;
mod speak;
mod think;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream};

use line::{Head, Line};

/// Which stand-in a connection reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Vendor {
    /// Deepgram's `/v1/listen`.
    Ear,
    /// Deepgram's `/v1/speak`, without word times.
    Aura,
    /// ElevenLabs' multi-context socket, with word times.
    Eleven,
    /// Anthropic's Messages.
    Claude,
    /// DeepSeek's chat completions, the wire of OpenAI.
    DeepSeek,
}

/// What becomes of a connection. Counted are messages of the vendor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// Nothing happens.
    Well,
    /// The handshake or request is answered with this status.
    Refuse(u16),
    /// The same, and the reason repeats the end of the first message: no vendor should, and some do.
    Quote(u16),
    /// After so many messages nothing more comes.
    Stall(usize),
    /// ... a message comes that is none.
    Corrupt(usize),
    /// ... the connection is reset.
    Reset(usize),
    /// ... the connection ends without a goodbye.
    Die(usize),
}

/// How ears know what is said.
#[derive(Clone, Debug)]
pub(crate) enum Truth {
    /// These words, over so much sound.
    Words(String, Duration),
    /// The pilot tones in the sound tell; see [`crate::tones`].
    Pilot,
}

/// What a mouth was told to say, or a mind to answer; one entry a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Call {
    pub(crate) vendor: Vendor,
    pub(crate) text: String,
}

/// How a connection began.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// `None`: at a path that nobody stands in for; it was refused.
    pub(crate) vendor: Option<Vendor>,
    pub(crate) path: String,
    /// The key that was shown.
    pub(crate) key: String,
    /// All there was before the body.
    pub(crate) head: String,
}

pub(crate) type Fates = Box<dyn FnMut(Vendor) -> Fate + Send>;
pub(crate) type Reply = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// The running stand-ins.
pub(crate) struct Vendors {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    fates: Mutex<Fates>,
    truth: Mutex<Truth>,
    reply: Mutex<Reply>,
    calls: Mutex<Vec<Call>>,
    prompts: Mutex<Vec<Vec<(String, String)>>>,
    requests: Mutex<Vec<(Vendor, String)>>,
    doors: Mutex<Vec<Door>>,
    locks: Mutex<Vec<(Vendor, String)>>,
    live: AtomicI64,
}

impl Vendors {
    pub(crate) async fn start(reply: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reply = reply.to_owned();
        let shared = Arc::new(Shared {
            fates: Mutex::new(Box::new(|_| Fate::Well)),
            truth: Mutex::new(Truth::Words(String::new(), Duration::from_secs(1))),
            reply: Mutex::new(Arc::new(move |_: &str| reply.clone())),
            calls: Mutex::default(),
            prompts: Mutex::default(),
            requests: Mutex::default(),
            doors: Mutex::default(),
            locks: Mutex::default(),
            live: AtomicI64::new(0),
        });
        let served = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Self { address, shared }
    }

    /// From the next connection on.
    pub(crate) fn meet(&self, fates: impl FnMut(Vendor) -> Fate + Send + 'static) {
        *self.shared.fates.lock().unwrap() = Box::new(fates);
    }

    /// Every connection to this vendor ends so, all others go well.
    pub(crate) fn lose(&self, lost: Vendor, fate: Fate) {
        self.meet(move |vendor| if vendor == lost { fate } else { Fate::Well });
    }

    pub(crate) fn hear(&self, truth: Truth) {
        *self.shared.truth.lock().unwrap() = truth;
    }

    /// What minds answer to the person's last words.
    pub(crate) fn answer(&self, reply: impl Fn(&str) -> String + Send + Sync + 'static) {
        *self.shared.reply.lock().unwrap() = Arc::new(reply);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// Connections that are open.
    pub(crate) fn live(&self) -> i64 {
        self.shared.live.load(Ordering::SeqCst)
    }

    /// Role and text of all messages that minds were sent; one entry a request.
    pub(crate) fn prompts(&self) -> Vec<Vec<(String, String)>> {
        self.shared.prompts.lock().unwrap().clone()
    }

    /// All that minds were sent, as it was sent; one entry a request.
    pub(crate) fn requests(&self) -> Vec<(Vendor, String)> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Every connection so far.
    pub(crate) fn doors(&self) -> Vec<Door> {
        self.shared.doors.lock().unwrap().clone()
    }

    /// The keys that a vendor was shown; one entry a connection.
    pub(crate) fn keys(&self, vendor: Vendor) -> Vec<String> {
        self.doors().into_iter().filter(|door| door.vendor == Some(vendor)).map(|door| door.key).collect()
    }

    /// From here on this vendor takes no other key.
    pub(crate) fn lock(&self, vendor: Vendor, key: &str) {
        let mut locks = self.shared.locks.lock().unwrap();
        locks.retain(|(locked, _)| *locked != vendor);
        locks.push((vendor, key.to_owned()));
    }

    /// The relay's configuration of these vendors. Each connection is one that a request asked for.
    pub(crate) fn configuration(&self) -> String {
        self.sections(|vendor| {
            let warm = if WARM.contains(&vendor) { "settings.warm = false\n" } else { "" };
            format!("api_key = \"planted-{vendor}-key\"\n{warm}")
        })
    }

    /// Where these vendors are, and what else is set of each.
    pub(crate) fn sections(&self, more: impl Fn(&str) -> String) -> String {
        NAMES
            .map(|vendor| format!("[{vendor}]\nbase_url = \"http://{}/{vendor}\"\n{}", self.address, more(vendor)))
            .concat()
    }
}

pub(crate) const NAMES: [&str; 4] = ["anthropic", "deepgram", "deepseek", "elevenlabs"];
/// Those whose connections wait for the next turn.
const WARM: [&str; 2] = ["deepgram", "elevenlabs"];

/// One more connection, for as long as this lives.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    shared.live.fetch_add(1, Ordering::SeqCst);
    let open = Open(shared.clone());
    let Some(head) = Head::of(&stream).await else { return };
    let vendor = match head.path.split('?').next().unwrap_or_default() {
        "/deepgram/v1/listen" => Some(Vendor::Ear),
        "/deepgram/v1/speak" => Some(Vendor::Aura),
        "/anthropic/v1/messages" => Some(Vendor::Claude),
        "/deepseek/chat/completions" => Some(Vendor::DeepSeek),
        other if other.starts_with("/elevenlabs/v1/text-to-speech/") => Some(Vendor::Eleven),
        _ => None,
    };
    let (path, key) = (head.path.clone(), head.key().to_owned());
    let door = Door { vendor, path, key, head: head.text.clone() };
    let before = {
        let mut doors = shared.doors.lock().unwrap();
        doors.push(door);
        doors.len()
    };
    let Some(vendor) = vendor else {
        let _ = line::refuse(&mut stream, &head, [401, 500, 400][before % 3]).await;
        return;
    };
    let locked = shared.locks.lock().unwrap().iter().any(|(locked, key)| *locked == vendor && head.key() != key);
    let fate = if locked { Fate::Refuse(401) } else { shared.fates.lock().unwrap()(vendor) };
    let served = async {
        let line = Line::open(stream, &head, vendor, fate).await?;
        match vendor {
            Vendor::Ear => listen::listen(line, &shared).await,
            Vendor::Aura => speak::aura(line, &shared).await,
            Vendor::Eleven => speak::eleven(line, &shared).await,
            Vendor::Claude | Vendor::DeepSeek => think::think(line, vendor, &shared).await,
        }
    };
    // Who is gone, by fate or by will, is gone.
    let _ = served.await;
    drop(open);
}

impl Shared {
    fn note(&self, vendor: Vendor, text: &str) {
        self.calls.lock().unwrap().push(Call { vendor, text: text.to_owned() });
    }
}
