//! What a search looks at: the documents that who asks may read, or fewer.

use serde_json::json;

use crate::store::{Db, DocumentId, StoreError, UserId, sql::query};

/// What a search is narrowed to; what is absent does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// These documents.
    pub documents: Option<Vec<DocumentId>>,
    /// Documents of this `source_type`.
    pub source_type: Option<String>,
}

impl Filter {
    /// Whether it leaves anything out.
    pub(super) const fn narrows(&self) -> bool {
        self.documents.is_some() || self.source_type.is_some()
    }

    /// The documents, as [`narrowed`] takes them.
    pub(super) fn listed(&self) -> Option<String> {
        self.documents.as_ref().map(|ids| json!(ids).to_string())
    }

    /// The same for FTS5: what the tags of a passage must match; all have the tag `all`.
    pub(super) fn tags(&self) -> String {
        let documents = self.documents.as_ref().map(|ids| {
            let ids: Vec<_> = ids.iter().map(|id| format!("\"d{}\"", id.to_string().replace('-', ""))).collect();
            format!("tags : ({})", ids.join(" OR "))
        });
        let kind = self.source_type.as_ref().map(|kind| {
            let hex: String = kind.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("tags : \"t{hex}\"")
        });
        let tags: Vec<_> = documents.into_iter().chain(kind).collect();
        if tags.is_empty() { "tags : all".to_owned() } else { tags.join(" AND ") }
    }
}

/// The condition that a document may be read by the user `$1`, and is one of those that `$ids` (a JSON array or NULL) and
/// `$kind` (a `source_type` or NULL) narrow to.
macro_rules! narrowed {
    (sqlite, $ids:literal, $kind:literal) => {
        concat!(
            "(documents.user_id = $1 OR documents.shared) ",
            concat!("AND (", $ids, " IS NULL OR documents.id IN (SELECT value FROM json_each(", $ids, "))) "),
            concat!("AND (", $kind, " IS NULL OR json_extract(documents.source, '$.source_type') = ", $kind, ") ")
        )
    };
    (postgres, $ids:literal, $kind:literal) => {
        concat!(
            "(documents.user_id = $1 OR documents.shared) AND (",
            concat!(
                $ids,
                " IS NULL OR documents.id IN (SELECT jsonb_array_elements_text(CAST(",
                $ids,
                " AS jsonb)))) "
            ),
            concat!("AND (", $kind, " IS NULL OR CAST(documents.source AS jsonb) ->> 'source_type' = ", $kind, ") ")
        )
    };
}
pub(super) use narrowed;

/// Whether there is anything that this user may search.
pub async fn any(db: &Db, user: UserId) -> Result<bool, StoreError> {
    let found: Option<String> = query("SELECT id FROM documents WHERE user_id = $1 OR shared LIMIT 1")
        .bind(user)
        .fetch_optional(db.reader())
        .await?;
    Ok(found.is_some())
}
