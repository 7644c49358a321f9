//! Models that speak when they are let, and remember what they were asked.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use providers::{
    LanguageModel, ProviderError,
    layers::{Observed, Observer},
    llm::{Finish, LlmCapabilities, Prompt, Thought, ThoughtStream, Usage},
};
use tokio::sync::Semaphore;
use voice_relay::{cost, metrics::ProviderMeter, realtime::admission::Admission, rest::Context};

/// A model with these words, each of which waits for a permit.
#[derive(Clone)]
pub(crate) struct Mind(Arc<State>);

struct State {
    words: Vec<&'static str>,
    permits: Semaphore,
    asked: Mutex<Vec<Prompt>>,
    let_go: Semaphore,
}

/// A reply; gone, it says so.
struct Reply(Arc<State>);

impl Mind {
    pub(crate) fn saying(words: &[&'static str]) -> Self {
        let (permits, let_go) = (Semaphore::new(0), Semaphore::new(0));
        Self(Arc::new(State { words: words.to_vec(), permits, asked: Mutex::default(), let_go }))
    }

    /// Lets it say so many words more.
    pub(crate) fn allow(&self, words: usize) {
        self.0.permits.add_permits(words);
    }

    /// What it was asked, so far.
    pub(crate) fn asked(&self) -> Vec<Prompt> {
        self.0.asked.lock().unwrap().clone()
    }

    /// Waits until somebody lets go of a reply.
    pub(crate) async fn let_go(&self) {
        self.0.let_go.acquire().await.unwrap().forget();
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.0.let_go.add_permits(1);
    }
}

impl LanguageModel for Mind {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities::default()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        self.0.asked.lock().unwrap().push(prompt);
        let words = stream::unfold((Reply(Arc::clone(&self.0)), 0), |(reply, said)| async move {
            let word = *reply.0.words.get(said)?;
            reply.0.permits.acquire().await.unwrap().forget();
            Some((Thought::Text(word.to_owned()), (reply, said + 1)))
        });
        let usage = Usage { input_tokens: 20, cached_tokens: 4, output_tokens: self.0.words.len() as u32 };
        let end = stream::iter([Thought::Usage(usage), Thought::Finished(Finish::Stop)]);
        let thoughts = words.chain(end).map(Ok).boxed();
        async { Ok(thoughts) }.boxed()
    }
}

/// Has this model answer, under a name and at a price.
pub(crate) fn thinks(context: &mut Context, name: &'static str, model: impl LanguageModel + 'static) {
    let meter: Arc<dyn Observer> = Arc::new(ProviderMeter::new(context.engine.clock.clone()));
    context.providers.llm = Arc::new(Observed::<dyn LanguageModel>::new(name, meter, Arc::new(model)));
    let list = vec![format!("{name} output=1000")];
    let prices = cost::Prices::new(&cost::Config { list, ..cost::Config::default() });
    context.engine.admission = Admission::new(10, 10).with_prices(prices);
}
