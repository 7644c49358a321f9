//! A call from the upgrade to the goodbye.
//!
//! Who calls is known only once the stream has started: until then nothing is taken up for it but a socket and some time.

use std::time::Duration;

use axum::{
    Error,
    extract::{
        WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
};
use futures_util::{
    Stream, StreamExt, future,
    stream::{self, SplitSink, SplitStream},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    dialect::{Dialect, Fault, Start as Begin, Word},
    downlink::{Downlink, GOODBYE, dismiss},
    ear::Ear,
    mouth::{self, Mouth},
    uplink::{Uplink, farewell},
};
use crate::{
    metrics,
    realtime::{
        driver::Driver,
        loudspeaker::loudspeaker,
        transport::{
            Incoming, Start,
            downlink::{self, Farewell},
        },
    },
};

/// Largest message: two seconds of the widest format, or a session with many tools.
const LARGEST: usize = 512 << 10;
/// Read from the socket at a time: a packet of a call has about 300 bytes.
const READ_BUFFER: usize = 4 << 10;
/// How long a stream may take to start. Gateways send it at once.
const START: Duration = Duration::from_secs(10);
/// Messages before the start: gateways send one.
const PRELUDE: usize = 8;
/// Most speech between the driver and the line.
const LOUDSPEAKER: Duration = Duration::from_millis(1_000);
/// How far ahead the driver releases: what the line sends ahead, and room for the wakes of both.
const LEAD_MS: u64 = mouth::LEAD.as_millis() as u64 + 60;
/// Marks and reports on their way between the two halves of a call.
const MARKS: usize = 64;
const REPORTS: usize = 16;

/// Who calls, as the stream's start tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduction {
    /// The vendor's name of the call.
    pub call: String,
    /// What whoever set the stream up sent along.
    pub parameters: Vec<(String, String)>,
}

impl Introduction {
    /// The first parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// A call that is let in.
#[derive(Debug)]
pub struct Admitted {
    /// What its session begins with.
    pub start: Start,
    /// What the assistant does first, as instructions of its first reply; `None` = it waits for the caller.
    pub greeting: Option<String>,
}

/// Why a call is not let in, as a close code (RFC 6455, 7.4) and its reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The close code.
    pub code: u16,
    /// The reason, at most 123 bytes.
    pub reason: &'static str,
}

/// What a call is to its socket.
struct Line {
    dialect: Dialect,
    stream: String,
    ear: Ear,
    mouth: Mouth,
}

/// Sets the limits that [`serve_call`] relies upon. Call it before `on_upgrade`.
pub fn limited_call(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.max_message_size(LARGEST).max_frame_size(LARGEST).read_buffer_size(READ_BUFFER).write_buffer_size(0)
}

/// Serves one call. `admit` decides, once the stream has started, whether and as what it is let in.
pub async fn serve_call<F, A>(socket: WebSocket, dialect: Dialect, admit: F)
where
    F: FnOnce(Introduction) -> A,
    A: Future<Output = Result<Admitted, Refusal>>,
{
    let (mut sink, mut messages) = socket.split();
    let begin = match timeout(START, begin(&mut messages, dialect)).await.unwrap_or(Err(Fault::Late)) {
        Ok(Some(begin)) => begin,
        Ok(None) => return,
        Err(fault) => {
            tracing::warn!(dialect = dialect.name(), %fault, "a stream did not start");
            return leave(sink, messages, farewell(fault)).await;
        }
    };
    let introduction = Introduction { call: begin.call.clone(), parameters: begin.parameters.clone() };
    match admit(introduction).await {
        Ok(admitted) => {
            let now = admitted.start.engine.clock.now();
            let line = Ear::new(begin.format).and_then(|ear| Ok((ear, Mouth::new(begin.format, now)?)));
            let (ear, mouth) = match line {
                Ok(line) => line,
                Err(fault) => return leave(sink, messages, farewell(fault)).await,
            };
            let name = admitted.start.pass.live().name();
            let span =
                tracing::info_span!("session", session.id = %name, transport = dialect.name(), call = %begin.call);
            let line = Line { dialect, stream: begin.stream, ear, mouth };
            converse(sink, messages, line, admitted).instrument(span).await;
        }
        Err(Refusal { code, reason }) => {
            tracing::warn!(dialect = dialect.name(), reason, "a call was refused");
            dismiss(&mut sink, Farewell { code, reason }).await;
            read_rest(&mut messages).await;
        }
    }
}

/// Reads up to the start; `None` if the gateway went before.
async fn begin(
    messages: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    dialect: Dialect,
) -> Result<Option<Begin>, Fault> {
    for _ in 0..PRELUDE {
        let word = match messages.next().await {
            Some(Ok(Message::Text(text))) => dialect.read(&text, &mut Vec::new())?,
            Some(Ok(Message::Binary(_))) => dialect.read_binary()?,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Word::Nothing,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
        };
        match word {
            Word::Start(begin) => return Ok(Some(*begin)),
            Word::Nothing => {}
            Word::Stop => return Ok(None),
            Word::Sound { .. } | Word::Key(_) | Word::Mark(_) | Word::Event => return Err(Fault::Early),
        }
    }
    Err(Fault::Early)
}

async fn converse(
    sink: SplitSink<WebSocket, Message>,
    mut messages: SplitStream<WebSocket>,
    line: Line,
    admitted: Admitted,
) {
    let Line { dialect, stream, ear, mouth } = line;
    let Admitted { mut start, greeting } = admitted;
    start.engine.config.playback_lead_ms = LEAD_MS;
    let (config, clock) = (&start.engine.config, start.engine.clock.clone());
    let _hold = start.engine.drain.hold();
    let _live = metrics::session_opened(dialect.name());
    let (speaker, playback) = loudspeaker(LOUDSPEAKER);
    let (events, outlet, ending) = downlink::channel(config.downlink_messages, config.downlink_bytes);
    let (marked, marks) = mpsc::channel(MARKS);
    let (reports, told) = mpsc::channel(REPORTS);
    let stall = config.stall();
    let downlink = Downlink {
        sink,
        dialect,
        stream,
        mouth,
        playback,
        outlet,
        ending,
        marks,
        reports,
        stall,
        clock: clock.clone(),
    };
    let speaking = AbortOnDropHandle::new(tokio::spawn(downlink.run().in_current_span()));

    let driver = Box::new(Driver::new(start, events, Some(speaker)));
    let uplink = Uplink::new(&mut messages, dialect, ear, marked, clock).stream();
    let first = stream::iter(greeting.map(|instructions| Incoming::Text(respond(&instructions))));
    driver.run(stream::select(first.chain(uplink).boxed(), ReceiverStream::new(told))).await;

    let _ = timeout(GOODBYE, future::join(read_rest(&mut messages), speaking)).await;
}

/// Asks for a reply by these instructions.
fn respond(instructions: &str) -> Utf8Bytes {
    serde_json::json!({"type": "response.create", "response": {"instructions": instructions}}).to_string().into()
}

async fn leave(mut sink: SplitSink<WebSocket, Message>, mut messages: SplitStream<WebSocket>, farewell: Farewell) {
    dismiss(&mut sink, farewell).await;
    read_rest(&mut messages).await;
}

/// Leaving unread bytes behind would reset the connection and lose the goodbye.
async fn read_rest(messages: &mut SplitStream<WebSocket>) {
    let _ = timeout(GOODBYE, messages.for_each(|_| future::ready(()))).await;
}
