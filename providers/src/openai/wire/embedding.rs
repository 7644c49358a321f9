//! `POST {base}/embeddings`.

use std::ops::Range;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use crate::{embed::Embeddings, net::events::Broken};

/// The request for texts within [`batches`].
pub(in crate::openai) fn request(model: &str, texts: &[String], dimensions: Option<u32>) -> String {
    // Base64 takes a quarter of the room; servers that do not know it answer with numbers.
    let mut request = json!({"model": model, "input": texts, "encoding_format": "base64"});
    if let Some(dimensions) = dimensions {
        request["dimensions"] = dimensions.into();
    }
    request.to_string()
}

/// Texts that may go in one request, as ranges, in order.
pub(in crate::openai) fn batches(texts: &[String]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, text) in texts.iter().enumerate() {
        if at > from && (at - from >= MOST || bytes + text.len() > TOKENS) {
            batches.push(from..at);
            (from, bytes) = (at, 0);
        }
        bytes += text.len();
    }
    if from < texts.len() {
        batches.push(from..texts.len());
    }
    batches
}

/// Texts in a request: of the 2048 that are taken, so many that an answer stays small.
pub(in crate::openai) const MOST: usize = 256;
/// Tokens in a request. No token has less than a byte.
const TOKENS: usize = 300_000;
/// Tokens in a text.
pub(in crate::openai) const LONGEST: usize = 8_192;

/// How many numbers a vector of this model has.
pub(in crate::openai) fn dimensions(model: &str) -> Option<usize> {
    match model {
        "text-embedding-3-small" | "text-embedding-ada-002" => Some(1_536),
        "text-embedding-3-large" => Some(3_072),
        _ => None,
    }
}

/// Reads the vectors of `count` texts.
///
/// # Errors
///
/// What is wrong with the answer.
pub(in crate::openai) fn read(body: &[u8], count: usize) -> Result<Embeddings, Broken> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| Broken::unreadable(&error))?;
    let mut vectors = vec![Vec::new(); count];
    for (at, item) in answer.data.into_iter().enumerate() {
        let place = vectors.get_mut(item.index.unwrap_or(at));
        let place = place.ok_or_else(|| Broken::protocol(format!("{count} texts got another vector")))?;
        *place = item.embedding.vector()?;
    }
    let length = vectors.first().map_or(0, Vec::len);
    if vectors.iter().any(|vector| vector.is_empty() || vector.len() != length) {
        return Err(Broken::protocol("a text got no vector, or one of another length"));
    }
    let tokens = answer.usage.and_then(|usage| usage.total_tokens.or(usage.prompt_tokens));
    Ok(Embeddings { vectors, tokens })
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vector,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

impl Vector {
    fn vector(self) -> Result<Vec<f32>, Broken> {
        match self {
            Self::Numbers(numbers) => Ok(numbers),
            Self::Base64(text) => {
                let bytes = BASE64_STANDARD.decode(text).map_err(|_| Broken::protocol("a vector is no base64"))?;
                let (numbers, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(Broken::protocol("a vector is cut within a number"));
                }
                Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn numbers_and_base64_are_read_in_the_order_of_the_texts() {
        let one = BASE64_STANDARD.encode([1.0_f32, -0.5].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>());
        let body = format!(
            r#"{{"object":"list","data":[{{"object":"embedding","index":1,"embedding":[0.25,2]}},
            {{"object":"embedding","index":0,"embedding":"{one}"}}],"model":"m","usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#
        );
        let read = read(body.as_bytes(), 2).unwrap();
        assert_eq!((read.vectors, read.tokens), (vec![vec![1.0, -0.5], vec![0.25, 2.0]], Some(8)));
    }

    #[test]
    fn answers_that_do_not_fit_are_refused() {
        for body in [
            "",
            r#"{"data":[]}"#,
            r#"{"data":[{"index":0,"embedding":[1.0]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[1.0,2.0]}]}"#,
            r#"{"data":[{"index":0,"embedding":[1.0]},{"index":2,"embedding":[1.0]}]}"#,
            r#"{"data":[{"index":0,"embedding":"AAAA"},{"index":1,"embedding":"?"}]}"#,
        ] {
            assert_eq!(read(body.as_bytes(), 2).unwrap_err().kind, ErrorKind::Protocol, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn batches_hold_all_texts_in_order_within_limits(lengths in proptest::collection::vec(1usize..200_000, 0..40)) {
            let texts: Vec<_> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let batches = batches(&texts);
            let mut at = 0;
            for batch in &batches {
                proptest::prop_assert!(batch.start == at && !batch.is_empty() && batch.len() <= MOST);
                let bytes: usize = texts[batch.clone()].iter().map(String::len).sum();
                proptest::prop_assert!(bytes <= TOKENS || batch.len() == 1);
                at = batch.end;
            }
            proptest::prop_assert_eq!(at, texts.len());
        }
    }
}
