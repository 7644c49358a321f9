//! Paragraphs of word processors as lines of Markdown: headings by their marks, entries of lists by a dash.

use super::prose::Prose;

/// What a paragraph is in its document.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Role {
    /// Text like any other.
    #[default]
    Body,
    /// What follows is about this; the highest level is 1.
    Heading(usize),
    /// Of a list.
    Entry,
}

/// The paragraphs that were begun, the innermost last: a text box or a note stands within the paragraph that holds it.
#[derive(Debug, Default)]
pub(super) struct Paragraphs(Vec<Paragraph>);

#[derive(Debug)]
struct Paragraph {
    role: Role,
    /// Whether it has a word: until then it leaves no trace.
    begun: bool,
}

impl Paragraphs {
    pub(super) fn open(&mut self, role: Role, prose: &mut Prose) {
        if self.0.last().is_some_and(|outer| outer.begun) {
            prose.end_line();
        }
        self.0.push(Paragraph { role, begun: false });
    }

    /// Tells what the innermost is, before its first word.
    pub(super) fn tell(&mut self, role: Role) {
        if let Some(paragraph) = self.0.last_mut() {
            paragraph.role = role;
        }
    }

    /// Adds words to the innermost. What stands in no paragraph is no text.
    pub(super) fn push(&mut self, text: &str, prose: &mut Prose) {
        if let Some(paragraph) = self.0.last_mut() {
            paragraph.push(text, prose);
        }
    }

    /// Ends the innermost, and its line.
    pub(super) fn close(&mut self, prose: &mut Prose) {
        if self.0.pop().is_some() {
            prose.end_line();
        }
    }
}

impl Paragraph {
    fn push(&mut self, text: &str, prose: &mut Prose) {
        let marked = self.role != Role::Body;
        let text = if marked && !self.begun { text.trim_start() } else { text };
        if text.is_empty() {
            return;
        }
        let begins = !std::mem::replace(&mut self.begun, true);
        match self.role {
            Role::Entry if begins => prose.push("- "),
            Role::Heading(level) if begins => {
                prose.end_part();
                prose.push(&"#".repeat(level.clamp(1, LEVELS)));
                prose.push(" ");
            }
            Role::Body | Role::Entry | Role::Heading(_) => {}
        }
        match self.role {
            // A heading is one line, whatever its breaks.
            Role::Heading(_) => prose.push(&text.replace(char::is_whitespace, " ")),
            Role::Body | Role::Entry => prose.push(text),
        }
    }
}

/// Levels of headings that Markdown has.
const LEVELS: usize = 6;
