//! Work that outlives the request that caused it: attachments are read, documents are made findable, and bytes nobody owns are
//! removed.
//!
//! What is to be done stands in the database, so it survives any death of the process; a [`Bell`] only saves waiting. One
//! [`Crew`] a process works until the drain begins, and gives back what it had taken.

mod indexing;
mod reading;
mod shift;
mod sweeping;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::{
    clock::Clock,
    documents::extract::sandbox::Sandbox,
    drain::Drain,
    knowledge::{self, Library},
    storage::Storage,
    store::{self, Db},
};

/// Tells the crew that there is something to do. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Bells>);

#[derive(Debug, Default)]
struct Bells {
    reading: Notify,
    indexing: Notify,
    sweeping: Notify,
}

impl Bell {
    /// A file is to be read.
    pub fn came(&self) {
        self.0.reading.notify_one();
    }

    /// A document is to be made findable.
    pub fn filed(&self) {
        self.0.indexing.notify_one();
    }

    /// A file, or what it came with, was deleted.
    pub fn went(&self) {
        self.0.sweeping.notify_one();
    }
}

/// Those who do the work. Cloning shares what they work with.
#[derive(Clone)]
pub struct Crew {
    /// What is to be done.
    pub db: Db,
    /// Where files are.
    pub storage: Storage,
    /// Where files are read.
    pub sandbox: Sandbox,
    /// What makes passages findable by their meaning.
    pub library: Library,
    /// How much of a document is read.
    pub knowledge: knowledge::Config,
    /// What time it is.
    pub clock: Clock,
    /// When to stop.
    pub drain: Drain,
    /// What wakes them.
    pub bell: Bell,
}

impl Crew {
    /// Works until the drain begins.
    pub async fn work(self) {
        let _held = self.drain.hold();
        tokio::join!(reading::work(&self), indexing::work(&self), sweeping::work(&self));
    }

    fn now(&self) -> Timestamp {
        store::timestamp(self.clock.wall())
    }

    /// Resolves after `span`.
    async fn rest(&self, span: Duration) {
        self.clock.clone().until(self.clock.now() + span).await;
    }
}
