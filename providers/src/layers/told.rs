//! Engines that are told what stands beside a conversation, of what is confidential only those that are cleared.
//!
//! Adapters do not read that part of a prompt: whoever is not wrapped in one of these never sees it. Here it joins the
//! instructions, and what a vendor then says of the request is not repeated where it quotes it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};

use crate::{
    LanguageModel, ProviderError, RealtimeModel,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    passage,
    realtime::{Command, Event, EventStream, Manner, Opening, RealtimeCapabilities, Step},
};

/// An engine that is told what it may be.
pub struct Told<T: ?Sized> {
    inner: Arc<T>,
    cleared: bool,
}

impl<T: ?Sized> Told<T> {
    /// Tells `inner` what stands beside a conversation; what is confidential of it if it is cleared.
    pub const fn new(inner: Arc<T>, cleared: bool) -> Self {
        Self { inner, cleared }
    }
}

impl LanguageModel for Told<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, mut prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let told = prompt.aside.take().and_then(|aside| aside.expose(self.cleared));
        // What it reads of passages is text; they stay with the prompt for an engine that has no instructions.
        let found = prompt.passages.as_deref().and_then(passage::written);
        let parts: Vec<_> = [told, found].into_iter().flatten().collect();
        if !parts.is_empty() {
            prompt.instructions = joined(&prompt.instructions, &parts.join("\n\n"));
        }
        let withheld = std::mem::take(&mut prompt.withheld);
        let results = if self.cleared {
            withheld.expose(&mut prompt.tools, &mut prompt.messages)
        } else {
            withheld.hide(&mut prompt.messages);
            Vec::new()
        };
        let told: Vec<_> = parts.into_iter().chain(results).collect();
        if told.is_empty() {
            return self.inner.reply(prompt);
        }
        let told = told.join("\n\n");
        async move {
            let thoughts = self.inner.reply(prompt).await.map_err(|error| discreet(error, &told))?;
            Ok(thoughts.map(move |thought| thought.map_err(|error| discreet(error, &told))).boxed())
        }
        .boxed()
    }
}

impl RealtimeModel for Told<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        let secrets = Secrets { cleared: self.cleared, all: Arc::default() };
        let opening = Opening { manner: secrets.tell(opening.manner), ..opening };
        let telling = secrets.clone();
        let commands = commands.map(move |command| match command {
            Command::Respond { reply, manner } => Command::Respond { reply, manner: Box::new(telling.tell(*manner)) },
            Command::Hear(_)
            | Command::Commit
            | Command::Discard
            | Command::Add(_)
            | Command::Truncate(_)
            | Command::Cancel => command,
        });
        async move {
            let events =
                self.inner.converse(opening, commands.boxed()).await.map_err(|error| secrets.discreet(error))?;
            let discreet = move |event: Result<Event, ProviderError>| match event {
                Ok(Event { reply, step: Step::Failed(error) }) => {
                    Ok(Event { reply, step: Step::Failed(secrets.discreet(error)) })
                }
                other => other.map_err(|error| secrets.discreet(error)),
            };
            Ok(events.map(discreet).boxed())
        }
        .boxed()
    }
}

/// All that was told in a conversation: its replies may differ in that.
#[derive(Clone)]
struct Secrets {
    cleared: bool,
    all: Arc<Mutex<Vec<String>>>,
}

impl Secrets {
    fn tell(&self, mut manner: Manner) -> Manner {
        if let Some(told) = manner.aside.take().and_then(|aside| aside.expose(self.cleared)) {
            manner.instructions = joined(&manner.instructions, &told);
            let mut all = self.lock();
            if !all.contains(&told) {
                all.truncate(KEPT - 1);
                all.insert(0, told);
            }
        }
        manner
    }

