//! Events of a response as thoughts.
//!
//! Reasoning and the items of hosted tools are not spoken; events of unknown types are skipped.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    dialogue::{Draft, fitting},
    llm::{Finish, Thought, Usage},
    net::events::{self, Broken, Progress},
    openai::chat::refused,
};

/// Events in, thoughts out.
#[derive(Default, Debug)]
pub(crate) struct Reader {
    draft: Draft,
    call: Option<Running>,
    done: bool,
}

/// The call being written.
#[derive(Debug)]
struct Running {
    item: String,
    /// Arguments have come in pieces.
    told: bool,
}

impl events::Reader for Reader {
    type Item = Thought;

    fn read(&mut self, data: &str, out: &mut Vec<Thought>) -> Result<Progress, Broken> {
        if data == "[DONE]" {
            return Ok(Progress::Done);
        }
        match serde_json::from_str(data).map_err(|error| Broken::unreadable(&error))? {
            Event::Text { delta } | Event::Refusal { delta } => self.draft.say(&delta, out),
            Event::Begun { item: Item::Call(call) } => self.begin(&call, out),
            Event::Arguments { item_id, delta } => self.argue(&item_id, &delta, out)?,
            Event::Complete { item: Item::Call(call) } => self.settle(&call, out),
            Event::Completed { response } | Event::Incomplete { response } => self.finish(response, out),
            Event::Failed { response } => return Err(refused(&response.error.unwrap_or_default())),
            Event::Error { error, code, message } => {
                return Err(refused(&error.unwrap_or_else(|| json!({"code": code, "message": message}))));
            }
            Event::Begun { item: Item::Other } | Event::Complete { item: Item::Other } | Event::Other => {}
        }
        Ok(if self.done { Progress::Done } else { self.draft.progress() })
    }

    fn end(&mut self, out: &mut Vec<Thought>) -> Result<(), Broken> {
        self.draft.end(out)
    }
}

impl Reader {
    fn begin(&mut self, call: &Call, out: &mut Vec<Thought>) {
        self.draft.call(fitting(&call.call_id), &call.name, out);
        self.call = Some(Running { item: call.id.clone().unwrap_or_default(), told: false });
    }

    fn argue(&mut self, item: &str, piece: &str, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let running = self.call.as_mut().filter(|call| call.item == item && self.draft.calling());
        let call = running.ok_or_else(|| Broken::protocol("calls interleave"))?;
        call.told |= !piece.is_empty();
        self.draft.arguments(piece, out);
        Ok(())
    }

    /// A call is complete. Servers that do not stream arguments tell them here; some tell whole calls only here.
    fn settle(&mut self, call: &Call, out: &mut Vec<Thought>) {
        if self.call.as_ref().is_none_or(|running| call.id.as_ref().is_some_and(|id| *id != running.item)) {
            self.begin(call, out);
        }
        if self.call.take().is_some_and(|running| !running.told) {
            self.draft.arguments(&call.arguments, out);
        }
        self.draft.close(out);
    }

