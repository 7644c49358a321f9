//! Writes a reply down as it comes: thoughts into items and clauses, sound into releases, each told in the wire's order.

use std::time::Instant;

use providers::{
    ProviderError,
    llm::{Finish, Thought, Usage},
    tool::{Act, ActState},
};

use super::{
    conversation::Conversation,
    ids::{CallId, Ids},
    input::Spoken,
    item::{Body, Item, ItemStatus, Role},
    output::{Event, Measure, Output},
    playout::Playout,
    refusal::tell,
    reply::{Content, Line, LineState, Reply, Stage, VoiceStage, index},
    sentences::Cut,
    settings::Player,
};

/// Most bytes one reply may say. A model that goes on has lost its way.
const MOST_BYTES: usize = 1 << 20;

/// Most items one reply may have.
const MOST_LINES: usize = 128;

/// A reply and what writing it down takes.
pub(super) struct Desk<'a> {
    pub(super) reply: &'a mut Reply,
    pub(super) playout: &'a mut Playout,
    /// `None` beside the conversation.
    pub(super) conversation: Option<&'a mut Conversation>,
    pub(super) ids: &'a mut Ids,
    pub(super) player: Player,
}

/// A provider broke off a reply.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Broken {
    /// The provider said so.
    Told(ProviderError),
    /// What it says makes no sense.
    Garbled,
}

