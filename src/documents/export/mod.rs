//! A conversation as a file: Markdown and JSON piece by piece, PDF as a whole.
//!
//! Made of plain data, message by message, so that a conversation of any length is never held at once. What people and
//! models said is text and nothing else: none of it is markup, whatever it looks like.

mod json;
mod markdown;
pub mod pdf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::knowledge::source::Cited;

/// What is told above the messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedSession")]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// What it is about, if anybody said.
    pub title: Option<String>,
    /// Whose it is.
    pub user: String,
    /// Whether all that was said is among its messages.
    pub complete: bool,
    /// When it began.
    #[serde(rename = "created_at", serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created: Timestamp,
    /// When something was last added.
    #[serde(rename = "updated_at", serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub updated: Timestamp,
    /// How many messages it had when its export began.
    #[serde(rename = "message_count")]
    pub messages: u64,
    /// What its messages cite. It stands at the end.
    #[serde(skip)]
    pub bibliography: Bibliography,
}

/// What a conversation cites, each document once.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedBibliography")]
pub struct Bibliography {
    /// References, in their order.
    pub entries: Vec<String>,
    /// Whether these are all: of very many only the first are listed.
    pub complete: bool,
}

/// One message.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedMessage")]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Who said it.
    pub role: Role,
    /// How.
    pub modality: Modality,
    /// Whether it is whole.
    pub status: Status,
    /// The words; the result, for a tool.
    pub content: String,
    /// The function call it makes or, for a tool, answers.
    #[serde(rename = "tool_call")]
    pub call: Option<Call>,
    /// Files that came with it.
    pub attachments: Vec<Attachment>,
    /// What it cites, by the numbers in its words.
    pub citations: Vec<Citation>,
    /// What tools of the relay did on the way to it, in order.
    pub tools: Vec<ToolUse>,
    /// When.
    #[serde(rename = "created_at", serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// A function call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedCall")]
pub struct Call {
    /// What joins call and result.
    pub id: String,
    /// The function; not known where only the result was seen.
    pub name: Option<String>,
    /// JSON text as the model wrote it, which may be none.
    pub arguments: Option<String>,
}

/// What a tool of the relay did, or was proposed to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedToolUse")]
pub struct ToolUse {
    /// The tool.
    pub name: String,
    /// JSON text.
    pub arguments: String,
    /// `proposed`, `unknown`, `done` or `failed`.
    pub state: &'static str,
    /// What the model read of it.
    pub output: String,
}

/// A file that came with a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedAttachment")]
pub struct Attachment {
    /// Its id.
    pub id: String,
    /// As its owner calls it.
    pub name: String,
    /// What it is: `pdf`, `txt`, …
    pub kind: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What a message cites.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportedCitation")]
pub struct Citation {
    /// The number, the document, and its words.
    #[serde(flatten)]
    pub cited: Cited,
    /// The document as a reference.
    pub formatted: String,
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The operator.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A function.
    Tool,
}

/// How a message was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub enum Modality {
    /// Written.
    #[serde(rename = "text")]
    Text,
    /// Spoken.
    #[serde(rename = "audio")]
    Audio,
}

/// Whether a message is whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Content still arrives.
    InProgress,
    /// Whole.
    Completed,
    /// Cut short.
    Incomplete,
}

/// A format that is written as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Text {
    /// CommonMark.
    Markdown,
    /// One object; docs/export.md has its schema.
    Json,
}

impl Text {
    /// What stands before the messages.
    pub fn head(self, conversation: &Conversation) -> String {
        match self {
            Self::Markdown => markdown::head(conversation),
            Self::Json => json::head(conversation),
        }
    }

    /// A message; `first` of all or not.
    pub fn message(self, message: &Message, first: bool) -> String {
        match self {
            Self::Markdown => markdown::message(message),
            Self::Json => json::message(message, first),
        }
    }

    /// What stands after the messages.
    pub fn foot(self, conversation: &Conversation, exported: Timestamp) -> String {
        match self {
            Self::Markdown => markdown::foot(&conversation.bibliography, exported),
            Self::Json => json::foot(&conversation.bibliography, exported),
        }
    }
}

impl Conversation {
    /// The title, or a stand-in.
    fn named(&self) -> &str {
        self.title.as_deref().unwrap_or("Untitled conversation")
    }

    /// Labels and what they are of.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("User", self.user.clone()),
            ("Created", written(self.created)),
            ("Updated", written(self.updated)),
            ("Messages", self.messages.to_string()),
        ];
        if !self.complete {
            facts.push(("Incomplete", "not all that was said could be kept".to_owned()));
        }
        facts
    }
}

impl Message {
    /// Who said it, how and when, for people.
    fn header(&self) -> String {
        let role = match self.role {
            Role::System => "System",
            Role::User => "User",
            Role::Assistant => "Assistant",
            Role::Tool => "Tool",
        };
        let how = match self.modality {
            Modality::Text => "",
            Modality::Audio => " · spoken",
        };
        let state = match self.status {
            Status::Completed => "",
            Status::InProgress => " · in progress",
            Status::Incomplete => " · cut short",
        };
        format!("{role}{how} · {}{state}", written(self.at))
    }

    /// Its parts, in order. A tool's words are its result.
    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        let call = self.call.as_ref();
        if self.role == Role::Tool {
            parts.push(Part::Code { label: "Result of", name: call.map(Call::named), code: &self.content });
            parts.extend(self.attachments.iter().map(Part::File));
            return parts;
        }
        for tool in &self.tools {
            parts.push(Part::Code { label: "Call of", name: Some(tool.name.clone()), code: &tool.arguments });
            let label = if tool.state == "proposed" { "Proposal of" } else { "Result of" };
            parts.push(Part::Code { label, name: Some(format!("{} ({})", tool.name, tool.state)), code: &tool.output });
        }
        if !self.content.is_empty() {
            parts.push(Part::Words(&self.content));
        }
        if let Some(call) = call {
            let code = call.arguments.as_deref().unwrap_or_default();
            parts.push(Part::Code { label: "Call of", name: Some(call.named()), code });
        }
        parts.extend(self.attachments.iter().map(Part::File));
        parts.extend(self.citations.iter().map(Part::Citation));
        parts
    }
}

impl Call {
    /// The function and the call's id, which joins call and result.
    fn named(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} ({})", self.id),
            None => self.id.clone(),
        }
    }
}

impl Attachment {
    /// For people, on one line.
    fn told(&self) -> String {
        format!("Attached: {} ({}, {} bytes)", self.name, self.kind, self.size)
    }
}

impl Citation {
    /// For people: the number, the reference, and the words it is about.
    fn told(&self) -> String {
        let quoted = self.cited.quoted_text.as_ref().map(|words| format!(" “{words}”")).unwrap_or_default();
        format!("[{}] {}{quoted}", self.cited.index, self.formatted)
    }
}

impl Bibliography {
    /// What is said after its entries.
    fn note(&self) -> Option<&'static str> {
        let more = "More documents are cited than are listed here: they are named under their messages.";
        (!self.complete && !self.entries.is_empty()).then_some(more)
    }
}

/// A part of a message.
enum Part<'m> {
    Words(&'m str),
    Code { label: &'static str, name: Option<String>, code: &'m str },
    File(&'m Attachment),
    Citation(&'m Citation),
}

/// A time for people.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time for programs: milliseconds and `Z`.
fn rfc3339<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{time:.3}"))
}

#[cfg(test)]
mod tests;
