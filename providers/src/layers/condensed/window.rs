//! How much of a window things take, and where a conversation can be cut.

use crate::llm::{Message, Prompt};

/// About how many tokens a text is: four letters of plain text, or one letter of another script. Vendors' own counts differ by a
/// third either way.
pub(super) fn tokens(text: &str) -> usize {
    let plain = text.bytes().filter(u8::is_ascii).count();
    let other = text.chars().count() - plain;
    plain.div_ceil(4) + other
}

/// What a message takes.
pub(super) fn weigh(message: &Message) -> usize {
    let content = match message {
        Message::System(text) | Message::User(text) | Message::Assistant(text) => tokens(text),
        Message::Call(call) => tokens(&call.name) + tokens(&call.arguments),
        Message::Result { output, .. } => tokens(output),
    };
    content + ROLE
}

/// What a prompt takes beside its conversation.
pub(super) fn fixed(prompt: &Prompt) -> usize {
    let tools = prompt
        .tools
        .iter()
        .map(|tool| tokens(&tool.name) + tokens(&tool.description) + tokens(tool.parameters.as_str()) + ROLE);
    let passages =
        prompt.passages.iter().flat_map(|passages| passages.iter()).map(|passage| tokens(&passage.text) + ROLE);
    let aside = prompt.aside.as_ref().and_then(|aside| aside.expose(true)).map_or(0, |aside| tokens(&aside));
    tokens(&prompt.instructions) + aside + tools.sum::<usize>() + passages.sum::<usize>()
}

/// The first message of a turn from which on at most so many tokens follow; of the last turn, if even that is longer.
pub(super) fn cut(messages: &[Message], weights: &[usize], most: usize) -> usize {
    let mut left: usize = weights.iter().sum();
    let mut last = 0;
    for (at, weight) in weights.iter().enumerate() {
        if begins_turn(messages, at) {
            last = at;
            if left <= most {
                return at;
            }
        }
        left -= weight;
    }
    last
}

/// Whether a turn begins here: somebody says something after the assistant had its say.
fn begins_turn(messages: &[Message], at: usize) -> bool {
    let asks = |message: &Message| matches!(message, Message::User(_) | Message::System(_));
    at == 0 || (asks(&messages[at]) && !asks(&messages[at - 1]))
}

/// Tokens that say whose a message is.
const ROLE: usize = 4;
