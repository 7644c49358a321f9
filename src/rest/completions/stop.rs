//! Stop sequences: text is told up to the first of them, and none of it beyond.

/// Sequences that end a reply, and text that may be the beginning of one.
#[derive(Debug, Default)]
pub(super) struct Stops {
    sequences: Vec<String>,
    held: String,
}

/// What may be told of a piece of text.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Passed {
    /// These words.
    pub(super) text: String,
    /// Whether a sequence followed them: nothing comes after.
    pub(super) stopped: bool,
}

impl Stops {
    /// Ends at any of these, none of which is empty.
    pub(super) fn at(sequences: Vec<String>) -> Self {
        Self { sequences, held: String::new() }
    }

    /// Takes more text. What may begin a sequence is held back until it is known whether it does.
    pub(super) fn pass(&mut self, text: &str) -> Passed {
        self.held.push_str(text);
        if let Some(at) = self.sequences.iter().filter_map(|sequence| self.held.find(sequence)).min() {
            self.held.truncate(at);
            return Passed { text: std::mem::take(&mut self.held), stopped: true };
        }
        let begins = |rest: &str| self.sequences.iter().any(|sequence| sequence.starts_with(rest));
        let from = self.held.char_indices().map(|(at, _)| at).find(|at| begins(&self.held[*at..]));
        let rest = from.map(|at| self.held.split_off(at)).unwrap_or_default();
        Passed { text: std::mem::replace(&mut self.held, rest), stopped: false }
    }

    /// What is still held back, now that no more comes.
    pub(super) fn rest(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is told of these pieces, and whether a sequence ended it.
    fn told(sequences: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut stops = Stops::at(sequences.iter().map(|sequence| (*sequence).to_owned()).collect());
        let mut text = String::new();
        for piece in pieces {
            let passed = stops.pass(piece);
            text.push_str(&passed.text);
            if passed.stopped {
                return (text, true);
            }
        }
        (text + &stops.rest(), false)
    }

    #[test]
    fn text_ends_before_the_first_sequence_however_it_is_cut_into_pieces() {
        for pieces in [&["one END two"][..], &["one E", "N", "D two"], &["one EEND"], &["o", "ne ", "E", "N", "D"]] {
            let (text, stopped) = told(&["END", "two"], pieces);
            assert!(stopped && text.starts_with("one ") && !text.contains("END"), "{pieces:?}: {text}");
        }
        assert_eq!(told(&["two", "END"], &["one END two"]), ("one ".into(), true));
    }

    #[test]
    fn what_only_begins_a_sequence_is_told_in_the_end() {
        assert_eq!(told(&["END"], &["the EN", "try of the ", "E"]), ("the ENtry of the E".into(), false));
        assert_eq!(told(&["é€"], &["caf", "é", "é", "!"]), ("caféé!".into(), false));
        assert_eq!(told(&[], &["all ", "of it"]), ("all of it".into(), false));
    }

    #[test]
    fn only_what_may_begin_a_sequence_waits() {
        let mut stops = Stops::at(vec!["\n\n".into()]);
        assert_eq!(stops.pass("a line\n"), Passed { text: "a line".into(), stopped: false });
        assert_eq!(stops.pass("another"), Passed { text: "\nanother".into(), stopped: false });
    }
}
