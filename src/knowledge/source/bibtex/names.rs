//! BibTeX's lists of authors, as ours.

use super::{super::name::Name, tex::shown};

/// Each of the names joined by `and`, as `Family, Given`; what is braced as a whole is as it stands.
pub(super) fn authors(tex: &str) -> Vec<String> {
    let names = split(tex).into_iter().filter(|name| !name.eq_ignore_ascii_case("others"));
    names.map(author).filter(|name| !name.is_empty()).collect()
}

fn author(tex: &str) -> String {
    let parts: Vec<_> = pieces(tex, |at, c, _| (c == ',').then_some(at..at + 1));
    let said: Vec<_> = parts.iter().map(|part| shown(part).trim().to_owned()).collect();
    match &said[..] {
        // The organisation's own comma is none of BibTeX's.
        [whole] if tex.starts_with('{') && tex.ends_with('}') => whole.clone(),
        [name] if matches!(Name::of(name), Name::Whole(_)) => name.clone(),
        [name] => spoken(name),
        [family, suffix, given] => format!("{family}, {given}, {suffix}"),
        parts => parts.join(", "),
    }
}

/// `First von Last`: the family's name is the last word and what is small before it.
fn spoken(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().collect();
    let small = |word: &&str| word.chars().next().is_some_and(char::is_lowercase);
    let Some(last) = words.len().checked_sub(1).filter(|last| *last > 0) else { return name.to_owned() };
    let own = words[..last].iter().position(small).unwrap_or(last);
    if own == 0 { name.to_owned() } else { format!("{}, {}", words[own..].join(" "), words[..own].join(" ")) }
}

fn split(tex: &str) -> Vec<&str> {
    pieces(tex, |at, c, rest| {
        let word = rest.get(..c.len_utf8() + 3)?.get(c.len_utf8()..)?;
        let end = at + c.len_utf8() + 3;
        let whole = tex[end..].is_empty() || tex[end..].starts_with(char::is_whitespace);
        (c.is_whitespace() && word.eq_ignore_ascii_case("and") && whole).then_some(at..end)
    })
}

/// Cuts text where no brace is open: `cut` looks at each character and what follows it.
fn pieces(tex: &str, cut: impl Fn(usize, char, &str) -> Option<std::ops::Range<usize>>) -> Vec<&str> {
    let (mut pieces, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in tex.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 && at >= from => {
                if let Some(range) = cut(at, c, &tex[at..]) {
                    pieces.push(tex[from..range.start].trim());
                    from = range.end;
                }
            }
            _ => {}
        }
    }
    pieces.push(tex[from..].trim());
    pieces
}
