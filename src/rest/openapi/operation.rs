//! One operation while it is described.

use axum::http::Method;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{document::Api, schema};
use crate::rest::fault::Dialect;

/// A method of a path. Once all is said it is among those described.
pub(in crate::rest) struct Operation<'a> {
    api: &'a mut Api,
    described: Described,
}

/// What was said of a method of a path: an Operation Object of OpenAPI.
pub(super) struct Described {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) value: Value,
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        let Described { method, path, value } = &mut self.described;
        let (method, path, value) = (method.clone(), *path, value.take());
        self.api.operations.push(Described { method, path, value });
    }
}

impl<'a> Operation<'a> {
    pub(super) fn new(api: &'a mut Api, described: Described) -> Self {
        Self { api, described }
    }

    /// What the summary does not say.
    pub(in crate::rest) fn more(mut self, text: &str) -> Self {
        self.value()["description"] = text.into();
        self
    }

    /// Whoever shows a credential is known, and nobody has to.
    pub(in crate::rest) fn open_to_all(mut self) -> Self {
        self.value()["x-known"] = true.into();
        self.refuses(401, "A credential is shown and is wrong.")
    }

    /// A parameter of the query.
    pub(in crate::rest) fn query(self, name: &str, schema: Value, text: &str) -> Self {
        self.parameter("query", name, schema, text)
    }

    /// A header that is looked at.
    pub(in crate::rest) fn header(self, name: &str, schema: Value, text: &str) -> Self {
        self.parameter("header", name, schema, text)
    }

    /// A part of the path that is no plain id.
    pub(in crate::rest) fn part(self, name: &str, schema: Value, text: &str) -> Self {
        self.parameter("path", name, schema, text)
    }

    fn parameter(mut self, place: &str, name: &str, schema: Value, text: &str) -> Self {
        let required = place == "path";
        let parameter = json!({"in": place, "name": name, "required": required, "schema": schema, "description": text});
        append(&mut self.value()["parameters"], parameter);
        self
    }

    /// A JSON body.
    pub(in crate::rest) fn takes<T: JsonSchema>(self, example: Value) -> Self {
        self.json_body::<T>(example, true)
    }

    /// A JSON body that may be left out.
    pub(in crate::rest) fn may_take<T: JsonSchema>(self, example: Value) -> Self {
        self.json_body::<T>(example, false)
    }

    fn json_body<T: JsonSchema>(self, example: Value, required: bool) -> Self {
        let schema = self.api.read.subschema_for::<T>().to_value();
        self.takes_as("application/json", schema, example, required)
            .refuses(400, "The body is no JSON, or broke off.")
            .refuses(415, "The body is not called `application/json`.")
            .refuses(422, "A field is unknown, missing, or cannot be what it is.")
    }

    /// A form of these parts, one of them a file.
    pub(in crate::rest) fn takes_form(self, properties: Value, required: &[&str]) -> Self {
        let schema = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        self.takes_as("multipart/form-data", schema, Value::Null, true)
            .refuses(400, "The body is no form, or broke off.")
            .refuses(415, "What is in the file is not taken here.")
            .refuses(422, "A part is unknown, missing, or cannot be what it is.")
    }

    /// A body of this media type.
    pub(in crate::rest) fn takes_as(mut self, media: &str, schema: Value, example: Value, required: bool) -> Self {
        let body = &mut self.value()["requestBody"];
        body["required"] = required.into();
        body["content"][media] = content(schema, example);
        self.refuses(408, "The body took too long to come.").refuses(413, "The body is larger than this route takes.")
    }

    /// JSON as it is written from `T`.
    pub(in crate::rest) fn gives<T: JsonSchema>(self, status: u16, text: &str, example: Value) -> Self {
        let schema = self.api.written.subschema_for::<T>().to_value();
        self.answers(status, "application/json", schema, text, example)
    }

    /// JSON of this schema.
    pub(in crate::rest) fn gives_as(self, status: u16, schema: Value, text: &str, example: Value) -> Self {
        self.answers(status, "application/json", schema, text, example)
    }

