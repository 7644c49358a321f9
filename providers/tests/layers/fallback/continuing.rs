//! A model is lost after words were given: who goes on, from where, and who cannot.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use providers::{
    ErrorKind, LanguageModel, ProviderError,
    layers::Fallback,
    llm::{Finish, LlmCapabilities, Message, Prompt, Thought, ThoughtStream, Usage},
    scripted::{self, Fault, Faults, LlmScript, Reply},
};

use super::think;

/// Keeps what a model is asked.
struct Asked {
    model: scripted::LanguageModel,
    prompts: Mutex<Vec<Prompt>>,
}

impl Asked {
    fn says(text: &str, faults: Faults, continues: bool) -> Arc<Self> {
        let every = Reply::Text(text.to_owned());
        let model = scripted::LanguageModel::new(LlmScript { every, continues, faults, ..LlmScript::default() });
        Arc::new(Self { model, prompts: Mutex::default() })
    }

    fn prompts(&self) -> Vec<Prompt> {
        self.prompts.lock().unwrap().clone()
    }
}

impl LanguageModel for Asked {
    fn capabilities(&self) -> LlmCapabilities {
        self.model.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        self.prompts.lock().unwrap().push(prompt.clone());
        self.model.reply(prompt)
    }
}

fn lost(after: usize) -> Faults {
    Faults::always(Fault::Break { after, kind: ErrorKind::Unavailable })
}

fn text(thoughts: &[Result<Thought, ProviderError>]) -> String {
    let texts = thoughts.iter().flatten().filter_map(|thought| match thought {
        Thought::Text(text) => Some(text.as_str()),
        Thought::CallStarted { .. }
        | Thought::CallArguments(_)
        | Thought::CallDone
        | Thought::Cited(_)
        | Thought::Acted(_)
        | Thought::Usage(_)
        | Thought::Finished(_) => None,
    });
    texts.collect()
}

const WHOLE: &str = "The sun is far away and it is very warm there.";

#[tokio::test(start_paused = true)]
async fn the_next_model_goes_on_from_what_was_said() {
    for words in 1..=11_usize {
        for kept in [words, words.saturating_sub(3), 0] {
            let rest: Vec<&str> = WHOLE.split(' ').skip(kept).collect();
            let first = Asked::says(WHOLE, lost(words), true);
            let second = Asked::says(&rest.join(" "), Faults::default(), true);
            let model = Fallback::<dyn LanguageModel>::new(first, vec![second.clone()]);
            let thoughts = think(&model).await.unwrap();
            assert_eq!(text(&thoughts).trim_end(), WHOLE, "lost after {words} words, gone on from {kept}");
            assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))));
            let asked = &second.prompts()[0].messages;
            let said = WHOLE.split(' ').take(words).collect::<Vec<_>>().join(" ");
            assert_eq!(asked[..2], [Message::User("one two".into()), Message::Assistant(said)]);
            assert!(matches!(&asked[2..], [Message::System(note)] if note.contains("exactly where it stops")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_cannot_go_on_is_passed_over() {
    let rules = Asked::says("I do not know.", Faults::default(), false);
    let second = Asked::says("and it is very warm there.", Faults::default(), true);
    let first = Asked::says(WHOLE, lost(5), true);
    let model = Fallback::<dyn LanguageModel>::new(first.clone(), vec![rules.clone(), second]);
    assert_eq!(text(&think(&model).await.unwrap()).trim_end(), WHOLE);

    let model = Fallback::<dyn LanguageModel>::new(first, vec![rules.clone()]);
    let thoughts = think(&model).await.unwrap();
    assert_eq!(text(&thoughts), "The sun is far away ", "what was said stays said");
    assert_eq!(thoughts.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(rules.prompts(), []);
}

#[tokio::test(start_paused = true)]
async fn those_who_go_on_may_be_lost_as_well() {
    let chain: Vec<Arc<dyn LanguageModel>> = vec![
        Asked::says("is far away and", lost(4), true),
        Asked::says("never heard", lost(0), true),
        Asked::says("and it is very warm there.", Faults::default(), true),
    ];
    let model = Fallback::new(Asked::says(WHOLE, lost(3), true) as Arc<dyn LanguageModel>, chain);
    assert_eq!(text(&think(&model).await.unwrap()).trim_end(), WHOLE);
}

#[tokio::test(start_paused = true)]
async fn what_was_held_when_a_model_is_lost_was_not_said() {
    // The second repeats and is lost while that is being found out; the third goes on from the first.
    let chain: Vec<Arc<dyn LanguageModel>> = vec![
        Asked::says("The sun is far away", lost(3), true),
        Asked::says("and it is very warm there.", Faults::default(), true),
    ];
    let model = Fallback::new(Asked::says(WHOLE, lost(5), true) as Arc<dyn LanguageModel>, chain);
    assert_eq!(text(&think(&model).await.unwrap()).trim_end(), WHOLE);
}

#[tokio::test(start_paused = true)]
async fn the_cost_of_all_models_is_told_once() {
    let first = Asked::says(WHOLE, lost(12), true);
    let second = Asked::says("there.", Faults::default(), true);
    let model = Fallback::<dyn LanguageModel>::new(first, vec![second]);
    let thoughts = think(&model).await.unwrap();
    let costs: Vec<Usage> = thoughts
        .iter()
        .flatten()
        .filter_map(|thought| if let Thought::Usage(usage) = thought { Some(*usage) } else { None })
        .collect();
    assert_eq!(costs.iter().map(|cost| cost.output_tokens).collect::<Vec<_>>(), [11 + 1]);
    assert_eq!(text(&thoughts), WHOLE);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_begun_is_not_gone_on_with() {
    let every = Reply::Call { text: "Wait. ".into(), name: "look".into(), arguments: "{}".into() };
    let script = LlmScript { every, continues: true, faults: lost(2), ..LlmScript::default() };
    let first: Arc<dyn LanguageModel> = Arc::new(scripted::LanguageModel::new(script));
    let second = Asked::says("never asked", Faults::default(), true);
    let thoughts = think(&Fallback::new(first, vec![second.clone() as _])).await.unwrap();
    assert!(thoughts.last().unwrap().is_err(), "{thoughts:?}");
    assert_eq!(second.prompts(), []);
}

#[tokio::test(start_paused = true)]
async fn cancelling_reaches_the_model_that_goes_on() {
    let first = Asked::says(WHOLE, lost(2), true);
    let hanging = Asked::says(WHOLE, Faults::always(Fault::Hang { after: 4 }), true);
    let model = Fallback::<dyn LanguageModel>::new(first, vec![hanging.clone()]);
    let mut thoughts = model.reply(Prompt::default()).await.unwrap();
    let mut said = String::new();
    while let Some(Some(Ok(Thought::Text(text)))) = thoughts.next().now_or_never() {
        said.push_str(&text);
    }
    assert!(said.starts_with("The sun is"), "{said}");
    assert_eq!(Arc::strong_count(&hanging), 2, "the caller's and the chain's");
    drop((thoughts, model));
    assert_eq!(Arc::strong_count(&hanging), 1);
}
