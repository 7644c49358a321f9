//! What is told to the model, as client messages.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    dialogue::{Made, Part, Speaker, alternate},
    gemini::{
        live::Settings,
        wire::{function, response},
    },
    llm::{Message, Prompt, ToolChoice},
    net::pcm,
    realtime::Manner,
};

/// `setup`: how all replies are to be, with the vendor's own ear for turns off.
pub(in crate::gemini::live) fn setup(settings: &Settings, model: &str, manner: &Manner) -> String {
    let folder = if model.contains('/') { "" } else { "models/" };
    let mut setup = json!({
        "model": format!("{folder}{model}"),
        "generationConfig": {"responseModalities": ["TEXT"]},
        "realtimeInputConfig": {"automaticActivityDetection": {"disabled": true}},
        // Without it a conversation ends after a quarter of an hour.
        "contextWindowCompression": {"slidingWindow": {}},
    });
    if let Some(voice) = &manner.voice {
        let name = settings.voice(&voice.name);
        setup["generationConfig"] = json!({"responseModalities": ["AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": name}}}});
        setup["outputAudioTranscription"] = json!({});
    }
    if let Some(limit) = manner.max_output_tokens {
        setup["generationConfig"]["maxOutputTokens"] = json!(limit);
    }
    if !manner.instructions.trim().is_empty() {
        setup["systemInstruction"] = json!({"parts": [{"text": manner.instructions}]});
    }
    if !manner.tools.is_empty() && manner.tool_choice != ToolChoice::None {
        let functions: Vec<_> = manner.tools.iter().map(function).collect();
        setup["tools"] = json!([{"functionDeclarations": functions}]);
    }
    // It then waits for a history before it takes anything live.
    if settings.realtime_text {
        setup["historyConfig"] = json!({"initialHistoryInClientContent": true});
    }
    json!({"setup": setup}).to_string()
}

/// A conversation so far. What functions answered is told in words: a new conversation has made no calls.
pub(in crate::gemini::live) fn turns(history: &[Message]) -> Vec<Value> {
    if history.is_empty() {
        return Vec::new();
    }
    let prompt = Prompt { messages: history.to_vec(), ..Prompt::default() };
    let (instructions, turns) = alternate(&prompt);
    let mut out = Vec::new();
    if !instructions.is_empty() {
        out.push(turn("user", &format!("[Instructions] {instructions}")));
    }
    for told in &turns {
        let role = if told.speaker == Speaker::Person { "user" } else { "model" };
        let texts = told.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.to_string()),
            Part::Result(made) => Some(answered(made)),
            Part::Call(_) => None,
        });
        out.extend(texts.map(|text| turn(role, &text)));
    }
    // The person has the last word where the conversation is mended, whether they spoke or not.
    if !matches!(history.last(), Some(Message::User(_) | Message::System(_) | Message::Result { .. })) {
        let last = out.pop();
        out.extend(last.filter(|last| last["role"] == "model"));
    }
    out
}

fn answered(made: &Made<'_>) -> String {
    format!("[The function {} was called with {} and answered] {}", made.name, made.arguments, made.output)
}

/// One turn in words.
pub(in crate::gemini::live) fn turn(role: &str, text: &str) -> Value {
    json!({"role": role, "parts": [{"text": text}]})
}

/// `clientContent`; complete, it asks for a reply, or ends the first history.
pub(in crate::gemini::live) fn content(turns: &[Value], complete: bool) -> String {
    let mut content = json!({"turnComplete": complete});
    if !turns.is_empty() {
        content["turns"] = json!(turns);
    }
    json!({"clientContent": content}).to_string()
}

/// `realtimeInput` with sound.
pub(in crate::gemini::live) fn sound(samples: &[i16]) -> String {
    let mut bytes = Vec::with_capacity(samples.len() * 2);
    pcm::bytes(samples, &mut bytes);
    let mut message = String::with_capacity(bytes.len() * 4 / 3 + 96);
    message.push_str(r#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":""#);
    BASE64_STANDARD.encode_string(&bytes, &mut message);
    message.push_str(r#""}}}"#);
    message
}

/// `realtimeInput` with words.
pub(in crate::gemini::live) fn text(text: &str) -> String {
    json!({"realtimeInput": {"text": text}}).to_string()
}

/// The person begins.
pub(in crate::gemini::live) const fn activity_start() -> &'static str {
    r#"{"realtimeInput":{"activityStart":{}}}"#
}

/// The person has ended, and waits for an answer.
pub(in crate::gemini::live) const fn activity_end() -> &'static str {
    r#"{"realtimeInput":{"activityEnd":{}}}"#
}

