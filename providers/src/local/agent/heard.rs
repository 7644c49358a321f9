//! What the person said, as words to match against: lower case, contractions spelled out, signs as tokens.
//!
//! Speech recognisers write "What's 12 x 7?", "what is twelve times seven" or "Seventy-two °F": all read alike here.
//! Each word remembers where it stands, so that answers can quote the person's own spelling.

/// One word, number or sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word {
    /// Lower case; `%` is `percent`, `°` is `degrees`, `×` and `*` are `times`.
    pub(super) text: String,
    /// Bytes of the utterance it stands for.
    pub(super) start: usize,
    /// End of these bytes.
    pub(super) end: usize,
}

/// An utterance or one of its sentences.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Heard {
    text: String,
    words: Vec<Word>,
}

impl Heard {
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim().replace(['’', '‘'], "'").replace(['“', '”', '"', '«', '»'], " ");
        let words = words_of(&text);
        Self { text, words }
    }

    /// As it was said, quotation marks aside.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }

    /// No word at all: silence, noise, or only punctuation.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether it asks something.
    pub(super) fn is_question(&self) -> bool {
        const ASKING: [&str; 21] = [
            "what", "who", "whom", "whose", "when", "where", "why", "how", "which", "is", "are", "am", "was", "were",
            "do", "does", "did", "can", "could", "will", "would",
        ];
        self.text().ends_with('?') || self.words.first().is_some_and(|word| ASKING.contains(&word.text.as_str()))
    }

    /// The sentences, in order.
    pub(super) fn sentences(&self) -> Vec<Self> {
        let ends = self.text.match_indices(['.', '?', '!', '\n']).filter(|(at, _)| {
            // "3.14" and "e.g." do not end a sentence; a stop before a space does.
            self.text[at + 1..].chars().next().is_none_or(char::is_whitespace)
        });
        let mut start = 0;
        let mut sentences = Vec::new();
        for (at, _) in ends {
            sentences.push(&self.text[start..=at]);
            start = at + 1;
        }
        sentences.push(&self.text[start..]);
        // Twice as many as are kept, as some hold no word.
        let sentences = sentences.split_off(sentences.len().saturating_sub(2 * MOST_SENTENCES));
        let mut sentences: Vec<_> = sentences.into_iter().map(Self::new).collect();
        sentences.retain(|sentence| !sentence.is_empty());
        sentences.split_off(sentences.len().saturating_sub(MOST_SENTENCES))
    }

    /// Whether any of these phrases occurs, word by word.
    pub(super) fn has(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.find(phrase).is_some())
    }

    /// Whether the words, fillers aside, are exactly one of these phrases.
    pub(super) fn is(&self, phrases: &[&str]) -> bool {
        let core = core(&self.words);
        phrases.iter().any(|phrase| lead(core, phrase) == Some(core.len()))
    }

    /// The first place where a phrase begins, as an index of words.
    pub(super) fn find(&self, phrase: &str) -> Option<usize> {
        (0..self.words.len()).find(|&at| lead(&self.words[at..], phrase).is_some())
    }

    /// The words without the fillers around them: "please", "could you tell me", "for me".
    pub(super) fn core(&self) -> &[Word] {
        core(&self.words)
    }

    /// What follows the first of these phrases that the words, fillers aside, begin with.
    pub(super) fn after_lead(&self, phrases: &[&str]) -> Option<&[Word]> {
        let core = self.core();
        phrases.iter().find_map(|phrase| lead(core, phrase).map(|count| &core[count..]))
    }

    /// What follows the first occurrence of a phrase.
    pub(super) fn after(&self, phrases: &[&str]) -> Option<&[Word]> {
        phrases.iter().find_map(|phrase| self.find(phrase).map(|at| &self.words[at + phrase.split(' ').count()..]))
    }

    /// The person's own spelling of a run of words, without the punctuation around it.
    pub(super) fn quote(&self, words: &[Word]) -> &str {
        match (words.first(), words.last()) {
            (Some(first), Some(last)) => self.text[first.start..last.end].trim(),
            (None, _) | (_, None) => "",
        }
    }

    /// The person's own spelling from a run of words to the end, punctuation included.
    pub(super) fn rest(&self, words: &[Word]) -> &str {
        words.first().map_or("", |first| self.text[first.start..].trim())
    }
}

