//! Chunks of a reply as thoughts, whichever server wrote them.
//!
//! The differences borne here, each with a test: calls without an index (ollama/ollama#7881) or all with index 0
//! (ollama/ollama#15457); a whole call in one chunk; arguments as an object, not as text; a name repeated in every
//! chunk (reported in ggml-org/llama.cpp#12379); `choices` null or missing beside `usage`, where OpenAI has an empty list;
//! ids longer than the 32 characters that Realtime clients accept, or none; a plain answer where a stream was asked for;
//! errors in the midst.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::hush::Hush;
use crate::{
    ErrorKind,
    llm::{Finish, Thought, Usage},
    net::refusal::plain,
};

/// Chunks in, thoughts out. Text and calls leave at once; usage and the end wait for [`Reader::end`].
#[derive(Default, Debug)]
pub(super) struct Reader {
    hush: Hush,
    call: Option<Running>,
    /// Calls begun so far.
    calls: u64,
    usage: Option<Usage>,
    finish: Option<Finish>,
}

/// The reply cannot go on.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Broken {
    pub(super) kind: ErrorKind,
    pub(super) detail: String,
}

/// The call being written.
#[derive(Default, Debug)]
struct Running {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    started: bool,
    /// Bytes of the arguments handed on.
    told: usize,
}

impl Reader {
    /// Reads one chunk, or a whole answer.
    pub(super) fn read(&mut self, data: &str, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|error| protocol(format!("unreadable chunk: {error}")))?;
        if let Some(error) = chunk.error {
            return Err(refused(&error));
        }
        if chunk.object.as_deref() == Some("error") {
            return Err(refused(&Value::String(chunk.message.unwrap_or_default())));
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(usage.into());
        }
        let id = chunk.id.unwrap_or_default();
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index.unwrap_or(0) == 0) {
            for delta in choice.delta.into_iter().chain(choice.message) {
                self.delta(delta, &id, out)?;
            }
            if let Some(reason) = choice.finish_reason {
                let held = self.hush.rest();
                self.say(held, out);
                self.close(out);
                self.finish = Some(match reason.as_str() {
                    "length" => Finish::Length,
                    "content_filter" => Finish::ContentFilter,
                    _ => Finish::Stop,
                });
            }
        }
        Ok(())
    }

    /// Whether the model has said why it ended; only usage may follow.
    pub(super) fn finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The stream ended, with or without its `[DONE]`.
    pub(super) fn end(self, done: bool, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let cut = || protocol("the reply ended early".to_owned());
        let finish = self.finish.or((done && self.call.is_none()).then_some(Finish::Stop)).ok_or_else(cut)?;
        out.extend(self.usage.map(Thought::Usage));
        out.push(Thought::Finished(finish));
        Ok(())
    }

    fn delta(&mut self, delta: Delta, chunk: &str, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let content = delta.content.map(|text| self.hush.pass(&text));
        for text in [content, delta.refusal].into_iter().flatten() {
            self.say(text, out);
        }
        for part in delta.tool_calls.into_iter().flatten() {
            self.part(part, chunk, out)?;
        }
        Ok(())
    }

    fn say(&mut self, text: String, out: &mut Vec<Thought>) {
        if !text.is_empty() {
            self.close(out);
            out.push(Thought::Text(text));
        }
    }

    fn part(&mut self, part: Part, chunk: &str, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let function = part.function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let id = part.id.unwrap_or_default();
        if let (Some(running), Some(index)) = (self.call.as_ref().and_then(|call| call.index), part.index)
            && index < running
        {
            return Err(protocol("calls interleave".to_owned()));
        }
        if self.call.as_ref().is_none_or(|call| call.ends_before(part.index, &id, &name)) {
            self.close(out);
            self.calls += 1;
            self.call = Some(Running { index: part.index, ..Running::default() });
        }
        let Some(call) = &mut self.call else { return Ok(()) };
        if call.id.is_empty() {
            call.id = id;
        }
        if call.name.is_empty() {
            call.name = name;
        }
        match function.arguments {
            Some(Value::String(text)) => call.arguments.push_str(&text),
            Some(Value::Null) | None => {}
            Some(whole @ (Value::Object(_) | Value::Array(_) | Value::Bool(_) | Value::Number(_))) => {
                call.arguments.push_str(&whole.to_string());
            }
        }
        call.tell(&format!("{chunk}/{}", self.calls), out);
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<Thought>) {
        if let Some(call) = self.call.take().filter(|call| call.started) {
            if call.arguments.is_empty() {
                out.push(Thought::CallArguments("{}".to_owned()));
            }
            out.push(Thought::CallDone);
        }
    }
}

