//! Passages of documents: what a search finds.
//!
//! A document's passages are put whole: their words can be searched from then on. Their vectors may come with them or later,
//! in pieces; once all are there they are sealed, and the search by meaning finds them. Whose they are is their document's.

mod filter;
mod meaning;
mod place;
mod signed;
mod signs;
mod terms;
mod words;

use jiff::Timestamp;

use super::{
    Db, DocumentId, PassageId, StoreError, UserId, column,
    sql::{Record, Row, Tx, query},
};

pub use filter::{Filter, any};
pub use meaning::nearness;
pub use place::Place;
pub use signed::{SignCache, Signed, signed};
pub use terms::{Terms, Weighed};
pub use words::{Worded, by_words};

/// A passage as it was cut from its document.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct New<'a> {
    /// Its words.
    pub text: &'a str,
    /// The heading it stands under.
    pub heading: Option<&'a str>,
    /// Its page, from 1.
    pub page: Option<u32>,
    /// Its first character in the text of its document.
    pub start: usize,
    /// Behind its last character.
    pub end: usize,
    /// What it means to the model; `None`: not known yet.
    pub vector: Option<&'a [f32]>,
}

/// A passage as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    /// Its id.
    pub id: PassageId,
    /// Where it stands.
    pub place: Place,
    /// Bibliographic fields of its document: a JSON object.
    pub source: String,
    /// Its words.
    pub text: String,
    /// The heading it stands under.
    pub heading: Option<String>,
    /// Its page, from 1.
    pub page: Option<u32>,
    /// Its first character in the text of its document.
    pub start: usize,
    /// Behind its last character.
    pub end: usize,
}

