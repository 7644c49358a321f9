//! Counts what one request consumes, and tells the observer and whoever pays.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use audio::Frame;
use futures_util::{StreamExt, stream::BoxStream};

use super::{Account, Consumed, Observer, Role, consumed::Intake, metered::payer};
use crate::{
    llm::{Thought, Usage},
    realtime::{Command, EventStream, Step},
    tts::Clause,
};

/// One request's meter. Dropping it tells what was not told yet.
pub struct Meter {
    name: Cow<'static, str>,
    role: Role,
    observer: Arc<dyn Observer>,
    payer: Option<Arc<dyn Account>>,
    intake: Arc<Intake>,
    made: Consumed,
}

impl Meter {
    /// Starts at nothing. Whoever pays is known now: the account in whose name this is polled.
    pub fn begin(name: Cow<'static, str>, role: Role, observer: Arc<dyn Observer>) -> Self {
        let payer = payer();
        if let Some(payer) = &payer {
            payer.opened(&name);
        }
        Self { name, role, observer, payer, intake: Arc::default(), made: Consumed::default() }
    }

    /// Counts sound as it is taken.
    pub fn hear(&self, audio: BoxStream<'static, Frame>) -> BoxStream<'static, Frame> {
        let intake = self.intake.clone();
        audio.inspect(move |_| intake.heard(Frame::DURATION)).boxed()
    }

    /// Counts text as it is taken.
    pub fn read(&self, text: BoxStream<'static, Clause>) -> BoxStream<'static, Clause> {
        let intake = self.intake.clone();
        text.inspect(move |clause| intake.characters(&clause.text)).boxed()
    }

    /// Sound was made.
    pub fn spoke(&mut self, span: Duration) {
        self.made.spoken += span;
    }

    /// Tokens were used.
    pub fn used(&mut self, usage: Usage) {
        self.made.input_tokens += u64::from(usage.input_tokens);
        self.made.cached_tokens += u64::from(usage.cached_tokens);
        self.made.output_tokens += u64::from(usage.output_tokens);
    }

    /// Tokens were read, and nothing was written.
    pub fn read_tokens(&mut self, count: u64) {
        self.made.input_tokens += count;
    }

    /// Tells what was consumed since it was told last.
    pub fn tell(&mut self) {
        let mut what = std::mem::take(&mut self.made);
        what += self.intake.take();
        if what.is_nothing() {
            return;
        }
        self.observer.consumed(&self.name, self.role, what);
        if let Some(payer) = &self.payer {
            payer.consumed(&self.name, self.role, what);
        }
    }

    /// Counts both ways of a spoken conversation; tells after each reply, for it may last an hour.
    pub fn converse(
        self,
        commands: BoxStream<'static, Command>,
    ) -> (BoxStream<'static, Command>, impl FnOnce(EventStream) -> EventStream) {
        let intake = self.intake.clone();
        let commands = commands.inspect(move |command| {
            if matches!(command, Command::Hear(_)) {
                intake.heard(Frame::DURATION);
            }
        });
        let meter = Mutex::new(self);
        let count = |events: EventStream| {
            let events = events.inspect(move |event| {
                let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
                match event.as_ref().map(|event| &event.step) {
                    Ok(Step::Sound(clip)) => meter.spoke(clip.duration()),
                    Ok(Step::Thought(Thought::Usage(usage))) => meter.used(*usage),
                    Ok(Step::Thought(Thought::Finished(_)) | Step::Failed(_)) | Err(_) => meter.tell(),
                    Ok(Step::Thought(_)) => {}
                }
            });
            events.boxed()
        };
        (commands.boxed(), count)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.tell();
        if let Some(payer) = &self.payer {
            payer.closed();
        }
    }
}
