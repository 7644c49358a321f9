//! Where to reach somebody: web and mail addresses, phone numbers, names on networks.

use regex::Captures;

use super::{
    numerals,
    rules::{Place, Rule},
};

fn mail(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    Some(format!("{} at {}", spelled(&m[1]), spelled(&m[2])))
}

/// A web address without its scheme; of a long one only the host, which is what a listener can use.
fn web(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let address = m[1].trim_end_matches('/');
    let host = address.split(['/', '?', '#']).next().unwrap_or_default();
    Some(spelled(if address.len() > LONGEST { host } else { address }))
}

/// Digit by digit, a pause between the groups.
fn phone(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let number = &m[0];
    let groups = number.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    let said = groups.map(numerals::digits).collect::<Vec<_>>().join(", ");
    Some(if number.starts_with('+') { format!("plus {said}") } else { said })
}

/// An address piece by piece, its marks by name.
fn spelled(address: &str) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut run = String::new();
    for c in address.chars().chain(['\n']) {
        if c.is_alphabetic() && !run.ends_with(|c: char| c.is_ascii_digit())
            || c.is_ascii_digit() && !run.ends_with(char::is_alphabetic)
        {
            run.push(c);
            continue;
        }
        let figures = run.starts_with(|c: char| c.is_ascii_digit());
        let piece = std::mem::take(&mut run);
        if figures {
            said.push(if piece.len() > 2 { numerals::digits(&piece) } else { numerals::cardinal(&piece) });
        } else if !piece.is_empty() {
            said.push(piece);
        }
        if c.is_alphanumeric() {
            run.push(c);
        }
        said.extend(MARKS.iter().find(|(mark, _)| *mark == c).map(|(_, name)| (*name).to_owned()));
    }
    said.join(" ")
}

const MARKS: [(char, &str); 12] = [
    ('.', "dot"),
    ('/', "slash"),
    ('-', "dash"),
    ('_', "underscore"),
    (':', "colon"),
    ('?', "question mark"),
    ('=', "equals"),
    ('&', "and"),
    ('+', "plus"),
    ('#', "hash"),
    ('@', "at"),
    ('%', "percent"),
];

/// Letters of an address said in full.
const LONGEST: usize = 40;

pub(super) const RULES: &[Rule] = &[
    Rule(r"(?:mailto:)?([\w.+-]{1,64})@((?:[\w-]{1,63}\.)+[A-Za-z]{2,})", mail),
    Rule(r#"(?i:https?://|ftp://|wss?://)(?:www\.)?([^\s<>()\[\]"`]*[\w/])"#, web),
    Rule(r#"(?i:www\.)([^\s<>()\[\]"`]*[\w/])"#, web),
    Rule(
        r"((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,4}(?:com|org|net|io|dev|ai|app|edu|gov|info|co|uk|de|eu)\b(?:/[\w./-]*\w)?)",
        web,
    ),
    Rule(r"\+[0-9]{1,3}[ .-]?(?:\([0-9]{1,4}\)|[0-9]{1,4})(?:[ .-]?[0-9]{2,4}){1,4}", phone),
    Rule(r"(?:1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}\b", phone),
    Rule(r"[0-9]{3}-[0-9]{4}\b", phone),
];