    fn finish(&mut self, response: Response, out: &mut Vec<Thought>) {
        if let Some(counts) = response.usage {
            self.draft.cost(counts.into());
        }
        let reason = response.incomplete_details.and_then(|details| details.reason);
        let finish = match reason.as_deref() {
            Some("max_output_tokens") => Finish::Length,
            Some("content_filter") => Finish::ContentFilter,
            Some(_) | None => Finish::Stop,
        };
        self.draft.finish(finish, out);
        self.done = true;
    }
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.output_text.delta")]
    Text { delta: String },
    #[serde(rename = "response.refusal.delta")]
    Refusal { delta: String },
    #[serde(rename = "response.output_item.added")]
    Begun { item: Item },
    #[serde(rename = "response.function_call_arguments.delta")]
    Arguments { item_id: String, delta: String },
    #[serde(rename = "response.output_item.done")]
    Complete { item: Item },
    #[serde(rename = "response.completed")]
    Completed { response: Response },
    #[serde(rename = "response.incomplete")]
    Incomplete { response: Response },
    #[serde(rename = "response.failed")]
    Failed { response: Response },
    /// Documented with its fields on the event itself, and seen with them in an object.
    #[serde(rename = "error")]
    Error { error: Option<Value>, code: Option<String>, message: Option<String> },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Item {
    #[serde(rename = "function_call")]
    Call(Call),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Call {
    id: Option<String>,
    call_id: String,
    name: String,
    #[serde(default)]
    arguments: String,
}

#[derive(Deserialize)]
struct Response {
    usage: Option<Counts>,
    incomplete_details: Option<Incomplete>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Counts {
    input_tokens: Option<u32>,
    input_tokens_details: Option<Details>,
    output_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        Self {
            input_tokens: counts.input_tokens.unwrap_or(0),
            cached_tokens: counts.input_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
            output_tokens: counts.output_tokens.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ErrorKind,
        net::events::{Reader as _, replay_with},
    };

    fn replay(exchange: &str) -> (Vec<Thought>, Result<(), Broken>) {
        replay_with(&mut Reader::default(), exchange)
    }

    fn text(text: &str) -> Thought {
        Thought::Text(text.to_owned())
    }

    fn started(call: &str) -> Thought {
        Thought::CallStarted { call: call.to_owned(), name: "get_weather".to_owned() }
    }

    fn arguments(json: &str) -> Thought {
        Thought::CallArguments(json.to_owned())
    }

    #[test]
    fn words_then_usage_then_the_end() {
        let (thoughts, ended) = replay(include_str!("../../../tests/exchanges/openai/responses-text.sse"));
        let usage = Thought::Usage(Usage { input_tokens: 37, cached_tokens: 8, output_tokens: 11 });
        assert_eq!(thoughts, [text("It is"), text(" sunny."), usage, Thought::Finished(Finish::Stop)]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn calls_follow_each_other_and_reasoning_is_silent() {
        let (thoughts, _) = replay(include_str!("../../../tests/exchanges/openai/responses-calls.sse"));
        let expected = [
            started("call_One"),
            arguments(r#"{"city":"#),
            arguments(r#""Rome"}"#),
            Thought::CallDone,
            started("call_Two"),
            arguments(r#"{"city":"Oslo"}"#),
            Thought::CallDone,
            Thought::Usage(Usage { input_tokens: 84, cached_tokens: 0, output_tokens: 46 }),
            Thought::Finished(Finish::Stop),
        ];
        assert_eq!(thoughts, expected);
    }

    #[test]
    fn endings_are_told_apart() {
        let finished = |reason: &str| {
            let data = json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": reason}}});
            let (mut reader, mut thoughts) = (Reader::default(), Vec::new());
            assert_eq!(reader.read(&data.to_string(), &mut thoughts), Ok(Progress::Done));
            reader.end(&mut thoughts).unwrap();
            thoughts
        };
        assert_eq!(finished("max_output_tokens"), [Thought::Finished(Finish::Length)]);
        assert_eq!(finished("content_filter"), [Thought::Finished(Finish::ContentFilter)]);
    }

    #[test]
    fn errors_are_sorted_by_what_one_can_do() {
        for (data, kind) in [
            (
                r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"oops"}}}"#,
                ErrorKind::Unavailable,
            ),
            (r#"{"type":"error","code":"rate_limit_exceeded","message":"slow down"}"#, ErrorKind::RateLimited),
            (r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#, ErrorKind::Rejected),
            (r#"{"type":"response.function_call_arguments.delta","item_id":"x","delta":"{"}"#, ErrorKind::Protocol),
            (r#"{"type":"response.output_text.delta","delta":5}"#, ErrorKind::Protocol),
            ("not json", ErrorKind::Protocol),
        ] {
            let broken = Reader::default().read(data, &mut Vec::new()).unwrap_err();
            assert_eq!(broken.kind, kind, "{data}");
        }
        let unknown = r#"{"type":"response.shiny.delta","delta":{"new":1}}"#;
        assert_eq!(Reader::default().read(unknown, &mut Vec::new()), Ok(Progress::Open));
    }

    #[test]
    fn a_reply_cut_anywhere_is_an_error_or_whole() {
        let exchange = include_str!("../../../tests/exchanges/openai/responses-calls.sse");
        let whole = replay(exchange).0;
        for cut in (0..exchange.len()).filter(|cut| exchange.is_char_boundary(*cut)) {
            match replay(&exchange[..cut]) {
                (thoughts, Ok(())) => assert_eq!(thoughts, whole, "cut at {cut}"),
                (_, Err(broken)) => assert_eq!(broken.kind, ErrorKind::Protocol, "cut at {cut}"),
            }
        }
    }
}
