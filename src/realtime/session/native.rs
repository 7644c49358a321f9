//! Replies of a model that hears and speaks by itself, and what becomes of them when it is lost.
//!
//! Such a model waits for no transcript and voices its own words: text and sound come side by side, keeping pace only
//! roughly, so each message of a reply is one clause that grows. Turns, interruptions, items and what was heard stay ours.
//! Once such a model has failed, the cascade makes all further replies: a conversation does not change its voice twice.

use std::{sync::Arc, time::Instant};

use providers::realtime::Manner;

use super::{
    Session,
    ids::ResponseId,
    input::ResponseRequest,
    item::Item,
    output::{Ask, Measure, Output},
    plan::Plan,
    prompt,
    reply::{Cause, Content, Reply, Stage, VoiceStage},
    settings::{Mind, Modality},
    stream::{Broken, Desk},
    utterance::Utterance,
};

impl Session {
    /// Whether the model that makes the next reply hears the microphone by itself.
    pub const fn hears_itself(&self) -> bool {
        matches!(self.mind, Mind::Native { .. })
    }

    /// What a reply would go by that began now.
    pub fn manner(&self) -> Manner {
        let request = Box::default();
        Plan { settings: Arc::clone(&self.settings), request, language: self.language.clone() }.manner()
    }

    /// Who makes a response. What lies beside the conversation, or has a context of its own, is read, not heard.
    pub(super) fn mind_for(&self, request: &ResponseRequest) -> Mind {
        let Mind::Native { text } = self.mind else { return Mind::Cascade };
        let speaks = request.modality.unwrap_or(self.settings.modality) == Modality::Audio;
        if request.out_of_band || request.input.is_some() || !(speaks || text) { Mind::Cascade } else { self.mind }
    }

    /// The model that made this response is lost. Whether the cascade can still make it: nothing of it was told yet.
    pub(super) fn turn_to_cascade(&mut self, id: &ResponseId, message: &str) -> bool {
        let Some(reply) = self.active.as_deref_mut().filter(|reply| reply.id == *id && reply.is_native()) else {
            return false;
        };
        self.mind = Mind::Cascade;
        if !reply.lines.is_empty() {
            return false;
        }
        let through = self.utterances.iter().filter(|u| u.is_pending()).map(|u: &Utterance| u.turn).max();
        // Words that nobody understood cannot be answered by a model that reads.
        let failure = (reply.cause == Cause::Turn).then(|| message.to_owned());
        reply.mind = Mind::Cascade;
        reply.voice = VoiceStage::Silent;
        reply.stage = Stage::Waiting { through: through.unwrap_or_default(), failure };
        true
    }
}

/// What to ask for a reply, whose sound may come from here on.
pub(super) fn ask<'a>(reply: &mut Reply, note: Option<String>, items: impl Iterator<Item = &'a Item>) -> Ask {
    let mut manner = reply.plan.manner();
    if let Some(note) = note {
        manner.instructions = [manner.instructions.as_str(), note.as_str()].join("\n").trim().to_owned();
    }
    if manner.voice.is_some() {
        reply.voice = VoiceStage::Feeding;
    }
    Ask { manner, said: prompt::said(items) }
}

impl Reply {
    /// Whether its model hears and speaks by itself.
    pub(super) const fn is_native(&self) -> bool {
        matches!(self.mind, Mind::Native { .. })
    }
}

impl Desk<'_> {
    /// Begins a message; one that its model voices is a single clause, numbered among the spoken ones.
    pub(super) fn open_message(&mut self, out: &mut Vec<Output>) -> Result<usize, Broken> {
        let spoken = self.reply.tracks().count();
        let at = self.open(Content::message(self.reply.plan.modality()), out)?;
        if self.reply.is_native()
            && let Content::Speech { spoken: words, .. } = &mut self.reply.lines[at].content
        {
            words.marks.expect(u32::try_from(spoken).unwrap_or(u32::MAX), 0..0, 0);
        }
        Ok(at)
    }

    /// Sound came before any word of its message.
    pub(super) fn sound_first(&mut self, now: Instant, clause: u32, out: &mut Vec<Output>) -> Result<(), Broken> {
        let next = self.reply.tracks().count();
        let early = self.reply.is_native() && self.reply.open_line().is_none() && clause as usize == next;
        if !early || matches!(self.reply.stage, Stage::Waiting { .. } | Stage::Thought(_)) {
            return Ok(());
        }
        self.begin_streaming(now, out);
        self.open_message(out).map(|_| ())
    }

    /// The model has begun to answer.
    pub(super) fn begin_streaming(&mut self, now: Instant, out: &mut Vec<Output>) {
        if let Stage::Thinking { since } = self.reply.stage {
            out.push(Output::Measure(Measure::FirstToken(now.saturating_duration_since(since))));
            self.reply.stage = Stage::Streaming;
        }
    }

    /// All of the reply's sound has come.
    pub(super) fn voiced_whole(&mut self) {
        self.reply.voice = VoiceStage::Finished;
        for line in &mut self.reply.lines {
            if let Content::Speech { spoken, .. } = &mut line.content {
                spoken.marks.finish();
            }
        }
    }
}
