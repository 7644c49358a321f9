//! Who may import whom: the table of ARCHITECTURE.md, held against the source, so that the diagram cannot rot.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Under this path, none of these names may be named in code.
const RULES: &[(&str, &[&str])] = &[
    ("audio/src", &["tokio", "serde", "providers::", "voice_relay", "tracing"]),
    ("providers/src", &["axum", "sqlx", "voice_relay"]),
    (
        "src/realtime/session",
        &[
            "tokio",
            "axum",
            "serde_json",
            "realtime::protocol",
            "realtime::transport",
            "realtime::workers",
            "crate::store",
            "crate::rest",
            "SpeechToText",
            "LanguageModel",
            "TextToSpeech",
            "Instant::now",
        ],
    ),
    (
        "src/realtime/protocol",
        &["tokio", "axum", "realtime::transport", "realtime::workers", "crate::store", "crate::rest"],
    ),
    ("src/realtime/ingest", &["tokio", "axum", "sqlx", "realtime::protocol", "realtime::transport"]),
    ("src/realtime/egress", &["tokio", "axum", "sqlx", "realtime::transport"]),
    ("src/realtime/workers", &["axum", "sqlx", "realtime::protocol", "realtime::transport", "crate::store"]),
    ("src/realtime", &["crate::rest", "crate::chat", "crate::commands", "crate::app"]),
    (
        "src/store",
        &["crate::rest", "crate::chat", "crate::auth", "crate::commands", "crate::app", "knowledge::style", "axum"],
    ),
    ("src/documents/export", &["tokio"]),
    ("src/chat", &["crate::rest", "crate::auth", "crate::engines", "crate::commands", "crate::app", "axum", "sqlx"]),
    (
        "src/dossiers",
        &["crate::rest", "crate::auth", "crate::engines", "crate::commands", "crate::app", "axum", "sqlx"],
    ),
    (
        "src/tools",
        &[
            "crate::rest",
            "crate::chat",
            "crate::auth",
            "crate::engines",
            "crate::commands",
            "crate::app",
            "axum",
            "sqlx",
        ],
    ),
    ("src/tools/mcp/wire", &["tokio", "reqwest"]),
    ("src/realtime/toolbox", &["crate::store", "crate::tools", "axum", "sqlx"]),
    ("src/dossiers/sheet", &["crate::", "tokio"]),
    ("src/realtime/dossier", &["crate::store", "crate::dossiers", "axum", "sqlx"]),
    ("src/storage", &["crate::", "axum", "sqlx"]),
    ("src/jobs", &["crate::rest", "crate::realtime", "crate::auth", "crate::commands", "crate::app", "axum", "sqlx"]),
    (
        "src/knowledge",
        &["crate::rest", "crate::realtime", "crate::auth", "crate::commands", "crate::app", "axum", "sqlx"],
    ),
    ("src/knowledge/source", &["crate::", "tokio"]),
    ("src/auth", &["crate::rest", "crate::realtime", "crate::commands", "crate::app"]),
    ("src/rest", &["crate::commands", "crate::app", "realtime::workers", "realtime::driver"]),
    (
        "src/documents",
        &[
            "crate::rest",
            "crate::realtime",
            "crate::store",
            "crate::auth",
            "crate::commands",
            "crate::app",
            "sqlx",
            "axum",
        ],
    ),
    ("src/documents/kind", &["tokio", "pdf_extract", "calamine", "zip::", "image::"]),
    ("src/documents/layout", &["tokio", "zip::"]),
    ("src/clock.rs", &["crate::"]),
    ("src/drain.rs", &["crate::rest", "crate::realtime", "crate::store"]),
    ("src/metrics", &["crate::rest", "crate::realtime", "crate::store"]),
    ("src/cost", &["crate::rest", "crate::realtime", "crate::store", "crate::engines"]),
    ("src/roster", &["crate::rest", "crate::realtime", "crate::store", "crate::engines"]),
];

#[test]
fn nobody_imports_against_the_arrows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for (place, forbidden) in RULES {
        let files = sources(root, place);
        assert!(!files.is_empty(), "the rule for {place} guards nothing: has it moved?");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in code(&text).filter(|(_, line)| !line.trim_start().starts_with("//")) {
                let named = forbidden.iter().filter(|name| names(line, name));
                broken
                    .extend(named.map(|name| {
                        format!("{}:{number}: names `{name}`", file.strip_prefix(root).unwrap().display())
                    }));
            }
        }
    }
    assert!(broken.is_empty(), "imports against the arrows:\n{}", broken.join("\n"));
}

/// Lines of code with their numbers, up to the inline tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line)).take_while(|(_, line)| *line != "#[cfg(test)]")
}

/// Whether `line` holds `name` as a whole path segment or path start.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside(before) && (name.ends_with(':') || !inside(after))
    })
}

/// A file, or every `.rs` under a folder that is not a test.
fn sources(root: &Path, place: &str) -> Vec<PathBuf> {
    let path = root.join(place);
    if path.is_file() {
        return vec![path];
    }
    let single = path.with_extension("rs");
    let mut found = if single.is_file() { vec![single] } else { Vec::new() };
    let mut folders = vec![path];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let test = path.file_stem().is_some_and(|stem| stem == "tests");
            match path.is_dir() {
                true if !test => folders.push(path),
                false if !test && path.extension().is_some_and(|e| e == "rs") => found.push(path),
                _ => {}
            }
        }
    }
    found
}
