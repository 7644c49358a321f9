//! The async shell of a session: waits, and obeys what the session decides.
//!
//! One task owns one session. What it waits for stands in [`Driver::run`] in the order of its importance; how it obeys
//! stands in `obey`, which never waits. The client's messages are one ordered stream, of which one is in hand at most.

mod controllers;
mod deadline;
mod hand;
mod obey;

use std::{pin::pin, sync::Arc, time::Instant};

use futures_util::{Stream, StreamExt};
use tokio::{select, sync::mpsc};

use self::{
    controllers::{Controllers, Source},
    deadline::{Alarm, Deadlines, Due},
    hand::{Hand, Read, Ready},
};
use super::{
    admission::Pass,
    dossier::Dossier,
    egress::Egress,
    engine::{Engine, Providers},
    history::History,
    ingest::Ingest,
    loudspeaker::Speaker,
    offer::Offer,
    protocol::{self, Encoder},
    session::{
        Input, LEAST_COMMIT, Output, Session,
        ids::TurnId,
        input::{CloseReason, Command, Request, Spoken},
        output::{ClientError, Event},
        settings::{Kind, Mind, Player},
    },
    transport::{
        Incoming, Start,
        downlink::{Downlink, Farewell},
    },
    workers::{Fed, Recall, Report, Workers},
};
use crate::metrics::{self, Loss, Queue};

/// Workers' reports taken in one turn of the loop, so that a client's flood of messages does not starve them.
const ROUND: usize = 8;

/// All that a session is to its connection: the decisions, the bytes they are about and the workers they need.
pub(crate) struct Driver {
    engine: Engine,
    pass: Pass,
    session: Session,
    offer: Offer,
    ingest: Ingest,
    /// The turn whose audio is kept, while the microphone is in it.
    held: Option<TurnId>,
    egress: Egress,
    workers: Workers,
    inbox: mpsc::Receiver<Report>,
    history: History,
    encoder: Encoder,
    downlink: Downlink,
    /// Where we play; else the client does, and is sent the sound.
    speaker: Option<Speaker>,
    controllers: Controllers,
    hand: Hand,
    /// Whose message is in hand, or was last.
    source: Source,
    deadlines: Deadlines,
    /// Decided and not yet obeyed; empty but for the length of a call.
    out: Vec<Output>,
    /// When the message at hand was read. What is left of it for later is held up on purpose.
    came: Option<Instant>,
    /// When a provider gave the sound at hand, if none of that reply waits before it.
    given: Option<Instant>,
    state: State,
    /// Whose message is acted upon, for the length of a call.
    answering: Option<Source>,
    /// What is told says again what the client said.
    echoing: bool,
    tally: Tally,
}

/// How far the session is from its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It goes on.
    Open,
    /// It is to end for this reason once the outputs at hand are obeyed.
    Failing(CloseReason),
    /// It is over.
    Closed(CloseReason, Farewell),
}

/// For the log.
#[derive(Default)]
struct Tally {
    messages: u64,
    responses: u64,
}

