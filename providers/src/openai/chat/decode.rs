//! Chunks of a reply as thoughts, whichever server wrote them.
//!
//! The differences borne here, each with a test: calls without an index (ollama/ollama#7881) or all with index 0
//! (ollama/ollama#15457); a whole call in one chunk; arguments as an object, not as text; a name repeated in every
//! chunk (reported in ggml-org/llama.cpp#12379); `choices` null or missing beside `usage`, where OpenAI has an empty list;
//! ids longer than the 32 characters that Realtime clients accept, or none; a plain answer where a stream was asked for;
//! errors in the midst.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::hush::Hush;
use crate::{
    ErrorKind,
    dialogue::{Draft, Echoes, fitting},
    llm::{Finish, Thought, Usage},
    net::events::{self, Broken, Progress},
};

/// Chunks in, thoughts out. Text and calls leave at once; usage and the end wait for the stream's.
#[derive(Default, Debug)]
pub(crate) struct Reader {
    draft: Draft,
    hush: Hush,
    call: Option<Running>,
    /// Where reasoning is kept that the server wants back with its calls.
    echoes: Option<Arc<Echoes>>,
    reasoning: String,
    done: bool,
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

impl events::Reader for Reader {
    type Item = Thought;

    fn read(&mut self, data: &str, out: &mut Vec<Thought>) -> Result<Progress, Broken> {
        if data == "[DONE]" {
            self.done = true;
            return Ok(Progress::Done);
        }
        self.chunk(data, out)?;
        Ok(self.draft.progress())
    }

    fn end(&mut self, out: &mut Vec<Thought>) -> Result<(), Broken> {
        // A server that says it is done, and not why, has said all.
        if self.done && self.call.is_none() && self.draft.progress() == Progress::Open {
            self.draft.finish(Finish::Stop, out);
        }
        self.draft.end(out)
    }
}

impl Reader {
    /// A reader that keeps reasoning for the calls it leads to.
    pub(crate) fn new(echoes: Option<Arc<Echoes>>) -> Self {
        Self { echoes, ..Self::default() }
    }

    /// Reads one chunk, or a whole answer.
    fn chunk(&mut self, data: &str, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| Broken::unreadable(&error))?;
        if let Some(error) = chunk.error {
            return Err(refused(&error));
        }
        if chunk.object.as_deref() == Some("error") {
            return Err(refused(&Value::String(chunk.message.unwrap_or_default())));
        }
        if let Some(usage) = chunk.usage {
            self.draft.cost(usage.into());
        }
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index.unwrap_or(0) == 0) {
            for delta in choice.delta.into_iter().chain(choice.message) {
                self.delta(delta, out)?;
            }
            if let Some(reason) = choice.finish_reason {
                let held = self.hush.rest();
                self.say(&held, out);
                self.close(out);
                self.draft.finish(finish(&reason)?, out);
            }
        }
        Ok(())
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<Thought>) -> Result<(), Broken> {
        if let (Some(_), Some(reasoning)) = (&self.echoes, delta.reasoning_content) {
            self.reasoning.push_str(&reasoning);
        }
        let content = delta.content.map(|text| self.hush.pass(&text));
        for text in [content, delta.refusal].into_iter().flatten() {
            self.say(&text, out);
        }
        for part in delta.tool_calls.into_iter().flatten() {
            self.part(part, out)?;
        }
        Ok(())
    }

    fn say(&mut self, text: &str, out: &mut Vec<Thought>) {
        if !text.is_empty() {
            self.close(out);
            self.draft.say(text, out);
        }
    }

    fn part(&mut self, part: Part, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let function = part.function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let id = part.id.unwrap_or_default();
        if let (Some(running), Some(index)) = (self.call.as_ref().and_then(|call| call.index), part.index)
            && index < running
        {
            return Err(Broken::protocol("calls interleave"));
        }
        if self.call.as_ref().is_none_or(|call| call.ends_before(part.index, &id, &name)) {
            self.close(out);
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
        self.tell(out);
        Ok(())
    }

    /// Starts the call once its name is known, then hands on the arguments that came since.
    fn tell(&mut self, out: &mut Vec<Thought>) {
        let Some(call) = self.call.as_mut().filter(|call| !call.name.is_empty()) else { return };
        if !std::mem::replace(&mut call.started, true) {
            let id = fitting(&call.id);
            if let Some(echoes) = &self.echoes {
                echoes.keep(&id, &self.reasoning);
            }
            self.draft.call(id, &call.name, out);
        }
        self.draft.arguments(&call.arguments[call.told..], out);
        call.told = call.arguments.len();
    }

    fn close(&mut self, out: &mut Vec<Thought>) {
        self.call = None;
        self.draft.close(out);
    }
}

