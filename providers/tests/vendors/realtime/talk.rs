//! A conversation as tests hold it: commands in, steps out.

use futures_util::StreamExt;
use providers::{
    ProviderError, RealtimeModel,
    llm::{Message, Thought, ToolChoice},
    realtime::{Command, Event, EventStream, Manner, Opening, Step},
    tts::Voice,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// A conversation under way.
pub(crate) struct Talk {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) events: EventStream,
}

impl Talk {
    pub(crate) async fn open(model: &dyn RealtimeModel) -> Result<Self, ProviderError> {
        Self::open_with(model, opening()).await
    }

    pub(crate) async fn open_with(model: &dyn RealtimeModel, opening: Opening) -> Result<Self, ProviderError> {
        let (commands, told) = mpsc::channel(256);
        let events = model.converse(opening, ReceiverStream::new(told).boxed()).await?;
        Ok(Self { commands, events })
    }

    pub(crate) async fn tell(&self, command: Command) {
        self.commands.send(command).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Result<Event, ProviderError> {
        self.events.next().await.expect("a conversation never ends by itself without an error")
    }

    /// The steps of this reply to its end; steps of others are none of its.
    pub(crate) async fn reply(&mut self, number: u64) -> Result<Vec<Step>, ProviderError> {
        let mut steps = Vec::new();
        loop {
            let event = self.next().await?;
            if event.reply != number {
                continue;
            }
            let over = is_last(&event.step);
            steps.push(event.step);
            if over {
                return Ok(steps);
            }
        }
    }
}

/// Whether a reply ends with this.
pub(crate) fn is_last(step: &Step) -> bool {
    matches!(step, Step::Thought(Thought::Finished(_)) | Step::Failed(_))
}

pub(crate) fn manner() -> Manner {
    Manner {
        instructions: "Be kind.".into(),
        aside: None,
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        voice: Some(Voice { name: "tone".into(), language: None, speed: 1.0 }),
        max_output_tokens: None,
    }
}

pub(crate) fn opening() -> Opening {
    Opening { model: None, manner: manner(), history: Vec::new() }
}

pub(crate) fn respond(reply: u64) -> Command {
    Command::Respond { reply, manner: Box::new(manner()) }
}

pub(crate) fn say(text: &str) -> Command {
    Command::Add(Message::User(text.into()))
}

/// The words of a reply.
pub(crate) fn words(steps: &[Step]) -> String {
    let texts = steps.iter().filter_map(|step| match step {
        Step::Thought(Thought::Text(text)) => Some(text.as_str()),
        Step::Thought(_) | Step::Sound(_) | Step::Failed(_) => None,
    });
    texts.collect()
}
