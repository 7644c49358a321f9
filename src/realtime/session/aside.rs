//! A response beside the conversation: it adds nothing to it and is heard on a clock of its own.

use super::{
    ids::Ids,
    item::ItemStatus,
    output::{Event, Measure, Output, ResponseStatus},
    playout::Playout,
    refusal::tell,
    reply::Reply,
    settings::Player,
    stream::Desk,
};

/// One such response.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) reply: Reply,
    pub(super) playout: Playout,
}

impl Aside {
    /// What it is written down with.
    pub(super) const fn desk<'a>(&'a mut self, ids: &'a mut Ids, player: Player) -> Desk<'a> {
        Desk { reply: &mut self.reply, playout: &mut self.playout, conversation: None, ids, player }
    }

    /// Tells that it is done.
    pub(super) fn conclude(&self, status: ResponseStatus, player: Player, out: &mut Vec<Output>) {
        let completed = status == ResponseStatus::Completed;
        tell(out, Event::ResponseDone(self.reply.view(status)));
        if player == Player::Relay && self.reply.is_audible() {
            tell(out, Event::PlaybackStopped(self.reply.id.clone()));
        }
        let status = if completed { ItemStatus::Completed } else { ItemStatus::Incomplete };
        out.push(Output::Measure(Measure::Reply(status)));
    }
}
