//! Chunks of an answer as thoughts.
//!
//! Parts that think are not spoken; calls come whole, with an id or without; signatures are kept for the call's return.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    ErrorKind,
    dialogue::{Draft, Echoes, fitting},
    llm::{Finish, Thought, Usage},
    net::events::{self, Broken, Progress, Verdict},
};

/// Chunks in, thoughts out. The vendor marks no end but the connection's.
#[derive(Debug)]
pub(in crate::gemini) struct Reader {
    draft: Draft,
    signatures: Arc<Echoes>,
}

impl Reader {
    /// A reader that keeps signatures there.
    pub(in crate::gemini) fn new(signatures: Arc<Echoes>) -> Self {
        Self { draft: Draft::default(), signatures }
    }

    fn part(&mut self, part: Part, out: &mut Vec<Thought>) {
        if let Some(text) = part.text.filter(|_| !part.thought) {
            self.draft.say(&text, out);
        }
        if let Some(call) = part.function_call {
            let id = fitting(&call.id);
            if let Some(signature) = part.thought_signature {
                self.signatures.keep(&id, &signature);
            }
            self.draft.call(id, &call.name, out);
            self.draft.arguments(&Value::Object(call.args).to_string(), out);
            self.draft.close(out);
        }
    }
}

impl events::Reader for Reader {
    type Item = Thought;

    fn read(&mut self, data: &str, out: &mut Vec<Thought>) -> Result<Progress, Broken> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| Broken::unreadable(&error))?;
        if let Some(error) = chunk.error {
            let kind = verdict_of(&error).map_or(ErrorKind::Unavailable, |verdict| verdict.kind);
            return Err(Broken::new(kind, error.get("message").and_then(Value::as_str).unwrap_or_default()));
        }
        if let Some(counts) = chunk.usage_metadata {
            self.draft.cost(counts.into());
        }
        if chunk.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some()) {
            self.draft.finish(Finish::ContentFilter, out);
        }
        for candidate in chunk.candidates.into_iter().filter(|candidate| candidate.index == 0) {
            for part in candidate.content.into_iter().flat_map(|content| content.parts) {
                self.part(part, out);
            }
            if let Some(reason) = candidate.finish_reason
                && let Some(finish) = finish(&reason)?
            {
                self.draft.finish(finish, out);
            }
        }
        Ok(self.draft.progress())
    }

    fn end(&mut self, out: &mut Vec<Thought>) -> Result<(), Broken> {
        self.draft.end(out)
    }
}

/// Why a reply ended; [`None`] where the vendor gives no reason yet.
fn finish(reason: &str) -> Result<Option<Finish>, Broken> {
    match reason {
        "FINISH_REASON_UNSPECIFIED" => Ok(None),
        "MAX_TOKENS" => Ok(Some(Finish::Length)),
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE" | "IMAGE_SAFETY" => {
            Ok(Some(Finish::ContentFilter))
        }
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE" => Err(Broken::protocol(format!("the model ended with {reason}"))),
        "OTHER" => Err(Broken::new(ErrorKind::Unavailable, "the model ended for a reason it does not tell")),
        _ => Ok(Some(Finish::Stop)),
    }
}

/// What the body of a refusal means; outside a stream it is a list of one.
pub(in crate::gemini) fn verdict(body: &Value) -> Option<Verdict> {
    verdict_of(body.get("error").or_else(|| body.get(0)?.get("error"))?)
}

/// What an error object means, by its status (<https://cloud.google.com/apis/design/errors>).
fn verdict_of(error: &Value) -> Option<Verdict> {
    let details = || error.get("details").and_then(Value::as_array).into_iter().flatten();
    let bad_key = details().any(|detail| detail.get("reason").and_then(Value::as_str) == Some("API_KEY_INVALID"));
    let kind = match error.get("status")?.as_str()? {
        "INVALID_ARGUMENT" if bad_key => ErrorKind::Unauthorized,
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => ErrorKind::Unauthorized,
        // The account may not: billing is off, or its country is not served.
        "FAILED_PRECONDITION" => ErrorKind::Unauthorized,
        "RESOURCE_EXHAUSTED" => ErrorKind::RateLimited,
        "UNAVAILABLE" | "INTERNAL" | "ABORTED" | "UNKNOWN" => ErrorKind::Unavailable,
        "DEADLINE_EXCEEDED" => ErrorKind::Timeout,
        "INVALID_ARGUMENT" | "NOT_FOUND" | "OUT_OF_RANGE" | "UNIMPLEMENTED" => ErrorKind::Rejected,
        _ => return None,
    };
    let retry_after = details().find_map(|detail| {
        let seconds = detail.get("retryDelay")?.as_str()?.strip_suffix('s')?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok().map(|delay| delay.min(LONGEST_WAIT))
    });
    Some(Verdict { kind, retry_after })
}

