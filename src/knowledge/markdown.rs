//! What a text in Markdown calls itself: its first heading, if it begins with one of the first level (CommonMark 0.31, 4.2
//! and 4.3).

/// The title, without marks. Front matter and empty lines may stand before it, nothing else.
pub(super) fn title(text: &str) -> Option<String> {
    let mut lines = behind_matter(text).lines().skip_while(|line| line.trim().is_empty());
    let (first, second) = (unindented(lines.next()?)?, lines.next().unwrap_or_default());
    let heading = marked(first).or_else(|| is_underline(second).then(|| first.trim_end()))?;
    Some(plain(heading)).filter(|title| !title.is_empty()).map(str::to_owned)
}

/// The text behind the fields that tools write before it, as YAML between `---` or TOML between `+++`.
fn behind_matter(text: &str) -> &str {
    let Some((fence, mut rest)) = text.split_once('\n') else { return text };
    let fence = fence.trim_end();
    if !["---", "+++"].contains(&fence) {
        return text;
    }
    while let Some((line, below)) = rest.split_once('\n') {
        if line.trim_end() == fence {
            return below;
        }
        rest = below;
    }
    text
}

/// What stands behind one `#` and before those that may close the line.
fn marked(line: &str) -> Option<&str> {
    let heading = line.strip_prefix('#').filter(|rest| rest.starts_with([' ', '\t']))?.trim();
    let open = heading.trim_end_matches('#');
    Some(if open.is_empty() || open.ends_with([' ', '\t']) { open.trim_end() } else { heading })
}

/// Whether a line makes a heading of the one above it.
fn is_underline(line: &str) -> bool {
    unindented(line).is_some_and(|line| !line.is_empty() && line.trim_end().bytes().all(|byte| byte == b'='))
}

/// A line without its indentation; `None`: it has so much that it is code.
fn unindented(line: &str) -> Option<&str> {
    let bare = line.trim_start_matches(' ');
    (line.len() - bare.len() <= 3).then_some(bare)
}

/// Without the emphasis of the whole.
fn plain(heading: &str) -> &str {
    let inside = |mark: &&str| heading.strip_prefix(mark)?.strip_suffix(mark).filter(|rest| !rest.contains(mark));
    ["**", "__", "*", "_", "`"].iter().find_map(inside).unwrap_or(heading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_of_the_first_level_that_begins_a_text_is_its_title() {
        for text in [
            "# Hand hygiene\nWash.",
            "\n \n   #\tHand hygiene ##  \n",
            "Hand hygiene\n===\n",
            "Hand hygiene\n  =  ",
            "---\ntitle: x\n---\n\n# Hand hygiene",
            "+++\r\ntitle = 'x'\r\n+++\r\n# Hand hygiene\r\n",
            "# **Hand hygiene**",
            "`Hand hygiene`\n==",
        ] {
            assert_eq!(title(text).as_deref(), Some("Hand hygiene"), "{text:?}");
        }
        for (text, kept) in [("# C#", "C#"), ("# *a* and *b*", "*a* and *b*"), ("# ___", "___")] {
            assert_eq!(title(text).as_deref(), Some(kept));
        }
    }

    #[test]
    fn what_is_below_something_or_no_heading_of_the_first_level_is_none() {
        for text in [
            "",
            "Wash.\n# Hand hygiene",
            "## Hand hygiene",
            "#Hand hygiene",
            "    # code",
            "# #",
            "#",
            "Hand hygiene\n---",
            "Hand hygiene\n\n===",
            "---\ntitle: x\n\n# Hand hygiene",
            "===\n",
        ] {
            assert_eq!(title(text), None, "{text:?}");
        }
    }
}
