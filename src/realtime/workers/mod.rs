//! Who speaks with providers: one task for each utterance, thought, reply and judgement.
//!
//! Workers know nothing of clients. They report what happens as a session's [`Input`]s, through one bounded queue that
//! back-pressures them; dropping a worker cancels its provider.

mod advise;
mod belt;
mod listen;
mod native;
mod patient;
mod sound;
mod speak;
mod stretch;
#[cfg(test)]
mod tests;
mod think;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use audio::{Clip, Frame};
use providers::{
    ErrorKind,
    layers::Memory,
    llm::Prompt,
    realtime::Manner,
    stt::SttOptions,
    tool::Toolbox,
    tts::{Clause, Voice},
};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use self::{listen::Ear, native::Native, speak::Mouth};
use super::{
    dossier::Dossier,
    engine::Providers,
    session::{
        Input,
        ids::{ItemId, ResponseId, TurnId},
        output::Ask,
    },
};
use crate::{clock::Clock, metrics::Role};

/// Reports that may wait for the session. Sound comes in pieces of at most half a second (24 KB).
const REPORTS: usize = 32;

/// What a worker tells its session.
#[derive(Debug)]
pub(crate) enum Report {
    /// Something happened.
    Input(Input),
    /// More of a reply's speech, at 24 kHz; whoever queues it tells the session how long it lasts.
    Sound {
        /// Whose.
        response: ResponseId,
        /// The clause it voices.
        clause: u32,
        /// The sound.
        samples: Vec<i16>,
        /// When the provider gave it, and it could be taken.
        given: Instant,
    },
}

/// All workers of one session.
pub(crate) struct Workers {
    kit: Kit,
    synthesis_lead: Duration,
    ears: BTreeMap<TurnId, Ear>,
    replies: BTreeMap<ResponseId, Reply>,
    /// What hears and speaks by itself, where there is such a model.
    native: Option<Native>,
    /// The newest judgement; an older pause is of no interest.
    advice: Option<AbortOnDropHandle<()>>,
}

/// What every worker is given.
#[derive(Clone)]
struct Kit {
    providers: Providers,
    reports: mpsc::Sender<Report>,
    patience: Duration,
    clock: Clock,
    dossier: Dossier,
    recall: Recall,
    toolbox: Option<Arc<dyn Toolbox>>,
}

/// What of a long conversation a model is told.
#[derive(Clone)]
pub(crate) struct Recall {
    /// What is remembered of what is older.
    pub(crate) memory: Arc<Memory>,
    /// Tokens that a model is told at most.
    pub(crate) window: usize,
}

#[derive(Default)]
struct Reply {
    thinking: Option<AbortOnDropHandle<()>>,
    mouth: Option<Mouth>,
}

/// How a worker stands with the audio it is fed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fed {
    /// Every ear has taken all there is.
    All,
    /// An ear is full: it wants no more for now.
    Full,
}

impl Workers {
    /// No workers yet, and where they will report.
    pub(crate) fn new(
        providers: Providers,
        clock: Clock,
        patience: Duration,
        synthesis_lead: Duration,
        dossier: Dossier,
        recall: Recall,
        toolbox: Option<Arc<dyn Toolbox>>,
    ) -> (Self, mpsc::Receiver<Report>) {
        let (reports, inbox) = mpsc::channel(REPORTS);
        let kit = Kit { providers, reports, patience, clock, dossier, recall, toolbox };
        let native = kit.providers.realtime.clone().map(|model| Native::new(&kit, model, synthesis_lead));
        let (ears, replies) = (BTreeMap::new(), BTreeMap::new());
        let workers = Self { kit, synthesis_lead, ears, replies, native, advice: None };
        (workers, inbox)
    }

    /// Opens a turn's transcription, to be fed from this position of the stream on.
    pub(crate) fn listen(&mut self, turn: TurnId, from: Duration, options: SttOptions) {
        self.ears.insert(turn, Ear::open(&self.kit, turn, from, options));
    }

    /// Lets the speech-to-speech model hear a turn from this position of the stream on; its item will be `item`.
    pub(crate) fn converse_over(
        &mut self,
        turn: TurnId,
        item: ItemId,
        from: Duration,
        manner: impl FnOnce() -> Manner,
    ) {
        if let Some(native) = &mut self.native {
            native.listen(turn, item, from, manner());
        }
    }

    /// The speech-to-speech model is not needed any more.
    pub(crate) fn hang_up(&mut self) {
        self.native = None;
    }

    /// Transcribes sound that is there in full.
    pub(crate) fn listen_to(&mut self, turn: TurnId, clip: Arc<Clip>, options: SttOptions) {
        self.ears.insert(turn, Ear::of_clip(&self.kit, turn, clip, options));
    }

