//! What the beta calls events and fields.

use crate::realtime::{
    protocol::server,
    session::{
        output::Event,
        settings::{Kind, Modality},
    },
};

/// The event's `type`; `None` for what the beta does not tell: an item is created once, and of silence and of keys it
/// knows nothing.
pub(in crate::realtime::protocol) fn event(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::SessionCreated(settings) => match settings.kind {
            Kind::Conversation => "session.created",
            Kind::Transcription => "transcription_session.created",
        },
        Event::SessionUpdated(settings) => match settings.kind {
            Kind::Conversation => "session.updated",
            Kind::Transcription => "transcription_session.updated",
        },
        Event::ItemAdded { .. } => "conversation.item.created",
        Event::ItemDone { .. } | Event::IdleTimeout { .. } | Event::KeyPressed { .. } => return None,
        Event::TextDelta { part, .. } => match part.modality {
            Modality::Audio => "response.audio_transcript.delta",
            Modality::Text => "response.text.delta",
        },
        Event::TextDone { part, .. } => match part.modality {
            Modality::Audio => "response.audio_transcript.done",
            Modality::Text => "response.text.done",
        },
        Event::AudioDone(_) => "response.audio.done",
        Event::SpeechStarted { .. }
        | Event::SpeechStopped { .. }
        | Event::Committed { .. }
        | Event::Cleared
        | Event::ItemRetrieved(_)
        | Event::ItemTruncated { .. }
        | Event::ItemDeleted(_)
        | Event::TranscriptionDelta { .. }
        | Event::TranscriptionCompleted { .. }
        | Event::TranscriptionFailed { .. }
        | Event::ResponseCreated(_)
        | Event::OutputItemAdded { .. }
        | Event::OutputItemDone { .. }
        | Event::PartAdded(_)
        | Event::PartDone { .. }
        | Event::ArgumentsDelta { .. }
        | Event::ArgumentsDone { .. }
        | Event::ResponseDone(_)
        | Event::PlaybackStarted(_)
        | Event::PlaybackStopped(_)
        | Event::PlaybackCleared(_)
        | Event::Error(_) => server::name(event),
    })
}

/// The path of a field in this dialect. What is read here names its paths itself; these come from behind the edge.
pub fn param(path: &str) -> &str {
    match path {
        "session.audio.input.transcription.model" => "session.input_audio_transcription.model",
        "session.audio.output.voice" => "session.voice",
        "response.audio.output.voice" => "response.voice",
        same => same,
    }
}
