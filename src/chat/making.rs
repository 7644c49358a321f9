//! The task that makes a reply: holds the conversation, asks the model, keeps what it said.

use std::{pin::pin, sync::Arc, time::Duration};

use jiff::SignedDuration;
use providers::{
    ErrorKind, LanguageModel,
    layers::{Cited, Condensed, Equipped, Metered},
    llm::{Finish, Prompt, Thought},
    passage::Citation,
    tool::{Act, ActState},
};
use tokio::select;
use uuid::Uuid;

use super::{
    Desk, Error,
    hub::Place,
    progress::{self, Told, Watched},
    question::{self, Question},
    thinking::{self, Thinking},
};
use crate::{
    cost::Served,
    drain::Hold,
    knowledge::cite,
    metrics,
    store::{
        MessageId, SessionId, StoreError, UserId,
        messages::{Message, Status},
        replies::{self, Reply},
        sessions, spending,
    },
};

/// A reply of which nobody is told yet, and what tells of it.
pub(super) fn prepare(desk: &Desk) -> (Told, Watched) {
    progress::begin(MessageId::new(desk.now()))
}

/// Makes a reply in the place that was taken for it, and those that are wanted once it is whole. Shutdown waits for it.
pub(super) fn begin(desk: Desk, user: UserId, session: SessionId, place: Place, told: Told) {
    let hold = desk.engine.drain.hold();
    tokio::spawn(async move {
        let (mut maker, mut told) = (Maker { desk, user, session, place, _hold: hold }, told);
        let mut asked = true;
        loop {
            let made = maker.make(&told).await;
            maker.note(&made);
            // Whoever waits for an answer to what was said meanwhile is told of a failure; that there was nothing to answer is none.
            if let (false, Err(error)) = (asked, &made)
                && *error != Error::NothingToAnswer
            {
                maker.place.announce(None);
            }
            let (next_told, next) = prepare(&maker.desk);
            let Maker { desk, place, _hold, .. } = maker;
            // The place is free before the end is told: whoever hears of it may ask again at once.
            let place = place.pass_on(&next);
            told.end(made.map(Box::new));
            let Some(place) = place.filter(|_| !desk.engine.drain.has_begun()) else { return };
            (maker, told, asked) = (Maker { desk, user, session, place, _hold }, next_told, false);
        }
    });
}

struct Maker {
    desk: Desk,
    user: UserId,
    session: SessionId,
    place: Place,
    _hold: Hold,
}

/// What was said, to which message.
struct Answered {
    to: MessageId,
    status: Status,
    findings: Findings,
}

/// What goes with the words of a reply.
#[derive(Default)]
struct Findings {
    cited: Vec<Citation>,
    acts: Vec<Act>,
}

impl Maker {
    fn note(&self, made: &Result<Message, Error>) {
        if let Err(Error::Model(error)) = made {
            tracing::warn!(%error, "a provider failed");
        }
        metrics::replied(if made.is_ok() { "completed" } else { "incomplete" });
    }

