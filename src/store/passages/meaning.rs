//! The search by meaning: a walk over the signs of all vectors, then a look at the vectors that are near.
//!
//! Which documents are walked over is asked of the database each time, ownership in the query; their signs, which never change
//! under their number, are read once and kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;

use super::{Filter, Place, filter::narrowed, place::listed, signs};
use crate::store::{
    Db, DocumentId, StoreError, UserId, column,
    sql::{Record, Row, query},
};

/// Signs of documents that were searched, by their number, up to 64 MiB: those of 1.4 million passages of the embedded model.
/// What does not fit is read for each search.
#[derive(Debug, Default)]
pub struct SignCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    signs: HashMap<i64, Arc<Signs>>,
    bytes: usize,
}

#[derive(Debug)]
struct Signs {
    number: i64,
    document: DocumentId,
    /// Those of each passage, one after the other.
    signs: Vec<u8>,
}

/// The passages whose meaning is about nearest to this vector of this model, the nearest first; see [`nearness`] for how near.
pub async fn by_meaning(
    db: &Db,
    cache: &SignCache,
    user: UserId,
    model: &str,
    question: &[f32],
    filter: &Filter,
    most: usize,
) -> Result<Vec<Place>, StoreError> {
    let numbers = numbers(db, user, model, question.len(), filter).await?;
    let (mut walked, missing) = cache.known(&numbers);
    if !missing.is_empty() {
        let read = read(db, user, &missing).await?;
        cache.keep(&read, &walked);
        walked.extend(read);
    }
    let question = signs::of(&signs::bytes(question));
    let walk = move || {
        let documents = walked.iter().map(|signs| (signs.document, signs.signs.as_slice()));
        signs::nearest(&question, documents, most)
    };
    // 100 000 passages take a millisecond or two: too long for a thread that others wait for.
    tokio::task::spawn_blocking(walk).await.map_err(|_| sqlx::Error::WorkerCrashed.into())
}

/// The query for the numbers of the signs of documents that are visible and have vectors of the model `$2`, of `$3` numbers.
macro_rules! numbers_of {
    ($list:literal, $visible:expr) => {
        concat!(
            "SELECT ",
            $list,
            " FROM document_signs JOIN documents ON documents.id = document_signs.document_id \
             WHERE document_signs.model = $2 AND document_signs.dimensions = $3 AND ",
            $visible
        )
    };
}

async fn numbers(
    db: &Db,
    user: UserId,
    model: &str,
    dimensions: usize,
    filter: &Filter,
) -> Result<Vec<i64>, StoreError> {
    let sql = db.reader().pick(
        numbers_of!("json_group_array(document_signs.number)", narrowed!(sqlite, "$4", "$5")),
        numbers_of!("COALESCE(CAST(json_agg(document_signs.number) AS TEXT), '[]')", narrowed!(postgres, "$4", "$5")),
    );
    let list: String = query(sql)
        .bind(user.text())
        .bind(model)
        .bind(super::count(dimensions))
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
            "SELECT document_signs.number, document_signs.document_id, document_signs.signs FROM document_signs \
             JOIN documents ON documents.id = document_signs.document_id \
             WHERE (documents.user_id = $1 OR documents.shared) AND document_signs.number IN ",
            $numbers
        )
    };
}

/// Those of these signs that are still there.
async fn read(db: &Db, user: UserId, numbers: &[i64]) -> Result<Vec<Arc<Signs>>, StoreError> {
    let sql = db.reader().pick(
        signs_of!("(SELECT value FROM json_each($2))"),
        signs_of!("(SELECT CAST(value AS BIGINT) FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS wanted (value))"),
    );
    query(sql).bind(user.text()).bind(json!(numbers).to_string()).fetch_all(db.reader()).await
}

impl SignCache {
    /// What is known of these signs, and the numbers of the others.
    fn known(&self, numbers: &[i64]) -> (Vec<Arc<Signs>>, Vec<i64>) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut known, mut missing) = (Vec::with_capacity(numbers.len()), Vec::new());
        for number in numbers {
            match kept.signs.get(number) {
                Some(signs) => known.push(Arc::clone(signs)),
                None => missing.push(*number),
            }
        }
        (known, missing)
    }

    /// Keeps these as well. If there is no room, what this search did not look at goes.
    fn keep(&self, new: &[Arc<Signs>], looked_at: &[Arc<Signs>]) {
        let size = |signs: &[Arc<Signs>]| signs.iter().map(|signs| signs.signs.len()).sum::<usize>();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + size(new) > ROOM {
            kept.signs = looked_at.iter().map(|signs| (signs.number, Arc::clone(signs))).collect();
            kept.bytes = size(looked_at);
        }
        for signs in new {
            let bytes = kept.bytes + signs.signs.len();
            if bytes <= ROOM && kept.signs.insert(signs.number, Arc::clone(signs)).is_none() {
                kept.bytes = bytes;
            }
        }
    }
}

/// The vectors at places (`$2`: a JSON array of pairs) that this user (`$1`) may read, of documents whose vectors are all of
/// the model `$3`. Joined in this order: left to itself SQLite begins with all documents of the model, which takes seconds.
macro_rules! vectors {
    ($places:literal) => {
        concat!(
            "SELECT passages.document_id, passages.position, passages.vector FROM ",
            $places,
            " CROSS JOIN passages CROSS JOIN document_signs CROSS JOIN documents \
             WHERE passages.document_id = wanted.value ->> 0 AND passages.position = CAST(wanted.value ->> 1 AS BIGINT) \
             AND passages.vector IS NOT NULL \
             AND document_signs.document_id = passages.document_id AND document_signs.model = $3 \
             AND documents.id = passages.document_id AND (documents.user_id = $1 OR documents.shared)"
        )
    };
}

/// How near the passages at these places are to this vector of this model: the cosine of the angle between them, −1 to 1.
/// Those without a vector of the model are left out; in no order.
pub async fn nearness(
    db: &Db,
    user: UserId,
    model: &str,
    question: &[f32],
    places: &[Place],
) -> Result<Vec<(Place, f32)>, StoreError> {
    let sql = db.reader().pick(
        vectors!("json_each($2) AS wanted"),
        vectors!("jsonb_array_elements(CAST($2 AS jsonb)) AS wanted (value)"),
    );
    let vectors: Vec<Vector> =
        query(sql).bind(user.text()).bind(listed(places)).bind(model).fetch_all(db.reader()).await?;
    let length = question.iter().map(|value| value * value).sum::<f32>().sqrt();
    let near = |vector: Vector| {
        let cosine = signs::cosine(question, &vector.vector)? / length;
        cosine.is_finite().then_some((vector.place, cosine))
    };
    Ok(vectors.into_iter().filter_map(near).collect())
}

/// Bytes of signs that are kept.
const ROOM: usize = 64 << 20;

struct Vector {
    place: Place,
    vector: Vec<u8>,
}

impl Record for Arc<Signs> {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let (number, document) = (row.get("number")?, column::parsed(row, "document_id")?);
        Ok(Self::new(Signs { number, document, signs: row.get("signs")? }))
    }
}

impl Record for Vector {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { place: Place::read(row)?, vector: row.get("vector")? })
    }
}
