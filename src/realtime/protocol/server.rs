//! Server events: which members each has. [`encode`](super::encode) gives them their ids.

use std::time::Duration;

use super::{beta, dialect::Dialect, item, json::Object, payload, response, settings};
use crate::realtime::session::{
    ids::{CallId, ItemId, ResponseId},
    item::Item,
    output::{ClientError, Event, PartRef},
    settings::{Modality, Settings},
};

/// What stays the same in all of a session's events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Constants {
    /// `sess_…`.
    pub(super) session: String,
    /// `conv_…`.
    pub(super) conversation: String,
    /// When the session ends, in Unix seconds.
    pub(super) expires_at: u64,
    /// The shape they have.
    pub(super) dialect: Dialect,
}

/// The event's `type`.
pub(super) fn name(event: &Event) -> &'static str {
    match event {
        Event::SessionCreated(_) => "session.created",
        Event::SessionUpdated(_) => "session.updated",
        Event::SpeechStarted { .. } => "input_audio_buffer.speech_started",
        Event::SpeechStopped { .. } => "input_audio_buffer.speech_stopped",
        Event::Committed { .. } => "input_audio_buffer.committed",
        Event::Cleared => "input_audio_buffer.cleared",
        Event::IdleTimeout { .. } => "input_audio_buffer.timeout_triggered",
        Event::KeyPressed { .. } => "input_audio_buffer.dtmf_event_received",
        Event::ItemAdded { .. } => "conversation.item.added",
        Event::ItemDone { .. } => "conversation.item.done",
        Event::ItemRetrieved(_) => "conversation.item.retrieved",
        Event::ItemTruncated { .. } => "conversation.item.truncated",
        Event::ItemDeleted(_) => "conversation.item.deleted",
        Event::TranscriptionDelta { .. } => "conversation.item.input_audio_transcription.delta",
        Event::TranscriptionCompleted { .. } => "conversation.item.input_audio_transcription.completed",
        Event::TranscriptionFailed { .. } => "conversation.item.input_audio_transcription.failed",
        Event::ResponseCreated(_) => "response.created",
        Event::OutputItemAdded { .. } => "response.output_item.added",
        Event::OutputItemDone { .. } => "response.output_item.done",
        Event::PartAdded(_) => "response.content_part.added",
        Event::PartDone { .. } => "response.content_part.done",
        Event::TextDelta { part, .. } => match part.modality {
            Modality::Audio => "response.output_audio_transcript.delta",
            Modality::Text => "response.output_text.delta",
        },
        Event::TextDone { part, .. } => match part.modality {
            Modality::Audio => "response.output_audio_transcript.done",
            Modality::Text => "response.output_text.done",
        },
        Event::AudioDone(_) => "response.output_audio.done",
        Event::ArgumentsDelta { .. } => "response.function_call_arguments.delta",
        Event::ArgumentsDone { .. } => "response.function_call_arguments.done",
        Event::ResponseDone(_) => "response.done",
        Event::PlaybackStarted(_) => "output_audio_buffer.started",
        Event::PlaybackStopped(_) => "output_audio_buffer.stopped",
        Event::PlaybackCleared(_) => "output_audio_buffer.cleared",
        Event::Error(_) => "error",
    }
}

/// The event's members beside `type` and `event_id`.
pub(super) fn members(event: &Event, constants: &Constants, object: &mut Object<'_>) {
    match event {
        Event::SessionCreated(settings) | Event::SessionUpdated(settings) => session(settings, constants, object),
        Event::SpeechStarted { item, start } => span(item, Some(*start), None, object),
        Event::SpeechStopped { item, end } => span(item, None, Some(*end), object),
        Event::IdleTimeout { item, start, end } => span(item, Some(*start), Some(*end), object),
        Event::Committed { item, previous } => {
            follows(previous.as_ref(), object);
            object.text("item_id", item.as_str());
        }
        Event::Cleared => {}
        Event::KeyPressed { key, at } => {
            object.text("event", key.encode_utf8(&mut [0; 4]));
            object.integer("received_at", *at);
        }
        Event::ItemAdded { item, previous } | Event::ItemDone { item, previous } => {
            follows(previous.as_ref(), object);
            whole(item, constants.dialect, object);
        }
        Event::ItemRetrieved(item) => whole(item, constants.dialect, object),
        Event::ItemTruncated { item, content_index, audio_end } => {
            object.text("item_id", item.as_str());
            object.integer("content_index", (*content_index).into());
            object.millis("audio_end_ms", *audio_end);
        }
        Event::ItemDeleted(item) => object.text("item_id", item.as_str()),
        Event::TranscriptionDelta { item, delta } => understood(item, "delta", delta, object),
        Event::TranscriptionCompleted { item, transcript, duration } => {
            understood(item, "transcript", transcript, object);
            object.object("usage", |usage| heard(*duration, usage));
        }
        Event::TranscriptionFailed { item, message } => not_understood(item, message, object),
        Event::ResponseCreated(view) | Event::ResponseDone(view) => {
            object
                .object("response", |object| response::write(view, constants.dialect, &constants.conversation, object));
        }
        Event::OutputItemAdded { response, output_index, item }
        | Event::OutputItemDone { response, output_index, item } => {
            object.text("response_id", response.as_str());
            object.integer("output_index", (*output_index).into());
            whole(item, constants.dialect, object);
        }
        Event::PartAdded(part) => content(part, "", object),
        Event::PartDone { part, text } => content(part, text, object),
        Event::TextDelta { part, delta } => said(part, "delta", delta, object),
        Event::TextDone { part, text } => said(part, words_of(part.modality).1, text, object),
        Event::AudioDone(part) => place(part, object),
        Event::ArgumentsDelta { response, item, output_index, call: id, delta } => {
            call(response, item, *output_index, id, object);
            object.text("delta", delta);
        }
        Event::ArgumentsDone { response, item, output_index, call: id, name, arguments } => {
            call(response, item, *output_index, id, object);
            object.text("name", name);
            object.text("arguments", arguments);
        }
        Event::PlaybackStarted(response) | Event::PlaybackStopped(response) | Event::PlaybackCleared(response) => {
            object.text("response_id", response.as_str());
        }
        Event::Error(refused) => object.object("error", |object| refusal(refused, constants.dialect, object)),
    }
}

