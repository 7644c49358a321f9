//! What was found, as models are told of it; and what they cite, as it is kept.

use std::sync::Arc;

use providers::{Json, marker, passage};

use super::{Passage, Source, source::Cited};
use crate::store::citations::Reference;

/// Passages as models are told of them, in this order.
pub fn told(found: Vec<Passage>) -> passage::Passages {
    found.into_iter().map(|found| Arc::new(passage_of(found))).collect()
}

fn passage_of(found: Passage) -> passage::Passage {
    passage::Passage {
        id: found.id.to_string(),
        document: found.document.to_string(),
        title: found.source.title.clone(),
        // Plain data has no way not to be JSON.
        source: Json::from_checked(serde_json::to_string(&found.source).unwrap_or_else(|_| "{}".to_owned())),
        heading: found.heading,
        page: found.page,
        text: found.text,
        relevance: found.score.round().clamp(0.0, 100.0) as u8,
    }
}

/// What a reply cites, as it is kept with its message. `text` is what of the reply was said: a passage that is not referred to in
/// it is not cited.
pub fn kept(citations: &[passage::Citation], text: &str) -> Vec<Reference> {
    let said = marker::numbers(text);
    citations.iter().filter(|citation| said.contains(&citation.number)).map(reference).collect()
}

fn reference(citation: &passage::Citation) -> Reference {
    let passage = &citation.passage;
    Reference {
        document: passage.document.parse().ok(),
        passage: passage.id.parse().ok(),
        cited: Cited {
            index: citation.number,
            source: serde_json::from_str::<Source>(passage.source.as_str()).unwrap_or_default(),
            relevance_score: Some(f32::from(passage.relevance)),
            quoted_text: Some(citation.quote.clone()),
            context: Some(passage.text.clone()),
        },
    }
}
