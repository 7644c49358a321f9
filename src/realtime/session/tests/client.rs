//! Folds over a session's outputs as a client, a listener and an auditor would, and panics on the first broken invariant.
//!
//! The numbers in messages are those of ARCHITECTURE.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use providers::tts::Speech;

use super::super::{
    Input, Output, Session,
    ids::{ItemId, ResponseId, TurnId},
    input::{Command, Request, Spoken},
    item::{Body, Item, ItemStatus, Part},
    output::{CancelReason, Event, PartRef, Record, ResponseStatus, ResponseView, Transcribe},
    settings::{Kind, Modality, Player, Profile, Settings},
};

/// Clocks of the listener's model and the session may differ by rounding.
const ROUNDING: Duration = Duration::from_micros(10);

#[derive(Debug)]
pub(super) struct Client {
    profile: Profile,
    settings: Arc<Settings>,
    closed: bool,
    /// The item of the open turn, and of the last one that was opened.
    speaking: Option<ItemId>,
    last_speech: Option<ItemId>,
    /// The item of the turn the client knows of and that is neither committed nor cleared yet.
    listening: Option<ItemId>,
    cleared: BTreeSet<ItemId>,
    committed: BTreeSet<ItemId>,
    pub(super) mirror: Vec<ItemId>,
    added: BTreeSet<ItemId>,
    done: BTreeSet<ItemId>,
    words: BTreeMap<ItemId, String>,
    heard_out: BTreeSet<ItemId>,
    /// Ids that may come back with other content.
    deleted: BTreeSet<ItemId>,
    pub(super) responses: BTreeMap<ResponseId, Response>,
    pub(super) order: Vec<ResponseId>,
    active: Option<ResponseId>,
    turns: BTreeMap<TurnId, Stretch>,
    /// End of the audio that was committed or cleared.
    boundary: Duration,
    position: Duration,
    listener: Listener,
    /// How much of an item was heard when it was cut.
    cut: BTreeMap<ItemId, Duration>,
}

#[derive(Debug)]
struct Stretch {
    from: Duration,
    until: Option<Duration>,
    /// Speech in it was told after its end.
    late: bool,
}

#[derive(Debug)]
pub(super) struct Response {
    view: Arc<ResponseView>,
    settings: Arc<Settings>,
    done: bool,
    pub(super) lines: Vec<Line>,
    pub(super) clauses: Vec<Clause>,
    sounded: Duration,
    ended: bool,
    inferred: bool,
    /// A speech-to-speech model was asked, whose words cannot be located.
    conversed: bool,
    /// Sound came out of order, so its words cannot be located.
    odd: bool,
    /// Beside the conversation it has a listener's clock of its own.
    listener: Listener,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) item: ItemId,
    part: Option<PartRef>,
    text: String,
    arguments: String,
    audio_done: bool,
    text_done: bool,
    part_done: bool,
    item_done: bool,
    told_done: bool,
    released: Duration,
    ends: Instant,
}

#[derive(Debug)]
pub(super) struct Clause {
    line: usize,
    text: String,
    length: Duration,
    /// The voice said that it is done with it, perhaps without a sound.
    whole: bool,
}

#[derive(Clone, Debug)]
struct Listener {
    cursor: Instant,
    held: Option<Instant>,
}

