//! What a language model is asked: the conversation as the person lived it.
//!
//! The assistant's words are those that were heard.

use std::{sync::Arc, time::Duration};

use providers::llm::{Call, Message, Prompt};

use super::{
    conversation::words,
    item::{Body, Item, ItemStatus, Part, Role},
    output::Said,
    plan::Plan,
    settings::Settings,
    tools::Answers,
};

/// Asks for a reply to these items.
pub(super) fn prompt<'a>(plan: &Plan, items: impl Iterator<Item = &'a Item> + Clone) -> Prompt {
    let answers = Answers::of(items.clone());
    let mut messages = Vec::new();
    for item in items {
        match &item.body {
            Body::Message { role, parts } => messages.extend(message(*role, parts)),
            Body::Call { call, name, arguments } => messages.extend(answers.call(call, name, arguments)),
            Body::Output { call, output } => messages.extend(answers.orphan(call, output)),
            Body::Opaque(_) => {}
        }
    }
    Prompt {
        model: Some(plan.settings.model.clone()).filter(|model| !model.is_empty()),
        instructions: plan.instructions().to_owned(),
        aside: None,
        passages: None,
        messages,
        tools: plan.tools().to_vec(),
        tool_choice: plan.tool_choice().clone(),
        max_output_tokens: plan.max_output_tokens(),
        temperature: plan.temperature(),
        language: plan.voice().language,
    }
}

/// Asks for a reply to these items outside of any live session, as one with these settings would.
pub fn typed(settings: &Arc<Settings>, items: &[Item]) -> Prompt {
    prompt(&Plan { settings: Arc::clone(settings), request: Box::default(), language: None }, items.iter())
}

/// The same items one by one, for a model that knows most of them.
pub(super) fn said<'a>(items: impl Iterator<Item = &'a Item>) -> Vec<Said> {
    let each = items.map(|item| {
        let message = match &item.body {
            Body::Message { role, parts } => message(*role, parts),
            Body::Call { call, name, arguments } => {
                let (call, name, arguments) = (call.as_str().to_owned(), name.clone(), arguments.clone());
                Some(Message::Call(Call { call, name, arguments }))
            }
            Body::Output { call, output } => {
                Some(Message::Result { call: call.as_str().to_owned(), output: output.clone() })
            }
            Body::Opaque(_) => None,
        };
        Said { item: item.id.clone(), message, heard: heard(item) }
    });
    each.collect()
}

/// How much of an item's speech was heard, if it was cut short.
fn heard(item: &Item) -> Option<Duration> {
    let Body::Message { role: Role::Assistant, parts } = &item.body else { return None };
    let length = parts.iter().find_map(|part| match part {
        Part::OutputAudio { length, .. } => Some(*length),
        Part::InputText(_) | Part::InputAudio { .. } | Part::InputImage(_) | Part::OutputText(_) => None,
    });
    length.filter(|_| item.status == ItemStatus::Incomplete)
}

fn message(role: Role, parts: &[Part]) -> Option<Message> {
    let text = parts.iter().filter_map(words).collect::<Vec<_>>().join("\n");
    let message = match role {
        Role::System => Message::System,
        Role::User => Message::User,
        Role::Assistant => Message::Assistant,
    };
    (!text.is_empty()).then(|| message(text))
}

/// What tells the model that it speaks up unasked.
pub(super) fn silence_note(silence: Duration) -> String {
    let seconds = silence.as_secs();
    format!("The user has said nothing for {seconds} seconds. Say something short to go on.")
}
