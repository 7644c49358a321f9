//! What fits a question in somebody's documents.
//!
//! Two searches go on at once: one by words, one by meaning, of which the second first has the question embedded. What they
//! find is fused. Where there is no model, or it fails, the words alone are searched, and that is told.

use std::{collections::BTreeMap, fmt, sync::Arc};

use providers::{
    EmbeddingModel, ProviderError,
    embed::{Embeddings, Purpose},
};

use super::{
    Source,
    fusion::{fused, score},
    share::share,
};
use crate::store::{
    Db, DocumentId, PassageId, StoreError, UserId,
    passages::{self, Filter, Place, SignCache, Terms},
};

/// All documents and the model that knows what they mean. Cloning shares them.
#[derive(Clone)]
pub struct Library {
    db: Db,
    signs: Arc<SignCache>,
    model: Option<Model>,
}

/// An embedding model and the name that its vectors go by.
#[derive(Clone)]
pub struct Model {
    /// As configured; vectors of another name are of another model.
    pub name: String,
    /// The model. It gives up in time by itself.
    pub engine: Arc<dyn EmbeddingModel>,
}

/// What is looked for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Question {
    /// In words. Of long ones the first [`LONGEST`] characters count.
    pub text: String,
    /// Passages at most.
    pub top_k: usize,
    /// The least that a passage may score, 0 to 100.
    pub min_score: f32,
    /// Which documents are searched.
    pub filter: Filter,
}

/// What was found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// The best first.
    pub passages: Vec<Passage>,
    /// Whether meaning was searched, not words alone.
    pub semantic: bool,
}

/// A passage that fits.
#[derive(Clone, PartialEq, Debug)]
pub struct Passage {
    /// Which.
    pub id: PassageId,
    /// The document it is of.
    pub document: DocumentId,
    /// What is known of that.
    pub source: Source,
    /// Its words.
    pub text: String,
    /// The heading it stands under.
    pub heading: Option<String>,
    /// The page it is on, from 1.
    pub page: Option<u32>,
    /// Its first character in the text of its document.
    pub start: usize,
    /// Behind its last character.
    pub end: usize,
    /// How sure it is, 0 to 100: 50 is as likely to answer as not. Independent of its rank and of what else was found.
    pub score: f32,
}

impl Library {
    /// The documents in `db`, searched by meaning where there is a model.
    pub fn new(db: Db, model: Option<Model>) -> Self {
        Self { db, signs: Arc::default(), model }
    }

    /// The name of the model that vectors are to be of; `None`: there is none.
    pub fn model(&self) -> Option<&str> {
        self.model.as_ref().map(|model| model.name.as_str())
    }

    /// The vectors of passages, one for each; `None` where there is no model.
    ///
    /// # Errors
    ///
    /// As the model has them. A passage is never too long for it, if it came of [`chunks`](super::chunk::chunks).
    pub async fn embed(&self, texts: Vec<String>) -> Result<Option<Embeddings>, ProviderError> {
        match &self.model {
            Some(model) => model.engine.embed(texts, Purpose::Passages).await.map(Some),
            None => Ok(None),
        }
    }

    /// The passages that fit a question best, of documents that this user may read.
    ///
    /// # Errors
    ///
    /// Of the store. A model that fails costs what only it would have found.
    pub async fn search(&self, user: UserId, question: &Question) -> Result<Found, StoreError> {
        let text: String = question.text.chars().take(LONGEST).collect();
        if text.trim().is_empty() || question.top_k == 0 {
            return Ok(Found::default());
        }
        let (worded, meant) = tokio::join!(
            self.by_words(user, &text, &question.filter),
            self.by_meaning(user, text.clone(), &question.filter),
        );
        let (worded, meant) = (worded?, meant?);
        let semantic = meant.is_some();
        let near = match meant {
            Some((vector, candidates)) => self.near(user, &vector, candidates, &worded).await?,
            None => Vec::new(),
        };
        // Beside meaning, a word or two in common say nothing.
        let telling = |(_, share): &&(Place, f32)| !semantic || *share >= TELLING;
        let by_words = worded.iter().filter(telling).map(|(place, _)| *place).collect();
        let by_meaning = near.iter().map(|(place, _)| *place).collect();
        let (shares, cosines): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (worded.into_iter().collect(), near.into_iter().collect());
        let sure = |place: Place| {
            let score = score(cosines.get(&place).copied(), shares.get(&place).copied().unwrap_or_default());
            (score >= question.min_score).then_some((place, score))
        };
        let best: Vec<_> = fused(&[by_words, by_meaning]).into_iter().filter_map(sure).take(question.top_k).collect();
        let places: Vec<_> = best.iter().map(|(place, _)| *place).collect();
        let mut kept: BTreeMap<_, _> =
            passages::read(&self.db, user, &places).await?.into_iter().map(|kept| (kept.place, kept)).collect();
        // One that was deleted meanwhile is not found.
        let passages = best.into_iter().filter_map(|(place, score)| Some(told(kept.remove(&place)?, score)));
        Ok(Found { passages: passages.collect(), semantic })
    }