impl Client {
    pub(super) fn new(now: Instant, profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            settings: Arc::clone(&profile.settings),
            closed: false,
            speaking: None,
            last_speech: None,
            listening: None,
            cleared: BTreeSet::new(),
            committed: BTreeSet::new(),
            mirror: Vec::new(),
            added: BTreeSet::new(),
            done: BTreeSet::new(),
            words: BTreeMap::new(),
            heard_out: BTreeSet::new(),
            deleted: BTreeSet::new(),
            responses: BTreeMap::new(),
            order: Vec::new(),
            active: None,
            turns: BTreeMap::new(),
            boundary: Duration::ZERO,
            position: Duration::ZERO,
            listener: Listener { cursor: now, held: None },
            cut: BTreeMap::new(),
        }
    }

    /// Sees what goes in.
    pub(super) fn before(&mut self, input: &Input) {
        match input {
            Input::Heard(heard) => self.position = self.position.max(heard.end),
            Input::Spoken { response, event: Spoken::Audio { clause, length } } => {
                let Some(response) = self.responses.get_mut(response) else { return };
                if response.done || response.ended {
                    return;
                }
                response.sounded += *length;
                let later = response.clauses.iter().skip(*clause as usize + 1).any(|clause| !clause.length.is_zero());
                match response.clauses.get_mut(*clause as usize) {
                    Some(clause) if !later => clause.length += *length,
                    _ => response.odd = true,
                }
            }
            Input::Spoken { response, event: Spoken::Finished } => {
                if let Some(response) = self.responses.get_mut(response) {
                    response.ended = !response.clauses.is_empty();
                    response.clauses.iter_mut().for_each(|clause| clause.whole = true);
                }
            }
            Input::Spoken { response, event: Spoken::Mark(Speech::ClauseDone { clause }) } => {
                if let Some(response) = self.responses.get_mut(response) {
                    response.clauses.iter_mut().take(*clause as usize + 1).for_each(|clause| clause.whole = true);
                }
            }
            _ => {}
        }
    }

    /// Sees what came of it.
    pub(super) fn after(&mut self, now: Instant, input: &Input, outputs: &[Output], session: &Session) {
        for (at, output) in outputs.iter().enumerate() {
            assert!(!self.closed, "10: an output after close: {output:?}");
            match output {
                Output::Notify(event) => self.event(now, event),
                Output::Transcribe(transcribe) => self.transcribe(transcribe, outputs),
                Output::Record(record) => self.record(record),
                Output::Release { response, item, output_index, until, format, .. } => {
                    self.release(now, response, item, *output_index, *until);
                    assert_eq!(*format, self.responses[response].view.format, "6: the format changed");
                }
                Output::Infer { response, prompt } => {
                    let seen = self.responses.get_mut(response).expect("infer for an unknown response");
                    assert!(!seen.inferred && !seen.done, "the model was asked twice or too late");
                    seen.inferred = true;
                    if let ResponseStatus::InProgress = seen.view.status
                        && seen.settings.instructions.starts_with("walk")
                    {
                        assert_eq!(
                            prompt.instructions, seen.settings.instructions,
                            "6: not the response's own settings"
                        );
                    }
                }
                Output::Converse { response, ask } => {
                    let seen = self.responses.get_mut(response).expect("a conversation for an unknown response");
                    assert!(!seen.conversed && !seen.inferred && !seen.done, "the model was asked twice or too late");
                    assert!(ask.said.iter().map(|said| &said.item).eq(&self.mirror), "not the whole conversation");
                    (seen.conversed, seen.odd) = (true, true);
                }
                Output::Synthesize { response, voice, clause } => {
                    let seen = self.responses.get_mut(response).expect("speech for an unknown response");
                    assert!(!seen.done, "3: speech after the terminal");
                    assert_eq!(voice.name, seen.view.voice, "6: the voice changed");
                    assert_eq!(clause.id as usize, seen.clauses.len(), "clauses must count up");
                    let line = seen.lines.len() - 1;
                    seen.clauses.push(Clause { line, text: clause.text.clone(), length: Duration::ZERO, whole: false });
                }
                Output::Flush(response) => self.flush(now, response),
                Output::Pause => {
                    assert_eq!(self.profile.player, Player::Relay);
                    assert!(self.listener.held.is_none(), "paused twice");
                    self.listener.held = Some(now);
                }
                Output::Resume => {
                    let held = self.listener.held.take().expect("resumed without a pause");
                    self.resume(now.saturating_duration_since(held));
                }
                Output::Close(_) => {
                    assert_eq!(at + 1, outputs.len(), "10: close must be the last output");
                    assert!(self.responses.values().all(|response| response.done), "2: open response at close");
                    self.closed = true;
                }
                Output::Advise { .. }
                | Output::Expect
                | Output::SynthesizeEnd { .. }
                | Output::Cancel(_)
                | Output::Measure(_) => {}
            }
        }
        if let Input::Command(command) = input
            && !self.closed
        {
            answered(command, outputs);
        }
        self.agree(session);
    }

    fn event(&mut self, now: Instant, event: &Event) {
        match event {
            Event::SessionCreated(_) => {}
            Event::SessionUpdated(settings) => self.settings = Arc::clone(settings),
            Event::SpeechStarted { item, start } => {
                assert!(self.speaking.is_none(), "4: speech started twice");
                self.begun(*start);
                self.speaking = Some(item.clone());
                self.last_speech = Some(item.clone());
                let before = self.listening.replace(item.clone());
                assert!(before.is_none_or(|before| before == *item), "4: two turns at once");
            }
            Event::SpeechStopped { item, end } => {
                assert_eq!(self.speaking.take().as_ref(), Some(item), "4: speech stopped that had not started");
                assert!(*end <= self.position);
            }
            Event::Committed { item, previous } => {
                assert!(self.committed.insert(item.clone()), "7: committed twice");
                assert_ne!(self.speaking.as_ref(), Some(item), "4: committed while it was open");
                self.listening.take_if(|listening| listening == item);
                assert_eq!(*previous, self.mirror.last().cloned(), "a false previous item");
            }
            Event::Cleared => {
                self.speaking = None;
                self.cleared.extend(self.listening.take());
                self.boundary = self.position;
            }
            Event::IdleTimeout { start, end, .. } => assert!(start <= end),
            Event::ItemAdded { item, previous } => self.item_added(item, previous.as_ref()),
            Event::ItemDone { item, .. } => {
                assert!(self.added.contains(&item.id), "done without added");
                assert!(self.done.insert(item.id.clone()), "done twice");
            }
            Event::KeyPressed { .. } | Event::ItemRetrieved(_) | Event::Error(_) => {}
            Event::ItemTruncated { item, audio_end, .. } => {
                self.cut.insert(item.clone(), *audio_end);
                if self.profile.player == Player::Client && self.active.is_none() {
                    // It says what it played, so it plays no more.
                    self.listener.cursor = self.listener.cursor.min(now);
                }
            }
            Event::ItemDeleted(item) => {
                self.mirror.retain(|id| id != item);
                self.deleted.insert(item.clone());
            }
            Event::TranscriptionDelta { item, delta } => {
                if !self.done.contains(item) {
                    self.told_early(item);
                }
                assert!(!self.heard_out.contains(item), "a delta after the transcript");
                assert!(!delta.is_empty());
                self.words.entry(item.clone()).or_default().push_str(delta);
            }
            Event::TranscriptionCompleted { item, transcript, .. } => {
                assert!(self.done.contains(item), "a whole transcript before its item");
                assert!(self.heard_out.insert(item.clone()), "two transcripts of one item");
                let deltas = self.words.get(item).map_or("", String::as_str);
                assert!(transcript.starts_with(deltas), "{transcript:?} does not start with {deltas:?}");
            }
            Event::TranscriptionFailed { item, .. } => assert!(self.heard_out.insert(item.clone())),
            Event::ResponseCreated(view) => self.created(now, view),
            Event::ResponseDone(view) => self.ended(view),
            Event::OutputItemAdded { response, output_index, item } => {
                let response = self.open(response);
                assert_eq!(*output_index as usize, response.lines.len());
                response.lines.push(Line {
                    item: item.id.clone(),
                    part: None,
                    text: String::new(),
                    arguments: String::new(),
                    audio_done: false,
                    text_done: false,
                    part_done: false,
                    item_done: false,
                    told_done: false,
                    released: Duration::ZERO,
                    ends: now,
                });
            }
            Event::OutputItemDone { response, output_index, item } => {
                let line = self.line(response, *output_index, &item.id);
                assert!(!std::mem::replace(&mut line.told_done, true), "3: done twice");
                assert_ne!(item.status, ItemStatus::InProgress);
                assert_eq!(line.part.is_some(), line.part_done, "3: an open part");
            }
            Event::PartAdded(part) => {
                let line = self.line(&part.response, part.output_index, &part.item);
                assert!(line.part.is_none() && !line.told_done);
                line.part = Some(part.clone());
            }
            Event::PartDone { part, text } => {
                let line = self.line(&part.response, part.output_index, &part.item);
                assert!(line.text_done && !std::mem::replace(&mut line.part_done, true));
                assert_eq!(line.audio_done, part.modality == Modality::Audio);
                assert_eq!(*text, line.text, "done must be the deltas joined");
            }
            Event::TextDelta { part, delta } => {
                let line = self.line(&part.response, part.output_index, &part.item);
                assert!(line.part.as_ref() == Some(part) && !line.text_done, "3: content outside of its part");
                line.text.push_str(delta);
            }
            Event::TextDone { part, text } => {
                let line = self.line(&part.response, part.output_index, &part.item);
                assert!(!std::mem::replace(&mut line.text_done, true));
                assert_eq!(*text, line.text, "done must be the deltas joined");
            }
            Event::AudioDone(part) => {
                let line = self.line(&part.response, part.output_index, &part.item);
                assert!(!std::mem::replace(&mut line.audio_done, true) && !line.text_done);
            }
            Event::ArgumentsDelta { response, item, output_index, delta, .. } => {
                let line = self.line(response, *output_index, item);
                assert!(!line.told_done, "3: content after done");
                line.arguments.push_str(delta);
            }
            Event::ArgumentsDone { response, item, output_index, arguments, .. } => {
                let line = self.line(response, *output_index, item);
                assert!(!line.told_done);
                assert_eq!(*arguments, line.arguments, "done must be the deltas joined");
            }
            Event::PlaybackStarted(_) | Event::PlaybackStopped(_) | Event::PlaybackCleared(_) => {
                assert_eq!(self.profile.player, Player::Relay);
            }
        }
    }

    /// A turn begins behind all that was committed, or is a stretch that ended before it was understood, told once.
    fn begun(&mut self, start: Duration) {
        let mut ended = self.turns.values_mut().filter(|stretch| stretch.until.is_some() && !stretch.late);
        if let Some(stretch) = ended.find(|stretch| stretch.from == start && start < self.boundary) {
            stretch.late = true;
        } else {
            assert!(start >= self.boundary, "7: a turn reaches back into what was committed");
        }
    }

    /// Words of a turn that is no item yet: the client knows of the turn by `speech_started`, or commits its turns itself.
    fn told_early(&mut self, item: &ItemId) {
        assert!(self.settings.input.transcription.is_some(), "a transcript nobody wants");
        assert!(!self.cleared.contains(item), "words of a turn that was cleared");
        match &self.listening {
            Some(listening) => assert_eq!(listening, item, "words of a turn the client was not told of"),
            None if self.settings.input.turn_detection.is_none() => self.listening = Some(item.clone()),
            None => panic!("words of a turn the client was not told of"),
        }
    }

    fn created(&mut self, now: Instant, view: &Arc<ResponseView>) {
        if !view.out_of_band {
            assert_eq!(self.active, None, "1: two active responses");
            self.active = Some(view.id.clone());
        }
        assert_eq!(self.settings.kind, Kind::Conversation, "a transcription session makes no responses");
        let voice = view.voice.as_str();
        assert!(voice == self.settings.output.voice || voice == "echo", "6: {voice} is neither set nor asked for");
        assert!(view.output.is_empty() && view.status == ResponseStatus::InProgress);
        self.order.push(view.id.clone());
        let response = Response {
            view: Arc::clone(view),
            settings: Arc::clone(&self.settings),
            done: false,
            lines: Vec::new(),
            clauses: Vec::new(),
            sounded: Duration::ZERO,
            ended: false,
            inferred: false,
            conversed: false,
            odd: false,
            listener: Listener { cursor: now, held: None },
        };
        assert!(self.responses.insert(view.id.clone(), response).is_none(), "a response created twice");
    }

    fn ended(&mut self, view: &Arc<ResponseView>) {
        let response = self.responses.get_mut(&view.id).expect("done without created");
        assert!(!std::mem::replace(&mut response.done, true), "2: two terminals");
        let then = &response.view;
        assert_eq!((&view.voice, view.format, view.modality), (&then.voice, then.format, then.modality), "6");
        assert_eq!((&view.metadata, view.max_output_tokens), (&then.metadata, then.max_output_tokens), "6");
        assert_eq!(view.output.len(), response.lines.len());
        for (line, item) in response.lines.iter().zip(&view.output) {
            assert!(line.told_done, "3: added without done");
            assert!(line.item_done || view.out_of_band || self.done.contains(&line.item), "3: item added without done");
            assert_ne!(item.status, ItemStatus::InProgress);
        }
        if !view.out_of_band {
            assert_eq!(self.active.take().as_ref(), Some(&view.id));
        }
        if view.status == ResponseStatus::Cancelled(CancelReason::TurnDetected) {
            assert!(!view.out_of_band, "speech cancels no out-of-band response");
            let cause = self.last_speech.as_ref().expect("5: cancelled by a turn nobody heard of");
            assert!(!self.committed.contains(cause), "5: the turn was committed before the cancel it caused");
        }
        if view.status == ResponseStatus::Completed && !response.odd {
            assert!(view.output.iter().all(|item| item.status == ItemStatus::Completed));
        }
    }

    fn item_added(&mut self, item: &Item, previous: Option<&ItemId>) {
        assert!(self.added.insert(item.id.clone()) || !self.mirror.contains(&item.id), "added twice");
        self.done.remove(&item.id);
        self.heard_out.remove(&item.id);
        if self.deleted.contains(&item.id) {
            self.words.remove(&item.id);
        }
        let beside = self.responses.values().filter(|response| response.view.out_of_band);
        assert!(
            beside.flat_map(|response| &response.lines).all(|line| line.item != item.id),
            "out-of-band items stay out"
        );
        let at = previous.map_or(0, |previous| {
            1 + self.mirror.iter().position(|id| id == previous).expect("a previous item that is not there")
        });
        self.mirror.insert(at, item.id.clone());
    }

    fn transcribe(&mut self, transcribe: &Transcribe, outputs: &[Output]) {
        match transcribe {
            Transcribe::Start { turn, from, .. } => {
                // A clear that opens the next turn in the same step is told before it.
                assert!(*from >= self.boundary, "7: {from:?} was used up to {:?}", self.boundary);
                assert!(*from <= self.position);
                assert!(self.turns.insert(*turn, Stretch { from: *from, until: None, late: false }).is_none());
            }
            Transcribe::Finish { turn, until } => {
                let stretch = self.turns.get_mut(turn).expect("finish without start");
                assert!(stretch.until.replace(*until).is_none(), "7: finished twice");
                assert!(*until >= stretch.from && *until <= self.position);
                self.boundary = self.boundary.max(*until);
            }
            Transcribe::Abandon { turn } => {
                self.turns.remove(turn).expect("abandoned without start");
                assert!(
                    !outputs
                        .iter()
                        .any(|o| matches!(o, Output::Transcribe(Transcribe::Finish { turn: t, .. }) if t == turn)),
                    "finished and abandoned"
                );
            }
            Transcribe::Clip { .. } => {}
        }
    }

    fn release(&mut self, now: Instant, id: &ResponseId, item: &ItemId, index: u32, until: Duration) {
        let lead = self.profile.lead;
        let response = self.responses.get_mut(id).expect("release for an unknown response");
        assert!(!response.done, "3: speech after the terminal");
        let out_of_band = response.view.out_of_band;
        let listener = if out_of_band { &mut response.listener } else { &mut self.listener };
        let line = &mut response.lines[index as usize];
        assert!(line.item == *item && !line.audio_done, "3: speech after its part");
        assert!(until > line.released, "9: released backwards");
        let amount = until - line.released;
        line.released = until;
        let at = listener.held.unwrap_or(now);
        listener.cursor = listener.cursor.max(at) + amount;
        line.ends = listener.cursor;
        let ahead = listener.cursor.saturating_duration_since(at);
        assert!(ahead <= lead.max(Duration::from_millis(20)) + ROUNDING, "released {ahead:?} ahead of the listener");
        let released: Duration = response.lines.iter().map(|line| line.released).sum();
        assert!(released <= response.sounded, "9: released more than was synthesised");
    }

    fn flush(&mut self, now: Instant, id: &ResponseId) {
        let at = self.listener.held.unwrap_or(now);
        if let Some(response) = self.responses.get(id)
            && !response.view.out_of_band
        {
            for line in &response.lines {
                let heard = line.released.saturating_sub(line.ends.saturating_duration_since(at));
                self.cut.insert(line.item.clone(), heard);
            }
            self.listener.cursor = self.listener.cursor.min(at);
        }
    }

    fn resume(&mut self, shift: Duration) {
        self.listener.cursor += shift;
        for line in self.responses.values_mut().flat_map(|response| &mut response.lines) {
            line.ends += shift;
        }
    }

    fn record(&self, record: &Record) {
        let Record::Item { item, .. } = record else { return };
        let Body::Message { parts, .. } = &item.body else { return };
        let [Part::OutputAudio { transcript, .. }] = parts.as_slice() else { return };
        if self.deleted.contains(&item.id) {
            return;
        }
        for response in self.responses.values() {
            let Some(at) = response.lines.iter().position(|line| line.item == item.id) else { continue };
            let line = &response.lines[at];
            assert!(line.text.starts_with(transcript.as_str()), "9: {transcript:?} was never said");
            if let Some(heard) = self.cut.get(&item.id)
                && !response.odd
            {
                let most = response.most_heard(at, *heard);
                // Signs that nobody says count as heard with the words before them.
                let transcript = transcript.trim_end_matches(|c: char| !c.is_alphanumeric());
                assert!(
                    transcript.len() <= most,
                    "9: {transcript:?} exceeds what was heard in {heard:?}: {most} bytes"
                );
            }
        }
    }

    fn open(&mut self, id: &ResponseId) -> &mut Response {
        let response = self.responses.get_mut(id).expect("content of an unknown response");
        assert!(!response.done, "3: content after the terminal");
        response
    }

    fn line(&mut self, id: &ResponseId, index: u32, item: &ItemId) -> &mut Line {
        let line = self.open(id).lines.get_mut(index as usize).expect("content of an unknown item");
        assert_eq!(line.item, *item);
        line
    }

    fn agree(&self, session: &Session) {
        let state = session.state();
        if self.closed {
            assert_eq!(session.next_wake(), None, "10: a wake after close");
            return;
        }
        let open = matches!(state.turn, "speaking" | "pausing");
        assert_eq!(open, self.speaking.is_some(), "4: {state} but speech started says otherwise");
        let active = matches!(state.response, "waiting" | "thinking" | "speaking");
        assert_eq!(active, self.active.is_some(), "1: {state}");
        assert!(session.conversation().items().map(|item| &item.id).eq(&self.mirror), "the client's mirror differs");
        if self.listener.held.is_some() {
            assert!(!matches!(state.turn, "idle" | "awaiting" | "gathering"), "held for good in {state}");
        }
    }
}

