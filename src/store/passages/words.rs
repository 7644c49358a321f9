//! The search by words. FTS5 ranks by BM25, PostgreSQL by the rarity of the words a passage has.
//!
//! Who asks is met with their own shelf and the shared one alone, in the query itself. Counting and ranking go no further than a
//! bound, so that a question of common words takes no longer than any.

use serde_json::json;

use super::{
    Filter, Place, Terms,
    filter::narrowed,
    terms::{Counted, Weighed, rarest},
};
use crate::store::{
    Db, StoreError, UserId,
    sql::{Record, Row, query},
};

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
    let counted = counted(db, user, terms, filter).await?;
    let all = counted.iter().find(|counted| counted.word.is_empty()).map_or(0, |all| all.passages);
    let asked: Vec<Counted> = counted.into_iter().filter(|counted| !counted.word.is_empty()).collect();
    let words: Vec<Weighed> = asked.iter().map(|counted| counted.weighed(all)).collect();
    let rarest = rarest(asked, RANKED);
    if rarest.is_empty() {
        return Ok(Worded { places: Vec::new(), words });
    }
    let places = found(db, user, &rarest, all, filter, super::count(most)).await?;
    Ok(Worded { places, words })
}

/// The shelves of the user `$1`: as a table, as the rows of FTS5 that stand on one of it, as a condition.
macro_rules! shelves {
    (sqlite) => {
        "WITH shelf (number) AS (SELECT 0 UNION ALL SELECT number FROM shelves WHERE user_id = $1) "
    };
    (range) => {
        "passage_words.rowid BETWEEN shelf.number << 32 AND ((shelf.number + 1) << 32) - 1 "
    };
    (postgres) => {
        "passages.shelf IN (0, (SELECT number FROM shelves WHERE user_id = $1)) "
    };
}

/// What of `$2`, pairs of a word and what to match for it, is in how many passages, up to `$3`.
const COUNTED_BY_FTS5: &str = concat!(
    shelves!(sqlite),
    "SELECT value ->> 0 AS word, (SELECT COUNT(*) FROM (SELECT 1 FROM shelf CROSS JOIN passage_words \
     WHERE passage_words MATCH value ->> 1 AND ",
    shelves!(range),
    "LIMIT $3)) AS passages FROM json_each($2)"
);

/// Of the passages that match `$2` the best `$3`, of no more than `$4` that are ranked.
const FOUND_BY_FTS5: &str = concat!(
    shelves!(sqlite),
    "SELECT passages.document_id, passages.position FROM (SELECT place, score FROM \
     (SELECT passage_words.rowid AS place, bm25(passage_words, 0.0, 0.5, 1.0, 1.0) AS score FROM shelf \
     CROSS JOIN passage_words WHERE passage_words MATCH $2 AND ",
    shelves!(range),
    "LIMIT $4) ORDER BY score, place LIMIT $3) AS found \
     JOIN passages ON passages.number = found.place & 4294967295 \
     JOIN documents ON documents.id = passages.document_id \
     WHERE documents.user_id = $1 OR documents.shared ORDER BY found.score, found.place"
);

/// In how many passages each of the words `$2` is, up to `$3`; the word '' is in all.
macro_rules! counted_by_tsquery {
    ($($narrowed:expr)?) => {
        concat!(
            "SELECT '' AS word, (SELECT COUNT(*) FROM (SELECT 1 FROM passages WHERE ",
            shelves!(postgres),
            $($narrowed,)?
            "LIMIT $3) AS having_it) AS passages UNION ALL SELECT value, (SELECT COUNT(*) FROM (SELECT 1 FROM passages \
             WHERE passages.words @@ to_tsquery('pg_catalog.english', value) AND ",
            shelves!(postgres),
            $($narrowed,)?
            "LIMIT $3) AS having_it) FROM jsonb_array_elements_text(CAST($2 AS jsonb)) AS asked (value)"
        )
    };
}

