//! One response while it is being made: its items, how far its model and its voice have come, and what it cost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use providers::{
    llm::{Finish, Usage},
    passage::Citation,
    tool::Act,
};

use super::{
    conversation::Spoken,
    ids::{CallId, ItemId, ResponseId, TurnId},
    item::{Body, Item, ItemStatus, Part, Role},
    marks::Marks,
    output::{PartRef, ResponseStatus, ResponseView},
    plan::Plan,
    playout::Track,
    sentences::Sentences,
    settings::{Mind, Modality},
};

/// A response under way.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) id: ResponseId,
    pub(super) plan: Plan,
    pub(super) mind: Mind,
    pub(super) cause: Cause,
    pub(super) stage: Stage,
    pub(super) voice: VoiceStage,
    pub(super) lines: Vec<Line>,
    pub(super) sentences: Sentences,
    pub(super) usage: Option<Usage>,
    /// What was done that goes with the next item.
    pub(super) acts: Vec<Act>,
    /// What the wait for the first audio counts from, until it came.
    pub(super) awaited: Option<Instant>,
}

/// Why a response is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// The person's turn ended.
    Turn,
    /// The client asked.
    Client,
    /// The person said nothing for so long.
    Silence(Duration),
}

/// How far the model has come.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Stage {
    /// The words of turns up to this one are still awaited; or one of them failed, for this reason.
    Waiting { through: TurnId, failure: Option<String> },
    /// The model was asked and has said nothing yet.
    Thinking { since: Instant },
    /// The model says something.
    Streaming,
    /// The model has said all.
    Thought(Finish),
}

/// How far the voice has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum VoiceStage {
    /// Nothing is to be spoken yet.
    Silent,
    /// It is given clauses.
    Feeding,
    /// It was given the last clause.
    Ended,
    /// It has voiced all of them.
    Finished,
}

/// One item of a response.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) item: ItemId,
    pub(super) previous: Option<ItemId>,
    pub(super) state: LineState,
    pub(super) content: Content,
    pub(super) citations: Vec<Citation>,
    pub(super) acts: Vec<Act>,
}

/// How far an item has come.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum LineState {
    /// The model adds to it.
    Open,
    /// The model has left it; its speech still goes out. It will end so.
    Left(ItemStatus),
    /// The client was told that it is done, and how it stood.
    Closed(Item),
}

/// What an item holds.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Speech { spoken: Box<Spoken>, track: Track },
    Call { call: CallId, name: String, arguments: String },
}

impl Reply {
    /// Where the item at this place in the response takes its content.
    pub(super) fn part(&self, at: usize) -> PartRef {
        let modality = match &self.lines[at].content {
            Content::Speech { .. } => Modality::Audio,
            Content::Text(_) | Content::Call { .. } => Modality::Text,
        };
        PartRef {
            response: self.id.clone(),
            item: self.lines[at].item.clone(),
            output_index: index(at),
            content_index: 0,
            modality,
        }
    }

    /// The item the model adds to.
    pub(super) fn open_line(&self) -> Option<usize> {
        let last = self.lines.len().checked_sub(1)?;
        (self.lines[last].state == LineState::Open).then_some(last)
    }

    /// Whether all was thought and told.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Thought(_)) && self.lines.iter().all(Line::is_closed)
    }

    /// Whether some of its speech went out.
    pub(super) fn is_audible(&self) -> bool {
        self.tracks().any(|(_, track)| !track.released.is_zero())
    }

    /// Whether some of its words were heard or can be read.
    pub(super) fn has_reached_the_person(&self) -> bool {
        self.lines.iter().any(|line| match &line.content {
            Content::Speech { track, .. } => !track.released.is_zero(),
            Content::Text(text) => !text.is_empty(),
            Content::Call { .. } => false,
        })
    }

    /// The speech of its items.
    pub(super) fn tracks(&self) -> impl Iterator<Item = (&ItemId, &Track)> {
        self.lines.iter().filter_map(|line| match &line.content {
            Content::Speech { track, .. } => Some((&line.item, track)),
            Content::Text(_) | Content::Call { .. } => None,
        })
    }

    /// As clients see it.
    pub(super) fn view(&self, status: ResponseStatus) -> Arc<ResponseView> {
        Arc::new(ResponseView {
            id: self.id.clone(),
            status,
            output: self.lines.iter().map(Line::as_told).collect(),
            out_of_band: self.plan.request.out_of_band,
            modality: self.plan.modality(),
            max_output_tokens: self.plan.max_output_tokens(),
            format: self.plan.format(),
            voice: self.plan.voice_name().to_owned(),
            metadata: self.plan.metadata().cloned(),
            usage: self.usage,
        })
    }
}

impl Line {
    pub(super) const fn is_closed(&self) -> bool {
        matches!(self.state, LineState::Closed(_))
    }

    /// The item as the client was last told.
    fn as_told(&self) -> Item {
        match &self.state {
            LineState::Closed(item) => item.clone(),
            LineState::Open | LineState::Left(_) => self.as_item(ItemStatus::InProgress),
        }
    }

    /// The item as it stands, with all that was streamed.
    pub(super) fn as_item(&self, status: ItemStatus) -> Item {
        let said = |part| Body::Message { role: Role::Assistant, parts: vec![part] };
        let body = match &self.content {
            Content::Text(text) => said(Part::OutputText(text.clone())),
            Content::Speech { spoken, track } => {
                said(Part::OutputAudio { transcript: spoken.text.clone(), length: track.released })
            }
            Content::Call { call, name, arguments } => {
                Body::Call { call: call.clone(), name: name.clone(), arguments: arguments.clone() }
            }
        };
        Item { id: self.item.clone(), status, body, citations: self.citations.clone(), acts: self.acts.clone() }
    }
}

impl Content {
    /// A message that has not begun.
    pub(super) fn message(modality: Modality) -> Self {
        match modality {
            Modality::Text => Self::Text(String::new()),
            Modality::Audio => Self::Speech {
                spoken: Box::new(Spoken {
                    text: String::new(),
                    marks: Marks::default(),
                    limit: Duration::ZERO,
                    played: None,
                }),
                track: Track::default(),
            },
        }
    }
}

/// A place as the wire counts.
pub(super) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