/// A call with its function's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::gemini::live) struct Answered {
    /// The vendor's own id.
    pub(in crate::gemini::live) id: String,
    pub(in crate::gemini::live) name: String,
    pub(in crate::gemini::live) output: String,
}

/// `toolResponse`.
pub(in crate::gemini::live) fn results(all: &[Answered]) -> String {
    let result = |call: &Answered| {
        let mut out = json!({"name": call.name, "response": response(&call.output)});
        if !call.id.is_empty() {
            out["id"] = json!(call.id);
        }
        out
    };
    let all: Vec<_> = all.iter().map(result).collect();
    json!({"toolResponse": {"functionResponses": all}}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Json,
        llm::{Call, Tool},
        tts::Voice,
    };

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn set_up(settings: &Settings, manner: &Manner) -> Value {
        parsed(&setup(settings, "gemini-live", manner))["setup"].clone()
    }

    fn manner() -> Manner {
        let tool = Tool {
            name: "look".into(),
            description: "Looks.".into(),
            parameters: Json::from_checked(r#"{"type":"object","properties":{"at":{"type":["string","null"]}}}"#),
        };
        Manner {
            instructions: "Be kind.".into(),
            aside: None,
            tools: vec![tool],
            tool_choice: ToolChoice::Auto,
            voice: Some(Voice { name: "puck".into(), language: None, speed: 1.0 }),
            max_output_tokens: Some(300),
        }
    }

    #[test]
    fn a_conversation_is_set_up() {
        assert_eq!(
            set_up(&Settings::default(), &manner()),
            json!({
                "model": "models/gemini-live",
                "generationConfig": {"responseModalities": ["AUDIO"], "maxOutputTokens": 300,
                    "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}}}},
                "systemInstruction": {"parts": [{"text": "Be kind."}]},
                "tools": [{"functionDeclarations": [{"name": "look", "description": "Looks.", "parameters":
                    {"type": "object", "properties": {"at": {"type": "string", "nullable": true}}}}]}],
                "realtimeInputConfig": {"automaticActivityDetection": {"disabled": true}},
                "outputAudioTranscription": {},
                "contextWindowCompression": {"slidingWindow": {}},
                "historyConfig": {"initialHistoryInClientContent": true},
            })
        );
        let silent = Manner { voice: None, tool_choice: ToolChoice::None, ..manner() };
        let told = set_up(&Settings { realtime_text: false, ..Settings::default() }, &silent);
        assert_eq!(told["generationConfig"]["responseModalities"], json!(["TEXT"]));
        assert_eq!((told.get("tools"), told.get("outputAudioTranscription")), (None, None));
        assert_eq!(told.get("historyConfig"), None);
    }

    #[test]
    fn what_was_said_and_done_before_is_told_in_words() {
        let history = [
            Message::System("Be brief.".into()),
            Message::User("Look".into()),
            Message::Assistant("Looking.".into()),
            Message::Call(Call { call: "a".into(), name: "look".into(), arguments: "{}".into() }),
            Message::Result { call: "a".into(), output: "nothing".into() },
            Message::Assistant("I saw nothing.".into()),
        ];
        let told: Vec<_> = turns(&history)
            .iter()
            .map(|turn| format!("{}: {}", turn["role"].as_str().unwrap(), turn["parts"][0]["text"].as_str().unwrap()))
            .collect();
        let expected = [
            "user: [Instructions] Be brief.",
            "user: Look",
            "model: Looking.",
            "user: [The function look was called with {} and answered] nothing",
            "model: I saw nothing.",
        ];
        assert_eq!(told, expected);
        assert_eq!(turns(&[]), Vec::<Value>::new());
    }

    #[test]
    fn messages_have_the_documented_shape() {
        assert_eq!(content(&[], true), r#"{"clientContent":{"turnComplete":true}}"#);
        let asked = parsed(&content(&[turn("user", "Hi")], false));
        let expected = json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "turnComplete": false}});
        assert_eq!(asked, expected);
        let heard = parsed(&sound(&[1, -2]));
        assert_eq!(heard["realtimeInput"]["audio"], json!({"mimeType": "audio/pcm;rate=16000", "data": "AQD+/w=="}));
        let call = Answered { id: "c".into(), name: "look".into(), output: r#"{"seen":1}"#.into() };
        let told = parsed(&results(&[call]));
        let expected = json!({"functionResponses": [{"id": "c", "name": "look", "response": {"seen": 1}}]});
        assert_eq!(told["toolResponse"], expected);
    }
}
