//! The first look of a search by meaning: a walk over the signs of all vectors.
//!
//! Which documents are walked over is asked of the database each time, ownership in the query; their signs, which never change
//! under their number, are read once and kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;

use super::{Filter, Place, filter::narrowed, signs};
use crate::store::{
    Db, DocumentId, StoreError, UserId, column,
    sql::{Record, Row, query},
};

/// Documents that may be searched by meaning, as the signs of their vectors.
#[derive(Debug)]
pub struct Signed(Vec<Arc<Document>>);

/// Signs of documents that were searched, by their number, up to 64 MiB: those of 1.4 million passages of the embedded model.
/// What does not fit is read for each search.
#[derive(Debug, Default)]
pub struct SignCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    documents: HashMap<i64, Arc<Document>>,
    bytes: usize,
}

#[derive(Debug)]
struct Document {
    number: i64,
    id: DocumentId,
    dimensions: usize,
    /// Those of each passage, one after the other.
    signs: Box<[u64]>,
}

/// The documents that this user may search by the vectors of this model.
///
/// # Errors
///
/// Of the database.
pub async fn signed(
    db: &Db,
    cache: &SignCache,
    user: UserId,
    model: &str,
    filter: &Filter,
) -> Result<Signed, StoreError> {
    let (mut documents, missing) = cache.known(&numbers(db, user, model, filter).await?);
    if !missing.is_empty() {
        let read = read(db, user, &missing).await?;
        cache.keep(&read, &documents);
        documents.extend(read);
    }
    Ok(Signed(documents))
}

impl Signed {
    /// The passages whose meaning is about nearest to this vector, at most `most`, the nearest first; see [`super::nearness`]
    /// for how near. Vectors of other lengths are left out.
    ///
    /// # Errors
    ///
    /// When the process is ending.
    pub async fn nearest(self, question: &[f32], most: usize) -> Result<Vec<Place>, StoreError> {
        let (dimensions, question) = (question.len(), signs::of(&signs::bytes(question)));
        let walk = move || {
            let alike = self.0.iter().filter(|document| document.dimensions == dimensions);
            signs::nearest(&question, alike.map(|document| (document.id, &*document.signs)), most)
        };
        // 100 000 passages take a millisecond or two: too long for a thread that others wait for.
        tokio::task::spawn_blocking(walk).await.map_err(|_| sqlx::Error::WorkerCrashed.into())
    }
}

/// The query for the numbers of the signs of documents that are visible and have vectors of the model `$2`.
macro_rules! numbers_of {
    ($list:literal, $visible:expr) => {
        concat!(
            "SELECT ",
            $list,
            " FROM document_signs JOIN documents ON documents.id = document_signs.document_id \
             WHERE document_signs.model = $2 AND ",
            $visible
        )
    };
}

async fn numbers(db: &Db, user: UserId, model: &str, filter: &Filter) -> Result<Vec<i64>, StoreError> {
    let sql = db.reader().pick(
        numbers_of!("json_group_array(document_signs.number)", narrowed!(sqlite, "$3", "$4")),
        numbers_of!("COALESCE(CAST(json_agg(document_signs.number) AS TEXT), '[]')", narrowed!(postgres, "$3", "$4")),
    );
    let list: String = query(sql)
        .bind(user)
        .bind(model)
        .bind(filter.listed())
        .bind(filter.source_type.as_deref())
        .fetch_one(db.reader())
        .await?;
    Ok(serde_json::from_str(&list).map_err(|error| sqlx::Error::Decode(error.into()))?)
}

/// The query for signs by their numbers `$2`.
macro_rules! signs_of {
    ($numbers:literal) => {
        concat!(
            "SELECT document_signs.number, document_signs.document_id, document_signs.dimensions, document_signs.signs \
             FROM document_signs JOIN documents ON documents.id = document_signs.document_id \
             WHERE (documents.user_id = $1 OR documents.shared) AND document_signs.number IN ",
            $numbers
        )
    };
}

/// Those of these signs that are still there.
async fn read(db: &Db, user: UserId, numbers: &[i64]) -> Result<Vec<Arc<Document>>, StoreError> {
    let sql = db.reader().pick(
        signs_of!("(SELECT value FROM json_each($2))"),
        signs_of!("(SELECT CAST(value AS BIGINT) FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS wanted (value))"),
    );
    query(sql).bind(user).bind(json!(numbers).to_string()).fetch_all(db.reader()).await
}

impl SignCache {
    /// What is known of these numbers, and those that are not.
    fn known(&self, numbers: &[i64]) -> (Vec<Arc<Document>>, Vec<i64>) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut known, mut missing) = (Vec::with_capacity(numbers.len()), Vec::new());
        for number in numbers {
            match kept.documents.get(number) {
                Some(document) => known.push(Arc::clone(document)),
                None => missing.push(*number),
            }
        }
        (known, missing)
    }

    /// Keeps these as well. If there is no room, what this search did not look at goes.
    fn keep(&self, new: &[Arc<Document>], looked_at: &[Arc<Document>]) {
        let size = |documents: &[Arc<Document>]| documents.iter().map(|document| document.bytes()).sum::<usize>();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + size(new) > ROOM {
            kept.documents = looked_at.iter().map(|document| (document.number, Arc::clone(document))).collect();
            kept.bytes = size(looked_at);
        }
        for document in new {
            let bytes = kept.bytes + document.bytes();
            if bytes <= ROOM && kept.documents.insert(document.number, Arc::clone(document)).is_none() {
                kept.bytes = bytes;
            }
        }
    }
}

impl Document {
    fn bytes(&self) -> usize {
        size_of_val(&*self.signs)
    }
}

/// Bytes of signs that are kept.
const ROOM: usize = 64 << 20;

impl Record for Arc<Document> {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let dimensions = usize::try_from(row.get::<i64>("dimensions")?).unwrap_or_default();
        let signs = signs::words(&row.get::<Vec<u8>>("signs")?);
        Ok(Self::new(Document {
            number: row.get("number")?,
            id: column::parsed(row, "document_id")?,
            dimensions,
            signs,
        }))
    }
}
