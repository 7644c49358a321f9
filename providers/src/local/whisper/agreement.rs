//! Which words of a growing guess will stay: those that two consecutive guesses share.
//!
//! Whisper hears the whole window anew each time and may change its mind about the end. What was called stable is kept
//! whatever later guesses say; they are then laid beside it and only what follows it is taken from them.

use std::mem;

use super::hearing::plain;

/// The agreed text of an utterance.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    /// Of windows that are closed.
    closed: String,
    /// Agreed words of the open window, each with the space before it.
    settled: Vec<String>,
    previous: Vec<String>,
}

impl Agreement {
    /// Takes the next guess at the whole open window; gives the stable text and what may follow it.
    pub(super) fn observe(&mut self, guess: &str) -> (String, String) {
        let guess = words(guess);
        let shared = self.previous.iter().zip(&guess).take_while(|(a, b)| a == b).count();
        // The last word of a guess may have been cut by the end of the sound, or end without its comma.
        let sure = shared.min(guess.len().saturating_sub(1)).min(self.previous.len().saturating_sub(1));
        if guess.starts_with(&self.settled) && sure > self.settled.len() {
            self.settled = guess[..sure].to_vec();
        }
        let rest = guess[continuation(&self.settled, &guess)..].concat();
        self.previous = guess;
        let stable = join(&self.closed, &self.settled.concat());
        let whole = if self.settled.is_empty() { join(&self.closed, &rest) } else { format!("{stable}{rest}") };
        let tentative = whole[stable.len()..].to_owned();
        (stable, tentative)
    }

    /// Closes the window with its final text.
    pub(super) fn close(&mut self, last: &str) {
        let last = words(last);
        let mut text = mem::take(&mut self.settled);
        let rest = continuation(&text, &last);
        text.extend_from_slice(&last[rest..]);
        self.previous.clear();
        self.closed = join(&self.closed, &text.concat());
    }

    /// The text of all closed windows.
    pub(super) fn text(&self) -> &str {
        &self.closed
    }
}

/// Where in `guess` that begins which follows `settled`: the split that changes fewest words of the beginning.
fn continuation(settled: &[String], guess: &[String]) -> usize {
    if guess.starts_with(settled) {
        return settled.len();
    }
    // Edit distance of `settled` to every prefix of `guess`, one row at a time.
    let mut row: Vec<usize> = (0..=guess.len()).collect();
    for word in settled {
        let mut diagonal = mem::replace(&mut row[0], 0);
        row[0] = diagonal + 1;
        for (at, other) in guess.iter().enumerate() {
            let substituted = diagonal + usize::from(plain(word) != plain(other));
            diagonal = row[at + 1];
            row[at + 1] = substituted.min(diagonal + 1).min(row[at] + 1);
        }
    }
    let near = |at: &usize| (row[*at], at.abs_diff(settled.len()));
    (0..=guess.len()).min_by_key(near).unwrap_or(0)
}

/// Words with the one space before them. Scripts written without spaces count each sign as a word.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for letter in text.trim().chars() {
        let unspaced = is_unspaced(letter) || last.is_some_and(is_unspaced);
        match (words.last_mut(), last) {
            _ if letter.is_whitespace() => {}
            (Some(_), Some(before)) if before.is_whitespace() => words.push(format!(" {letter}")),
            (Some(word), _) if !unspaced => word.push(letter),
            (Some(_) | None, _) => words.push(letter.to_string()),
        }
        last = Some(letter);
    }
    words
}

/// Joins two texts as their script does.
fn join(before: &str, after: &str) -> String {
    let (before, after) = (before.trim_end(), after.trim_start());
    let unspaced = before.ends_with(is_unspaced) || after.starts_with(is_unspaced);
    let space = if before.is_empty() || after.is_empty() || unspaced { "" } else { " " };
    format!("{before}{space}{after}")
}

/// Kana, Han ideographs, their punctuation, Thai: written without spaces.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{0e00}'..='\u{0e7f}' | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_settle_once_two_guesses_share_them() {
        let mut agreement = Agreement::default();
        assert_eq!(agreement.observe("He was"), (String::new(), "He was".into()));
        assert_eq!(agreement.observe("He was not an"), ("He".into(), " was not an".into()));
        assert_eq!(agreement.observe("He was not a young"), ("He was not".into(), " a young".into()));
        agreement.close("He was not an ill-disposed young man.");
        assert_eq!(agreement.text(), "He was not an ill-disposed young man.");
    }

    #[test]
    fn settled_words_outlive_a_final_that_disagrees_with_them() {
        let mut agreement = Agreement::default();
        agreement.observe("Ten of clubs, four");
        assert_eq!(agreement.observe("Ten of clubs, four of").0, "Ten of clubs,");
        agreement.close("10 of clubs. Four of close.");
        assert_eq!(agreement.text(), "Ten of clubs, Four of close.");
    }

    #[test]
    fn windows_join_with_a_space_where_the_script_has_spaces() {
        let mut agreement = Agreement::default();
        agreement.close("One two.");
        agreement.observe("Three four five");
        assert_eq!(agreement.observe("Three four five six"), ("One two. Three four".into(), " five six".into()));
        agreement.close("Three four five six.");
        assert_eq!(agreement.text(), "One two. Three four five six.");

        let mut agreement = Agreement::default();
        agreement.close("你好。");
        agreement.observe("今天天气");
        assert_eq!(agreement.observe("今天天气很好").0, "你好。今天天");
    }

    proptest! {
        #[test]
        fn stable_text_only_grows_and_the_final_begins_with_it(
            windows in prop::collection::vec(prop::collection::vec("[ab ,.你]{0,12}", 1..6), 1..4),
        ) {
            let mut agreement = Agreement::default();
            let mut before = String::new();
            for guesses in windows {
                for guess in &guesses {
                    let (stable, tentative) = agreement.observe(guess);
                    prop_assert!(stable.starts_with(&before), "{before:?} then {stable:?}");
                    prop_assert_eq!(stable.trim(), &stable);
                    prop_assert!(!tentative.ends_with(' '));
                    before = stable;
                }
                agreement.close(guesses.last().unwrap());
                prop_assert!(agreement.text().starts_with(&before), "{before:?} then {:?}", agreement.text());
                before = agreement.text().to_owned();
            }
        }
    }
}