/// The members of `conversation.created`.
pub(super) fn introduction(constants: &Constants, object: &mut Object<'_>) {
    object.object("conversation", |object| {
        object.text("id", &constants.conversation);
        object.text("object", "realtime.conversation");
    });
}

/// The members of a delta of speech.
pub(super) fn sound(part: &PartRef, audio: &[u8], object: &mut Object<'_>) {
    place(part, object);
    payload::write(audio, object.value("delta"));
}

fn session(settings: &Settings, constants: &Constants, object: &mut Object<'_>) {
    let Constants { session, expires_at, dialect, .. } = constants;
    object.object("session", |object| match dialect {
        Dialect::Ga => settings::write(settings, session, *expires_at, object),
        Dialect::Beta => beta::session::write(settings, session, *expires_at, None, object),
    });
}

fn span(item: &ItemId, start: Option<Duration>, end: Option<Duration>, object: &mut Object<'_>) {
    if let Some(start) = start {
        object.millis("audio_start_ms", start);
    }
    if let Some(end) = end {
        object.millis("audio_end_ms", end);
    }
    object.text("item_id", item.as_str());
}

/// Null at the front of the conversation only: clients place the item by it.
fn follows(previous: Option<&ItemId>, object: &mut Object<'_>) {
    object.text_or_null("previous_item_id", previous.map(ItemId::as_str));
}

fn whole(item: &Item, dialect: Dialect, object: &mut Object<'_>) {
    item::write(item, dialect, object.value("item"));
}

/// The microphone's items have one part.
fn understood(item: &ItemId, name: &str, text: &str, object: &mut Object<'_>) {
    object.text("item_id", item.as_str());
    object.integer("content_index", 0);
    object.text(name, text);
}

fn heard(duration: Duration, usage: &mut Object<'_>) {
    usage.text("type", "duration");
    usage.decimal("seconds", duration.as_secs_f32());
}

/// Members of this error are strings or absent: a null fails some clients' validation.
fn not_understood(item: &ItemId, message: &str, object: &mut Object<'_>) {
    object.text("item_id", item.as_str());
    object.integer("content_index", 0);
    object.object("error", |error| {
        error.text("type", "server_error");
        error.text("code", "transcription_failed");
        error.text("message", message);
    });
}

/// Here a part's type is `audio` or `text`, in items it is `output_audio` or `output_text`.
fn content(part: &PartRef, text: &str, object: &mut Object<'_>) {
    let (kind, words) = words_of(part.modality);
    place(part, object);
    object.object("part", |object| {
        object.text("type", kind);
        object.text(words, text);
    });
}

fn said(part: &PartRef, name: &str, text: &str, object: &mut Object<'_>) {
    place(part, object);
    object.text(name, text);
}

fn place(part: &PartRef, object: &mut Object<'_>) {
    object.text("response_id", part.response.as_str());
    object.text("item_id", part.item.as_str());
    object.integer("output_index", part.output_index.into());
    object.integer("content_index", part.content_index.into());
}

/// A part's type and the member that holds its words.
fn words_of(modality: Modality) -> (&'static str, &'static str) {
    match modality {
        Modality::Audio => ("audio", "transcript"),
        Modality::Text => ("text", "text"),
    }
}

fn call(response: &ResponseId, item: &ItemId, output_index: u32, call: &CallId, object: &mut Object<'_>) {
    object.text("response_id", response.as_str());
    object.text("item_id", item.as_str());
    object.integer("output_index", output_index.into());
    object.text("call_id", call.as_str());
}

/// All keys are always there.
fn refusal(error: &ClientError, dialect: Dialect, object: &mut Object<'_>) {
    let param = error.param.as_deref().map(|path| match dialect {
        Dialect::Ga => path,
        Dialect::Beta => beta::param(path),
    });
    object.text("type", error.kind);
    object.text_or_null("code", error.code);
    object.text("message", &error.message);
    object.text_or_null("param", param);
    object.text_or_null("event_id", error.event_id.as_deref());
}