impl Driver {
    /// A session that has just begun.
    pub(crate) fn new(start: Start, downlink: Downlink, speaker: Option<Speaker>) -> Self {
        let Start { engine, mut providers, mut pass, settings, past, offer, dialect } = start;
        let controllers = Controllers::new(pass.arrivals());
        let now = engine.clock.now();
        let (config, live) = (&engine.config, pass.live());
        let advice = providers.turn.is_some();
        // Where nobody answers, nobody needs to hear by themselves.
        if settings.kind == Kind::Transcription {
            providers.realtime = None;
        }
        let mind = mind(&providers);
        let ingest = Ingest::new(&settings.input, config.hearing(advice));
        let providers = providers.metered(pass.tally());
        let history =
            History::open(engine.ledger.clone(), &pass, &settings.model, engine.clock.clone(), engine.drain.hold());
        let expires_at = engine.clock.unix() + config.longest_session_secs;
        let encoder = Encoder::new(live.name(), expires_at).in_dialect(dialect);
        let dossier = Dossier::of(engine.dossiers.clone(), live, engine.clock.clone());
        let conversation = live.conversation.unwrap_or(live.id);
        let toolbox = engine.toolboxes.as_ref().map(|all| all.of(&live.principal, conversation));
        let recall = Recall { memory: engine.memories.of(conversation.as_u128()), window: config.context_tokens };
        let (lead, patience) = (config.synthesis_lead(), config.patience());
        let (workers, inbox) = Workers::new(providers, engine.clock.clone(), patience, lead, dossier, recall, toolbox);
        let mut out = Vec::new();
        let player = if speaker.is_some() { Player::Relay } else { Player::Client };
        let profile = config.profile(player, Arc::new(settings), advice, mind, seed(&pass));
        let mut session = Session::new(now, profile, &mut out);
        session.recall(past);
        let deadlines = Deadlines::new(now, config);
        Self {
            engine,
            pass,
            session,
            offer,
            ingest,
            held: None,
            egress: Egress::default(),
            workers,
            inbox,
            history,
            encoder,
            downlink,
            speaker,
            controllers,
            hand: Hand::default(),
            source: Source::Client,
            deadlines,
            out,
            came: None,
            given: None,
            state: State::Open,
            answering: None,
            echoing: false,
            tally: Tally::default(),
        }
    }

    /// Runs the session to its end; says goodbye, but leaves it to the transport to wait for it to be sent. Boxed: a future
    /// keeps room for what it is given twice.
    pub(crate) async fn run(mut self: Box<Self>, mut uplink: impl Stream<Item = Incoming> + Unpin) {
        let began = self.engine.clock.now();
        tracing::info!(principal = %self.pass.live().principal, "session opened");
        self.obey_all();
        let (mut ended, mut drained) = (pin!(self.pass.ended()), pin!(self.engine.drain.begun()));
        let mut alarm = Alarm::new(self.engine.clock.clone(), began);
        while !matches!(self.state, State::Closed(..)) {
            let unheard = self.ingest.has_next();
            let now = self.engine.clock.now();
            alarm.set(self.deadlines.next(self.session.next_wake(), now, self.workers.is_full()), now);
            select! { biased;
                // 1. Who may end the session: rare, and never behind the client's backlog.
                reason = &mut ended => self.handle(Input::Close(reason)),
                () = &mut drained, if !self.deadlines.is_draining() => self.deadlines.drain(now),
                // 2. Deadlines: ready only when due, so they cannot starve what follows.
                () = alarm.ring() => self.wake(),
                // 3. The client's word, in its order: the next message only when nothing is in hand.
                incoming = uplink.next(), if self.hand.is_empty() && !unheard => self.receive(incoming),
                // 4. The word of whoever else controls the session.
                word = self.controllers.next(), if self.hand.is_empty() && !unheard => self.attend(word),
                // 5. The microphone: a slice of what is in hand.
                ready = self.hand.ready(&self.workers, &self.downlink, unheard) => self.proceed(ready),
                // 6. Everyone else.
                Some(report) = self.inbox.recv() => self.take(report),
            }
            self.take_round();
            self.leave_if_drained();
        }
        self.finish(began);
    }

    /// Something came from the client, or it is gone.
    fn receive(&mut self, incoming: Option<Incoming>) {
        let now = self.engine.clock.now();
        self.deadlines.alive(now);
        self.source = Source::Client;
        match incoming {
            Some(Incoming::Text(text)) => {
                self.tally.messages += 1;
                if let Some(read) = self.hand.take(text, self.encoder.dialect(), self.session.settings()) {
                    self.came = Some(now);
                    self.act(read);
                    self.came = None;
                }
            }
            Some(Incoming::Frame(frame)) => {
                self.came = Some(now);
                self.ingest.push(&frame);
                self.listen();
                self.came = None;
            }
            Some(Incoming::Pressed(key)) => {
                let at = self.engine.clock.unix();
                self.handle(Input::Pressed { key, at });
            }
            Some(Incoming::Lag(lag)) => self.handle(Input::Lag(lag)),
            Some(Incoming::Binary) => {
                self.answering = Some(Source::Client);
                self.refuse(protocol::error::binary_frame());
                self.answering = None;
            }
            Some(Incoming::Alive) => {}
            Some(Incoming::Broken(farewell)) => {
                self.handle(Input::Close(CloseReason::Hangup));
                self.state = State::Closed(CloseReason::Hangup, farewell);
            }
            Some(Incoming::Stalled) => self.handle(Input::Close(CloseReason::SlowReader)),
            Some(Incoming::Gone) | None => self.handle(Input::Close(CloseReason::Hangup)),
        }
    }

