//! The same for a model that hears and speaks by itself: while it speaks, it may have things looked up here.
//!
//! What one reply is to the session may be several to the model, with calls that are run between them. The model knows its own
//! calls and is told what came of them, also when nobody waits for that any more: a call without a result confuses it. Only what
//! neither changes anything nor is confidential is offered: a question of ours cannot be put in such a model's mouth to the letter.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, OptionFuture, join_all},
    stream::{self, BoxStream},
};
use tokio::{
    select,
    sync::{mpsc, watch},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Equipped, errand, offered,
    work::{Kind, LONGEST_ARGUMENTS, MOST_CALLS, MOST_ROUNDS},
};
use crate::{
    ProviderError, RealtimeModel,
    generate::{Outlet, generate},
    llm::{Call, Finish, Message, Thought, ToolChoice},
    passage,
    realtime::{Command, Event, EventStream, Manner, Opening, RealtimeCapabilities, Step},
    tool::{Ran, Toolbox},
};

impl RealtimeModel for Equipped<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        mut opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        let toolbox = self.toolbox.clone().filter(|_| self.inner.capabilities().tools);
        let Some(toolbox) = toolbox else { return self.inner.converse(opening, commands) };
        async move {
            let desk = Arc::new(Desk { toolbox, state: Mutex::default(), reply: watch::Sender::new(0) });
            desk.offer(&mut opening.manner).await;
            let (ours, added) = mpsc::channel(WAITING);
            let commands = desk.clone().told(commands, added);
            let events = self.inner.converse(opening, commands).await?;
            let work = Work { desk, ours };
            Ok(generate(|out| work.follow(events, out)))
        }
        .boxed()
    }
}

/// What both directions of a conversation know.
struct Desk {
    toolbox: Arc<dyn Toolbox>,
    state: Mutex<State>,
    /// The session's number of the reply that is wanted; 0 where none is.
    reply: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Names of what is run here.
    offered: BTreeSet<String>,
    /// What the reply that is wanted goes by.
    manner: Option<Box<Manner>>,
    /// The model's number of its last reply, and the session's of the same.
    model: u64,
    session: u64,
    /// How often calls were run in this reply.
    rounds: usize,
    /// How long it spoke before its last calls, and since.
    before: Duration,
    since: Duration,
}

/// What we tell the model.
enum Ours {
    /// What came of a call.
    Result(Message),
    /// It is to go on with the session's reply of this number.
    GoOn(u64),
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the tools there are. A model that cannot be told otherwise may still call those of before.
    async fn offer(&self, manner: &mut Manner) {
        let offered = offered(&*self.toolbox, &manner.tools, &manner.tool_choice).await;
        let fit = offered.into_iter().filter(|offered| !offered.writes && !offered.confidential);
        let mut state = self.state();
        state.offered.retain(|name| manner.tools.iter().all(|theirs| theirs.name != *name));
        for tool in fit.map(|offered| offered.tool) {
            state.offered.insert(tool.name.clone());
            manner.tools.push(tool);
        }
    }

    /// The session's number of the reply that this step of the model's belongs to, if it is the last one.
    fn passes(&self, model: u64, step: &Step) -> Option<u64> {
        let mut state = self.state();
        if let Step::Sound(clip) = step
            && model == state.model
        {
            state.since += clip.duration();
        }
        (model == state.model).then_some(state.session)
    }

    /// The session's commands with ours among them; they end with the session's.
    fn told(
        self: Arc<Self>,
        commands: BoxStream<'static, Command>,
        ours: mpsc::Receiver<Ours>,
    ) -> BoxStream<'static, Command> {
        let theirs = Arc::clone(&self);
        let commands = commands.then(move |command| {
            let desk = Arc::clone(&theirs);
            async move { desk.ordered(command).await }
        });
        let commands = commands.map(Some).chain(stream::iter([None]));
        let ours = ReceiverStream::new(ours).filter_map(move |ours| {
            let command = self.ours(ours);
            async move { command.map(Some) }
        });
        stream::select(commands, ours)
            .take_while(|command| std::future::ready(command.is_some()))
            .filter_map(std::future::ready)
            .boxed()
    }

    /// A command of the session as the model is to have it.
    async fn ordered(&self, command: Command) -> Command {
        match command {
            Command::Respond { reply, mut manner } => {
                self.offer(&mut manner).await;
                let mut state = self.state();
                let model = state.model + 1;
                let offered = std::mem::take(&mut state.offered);
                *state = State { offered, manner: Some(manner.clone()), model, session: reply, ..State::default() };
                drop(state);
                self.reply.send_replace(reply);
                Command::Respond { reply: model, manner }
            }
            Command::Cancel => {
                self.reply.send_replace(0);
                Command::Cancel
            }
            // The model knows of what it said after its last calls alone.
            Command::Truncate(heard) => Command::Truncate(heard.saturating_sub(self.state().before)),
            Command::Hear(_) | Command::Commit | Command::Discard | Command::Add(_) => command,
        }
    }

    /// A command of ours; to go on with a reply that is not wanted any more is none.
    fn ours(&self, ours: Ours) -> Option<Command> {
        match ours {
            Ours::Result(result) => Some(Command::Add(result)),
            Ours::GoOn(reply) => {
                let mut state = self.state();
                let mut manner = state.manner.clone().filter(|_| *self.reply.borrow() == reply)?;
                state.model += 1;
                state.rounds += 1;
                let since = std::mem::take(&mut state.since);
                state.before += since;
                if state.rounds == MOST_ROUNDS {
                    manner.tool_choice = ToolChoice::None;
                }
                Some(Command::Respond { reply: state.model, manner })
            }
        }
    }
}

