//! A service of the operator's as a tool: one request a call.

use futures_util::{FutureExt, future::BoxFuture};
use providers::{
    Json,
    llm::{Call, Tool},
    tool::{ActState, Offered, Ran},
};
use reqwest::{
    Client, RequestBuilder, Response,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{
    arguments,
    config::{Http, Method},
    remote::Remote,
    words,
};

/// Bytes of an answer that are read: more than a model is told of.
const LARGEST: usize = 64 << 10;
/// Characters of a refusal that are told.
const REFUSAL: usize = 500;

/// A service that can be called.
pub(super) struct Service {
    config: Http,
    schema: Value,
    client: Client,
}

impl Service {
    /// The service of this configuration.
    ///
    /// # Errors
    /// It cannot be called as it is configured: why.
    pub(super) fn new(config: &Http) -> Result<Self, String> {
        let told = |why: &dyn std::fmt::Display| format!("the tool `{}`: {why}", config.name);
        let mut headers = HeaderMap::new();
        let secret = config.secret.expose_secret();
        if !secret.is_empty() {
            let text = if config.secret_header.is_empty() { format!("Bearer {secret}") } else { secret.to_owned() };
            let mut value = HeaderValue::from_str(&text).map_err(|_| told(&"its secret cannot stand in a header"))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(config.header().as_bytes()).map_err(|error| told(&error))?, value);
        }
        // A secret is for the address that was configured, not for where that points.
        let client = Client::builder().redirect(Policy::none()).timeout(config.timeout()).default_headers(headers);
        let client = client.build().map_err(|error| told(&error))?;
        let mut schema = serde_json::to_value(&config.parameters).map_err(|error| told(&error))?;
        if let Some(members) = schema.as_object_mut() {
            members.entry("type").or_insert(json!("object"));
            members.entry("properties").or_insert(json!({}));
        }
        Ok(Self { config: config.clone(), schema, client })
    }

    fn read(&self, call: &Call) -> Result<Map<String, Value>, String> {
        let members = arguments::object(&call.arguments)?;
        arguments::fit(&members, &self.schema)?;
        Ok(members)
    }

    fn request(&self, arguments: Map<String, Value>, once: Option<&str>) -> RequestBuilder {
        let request = match self.config.method {
            Method::Get => {
                let flat = |value: Value| match value {
                    Value::String(text) => text,
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        value.to_string()
                    }
                };
                let query: Vec<_> = arguments.into_iter().map(|(name, value)| (name, flat(value))).collect();
                self.client.get(&self.config.url).query(&query)
            }
            Method::Post => self.client.post(&self.config.url).json(&arguments),
        };
        match once {
            Some(once) => request.header("idempotency-key", once),
            None => request,
        }
    }

    async fn ask(&self, call: &Call, once: Option<&str>) -> Ran {
        let arguments = match self.read(call) {
            Ok(arguments) => arguments,
            Err(why) => return Ran::failed(why),
        };
        let response = match self.request(arguments, once).send().await {
            Ok(response) => response,
            Err(error) => return self.lost(&error),
        };
        let status = response.status();
        match body(response).await {
            Ok(text) if status.is_success() => Ran::done(if text.is_empty() { "Done.".to_owned() } else { text }),
            Ok(text) => {
                let text: String = text.chars().take(REFUSAL).collect();
                Ran::failed(format!("the service refused it with status {}: {text}", status.as_u16()))
            }
            Err(error) => self.lost(&error),
        }
    }

    /// No answer came. Of what changes something nobody knows then whether it was done, once it was sent.
    fn lost(&self, error: &reqwest::Error) -> Ran {
        tracing::warn!(
            tool = self.config.name,
            timeout = error.is_timeout(),
            connect = error.is_connect(),
            "a tool failed"
        );
        let why =
            if error.is_timeout() { "the service gave no answer in time" } else { "the service cannot be reached" };
        let ran = Ran::failed(why);
        if !self.config.writes || error.is_connect() {
            return ran;
        }
        let output = format!("{}: it is not known whether it was done", ran.output);
        Ran { state: ActState::Unknown, output, ..ran }
    }
}

/// The beginning of an answer, as text.
async fn body(mut response: Response) -> Result<String, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk[..chunk.len().min(LARGEST - bytes.len())]);
        if bytes.len() == LARGEST {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Remote for Service {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn offered(&self) -> Offered {
        let Http { name, description, writes, confidential, .. } = &self.config;
        let parameters = Json::from_checked(self.schema.to_string());
        let tool = Tool { name: name.clone(), description: description.clone(), parameters };
        Offered { tool, writes: *writes, confidential: *confidential }
    }

    fn writes(&self) -> bool {
        self.config.writes
    }

    fn propose(&self, call: &Call) -> Result<(String, String), String> {
        let members = self.read(call)?;
        let change = words::spoken(&self.config.name, &members);
        Ok((Value::Object(members).to_string(), change))
    }

    fn run<'a>(&'a self, call: &'a Call, once: Option<&'a str>) -> BoxFuture<'a, Ran> {
        self.ask(call, once).boxed()
    }
}
