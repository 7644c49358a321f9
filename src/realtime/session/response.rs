//! Responses: begun, asked about, finished, broken off. At most one in the default conversation at a time; a few beside it.

use std::{sync::Arc, time::Instant};

use providers::{
    ErrorKind, ProviderError,
    llm::{Finish, Message, Thought},
};

use super::{
    Session,
    aside::Aside,
    conversation::understand,
    edit::unheard,
    ids::{ItemId, ResponseId, TurnId},
    input::{ContextItem, ResponseRequest, Spoken},
    item::Item,
    native,
    output::{Event, IncompleteReason, Output, Record, ResponseStatus},
    plan::Plan,
    playout::Playout,
    prompt::{prompt, silence_note},
    refusal::{Refusal, tell},
    reply::{Cause, Reply, Stage, VoiceStage},
    sentences::Sentences,
    settings::Kind,
    silence::Silence,
    stream::{Broken, Desk},
    turn::Owed,
    utterance::{Source, Utterance},
};

/// Most responses beside the conversation at one time.
const MOST_ASIDES: usize = 8;

impl Session {
    /// `response.create`.
    pub(super) fn request(
        &mut self,
        now: Instant,
        mut request: ResponseRequest,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        if self.settings.kind == Kind::Transcription {
            return Err(Refusal::new("invalid_value", "A transcription session makes no responses.").of("type"));
        }
        match &self.active {
            Some(reply) if !request.out_of_band => return Err(Refusal::busy(&reply.id)),
            _ if request.out_of_band && self.asides.len() >= MOST_ASIDES => {
                let message = format!("At most {MOST_ASIDES} out-of-band responses can be in progress at a time.");
                return Err(Refusal::new("rate_limit_exceeded", message));
            }
            _ => {}
        }
        for entry in request.input.iter().flatten() {
            if let ContextItem::Reference(id) = entry
                && self.conversation.get(id).is_none()
            {
                return Err(Refusal::new("invalid_value", format!("No item with id '{id}' is in the conversation."))
                    .of("response.input"));
            }
        }
        self.hear_context(now, &mut request, out)?;
        self.begin(now, now, Cause::Client, request, None, out);
        Ok(())
    }

    /// Sound in a response's own context gets its words before the model is asked.
    fn hear_context(
        &mut self,
        now: Instant,
        request: &mut ResponseRequest,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        for entry in request.input.iter_mut().flatten() {
            if let ContextItem::Item(item) = entry
                && let Some(clip) = unheard(item)
            {
                self.can_listen()?;
                // Its id may be that of an item of the conversation, which it is not.
                item.id = self.ids.item();
                self.transcribe_clip(now, item.id.clone(), clip, false, out);
            }
        }
        Ok(())
    }

    /// Notes the words of sound in a response's own context.
    pub(super) fn understand_context(&mut self, id: &ItemId, words: &str) {
        let asides = self.asides.iter_mut().map(|aside| &mut aside.reply);
        for reply in self.active.as_deref_mut().into_iter().chain(asides) {
            for entry in reply.plan.request.input.iter_mut().flatten() {
                if let ContextItem::Item(item) = entry
                    && item.id == *id
                {
                    understand(item, words);
                }
            }
        }
    }