    fn discreet(&self, error: ProviderError) -> ProviderError {
        self.lock().iter().fold(error, |error, told| discreet(error, told))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn joined(instructions: &str, told: &str) -> String {
    if instructions.trim().is_empty() { told.to_owned() } else { format!("{}\n\n{told}", instructions.trim_end()) }
}

/// The error without a vendor's words that repeat what was told.
fn discreet(error: ProviderError, told: &str) -> ProviderError {
    if !quotes(&error.detail, told) {
        return error;
    }
    // What goes before the vendor's own words: `status 400`.
    let ours = error.detail.split_once(": ").map(|(ours, _)| ours).filter(|ours| !quotes(ours, told));
    let withheld = "what the vendor says is withheld: it quotes what is confidential";
    let detail = ours.map_or_else(|| withheld.to_owned(), |ours| format!("{ours}: {withheld}"));
    ProviderError { detail, ..error }
}

/// Whether `said` has a run of letters in common with what was told. Blanks and case count for nothing.
fn quotes(said: &str, told: &str) -> bool {
    let letters = |text: &str| -> Vec<char> {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (said, told) = (letters(said), letters(told));
    let runs: BTreeSet<&[char]> = said.windows(RUN).collect();
    told.windows(RUN).any(|run| runs.contains(run))
}

/// Letters and digits in a row that are taken for a quotation: shorter than most diagnoses and medicines. What is withheld in
/// error costs a line of the log its detail.
const RUN: usize = 7;

/// Newest of what was told that are remembered.
const KEPT: usize = 8;

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::{Aside, ErrorKind, llm::ToolChoice};

    const TOLD: &str = "Medications:\n- warfarin 5 mg";

    /// Notes the instructions it is given, and fails quoting them.
    #[derive(Default)]
    struct Gossip(Mutex<Vec<String>>);

    impl Gossip {
        fn hears(&self, instructions: &str) -> ProviderError {
            self.0.lock().unwrap().push(instructions.to_owned());
            ProviderError::new("gossip", ErrorKind::Rejected, format!("status 400: what is `{instructions}`?"))
        }
    }

    impl LanguageModel for Gossip {
        fn capabilities(&self) -> LlmCapabilities {
            LlmCapabilities::default()
        }

        fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
            assert_eq!(prompt.aside, None);
            let failed = self.hears(&prompt.instructions);
            async { Ok(stream::iter([Err(failed)]).boxed()) }.boxed()
        }
    }

    impl RealtimeModel for Gossip {
        fn capabilities(&self) -> RealtimeCapabilities {
            RealtimeCapabilities::default()
        }

        fn converse(
            &self,
            opening: Opening,
            commands: BoxStream<'static, Command>,
        ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
            self.hears(&opening.manner.instructions);
            async move {
                let asked: Vec<_> = commands.collect().await;
                let events = asked.into_iter().filter_map(|command| {
                    let Command::Respond { reply, manner } = command else { return None };
                    Some(Ok(Event { reply, step: Step::Failed(self.hears(&manner.instructions)) }))
                });
                Ok(stream::iter(events.collect::<Vec<_>>()).boxed())
            }
            .boxed()
        }
    }

    fn manner(told: Option<&str>) -> Manner {
        Manner {
            instructions: "Be brief.\n".into(),
            aside: told.and_then(|told| Aside::new(told, "")),
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            voice: None,
            max_output_tokens: None,
        }
    }

    #[tokio::test]
    async fn what_is_told_joins_the_instructions_and_is_not_quoted_back() {
        let gossip = Arc::new(Gossip::default());
        let told_all = Told::<dyn LanguageModel>::new(gossip.clone(), true);
        for (instructions, told) in [("Be brief.\n", Some(TOLD)), ("", Some(TOLD)), ("Be brief.", None)] {
            let aside = told.and_then(|told| Aside::new(told, ""));
            let prompt = Prompt { instructions: instructions.into(), aside, ..Prompt::default() };
            let failed = told_all.reply(prompt).await.unwrap().next().await.unwrap().unwrap_err();
            assert_eq!(failed.detail.contains("withheld"), told.is_some(), "{failed}");
            assert!(failed.detail.starts_with("status 400: ") && !failed.detail.contains("warfarin"), "{failed}");
        }
        let heard = gossip.0.lock().unwrap().clone();
        assert_eq!(heard, [format!("Be brief.\n\n{TOLD}"), TOLD.to_owned(), "Be brief.".to_owned()]);
    }

    #[tokio::test]
    async fn each_reply_of_a_conversation_is_told_what_holds_then() {
        let gossip = Arc::new(Gossip::default());
        let told_all = Told::<dyn RealtimeModel>::new(gossip.clone(), true);
        let opening = Opening { model: None, manner: manner(Some(TOLD)), history: Vec::new() };
        let replies = [Some("Allergies:\n- penicillin"), None].into_iter().zip(1..);
        let commands = replies.map(|(told, reply)| Command::Respond { reply, manner: Box::new(manner(told)) });
        let commands = stream::iter(commands.collect::<Vec<_>>()).boxed();
        let mut events = told_all.converse(opening, commands).await.unwrap();
        let Some(Ok(Event { step: Step::Failed(error), .. })) = events.next().await else { panic!("it fails") };
        assert!(error.detail.contains("withheld") && !error.detail.contains("penicillin"), "{error}");
        let heard = gossip.0.lock().unwrap().clone();
        let expected =
            [format!("Be brief.\n\n{TOLD}"), "Be brief.\n\nAllergies:\n- penicillin".into(), "Be brief.\n".into()];
        assert_eq!(heard, expected);
    }

    #[test]
    fn a_quotation_is_known_however_it_is_written() {
        for said in ["5 MG of Warfarin?", "\\n- warfarin\\n", "no wa rf ar in"] {
            assert!(quotes(said, TOLD), "{said}");
        }
        assert!(!quotes("status 400: the model `mg-5` does not exist", TOLD));
        assert!(!quotes("", TOLD) && !quotes("warf", TOLD));
    }
}
