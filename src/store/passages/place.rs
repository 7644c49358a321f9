//! Where passages stand.

use serde_json::json;

use crate::store::{
    DocumentId, column,
    sql::{Record, Row},
};

/// Where a passage stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// In which document.
    pub document: DocumentId,
    /// The how manieth of its passages, from 0.
    pub position: u32,
}

/// Places as a query takes them.
pub(super) fn listed(places: &[Place]) -> String {
    json!(places.iter().map(|place| (place.document, place.position)).collect::<Vec<_>>()).to_string()
}

impl Record for Place {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let position = row.get::<i64>("position")?;
        let document = column::parsed(row, "document_id")?;
        Ok(Self { document, position: u32::try_from(position).unwrap_or_default() })
    }
}