    /// A page of a list, and what asks for it.
    pub(in crate::rest) fn lists<T: JsonSchema>(self, text: &str, example: Value) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20});
        self.query("limit", limit, "How many at most.")
            .query("after", schema::text(), "The `next` of the page before.")
            .listed::<T>(text, example)
            .refuses(422, "A parameter is unknown, or cannot be what it is.")
    }

    /// A list that comes whole.
    pub(in crate::rest) fn listed<T: JsonSchema>(self, text: &str, example: Value) -> Self {
        let item = self.api.written.subschema_for::<T>().to_value();
        let schema = json!({
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": item},
                "next": {"type": ["string", "null"], "description": "Asks for the page behind this one; null: it is the last."},
            },
            "required": ["items", "next"],
        });
        self.answers(200, "application/json", schema, text, json!({"items": [example], "next": null}))
    }

    /// Bytes or text of this media type.
    pub(in crate::rest) fn sends(self, status: u16, media: &str, schema: Value, text: &str) -> Self {
        self.answers(status, media, schema, text, Value::Null)
    }

    /// It is done, and there is nothing to say.
    pub(in crate::rest) fn says_nothing(mut self, status: u16, text: &str) -> Self {
        self.value()["responses"][status.to_string()] = json!({"description": text});
        self
    }

    fn answers(mut self, status: u16, media: &str, schema: Value, text: &str, example: Value) -> Self {
        let response = &mut self.value()["responses"][status.to_string()];
        if response["description"].is_null() {
            response["description"] = text.into();
        }
        response["content"][media] = content(schema, example);
        self
    }

    /// A header of the answer with this status.
    pub(in crate::rest) fn with_header(mut self, status: u16, name: &str, text: &str) -> Self {
        self.value()["responses"][status.to_string()]["headers"][name] =
            json!({"description": text, "schema": schema::text()});
        self
    }

    /// A refusal, in the spelling of the path. Said twice, both reasons stand.
    pub(in crate::rest) fn refuses(mut self, status: u16, why: &str) -> Self {
        let dialect = Dialect::of(self.described.path);
        // OpenAI's clients know 400 for what is otherwise 422.
        let status = if dialect == Dialect::OpenAi && status == 422 { 400 } else { status };
        let response = &mut self.value()["responses"][status.to_string()];
        let why = match response["description"].as_str() {
            Some(said) if said.contains(why) => said.to_owned(),
            Some(said) => format!("{said} Or: {why}"),
            None => why.to_owned(),
        };
        *response = refusal(dialect, status, &why);
        self
    }

    /// What is in the answer goes into another operation: `parameter` is the expression at `pointer`.
    pub(in crate::rest) fn leads(mut self, status: u16, to: &str, parameter: &str, pointer: &str) -> Self {
        self.value()["responses"][status.to_string()]["links"][to] =
            json!({"operationId": to, "parameters": {parameter: format!("$response.body#{pointer}")}});
        self
    }

    fn value(&mut self) -> &mut Value {
        &mut self.described.value
    }
}

pub(super) fn refusal(dialect: Dialect, status: u16, why: &str) -> Value {
    let (media, name) = match dialect {
        Dialect::OpenAi => ("application/json", "OpenAiError"),
        Dialect::Problem => ("application/problem+json", "Problem"),
    };
    let schema = json!({"$ref": format!("#/components/schemas/{name}")});
    let mut refusal = json!({"description": why, "content": {media: {"schema": schema}}});
    let mut told = |name: &str, text: &str| {
        refusal["headers"][name] = json!({"description": text, "schema": schema::text()});
    };
    match status {
        401 => told("www-authenticate", "`Bearer`"),
        429 => told("retry-after", "Seconds to wait."),
        _ => {}
    }
    refusal
}

fn content(schema: Value, example: Value) -> Value {
    if example.is_null() { json!({"schema": schema}) } else { json!({"schema": schema, "example": example}) }
}

/// Adds to a list that may not have begun.
pub(super) fn append(list: &mut Value, item: Value) {
    if list.is_null() {
        *list = json!([]);
    }
    if let Value::Array(all) = list {
        all.push(item);
    }
}