/// What the model says on its way to the session.
struct Work {
    desk: Arc<Desk>,
    ours: mpsc::Sender<Ours>,
}

/// What the model calls in one reply of its own.
#[derive(Default)]
struct Calls {
    running: Option<Call>,
    made: Vec<Call>,
    /// Whether it called functions of the client.
    theirs: bool,
}

impl Work {
    /// Events are read on while calls are run: a model that nobody reads may read no commands, and so never learn that its reply is
    /// cancelled.
    async fn follow(self, mut events: EventStream, out: Outlet<Event>) -> Result<(), ProviderError> {
        let (mut calls, mut of) = (Calls::default(), 0);
        let mut errand = OptionFuture::<BoxFuture<'_, ()>>::default();
        loop {
            let event = select! { biased;
                event = events.next() => event,
                Some(()) = &mut errand => {
                    errand = OptionFuture::default();
                    continue;
                }
            };
            let Some(event) = event else { return Ok(()) };
            let Event { reply, step } = event?;
            // Stragglers of a reply that is over are nobody's.
            let Some(session) = self.desk.passes(reply, &step) else { continue };
            if std::mem::replace(&mut of, reply) != reply {
                calls = Calls::default();
            }
            let step = match step {
                Step::Thought(thought) => match self.heard(&mut calls, thought) {
                    Some(Thought::Finished(Finish::Stop)) if !calls.made.is_empty() => {
                        let Calls { made, theirs, .. } = std::mem::take(&mut calls);
                        // What is left of another errand is to say that nobody waits for it.
                        errand.await;
                        errand = Some(self.run(session, made, theirs, &out).boxed()).into();
                        continue;
                    }
                    Some(thought) => Step::Thought(thought),
                    None => continue,
                },
                step @ (Step::Sound(_) | Step::Failed(_)) => step,
            };
            out.give(Event { reply: session, step }).await;
        }
    }

    /// What the session hears of a thought: all but calls that are run here.
    fn heard(&self, calls: &mut Calls, thought: Thought) -> Option<Thought> {
        match (thought, &mut calls.running) {
            (Thought::CallStarted { call, name }, running) if self.desk.state().offered.contains(&name) => {
                *running = Some(Call { call, name, arguments: String::new() });
            }
            (Thought::CallArguments(delta), Some(call)) => {
                // Cut, it is no JSON, which is told.
                if call.arguments.len() + delta.len() <= LONGEST_ARGUMENTS {
                    call.arguments.push_str(&delta);
                }
            }
            (Thought::CallDone, running @ Some(_)) => calls.made.extend(running.take()),
            (thought, _) => {
                calls.theirs |= matches!(thought, Thought::CallStarted { .. });
                return Some(thought);
            }
        }
        None
    }

    /// Runs calls, tells the model what came of them, and has it go on with the reply. That ends where the client has to run some as
    /// well, or where it has called often enough.
    async fn run(&self, reply: u64, made: Vec<Call>, theirs: bool, out: &Outlet<Event>) {
        let enough = self.desk.state().rounds >= MOST_ROUNDS;
        let run = async |at: usize, call: Call| {
            let ran = match at {
                0..MOST_CALLS if !enough => errand::run(&*self.desk.toolbox, &call).await,
                _ => Ran::failed("too many calls: answer with what there is"),
            };
            errand::act(call, Kind { writes: false, confidential: false }, read_for_speech(ran)).0
        };
        let all = join_all(made.iter().cloned().enumerate().map(|(at, call)| run(at, call)));
        let Some(acts) = self.while_wanted(reply, all).await else {
            for call in made {
                self.told(call.call, "Error: nobody waits for it any more".to_owned()).await;
            }
            return;
        };
        for act in acts {
            self.told(act.call.call.clone(), act.output.clone()).await;
            out.give(Event { reply, step: Step::Thought(Thought::Acted(errand::kept(act))) }).await;
        }
        if theirs || enough {
            out.give(Event { reply, step: Step::Thought(Thought::Finished(Finish::Stop)) }).await;
        } else {
            self.tell(Ours::GoOn(reply)).await;
        }
    }

    /// What comes of `work`, unless its reply is cancelled first.
    async fn while_wanted<T>(&self, reply: u64, work: impl Future<Output = T>) -> Option<T> {
        let mut wanted = self.desk.reply.subscribe();
        let cancelled = async move { drop(wanted.wait_for(|wanted| *wanted != reply).await) };
        select! { biased;
            () = cancelled => None,
            done = work => Some(done),
        }
    }

    async fn told(&self, call: String, output: String) {
        self.tell(Ours::Result(Message::Result { call, output })).await;
    }

    /// Waits while the vendor takes nothing. Who is gone is told nothing: the conversation is over.
    async fn tell(&self, ours: Ours) {
        let _ = self.ours.send(ours).await;
    }
}

/// What was found stands in the result: such a model has no other place for it.
fn read_for_speech(ran: Ran) -> Ran {
    match passage::written_for_speech(&ran.passages) {
        Some(passages) => Ran { output: passages, passages: Vec::new(), ..ran },
        None => ran,
    }
}

/// Results of a round and the word to go on, before the vendor takes any.
const WAITING: usize = MOST_CALLS + 1;

#[cfg(test)]
mod tests;
