//! A vendor on loopback that converses as documented for a while, and then does something else.

use std::time::Duration;

use futures_util::future::BoxFuture;
use providers::{ErrorKind, Secret};
use tokio::time::timeout;

use crate::support::{self, Step};

/// What a vendor's documentation says of a conversation.
pub(crate) enum Wire {
    /// A conversation an utterance or a reply, played from a script.
    Script {
        /// Plays a script to each connection.
        start: Start,
        /// A whole conversation.
        exchange: &'static str,
        /// The shortest way to a first result, a message of text or of sound. Behind `= flood` come the steps that may
        /// follow again and again; without, the last one may.
        begun: &'static str,
        /// Steps that mean nothing to this vendor: what needs them is left out. `HTTP/1.1` where no such request begins
        /// a conversation: then there are no refusals by status either.
        without: &'static [&'static str],
    },
    /// A request an utterance or a clause, each with a streamed answer.
    Http {
        /// Header lines of the answers, each with its line end.
        headers: &'static str,
        /// The messages of each answer of a whole conversation. The first message is one of text or of sound.
        answers: fn() -> Vec<Vec<Vec<u8>>>,
        /// The answers are bare sound, in which any two bytes mean something.
        raw: bool,
    },
}

/// Begins to play a script to each connection: the first to the first, the last one again and again. Beside the vendor's own
/// steps there are, a line each: `= hang`, `= reset`, `= deaf`, `= drip`, `= garbage`, `= flood` and `= again`, as
/// `support/cassette.rs` has them.
pub(crate) type Start = fn(Vec<String>) -> BoxFuture<'static, Box<dyn Played>>;

/// A script at play.
pub(crate) trait Played: Send {
    /// Where: `http://127.0.0.1:…`, without a path.
    fn origin(&self) -> String;

    /// How the next connection to end has ended.
    fn ended(&mut self) -> BoxFuture<'_, Option<Result<(), String>>>;

    /// Bytes of messages that clients, or buffers on the way, have taken.
    fn sent(&self) -> usize;

    /// Every message with text that clients sent.
    fn told(&self) -> Vec<String>;
}

/// What a vendor does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// All that is documented.
    Whole,
    /// The same, without this in what it demands of the client.
    Without(&'static str),
    /// The connection is cut after so many messages.
    Cut(usize),
    /// The conversation is opened, then …
    Opened(Then),
    /// The first result is given, then …
    Begun(Then),
}

/// And then?
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// Nothing until the client leaves.
    Hang,
    /// Nothing is even read any more.
    Deaf,
    /// A byte now and then until the client leaves, never a whole message.
    Drip,
    /// The message before, without end.
    Flood,
    /// This message.
    Say(&'static str),
    /// Bytes that are no message at all.
    Garbage,
}

/// Where an adapter is to find its vendor.
pub(crate) struct At {
    /// The stage; without, the vendor itself.
    pub(crate) origin: Option<String>,
    /// The account's.
    pub(crate) key: Secret,
}

impl At {
    /// The origin to use where the vendor's is this.
    pub(crate) fn or(&self, vendor: &str) -> String {
        self.origin.as_deref().unwrap_or(vendor).to_owned()
    }
}

/// Shown in what the vendors say, and never to be seen in an error.
pub(crate) const KEY: &str = "planted-0123456789";

/// An answer whose head goes on with whatever follows.
pub(crate) const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nx-slow: ";

/// Answers to a request, and what they mean.
pub(crate) const REFUSALS: [(&str, ErrorKind); 12] = [
    ("302 Found", ErrorKind::Rejected),
    ("400 Bad Request", ErrorKind::Rejected),
    ("401 Unauthorized", ErrorKind::Unauthorized),
    ("402 Payment Required", ErrorKind::RateLimited),
    ("403 Forbidden", ErrorKind::Unauthorized),
    ("404 Not Found", ErrorKind::Rejected),
    ("408 Request Timeout", ErrorKind::Timeout),
    ("429 Too Many Requests", ErrorKind::RateLimited),
    ("500 Internal Server Error", ErrorKind::Unavailable),
    ("503 Service Unavailable", ErrorKind::Unavailable),
    ("504 Gateway Timeout", ErrorKind::Timeout),
    ("529 Overloaded", ErrorKind::Unavailable),
];

