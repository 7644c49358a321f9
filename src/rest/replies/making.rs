//! The task that makes a reply: holds the conversation, asks the model, keeps what it said.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use jiff::SignedDuration;
use providers::{
    ErrorKind, LanguageModel,
    layers::Metered,
    llm::{Finish, Prompt, Thought},
};

use super::{
    progress::{self, Told, Watched},
    question::{self, Question},
};
use crate::{
    drain::Hold,
    metrics::{self, Role},
    rest::{Context, fault::Fault, provider, served::Served, thinking::Thinking},
    store::{
        MessageId, SessionId, StoreError, UserId,
        messages::{Message, Status},
        replies::{self, Reply},
        sessions, spending,
    },
};

/// Begins a reply. Shutdown waits for it.
pub(super) fn begin(context: Arc<Context>, user: UserId, session: SessionId) -> Watched {
    let reply = MessageId::new(context.now());
    let (told, watched) = progress::begin(reply);
    let hold = context.engine.drain.hold();
    tokio::spawn(Maker { context, user, session, reply, _hold: hold }.run(told));
    watched
}

struct Maker {
    context: Arc<Context>,
    user: UserId,
    session: SessionId,
    reply: MessageId,
    _hold: Hold,
}

/// What was said, to which message.
struct Answered {
    to: MessageId,
    status: Status,
}

impl Maker {
    async fn run(self, told: Told) {
        let made = self.make(&told).await;
        metrics::replied(if made.is_ok() { "completed" } else { "incomplete" });
        told.end(made.map(Box::new));
    }

    async fn make(&self, told: &Told) -> Result<Message, Fault> {
        let (db, now) = (&self.context.db, self.context.now());
        sessions::get(db, self.user, self.session).await?;
        self.refuse_beside_voice()?;
        if !replies::begin(db, self.user, self.session, self.reply, now + HELD, now).await? {
            let message = "Another reply is being made in this conversation: wait for it.";
            let busy = Fault::new(StatusCode::CONFLICT, "reply_in_progress", message);
            return Err(busy.after(Duration::from_secs(2)));
        }
        let answered = tokio::select! {
            answered = self.answer(told) => answered,
            lost = self.hold_on() => Err(lost),
        };
        let made = match answered {
            Ok(answered) => self.keep(answered, told).await,
            Err(fault) => Err(fault),
        };
        // Then the conversation can be answered again at once.
        if made.is_err()
            && let Err(error) = replies::give_up(db, self.user, self.session, self.reply).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "a conversation is held until its hold ends");
        }
        made
    }

    /// A voice session knows its conversation by heart and would not learn of what is typed beside it.
    fn refuse_beside_voice(&self) -> Result<(), Fault> {
        let live = self.context.engine.admission.list();
        if live.iter().all(|live| SessionId::from(live.conversation.unwrap_or(live.id)) != self.session) {
            return Ok(());
        }
        let message =
            "A voice session is live in this conversation, and answers in it: speak or type there, or end it.";
        Err(Fault::new(StatusCode::CONFLICT, "voice_session_live", message).after(Duration::from_secs(10)))
    }

    /// Renews the hold for as long as it is polled; returns when it was lost.
    async fn hold_on(&self) -> Fault {
        let clock = &self.context.engine.clock;
        let mut due = clock.now() + RENEWED;
        loop {
            clock.clone().until(due).await;
            due = clock.now() + RENEWED;
            let until = self.context.now() + HELD;
            let renewed = replies::renew(&self.context.db, self.user, self.session, self.reply, until).await;
            // A database that is away may be back before the hold ends.
            if matches!(renewed, Err(StoreError::NotFound)) {
                return Fault::not_found();
            }
        }
    }

    async fn answer(&self, told: &Told) -> Result<Answered, Fault> {
        let (context, user) = (&self.context, self.user);
        // As it is now that nobody else answers in it.
        let session = sessions::get(&context.db, user, self.session).await?;
        let Question { prompt, to } = question::of(context, user, &session).await?;
        let served = Served::on(context.engine.admission.tally());
        let model = Metered::<dyn LanguageModel>::new(served.clone() as _, Arc::clone(&context.providers.llm));
        let thought = self.think(Arc::new(model), prompt, told).await;
        // What failed may have cost something too.
        if let Some(spent) = served.spending().await
            && let Err(error) = spending::add(&context.db, user, self.session, &spent).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "what a reply cost is not kept");
        }
        Ok(Answered { to, status: thought? })
    }

    async fn keep(&self, Answered { to, status }: Answered, told: &Told) -> Result<Message, Fault> {
        let content = told.text();
        let reply = Reply { id: self.reply, to, content: &content, status };
        Ok(replies::keep(&self.context.db, self.user, self.session, reply, self.context.now()).await?)
    }

    /// Has the model say its words, and whether they are all of them.
    async fn think(&self, model: Arc<dyn LanguageModel>, prompt: Prompt, told: &Told) -> Result<Status, Fault> {
        let mut thinking = Thinking::begin(&self.context, model, prompt).await?;
        while let Some(thought) = thinking.next().await {
            match thought? {
                Thought::Text(words) => told.say(&words),
                Thought::Finished(Finish::Stop) if told.length() > 0 => return Ok(Status::Completed),
                Thought::Finished(Finish::Length | Finish::ContentFilter) if told.length() > 0 => {
                    return Ok(Status::Incomplete);
                }
                Thought::Finished(_) => return Err(provider::silent(Role::Think, ErrorKind::Protocol)),
                // There are no functions to call: a model that calls one all the same gets no answer.
                Thought::CallStarted { .. } | Thought::CallArguments(_) | Thought::CallDone | Thought::Usage(_) => {}
            }
            if told.length() > LONGEST {
                return Ok(Status::Incomplete);
            }
        }
        Err(Fault::internal())
    }
}

/// How long a conversation stays held by a reply of which nothing is heard: its process died.
const HELD: SignedDuration = SignedDuration::from_secs(30);
/// How often the hold is renewed.
const RENEWED: Duration = Duration::from_secs(10);
/// A reply that grows beyond this is cut, in bytes: no model writes so much, and some never stop.
const LONGEST: usize = 1 << 20;
