//! `POST /v1/chat/completions`: a typed conversation in, the next message out, on the hosted service's wire.
//!
//! The chain that thinks in voice sessions answers, with the same failover. What the prompt of our models cannot carry is
//! refused by name. A client that goes takes its request along: the model is told to stop.

mod answer;
mod lines;
mod request;
mod stop;
mod telling;

use std::sync::Arc;

use axum::{extract::State, http::HeaderValue, response::Response};
use providers::{LanguageModel, layers::Metered};

use self::{
    answer::Head,
    request::{Asked, Params},
    telling::Telling,
};
use super::{
    Context, body::Strict, fault::Fault, models, opening, served::Served, speech::IGNORED, thinking::Thinking,
};
use crate::realtime::Task;

/// `POST /v1/chat/completions`.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let Asked { model, prompt, delivery, stops, single, ignored } = params.read()?;
    if !context.catalog.serves(&model, Task::Language) {
        return Err(models::unknown(&model));
    }
    if context.engine.drain.has_begun() {
        return Err(opening::draining());
    }
    let served = Served::on(context.engine.admission.tally());
    let metered = Metered::<dyn LanguageModel>::new(served.clone() as _, Arc::clone(&context.providers.llm));
    let thinking = Thinking::begin(&context, Arc::new(metered), prompt).await?;
    let head = Head::new(served.engine().unwrap_or(model), context.now());
    let telling = Telling::new(thinking, stops, single);
    let mut response = answer::deliver(head, telling, delivery).await?;
    if let Some(ignored) = ignored {
        response.headers_mut().insert(IGNORED, HeaderValue::from_static(ignored));
    }
    Ok(response)
}

/// Largest body: twice what any current model reads, as text and some JSON around it.
pub(super) const BODY: usize = 2 << 20;
