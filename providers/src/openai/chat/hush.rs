//! Keeps a model's thinking aloud out of its reply: what stands between `<think>` and `</think>` at its start.
//!
//! Servers that know their model's format send it as `reasoning_content`, which nobody reads here; others leave the tags
//! in the text, and a voice would read them out.

/// Text in pieces in, text to be spoken out.
#[derive(Debug)]
pub(super) enum Hush {
    /// Nothing but what may become the opening tag has come.
    Beginning(String),
    /// Inside; the end of what came may be the start of the closing tag.
    Thinking(String),
    /// Behind the closing tag; blanks there belong to it.
    Ended,
    /// The reply itself.
    Speaking,
}

impl Default for Hush {
    fn default() -> Self {
        Self::Beginning(String::new())
    }
}

impl Hush {
    /// What may be spoken once this piece has come.
    pub(super) fn pass(&mut self, piece: &str) -> String {
        match self {
            Self::Speaking => piece.to_owned(),
            Self::Beginning(held) => {
                held.push_str(piece);
                let begun = held.trim_start();
                if let Some(inside) = begun.strip_prefix(OPEN) {
                    let inside = inside.to_owned();
                    *self = Self::Thinking(String::new());
                    return self.pass(&inside);
                }
                if OPEN.starts_with(begun) {
                    return String::new();
                }
                let text = std::mem::take(held);
                *self = Self::Speaking;
                text
            }
            Self::Thinking(held) => {
                held.push_str(piece);
                let Some(end) = held.find(CLOSE) else {
                    // Only the beginning of a closing tag need be kept.
                    let keep = held.len().saturating_sub(CLOSE.len());
                    let keep = (keep..=held.len()).find(|at| held.is_char_boundary(*at)).unwrap_or(held.len());
                    held.drain(..keep);
                    return String::new();
                };
                let rest = held[end + CLOSE.len()..].to_owned();
                *self = Self::Ended;
                self.pass(&rest)
            }
            Self::Ended => {
                let text = piece.trim_start();
                if !text.is_empty() {
                    *self = Self::Speaking;
                }
                text.to_owned()
            }
        }
    }

    /// What was held back because it might have become a tag: the reply ended first.
    pub(super) fn rest(&mut self) -> String {
        match self {
            Self::Beginning(held) => std::mem::take(held),
            Self::Thinking(_) | Self::Ended | Self::Speaking => String::new(),
        }
    }
}

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(pieces: &[&str]) -> String {
        let mut hush = Hush::default();
        let mut text: String = pieces.iter().map(|piece| hush.pass(piece)).collect();
        text.push_str(&hush.rest());
        text
    }

    #[test]
    fn thinking_is_not_spoken() {
        for (text, expected) in [
            ("Hello.", "Hello."),
            ("<think>They greet me.</think>\n\nHello.", "Hello."),
            ("\n<think>\n</think>Hello.", "Hello."),
            ("<think>still at it", ""),
            ("<thin", "<thin"),
            ("<b>Hello</b>", "<b>Hello</b>"),
            ("I <think> so</think>.", "I <think> so</think>."),
            ("  Hello", "  Hello"),
        ] {
            assert_eq!(spoken(&[text]), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn pieces_make_no_difference(text in "(<think>|<thi|</think>|</th|é|a| |\n){0,10}", size in 1usize..9) {
            let letters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = letters.chunks(size).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            proptest::prop_assert_eq!(spoken(&pieces), spoken(&[&text]));
        }
    }
}