    /// Offers every open turn the stream's frames, each with the position where it ends, from its own position on. The
    /// newest came at `came`, if nothing has held it up since.
    pub(crate) fn feed<'a, I>(&mut self, came: Option<Instant>, mut frames: impl FnMut(Duration) -> I) -> Fed
    where
        I: Iterator<Item = (Duration, &'a Frame)>,
    {
        let mut fed = Fed::All;
        for ear in self.ears.values_mut() {
            if let Some(from) = ear.wanted_from()
                && ear.feed(came, frames(from)) == Fed::Full
            {
                fed = Fed::Full;
            }
        }
        if let Some(native) = &mut self.native
            && let Some(from) = native.wanted_from()
        {
            native.feed(frames(from));
        }
        fed
    }

    /// No audio of the turn follows after this position; what lies before is still fed.
    pub(crate) fn finish(&mut self, turn: TurnId, until: Duration) {
        self.kit.dossier.expect_still();
        if let Some(ear) = self.ears.get_mut(&turn) {
            ear.finish(until);
        }
        if let Some(native) = &mut self.native {
            native.finish(turn, until);
        }
    }

    /// Whether an ear is full.
    pub(crate) fn is_full(&self) -> bool {
        self.ears.values().any(Ear::is_full)
    }

    /// Waits until a full ear has room again; forever if none is full.
    pub(crate) async fn room(&self) {
        match self.ears.values().find(|ear| ear.is_full()) {
            Some(ear) => ear.room().await,
            None => std::future::pending().await,
        }
    }

    /// Gives up on turns whose provider takes no audio. Returns what to tell the session, and how much audio is lost.
    pub(crate) fn give_up(&mut self, position: Duration) -> Vec<(Input, Duration)> {
        let deaf: Vec<_> = self.ears.iter().filter(|(_, ear)| ear.is_full()).map(|(&turn, _)| turn).collect();
        let lost = deaf.into_iter().filter_map(|turn| {
            let from = self.ears.remove(&turn)?.wanted_from()?;
            let error = patient::fault(Role::Listen, ErrorKind::Timeout, "speech-to-text takes no audio");
            Some((Input::Transcript { turn, event: Err(error) }, position.saturating_sub(from)))
        });
        lost.collect()
    }

    /// The turn's transcription is over.
    pub(crate) fn forget_turn(&mut self, turn: TurnId) {
        self.ears.remove(&turn);
    }

    /// The turn never was.
    pub(crate) fn abandon(&mut self, turn: TurnId) {
        self.forget_turn(turn);
        if let Some(native) = &mut self.native {
            native.abandon(turn);
        }
    }

    /// The person pauses: a reply may be wanted in a moment.
    pub(crate) fn expect(&self) {
        self.kit.dossier.expect();
    }

    /// Asks the turn detector about the audio before a pause.
    pub(crate) fn advise(&mut self, turn: TurnId, pause: Duration, audio: Vec<Frame>) {
        self.advice = advise::spawn(&self.kit, turn, pause, audio);
    }

    /// Asks the language model.
    pub(crate) fn think(&mut self, response: ResponseId, prompt: Prompt) {
        let thinking = think::spawn(&self.kit, response.clone(), prompt);
        self.replies.entry(response).or_default().thinking = Some(thinking);
    }

    /// Asks the speech-to-speech model.
    pub(crate) fn converse(&mut self, response: ResponseId, ask: Box<Ask>) {
        if let Some(native) = &mut self.native {
            self.replies.entry(response.clone()).or_default();
            native.ask(response, ask);
        }
    }

    /// An item of a reply is in the conversation.
    pub(crate) fn added(&mut self, response: &ResponseId, item: &ItemId) {
        if let Some(native) = &mut self.native {
            native.added(response.clone(), item.clone());
        }
    }

    /// Speaks a clause; the first of a response opens its mouth.
    pub(crate) fn speak(&mut self, response: ResponseId, voice: Voice, clause: Clause) {
        let reply = self.replies.entry(response.clone()).or_default();
        let lead = self.synthesis_lead;
        reply.mouth.get_or_insert_with(|| Mouth::open(&self.kit, response, voice, lead)).say(clause);
    }

    /// No more clauses follow.
    pub(crate) fn speak_end(&mut self, response: &ResponseId) {
        if let Some(mouth) = self.mouth(response) {
            mouth.end();
        }
    }

    /// This many samples of a response's speech have gone to the client, so as many more may be made.
    pub(crate) fn released(&mut self, response: &ResponseId, samples: usize) {
        if let Some(mouth) = self.mouth(response) {
            mouth.released(samples);
        } else if let Some(native) = &mut self.native {
            native.released(response, samples);
        }
    }

    /// Stops thinking and speaking for a response.
    pub(crate) fn cancel(&mut self, response: &ResponseId) {
        self.replies.remove(response);
        if let Some(native) = &mut self.native {
            native.cancel(response);
        }
    }

    /// Turns and responses that have workers.
    pub(crate) fn count(&self) -> usize {
        self.ears.len() + self.replies.len()
    }

    fn mouth(&mut self, response: &ResponseId) -> Option<&mut Mouth> {
        self.replies.get_mut(response)?.mouth.as_mut()
    }
}

impl Kit {
    /// Reports; waits while the session is behind. A session that is gone needs no report: it drops its workers.
    async fn report(&self, input: Input) {
        let _ = self.reports.send(Report::Input(input)).await;
    }
}
