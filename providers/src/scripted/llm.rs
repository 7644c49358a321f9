//! A language model that repeats what it was told, or reads from its script.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};

use super::{Calls, Faults, fault, pause};
use crate::{
    ProviderError,
    generate::{Outlet, generate},
    llm::{Finish, LlmCapabilities, Message, Prompt, Thought, ThoughtStream, Tool, ToolChoice, Usage},
};

const NAME: &str = "scripted/llm";

/// What the model says, and when.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LlmScript {
    /// Time to open a reply.
    pub open: Duration,
    /// Time from then to the first token.
    pub first: Duration,
    /// Time between tokens; a token is a word with the space after it.
    pub pace: Duration,
    /// Replies 1, 2, ….
    pub replies: Vec<Reply>,
    /// Every later reply.
    pub every: Reply,
    /// Whether it says that it can go on from what was said.
    pub continues: bool,
    /// What goes wrong.
    pub faults: Faults,
}

/// One reply.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Reply {
    /// `You said: …` with the person's last words; the demanded function with `{}` when one is demanded.
    #[default]
    Echo,
    /// These words.
    Text(String),
    /// These words, which may be none, then one call.
    Call {
        /// Said before the call.
        text: String,
        /// The function.
        name: String,
        /// Its arguments, passed on unread.
        arguments: String,
    },
}

/// A deterministic language model.
#[derive(Debug, Default)]
pub struct LanguageModel {
    script: LlmScript,
    calls: Calls,
}

impl LanguageModel {
    /// Plays `script`.
    pub fn new(script: LlmScript) -> Self {
        Self { script, calls: Calls::default() }
    }

    /// Replies asked for so far, refused ones included.
    pub fn calls(&self) -> u64 {
        self.calls.count()
    }
}

impl crate::LanguageModel for LanguageModel {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities { tools: true, continues: self.script.continues, models: vec!["echo".to_owned()] }
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let call = self.calls.begin();
        let fault = self.script.faults.of(call);
        let reply = usize::try_from(call - 1).ok().and_then(|index| self.script.replies.get(index));
        let reply = reply.unwrap_or(&self.script.every).clone();
        let telling = Telling::new(reply, &prompt, call, self.script.first, self.script.pace);
        async move {
            pause(self.script.open).await;
            fault::open(NAME, fault).await?;
            Ok(fault::strike(NAME, fault, generate(|out| telling.tell(out)), garbage()))
        }
        .boxed()
    }
}

impl Reply {
    /// The words, and the function with its arguments.
    fn resolve(self, prompt: &Prompt) -> (String, Option<(String, String)>) {
        match self {
            Self::Text(text) => (text, None),
            Self::Call { text, name, arguments } => (text, Some((name, arguments))),
            Self::Echo => match demanded(prompt) {
                Some(name) => (String::new(), Some((name, "{}".to_owned()))),
                None => (format!("You said: {}", last_words(prompt)), None),
            },
        }
    }
}

fn demanded(prompt: &Prompt) -> Option<String> {
    match &prompt.tool_choice {
        ToolChoice::Auto | ToolChoice::None => None,
        ToolChoice::Required => prompt.tools.first().map(|Tool { name, .. }| name.clone()),
        ToolChoice::Function(name) => Some(name.clone()),
    }
}

fn last_words(prompt: &Prompt) -> &str {
    let users = prompt.messages.iter().rev().filter_map(|message| match message {
        Message::User(text) => Some(text.as_str()),
        Message::System(_) | Message::Assistant(_) | Message::Call(_) | Message::Result { .. } => None,
    });
    users.into_iter().next().unwrap_or("nothing")
}

fn tokens_of(prompt: &Prompt) -> u32 {
    let words = prompt.messages.iter().map(|message| match message {
        Message::System(text) | Message::User(text) | Message::Assistant(text) => text.split_whitespace().count(),
        Message::Call(call) => call.arguments.split_whitespace().count(),
        Message::Result { output, .. } => output.split_whitespace().count(),
    });
    u32::try_from(words.sum::<usize>() + prompt.instructions.split_whitespace().count()).unwrap_or(u32::MAX)
}

/// A reply being told.
pub(super) struct Telling {
    text: String,
    function: Option<(String, String)>,
    call: u64,
    limit: u32,
    input_tokens: u32,
    first: Duration,
    pace: Duration,
}

