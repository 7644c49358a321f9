//! Events of a message as thoughts.
//!
//! Thinking, citations and the blocks of hosted tools are not spoken; pings and events of unknown types are skipped.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    ErrorKind,
    dialogue::{Draft, fitting},
    llm::{Finish, Thought, Usage},
    net::events::{self, Broken, Progress, Verdict},
};

/// Events in, thoughts out.
#[derive(Default, Debug)]
pub(in crate::anthropic) struct Reader {
    draft: Draft,
    call: Option<Running>,
    counts: Counts,
    done: bool,
}

/// The call being written.
#[derive(Debug)]
struct Running {
    /// Of its block.
    index: u64,
    /// Arguments told whole at its start; pieces replace them.
    input: String,
}

impl events::Reader for Reader {
    type Item = Thought;

    fn read(&mut self, data: &str, out: &mut Vec<Thought>) -> Result<Progress, Broken> {
        match serde_json::from_str(data).map_err(|error| Broken::unreadable(&error))? {
            Event::MessageStart { message } => self.count(message.usage),
            Event::ContentBlockStart { index, content_block } => self.begin(index, content_block, out),
            Event::ContentBlockDelta { index, delta } => self.delta(index, &delta, out)?,
            Event::ContentBlockStop { index } => self.stop(index, out),
            Event::MessageDelta { delta, usage } => {
                self.count(usage);
                if let Some(reason) = delta.stop_reason {
                    self.draft.finish(finish(&reason), out);
                }
            }
            Event::MessageStop => self.done = true,
            Event::Error { error } => {
                let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
                return Err(Broken::new(kind_of(&error).unwrap_or(ErrorKind::Unavailable), message));
            }
            Event::Other => {}
        }
        Ok(if self.done { Progress::Done } else { self.draft.progress() })
    }

    fn end(&mut self, out: &mut Vec<Thought>) -> Result<(), Broken> {
        self.draft.end(out)
    }
}

impl Reader {
    fn begin(&mut self, index: u64, block: Block, out: &mut Vec<Thought>) {
        match block {
            Block::Text { text } => self.draft.say(&text, out),
            Block::ToolUse { id, name, input } => {
                self.draft.call(fitting(&id), &name, out);
                let whole = input.as_object().filter(|input| !input.is_empty());
                let input = whole.map(|_| input.to_string()).unwrap_or_default();
                self.call = Some(Running { index, input });
            }
            Block::Other => {}
        }
    }

    fn delta(&mut self, index: u64, delta: &Delta, out: &mut Vec<Thought>) -> Result<(), Broken> {
        match delta {
            Delta::Text { .. } if self.draft.calling() => return Err(Broken::protocol("blocks interleave")),
            Delta::Text { text } => self.draft.say(text, out),
            Delta::Input { partial_json } => {
                // Those of hosted tools are the vendor's own business.
                if let Some(call) = self.call.as_mut().filter(|call| call.index == index && !partial_json.is_empty()) {
                    call.input.clear();
                    self.draft.arguments(partial_json, out);
                }
            }
            Delta::Other => {}
        }
        Ok(())
    }

    fn stop(&mut self, index: u64, out: &mut Vec<Thought>) {
        if let Some(call) = self.call.take_if(|call| call.index == index) {
            self.draft.arguments(&call.input, out);
            self.draft.close(out);
        }
    }

    /// Counts are cumulative: a later one replaces an earlier one.
    fn count(&mut self, told: Option<Counts>) {
        let Some(told) = told else { return };
        let counts = &mut self.counts;
        counts.input_tokens = told.input_tokens.or(counts.input_tokens);
        counts.cache_creation_input_tokens = told.cache_creation_input_tokens.or(counts.cache_creation_input_tokens);
        counts.cache_read_input_tokens = told.cache_read_input_tokens.or(counts.cache_read_input_tokens);
        counts.output_tokens = told.output_tokens.or(counts.output_tokens);
        self.draft.cost(counts.usage());
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::ContentFilter,
        // end_turn, tool_use, stop_sequence, pause_turn.
        _ => Finish::Stop,
    }
}

/// What the body of a refusal means.
pub(in crate::anthropic) fn verdict(body: &Value) -> Option<Verdict> {
    Some(Verdict { kind: kind_of(body.get("error")?)?, retry_after: None })
}

/// What an error object means, by its type.
fn kind_of(error: &Value) -> Option<ErrorKind> {
    match error.get("type")?.as_str()? {
        // A spent balance is told as an invalid request.
        "invalid_request_error" if is_about_money(error) => Some(ErrorKind::RateLimited),
        "rate_limit_error" | "billing_error" => Some(ErrorKind::RateLimited),
        "authentication_error" | "permission_error" => Some(ErrorKind::Unauthorized),
        "overloaded_error" | "api_error" => Some(ErrorKind::Unavailable),
        "timeout_error" => Some(ErrorKind::Timeout),
        "invalid_request_error" | "not_found_error" | "request_too_large" => Some(ErrorKind::Rejected),
        _ => None,
    }
}

