//! What a language model is asked: the conversation as the person lived it.
//!
//! The assistant's words are those that were heard. A conversation longer than [`MOST_BYTES`] is asked about without its
//! oldest messages.

use std::time::Duration;

use providers::llm::{Message, Prompt};

use super::{
    conversation::words,
    item::{Body, Item, Role},
    plan::Plan,
    tools::Answers,
};

/// Most bytes of messages in one prompt: about 100 000 tokens, what current models read.
const MOST_BYTES: usize = 400_000;

/// Asks for a reply to these items.
pub(super) fn prompt<'a>(plan: &Plan, items: impl Iterator<Item = &'a Item> + Clone) -> Prompt {
    let answers = Answers::of(items.clone());
    let mut messages = Vec::new();
    for item in items {
        match &item.body {
            Body::Message { role, parts } => {
                let text = parts.iter().filter_map(words).collect::<Vec<_>>().join("\n");
                if !text.is_empty() {
                    messages.push(match role {
                        Role::System => Message::System(text),
                        Role::User => Message::User(text),
                        Role::Assistant => Message::Assistant(text),
                    });
                }
            }
            Body::Call { call, name, arguments } => messages.extend(answers.call(call, name, arguments)),
            Body::Output { call, output } => messages.extend(answers.orphan(call, output)),
            Body::Opaque(_) => {}
        }
    }
    shorten(&mut messages);
    Prompt {
        model: Some(plan.settings.model.clone()).filter(|model| !model.is_empty()),
        instructions: plan.instructions().to_owned(),
        messages,
        tools: plan.tools().to_vec(),
        tool_choice: plan.tool_choice().clone(),
        max_output_tokens: plan.max_output_tokens(),
        temperature: plan.temperature(),
        language: plan.voice().language,
    }
}

/// What tells the model that it speaks up unasked.
pub(super) fn silence_note(silence: Duration) -> Message {
    let seconds = silence.as_secs();
    Message::System(format!("The user has said nothing for {seconds} seconds. Say something short to go on."))
}

/// Drops the oldest messages until the rest fits; an answer goes with its call.
fn shorten(messages: &mut Vec<Message>) {
    let mut bytes = 0;
    let fits = messages.iter().rev().take_while(|message| {
        bytes += weigh(message);
        bytes <= MOST_BYTES
    });
    let mut dropped = messages.len() - fits.count();
    while matches!(messages.get(dropped), Some(Message::Result { .. })) {
        dropped += 1;
    }
    messages.drain(..dropped);
}

const fn weigh(message: &Message) -> usize {
    match message {
        Message::System(text) | Message::User(text) | Message::Assistant(text) => text.len(),
        Message::Call(call) => call.name.len() + call.arguments.len(),
        Message::Result { output, .. } => output.len(),
    }
}