    fn proceed(&mut self, ready: Ready) {
        // A client that is being heard is alive, whether or not its next message is read.
        self.deadlines.alive(self.engine.clock.now());
        match ready {
            Ready::Read(read) => self.act(read),
            Ready::Sound => self.hear(),
        }
    }

    fn act(&mut self, read: Read) {
        self.answering = Some(self.source);
        match read {
            Read::Sound if self.source != Source::Client => {
                self.hand.discard();
                self.refuse(protocol::error::no_microphone());
            }
            Read::Sound => self.hear(),
            Read::Command(command) => match self.offer.allows(self.session.settings(), &command) {
                Ok(()) => self.carry_out(command),
                Err(error) => self.refuse(error),
            },
            Read::Refused(error) => self.refuse(error),
        }
        self.answering = None;
    }

    fn carry_out(&mut self, command: Command) {
        if echoes(&command.request) && !self.downlink.is_settled() {
            self.hand.keep(command);
        } else {
            self.command(command);
        }
    }

    fn command(&mut self, command: Command) {
        // What was appended up to here is what the client means, down to the last begun frame. A commit of too little is
        // refused, and leaves that frame as it is: what is appended next completes it.
        let commits = command.request == Request::Commit;
        if commits {
            self.handle(Input::Begun(self.ingest.begun()));
        }
        if command.request == Request::Clear || commits && self.session.buffered() >= LEAST_COMMIT {
            self.ingest.settle();
            self.listen();
        }
        let updates = matches!(command.request, Request::Update(_));
        self.echoing = echoes(&command.request);
        self.handle(Input::Command(command));
        self.echoing = false;
        if updates {
            self.ingest.configure(&self.session.settings().input);
        }
    }

    /// Hears the next slice of the sound in hand.
    fn hear(&mut self) {
        let length = self.ingest.slice();
        if !self.ingest.has_next() {
            self.ingest.take(self.hand.slice(length));
        }
        self.listen();
    }

    /// Takes the frames that are there one by one, each with all that follows from it, as long as workers take them.
    fn listen(&mut self) {
        let mut fed = Fed::All;
        while fed == Fed::All && self.state == State::Open {
            let Some(heard) = self.ingest.next() else { return };
            self.handle(Input::Heard(heard));
            fed = self.feed();
        }
    }

    fn feed(&mut self) -> Fed {
        let Self { workers, ingest, came, .. } = self;
        workers.feed(*came, |from| ingest.since(from))
    }

    /// Takes the reports that are there.
    fn take_round(&mut self) {
        if !self.inbox.is_empty() {
            metrics::queue_depth(Queue::Inbox, self.inbox.len());
        }
        for _ in 0..ROUND {
            let Ok(report) = self.inbox.try_recv() else { return };
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Input(input) => self.handle(input),
            Report::Sound { response, clause, samples, given } => {
                let at_once = !self.egress.waits(&response);
                // A response that is over has no queue, and its stragglers no listener.
                if let Some(length) = self.egress.queue(&response, &samples) {
                    self.given = at_once.then_some(given);
                    self.handle(Input::Spoken { response, event: Spoken::Audio { clause, length } });
                    self.given = None;
                }
            }
        }
    }

