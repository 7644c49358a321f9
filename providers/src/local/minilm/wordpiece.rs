//! WordPiece: text to the ids of its pieces, as uncased BERT models were trained on.
//!
//! Words are lower-cased, freed of accents and cut at punctuation, then covered from the left by the longest pieces of the
//! vocabulary: Devlin et al. 2019, and the reference implementation's `tokenization.py`
//! (<https://github.com/google-research/bert>). The vocabulary is that of `bert-base-uncased` (Apache-2.0), 30 522 pieces, a
//! line each; its SHA-256 is 07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3.

use std::{collections::HashMap, ops::ControlFlow};

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// The pieces and their ids.
pub(super) struct WordPiece {
    /// Those a word begins with.
    first: HashMap<&'static str, i32>,
    /// Those it goes on with, without their `##`.
    later: HashMap<&'static str, i32>,
}

impl WordPiece {
    pub(super) fn new() -> Self {
        let (mut first, mut later) = (HashMap::new(), HashMap::new());
        for (id, piece) in (0..).zip(VOCABULARY.lines()) {
            match piece.strip_prefix("##") {
                Some(piece) => later.insert(piece, id),
                None => first.insert(piece, id),
            };
        }
        Self { first, later }
    }

    /// The ids of a text between the marks of its beginning and its end, of a long one those of its beginning: `most` in all.
    pub(super) fn ids(&self, text: &str, most: usize) -> Vec<i32> {
        let room = most.saturating_sub(2);
        let mut ids = vec![BEGIN];
        // Whatever the pieces are, there are no more words than are read.
        let _ = words(text, |word| {
            self.pieces(word, &mut ids);
            if ids.len() > room { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        ids.truncate(room + 1);
        ids.push(END);
        ids
    }

    fn pieces(&self, word: &str, ids: &mut Vec<i32>) {
        let begun = ids.len();
        let mut rest = word;
        if word.chars().count() > LONGEST {
            rest = "";
            ids.push(UNKNOWN);
        }
        while !rest.is_empty() {
            let known = if rest.len() == word.len() { &self.first } else { &self.later };
            let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
            let Some((end, id)) = ends.into_iter().find_map(|end| known.get(&rest[..end]).map(|id| (end, *id))) else {
                // A word of which a part is not known is not known.
                ids.truncate(begun);
                ids.push(UNKNOWN);
                return;
            };
            ids.push(id);
            rest = &rest[end..];
        }
    }
}

/// Tells the words of a text: in lower case, without accents, every mark and every Chinese character a word of its own.
fn words(text: &str, mut tell: impl FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut word = String::new();
    let bare = text.chars().filter(|c| !is_noise(*c)).nfd();
    let bare = bare.filter(|c| c.general_category() != GeneralCategory::NonspacingMark);
    for c in bare.flat_map(char::to_lowercase) {
        let alone = is_mark(c) || is_chinese(c);
        if (alone || c.is_whitespace()) && !word.is_empty() {
            tell(&word)?;
            word.clear();
        }
        if alone {
            tell(c.encode_utf8(&mut [0; 4]))?;
        } else if !c.is_whitespace() {
            word.push(c);
        }
    }
    if word.is_empty() { ControlFlow::Continue(()) } else { tell(&word) }
}

/// What is no text: controls other than blanks, formats, what could not be decoded.
fn is_noise(c: char) -> bool {
    let unwanted = matches!(
        c.general_category(),
        GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::PrivateUse
    );
    c == char::REPLACEMENT_CHARACTER || (unwanted && !c.is_whitespace())
}

fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

const fn is_chinese(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b81f}'
        | '\u{2b920}'..='\u{2ceaf}' | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}')
}

const VOCABULARY: &str = include_str!("vocab.txt");
/// `[CLS]`, `[SEP]` and `[UNK]` by their lines in it.
const BEGIN: i32 = 101;
const END: i32 = 102;
const UNKNOWN: i32 = 100;
/// Characters of a word that is looked at; longer ones are not known.
const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tokenizers` 0.22 makes of the same texts with the `tokenizer.json` of all-MiniLM-L6-v2.
    #[test]
    fn ids_are_those_of_the_reference() {
        let long = "x".repeat(101);
        let known: [(&str, &[i32]); 10] = [
            (
                "The usual dose of lisinopril is 10 mg once daily.",
                &[1996, 5156, 13004, 1997, 5622, 11493, 7361, 15928, 2003, 2184, 11460, 2320, 3679, 1012],
            ),
            ("Café Müller — naïve façade, ÅNGSTRÖM!", &[7668, 12304, 1517, 15743, 8508, 1010, 17076, 15687, 999]),
            ("高血圧 is hypertension", &[1981, 100, 100, 2003, 23760, 29048]),
            (
                "e.g. 2.5mg/kg (max. 100 mg)",
                &[1041, 1012, 1043, 1012, 1016, 1012, 1019, 24798, 1013, 4705, 1006, 4098, 1012, 2531, 11460, 1007],
            ),
            ("don't stop\tnow\0\u{200b} ok", &[2123, 1005, 1056, 2644, 2085, 7929]),
            (
                "unaffable antidisestablishmentarianism pneumonoultramicroscopic",
                &[
                    14477, 20961, 3468, 3424, 10521, 4355, 7875, 13602, 3672, 12199, 2964, 1052, 2638, 2819, 17175,
                    11314, 6444, 2594, 7352, 26461,
                ],
            ),
            (&long, &[100]),
            ("Привет, мир", &[1194, 16856, 10325, 25529, 15290, 22919, 1010, 1191, 10325, 16856]),
            ("\u{1F600} smile ½ ﬁ ²", &[100, 2868, 1092, 1984, 1082]),
            ("हिन्दी भाषा", &[1339, 29877, 29863, 29861, 29878, 1330, 29876, 29873, 29876]),
        ];
        let pieces = WordPiece::new();
        for (text, ids) in known {
            assert_eq!(pieces.ids(text, 256), [&[BEGIN], ids, &[END]].concat(), "{text}");
        }
        assert_eq!(pieces.ids(" \n", 256), [BEGIN, END]);
    }

    #[test]
    fn a_long_text_is_read_from_its_beginning() {
        let pieces = WordPiece::new();
        let ids = pieces.ids(&"dose ".repeat(100_000), 8);
        assert_eq!(ids, [BEGIN, 13004, 13004, 13004, 13004, 13004, 13004, END]);
        assert_eq!(pieces.ids("lisinopril lisinopril", 8).len(), 8);
    }
}
