//! A conversation as CommonMark that renders to exactly what was said.
//!
//! What could mean something is escaped, also what it means only in common extensions; line ends are hard breaks, and
//! white space that a renderer would drop is written as references.

use std::fmt::Write;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::{Bibliography, Conversation, Message, Part, written};

pub(super) fn head(conversation: &Conversation) -> String {
    let mut out = format!("# {}\n\n", line(conversation.named()));
    for (label, value) in conversation.facts() {
        let _ = writeln!(out, "- **{label}:** {}", line(&value));
    }
    out
}

pub(super) fn message(message: &Message) -> String {
    let mut out = format!("\n## {}\n", message.header());
    for part in message.parts() {
        match part {
            Part::Words(words) => {
                let _ = write!(out, "\n{}\n", escaped(words));
            }
            Part::Code { label, name, code } => {
                let name = name.map_or_else(|| "a call".to_owned(), |name| line(&name));
                let _ = write!(out, "\n{label} {name}:\n\n{}", fenced(code));
            }
            Part::File(file) => {
                let _ = write!(out, "\n{}\n", line(&file.told()));
            }
            Part::Citation(citation) => {
                let _ = write!(out, "\n{}\n", line(&citation.told()));
            }
        }
    }
    out
}

pub(super) fn foot(bibliography: &Bibliography, exported: Timestamp) -> String {
    let mut out = String::new();
    if !bibliography.entries.is_empty() {
        out.push_str("\n## Bibliography\n\n");
        for entry in &bibliography.entries {
            let _ = writeln!(out, "- {}", line(entry));
        }
        if let Some(note) = bibliography.note() {
            let _ = write!(out, "\n{note}\n");
        }
    }
    let _ = write!(out, "\n---\n\nExported {}\n", written(exported));
    out
}

/// Text of one line, wherever it stands.
fn line(text: &str) -> String {
    escaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Text as paragraphs that render to it.
pub(super) fn escaped(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let inner = text.trim_start_matches('\n');
    let mut out = "&#10;".repeat(text.len() - inner.len());
    let body = inner.trim_end_matches('\n');
    out.reserve(text.len() + text.len() / 8);
    let mut lines = body.split('\n').peekable();
    let mut empty = 0;
    while let Some(one) = lines.next() {
        escape_line(one, &mut out);
        if lines.peek().is_none() {
            break;
        }
        // One empty line is the end of a paragraph; more of them are kept by breaks.
        while lines.next_if_eq(&"").is_some() {
            empty += 1;
        }
        match std::mem::take(&mut empty) {
            1 => out.push_str("\n\n"),
            more => out.push_str(&"\\\n".repeat(more + 1)),
        }
    }
    out.push_str(&"&#10;".repeat(inner.len() - body.len()));
    out
}

/// Escapes a line that has something in it.
fn escape_line(text: &str, out: &mut String) {
    let outer = |c: char| matches!(c, ' ' | '\t');
    let inner = text.trim_start_matches(outer);
    let body = inner.trim_end_matches(outer);
    let spaces = |part: &str, out: &mut String| {
        for c in part.chars() {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    };
    spaces(&text[..text.len() - inner.len()], out);
    let mut numbering = true;
    for (at, c) in body.char_indices() {
        match c {
            '\0' => out.push('\u{FFFD}'),
            // Renderers differ in which of these are white space.
            c if c.is_control() => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            // Wherever they stand.
            '\\' | '`' | '*' | '_' | '{' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '=' | '$' | '^' => {
                out.extend(['\\', c]);
            }
            // At the start of a line: lists, rules, headings, definitions.
            '-' | '+' | ':' if at == 0 => out.extend(['\\', c]),
            '.' | ')' if numbering && at > 0 => out.extend(['\\', c]),
            c => out.push(c),
        }
        numbering &= c.is_ascii_digit();
    }
    spaces(&inner[body.len()..], out);
}

/// Code, behind a fence that is longer than any in it.
fn fenced(code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let kind = if serde_json::from_str::<IgnoredAny>(code).is_ok() { "json" } else { "" };
    let end = if code.is_empty() || code.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{kind}\n{code}{end}{fence}\n")
}