/// A vendor at play.
pub(crate) enum Stage {
    /// From a script.
    Script(Box<dyn Played>),
    /// Over HTTP, or never come so far.
    Plain(support::Server),
}

impl Stage {
    /// Answers whatever is asked in these steps.
    pub(crate) async fn plain(steps: Vec<Step>) -> Self {
        Self::Plain(support::Server::start(vec![steps]).await)
    }

    /// Where it is.
    pub(crate) fn at(&self) -> At {
        let origin = match self {
            Self::Script(vendor) => vendor.origin(),
            Self::Plain(server) => server.base_url.trim_end_matches("/v1").to_owned(),
        };
        At { origin: Some(origin), key: KEY.into() }
    }

    /// Waits until a client that was still served has left.
    pub(crate) async fn left(&mut self) {
        let gone = async {
            match self {
                Self::Script(vendor) => vendor.ended().await.is_some(),
                Self::Plain(server) => server.left.recv().await.is_some(),
            }
        };
        assert_eq!(timeout(LONG, gone).await, Ok(true), "the client has not left");
    }

    /// The client kept to the script, as far as there is one.
    pub(crate) async fn was_obeyed(&mut self, name: &str) {
        if let Self::Script(vendor) = self {
            assert_eq!(timeout(LONG, vendor.ended()).await, Ok(Some(Ok(()))), "{name}");
        }
    }

    /// Bytes that the client, or buffers on the way, took of a flood before it stopped.
    pub(crate) async fn taken(&mut self) -> usize {
        match self {
            Self::Plain(server) => server.taken.recv().await.unwrap(),
            Self::Script(vendor) => loop {
                let before = vendor.sent();
                tokio::time::sleep(STALL).await;
                if vendor.sent() == before || before > support::FLOOD {
                    return before;
                }
            },
        }
    }

    /// What clients said, or asked.
    pub(crate) fn told(&self) -> Vec<String> {
        match self {
            Self::Script(vendor) => vendor.told(),
            Self::Plain(server) => server.requests.lock().unwrap().clone(),
        }
    }
}

impl Wire {
    /// The vendor doing so on every connection.
    pub(crate) async fn play(&self, act: Act) -> Stage {
        match self {
            Self::Script { start, exchange, begun, .. } => {
                let script = match act {
                    Act::Whole => (*exchange).to_owned(),
                    Act::Without(demand) => exchange.replace(demand, ""),
                    Act::Cut(after) => lines(&steps(exchange)[..after], "= reset"),
                    Act::Opened(then) => then.step(""),
                    Act::Begun(then) => {
                        let (begun, flood) = begin(begun);
                        lines(&begun, &then.step(&flood.join("\n")))
                    }
                };
                // Where a lost connection was no loss there may be another, which is cut as well.
                let again = matches!(act, Act::Cut(_)).then(|| "= reset".to_owned());
                Stage::Script(start(std::iter::once(script).chain(again).collect()).await)
            }
            Self::Http { headers, answers, .. } => {
                let answers = answers();
                let head = || support::answer("200 OK", headers, "");
                let say = |messages: &[Vec<u8>]| [head(), messages.iter().cloned().map(Step::Send).collect()].concat();
                let first = &answers[0][..1];
                let played = match act {
                    Act::Whole | Act::Without(_) => answers.iter().map(|messages| say(messages)).collect(),
                    Act::Cut(after) => cut(&answers, after, say),
                    Act::Opened(then) => vec![[head(), on_http(then, &[])].concat()],
                    Act::Begun(then) => vec![[say(first), on_http(then, &first[0])].concat()],
                };
                Stage::Plain(support::Server::start(played).await)
            }
        }
    }

    /// Messages after which it may be cut.
    pub(crate) fn messages(&self) -> usize {
        match self {
            Self::Script { exchange, .. } => steps(exchange).len(),
            Self::Http { answers, .. } => answers().iter().map(Vec::len).sum(),
        }
    }

