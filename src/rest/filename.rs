//! Names for files that people save: any Unicode, never a path.

use std::fmt::Write;

use axum::http::HeaderValue;

/// `content-disposition: attachment` (RFC 6266) under `name`: as it is for those who read RFC 8187, in ASCII for the others.
pub(super) fn attachment(name: &str, extension: &str) -> HeaderValue {
    let name = harmless(name);
    let plain: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    let value =
        format!("attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{}.{extension}", encoded(&name));
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Without what file systems or people take for something else: separators, controls, marks that turn the direction of
/// writing, dots at the ends. Short enough for any file system.
fn harmless(name: &str) -> String {
    let swapped = name.chars().filter(|c| !deceptive(*c)).map(|c| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        c if c.is_control() || c.is_whitespace() => ' ',
        c => c,
    });
    let mut kept = String::new();
    for c in swapped {
        if kept.len() + c.len_utf8() > LONGEST {
            break;
        }
        kept.push(c);
    }
    let kept = kept.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if kept.is_empty() { UNNAMED.to_owned() } else { kept.to_owned() }
}

/// Unseen, and able to show a name as another one.
fn deceptive(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// The `value-chars` of RFC 8187.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => out.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => out.push(byte.into()),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Bytes of UTF-8; most file systems take 255, and browsers add to it.
const LONGEST: usize = 150;
/// What has no name.
const UNNAMED: &str = "conversation";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_in_ascii_and_as_it_is() {
        for (name, expected) in [
            ("hello", "attachment; filename=\"hello.md\"; filename*=UTF-8''hello.md"),
            ("Grüße 🎉", "attachment; filename=\"Gr__e _.md\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%F0%9F%8E%89.md"),
            ("100%", "attachment; filename=\"100_.md\"; filename*=UTF-8''100%25.md"),
            ("", "attachment; filename=\"conversation.md\"; filename*=UTF-8''conversation.md"),
        ] {
            assert_eq!(attachment(name, "md"), expected, "{name:?}");
        }
    }

    #[test]
    fn no_name_is_a_path_or_looks_like_another() {
        for (name, expected) in [
            ("../../etc/passwd", "-..-etc-passwd"),
            ("C:\\x", "C--x"),
            ("a\r\nset-cookie: b", "a  set-cookie- b"),
            ("exe\u{202E}fdp", "exefdp"),
            ("...", "conversation"),
            ("\"; filename=\"x", "-; filename=-x"),
        ] {
            assert_eq!(harmless(name), expected, "{name:?}");
        }
        assert!(harmless(&"語".repeat(500)).len() <= LONGEST);
    }
}
