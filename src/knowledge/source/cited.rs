//! What a message says it has from where.

use schemars::JsonSchema;
use serde::Serialize;

use super::Source;

/// A citation as whoever reads its message may see it: nothing in it opens anything of ours.
#[derive(Clone, PartialEq, Default, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cited")]
pub struct Cited {
    /// The number in the message's words: 1 for `[1]`.
    pub index: u32,
    /// The document, as it was described when it was cited.
    #[serde(flatten)]
    pub source: Source,
    /// How well the passage fits what was asked, from 0 to 100.
    #[schemars(range(min = 0, max = 100))]
    pub relevance_score: Option<f32>,
    /// Words of the document that the message rests on.
    pub quoted_text: Option<String>,
    /// What stands around them.
    pub context: Option<String>,
}
