//! What goes to the vendor, in an order that it takes.

use std::{collections::VecDeque, sync::Arc};

use audio::Frame;
use futures_util::{StreamExt, stream::BoxStream};
use serde_json::Value;

use super::{
    line::{Line, Shared},
    wire,
};
use crate::{ProviderError, dialogue::BEGIN, llm::Message, net::ws::Sender, realtime::Command};

pub(super) struct Mouth {
    line: Line,
    sender: Sender,
    shared: Arc<Shared>,
    /// What was said before, as long as the vendor was told nothing: it takes a history only at the beginning.
    past: Option<Vec<Message>>,
    activity: Activity,
    /// Heard when it would have been out of place.
    held: VecDeque<Frame>,
    /// Typed since the last reply was asked for: role, text.
    typed: Vec<(&'static str, String)>,
}

/// The person's turn as the vendor knows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Activity {
    None,
    Open,
    /// Open still, for its end asks for the reply.
    Committed,
}

impl Mouth {
    /// Tells this past before anything else.
    pub(super) fn new(line: Line, sender: Sender, shared: Arc<Shared>, past: Vec<Message>) -> Self {
        let (held, typed) = (VecDeque::new(), Vec::new());
        Self { line, sender, shared, past: Some(past), activity: Activity::None, held, typed }
    }

    pub(super) async fn tell(mut self, mut commands: BoxStream<'static, Command>) -> Result<(), ProviderError> {
        loop {
            tokio::select! { biased;
                () = self.shared.idle.notified(), if !self.held.is_empty() => {
                    if !self.waits() {
                        self.release().await?;
                    }
                }
                command = commands.next() => match command {
                    Some(command) => self.obey(command).await?,
                    None => {
                        self.sender.leave();
                        return Ok(());
                    }
                },
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), ProviderError> {
        match command {
            Command::Hear(frame) => {
                self.held.push_back(frame);
                if self.waits() && self.held.len() < HELD { Ok(()) } else { self.release().await }
            }
            Command::Commit => {
                self.release().await?;
                if self.activity == Activity::Open {
                    self.activity = Activity::Committed;
                }
                Ok(())
            }
            Command::Discard => {
                self.held.clear();
                Ok(())
            }
            Command::Add(message) => {
                self.add(message);
                Ok(())
            }
            // The vendor keeps what it had sent when it was interrupted, and cannot be told otherwise.
            Command::Truncate(_) => Ok(()),
            Command::Respond { reply, .. } => self.ask(reply).await,
            Command::Cancel => {
                self.shared.turns().cancel();
                // The person's voice is what interrupts; without it the vendor's words are merely not heard.
                if self.waits() { Ok(()) } else { self.release().await }
            }
        }
    }

    /// Whether sound must wait: it would interrupt, run into the turn before, or come before the history.
    fn waits(&self) -> bool {
        self.past.is_some() || self.activity == Activity::Committed || self.shared.turns().is_replying()
    }

    fn add(&mut self, message: Message) {
        if let Some(past) = &mut self.past {
            return past.push(message);
        }
        match message {
            Message::User(text) => self.typed.push(("user", text)),
            Message::Assistant(text) => self.typed.push(("model", text)),
            Message::System(text) => self.typed.push(("user", format!("[Instructions] {text}"))),
            // The model knows its own; of another's, the answer tells.
            Message::Call(_) => {}
            Message::Result { call, output } => {
                if !self.shared.turns().answer(&call, &output) {
                    self.typed.push(("user", format!("[A function answered] {output}")));
                }
            }
        }
    }

    /// Tells what was said before, but for what the person typed last where that is to be answered.
    async fn tell_past(&mut self, asking: bool) -> Result<(), ProviderError> {
        let Some(mut past) = self.past.take() else { return Ok(()) };
        if asking {
            let answered = past.iter().rposition(|message| !matches!(message, Message::User(_)));
            let typed = past.split_off(answered.map_or(0, |last| last + 1));
            typed.into_iter().for_each(|message| self.add(message));
        }
        let mut turns = wire::turns(&past);
        let seeds = self.line.settings.realtime_text;
        if turns.is_empty() && !seeds {
            return Ok(());
        }
        if turns.is_empty() {
            // It waits for one.
            turns.push(wire::turn("user", BEGIN));
        }
        self.sender.text(wire::content(&turns, seeds)).await
    }

    /// What was heard goes out.
    async fn release(&mut self) -> Result<(), ProviderError> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.tell_past(false).await?;
        if self.activity == Activity::None {
            self.say_typed(false).await?;
        }
        if self.activity == Activity::None {
            self.begin().await?;
        }
        while let Some(frame) = self.held.pop_front() {
            self.sender.text(wire::sound(frame.samples())).await?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), ProviderError> {
        self.activity = Activity::Open;
        self.shared.turns().activity = true;
        self.sender.text(wire::activity_start()).await
    }

    async fn end(&mut self) -> Result<(), ProviderError> {
        self.activity = Activity::None;
        self.shared.turns().activity = false;
        self.sender.text(wire::activity_end()).await
    }

    async fn ask(&mut self, reply: u64) -> Result<(), ProviderError> {
        self.tell_past(self.activity == Activity::None).await?;
        let answers = {
            let mut turns = self.shared.turns();
            let answers = turns.answers();
            turns.ask(reply, !answers.is_empty());
            answers
        };
        if !answers.is_empty() {
            self.sender.text(wire::results(&answers)).await?;
        }
        match self.activity {
            Activity::Open | Activity::Committed => {
                self.say_typed(false).await?;
                self.end().await
            }
            Activity::None if answers.is_empty() => self.say_typed(true).await,
            Activity::None => Ok(()),
        }
    }

    /// What was typed goes out; `asking`, it wants a reply.
    async fn say_typed(&mut self, asking: bool) -> Result<(), ProviderError> {
        let typed = std::mem::take(&mut self.typed);
        if self.line.settings.realtime_text {
            return self.say_live(&typed, asking).await;
        }
        if typed.is_empty() && !asking {
            return Ok(());
        }
        let turns: Vec<Value> = typed.iter().map(|(role, text)| wire::turn(role, text)).collect();
        self.sender.text(wire::content(&turns, asking)).await
    }

    /// The same for models that take words only as the person's, and only as live as sound.
    async fn say_live(&mut self, typed: &[(&'static str, String)], asking: bool) -> Result<(), ProviderError> {
        let own =
            |(role, text): &(&str, String)| if *role == "model" { format!("[You said] {text}") } else { text.clone() };
        let mut texts: Vec<_> = typed.iter().map(own).collect();
        if texts.is_empty() && asking {
            texts.push(BEGIN.to_owned());
        }
        if texts.is_empty() {
            return Ok(());
        }
        if self.activity == Activity::None {
            self.begin().await?;
        }
        for text in texts {
            self.sender.text(wire::text(&text)).await?;
        }
        if asking { self.end().await } else { Ok(()) }
    }
}

/// Frames held, 30 seconds. Overflow rule: they are sent, and interrupt.
const HELD: usize = 1_500;
