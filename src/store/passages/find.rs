//! Where the passages are that fit a question: by their words, by their meaning.
//!
//! Both look only at documents that the asker may read and that the search is narrowed to, in the query itself. What differs
//! between the engines is how words are found: FTS5 ranks by BM25, PostgreSQL by the rarity of the words a passage has.

use serde_json::json;

use super::{
    Terms, signs,
    terms::{Counted, Weighed, rarest},
};
use crate::store::{
    Db, DocumentId, StoreError, UserId, column,
    sql::{Record, Row, query},
};

/// Where a passage stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// In which document.
    pub document: DocumentId,
    /// The how manieth of its passages, from 0.
    pub position: u32,
}

/// What a search is narrowed to; what is absent does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// These documents.
    pub documents: Option<Vec<DocumentId>>,
    /// Documents of this `source_type`.
    pub source_type: Option<String>,
}

impl Filter {
    /// As `$2` of the queries below.
    fn listed(&self) -> Option<String> {
        self.documents.as_ref().map(|ids| json!(ids).to_string())
    }

    /// The same for FTS5: what the tags of a passage must hold.
    fn tags(&self, user: UserId) -> String {
        let tag = |kind: char, id: String| format!("\"{kind}{}\"", id.replace('-', ""));
        let mut tags = format!("tags : ({} OR \"shared\") AND ", tag('u', user.text()));
        if let Some(ids) = &self.documents {
            let ids: Vec<_> = ids.iter().map(|id| tag('d', id.text())).collect();
            tags += &format!("tags : ({}) AND ", ids.join(" OR "));
        }
        if let Some(kind) = &self.source_type {
            tags += &format!("tags : \"t{}\" AND ", kind.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        tags.truncate(tags.len() - " AND ".len());
        tags
    }
}

/// Whose documents are searched, and which of them: `$1` is the user, `$2` ids of documents, `$3` the type of their sources.
macro_rules! visible {
    (sqlite) => {
        "(documents.user_id = $1 OR documents.shared) \
         AND ($2 IS NULL OR documents.id IN (SELECT value FROM json_each($2))) \
         AND ($3 IS NULL OR json_extract(documents.source, '$.source_type') = $3) "
    };
    (postgres) => {
        "(documents.user_id = $1 OR documents.shared) \
         AND ($2 IS NULL OR documents.id IN (SELECT jsonb_array_elements_text(CAST($2 AS jsonb)))) \
         AND ($3 IS NULL OR CAST(documents.source AS jsonb) ->> 'source_type' = $3) "
    };
}

/// Whether there is anything that this user may search.
pub async fn any(db: &Db, user: UserId) -> Result<bool, StoreError> {
    let found: Option<String> = query("SELECT id FROM documents WHERE user_id = $1 OR shared LIMIT 1")
        .bind(user.text())
        .fetch_optional(db.reader())
        .await?;
    Ok(found.is_some())
}

/// In how many passages each of the words `$1` is, up to `$3`; `$2` are the tags. The word '' is in all.
const COUNTED_BY_FTS5: &str = "SELECT '' AS word, (SELECT COUNT(*) FROM \
     (SELECT 1 FROM passage_words WHERE passage_words MATCH $2 LIMIT $3)) AS passages \
     UNION ALL SELECT value, (SELECT COUNT(*) FROM (SELECT 1 FROM passage_words \
     WHERE passage_words MATCH $2 || ' AND {title heading content} : \"' || value || '\"' LIMIT $3)) FROM json_each($1)";

/// Of the passages that have any word the best `$6`, of no more than `$7` that are ranked. `$5` is the question, `$4` none.
const FOUND_BY_FTS5: &str = concat!(
    "SELECT passages.document_id, passages.position FROM (SELECT number, score FROM \
     (SELECT rowid AS number, bm25(passage_words, 0.0, 0.5, 1.0, 1.0) AS score FROM passage_words \
     WHERE passage_words MATCH $4 LIMIT $6) ORDER BY score, number LIMIT $5) AS found \
     JOIN passages ON passages.number = found.number JOIN documents ON documents.id = passages.document_id WHERE ",
    visible!(sqlite),
    "ORDER BY found.score, found.number"
);

/// The same for PostgreSQL: `$4` are the words, `$5` the bound.
const COUNTED_BY_TSQUERY: &str = concat!(
    "SELECT '' AS word, (SELECT COUNT(*) FROM (SELECT 1 FROM passages \
     JOIN documents ON documents.id = passages.document_id WHERE ",
    visible!(postgres),
    "LIMIT $5) AS having_it) AS passages UNION ALL SELECT value, (SELECT COUNT(*) FROM \
     (SELECT 1 FROM passages JOIN documents ON documents.id = passages.document_id \
     WHERE passages.words @@ to_tsquery('pg_catalog.english', value) AND ",
    visible!(postgres),
    "LIMIT $5) AS having_it) FROM jsonb_array_elements_text(CAST($4 AS jsonb)) AS asked (value)"
);

/// `$4` are the words, each with what it weighs; ranked by their sum, and then by how often and how close they stand.
const FOUND_BY_TSQUERY: &str = concat!(
    "SELECT passages.document_id, passages.position FROM \
     (SELECT having_it.id, SUM(having_it.weight) AS weight FROM jsonb_array_elements(CAST($4 AS jsonb)) AS asked (value) \
     CROSS JOIN LATERAL (SELECT passages.id, CAST(asked.value ->> 1 AS DOUBLE PRECISION) AS weight FROM passages \
     JOIN documents ON documents.id = passages.document_id \
     WHERE passages.words @@ to_tsquery('pg_catalog.english', asked.value ->> 0) AND ",
    visible!(postgres),
    "LIMIT $6) AS having_it GROUP BY having_it.id ORDER BY 2 DESC, 1 LIMIT $5) AS found \
     JOIN passages ON passages.id = found.id \
     ORDER BY found.weight DESC, ts_rank(passages.words, to_tsquery('pg_catalog.english', $7)) DESC, passages.id"
);

/// Passages that have words of a question.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Worded {
    /// Where they stand, the best first.
    pub places: Vec<Place>,
    /// What each of the words tells, those in no passage too.
    pub words: Vec<Weighed>,
}

/// The passages that fit these words best, at most `most`.
pub async fn by_words(
    db: &Db,
    user: UserId,
    terms: &Terms,
    filter: &Filter,
    most: usize,
) -> Result<Worded, StoreError> {
    let words = json!(terms.words()).to_string();
    let most = super::count(most);
    let tags = filter.tags(user);
    let counted = match db.reader().pick(true, false) {
        true => query(COUNTED_BY_FTS5).bind(words).bind(&tags).bind(RANKED + 1),
        false => query(COUNTED_BY_TSQUERY)
            .bind(user.text())
            .bind(filter.listed())
            .bind(filter.source_type.as_deref())
            .bind(words)
            .bind(RANKED + 1),
    };
    let counted: Vec<Counted> = counted.fetch_all(db.reader()).await?;
    let all = counted.iter().find(|counted| counted.word.is_empty()).map_or(0, |all| all.passages);
    let asked: Vec<Counted> = counted.into_iter().filter(|counted| !counted.word.is_empty()).collect();
    let words: Vec<Weighed> = asked.iter().map(|counted| counted.weighed(all)).collect();
    let rarest = rarest(asked, RANKED);
    if rarest.is_empty() {
        return Ok(Worded { places: Vec::new(), words });
    }
    let found = query(db.reader().pick(FOUND_BY_FTS5, FOUND_BY_TSQUERY))
        .bind(user.text())
        .bind(filter.listed())
        .bind(filter.source_type.as_deref());
    let found = match db.reader().pick(true, false) {
        true => {
            let words: Vec<_> = rarest.iter().map(|counted| format!("\"{}\"", counted.word)).collect();
            let asked = format!("{tags} AND {{title heading content}} : ({})", words.join(" OR "));
            found.bind(asked).bind(most).bind(RANKED)
        }
        false => {
            let weighed = rarest.iter().map(|counted| counted.weighed(all));
            let weighed: Vec<_> = weighed.map(|weighed| (weighed.word, weighed.weight)).collect();
            let words: Vec<_> = rarest.iter().map(|counted| counted.word.as_str()).collect();
            found.bind(json!(weighed).to_string()).bind(most).bind(RANKED).bind(words.join(" | "))
        }
    };
    Ok(Worded { places: found.fetch_all(db.reader()).await?, words })
}

/// The signs of all documents that are searched and have vectors of the model `$4`, of `$5` numbers.
macro_rules! signs {
    ($engine:ident) => {
        concat!(
            "SELECT document_signs.document_id, document_signs.signs FROM document_signs \
             JOIN documents ON documents.id = document_signs.document_id \
             WHERE document_signs.model = $4 AND document_signs.dimensions = $5 AND ",
            visible!($engine)
        )
    };
}

/// The passages whose meaning is about nearest to this vector of this model, the nearest first; see [`nearness`] for how near.
pub async fn by_meaning(
    db: &Db,
    user: UserId,
    model: &str,
    question: &[f32],
    filter: &Filter,
    most: usize,
) -> Result<Vec<Place>, StoreError> {
    let documents: Vec<Signs> = query(db.reader().pick(signs!(sqlite), signs!(postgres)))
        .bind(user.text())
        .bind(filter.listed())
        .bind(filter.source_type.as_deref())
        .bind(model)
        .bind(super::count(question.len()))
        .fetch_all(db.reader())
        .await?;
    let question = signs::of(&signs::bytes(question));
    let walk = move || {
        let documents: Vec<_> = documents.into_iter().map(|signs| (signs.document, signs.signs)).collect();
        signs::nearest(&question, &documents, most)
    };
    // 100 000 passages take a millisecond or two: too long for a thread that others wait for.
    tokio::task::spawn_blocking(walk).await.map_err(|_| sqlx::Error::WorkerCrashed.into())
}

/// The vectors at places (`$2`: a JSON array of pairs) that this user (`$1`) may read, of documents whose vectors are all of
/// the model `$3`.
macro_rules! vectors {
    ($places:literal) => {
        concat!(
            "SELECT passages.document_id, passages.position, passages.vector FROM ",
            $places,
            " JOIN passages ON passages.document_id = wanted.value ->> 0 \
             AND passages.position = CAST(wanted.value ->> 1 AS BIGINT) \
             JOIN document_signs ON document_signs.document_id = passages.document_id \
             JOIN documents ON documents.id = passages.document_id \
             WHERE (documents.user_id = $1 OR documents.shared) AND document_signs.model = $3 \
             AND passages.vector IS NOT NULL"
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

/// Places as a query takes them.
pub(super) fn listed(places: &[Place]) -> String {
    json!(places.iter().map(|place| (place.document, place.position)).collect::<Vec<_>>()).to_string()
}

/// Passages that are ranked by their words at most.
const RANKED: i64 = 4_000;

struct Signs {
    document: DocumentId,
    signs: Vec<u8>,
}

struct Vector {
    place: Place,
    vector: Vec<u8>,
}

impl Record for Counted {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { word: row.get("word")?, passages: row.get("passages")? })
    }
}

impl Record for Signs {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { document: column::parsed(row, "document_id")?, signs: row.get("signs")? })
    }
}

impl Record for Vector {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { place: Place::read(row)?, vector: row.get("vector")? })
    }
}

impl Record for Place {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let position = row.get::<i64>("position")?;
        let document = column::parsed(row, "document_id")?;
        Ok(Self { document, position: u32::try_from(position).unwrap_or_default() })
    }
}
