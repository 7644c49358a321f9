//! The client's ear: reads every message that goes out and checks what holds for any of them.

use std::collections::BTreeSet;

use serde_json::Value;

/// Who reads what a session sends.
#[derive(Default)]
pub struct Listener {
    told: u64,
    /// Bytes the client has sent, which bound what it may be told in one message.
    taken: usize,
    /// What the event that is being answered calls itself.
    asked: Option<String>,
    /// Responses that began and are not done, and those that are.
    open: BTreeSet<String>,
    done: BTreeSet<String>,
    /// Items that were added and are not done.
    items: BTreeSet<String>,
}

/// What a message may hold beside what the client itself said: settings, and sound of 200 ms.
const ROOM: usize = 32 << 10;

/// Longest name of an event that is echoed.
const LONGEST_EVENT_ID: usize = 1024;

impl Listener {
    /// How many messages were heard.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// The client sends this; an error that comes next answers it.
    pub fn expects(&mut self, text: &str) {
        self.taken += text.len();
        let event: Option<Value> = serde_json::from_str(text).ok();
        let id = event.as_ref().and_then(|event| event.get("event_id")).and_then(Value::as_str);
        self.asked = id.filter(|id| id.len() * 6 < LONGEST_EVENT_ID).map(str::to_owned);
    }

    /// Errors from here on answer nobody.
    pub fn stops_expecting(&mut self) {
        self.asked = None;
    }

    /// A message arrives.
    pub fn hears(&mut self, text: &str) {
        assert!(text.len() <= ROOM + self.taken * 6, "{} bytes for {} sent", text.len(), self.taken);
        let event: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        self.told += 1;
        assert_eq!(event["event_id"], format!("event_{}", self.told));
        let kind = event["type"].as_str().expect("a type");
        match kind {
            "error" => self.refused(&event["error"]),
            "response.created" => {
                assert!(self.open.insert(id(&event["response"])), "created twice: {text}");
                assert_eq!(event["response"]["status"], "in_progress");
            }
            "response.done" => {
                let id = id(&event["response"]);
                assert!(self.open.remove(&id), "done without being created: {text}");
                self.done.insert(id);
            }
            "response.output_item.added" => {
                self.items.insert(id(&event["item"]));
            }
            "response.output_item.done" => {
                assert!(self.items.remove(&id(&event["item"])), "done without being added: {text}");
            }
            _ => {}
        }
        if let Some(response) = event.get("response_id").and_then(Value::as_str)
            && kind.starts_with("response.")
        {
            assert!(self.open.contains(response), "of a response that is not in progress: {text}");
        }
    }

    /// The session is over: all that began has ended.
    pub fn ends(&self) {
        assert!(self.open.is_empty(), "responses never done: {:?}", self.open);
        assert!(self.items.is_empty(), "items never done: {:?}", self.items);
    }

    fn refused(&self, error: &Value) {
        for member in ["type", "code", "message"] {
            assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {error}");
        }
        assert!(error.to_string().len() < 4096, "an error is short: {error}");
        if let Some(asked) = &self.asked {
            assert_eq!(error["event_id"], **asked, "{error}");
        }
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}
