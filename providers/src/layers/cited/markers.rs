//! Finds markers in text that comes in pieces: `[1]`, `[1, 3]`, `[2-4]`, `[1][3]`.

use crate::marker::{listed, may_stand};

/// Longest marker, in bytes.
const LONGEST: usize = 32;

/// A part of the text, as it goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// Words.
    Text(String),
    /// A marker that refers to passages, as it is written, and their numbers.
    Marker {
        /// With the space before it.
        text: String,
        /// In the order in which they stand.
        numbers: Vec<u32>,
    },
}

/// The finder of one text.
pub(super) struct Markers {
    /// Numbers that refer to something: from 1 to this.
    most: u32,
    /// What may be the beginning of a marker, with the space before it.
    held: String,
}

impl Markers {
    pub(super) fn new(most: usize) -> Self {
        Self { most: u32::try_from(most).unwrap_or(u32::MAX), held: String::new() }
    }

    /// Takes more text; what is settled of it.
    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        let (mut pieces, mut words) = (Vec::new(), String::new());
        for c in text.chars() {
            match self.bracket() {
                None if c == '[' => self.held.push(c),
                None if c == ' ' || c == '\u{a0}' => {
                    words.push_str(&std::mem::take(&mut self.held));
                    self.held.push(c);
                }
                None => {
                    words.push_str(&std::mem::take(&mut self.held));
                    words.push(c);
                }
                Some(inside) if c == ']' => {
                    let settled = self.settle(&listed(inside));
                    self.held.clear();
                    match settled {
                        Settled::Words(text) => words.push_str(&text),
                        Settled::Marker { text, numbers } => {
                            if !words.is_empty() {
                                pieces.push(Piece::Text(std::mem::take(&mut words)));
                            }
                            pieces.push(Piece::Marker { text, numbers });
                        }
                    }
                }
                Some(inside) if inside.len() < LONGEST && may_stand(c) => {
                    self.held.push(c);
                }
                Some(_) => {
                    words.push_str(&std::mem::take(&mut self.held));
                    if matches!(c, '[' | ' ') { self.held.push(c) } else { words.push(c) }
                }
            }
        }
        if !words.is_empty() {
            pieces.push(Piece::Text(words));
        }
        pieces
    }

    /// No more text follows here: what was held is text.
    pub(super) fn end(&mut self) -> Vec<Piece> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() { Vec::new() } else { vec![Piece::Text(held)] }
    }

    /// What was held behind the bracket, if one is open.
    fn bracket(&self) -> Option<&str> {
        self.held.split_once('[').map(|(_, inside)| inside)
    }

    /// What becomes of a bracket that closed.
    fn settle(&self, listed: &[u32]) -> Settled {
        let whole = || format!("{}]", self.held);
        if listed.is_empty() {
            return Settled::Words(whole());
        }
        let numbers: Vec<u32> = listed.iter().copied().filter(|number| (1..=self.most).contains(number)).collect();
        if numbers.is_empty() {
            return Settled::Words(String::new());
        }
        let space: String = self.held.chars().take_while(|c| *c != '[').collect();
        let text = if numbers.len() == listed.len() {
            whole()
        } else {
            format!("{space}[{}]", numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
        };
        Settled::Marker { text, numbers }
    }
}

enum Settled {
    Words(String),
    Marker { text: String, numbers: Vec<u32> },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text as it goes on, and the numbers in it, whatever pieces it comes in.
    fn read(text: &str, most: usize) -> (String, Vec<u32>) {
        let whole = gathered(text, most, text.len().max(1));
        for size in 1..8 {
            assert_eq!(gathered(text, most, size), whole, "in pieces of {size}");
        }
        whole
    }

    fn gathered(text: &str, most: usize, size: usize) -> (String, Vec<u32>) {
        let (mut markers, mut said, mut found) = (Markers::new(most), String::new(), Vec::new());
        let characters: Vec<_> = text.chars().collect();
        let mut pieces: Vec<_> =
            characters.chunks(size).flat_map(|chunk| markers.push(&chunk.iter().collect::<String>())).collect();
        pieces.extend(markers.end());
        for piece in pieces {
            match piece {
                Piece::Text(text) => said.push_str(&text),
                Piece::Marker { text, numbers } => {
                    said.push_str(&text);
                    found.extend(numbers);
                }
            }
        }
        (said, found)
    }

    #[test]
    fn numbers_of_passages_stay_and_stray_ones_go() {
        for (text, said, found) in [
            ("It rains [1].", "It rains [1].", vec![1]),
            ("It rains[2][1], it snows [3].", "It rains[2][1], it snows [3].", vec![2, 1, 3]),
            ("Both [1, 3] and [1-3].", "Both [1, 3] and [1-3].", vec![1, 3, 1, 2, 3]),
            ("It rains [4].", "It rains.", vec![]),
            ("It rains [0] now [1, 9].", "It rains now [1].", vec![1]),
            ("Footnotes [^2]", "Footnotes [^2]", vec![2]),
            ("In [2024] and [a], [ ], [], [1", "In [2024] and [a], [ ], [], [1", vec![]),
            ("a [ [1] b", "a [ [1] b", vec![1]),
            ("spaces  [7]  end ", "spaces   end ", vec![]),
            ("é[1]雨 [2]。", "é[1]雨 [2]。", vec![1, 2]),
        ] {
            assert_eq!(read(text, 3), (said.to_owned(), found), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_stray_markers_is_lost(text in "[a-c \\[\\]0-9,.-]{0,40}") {
            let (said, found) = read(&text, 9);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            proptest::prop_assert_eq!(letters(&said), letters(&text));
            proptest::prop_assert!(found.iter().all(|number| (1..=9).contains(number)));
        }
    }
}
