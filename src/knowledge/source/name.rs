//! Names of authors: whose part is the family's and whose is their own.

/// An author's name, in its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    /// A person.
    Person {
        /// The family's name, with what belongs before it: `van der Berg`.
        family: String,
        /// What they are called themselves.
        given: String,
        /// What follows: `Jr.`.
        suffix: Option<String>,
    },
    /// An organisation, or a name that has no parts.
    Whole(String),
}

impl Name {
    /// Reads `Family, Given`, `Family, Given, Jr.`, `Given Family`, `Family GF` (as PubMed has it) and names of organisations.
    /// Without a comma it can only be told by its words which of them it is.
    pub fn of(author: &str) -> Self {
        let whole = || Self::Whole(author.to_owned());
        let person = |family: &str, given: &str, suffix: Option<&str>| Self::Person {
            family: family.to_owned(),
            given: given.to_owned(),
            suffix: suffix.map(str::to_owned),
        };
        let parts: Vec<_> = author.split(',').map(str::trim).collect();
        match parts[..] {
            _ if parts.iter().any(|part| part.is_empty()) => whole(),
            [words] if has_word(words, &BODIES) || has_word(words, &SURE) => whole(),
            [words] => in_order(words).unwrap_or_else(whole),
            _ if has_word(author, &SURE) => whole(),
            [name, suffix] if is_suffix(suffix) => match in_order(name) {
                Some(Self::Person { family, given, .. }) => person(&family, &given, Some(suffix)),
                Some(Self::Whole(_)) | None => whole(),
            },
            [family, given] => person(family, given, None),
            [family, given, suffix] if is_suffix(suffix) => person(family, given, Some(suffix)),
            // BibTeX's order.
            [family, suffix, given] if is_suffix(suffix) => person(family, given, Some(suffix)),
            _ => whole(),
        }
    }
}

/// A person's name as it is spoken, or as PubMed writes it.
fn in_order(name: &str) -> Option<Name> {
    let words: Vec<_> = name.split_whitespace().collect();
    let (last, before) = words.split_last().filter(|(_, before)| !before.is_empty())?;
    let person = |family: &[&str], given: String| Name::Person { family: family.join(" "), given, suffix: None };
    let initials = last.chars().count() <= 3 && last.chars().all(char::is_uppercase);
    if initials && before.iter().any(|word| word.chars().any(char::is_lowercase)) {
        let given: Vec<_> = last.chars().map(|c| format!("{c}.")).collect();
        return Some(person(before, given.join(" ")));
    }
    let upper = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    if words.len() > 5 || !upper(before[0]) || !upper(last) {
        return None;
    }
    let own = before.iter().take_while(|word| upper(word)).count();
    Some(person(&words[own..], before[..own].join(" ")))
}

fn is_suffix(text: &str) -> bool {
    ["jr", "sr", "ii", "iii", "iv"].contains(&text.trim_end_matches('.').to_lowercase().as_str())
}

fn has_word(name: &str, words: &[&str]) -> bool {
    let mut own = name.split(|c: char| !c.is_alphanumeric() && c != '&').filter(|word| !word.is_empty());
    own.any(|word| words.contains(&word.to_lowercase().as_str()))
}

/// Words that no person is called, not even beside a comma.
const SURE: [&str; 12] = [
    "university",
    "institute",
    "hospital",
    "ministry",
    "department",
    "inc",
    "ltd",
    "llc",
    "gmbh",
    "plc",
    "corporation",
    "association",
];

/// Words that names of organisations have, and persons' have not where they are written without a comma.
const BODIES: [&str; 34] = [
    "organization",
    "organisation",
    "society",
    "committee",
    "council",
    "agency",
    "centre",
    "centres",
    "center",
    "centers",
    "college",
    "clinic",
    "foundation",
    "federation",
    "commission",
    "board",
    "office",
    "bureau",
    "consortium",
    "collaboration",
    "group",
    "network",
    "union",
    "nations",
    "service",
    "administration",
    "authority",
    "academy",
    "team",
    "of",
    "for",
    "and",
    "the",
    "&",
];
