//! Client events: what a client can ask, but for the audio it appends, which [`decode`](super::decode()) reads itself.

use std::time::Duration;

use super::{
    beta,
    dialect::Dialect,
    error, item,
    json::{Field, Fields},
    millis::Millis,
    response, settings,
};
use crate::realtime::session::{
    ids::{ItemId, ResponseId},
    input::{Place, Request, ResponseRequest},
    output::ClientError,
    settings::{Kind as SessionKind, Settings},
};

/// Which event a client sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Append,
    Ask(Ask),
}

/// What an event asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    Update,
    UpdateTranscription,
    Commit,
    Clear,
    Create,
    Retrieve,
    Truncate,
    Delete,
    Respond,
    Cancel,
    ClearOutput,
}

impl Kind {
    /// Every event of the dialect by its name on the wire.
    pub(super) fn all(dialect: Dialect) -> &'static [(&'static str, Self)] {
        match dialect {
            Dialect::Ga => &Self::ALL[..Self::ALL.len() - 1],
            Dialect::Beta => Self::ALL,
        }
    }

    /// The one that comes fifty times a second first, the one that only the beta has last.
    const ALL: &[(&str, Self)] = &[
        ("input_audio_buffer.append", Self::Append),
        ("session.update", Self::Ask(Ask::Update)),
        ("input_audio_buffer.commit", Self::Ask(Ask::Commit)),
        ("input_audio_buffer.clear", Self::Ask(Ask::Clear)),
        ("conversation.item.create", Self::Ask(Ask::Create)),
        ("conversation.item.retrieve", Self::Ask(Ask::Retrieve)),
        ("conversation.item.truncate", Self::Ask(Ask::Truncate)),
        ("conversation.item.delete", Self::Ask(Ask::Delete)),
        ("response.create", Self::Ask(Ask::Respond)),
        ("response.cancel", Self::Ask(Ask::Cancel)),
        ("output_audio_buffer.clear", Self::Ask(Ask::ClearOutput)),
        ("transcription_session.update", Self::Ask(Ask::UpdateTranscription)),
    ];
}

/// What the event asks, given the settings in force.
pub(super) fn request(
    ask: Ask,
    event: &Fields<'_>,
    dialect: Dialect,
    current: &Settings,
) -> Result<Request, ClientError> {
    Ok(match ask {
        Ask::Update => update(event, dialect, current)?,
        Ask::UpdateTranscription if current.kind == SessionKind::Conversation => {
            let message = "This session is a conversation: change it by 'session.update'.";
            return Err(error::invalid_value("type", message));
        }
        Ask::UpdateTranscription => update(event, dialect, current)?,
        Ask::Commit => Request::Commit,
        Ask::Clear => Request::Clear,
        Ask::Create => Request::Create {
            item: item::read(&event.required("item")?, current.input.format)?,
            place: place(event.given("previous_item_id"))?,
        },
        Ask::Retrieve => Request::Retrieve(item::id(event, "item_id")?),
        Ask::Truncate => truncate(event)?,
        Ask::Delete => Request::Delete(item::id(event, "item_id")?),
        Ask::Respond => Request::Respond(Box::new(match event.given("response") {
            Some(response) => response::read(&response, dialect, current)?,
            None => ResponseRequest::default(),
        })),
        Ask::Cancel => Request::Cancel(match event.given("response_id") {
            Some(response) => Some(ResponseId::new(response.text_within(item::LONGEST_ID)?)),
            None => None,
        }),
        Ask::ClearOutput => Request::ClearOutput,
    })
}

fn update(event: &Fields<'_>, dialect: Dialect, current: &Settings) -> Result<Request, ClientError> {
    let session = event.required("session")?;
    let settings = match dialect {
        Dialect::Ga => settings::update(current, &session)?,
        Dialect::Beta => beta::session::update(current, &session)?,
    };
    Ok(Request::Update(Box::new(settings)))
}

fn place(previous: Option<Field<'_>>) -> Result<Place, ClientError> {
    let Some(previous) = previous else { return Ok(Place::End) };
    Ok(match previous.text_within(item::LONGEST_ID)? {
        root if root == "root" => Place::Front,
        id => Place::After(ItemId::new(id)),
    })
}

fn truncate(event: &Fields<'_>) -> Result<Request, ClientError> {
    Ok(Request::Truncate {
        item: item::id(event, "item_id")?,
        content_index: event.required("content_index")?.integer(0..=u32::MAX)?,
        audio_end: Duration::from(Millis(event.required("audio_end_ms")?.integer(0..=u32::MAX)?.into())),
    })
}