/// How many words the phrase takes at the start, if they are there.
pub(super) fn lead(words: &[Word], phrase: &str) -> Option<usize> {
    let mut count = 0;
    for expected in phrase.split(' ') {
        if words.get(count)?.text != expected {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// The text with a capital at its start.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn core(words: &[Word]) -> &[Word] {
    let words = bare(words);
    let call = CALLS.iter().find_map(|phrase| lead(words, phrase));
    // "Stop it" and "wait a minute" are about the stopping; "stop, what is 9 plus 10" is not.
    call.filter(|count| words.len() >= count + LEAST_AFTER_CALL).map_or(words, |count| bare(&words[count..]))
}

fn bare(mut words: &[Word]) -> &[Word] {
    while let Some(count) = LEADS.iter().find_map(|phrase| lead(words, phrase)).filter(|count| *count < words.len()) {
        words = &words[count..];
    }
    while let Some(count) = TRAILS.iter().find_map(|phrase| trail(words, phrase)).filter(|count| *count < words.len()) {
        words = &words[..words.len() - count];
    }
    words
}

fn trail(words: &[Word], phrase: &str) -> Option<usize> {
    let count = phrase.split(' ').count();
    let start = words.len().checked_sub(count)?;
    lead(&words[start..], phrase)
}

/// Words beyond these are kept as text but not matched: two minutes of speech, and a bound on the work of one answer.
const MOST_WORDS: usize = 300;
/// The last sentences of an utterance hold its question.
const MOST_SENTENCES: usize = 12;

/// How somebody takes the floor from a reply.
const CALLS: [&str; 9] =
    ["no wait", "no stop", "stop", "wait", "hold on", "excuse me", "sorry", "actually", "never mind"];
/// Words after a call that make a request of their own.
const LEAST_AFTER_CALL: usize = 3;

/// Longer phrases first: the first that fits is dropped.
const LEADS: [&str; 50] = [
    "and now",
    "now",
    "i said",
    "could you please tell me",
    "can you please tell me",
    "would you please tell me",
    "could you tell me",
    "can you tell me",
    "would you tell me",
    "will you tell me",
    "please tell me",
    "do you know",
    "do you happen to know",
    "i would like you to",
    "i would like to know",
    "i want you to",
    "i want to know",
    "i need to know",
    "i wonder",
    "could you please",
    "can you please",
    "would you please",
    "would you kindly",
    "are you able to",
    "could you",
    "can you",
    "would you",
    "will you",
    "tell me",
    "let me know",
    "how about",
    "what about",
    "good morning",
    "good afternoon",
    "good evening",
    "hello there",
    "hi there",
    "hello",
    "hi",
    "hey",
    "okay",
    "ok",
    "so",
    "um",
    "uh",
    "well",
    "please",
    "all right",
    "alright",
    "then",
];

const TRAILS: [&str; 12] = [
    "if you please",
    "if you can",
    "thank you very much",
    "thank you",
    "thanks",
    "for me",
    "please",
    "right now",
    "then",
    "again",
    "by the way",
    "exactly",
];

fn words_of(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    while words.len() < MOST_WORDS
        && let Some((start, first)) = chars.next()
    {
        let mut end = start + first.len_utf8();
        let numeric = first.is_ascii_digit();
        if first.is_alphanumeric() {
            while let Some(&(at, next)) = chars.peek() {
                if !belongs(text, start, at, next, numeric) {
                    break;
                }
                end = at + next.len_utf8();
                chars.next();
            }
            push_word(&mut words, text, start, end);
        } else if let Some(sign) = sign(text, start, first) {
            words.push(Word { text: sign.to_owned(), start, end });
        }
    }
    words
}

/// Whether `next` at `at` continues the word or number that began at `start`.
fn belongs(text: &str, start: usize, at: usize, next: char, numeric: bool) -> bool {
    let follows = text[at + next.len_utf8()..].chars().next();
    if !numeric {
        let letter_follows = follows.is_some_and(char::is_alphanumeric);
        return next.is_alphanumeric() || next == '\'' && letter_follows;
    }
    let digit_follows = follows.is_some_and(|next| next.is_ascii_digit());
    match next {
        '.' | ',' | ':' => digit_follows,
        _ if next.is_ascii_digit() => text[start..at].chars().all(|c| c.is_ascii_digit() || ".,:".contains(c)),
        // Only the endings of ordinals stick to digits: "4th", but "5 km" from "5km".
        _ if next.is_alphabetic() => {
            let tail: String = text[at..].chars().take_while(|c| c.is_alphanumeric()).collect();
            let ordinal = |tail: &str| ["st", "nd", "rd", "th"].contains(&tail.to_lowercase().as_str());
            let begun = text[start..at].trim_start_matches(|c: char| c.is_ascii_digit());
            begun.is_empty() && ordinal(&tail) || !begun.is_empty()
        }
        _ => false,
    }
}

fn sign(text: &str, start: usize, sign: char) -> Option<&'static str> {
    let spaced = |c: Option<char>| c.is_none_or(char::is_whitespace);
    Some(match sign {
        '%' => "percent",
        '°' => "degrees",
        '+' => "plus",
        '×' | '*' | '·' => "times",
        '÷' | '/' => "over",
        '^' => "^",
        '(' => "(",
        ')' => ")",
        '=' => "equals",
        '&' => "and",
        '-' | '−' | '–' => {
            let before = text[..start].chars().next_back();
            let after = text[start + sign.len_utf8()..].chars().next();
            let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
            if digit(after) || spaced(after) && spaced(before) && digit(text[..start].trim_end().chars().next_back()) {
                "minus"
            } else {
                return None;
            }
        }
        _ => return None,
    })
}

fn push_word(words: &mut Vec<Word>, text: &str, start: usize, end: usize) {
    let word = text[start..end].to_lowercase();
    let mut push = |text: &str| words.push(Word { text: text.to_owned(), start, end });
    match word.as_str() {
        "can't" | "cannot" => ["can", "not"].into_iter().for_each(push),
        "won't" => ["will", "not"].into_iter().for_each(push),
        "let's" => ["let", "us"].into_iter().for_each(push),
        "i'm" | "im" => ["i", "am"].into_iter().for_each(push),
        _ => {
            let (stem, ending) =
                ENDINGS.iter().find_map(|(short, long)| Some((word.strip_suffix(short)?, *long))).unzip();
            match (stem, ending) {
                (Some(stem), Some("is")) if !IS_STEMS.contains(&stem) => push(&word),
                (Some(stem), Some(ending)) => [stem, ending].into_iter().for_each(push),
                (None, _) | (_, None) => push(&word),
            }
        }
    }
}

const ENDINGS: [(&str, &str); 6] =
    [("n't", "not"), ("'re", "are"), ("'ll", "will"), ("'ve", "have"), ("'d", "would"), ("'s", "is")];

/// After these "'s" is "is"; after any other word it is a possessive ("New Year's").
const IS_STEMS: [&str; 14] =
    ["what", "who", "where", "when", "how", "why", "it", "that", "there", "here", "he", "she", "name", "time"];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        Heard::new(text).words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn recognisers_spellings_read_alike() {
        for (text, expected) in [
            ("What's 12 x 7?", "what is 12 x 7"),
            ("What’s the time?", "what is the time"),
            ("I'm 5'2\".", "i am 5 2"),
            ("Seventy-two °F in Celsius", "seventy two degrees f in celsius"),
            ("72°F", "72 degrees f"),
            ("15% of 1,000.50", "15 percent of 1,000.50"),
            ("5km to miles", "5 km to miles"),
            ("July 4th, at 5:30 PM.", "july 4th at 5:30 pm"),
            ("10-3", "10 minus 3"),
            ("10 - 3", "10 minus 3"),
            ("-5 + 2", "minus 5 plus 2"),
            ("Don't you", "do not you"),
            ("New Year's Eve", "new year's eve"),
            ("(2+3)*4", "( 2 plus 3 ) times 4"),
            ("3.14", "3.14"),
            ("", ""),
            (" ... ", ""),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn fillers_around_the_words_are_dropped() {
        for (text, expected) in [
            ("Hey, could you please tell me what time it is, please?", "what time it is"),
            ("Hello.", "hello"),
            ("So what time is it right now?", "what time is it"),
        ] {
            let heard = Heard::new(text);
            assert!(heard.is(&[expected]), "{text}: {:?}", heard.core());
        }
    }

    #[test]
    fn sentences_end_at_stops_not_in_numbers() {
        let sentences = Heard::new("My name is Ann. What is 3.5 plus 1? Thanks!").sentences();
        let texts: Vec<_> = sentences.iter().map(Heard::text).collect();
        assert_eq!(texts, ["My name is Ann.", "What is 3.5 plus 1?", "Thanks!"]);
    }

    #[test]
    fn quotes_keep_the_persons_spelling() {
        let heard = Heard::new("Say “Hello, World”!");
        let rest = heard.after_lead(&["say"]).unwrap();
        assert_eq!(heard.quote(rest), "Hello, World");
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_heard(text in "\\PC{0,80}") {
            let heard = Heard::new(&text);
            let _ = heard.quote(heard.words());
            for sentence in heard.sentences() {
                proptest::prop_assert!(!sentence.rest(sentence.words()).is_empty());
            }
        }
    }
}
