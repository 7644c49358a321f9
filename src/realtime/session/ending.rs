//! How responses end: whole, cancelled, interrupted, failed; and the tail the listener still hears.

use std::time::{Duration, Instant};

use super::{
    Session,
    ids::{ItemId, ResponseId},
    item::ItemStatus,
    output::{CancelReason, Event, Measure, Output, ResponseStatus},
    playout::Track,
    refusal::{Refusal, tell},
    reply::{Cause, Reply},
    settings::Player,
    silence::Silence,
};

/// Most replies that still play; older ones count as heard.
const MOST_TAILS: usize = 16;

/// A reply of which everything was told, while the listener still hears the rest.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) response: ResponseId,
    pub(super) tracks: Vec<(ItemId, Track)>,
}

impl Session {
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
        let position = self.playout.heard(now);
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
        let position = self.playout.heard(now);
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
        let position = self.playout.heard(now);
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

    /// Ends a response with a failure.
    pub(super) fn fail(
        &mut self,
        now: Instant,
        id: &ResponseId,
        code: &'static str,
        message: String,
        out: &mut Vec<Output>,
    ) {
        self.end_early(now, id, ResponseStatus::Failed { code, message }, out);
    }

    /// Ends a response because a provider failed: what reached the person stays.
    pub(super) fn end_early(&mut self, now: Instant, id: &ResponseId, status: ResponseStatus, out: &mut Vec<Output>) {
        out.push(Output::Cancel(id.clone()));
        if let Some(at) = self.asides.iter().position(|aside| aside.reply.id == *id) {
            let mut aside = self.asides.remove(at);
            aside.desk(&mut self.ids, self.profile.player).close_all(ItemStatus::Incomplete, out);
            return aside.conclude(status, self.profile.player, out);
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
    pub(super) fn conclude(&mut self, now: Instant, reply: Reply, status: ResponseStatus, out: &mut Vec<Output>) {
        let item_status = match &status {
            ResponseStatus::Completed => ItemStatus::Completed,
            ResponseStatus::InProgress
            | ResponseStatus::Cancelled(_)
            | ResponseStatus::Incomplete(_)
            | ResponseStatus::BrokenOff { .. }
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
        let position = self.playout.heard(now);
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
        aside.desk(&mut self.ids, self.profile.player).close_all(ItemStatus::Incomplete, out);
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