fn is_about_money(error: &Value) -> bool {
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    message.contains("credit balance")
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Message,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    ContentBlockStop {
        index: u64,
    },
    MessageDelta {
        delta: Stop,
        usage: Option<Counts>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Message {
    usage: Option<Counts>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Stop {
    stop_reason: Option<String>,
}

#[derive(Deserialize, Default, Debug)]
struct Counts {
    input_tokens: Option<u32>,
    cache_creation_input_tokens: Option<u32>,
    cache_read_input_tokens: Option<u32>,
    output_tokens: Option<u32>,
}

impl Counts {
    /// The vendor counts what it read from and wrote to its cache apart from the rest.
    fn usage(&self) -> Usage {
        let cached = self.cache_read_input_tokens.unwrap_or(0);
        let fresh = self.input_tokens.unwrap_or(0).saturating_add(self.cache_creation_input_tokens.unwrap_or(0));
        Usage {
            input_tokens: fresh.saturating_add(cached),
            cached_tokens: cached,
            output_tokens: self.output_tokens.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::events::{Reader as _, replay_with};

    fn replay(exchange: &str) -> (Vec<Thought>, Result<(), Broken>) {
        replay_with(&mut Reader::default(), exchange)
    }

    fn text(text: &str) -> Thought {
        Thought::Text(text.to_owned())
    }

    fn arguments(json: &str) -> Thought {
        Thought::CallArguments(json.to_owned())
    }

    const TEXT: &str = include_str!("../../../tests/exchanges/anthropic/text.sse");
    const CALLS: &str = include_str!("../../../tests/exchanges/anthropic/calls.sse");

    #[test]
    fn words_then_usage_then_the_end() {
        let (thoughts, ended) = replay(TEXT);
        let usage = Thought::Usage(Usage { input_tokens: 125, cached_tokens: 100, output_tokens: 15 });
        assert_eq!(thoughts, [text("It is"), text(" sunny – 21 °C."), usage, Thought::Finished(Finish::Stop)]);
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn thinking_is_silent_and_calls_follow_each_other() {
        let (thoughts, ended) = replay(CALLS);
        let started = |call: &str| Thought::CallStarted { call: call.to_owned(), name: "get_weather".to_owned() };
        let expected = [
            text("Let me look."),
            started("toolu_01One"),
            arguments(r#"{"city": "Ro"#),
            arguments(r#"me"}"#),
            Thought::CallDone,
            started("toolu_01Two"),
            arguments("{}"),
            Thought::CallDone,
            Thought::Usage(Usage { input_tokens: 472, cached_tokens: 0, output_tokens: 89 }),
            Thought::Finished(Finish::Stop),
        ];
        assert_eq!((thoughts.as_slice(), ended), (&expected[..], Ok(())));
    }

    #[test]
    fn a_refusal_is_a_filter_and_a_limit_a_length() {
        let (thoughts, _) = replay(include_str!("../../../tests/exchanges/anthropic/refusal.sse"));
        assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::ContentFilter)));
        let (thoughts, _) = replay(&TEXT.replace("end_turn", "max_tokens"));
        assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::Length)));
    }

    #[test]
    fn an_error_midway_keeps_the_words_before_it() {
        let (thoughts, ended) = replay(include_str!("../../../tests/exchanges/anthropic/error-midway.sse"));
        assert_eq!(thoughts, [text("It is")]);
        assert_eq!(ended, Err(Broken { kind: ErrorKind::Unavailable, detail: "Overloaded".to_owned() }));
    }

    #[test]
    fn errors_are_sorted_by_what_one_can_do() {
        for (kind, expected) in [
            ("rate_limit_error", ErrorKind::RateLimited),
            ("billing_error", ErrorKind::RateLimited),
            ("authentication_error", ErrorKind::Unauthorized),
            ("permission_error", ErrorKind::Unauthorized),
            ("overloaded_error", ErrorKind::Unavailable),
            ("api_error", ErrorKind::Unavailable),
            ("timeout_error", ErrorKind::Timeout),
            ("not_found_error", ErrorKind::Rejected),
            ("request_too_large", ErrorKind::Rejected),
        ] {
            let body = serde_json::json!({"type": "error", "error": {"type": kind, "message": "m"}});
            assert_eq!(verdict(&body).unwrap().kind, expected, "{kind}");
            let broken = Reader::default().read(&body.to_string(), &mut Vec::new()).unwrap_err();
            assert_eq!(broken.kind, expected, "{kind}");
        }
        let message = "Your credit balance is too low to access the Anthropic API.";
        let body = serde_json::json!({"error": {"type": "invalid_request_error", "message": message}});
        assert_eq!(verdict(&body).unwrap().kind, ErrorKind::RateLimited);
        assert_eq!(verdict(&serde_json::json!({"error": {"type": "shiny_error"}})), None);
        for broken in ["not json", "{}", r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}"#] {
            let error = Reader::default().read(broken, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Protocol, "{broken}");
        }
    }

    #[test]
    fn a_reply_cut_anywhere_is_an_error_or_whole() {
        for exchange in [TEXT, CALLS] {
            let whole = replay(exchange).0;
            for cut in (0..exchange.len()).filter(|cut| exchange.is_char_boundary(*cut)) {
                match replay(&exchange[..cut]) {
                    (thoughts, Ok(())) => assert_eq!(thoughts, whole, "cut at {cut}"),
                    (_, Err(broken)) => assert_eq!(broken.kind, ErrorKind::Protocol, "cut at {cut}"),
                }
            }
        }
    }
}
