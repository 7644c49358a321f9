//! Responses: begun, asked about, finished, broken off. At most one in the default conversation at a time; a few beside it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use providers::{
    ErrorKind, ProviderError,
    llm::{Finish, Thought},
};

use super::{
    Session,
    ids::{ItemId, ResponseId, TurnId},
    input::{ContextItem, ResponseRequest, Spoken},
    item::{Item, ItemStatus},
    output::{CancelReason, Event, IncompleteReason, Measure, Output, Record, ResponseStatus},
    plan::Plan,
    playout::{Playout, Track},
    prompt::{prompt, silence_note},
    refusal::{Refusal, tell},
    reply::{Cause, Reply, Stage, VoiceStage},
    sentences::Sentences,
    settings::{Kind, Player},
    silence::Silence,
    stream::{Broken, Desk},
    turn::Owed,
};

/// Most responses beside the conversation at one time.
const MOST_ASIDES: usize = 8;

/// Most replies that still play; older ones count as heard.
const MOST_TAILS: usize = 16;

/// A response beside the conversation.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) reply: Reply,
    pub(super) playout: Playout,
}

/// A reply of which everything was told, while the listener still hears the rest.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) response: ResponseId,
    pub(super) tracks: Vec<(ItemId, Track)>,
}

impl Session {
    /// `response.create`.
    pub(super) fn request(
        &mut self,
        now: Instant,
        request: ResponseRequest,
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
        self.begin(now, now, Cause::Client, request, None, out);
        Ok(())
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
        let through = self.utterances.iter().filter(|u| u.is_pending()).map(|u| u.turn).max().unwrap_or(TurnId(0));
        let reply = Reply {
            id: self.ids.response(),
            plan: Plan { settings: Arc::clone(&self.settings), request: Box::new(request) },
            cause,
            stage: Stage::Waiting { through, failure },
            voice: VoiceStage::Silent,
            lines: Vec::new(),
            sentences: Sentences::default(),
            usage: None,
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
            if self.utterances.iter().any(|u| u.is_pending() && u.turn <= *through) {
                continue;
            }
            if let Some(message) = failure
                && reply.plan.request.input.is_none()
                && !self.conversation.is_unanswered()
            {
                failed.push((reply.id.clone(), message.clone()));
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
            if let Cause::Silence(length) = reply.cause {
                question.messages.push(silence_note(length));
            }
            reply.stage = Stage::Thinking { since: now };
            out.push(Output::Infer { response: reply.id.clone(), prompt: Box::new(question) });
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
            self.fail(now, id, code, message, out);
        }
    }

    /// Takes one step of a voice.
    pub(super) fn speak(&mut self, now: Instant, id: &ResponseId, spoken: Spoken, out: &mut Vec<Output>) {
        let Some(mut desk) = self.desk(id) else { return };
        if let Err(broken) = desk.voice(spoken) {
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
            let mut desk = aside_desk(&mut self.asides[at], &mut self.ids, self.profile.player);
            desk.pump(now, out);
            self.audible |= desk.reply.is_audible();
            if desk.reply.is_over() {
                let aside = self.asides.remove(at);
                let status = ended(&aside.reply);
                conclude_aside(&aside.reply, status, self.profile.player, out);
            } else {
                at += 1;
            }
        }
    }

    /// `response.cancel`.
    pub(super) fn cancel(
        &mut self,
        now: Instant,
        id: Option<&ResponseId>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let nothing = || Refusal::new("response_cancel_not_active", "Cancellation failed: no active response found");
        let aside = id.and_then(|id| self.asides.iter().position(|aside| aside.reply.id == *id));
        if let Some(at) = aside {
            self.drop_aside(at, out);
            return Ok(());
        }
        match &self.active {
            Some(reply) if id.is_none_or(|id| reply.id == *id) => {
                self.cut(now, CancelReason::ClientCancelled, out);
                Ok(())
            }
            _ => Err(nothing()),
        }
    }

    /// Stops the active response at what was heard: silence, stop work, tell the truth.
    pub(super) fn cut(&mut self, now: Instant, reason: CancelReason, out: &mut Vec<Output>) {
        let Some(mut reply) = self.active.take() else { return };
        let position = self.playout.position(now);
        out.push(Output::Flush(reply.id.clone()));
        out.push(Output::Cancel(reply.id.clone()));
        self.let_play(now, out);
        if self.profile.player == Player::Relay && reply.is_audible() {
            tell(out, Event::PlaybackCleared(reply.id.clone()));
        }
        self.desk_for(&mut reply).close_all(ItemStatus::Incomplete, out);
        tell(out, Event::ResponseDone(reply.view(ResponseStatus::Cancelled(reason))));
        for (item, track) in reply.tracks() {
            self.cut_item(item, track, position, out);
        }
        self.playout.flush(now);
        self.record_lines(&reply, out);
        out.push(Output::Measure(Measure::Reply(ItemStatus::Incomplete)));
        self.silence = Silence::Due;
    }

    /// Stops what still plays of finished responses at what was heard.
    pub(super) fn cut_tails(&mut self, now: Instant, out: &mut Vec<Output>) {
        let position = self.playout.position(now);
        for tail in std::mem::take(&mut self.tails) {
            out.push(Output::Flush(tail.response.clone()));
            self.let_play(now, out);
            if self.profile.player == Player::Relay {
                tell(out, Event::PlaybackCleared(tail.response.clone()));
            }
            for (item, track) in &tail.tracks {
                self.cut_item(item, track, position, out);
                self.record(item, out);
            }
        }
        self.playout.flush(now);
    }

    /// Lets go of replies that have played out.
    pub(super) fn drain(&mut self, now: Instant, out: &mut Vec<Output>) {
        let position = self.playout.position(now);
        while let Some(tail) = self.tails.first()
            && (tail.is_heard(position) || self.tails.len() > MOST_TAILS)
        {
            if self.profile.player == Player::Relay {
                tell(out, Event::PlaybackStopped(tail.response.clone()));
            }
            self.tails.remove(0);
        }
    }

    /// Ends every response because the session ends. What a client was given whole stays whole in history.
    pub(super) fn end_responses(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.profile.player == Player::Relay {
            self.cut_tails(now, out);
        }
        self.cut(now, CancelReason::ClientCancelled, out);
        while !self.asides.is_empty() {
            self.drop_aside(0, out);
        }
    }

    /// Breaks off a response because a provider failed.
    fn fail(&mut self, now: Instant, id: &ResponseId, code: &'static str, message: String, out: &mut Vec<Output>) {
        out.push(Output::Cancel(id.clone()));
        let status = ResponseStatus::Failed { code, message };
        if let Some(at) = self.asides.iter().position(|aside| aside.reply.id == *id) {
            let mut aside = self.asides.remove(at);
            aside_desk(&mut aside, &mut self.ids, self.profile.player).close_all(ItemStatus::Incomplete, out);
            return conclude_aside(&aside.reply, status, self.profile.player, out);
        }
        if let Some(mut reply) = self.active.take_if(|reply| reply.id == *id) {
            self.desk_for(&mut reply).close_all(ItemStatus::Incomplete, out);
            for (item, track) in reply.tracks() {
                // What went out will be heard; what was thought beyond it will not.
                self.conversation.cut(item, track.released);
            }
            self.conclude(now, *reply, status, out);
        }
    }

    /// Tells that the active response is done, and keeps what of it still plays.
    fn conclude(&mut self, now: Instant, reply: Reply, status: ResponseStatus, out: &mut Vec<Output>) {
        let item_status = match &status {
            ResponseStatus::Completed => ItemStatus::Completed,
            ResponseStatus::InProgress
            | ResponseStatus::Cancelled(_)
            | ResponseStatus::Incomplete(_)
            | ResponseStatus::Failed { .. } => ItemStatus::Incomplete,
        };
        tell(out, Event::ResponseDone(reply.view(status)));
        for (item, track) in reply.tracks() {
            if self.conversation.spoken(item).is_some_and(|spoken| spoken.played.is_some()) {
                self.conversation.cut(item, track.released);
            }
        }
        self.record_lines(&reply, out);
        out.push(Output::Measure(Measure::Reply(item_status)));
        self.silence = if matches!(reply.cause, Cause::Silence(_)) { Silence::Untimed } else { Silence::Due };
        let position = self.playout.position(now);
        if reply.is_audible() {
            let playing = |track: &Track| track.heard(position) < track.released;
            let tracks = reply.tracks().filter(|(_, track)| playing(track)).map(|(item, track)| (item.clone(), *track));
            let tracks = tracks.collect();
            self.tails.push(Tail { response: reply.id, tracks });
        }
    }

    fn drop_aside(&mut self, at: usize, out: &mut Vec<Output>) {
        let mut aside = self.asides.remove(at);
        out.push(Output::Flush(aside.reply.id.clone()));
        out.push(Output::Cancel(aside.reply.id.clone()));
        if self.profile.player == Player::Relay && aside.reply.is_audible() {
            tell(out, Event::PlaybackCleared(aside.reply.id.clone()));
        }
        aside_desk(&mut aside, &mut self.ids, self.profile.player).close_all(ItemStatus::Incomplete, out);
        let status = ResponseStatus::Cancelled(CancelReason::ClientCancelled);
        tell(out, Event::ResponseDone(aside.reply.view(status)));
        out.push(Output::Measure(Measure::Reply(ItemStatus::Incomplete)));
    }

    /// Lets the loudspeaker run on if it is held.
    pub(super) fn let_play(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.playout.is_held() {
            self.playout.resume(now);
            out.push(Output::Resume);
        }
    }

    /// Cuts an item to what was heard of it, and says so where we play.
    fn cut_item(&mut self, item: &ItemId, track: &Track, position: Duration, out: &mut Vec<Output>) {
        let heard = track.heard(position);
        if heard == track.queued && self.conversation.get(item).is_none_or(|item| item.status == ItemStatus::Completed)
        {
            return;
        }
        self.conversation.cut(item, heard);
        if self.profile.player == Player::Relay && self.conversation.get(item).is_some() {
            tell(out, Event::ItemTruncated { item: item.clone(), content_index: 0, audio_end: heard });
        }
    }

    fn record_lines(&mut self, reply: &Reply, out: &mut Vec<Output>) {
        for line in &reply.lines {
            self.record(&line.item, out);
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
        Some(aside_desk(aside, &mut self.ids, self.profile.player))
    }

    fn desk_of_active(&mut self) -> Option<Desk<'_>> {
        let reply = self.active.as_deref_mut()?;
        let conversation = Some(&mut self.conversation);
        let player = self.profile.player;
        Some(Desk { reply, playout: &mut self.playout, conversation, ids: &mut self.ids, player })
    }

    fn desk_for<'a>(&'a mut self, reply: &'a mut Reply) -> Desk<'a> {
        let conversation = Some(&mut self.conversation);
        let player = self.profile.player;
        Desk { reply, playout: &mut self.playout, conversation, ids: &mut self.ids, player }
    }
}

impl Tail {
    /// When the last of it will have played, in play time.
    pub(super) fn ends(&self) -> Duration {
        self.tracks.iter().map(|(_, track)| track.ends).max().unwrap_or_default()
    }

    fn is_heard(&self, position: Duration) -> bool {
        self.ends() <= position
    }
}

fn aside_desk<'a>(aside: &'a mut Aside, ids: &'a mut super::ids::Ids, player: Player) -> Desk<'a> {
    Desk { reply: &mut aside.reply, playout: &mut aside.playout, conversation: None, ids, player }
}

/// Tells that a response beside the conversation is done.
fn conclude_aside(reply: &Reply, status: ResponseStatus, player: Player, out: &mut Vec<Output>) {
    let completed = status == ResponseStatus::Completed;
    tell(out, Event::ResponseDone(reply.view(status)));
    if player == Player::Relay && reply.is_audible() {
        tell(out, Event::PlaybackStopped(reply.id.clone()));
    }
    let status = if completed { ItemStatus::Completed } else { ItemStatus::Incomplete };
    out.push(Output::Measure(Measure::Reply(status)));
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