impl Desk<'_> {
    /// Takes one step of the model.
    pub(super) fn think(&mut self, now: Instant, thought: Thought, out: &mut Vec<Output>) -> Result<(), Broken> {
        match &self.reply.stage {
            Stage::Waiting { .. } | Stage::Thought(_) => return Ok(()),
            // What is looked up is not yet an answer.
            Stage::Thinking { .. } if !is_silent(&thought) => self.begin_streaming(now, out),
            Stage::Thinking { .. } | Stage::Streaming => {}
        }
        match thought {
            Thought::Text(text) => self.text(&text, out)?,
            Thought::Cited(citation) => {
                if let Some(at) = self.reply.open_line() {
                    self.reply.lines[at].citations.push(citation);
                }
            }
            Thought::Acted(act) => self.act(act, out)?,
            Thought::CallStarted { call, name } => {
                self.leave(ItemStatus::Completed, out);
                let content = Content::Call { call: CallId::new(call), name, arguments: String::new() };
                self.open(content, out)?;
            }
            Thought::CallArguments(delta) => self.arguments(delta, out)?,
            Thought::CallDone => {
                if let Some(at) = self.open_call() {
                    self.close(at, ItemStatus::Completed, out);
                }
            }
            Thought::Usage(usage) => self.cost(usage),
            Thought::Finished(finish) => self.finish(finish, out),
        }
        Ok(())
    }

    /// Takes one step of the voice.
    pub(super) fn voice(&mut self, now: Instant, spoken: Spoken, out: &mut Vec<Output>) -> Result<(), Broken> {
        if matches!(self.reply.voice, VoiceStage::Silent | VoiceStage::Finished) {
            return Ok(());
        }
        match spoken {
            Spoken::Audio { clause, length } => {
                self.sound_first(now, clause, out)?;
                let Some(at) = self.voiced_line(clause) else { return Ok(()) };
                if let Content::Speech { spoken, track } = &mut self.reply.lines[at].content {
                    spoken.marks.sound(clause, length);
                    track.queued += length;
                }
            }
            Spoken::Mark(mark) => {
                for line in &mut self.reply.lines {
                    if let Content::Speech { spoken, .. } = &mut line.content {
                        spoken.marks.mark(&mark);
                    }
                }
            }
            Spoken::Finished if self.reply.voice == VoiceStage::Feeding => return Err(Broken::Garbled),
            Spoken::Finished => self.voiced_whole(),
            Spoken::Failed(error) => return Err(Broken::Told(error)),
        }
        Ok(())
    }

    /// Hands on what speech may go, and closes the items that are whole.
    pub(super) fn pump(&mut self, now: Instant, out: &mut Vec<Output>) {
        for at in 0..self.reply.lines.len() {
            if matches!(self.reply.lines[at].content, Content::Speech { .. }) && !self.reply.lines[at].is_closed() {
                while self.release(now, at, out) {}
                match self.voiced(at) {
                    Some(status) => self.close(at, status, out),
                    None => break,
                }
            }
        }
    }

    /// Closes all items that are not, in order.
    pub(super) fn close_all(&mut self, status: ItemStatus, out: &mut Vec<Output>) {
        for at in 0..self.reply.lines.len() {
            if !self.reply.lines[at].is_closed() {
                self.close(at, status, out);
            }
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<Output>) -> Result<(), Broken> {
        if text.is_empty() {
            return Ok(());
        }
        if self.open_call().is_some() {
            self.leave(ItemStatus::Completed, out);
        }
        let at = match self.reply.open_line() {
            Some(at) => at,
            None => self.open_message(out)?,
        };
        let said = match &mut self.reply.lines[at].content {
            Content::Text(said) => said,
            Content::Speech { spoken, .. } => &mut spoken.text,
            Content::Call { .. } => return Ok(()),
        };
        if said.len() + text.len() > MOST_BYTES {
            return Err(Broken::Garbled);
        }
        said.push_str(text);
        tell(out, Event::TextDelta { part: self.reply.part(at), delta: text.to_owned() });
        let native = self.reply.is_native();
        if let Content::Speech { spoken, .. } = &mut self.reply.lines[at].content {
            if native {
                spoken.marks.stretch(spoken.text.len());
                return Ok(());
            }
            self.reply.sentences.push(text);
            while let Some(cut) = self.reply.sentences.next() {
                self.speak(at, cut, out);
            }
        }
        Ok(())
    }

    /// Notes what was done with the words it leads to. What changes something is in the conversation at once, words or not.
    fn act(&mut self, act: Act, out: &mut Vec<Output>) -> Result<(), Broken> {
        let open = self.reply.open_line().filter(|_| self.open_call().is_none());
        let at = match open {
            None if act.writes => {
                self.leave(ItemStatus::Completed, out);
                Some(self.open_message(out)?)
            }
            open => open,
        };
        let acts = match at {
            Some(at) => &mut self.reply.lines[at].acts,
            None => &mut self.reply.acts,
        };
        match acts.iter_mut().find(|known| known.call.call == act.call.call && known.state == ActState::Unknown) {
            Some(known) => *known = act,
            None => acts.push(act),
        }
        if let (Some(at), Some(conversation)) = (at, &mut self.conversation) {
            let line = &self.reply.lines[at];
            conversation.note(&line.item, &line.acts);
        }
        Ok(())
    }

    fn arguments(&mut self, delta: String, out: &mut Vec<Output>) -> Result<(), Broken> {
        let Some(at) = self.open_call() else { return Ok(()) };
        let line = &mut self.reply.lines[at];
        if let Content::Call { call, arguments, .. } = &mut line.content {
            if arguments.len() + delta.len() > MOST_BYTES {
                return Err(Broken::Garbled);
            }
            arguments.push_str(&delta);
            let (response, item, call) = (self.reply.id.clone(), line.item.clone(), call.clone());
            tell(out, Event::ArgumentsDelta { response, item, output_index: index(at), call, delta });
        }
        Ok(())
    }

    fn cost(&mut self, usage: Usage) {
        let sum = self.reply.usage.get_or_insert_default();
        sum.input_tokens = sum.input_tokens.saturating_add(usage.input_tokens);
        sum.cached_tokens = sum.cached_tokens.saturating_add(usage.cached_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(usage.output_tokens);
    }

    fn finish(&mut self, finish: Finish, out: &mut Vec<Output>) {
        let status = match finish {
            Finish::Stop => ItemStatus::Completed,
            Finish::Length | Finish::ContentFilter => ItemStatus::Incomplete,
        };
        self.leave(status, out);
        self.attach_rest();
        if self.reply.is_native() {
            self.voiced_whole();
        } else if self.reply.voice == VoiceStage::Feeding {
            self.reply.voice = VoiceStage::Ended;
            out.push(Output::SynthesizeEnd { response: self.reply.id.clone() });
        }
        self.reply.stage = Stage::Thought(finish);
    }

    /// The model adds nothing more to the open item. Speech closes once it has gone out, all else at once.
    fn leave(&mut self, status: ItemStatus, out: &mut Vec<Output>) {
        let Some(at) = self.reply.open_line() else { return };
        if matches!(self.reply.lines[at].content, Content::Speech { .. }) {
            if !self.reply.is_native() {
                self.speak_rest(at, out);
            }
            self.reply.lines[at].state = LineState::Left(status);
        } else {
            self.close(at, status, out);
        }
    }

    /// What was done after the last item goes with that.
    fn attach_rest(&mut self) {
        let rest = std::mem::take(&mut self.reply.acts);
        let Some(line) = self.reply.lines.last_mut().filter(|_| !rest.is_empty()) else { return };
        line.acts.extend(rest);
        if let LineState::Closed(item) = &mut line.state {
            item.acts.clone_from(&line.acts);
        }
        if let Some(conversation) = &mut self.conversation {
            conversation.note(&line.item, &line.acts);
        }
    }

    /// Speaks what is left of an item's words; what has no sound goes with its last clause.
    fn speak_rest(&mut self, at: usize, out: &mut Vec<Output>) {
        let (rest, length) = self.reply.sentences.flush();
        if let Some(cut) = rest {
            self.speak(at, cut, out);
        }
        if let Content::Speech { spoken, .. } = &mut self.reply.lines[at].content {
            spoken.marks.stretch(length);
        }
    }

    fn speak(&mut self, at: usize, cut: Cut, out: &mut Vec<Output>) {
        if let Content::Speech { spoken, .. } = &mut self.reply.lines[at].content {
            spoken.marks.expect(cut.clause.id, cut.range, cut.text);
        }
        self.reply.voice = VoiceStage::Feeding;
        let (response, voice) = (self.reply.id.clone(), self.reply.plan.voice());
        out.push(Output::Synthesize { response, voice, clause: cut.clause });
    }

    pub(super) fn open(&mut self, content: Content, out: &mut Vec<Output>) -> Result<usize, Broken> {
        let at = self.reply.lines.len();
        if at == MOST_LINES {
            return Err(Broken::Garbled);
        }
        let id = self.ids.item();
        let previous = self.conversation.as_ref().and_then(|conversation| conversation.last());
        let message = !matches!(content, Content::Call { .. });
        let state = LineState::Open;
        let acts = std::mem::take(&mut self.reply.acts);
        let line = Line { item: id.clone(), previous: previous.clone(), state, content, citations: Vec::new(), acts };
        let item = if message {
            let body = Body::Message { role: Role::Assistant, parts: vec![] };
            Item { id, status: ItemStatus::InProgress, body, citations: Vec::new(), acts: line.acts.clone() }
        } else {
            line.as_item(ItemStatus::InProgress)
        };
        self.reply.lines.push(line);
        let response = self.reply.id.clone();
        tell(out, Event::OutputItemAdded { response, output_index: index(at), item: item.clone() });
        if let Some(conversation) = &mut self.conversation {
            conversation.push(item.clone());
            tell(out, Event::ItemAdded { item, previous });
        }
        if message {
            tell(out, Event::PartAdded(self.reply.part(at)));
        }
        Ok(at)
    }

    fn close(&mut self, at: usize, status: ItemStatus, out: &mut Vec<Output>) {
        let part = self.reply.part(at);
        let item = self.reply.lines[at].as_item(status);
        let previous = self.reply.lines[at].previous.clone();
        let mut kept = None;
        match &mut self.reply.lines[at].content {
            Content::Text(text) => {
                tell(out, Event::TextDone { part: part.clone(), text: text.clone() });
                tell(out, Event::PartDone { part, text: text.clone() });
            }
            Content::Speech { spoken, track } => {
                spoken.limit = track.released;
                kept = Some(spoken.clone());
                tell(out, Event::AudioDone(part.clone()));
                tell(out, Event::TextDone { part: part.clone(), text: spoken.text.clone() });
                tell(out, Event::PartDone { part, text: spoken.text.clone() });
            }
            Content::Call { call, name, arguments } => {
                // A client acts on finished arguments, so those of a call cut short are never called finished.
                if status == ItemStatus::Completed {
                    let (response, output_index) = (self.reply.id.clone(), index(at));
                    let (call, name, arguments) = (call.clone(), name.clone(), arguments.clone());
                    let item = item.id.clone();
                    tell(out, Event::ArgumentsDone { response, item, output_index, call, name, arguments });
                }
            }
        }
        let call = matches!(item.body, Body::Call { .. });
        let response = self.reply.id.clone();
        let told = Event::OutputItemDone { response, output_index: index(at), item: item.clone() };
        let Some(conversation) = &mut self.conversation else {
            self.reply.lines[at].state = LineState::Closed(item);
            return tell(out, told);
        };
        conversation.finish(item.clone(), kept);
        let done = Event::ItemDone { item: item.clone(), previous };
        self.reply.lines[at].state = LineState::Closed(item);
        for event in if call { [told, done] } else { [done, told] } {
            tell(out, event);
        }
    }

    /// Hands on more of an item's speech; whether there was any.
    fn release(&mut self, now: Instant, at: usize, out: &mut Vec<Output>) -> bool {
        let begins = self.player == Player::Relay && !self.reply.is_audible();
        let format = self.reply.plan.format();
        let Content::Speech { track, .. } = &mut self.reply.lines[at].content else { return false };
        if !self.playout.release(now, track) {
            return false;
        }
        let until = track.released;
        let response = self.reply.id.clone();
        if begins {
            tell(out, Event::PlaybackStarted(response.clone()));
        }
        let item = self.reply.lines[at].item.clone();
        out.push(Output::Release { response, item, output_index: index(at), content_index: 0, format, until });
        if let Some(since) = self.reply.awaited.take() {
            out.push(Output::Measure(Measure::FirstAudio(now.saturating_duration_since(since))));
        }
        true
    }

    /// How an item's speech ends, once all of it has gone out.
    fn voiced(&self, at: usize) -> Option<ItemStatus> {
        let line = &self.reply.lines[at];
        match (&line.state, &line.content) {
            (LineState::Left(status), Content::Speech { spoken, track }) => {
                (spoken.marks.is_whole() && track.is_drained()).then_some(*status)
            }
            _ => None,
        }
    }

    /// The item whose clause this is; sound of an unknown clause goes with what is being spoken.
    fn voiced_line(&self, clause: u32) -> Option<usize> {
        let open = |line: &Line| matches!(line.content, Content::Speech { .. }) && !line.is_closed();
        let expects = |line: &Line| match &line.content {
            Content::Speech { spoken, .. } => spoken.marks.expects(clause),
            Content::Text(_) | Content::Call { .. } => false,
        };
        let lines = &self.reply.lines;
        let at = lines.iter().position(expects).or_else(|| lines.iter().position(open))?;
        open(&lines[at]).then_some(at)
    }

    fn open_call(&self) -> Option<usize> {
        self.reply.open_line().filter(|at| matches!(self.reply.lines[*at].content, Content::Call { .. }))
    }
}

/// Whether a thought tells the person nothing.
fn is_silent(thought: &Thought) -> bool {
    match thought {
        Thought::Usage(_) => true,
        Thought::Acted(act) => !act.writes,
        Thought::Text(_)
        | Thought::Cited(_)
        | Thought::CallStarted { .. }
        | Thought::CallArguments(_)
        | Thought::CallDone
        | Thought::Finished(_) => false,
    }
}
