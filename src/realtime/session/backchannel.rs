//! Sounds a listener makes to say "go on": they must not stop a reply.

/// Most words a backchannel has; "okay okay okay yeah" means something else.
const LONGEST: usize = 3;

/// What people say while they listen on.
const WORDS: &[&str] = &[
    "aha", "ah", "alright", "claro", "cool", "genau", "good", "great", "hm", "hmm", "hmmm", "hm-hm", "huh", "indeed",
    "ja", "mhm", "mm", "mm-hm", "mm-hmm", "mmhm", "mmhmm", "mmm", "nice", "oh", "ok", "okay", "oui", "right", "sure",
    "uh", "uh-huh", "uhhuh", "uh-hum", "um", "wow", "yeah", "yep", "yes", "yup",
];

/// Such phrases of two words.
const PHRASES: &[[&str; 2]] =
    &[["i", "see"], ["got", "it"], ["of", "course"], ["go", "on"], ["mm", "hm"], ["uh", "huh"]];

/// Whether these words only say that somebody listens. No words at all are no backchannel.
pub(super) fn is_backchannel(said: &str) -> bool {
    let words: Vec<String> = said
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let mut rest: &[String] = &words;
    let mut count = 0;
    while let [first, after @ ..] = rest {
        rest = match after {
            [second, after @ ..] if PHRASES.contains(&[first, second]) => after,
            _ if WORDS.contains(&first.as_str()) => after,
            _ => return false,
        };
        count += 1;
    }
    (1..=LONGEST).contains(&count)
}

#[cfg(test)]
mod tests {
    use super::is_backchannel;

    #[test]
    fn listening_sounds_are_told_from_words() {
        for said in ["Mm-hm.", "uh-huh", "Yeah, okay.", "I see.", "Right", "okay, got it", "uh huh"] {
            assert!(is_backchannel(said), "{said}");
        }
        for said in ["", " ", "stop", "Yeah but", "no", "wait", "I see a problem", "okay okay okay okay", "right now"] {
            assert!(!is_backchannel(said), "{said}");
        }
    }
}