impl Telling {
    /// Reply number `call`, its first word after `first`, each further one after `pace`.
    pub(super) fn new(reply: Reply, prompt: &Prompt, call: u64, first: Duration, pace: Duration) -> Self {
        let (text, function) = reply.resolve(prompt);
        let limit = prompt.max_output_tokens.unwrap_or(u32::MAX);
        Self { text, function, call, limit, input_tokens: tokens_of(prompt), first, pace }
    }

    pub(super) async fn tell(self, out: Outlet<Thought>) -> Result<(), ProviderError> {
        pause(self.first).await;
        let mut output_tokens = 0;
        let mut finish = Finish::Stop;
        for word in self.text.split_inclusive(' ') {
            if output_tokens == self.limit {
                finish = Finish::Length;
                break;
            }
            if output_tokens > 0 {
                pause(self.pace).await;
            }
            out.give(Thought::Text(word.to_owned())).await;
            output_tokens += 1;
        }
        if let (Some((name, arguments)), Finish::Stop) = (self.function, finish) {
            let call = format!("call_scripted_{}", self.call);
            out.give(Thought::CallStarted { call, name }).await;
            pause(self.pace).await;
            out.give(Thought::CallArguments(arguments)).await;
            out.give(Thought::CallDone).await;
            output_tokens += 1;
        }
        let usage = Usage { input_tokens: self.input_tokens, cached_tokens: 0, output_tokens };
        out.give(Thought::Usage(usage)).await;
        out.give(Thought::Finished(finish)).await;
        Ok(())
    }
}

/// Arguments of a call that never began, and no end.
fn garbage() -> Vec<Thought> {
    vec![Thought::CallArguments("{\"half".to_owned())]
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;
    use crate::{LanguageModel as _, scripted::Fault};

    async fn ask(model: &LanguageModel, prompt: Prompt) -> Vec<Thought> {
        model.reply(prompt).await.unwrap().map(Result::unwrap).collect().await
    }

    fn text_of(thoughts: &[Thought]) -> String {
        let texts = thoughts.iter().map(|thought| match thought {
            Thought::Text(text) => text.as_str(),
            Thought::CallStarted { .. }
            | Thought::CallArguments(_)
            | Thought::CallDone
            | Thought::Cited(_)
            | Thought::Acted(_)
            | Thought::Usage(_)
            | Thought::Finished(_) => "",
        });
        texts.collect()
    }

    fn said(text: &str) -> Prompt {
        Prompt { messages: vec![Message::User(text.to_owned())], ..Prompt::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn it_echoes_word_by_word_unless_scripted() {
        let model =
            LanguageModel::new(LlmScript { replies: vec![Reply::Text("Fine.".into())], ..LlmScript::default() });
        assert_eq!(text_of(&ask(&model, said("how are you")).await), "Fine.");
        let thoughts = ask(&model, said("go on")).await;
        assert_eq!(text_of(&thoughts), "You said: go on");
        assert_eq!(thoughts.len(), 4 + 2);
        assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::Stop)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_token_limit_cuts_the_words() {
        let thoughts =
            ask(&LanguageModel::default(), Prompt { max_output_tokens: Some(3), ..said("one two three") }).await;
        assert_eq!(text_of(&thoughts), "You said: one ");
        assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::Length)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_demanded_function_is_called() {
        let prompt = Prompt { tool_choice: ToolChoice::Function("look".into()), ..said("look up") };
        let thoughts = ask(&LanguageModel::default(), prompt).await;
        assert!(matches!(&thoughts[0], Thought::CallStarted { name, .. } if name == "look"));
        assert_eq!(thoughts[1], Thought::CallArguments("{}".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_reply_says_nothing_more() {
        let faults = Faults::always(Fault::Hang { after: 1 });
        let model = LanguageModel::new(LlmScript { faults, ..LlmScript::default() });
        let mut thoughts = model.reply(said("hello")).await.unwrap();
        assert_eq!(thoughts.next().await, Some(Ok(Thought::Text("You ".into()))));
        assert!(tokio::time::timeout(Duration::from_secs(3600), thoughts.next()).await.is_err());
    }
}
