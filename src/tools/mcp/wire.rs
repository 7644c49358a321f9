//! The messages of the Model Context Protocol that tools take, as data: JSON-RPC 2.0 both ways.
//!
//! Two ages of the protocol are spoken: that of the handshake, up to 2025-11-25, and that in which each request says all itself,
//! from 2026-07-28 on. See <https://modelcontextprotocol.io/specification>.

use providers::{quoted::one_line, tool::Ran};
use serde_json::{Map, Value, json};

/// How a server is spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Age {
    /// After a handshake, in this version.
    Handshake(String),
    /// Without one.
    Stateless,
}

impl Age {
    /// The version, for headers.
    pub(super) fn version(&self) -> &str {
        match self {
            Self::Handshake(version) => version,
            Self::Stateless => STATELESS,
        }
    }
}

/// The newest version with a handshake, which servers of both ages know, and the first one without.
pub(super) const HANDSHAKE: &str = "2025-11-25";
const STATELESS: &str = "2026-07-28";

/// Why a request came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It was never sent.
    #[error("it cannot be reached: {0}")]
    Unreached(String),
    /// Nobody knows what became of it.
    #[error("{0}")]
    Lost(String),
    /// The server refused it.
    #[error("it refused with {code}: {message}")]
    Refused {
        /// JSON-RPC's, or HTTP's status.
        code: i64,
        /// In its words.
        message: String,
    },
}

/// A tool as a server lists it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) schema: Value,
    /// Whether the server says that it changes nothing.
    pub(super) reads: bool,
}

/// What begins a conversation of the older age.
pub(super) fn greeting() -> Value {
    json!({"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": client()})
}

/// A request.
pub(super) fn request(id: u64, method: &str, mut params: Value, age: Option<&Age>) -> Value {
    if age == Some(&Age::Stateless) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": STATELESS,
            "io.modelcontextprotocol/clientInfo": client(),
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// A word that wants no answer.
pub(super) fn notification(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": method})
}

/// The answer to request `id`, if this message is it. What servers say unasked is passed over.
pub(super) fn answer(message: &str, id: u64) -> Option<Result<Value, Fault>> {
    let mut message: Value = serde_json::from_str(message).ok()?;
    if message["id"] != id || message.get("method").is_some() {
        return None;
    }
    if let Some(error) = message.get("error") {
        let code = error["code"].as_i64().unwrap_or_default();
        let message = one_line(error["message"].as_str().unwrap_or_default()).chars().take(LONGEST_REFUSAL).collect();
        return Some(Err(Fault::Refused { code, message }));
    }
    Some(Ok(message["result"].take()))
}

/// A page of the list of tools, and where the next one begins.
pub(super) fn listed(result: &Value) -> (Vec<Listed>, Option<String>) {
    let tools = result["tools"].as_array().into_iter().flatten().filter_map(|tool| {
        let schema = tool.get("inputSchema").filter(|schema| schema.is_object())?;
        let text = |name: &str| tool[name].as_str().map(str::to_owned);
        Some(Listed {
            name: text("name")?,
            description: text("description").or_else(|| text("title")).unwrap_or_default(),
            schema: schema.clone(),
            reads: tool["annotations"]["readOnlyHint"] == true,
        })
    });
    (tools.collect(), result["nextCursor"].as_str().map(str::to_owned))
}

/// Calls a tool.
pub(super) fn call(name: &str, arguments: Map<String, Value>) -> Value {
    json!({"name": name, "arguments": arguments})
}

/// What came of a call: its texts, or else its data. Pictures and sounds are named only.
pub(super) fn outcome(result: &Value) -> Ran {
    let part = |part: &Value| match part["type"].as_str() {
        Some("text") => part["text"].as_str().map(str::to_owned),
        Some("resource") => part["resource"]["text"].as_str().map(str::to_owned),
        Some(other) => Some(format!("({other} that cannot be shown)")),
        None => None,
    };
    let texts: Vec<_> = result["content"].as_array().into_iter().flatten().filter_map(part).collect();
    let output = match result.get("structuredContent") {
        Some(data) if texts.is_empty() => data.to_string(),
        Some(_) | None if texts.is_empty() => "Done.".to_owned(),
        Some(_) | None => texts.join("\n"),
    };
    if result["isError"] == true {
        return Ran::failed(output);
    }
    if result["resultType"].as_str().is_some_and(|kind| kind != "complete") {
        return Ran::failed("the tool asks for more than can be given here");
    }
    Ran::done(output)
}

fn client() -> Value {
    json!({"name": "voice-relay", "version": env!("CARGO_PKG_VERSION")})
}

/// Characters of a refusal that are told.
const LONGEST_REFUSAL: usize = 500;

#[cfg(test)]
mod tests {
    use providers::tool::ActState;

    use super::*;

    #[test]
    fn an_answer_is_known_by_its_number_and_all_else_passed_over() {
        for other in [
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":8,"result":{}}"#,
            "no JSON",
        ] {
            assert_eq!(answer(other, 7), None, "{other}");
        }
        assert_eq!(answer(r#"{"jsonrpc":"2.0","id":7,"result":{"a":1}}"#, 7), Some(Ok(json!({"a": 1}))));
        let refused = answer(r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no\nsuch"}}"#, 7);
        assert_eq!(refused, Some(Err(Fault::Refused { code: -32601, message: "no such".into() })));
    }

    #[test]
    fn what_a_tool_gives_is_told_as_text() {
        let text = |result: Value| (outcome(&result).output, outcome(&result).state);
        let parts = json!({"content": [{"type": "text", "text": "a"}, {"type": "image", "data": "x"}]});
        assert_eq!(text(parts), ("a\n(image that cannot be shown)".into(), ActState::Done));
        assert_eq!(text(json!({"content": [], "structuredContent": {"b": 1}})), ("{\"b\":1}".into(), ActState::Done));
        let failed = json!({"content": [{"type": "text", "text": "no"}], "isError": true});
        assert_eq!(text(failed), ("Error: no".into(), ActState::Failed));
        assert_eq!(text(json!({"resultType": "input_required"})).1, ActState::Failed);
    }

    #[test]
    fn only_what_says_that_it_reads_is_taken_to_read() {
        let (tools, next) = listed(&json!({"nextCursor": "c", "tools": [
            {"name": "a", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}},
            {"name": "b", "title": "B", "inputSchema": {"type": "object"}},
            {"name": "c"},
        ]}));
        let told: Vec<_> = tools.iter().map(|tool| (&*tool.name, &*tool.description, tool.reads)).collect();
        assert_eq!((told, next.as_deref()), (vec![("a", "", true), ("b", "B", false)], Some("c")));
    }

    #[test]
    fn a_request_without_a_handshake_says_all_itself() {
        let asked = request(1, "tools/list", json!({}), Some(&Age::Stateless));
        assert_eq!(asked["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], STATELESS);
        assert_eq!(request(1, "tools/list", json!({}), Some(&Age::Handshake(HANDSHAKE.into())))["params"], json!({}));
    }
}
