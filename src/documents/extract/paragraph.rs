//! Paragraphs of word processors as lines of Markdown: headings by their marks, entries of lists by a dash. A row of a table is
//! a line too, its cells parted by tabs; further paragraphs of a cell begin lines of their own.

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

/// The paragraphs that were begun, the innermost last: a text box or a note stands within the paragraph that holds it. And the
/// rows, for a cell may hold a table.
#[derive(Debug, Default)]
pub(super) struct Paragraphs {
    open: Vec<Paragraph>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Paragraph {
    role: Role,
    /// Whether it has a word: until then it leaves no trace.
    begun: bool,
}

/// A row of a table.
#[derive(Debug, Default)]
struct Row {
    /// Whether it has a cell.
    begun: bool,
    /// How many cells its next words are further than the last.
    tabs: usize,
    /// Whether its cell has a line: what else comes in that begins another.
    lined: bool,
}

impl Paragraphs {
    pub(super) fn open(&mut self, role: Role, prose: &mut Prose) {
        self.part(prose);
        if self.open.last().is_some_and(|outer| outer.begun) {
            prose.end_line();
        }
        self.open.push(Paragraph { role, begun: false });
    }

    /// Tells what the innermost is, before its first word.
    pub(super) fn tell(&mut self, role: Role) {
        if let Some(paragraph) = self.open.last_mut() {
            paragraph.role = role;
        }
    }

    /// Adds words to the innermost. What stands in no paragraph is no text.
    pub(super) fn push(&mut self, text: &str, prose: &mut Prose) {
        let Some(paragraph) = self.open.last_mut() else { return };
        if !text.trim().is_empty() {
            let tabs = self.rows.iter_mut().map(|row| std::mem::take(&mut row.tabs)).sum();
            prose.push(&"\t".repeat(tabs));
        }
        paragraph.push(text, prose);
    }

    /// Ends the innermost. Its line ends with it, unless the next cell may stand beside it.
    pub(super) fn close(&mut self, prose: &mut Prose) {
        let Some(paragraph) = self.open.pop() else { return };
        match self.rows.last_mut() {
            Some(row) => row.lined |= paragraph.begun,
            None => prose.end_line(),
        }
    }

    pub(super) fn open_row(&mut self, prose: &mut Prose) {
        self.part(prose);
        self.rows.push(Row::default());
    }

    /// Begins a cell of the innermost row.
    pub(super) fn open_cell(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.tabs += usize::from(std::mem::replace(&mut row.begun, true));
            row.lined = false;
        }
    }

    pub(super) fn close_row(&mut self, prose: &mut Prose) {
        self.rows.pop();
        match self.rows.last_mut() {
            Some(outer) => outer.lined = true,
            None => prose.end_line(),
        }
    }

    /// Ends the line that the cell has.
    fn part(&mut self, prose: &mut Prose) {
        if self.rows.last_mut().is_some_and(|row| std::mem::take(&mut row.lined)) {
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
