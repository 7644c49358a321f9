//! How near passages are in meaning, by their vectors.

use super::{Place, place::listed, signs};
use crate::store::{
    Db, StoreError, UserId,
    sql::{Record, Row, query},
};

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

/// Those in SQLite.
pub(super) const VECTORS: &str = vectors!("json_each($2) AS wanted");

/// How near the passages at these places are to this vector of this model: the cosine of the angle between them, −1 to 1.
/// Those without a vector of the model are left out; in no order.
pub async fn nearness(
    db: &Db,
    user: UserId,
    model: &str,
    question: &[f32],
    places: &[Place],
) -> Result<Vec<(Place, f32)>, StoreError> {
    let sql = db.reader().pick(VECTORS, vectors!("jsonb_array_elements(CAST($2 AS jsonb)) AS wanted (value)"));
    let vectors: Vec<Vector> = query(sql).bind(user).bind(listed(places)).bind(model).fetch_all(db.reader()).await?;
    let length = question.iter().map(|value| value * value).sum::<f32>().sqrt();
    let near = |vector: Vector| {
        let cosine = signs::cosine(question, &vector.vector)? / length;
        cosine.is_finite().then_some((vector.place, cosine))
    };
    Ok(vectors.into_iter().filter_map(near).collect())
}

struct Vector {
    place: Place,
    vector: Vec<u8>,
}

impl Record for Vector {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { place: Place::read(row)?, vector: row.get("vector")? })
    }
}