impl Response {
    /// Where in a line's text the clause ends that sounds at this position.
    fn most_heard(&self, at: usize, heard: Duration) -> usize {
        let text = &self.lines[at].text;
        let (mut start, mut end) = (Duration::ZERO, 0);
        for clause in self.clauses.iter().filter(|clause| clause.line == at) {
            if start >= heard && !(clause.whole && clause.length.is_zero()) {
                break;
            }
            start += clause.length;
            end = text[end..].find(clause.text.as_str()).map_or(text.len(), |found| end + found + clause.text.len());
        }
        // Text that is not spoken at all goes with the last clause.
        if start < heard + ROUNDING { end.max(text.trim_end().len()) } else { end }
    }
}

/// Every command is answered: done as it asks, or refused under its own event id.
fn answered(command: &Command, outputs: &[Output]) {
    let events =
        || outputs.iter().filter_map(|output| if let Output::Notify(event) = output { Some(&**event) } else { None });
    let refused = events().any(|event| matches!(event, Event::Error(error) if error.event_id == command.event_id));
    let done = events().any(|event| match (&command.request, event) {
        (Request::Update(_), Event::SessionUpdated(_))
        | (Request::Commit, Event::Committed { .. })
        | (Request::Clear, Event::Cleared)
        | (Request::Create { .. }, Event::ItemDone { .. })
        | (Request::Respond(_), Event::ResponseCreated(_))
        | (Request::Cancel(_), Event::ResponseDone(_)) => true,
        (Request::Retrieve(id), Event::ItemRetrieved(item)) => item.id == *id,
        (Request::Truncate { item: id, .. }, Event::ItemTruncated { item, .. })
        | (Request::Delete(id), Event::ItemDeleted(item)) => item == id,
        _ => false,
    });
    let silent = matches!(command.request, Request::ClearOutput);
    assert!(refused || done || silent, "8: {command:?} was not answered: {outputs:?}");
    // A deadline that passed in the same step may have done by itself what is then refused.
    let races =
        matches!(command.request, Request::Cancel(_) | Request::Commit | Request::Respond(_) | Request::Create { .. });
    assert!(!(refused && done) || races, "8: both done and refused");
}