    /// Whether this vendor can be made to do so.
    pub(crate) fn can(&self, then: Then) -> bool {
        match self {
            Self::Script { without, .. } => !without.iter().any(|step| then.step("").starts_with(step)),
            Self::Http { raw, .. } => !raw || matches!(then, Then::Hang | Then::Deaf | Then::Flood),
        }
    }

    /// Whether a conversation begins with a request of HTTP/1.1, so that it can be refused, or kept waiting.
    pub(crate) fn asks(&self) -> bool {
        !matches!(self, Self::Script { without, .. } if without.contains(&"HTTP/1.1"))
    }

    /// Every piece of text ends, as the vendor does in `rest` of the steps, without a sound.
    pub(crate) async fn mute(&self, rest: &str) -> Stage {
        match self {
            Self::Script { start, begun, .. } => {
                let (mut said, _) = begin(begun);
                said.pop();
                said.extend(steps(rest).into_iter().filter(|step| step.starts_with('<')));
                Stage::Script(start(vec![lines(&said, "= hang")]).await)
            }
            Self::Http { headers, .. } => Stage::plain(support::answer("200 OK", headers, "")).await,
        }
    }

    /// Every piece of text is voiced likewise: how it begins, then `rest` of the steps, which HTTP has no need of.
    pub(crate) async fn repeat(&self, rest: &str) -> Option<Stage> {
        match self {
            Self::Script { without, .. } if without.contains(&"= again") => None,
            Self::Script { start, begun, .. } => {
                Some(Stage::Script(start(vec![lines(&begin(begun).0, &format!("{rest}\n= again"))]).await))
            }
            Self::Http { .. } => Some(self.play(Act::Whole).await),
        }
    }
}

impl Then {
    /// The step of a script for it.
    fn step(self, more: &str) -> String {
        match self {
            Self::Hang => "= hang".to_owned(),
            Self::Deaf => "= deaf".to_owned(),
            Self::Drip => "= drip".to_owned(),
            Self::Garbage => "= garbage".to_owned(),
            Self::Flood => format!("= flood\n{more}"),
            Self::Say(message) => format!("< {message}\n= hang"),
        }
    }
}

fn steps(cassette: &str) -> Vec<&str> {
    cassette.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The way to a first result, and what may follow again and again.
fn begin(begun: &str) -> (Vec<&str>, Vec<&str>) {
    let steps = steps(begun);
    match steps.iter().position(|step| *step == "= flood") {
        Some(at) => (steps[..at].to_vec(), steps[at + 1..].to_vec()),
        None => (steps.clone(), steps[steps.len() - 1..].to_vec()),
    }
}

fn lines(steps: &[&str], last: &str) -> String {
    [steps, &[last]].concat().join("\n")
}

fn on_http(then: Then, more: &[u8]) -> Vec<Step> {
    match then {
        Then::Hang | Then::Deaf => vec![Step::Hang],
        Then::Drip => vec![Step::Drip],
        Then::Garbage => vec![Step::Send(vec![0xff; 16])],
        // What is taken is counted in so many bytes, far less than buffers hold.
        Then::Flood => vec![Step::Flood(more.repeat(1 + 32_000 / more.len()))],
        Then::Say(message) => vec![Step::Send(message.into())],
    }
}

/// The answers before the cut whole, the one with the cut, and nothing but cuts from then on.
fn cut(answers: &[Vec<Vec<u8>>], after: usize, say: impl Fn(&[Vec<u8>]) -> Vec<Step>) -> Vec<Vec<Step>> {
    let mut played = Vec::new();
    let mut left = after;
    for messages in answers {
        if left > messages.len() {
            played.push(say(messages));
            left -= messages.len();
        } else {
            played.push([say(&messages[..left]), vec![Step::Reset]].concat());
            break;
        }
    }
    played.push(vec![Step::Reset]);
    played
}

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// Nothing was taken for so long: nobody reads.
const STALL: Duration = Duration::from_millis(300);