/// Why a reply ended. DeepSeek gives up in the midst where it lacks resources.
fn finish(reason: &str) -> Result<Finish, Broken> {
    match reason {
        "length" => Ok(Finish::Length),
        "content_filter" => Ok(Finish::ContentFilter),
        "insufficient_system_resource" => {
            Err(Broken::new(ErrorKind::Unavailable, "the server ran out of resources in the midst of the reply"))
        }
        _ => Ok(Finish::Stop),
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
}

/// What an error object means, by its code and type.
pub(crate) fn refused(error: &Value) -> Broken {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let status = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = status.and_then(|code| reqwest::StatusCode::from_u16(code).ok()).filter(|code| code.as_u16() >= 400);
    let kind = match (text("code"), text("type")) {
        ("rate_limit_exceeded" | "insufficient_quota", _) | (_, "rate_limit_error" | "insufficient_quota") => {
            ErrorKind::RateLimited
        }
        ("invalid_api_key", _) | (_, "authentication_error") => ErrorKind::Unauthorized,
        ("invalid_prompt", _) | (_, "invalid_request_error" | "BadRequestError" | "NotFoundError") => {
            ErrorKind::Rejected
        }
        _ => status.map_or(ErrorKind::Unavailable, crate::net::http::kind_of),
    };
    let message = error.as_str().unwrap_or_else(|| text("message"));
    Broken::new(kind, message)
}

#[derive(Deserialize)]
struct Chunk {
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
    reasoning_content: Option<String>,
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
    /// DeepSeek's name for what others tell in the details.
    prompt_cache_hit_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        let cached = counts.prompt_tokens_details.and_then(|details| details.cached_tokens);
        Self {
            input_tokens: counts.prompt_tokens.unwrap_or(0),
            cached_tokens: cached.or(counts.prompt_cache_hit_tokens).unwrap_or(0),
            output_tokens: counts.completion_tokens.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::events::{Reader as _, replay_with};

    /// Everything a recorded answer leads to.
    fn replay(exchange: &str) -> (Vec<Thought>, Result<(), Broken>) {
        replay_with(&mut Reader::default(), exchange)
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
        let (thoughts, ended) = replay(include_str!("../../../tests/exchanges/openai/openai-text.sse"));
        let usage = Thought::Usage(Usage { input_tokens: 19, cached_tokens: 8, output_tokens: 9 });
        assert_eq!(thoughts, [text("It is"), text(" sunny – 21 °C."), usage, STOP]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn calls_follow_each_other() {
        let (thoughts, _) = replay(include_str!("../../../tests/exchanges/openai/openai-calls.sse"));
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
        let (thoughts, _) = replay(include_str!("../../../tests/exchanges/openai/ollama-calls.sse"));
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
        let (thoughts, _) = replay(include_str!("../../../tests/exchanges/openai/ollama-unindexed.sse"));
        let ids: Vec<_> = thoughts
            .iter()
            .filter_map(
                |thought| if let Thought::CallStarted { call, .. } = thought { Some(call.as_str()) } else { None },
            )
            .collect();
        let [first, second] = ids[..] else { panic!("{thoughts:?}") };
        assert!(first != second && first.len() <= 32 && first.starts_with("call_"));
        assert!(thoughts.contains(&arguments(r#"{"city":"Oslo"}"#)));
    }

    #[test]
    fn a_repeated_name_is_not_another_call() {
        let (thoughts, _) = replay(include_str!("../../../tests/exchanges/openai/llamacpp-call.sse"));
        let usage = Thought::Usage(Usage { input_tokens: 90, cached_tokens: 0, output_tokens: 12 });
        let expected =
            [started("lcpp1", "add"), arguments(r#"{"a":"#), arguments("2}"), Thought::CallDone, usage, STOP];
        assert_eq!(thoughts, expected);
    }

    #[test]
    fn reasoning_is_not_spoken_and_done_may_be_missing() {
        let (thoughts, ended) = replay(include_str!("../../../tests/exchanges/openai/vllm-text.sse"));
        let usage = Thought::Usage(Usage { input_tokens: 5, cached_tokens: 0, output_tokens: 1 });
        assert_eq!(thoughts, [text("Hello"), usage, Thought::Finished(Finish::Length)]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn long_ids_are_shortened_the_same_way_each_time() {
        let exchange = include_str!("../../../tests/exchanges/openai/vllm-call.sse");
        let (first, second) = (replay(exchange).0, replay(exchange).0);
        assert_eq!(first, second);
        assert!(matches!(&first[0], Thought::CallStarted { call, .. } if call.len() == 29));
    }

    #[test]
    fn an_error_midway_keeps_the_words_before_it_and_no_key() {
        let (thoughts, ended) = replay(include_str!("../../../tests/exchanges/openai/error-midway.sse"));
        assert_eq!(thoughts, [text("One ")]);
        let detail = "The server had an error while processing […] sorry.".to_owned();
        assert_eq!(ended, Err(Broken { kind: ErrorKind::Unavailable, detail }));
    }

    #[test]
    fn a_whole_answer_is_read_as_well() {
        let (mut reader, mut thoughts) = (Reader::default(), Vec::new());
        reader.read(include_str!("../../../tests/exchanges/openai/gateway-whole.json"), &mut thoughts).unwrap();
        reader.end(&mut thoughts).unwrap();
        assert_eq!(thoughts[0], text("All at once."));
        assert_eq!(thoughts.last(), Some(&STOP));
    }

    #[test]
    fn a_reply_cut_anywhere_is_an_error_or_whole() {
        let exchange = include_str!("../../../tests/exchanges/openai/openai-calls.sse");
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
            (
                r#"{"choices":[{"delta":{"content":"It"},"finish_reason":"insufficient_system_resource"}]}"#,
                ErrorKind::Unavailable,
            ),
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
                    Thought::Text(_) | Thought::Cited(_) | Thought::Acted(_) => proptest::prop_assert!(!open),
                    Thought::Usage(_) | Thought::Finished(_) => {}
                }
            }
        }
    }
}
