//! TeX as the text it shows: accents, letters, dashes. Commands that style are left out, what they style stays.

use unicode_normalization::UnicodeNormalization;

/// The text of a value.
pub(super) fn shown(tex: &str) -> String {
    let mut out = String::with_capacity(tex.len());
    let mut accent: Option<char> = None;
    let mut rest = tex;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '{' => {}
            // An accent over nothing.
            '}' => accent = None,
            '$' => {}
            '~' => put(&mut out, &mut accent, "\u{a0}"),
            '\\' => command(&mut rest, &mut out, &mut accent),
            c if c.is_whitespace() && accent.is_some() => {}
            '-' | '`' | '\'' => {
                let (shown, length) = DASHES
                    .iter()
                    .find(|(tex, _)| tex.starts_with(c) && rest.starts_with(&tex[1..]))
                    .map_or_else(|| (c.to_string(), 0), |(tex, shown)| ((*shown).to_owned(), tex.len() - 1));
                rest = &rest[length..];
                put(&mut out, &mut accent, &shown);
            }
            c => put(&mut out, &mut accent, c.encode_utf8(&mut [0; 4])),
        }
    }
    out.nfc().collect()
}

/// A value that TeX does not read: an address.
pub(super) fn verbatim(tex: &str) -> String {
    let mut out = String::with_capacity(tex.len());
    let mut chars = tex.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' => {}
            // Many programs escape here too.
            '\\' if chars.peek().is_some_and(|next| "_&%#$~{}".contains(*next)) => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// Text, whose first letter takes the mark that waits for it.
fn put(out: &mut String, accent: &mut Option<char>, text: &str) {
    let Some(mark) = accent.take() else { return out.push_str(text) };
    let mut letters = text.chars();
    out.extend(letters.next().map(|letter| match letter {
        // The dot goes where a mark comes.
        'ı' => 'i',
        'ȷ' => 'j',
        letter => letter,
    }));
    out.push(mark);
    out.push_str(letters.as_str());
}

/// What follows a backslash.
fn command(rest: &mut &str, out: &mut String, accent: &mut Option<char>) {
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    if letters == 0 {
        let Some(sign) = rest.chars().next() else { return };
        *rest = &rest[sign.len_utf8()..];
        match ACCENTS.iter().find(|(name, _)| *name == sign.encode_utf8(&mut [0; 4])) {
            Some((_, mark)) => *accent = Some(*mark),
            // Where a line or a word may break, or is drawn together.
            None if matches!(sign, '-' | '/' | '!') => {}
            None if matches!(sign, ',' | ';' | ':' | '\\') || sign.is_whitespace() => put(out, accent, " "),
            None => put(out, accent, sign.encode_utf8(&mut [0; 4])),
        }
        return;
    }
    let name = &rest[..letters];
    *rest = rest[letters..].trim_start();
    if let Some((_, mark)) = ACCENTS.iter().find(|(accent, _)| *accent == name) {
        *accent = Some(*mark);
    } else if let Some((_, shown)) = LETTERS.iter().find(|(letter, _)| *letter == name) {
        put(out, accent, shown);
    }
}

const DASHES: [(&str, &str); 4] = [("---", "—"), ("--", "–"), ("``", "“"), ("''", "”")];

/// Marks over and under the letter that follows.
const ACCENTS: [(&str, char); 15] = [
    ("`", '\u{300}'),
    ("'", '\u{301}'),
    ("^", '\u{302}'),
    ("~", '\u{303}'),
    ("=", '\u{304}'),
    ("u", '\u{306}'),
    (".", '\u{307}'),
    ("\"", '\u{308}'),
    ("r", '\u{30a}'),
    ("H", '\u{30b}'),
    ("v", '\u{30c}'),
    ("d", '\u{323}'),
    ("c", '\u{327}'),
    ("k", '\u{328}'),
    ("b", '\u{331}'),
];

/// Letters and signs that have a name; in titles of medicine, Greek ones.
const LETTERS: [(&str, &str); 62] = [
    ("aa", "å"),
    ("AA", "Å"),
    ("ae", "æ"),
    ("AE", "Æ"),
    ("oe", "œ"),
    ("OE", "Œ"),
    ("o", "ø"),
    ("O", "Ø"),
    ("l", "ł"),
    ("L", "Ł"),
    ("ss", "ß"),
    ("i", "ı"),
    ("j", "ȷ"),
    ("th", "þ"),
    ("TH", "Þ"),
    ("dh", "ð"),
    ("DH", "Ð"),
    ("textendash", "–"),
    ("textemdash", "—"),
    ("textquoteleft", "‘"),
    ("textquoteright", "’"),
    ("textquotedblleft", "“"),
    ("textquotedblright", "”"),
    ("textbackslash", "\\"),
    ("textasciicircum", "^"),
    ("textasciitilde", "~"),
    ("textbraceleft", "{"),
    ("textbraceright", "}"),
    ("textunderscore", "_"),
    ("textdollar", "$"),
    ("textregistered", "®"),
    ("texttrademark", "™"),
    ("textdegree", "°"),
    ("copyright", "©"),
    ("dots", "…"),
    ("ldots", "…"),
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Delta", "Δ"),
    ("Omega", "Ω"),
    ("pm", "±"),
    ("times", "×"),
    ("leq", "≤"),
    ("geq", "≥"),
];