/// Longer waits are as good as none.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Counts>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    index: u32,
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
    function_call: Option<Call>,
    thought_signature: Option<String>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    id: String,
    name: String,
    #[serde(default)]
    args: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Counts {
    prompt_token_count: u32,
    cached_content_token_count: u32,
    tool_use_prompt_token_count: u32,
    candidates_token_count: u32,
    thoughts_token_count: u32,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        Self {
            input_tokens: counts.prompt_token_count.saturating_add(counts.tool_use_prompt_token_count),
            cached_tokens: counts.cached_content_token_count,
            output_tokens: counts.candidates_token_count.saturating_add(counts.thoughts_token_count),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::net::events::{Reader as _, replay_with};

    fn reader() -> Reader {
        Reader::new(Arc::default())
    }

    fn replay(exchange: &str) -> (Vec<Thought>, Result<(), Broken>) {
        replay_with(&mut reader(), exchange)
    }

    fn text(text: &str) -> Thought {
        Thought::Text(text.to_owned())
    }

    const TEXT: &str = include_str!("../../../tests/exchanges/gemini/text.sse");
    const CALLS: &str = include_str!("../../../tests/exchanges/gemini/calls.sse");

    #[test]
    fn words_then_usage_then_the_end_and_thinking_is_silent() {
        let (thoughts, ended) = replay(TEXT);
        let usage = Thought::Usage(Usage { input_tokens: 7, cached_tokens: 4, output_tokens: 103 });
        assert_eq!(thoughts, [text("It is"), text(" sunny – 21 °C."), usage, Thought::Finished(Finish::Stop)]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn calls_have_ids_and_their_signatures_are_kept() {
        let signatures = Arc::new(Echoes::default());
        let (thoughts, ended) = replay_with(&mut Reader::new(signatures.clone()), CALLS);
        let calls: Vec<_> = thoughts
            .iter()
            .filter_map(|thought| if let Thought::CallStarted { call, .. } = thought { Some(call) } else { None })
            .collect();
        assert_eq!((calls.len(), calls[0].as_str()), (2, "8f2b"));
        assert!((1..=32).contains(&calls[1].len()));
        assert_eq!(signatures.recall("8f2b").as_deref(), Some("EpEgCo4gAb4="));
        assert_eq!(signatures.recall(calls[1]), None);
        let arguments = |json: &str| Thought::CallArguments(json.to_owned());
        assert_eq!(thoughts[1..3], [arguments(r#"{"city":"Rome"}"#), Thought::CallDone]);
        assert_eq!(thoughts[4..6], [arguments("{}"), Thought::CallDone]);
        assert_eq!((thoughts.last(), ended), (Some(&Thought::Finished(Finish::Stop)), Ok(())));
    }

    #[test]
    fn a_blocked_prompt_is_a_filter() {
        let (thoughts, _) = replay(include_str!("../../../tests/exchanges/gemini/blocked.sse"));
        assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::ContentFilter)));
    }

    #[test]
    fn endings_are_told_apart() {
        for (reason, expected) in [
            ("STOP", Ok(Finish::Stop)),
            ("SHINY", Ok(Finish::Stop)),
            ("MAX_TOKENS", Ok(Finish::Length)),
            ("SAFETY", Ok(Finish::ContentFilter)),
            ("RECITATION", Ok(Finish::ContentFilter)),
            ("MALFORMED_FUNCTION_CALL", Err(ErrorKind::Protocol)),
            ("OTHER", Err(ErrorKind::Unavailable)),
        ] {
            let data = json!({"candidates": [{"finishReason": reason}]}).to_string();
            let (mut reader, mut thoughts) = (reader(), Vec::new());
            let read = reader.read(&data, &mut thoughts).map_err(|broken| broken.kind);
            let ended = read.map(|_| reader.end(&mut thoughts).unwrap());
            assert_eq!(ended, expected.map(|_| ()), "{reason}");
            assert_eq!(thoughts, expected.map(Thought::Finished).into_iter().collect::<Vec<_>>(), "{reason}");
        }
    }

    #[test]
    fn errors_are_sorted_by_what_one_can_do() {
        for (status, kind) in [
            ("INVALID_ARGUMENT", ErrorKind::Rejected),
            ("PERMISSION_DENIED", ErrorKind::Unauthorized),
            ("UNAVAILABLE", ErrorKind::Unavailable),
            ("DEADLINE_EXCEEDED", ErrorKind::Timeout),
        ] {
            let body = json!({"error": {"code": 1, "message": "m", "status": status}});
            assert_eq!(verdict(&body).unwrap().kind, kind, "{status}");
            assert_eq!(verdict(&json!([body.clone()])).unwrap().kind, kind, "{status} in a list");
            assert_eq!(reader().read(&body.to_string(), &mut Vec::new()).unwrap_err().kind, kind, "{status}");
        }
        let bad_key = json!({"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}});
        assert_eq!(verdict(&bad_key).unwrap().kind, ErrorKind::Unauthorized);
        let quota = json!({"error": {"status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "34.4s"}]}});
        let retry_after = Some(Duration::from_millis(34_400));
        assert_eq!(verdict(&quota), Some(Verdict { kind: ErrorKind::RateLimited, retry_after }));
        for broken in ["not json", r#"{"candidates":[{"content":{"parts":[{"text":5}]}}]}"#] {
            assert_eq!(reader().read(broken, &mut Vec::new()).unwrap_err().kind, ErrorKind::Protocol);
        }
    }

    #[test]
    fn a_reply_cut_anywhere_is_an_error_or_whole() {
        let whole = replay(TEXT).0;
        for cut in (0..TEXT.len()).filter(|cut| TEXT.is_char_boundary(*cut)) {
            match replay(&TEXT[..cut]) {
                (thoughts, Ok(())) => assert_eq!(thoughts, whole, "cut at {cut}"),
                (_, Err(broken)) => assert_eq!(broken.kind, ErrorKind::Protocol, "cut at {cut}"),
            }
        }
    }
}
