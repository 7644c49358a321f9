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

/// The first message of a turn from which on at most so many tokens follow. Where the last turn alone is longer, it is begun with
/// the first thing said in it that fits with what follows; with the last thing said, where none does.
pub(super) fn cut(messages: &[Message], weights: &[usize], most: usize) -> usize {
    let mut left: usize = weights.iter().sum();
    let (mut last, mut fits) = (0, None);
    for (at, weight) in weights.iter().enumerate() {
        if at == 0 || (asks(&messages[at]) && !asks(&messages[at - 1])) {
            if left <= most {
                return at;
            }
            fits = None;
        }
        if at == 0 || asks(&messages[at]) {
            last = at;
            fits = fits.or((left <= most).then_some(at));
        }
        left -= weight;
    }
    fits.unwrap_or(last)
}

/// Whether somebody other than the assistant says something.
const fn asks(message: &Message) -> bool {
    matches!(message, Message::User(_) | Message::System(_))
}

/// Tokens that say whose a message is.
const ROLE: usize = 4;