    /// The passages that have words of the question, the best first, each with its share of them.
    async fn by_words(&self, user: UserId, text: &str, filter: &Filter) -> Result<Vec<(Place, f32)>, StoreError> {
        let Some(terms) = Terms::of(text) else { return Ok(Vec::new()) };
        let worded = passages::by_words(&self.db, user, &terms, filter, WORDED).await?;
        let kept = passages::read(&self.db, user, &worded.places).await?;
        let share = |kept: &passages::Passage| (kept.place, share(&worded.words, kept, &source(kept)));
        let shares: BTreeMap<_, _> = kept.iter().map(share).collect();
        Ok(worded.places.into_iter().filter_map(|place| Some((place, *shares.get(&place)?))).collect())
    }

    /// The vector of the question and what is about near to it; `None` where no model says.
    async fn by_meaning(
        &self,
        user: UserId,
        text: String,
        filter: &Filter,
    ) -> Result<Option<(Vec<f32>, Vec<Place>)>, StoreError> {
        let Some(model) = &self.model else { return Ok(None) };
        // What is walked over is looked up while the question is embedded.
        let (embedded, signed) = tokio::join!(
            model.engine.embed(vec![text], Purpose::Question),
            passages::signed(&self.db, &self.signs, user, &model.name, filter),
        );
        let vector = match embedded {
            Ok(found) => found.vectors.into_iter().next(),
            Err(error) => {
                tracing::warn!(%error, "a question could not be embedded: words alone are searched");
                None
            }
        };
        let Some(vector) = vector else { return Ok(None) };
        let near = signed?.nearest(&vector, CANDIDATES).await?;
        Ok(Some((vector, near)))
    }

    /// How near all candidates are, the nearest first.
    async fn near(
        &self,
        user: UserId,
        vector: &[f32],
        mut candidates: Vec<Place>,
        worded: &[(Place, f32)],
    ) -> Result<Vec<(Place, f32)>, StoreError> {
        candidates.extend(worded.iter().map(|(place, _)| *place));
        candidates.sort_unstable();
        candidates.dedup();
        let model = self.model.as_ref().map_or("", |model| &model.name);
        let mut near = passages::nearness(&self.db, user, model, vector, &candidates).await?;
        near.sort_by(|(place, one), (other, two)| two.total_cmp(one).then(place.cmp(other)));
        near.truncate(RANKED);
        Ok(near)
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("model", &self.model()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({})", self.name)
    }
}

/// What is known of a passage's document. What an older version wrote and this one does not read is not told.
fn source(kept: &passages::Passage) -> Source {
    serde_json::from_str(&kept.source).unwrap_or_default()
}

fn told(kept: passages::Passage, score: f32) -> Passage {
    Passage {
        id: kept.id,
        document: kept.place.document,
        source: source(&kept),
        text: kept.text,
        heading: kept.heading,
        page: kept.page,
        start: kept.start,
        end: kept.end,
        score,
    }
}

/// Characters of a question that count.
pub const LONGEST: usize = 2_000;

/// Passages that are found by their words at most.
const WORDED: usize = 60;

/// The share of a question's words that a passage must have for its rank by words to count beside that by meaning. Where any
/// word counted, recall in the tests fell from 0.98 to 0.80: most questions have words that stand in wrong places.
const TELLING: f32 = 0.4;

/// Passages whose vectors are read, since the nearest by signs are not the nearest in the same order.
const CANDIDATES: usize = 200;

/// The nearest of them that are fused.
const RANKED: usize = 100;