    fn wake(&mut self) {
        let now = self.engine.clock.now();
        match self.deadlines.due(now) {
            Due::Tick => self.handle(Input::Tick),
            Due::Expiry => {
                let minutes = self.engine.config.longest_session_secs / 60;
                self.refuse(protocol::error::session_expired(minutes));
                self.handle(Input::Close(CloseReason::Expired));
            }
            Due::Vanished => self.handle(Input::Close(CloseReason::Hangup)),
            Due::Drained => self.handle(Input::Close(CloseReason::Drain)),
            Due::Deaf => {
                for (failed, lost) in self.workers.give_up(self.ingest.position()) {
                    metrics::audio_dropped(Loss::Transcriber, lost);
                    self.handle(failed);
                }
            }
        }
    }

    /// The door between what happens and what is decided: every input passes here, with its time.
    fn handle(&mut self, input: Input) {
        if matches!(self.state, State::Closed(..)) {
            return;
        }
        if let Input::Transcript { turn, event: Ok(providers::stt::Transcript::Final(_)) | Err(_) } = &input {
            self.workers.forget_turn(*turn);
        }
        let (before, name) = (self.session.state(), name(&input));
        self.session.handle(self.engine.clock.now(), input, &mut self.out);
        let after = self.session.state();
        if before != after {
            tracing::debug!(outputs = self.out.len(), "{before} --{name}--> {after}");
        }
        self.obey_all();
        if let State::Failing(reason) = self.state {
            self.session.handle(self.engine.clock.now(), Input::Close(reason), &mut self.out);
            self.obey_all();
            self.close(reason);
        }
    }

    /// Tells the client of a mistake that is none of the session's business.
    fn refuse(&mut self, error: ClientError) {
        self.tell(&Event::Error(error));
    }

    fn leave_if_drained(&mut self) {
        if self.deadlines.is_draining() && self.workers.count() == 0 {
            self.handle(Input::Close(CloseReason::Drain));
        }
    }

    fn finish(self, began: Instant) {
        let State::Closed(reason, farewell) = self.state else { return };
        let lasted = self.engine.clock.now() - began;
        tracing::info!(
            ?reason,
            code = farewell.code,
            lasted_ms = lasted.as_millis(),
            heard_ms = self.ingest.position().as_millis(),
            messages = self.tally.messages,
            responses = self.tally.responses,
            "session closed"
        );
        self.controllers.close(farewell);
        match reason {
            CloseReason::SlowReader => {
                metrics::slow_reader();
                self.downlink.cut(farewell);
            }
            CloseReason::Hangup
            | CloseReason::Expired
            | CloseReason::Drain
            | CloseReason::Kicked
            | CloseReason::Replaced
            | CloseReason::Internal => self.downlink.close(farewell),
        }
    }
}

/// Whether the answer is as long as what the client says, or said before.
const fn echoes(request: &Request) -> bool {
    match request {
        Request::Update(_) | Request::Create { .. } | Request::Retrieve(_) => true,
        Request::Commit
        | Request::Clear
        | Request::Truncate { .. }
        | Request::Delete(_)
        | Request::Respond(_)
        | Request::Cancel(_)
        | Request::ClearOutput => false,
    }
}

/// What happened, for the log of transitions. Says nothing of what was said.
const fn name(input: &Input) -> &'static str {
    match input {
        Input::Tick => "tick",
        Input::Heard(_) => "heard",
        Input::Begun(_) => "begun",
        Input::Lag(_) => "lag",
        Input::Pressed { .. } => "pressed",
        Input::Command(_) => "command",
        Input::Transcript { .. } => "transcript",
        Input::Advice { .. } => "advice",
        Input::Thought { .. } => "thought",
        Input::Spoken { .. } => "spoken",
        Input::Close(_) => "close",
    }
}

/// Who makes the replies of a session with these providers.
fn mind(providers: &Providers) -> Mind {
    providers.realtime.as_ref().map_or(Mind::Cascade, |model| Mind::Native { text: model.capabilities().text })
}

/// Ids of a session need to differ from those of any other, not to be secret.
fn seed(pass: &Pass) -> u64 {
    let (high, low) = pass.live().id.as_u64_pair();
    high.rotate_left(32) ^ low
}