    /// Begins a response. The model is asked once the words of all earlier turns are there.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        awaited: Instant,
        cause: Cause,
        request: ResponseRequest,
        failure: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let out_of_band = request.out_of_band;
        debug_assert!(out_of_band || self.active.is_none(), "1: one active response");
        let mind = self.mind_for(&request);
        let through = self.utterances.iter().filter(|u| u.is_pending()).map(|u| u.turn).max().unwrap_or(TurnId(0));
        let reply = Reply {
            id: self.ids.response(),
            plan: Plan { settings: Arc::clone(&self.settings), request: Box::new(request), language: None },
            mind,
            cause,
            stage: Stage::Waiting { through, failure },
            voice: VoiceStage::Silent,
            lines: Vec::new(),
            sentences: Sentences::default(),
            usage: None,
            acts: Vec::new(),
            awaited: Some(awaited),
        };
        tell(out, Event::ResponseCreated(reply.view(ResponseStatus::InProgress)));
        if out_of_band {
            self.asides.push(Aside { reply, playout: Playout::new(now, self.profile.lead) });
        } else {
            self.owed = Owed::Nothing;
            self.silence = Silence::Untimed;
            self.active = Some(Box::new(reply));
        }
        self.consult(now, out);
    }

    /// Asks the model for every response whose words are all there.
    pub(super) fn consult(&mut self, now: Instant, out: &mut Vec<Output>) {
        let mut failed = Vec::new();
        let replies =
            self.active.as_deref_mut().into_iter().chain(self.asides.iter_mut().map(|aside| &mut aside.reply));
        for reply in replies {
            let Stage::Waiting { through, failure } = &reply.stage else { continue };
            reply.plan.language.clone_from(&self.language);
            let native = reply.is_native();
            let unheard = |u: &&Utterance| !native || u.source == Source::Clip;
            if self.utterances.iter().filter(unheard).any(|u| u.is_pending() && u.turn <= *through) {
                continue;
            }
            if let Some(message) = failure
                && !native
                && reply.plan.request.input.is_none()
                && !self.conversation.is_unanswered()
            {
                failed.push((reply.id.clone(), message.clone()));
                continue;
            }
            let note = if let Cause::Silence(length) = reply.cause { Some(silence_note(length)) } else { None };
            reply.stage = Stage::Thinking { since: now };
            let response = reply.id.clone();
            if native {
                let ask = native::ask(reply, note, self.conversation.items());
                out.push(Output::Converse { response, ask: Box::new(ask) });
                continue;
            }
            let mut question = match &reply.plan.request.input {
                None => prompt(&reply.plan, self.conversation.items().collect::<Vec<_>>().into_iter()),
                Some(context) => {
                    let items: Vec<&Item> = context
                        .iter()
                        .filter_map(|entry| match entry {
                            ContextItem::Item(item) => Some(item),
                            ContextItem::Reference(id) => self.conversation.get(id),
                        })
                        .collect();
                    prompt(&reply.plan, items.into_iter())
                }
            };
            question.messages.extend(note.map(Message::System));
            out.push(Output::Infer { response, prompt: Box::new(question) });
        }
        for (id, message) in failed {
            self.fail(now, &id, "transcription_failed", message, out);
        }
    }

    /// Takes one step of a model.
    pub(super) fn think(
        &mut self,
        now: Instant,
        id: &ResponseId,
        event: Result<Thought, ProviderError>,
        out: &mut Vec<Output>,
    ) {
        let Some(mut desk) = self.desk(id) else { return };
        let stepped = match event {
            Ok(thought) => desk.think(now, thought, out),
            Err(_) if matches!(desk.reply.stage, Stage::Waiting { .. } | Stage::Thought(_)) => Ok(()),
            Err(error) => Err(Broken::Told(error)),
        };
        if let Err(broken) = stepped {
            let (code, message) = explain("language model", &broken);
            let status = if desk.reply.has_reached_the_person() {
                ResponseStatus::BrokenOff { code, message: message.clone() }
            } else {
                ResponseStatus::Failed { code, message: message.clone() }
            };
            if !self.turn_to_cascade(id, &message) {
                self.end_early(now, id, status, out);
            }
        }
    }

    /// Takes one step of a voice.
    pub(super) fn speak(&mut self, now: Instant, id: &ResponseId, spoken: Spoken, out: &mut Vec<Output>) {
        let Some(mut desk) = self.desk(id) else { return };
        if let Err(broken) = desk.voice(now, spoken, out) {
            let (code, message) = explain("speech synthesis", &broken);
            self.fail(now, id, code, message, out);
        }
    }

    /// Hands on speech that may go, and ends the responses that are over.
    pub(super) fn pump(&mut self, now: Instant, out: &mut Vec<Output>) {
        if let Some(mut desk) = self.desk_of_active() {
            desk.pump(now, out);
            let (over, audible) = (desk.reply.is_over(), desk.reply.is_audible());
            self.audible |= audible;
            if over && let Some(reply) = self.active.take() {
                let status = ended(&reply);
                self.conclude(now, *reply, status, out);
            }
        }
        let mut at = 0;
        while at < self.asides.len() {
            let mut desk = self.asides[at].desk(&mut self.ids, self.profile.player);
            desk.pump(now, out);
            self.audible |= desk.reply.is_audible();
            if desk.reply.is_over() {
                let aside = self.asides.remove(at);
                let status = ended(&aside.reply);
                aside.conclude(status, self.profile.player, out);
            } else {
                at += 1;
            }
        }
    }

    /// Keeps an item as it stands, unless the client deleted it.
    pub(super) fn record(&self, item: &ItemId, out: &mut Vec<Output>) {
        if let Some(found) = self.conversation.get(item) {
            let record = Record::Item { item: found.clone(), previous: self.conversation.previous(item) };
            out.push(Output::Record(Box::new(record)));
        }
    }

    fn desk(&mut self, id: &ResponseId) -> Option<Desk<'_>> {
        if self.active.as_ref().is_some_and(|reply| reply.id == *id) {
            return self.desk_of_active();
        }
        let aside = self.asides.iter_mut().find(|aside| aside.reply.id == *id)?;
        Some(aside.desk(&mut self.ids, self.profile.player))
    }

    fn desk_of_active(&mut self) -> Option<Desk<'_>> {
        let reply = self.active.as_deref_mut()?;
        let conversation = Some(&mut self.conversation);
        let player = self.profile.player;
        Some(Desk { reply, playout: &mut self.playout, conversation, ids: &mut self.ids, player })
    }

    pub(super) fn desk_for<'a>(&'a mut self, reply: &'a mut Reply) -> Desk<'a> {
        let conversation = Some(&mut self.conversation);
        let player = self.profile.player;
        Desk { reply, playout: &mut self.playout, conversation, ids: &mut self.ids, player }
    }
}

