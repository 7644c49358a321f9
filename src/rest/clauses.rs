//! Text cut into what a voice says in one go, so that the first words sound while the rest is still being made.

use providers::{sentences::sentences, tts::Clause};

/// Cuts at the ends of sentences and lines and, where one is longer than `longest` characters, at the last space before that.
pub(super) fn cut(text: &str, longest: usize) -> Vec<Clause> {
    let mut clauses = Vec::new();
    for mut rest in text.lines().flat_map(sentences) {
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(fit(rest, longest.max(1)));
            let id = u32::try_from(clauses.len()).unwrap_or(u32::MAX);
            clauses.push(Clause { id, text: head.trim().to_owned() });
            rest = tail.trim_start();
        }
    }
    clauses
}

/// How many bytes of `text` to take: all of it, or up to the last space within `longest` characters, or just those.
fn fit(text: &str, longest: usize) -> usize {
    let Some((end, _)) = text.char_indices().nth(longest) else { return text.len() };
    text[..end].rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, longest: usize) -> Vec<String> {
        cut(text, longest).into_iter().map(|clause| clause.text).collect()
    }

    #[test]
    fn sentences_are_clauses_and_numbers_stay_whole() {
        assert_eq!(texts("It is 3.5 °C. Really?  Yes!\nGood", 500), ["It is 3.5 °C.", "Really?", "Yes!", "Good"]);
        assert_eq!(texts("你好。再见！", 500), ["你好。", "再见！"]);
        assert_eq!(texts(" \n ", 500), [""; 0]);
    }

    #[test]
    fn a_long_sentence_breaks_at_a_space_or_where_it_must() {
        assert_eq!(texts("one two three", 8), ["one two", "three"]);
        assert_eq!(texts("ünbrökenwörd", 5), ["ünbrö", "kenwö", "rd"]);
        assert!(texts(&"word ".repeat(800), 100).iter().all(|clause| clause.len() <= 100));
    }

    #[test]
    fn nothing_is_lost() {
        let text = "A b. C d! e\nf… g? (h.) i";
        let joined: String = texts(text, 3).concat();
        let without_space = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(without_space(&joined), without_space(text));
    }
}