impl Running {
    /// Whether a part with these marks begins another call.
    fn ends_before(&self, index: Option<u64>, id: &str, name: &str) -> bool {
        let other_index = matches!((self.index, index), (Some(mine), Some(its)) if mine != its);
        let other_id = !id.is_empty() && !self.id.is_empty() && id != self.id;
        let complete = || serde_json::from_str::<Value>(&self.arguments).is_ok_and(|arguments| arguments.is_object());
        let unmarked = index.is_none() && id.is_empty() && !name.is_empty() && complete();
        other_index || other_id || unmarked
    }

    /// Starts once the name is known, then hands on the arguments that came since.
    fn tell(&mut self, source: &str, out: &mut Vec<Thought>) {
        if self.name.is_empty() {
            return;
        }
        if !self.started {
            self.started = true;
            out.push(Thought::CallStarted { call: short(&self.id, source), name: self.name.clone() });
            if !self.arguments.is_empty() {
                out.push(Thought::CallArguments(self.arguments.clone()));
            }
            self.told = self.arguments.len();
        } else if self.arguments.len() > self.told {
            out.push(Thought::CallArguments(self.arguments[self.told..].to_owned()));
            self.told = self.arguments.len();
        }
    }
}

/// An id that Realtime clients accept: the server's own if it fits, else one derived from it, or from the chunk's.
fn short(id: &str, source: &str) -> String {
    if (1..=LONGEST_ID).contains(&id.len()) {
        return id.to_owned();
    }
    let digest = Sha256::digest(if id.is_empty() { source } else { id });
    digest.iter().take(12).fold("call_".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What an error object means, by its code and type.
fn refused(error: &Value) -> Broken {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let status = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = status.and_then(|code| reqwest::StatusCode::from_u16(code).ok()).filter(|code| code.as_u16() >= 400);
    let kind = match (text("code"), text("type")) {
        ("rate_limit_exceeded" | "insufficient_quota", _) | (_, "rate_limit_error" | "insufficient_quota") => {
            ErrorKind::RateLimited
        }
        ("invalid_api_key", _) | (_, "authentication_error") => ErrorKind::Unauthorized,
        (_, "invalid_request_error" | "BadRequestError" | "NotFoundError") => ErrorKind::Rejected,
        _ => status.map_or(ErrorKind::Unavailable, crate::net::http::kind_of),
    };
    let message = error.as_str().unwrap_or_else(|| text("message"));
    Broken { kind, detail: plain(message) }
}

fn protocol(detail: String) -> Broken {
    Broken { kind: ErrorKind::Protocol, detail }
}

const LONGEST_ID: usize = 32;

#[derive(Deserialize)]
struct Chunk {
    id: Option<String>,
    object: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Counts>,
    error: Option<Value>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    index: Option<u64>,
    delta: Option<Delta>,
    /// A whole answer has this in the place of deltas.
    message: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    index: Option<u64>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize, Default)]
struct Function {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct Counts {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        Self {
            input_tokens: counts.prompt_tokens.unwrap_or(0),
            cached_tokens: counts.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
            output_tokens: counts.completion_tokens.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::sse;

    /// Everything a recorded answer leads to.
    fn replay(exchange: &str) -> (Vec<Thought>, Result<(), Broken>) {
        let (mut decoder, mut events) = (sse::Decoder::default(), Vec::new());
        decoder.feed(exchange.as_bytes(), &mut events).unwrap();
        events.extend(decoder.finish());
        let (mut reader, mut thoughts, mut done) = (Reader::default(), Vec::new(), false);
        for event in events {
            done |= event.data == "[DONE]";
            if done {
                break;
            }
            if let Err(broken) = reader.read(&event.data, &mut thoughts) {
                return (thoughts, Err(broken));
            }
        }
        let ended = reader.end(done, &mut thoughts);
        (thoughts, ended)
    }

    fn text(text: &str) -> Thought {
        Thought::Text(text.to_owned())
    }

    fn started(call: &str, name: &str) -> Thought {
        Thought::CallStarted { call: call.to_owned(), name: name.to_owned() }
    }

    fn arguments(json: &str) -> Thought {
        Thought::CallArguments(json.to_owned())
    }

    const STOP: Thought = Thought::Finished(Finish::Stop);

    #[test]
    fn words_then_usage_then_the_end() {
        let (thoughts, ended) = replay(include_str!("../../tests/exchanges/openai/openai-text.sse"));
        let usage = Thought::Usage(Usage { input_tokens: 19, cached_tokens: 8, output_tokens: 9 });
        assert_eq!(thoughts, [text("It is"), text(" sunny – 21 °C."), usage, STOP]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn calls_follow_each_other() {
        let (thoughts, _) = replay(include_str!("../../tests/exchanges/openai/openai-calls.sse"));
        let expected = [
            started("call_One", "get_weather"),
            arguments(r#"{"city":"#),
            arguments(r#""Rome"}"#),
            Thought::CallDone,
            started("call_Two", "get_time"),
            arguments("{}"),
            Thought::CallDone,
            STOP,
        ];
        assert_eq!(thoughts, expected);
    }

    #[test]
    fn whole_calls_with_one_index_are_told_apart_by_their_ids() {
        let (thoughts, _) = replay(include_str!("../../tests/exchanges/openai/ollama-calls.sse"));
        let expected = [
            started("call_aaa", "get_weather"),
            arguments(r#"{"city":"Rome"}"#),
            Thought::CallDone,
            started("call_bbb", "get_weather"),
            arguments(r#"{"city":"Oslo"}"#),
            Thought::CallDone,
            STOP,
        ];
        assert_eq!(thoughts, expected);
    }

    #[test]
    fn calls_without_index_and_id_get_distinct_ids() {
        let (thoughts, _) = replay(include_str!("../../tests/exchanges/openai/ollama-unindexed.sse"));
        let ids: Vec<_> = thoughts
            .iter()
            .filter_map(
                |thought| if let Thought::CallStarted { call, .. } = thought { Some(call.as_str()) } else { None },
            )
            .collect();
        let [first, second] = ids[..] else { panic!("{thoughts:?}") };
        assert!(first != second && first.len() <= LONGEST_ID && first.starts_with("call_"));
        assert!(thoughts.contains(&arguments(r#"{"city":"Oslo"}"#)));
    }

    #[test]
    fn a_repeated_name_is_not_another_call() {
        let (thoughts, _) = replay(include_str!("../../tests/exchanges/openai/llamacpp-call.sse"));
        let usage = Thought::Usage(Usage { input_tokens: 90, cached_tokens: 0, output_tokens: 12 });
        let expected =
            [started("lcpp1", "add"), arguments(r#"{"a":"#), arguments("2}"), Thought::CallDone, usage, STOP];
        assert_eq!(thoughts, expected);
    }

    #[test]
    fn reasoning_is_not_spoken_and_done_may_be_missing() {
        let (thoughts, ended) = replay(include_str!("../../tests/exchanges/openai/vllm-text.sse"));
        let usage = Thought::Usage(Usage { input_tokens: 5, cached_tokens: 0, output_tokens: 1 });
        assert_eq!(thoughts, [text("Hello"), usage, Thought::Finished(Finish::Length)]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn long_ids_are_shortened_the_same_way_each_time() {
        let exchange = include_str!("../../tests/exchanges/openai/vllm-call.sse");
        let (first, second) = (replay(exchange).0, replay(exchange).0);
        assert_eq!(first, second);
        assert!(matches!(&first[0], Thought::CallStarted { call, .. } if call.len() == 29));
    }

    #[test]
    fn an_error_midway_keeps_the_words_before_it_and_no_key() {
        let (thoughts, ended) = replay(include_str!("../../tests/exchanges/openai/error-midway.sse"));
        assert_eq!(thoughts, [text("One ")]);
        let detail = "The server had an error while processing […] sorry.".to_owned();
        assert_eq!(ended, Err(Broken { kind: ErrorKind::Unavailable, detail }));
    }

    #[test]
    fn a_whole_answer_is_read_as_well() {
        let (mut reader, mut thoughts) = (Reader::default(), Vec::new());
        reader.read(include_str!("../../tests/exchanges/openai/gateway-whole.json"), &mut thoughts).unwrap();
        reader.end(false, &mut thoughts).unwrap();
        assert_eq!(thoughts[0], text("All at once."));
        assert_eq!(thoughts.last(), Some(&STOP));
    }

    #[test]
    fn a_reply_cut_anywhere_is_an_error_or_whole() {
        let exchange = include_str!("../../tests/exchanges/openai/openai-calls.sse");
        let whole = replay(exchange).0;
        for cut in (0..exchange.len()).filter(|cut| exchange.is_char_boundary(*cut)) {
            let (thoughts, ended) = replay(&exchange[..cut]);
            match ended {
                Ok(()) => assert_eq!(thoughts, whole, "cut at {cut}"),
                Err(broken) => assert_eq!(broken.kind, ErrorKind::Protocol, "cut at {cut}"),
            }
        }
    }

    #[test]
    fn errors_are_sorted_by_what_one_can_do() {
        for (data, kind) in [
            (r#"{"error":{"code":"rate_limit_exceeded","message":"slow down"}}"#, ErrorKind::RateLimited),
            (r#"{"error":{"type":"invalid_request_error","message":"bad"}}"#, ErrorKind::Rejected),
            (r#"{"error":{"code":"invalid_api_key"}}"#, ErrorKind::Unauthorized),
            (r#"{"error":{"code":503,"message":"loading model","type":"unavailable_error"}}"#, ErrorKind::Unavailable),
            (r#"{"error":{"code":400,"message":"context too long"}}"#, ErrorKind::Rejected),
            (r#"{"error":"model runner crashed"}"#, ErrorKind::Unavailable),
            (r#"{"object":"error","message":"nope","code":40303}"#, ErrorKind::Unavailable),
            ("not json", ErrorKind::Protocol),
            ("[]", ErrorKind::Protocol),
            (r#"{"choices":[{"delta":{"content":5}}]}"#, ErrorKind::Protocol),
        ] {
            let broken = Reader::default().read(data, &mut Vec::new()).unwrap_err();
            assert_eq!(broken.kind, kind, "{data}");
        }
    }

    proptest::proptest! {
        #[test]
        fn calls_never_interleave_whatever_comes(parts in proptest::collection::vec(
            (proptest::option::of(0u64..3), "(|a|b)", "(|f|g)", "(|\\{\\}|\\{|x)", proptest::bool::ANY), 0..12,
        )) {
            let (mut reader, mut thoughts) = (Reader::default(), Vec::new());
            for (index, id, name, arguments, words) in parts {
                let content = if words { "w" } else { "" };
                let call = serde_json::json!({"index": index, "id": id, "function": {"name": name, "arguments": arguments}});
                let chunk = serde_json::json!({"id": "c", "choices": [{"delta": {"content": content, "tool_calls": [call]}}]});
                if reader.read(&chunk.to_string(), &mut thoughts).is_err() {
                    break;
                }
            }
            let mut open = false;
            for thought in thoughts {
                match thought {
                    Thought::CallStarted { call, .. } => {
                        proptest::prop_assert!(!open && !call.is_empty());
                        open = true;
                    }
                    Thought::CallArguments(_) => proptest::prop_assert!(open),
                    Thought::CallDone => proptest::prop_assert!(std::mem::take(&mut open)),
                    Thought::Text(_) => proptest::prop_assert!(!open),
                    Thought::Usage(_) | Thought::Finished(_) => {}
                }
            }
        }
    }
}