/// Makes these the passages of a document, in place of those it had. With a model, all have vectors of that model.
///
/// # Errors
///
/// `NotFound` when the document has gone meanwhile.
pub async fn put(
    db: &Db,
    document: DocumentId,
    model: Option<&str>,
    passages: &[New<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = hold(db, document).await?;
    query("DELETE FROM document_signs WHERE document_id = $1").bind(document).execute(&mut tx).await?;
    query("DELETE FROM passages WHERE document_id = $1").bind(document).execute(&mut tx).await?;
    for (position, passage) in (0_i64..).zip(passages) {
        query(
            "INSERT INTO passages (id, document_id, position, heading, page, starts_at, ends_at, content, vector) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(PassageId::new(now))
        .bind(document)
        .bind(position)
        .bind(passage.heading)
        .bind(passage.page.map(i64::from))
        .bind(count(passage.start))
        .bind(count(passage.end))
        .bind(passage.text)
        .bind(passage.vector.map(signs::bytes).as_deref())
        .execute(&mut tx)
        .await?;
    }
    if let Some(model) = model {
        write_signs(&mut tx, document, model).await?;
    }
    tx.commit().await
}

/// Keeps the vectors of the passages from this position on, in their order. They are searched once they are sealed.
///
/// # Errors
///
/// `NotFound` when the document has gone meanwhile, or has fewer passages.
pub async fn embed(db: &Db, document: DocumentId, from: usize, vectors: &[Vec<f32>]) -> Result<(), StoreError> {
    let mut tx = hold(db, document).await?;
    for (position, vector) in (count(from)..).zip(vectors) {
        query("UPDATE passages SET vector = $3 WHERE document_id = $1 AND position = $2")
            .bind(document)
            .bind(position)
            .bind(signs::bytes(vector).as_slice())
            .execute_found(&mut tx)
            .await?;
    }
    tx.commit().await
}

/// All passages of a document have vectors of this model: the search by meaning finds them from now on.
///
/// # Errors
///
/// `NotFound` when the document has gone meanwhile, or a vector is missing.
pub async fn seal(db: &Db, document: DocumentId, model: &str) -> Result<(), StoreError> {
    let mut tx = hold(db, document).await?;
    write_signs(&mut tx, document, model).await?;
    tx.commit().await
}

/// The passages of a document for who makes their vectors: so many from this position on, each with its heading.
pub async fn unread(
    db: &Db,
    document: DocumentId,
    from: usize,
    most: usize,
) -> Result<Vec<(Option<String>, String)>, StoreError> {
    let rows: Vec<Words> = query(
        "SELECT heading, content FROM passages WHERE document_id = $1 AND position >= $2 ORDER BY position LIMIT $3",
    )
    .bind(document)
    .bind(count(from))
    .bind(count(most))
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().map(|row| (row.heading, row.text)).collect())
}

/// Holds a document, so that it is neither deleted nor worked on by another while its passages change.
async fn hold(db: &Db, document: DocumentId) -> Result<Tx, StoreError> {
    let mut tx = db.write().await?;
    query("UPDATE documents SET updated_at = updated_at WHERE id = $1").bind(document).execute_found(&mut tx).await?;
    Ok(tx)
}

async fn write_signs(tx: &mut Tx, document: DocumentId, model: &str) -> Result<(), StoreError> {
    let vectors: Vec<Vector> = query("SELECT vector FROM passages WHERE document_id = $1 ORDER BY position")
        .bind(document)
        .fetch_all(&mut *tx)
        .await?;
    let vectors: Option<Vec<Vec<u8>>> = vectors.into_iter().map(|vector| vector.0).collect();
    let vectors = vectors.ok_or(StoreError::NotFound)?;
    let length = vectors.first().map_or(0, Vec::len);
    if vectors.iter().any(|vector| vector.len() != length) {
        return Err(StoreError::NotFound);
    }
    query("DELETE FROM document_signs WHERE document_id = $1").bind(document).execute(&mut *tx).await?;
    query("INSERT INTO document_signs (document_id, model, dimensions, signs) VALUES ($1, $2, $3, $4)")
        .bind(document)
        .bind(model)
        .bind(count(length / size_of::<f32>()))
        .bind(
            vectors
                .iter()
                .flat_map(|vector| signs::kept(&signs::of(vector)).collect::<Vec<_>>())
                .collect::<Vec<_>>()
                .as_slice(),
        )
        .execute(tx)
        .await?;
    Ok(())
}

/// The query for passages that this user ($1) may read, at places ($2: a JSON array of pairs), joined in this order.
macro_rules! at_places {
    ($places:literal) => {
        concat!(
            "SELECT passages.id, passages.document_id, passages.position, passages.heading, passages.page, ",
            "passages.starts_at, passages.ends_at, passages.content, documents.source FROM ",
            $places,
            " CROSS JOIN passages CROSS JOIN documents WHERE passages.document_id = wanted.value ->> 0 ",
            "AND passages.position = CAST(wanted.value ->> 1 AS BIGINT) ",
            "AND documents.id = passages.document_id AND (documents.user_id = $1 OR documents.shared)"
        )
    };
}

/// Those in SQLite.
const PASSAGES: &str = at_places!("json_each($2) AS wanted");

/// The passages at these places that this user may read, in no order.
pub async fn read(db: &Db, user: UserId, places: &[Place]) -> Result<Vec<Passage>, StoreError> {
    let sql = db.reader().pick(PASSAGES, at_places!("jsonb_array_elements(CAST($2 AS jsonb)) AS wanted (value)"));
    query(sql).bind(user).bind(place::listed(places)).fetch_all(db.reader()).await
}

fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

struct Words {
    heading: Option<String>,
    text: String,
}

struct Vector(Option<Vec<u8>>);

impl Record for Words {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { heading: row.get("heading")?, text: row.get("content")? })
    }
}

impl Record for Vector {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self(row.get("vector")?))
    }
}

impl Record for Passage {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let place = |column: &str| row.get::<i64>(column).map(|at| usize::try_from(at).unwrap_or_default());
        Ok(Self {
            id: column::parsed(row, "id")?,
            place: Place::read(row)?,
            source: row.get("source")?,
            text: row.get("content")?,
            heading: row.get("heading")?,
            page: row.get::<Option<i64>>("page")?.and_then(|page| u32::try_from(page).ok()),
            start: place("starts_at")?,
            end: place("ends_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{meaning::VECTORS, *};

    struct Step(String);

    impl Record for Step {
        fn read(row: &Row) -> Result<Self, sqlx::Error> {
            Ok(Self(row.get("detail")?))
        }
    }

    #[tokio::test]
    async fn sqlite_begins_at_the_places_and_scans_no_table() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("relay.db")).await.unwrap();
        for sql in [PASSAGES, VECTORS] {
            let explained = format!("EXPLAIN QUERY PLAN {sql}").leak();
            let steps: Vec<Step> = query(explained).fetch_all(db.reader()).await.unwrap();
            let steps: Vec<&str> = steps.iter().map(|step| step.0.as_str()).collect();
            assert!(steps[0].starts_with("SCAN wanted VIRTUAL TABLE"), "{steps:?}");
            assert!(steps[1].starts_with("SEARCH passages USING INDEX"), "{steps:?}");
            assert!(steps[1..].iter().all(|step| step.starts_with("SEARCH")), "{steps:?}");
        }
    }
}
