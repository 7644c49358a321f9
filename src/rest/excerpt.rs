//! Where words stand in a message, with a little of what is around them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::store::{MessageId, Words, messages::Message};

/// Where words that were looked for were first said.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Found")]
pub(super) struct Excerpt {
    message_id: MessageId,
    /// Words before the hit; `…` stands for more of them.
    before: String,
    /// The first word that begins with one of those looked for.
    hit: String,
    /// Words after the hit.
    after: String,
}

impl Excerpt {
    pub(super) fn of(message: &Message, words: &Words) -> Self {
        let text = &message.entry.content;
        // An index may take for a word what we do not: then it is the message's beginning that is shown.
        let hit = words.first_in(text).unwrap_or(0..0);
        Self {
            message_id: message.id,
            before: tail(&text[..hit.start]),
            hit: text[hit.clone()].to_owned(),
            after: head(&text[hit.end..]),
        }
    }
}

/// The last words of a text.
fn tail(text: &str) -> String {
    let Some((start, _)) = text.char_indices().rev().nth(AROUND) else { return text.to_owned() };
    let near = &text[start..];
    let whole = near.split_once(char::is_whitespace).map_or(near, |(_, whole)| whole);
    format!("… {whole}")
}

/// The first words of a text.
fn head(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(AROUND + 1) else { return text.to_owned() };
    let near = &text[..end];
    let whole = near.rsplit_once(char::is_whitespace).map_or(near, |(whole, _)| whole);
    format!("{whole} …")
}

/// Characters on either side: two lines together.
const AROUND: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn around(before: &str, after: &str) -> (String, String) {
        (tail(before), head(after))
    }

    #[test]
    fn whole_words_are_shown_around_a_hit_and_what_is_cut_is_told() {
        assert_eq!(around("It will ", " in Oslo."), ("It will ".to_owned(), " in Oslo.".to_owned()));
        assert_eq!(around("", ""), (String::new(), String::new()));
        let (before, after) = around(&"örk ".repeat(30), &" örk".repeat(30));
        assert_eq!(before, format!("… {}", "örk ".repeat(10)));
        assert_eq!(after, format!("{} …", " örk".repeat(10)));
        let (before, after) = around(&"x".repeat(90), &"漢".repeat(90));
        assert_eq!((before.chars().count(), after.chars().count()), (AROUND + 3, AROUND + 3), "a word without an end");
    }
}
