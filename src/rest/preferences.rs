//! How a conversation is led: instructions, voice, language and the like, for all that is said in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};

use super::{Context, body::given, fault::Fault, opening, transcriptions};
use crate::{
    chat::{self, Lead},
    realtime::{RELAY, protocol::Query, session::settings::Settings},
};

/// What may be chosen; what is absent is the relay's choice.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Settings")]
pub(super) struct Preferences {
    /// What the assistant is told to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instructions: Option<String>,
    /// Which model answers, by a name of `/v1/models`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    /// The voice's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) voice: Option<String>,
    /// How fast it speaks, 0.25 to 1.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speed: Option<f64>,
    /// The language that is spoken, a BCP 47 tag; absent: it is detected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
    /// How freely the model chooses its words, 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
}

impl Preferences {
    /// As a conversation keeps them. What this version does not know is left out.
    pub(super) fn kept(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// These, and what they leave open as `others` have it.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            instructions: self.instructions.or(others.instructions),
            model: self.model.or(others.model),
            voice: self.voice.or(others.voice),
            speed: self.speed.or(others.speed),
            language: self.language.or(others.language),
            temperature: self.temperature.or(others.temperature),
        }
    }

    /// The settings of a voice session that is led so. `more` is a session object with what else is chosen.
    ///
    /// # Errors
    /// What is not offered here, told by the field's name in a body of ours.
    pub(super) fn settings(&self, context: &Context, more: Value) -> Result<Settings, Fault> {
        let language = self.language.clone().map(transcriptions::language).transpose()?.flatten();
        let mut session = json!({
            "type": "realtime",
            "model": self.model.as_deref().unwrap_or(RELAY),
            "audio": {"input": {"transcription": {}}, "output": {}},
        });
        let mut set = |pointer: &str, name: &str, value: Option<Value>| {
            if let (Some(Value::Object(object)), Some(value)) = (session.pointer_mut(pointer), value) {
                object.insert(name.to_owned(), value);
            }
        };
        set("", "instructions", self.instructions.as_deref().map(Value::from));
        set("", "temperature", self.temperature.map(Value::from));
        set("/audio/output", "voice", self.voice.as_deref().map(Value::from));
        set("/audio/output", "speed", self.speed.map(Value::from));
        set("/audio/input/transcription", "language", language.map(Value::from));
        if let Value::Object(more) = more {
            for (pointer, value) in more {
                let (object, name) = pointer.rsplit_once('/').unwrap_or(("", &pointer));
                set(object, name, Some(value));
            }
        }
        let raw = RawValue::from_string(session.to_string()).map_err(|error| {
            tracing::error!(%error, "a session object is not JSON");
            Fault::internal()
        })?;
        let query = Query::Conversation { model: None };
        opening::settings(context, &query, Some(&raw)).map_err(|fault| fault.spelled(last).unprocessable())
    }
}

impl Lead for Context {
    fn settings(&self, kept: &str) -> Result<Settings, chat::Error> {
        let settings = Preferences::kept(kept).settings(self, Value::Null);
        settings.map_err(|fault| fault.within("settings").unled())
    }
}

/// What of preferences changes: what is absent does not, null takes it out.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SettingsChange")]
pub(super) struct Changes {
    #[serde(default, deserialize_with = "given")]
    instructions: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    model: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    voice: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0.25, max = 1.5))]
    speed: Option<Option<f64>>,
    #[serde(default, deserialize_with = "given")]
    language: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0, max = 2))]
    temperature: Option<Option<f64>>,
}

impl Changes {
    /// As the members of an object, once they are seen to be offered here.
    pub(super) fn checked(self, context: &Context) -> Result<Map<String, Value>, Fault> {
        let Self { instructions, model, voice, speed, language, temperature } = self;
        let text = |name: &str, change: Option<Option<String>>| Some((name.to_owned(), change?.into()));
        let number = |name: &str, change: Option<Option<f64>>| Some((name.to_owned(), change?.into()));
        let members = [
            text("instructions", instructions),
            text("model", model),
            text("voice", voice),
            number("speed", speed),
            text("language", language),
            number("temperature", temperature),
        ];
        let members: Map<String, Value> = members.into_iter().flatten().collect();
        let chosen = Preferences::kept(&Value::Object(members.clone()).to_string());
        chosen.settings(context, Value::Null).map_err(|fault| fault.within("settings"))?;
        Ok(members)
    }
}

/// A field of the session object by its name in a body of ours.
fn last(path: &str) -> &str {
    match path.rsplit('.').next().unwrap_or(path) {
        "output_modalities" => "modalities",
        "threshold" => "vad_sensitivity",
        name => name,
    }
}