    async fn make(&self, told: &Told) -> Result<Message, Error> {
        let (db, now) = (&self.desk.db, self.desk.now());
        if !replies::begin(db, self.user, self.session, self.place.reply, now + HELD, now).await? {
            return Err(Error::Busy);
        }
        let answered = select! {
            answered = self.answer(told) => answered,
            lost = self.hold_on() => Err(lost),
        };
        let made = match answered {
            Ok(answered) => self.keep(answered, told).await,
            Err(error) => Err(error),
        };
        // Then the conversation can be answered again at once.
        if made.is_err()
            && let Err(error) = replies::give_up(db, self.user, self.session, self.place.reply).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "a conversation is held until its hold ends");
        }
        made
    }

    /// Renews the hold for as long as it is polled; returns when it was lost.
    async fn hold_on(&self) -> Error {
        let clock = &self.desk.engine.clock;
        let mut due = clock.now() + RENEWED;
        loop {
            clock.clone().until(due).await;
            due = clock.now() + RENEWED;
            let until = self.desk.now() + HELD;
            let renewed = replies::renew(&self.desk.db, self.user, self.session, self.place.reply, until).await;
            // A database that is away may be back before the hold ends.
            if matches!(renewed, Err(StoreError::NotFound)) {
                return Error::NotFound;
            }
        }
    }

    async fn answer(&self, told: &Told) -> Result<Answered, Error> {
        let (desk, user) = (&self.desk, self.user);
        // As it is now that nobody else answers in it.
        let session = sessions::get(&desk.db, user, self.session).await?;
        let Question { prompt, to } = question::of(desk, user, &session).await?;
        self.place.announce(Some(to));
        let served = Served::on(desk.engine.admission.tally());
        let model = Metered::<dyn LanguageModel>::new(served.clone() as _, Arc::clone(&desk.model));
        let memory = desk.engine.memories.of(Uuid::from(self.session).as_u128());
        let model = Condensed::new(Arc::new(model), memory, desk.engine.config.context_tokens).waiting(SUMMARISED);
        let toolboxes = desk.engine.toolboxes.as_ref();
        let toolbox = toolboxes.map(|all| all.of(&user.to_string(), self.session.into()));
        let model = Equipped::<dyn LanguageModel>::new(Arc::new(Cited::new(Arc::new(model))), toolbox);
        let mut findings = Findings::default();
        let thought = self.think(Arc::new(model), prompt, told, &mut findings).await;
        // What failed may have cost something too.
        if let Some(spent) = served.spending().await
            && let Err(error) = spending::add(&desk.db, user, self.session, &spent).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "what a reply cost is not kept");
        }
        let status = match thought {
            // What was changed is kept with whatever words there are.
            Err(error) if findings.acts.iter().any(|act| act.writes) => {
                tracing::warn!(%error, "a reply ends early: something was changed on its way");
                Status::Incomplete
            }
            thought => thought?,
        };
        Ok(Answered { to, status, findings })
    }

    async fn keep(&self, Answered { to, status, findings }: Answered, told: &Told) -> Result<Message, Error> {
        let content = told.text();
        let cites = cite::kept(&findings.cited, &content);
        let acts = &findings.acts;
        let reply = Reply { id: self.place.reply, to, content: &content, status, cites: &cites, acts };
        Ok(replies::keep(&self.desk.db, self.user, self.session, reply, self.desk.now()).await?)
    }

    /// Has the model say its words, and whether they are all of them. Cancelled, they are as many as there are.
    async fn think(
        &self,
        model: Arc<dyn LanguageModel>,
        prompt: Prompt,
        told: &Told,
        findings: &mut Findings,
    ) -> Result<Status, Error> {
        let cancelled = || if told.length() > 0 { Ok(Status::Incomplete) } else { Err(Error::Cancelled) };
        let mut cancel = pin!(self.place.cancelled());
        let mut thinking = select! { biased;
            () = &mut cancel => return cancelled(),
            thinking = Thinking::begin(&self.desk.engine, model, prompt) => thinking?,
        };
        loop {
            let thought = select! { biased;
                () = &mut cancel => return cancelled(),
                thought = thinking.next() => thought,
            };
            let Some(thought) = thought else { return Err(Error::Internal) };
            match thought? {
                Thought::Text(words) => told.say(&words),
                Thought::Cited(citation) => findings.cited.push(citation),
                Thought::Acted(act) => findings.note(act),
                Thought::Finished(Finish::Stop) if told.length() > 0 => return Ok(Status::Completed),
                Thought::Finished(Finish::Length | Finish::ContentFilter) if told.length() > 0 => {
                    return Ok(Status::Incomplete);
                }
                Thought::Finished(_) => return Err(thinking::silent(ErrorKind::Protocol).into()),
                // There are no functions to call: a model that calls one all the same gets no answer.
                Thought::CallStarted { .. } | Thought::CallArguments(_) | Thought::CallDone | Thought::Usage(_) => {}
            }
            if told.length() > LONGEST {
                return Ok(Status::Incomplete);
            }
        }
    }
}

impl Findings {
    /// What was begun and has ended is one act.
    fn note(&mut self, act: Act) {
        let begun = |known: &&mut Act| known.call.call == act.call.call && known.state == ActState::Unknown;
        match self.acts.iter_mut().find(begun) {
            Some(known) => *known = act,
            None => self.acts.push(act),
        }
    }
}

/// How long a conversation stays held by a reply of which nothing is heard: its process died.
const HELD: SignedDuration = SignedDuration::from_secs(30);
/// How long a reply waits for a summary of what is older than the model can read.
const SUMMARISED: Duration = Duration::from_secs(20);
/// How often the hold is renewed.
const RENEWED: Duration = Duration::from_secs(10);
/// A reply that grows beyond this is cut, in bytes: no model writes so much, and some never stop.
const LONGEST: usize = 1 << 20;