/// `$2` are the words, each with what it weighs; ranked by their sum, and then by how often and how close they stand: `$5` is
/// the question.
macro_rules! found_by_tsquery {
    ($($narrowed:expr)?) => {
        concat!(
            "SELECT passages.document_id, passages.position FROM (SELECT having_it.id, SUM(having_it.weight) AS weight \
             FROM jsonb_array_elements(CAST($2 AS jsonb)) AS asked (value) \
             CROSS JOIN LATERAL (SELECT passages.id, CAST(asked.value ->> 1 AS DOUBLE PRECISION) AS weight FROM passages \
             WHERE passages.words @@ to_tsquery('pg_catalog.english', asked.value ->> 0) AND ",
            shelves!(postgres),
            $($narrowed,)?
            "LIMIT $4) AS having_it GROUP BY having_it.id ORDER BY 2 DESC, 1 LIMIT $3) AS found \
             JOIN passages ON passages.id = found.id ORDER BY found.weight DESC, \
             ts_rank(passages.words, to_tsquery('pg_catalog.english', $5)) DESC, passages.id"
        )
    };
}

/// Only passages of documents that [`narrowed`] leaves.
macro_rules! of_some {
    ($ids:literal, $kind:literal) => {
        concat!(
            "AND passages.document_id IN (SELECT documents.id FROM documents WHERE ",
            narrowed!(postgres, $ids, $kind),
            ") "
        )
    };
}

async fn counted(db: &Db, user: UserId, terms: &Terms, filter: &Filter) -> Result<Vec<Counted>, StoreError> {
    let bound = RANKED + 1;
    let query = if db.reader().pick(true, false) {
        let pair = |word: &String| (word.clone(), fts5(&[word], filter));
        let pairs: Vec<_> =
            [(String::new(), filter.tags())].into_iter().chain(terms.words().iter().map(pair)).collect();
        query(COUNTED_BY_FTS5).bind(user).bind(json!(pairs).to_string()).bind(bound)
    } else {
        let words = json!(terms.words()).to_string();
        let counted = |sql| query(sql).bind(user).bind(words).bind(bound);
        if filter.narrows() {
            counted(counted_by_tsquery!(of_some!("$4", "$5"))).bind(filter.listed()).bind(filter.source_type.as_deref())
        } else {
            counted(counted_by_tsquery!())
        }
    };
    query.fetch_all(db.reader()).await
}

async fn found(
    db: &Db,
    user: UserId,
    words: &[Counted],
    all: i64,
    filter: &Filter,
    most: i64,
) -> Result<Vec<Place>, StoreError> {
    let asked: Vec<_> = words.iter().map(|counted| &counted.word).collect();
    let query = if db.reader().pick(true, false) {
        query(FOUND_BY_FTS5).bind(user).bind(fts5(&asked, filter)).bind(most).bind(RANKED)
    } else {
        let weighed = words.iter().map(|counted| counted.weighed(all));
        let weighed: Vec<_> = weighed.map(|weighed| (weighed.word, weighed.weight)).collect();
        let found = |sql| query(sql).bind(user).bind(json!(weighed).to_string()).bind(most).bind(RANKED);
        let question = asked.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" | ");
        if filter.narrows() {
            let found = found(found_by_tsquery!(of_some!("$6", "$7"))).bind(question);
            found.bind(filter.listed()).bind(filter.source_type.as_deref())
        } else {
            found(found_by_tsquery!()).bind(question)
        }
    };
    query.fetch_all(db.reader()).await
}

/// What FTS5 is to match for passages that have any of these words.
fn fts5(words: &[&String], filter: &Filter) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let words = format!("{{title heading content}} : ({})", words.join(" OR "));
    if filter.narrows() { format!("{} AND {words}", filter.tags()) } else { words }
}

/// Passages that are ranked by their words at most.
const RANKED: i64 = 2_000;

impl Record for Counted {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { word: row.get("word")?, passages: row.get("passages")? })
    }
}