/// How a response that is over ended.
const fn ended(reply: &Reply) -> ResponseStatus {
    match reply.stage {
        Stage::Thought(Finish::Length) => ResponseStatus::Incomplete(IncompleteReason::MaxOutputTokens),
        Stage::Thought(Finish::ContentFilter) => ResponseStatus::Incomplete(IncompleteReason::ContentFilter),
        Stage::Thought(Finish::Stop) | Stage::Waiting { .. } | Stage::Thinking { .. } | Stage::Streaming => {
            ResponseStatus::Completed
        }
    }
}

/// A failure for programs and for the person, without the provider's inside.
fn explain(part: &str, broken: &Broken) -> (&'static str, String) {
    let kind = match broken {
        Broken::Told(error) => error.kind,
        Broken::Garbled => ErrorKind::Protocol,
    };
    explain_kind(part, kind)
}

/// As [`explain`], by the kind of failure.
pub(super) fn explain_kind(part: &str, kind: ErrorKind) -> (&'static str, String) {
    let (code, what) = match kind {
        ErrorKind::RateLimited => ("rate_limit_exceeded", "is rate limited"),
        ErrorKind::Unauthorized => ("provider_unauthorized", "refused the relay's credentials"),
        ErrorKind::Unavailable => ("provider_unavailable", "is unavailable"),
        ErrorKind::Rejected => ("provider_rejected", "rejected the request"),
        ErrorKind::Protocol => ("provider_error", "gave an answer that makes no sense"),
        ErrorKind::Timeout => ("provider_timeout", "did not answer in time"),
    };
    (code, format!("The {part} {what}."))
}
