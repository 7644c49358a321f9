//! `[tools]`: what models may have done here.

use std::{collections::BTreeSet, time::Duration};

use providers::{Secret, secret::hide};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{attachment, clinical, search};

/// Which tools there are. All of the relay's own are on: they do what the conversation's owner may do, and no more.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Search the knowledge base.
    pub search: bool,
    /// Read the conversation's files.
    pub attachments: bool,
    /// Read the clinical context.
    pub clinical: bool,
    /// Change the clinical context, when the person has agreed.
    pub clinical_updates: bool,
    /// Services of the operator's.
    pub http: Vec<Http>,
    /// Servers of the Model Context Protocol.
    pub mcp: Vec<Mcp>,
}

/// A tool that is a request to a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// What models call it.
    pub name: String,
    /// What it is for, in words for models.
    pub description: String,
    /// Where it is.
    pub url: String,
    /// How it is asked: arguments are the body of a POST, and the query of a GET.
    #[serde(default)]
    pub method: Method,
    /// JSON Schema of its arguments: an object.
    #[serde(default)]
    pub parameters: toml::Table,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "usual_timeout")]
    pub timeout_ms: u64,
    /// What opens it; empty: nothing.
    #[serde(default, serialize_with = "hide")]
    pub secret: Secret,
    /// The variable that `secret` is in, where the file is not to hold it.
    #[serde(default)]
    pub secret_env: String,
    /// The header that the secret is sent in; empty: as a bearer token.
    #[serde(default)]
    pub secret_header: String,
    /// Whether it changes something: then the person is asked first.
    #[serde(default = "yes")]
    pub writes: bool,
    /// Whether only cleared engines may know of it and read its answers.
    #[serde(default)]
    pub confidential: bool,
}

/// A server of the Model Context Protocol: at a URL, or a program that is started.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// What the names of its tools begin with: `label_tool`.
    pub label: String,
    /// Where it is, over streamable HTTP.
    #[serde(default)]
    pub url: String,
    /// What is shown to it as a bearer token; empty: nothing.
    #[serde(default, serialize_with = "hide")]
    pub secret: Secret,
    /// The variable that `secret` is in, where the file is not to hold it.
    #[serde(default)]
    pub secret_env: String,
    /// The program, in place of a URL.
    #[serde(default)]
    pub command: String,
    /// What the program is given.
    #[serde(default)]
    pub args: Vec<String>,
    /// The variables that the program gets of the relay's own, beside `PATH`: a secret stands in one of them.
    #[serde(default)]
    pub env: Vec<String>,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "usual_timeout")]
    pub timeout_ms: u64,
    /// Which of its tools may be used; empty: all.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Whether only cleared engines may know of its tools and read what they give.
    #[serde(default)]
    pub confidential: bool,
}

/// How a service is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Arguments in the query.
    Get,
    /// Arguments as a JSON body.
    #[default]
    Post,
}

const fn usual_timeout() -> u64 {
    10_000
}

const fn yes() -> bool {
    true
}

impl Default for Config {
    fn default() -> Self {
        Self {
            search: true,
            attachments: true,
            clinical: true,
            clinical_updates: true,
            http: Vec::new(),
            mcp: Vec::new(),
        }
    }
}

impl Config {
    /// Takes secrets that stand in variables.
    pub fn fill(&mut self, variable: impl Fn(&str) -> Option<String>) {
        let tools = self.http.iter_mut().map(|tool| (&tool.secret_env, &mut tool.secret));
        let servers = self.mcp.iter_mut().map(|server| (&server.secret_env, &mut server.secret));
        for (name, secret) in tools.chain(servers) {
            if let Some(found) = Some(name).filter(|name| !name.is_empty()).and_then(|name| variable(name)) {
                *secret = found.into();
            }
        }
    }

    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let mut names: BTreeSet<&str> = [search::NAME, attachment::NAME, clinical::READING, clinical::CHANGE].into();
        if self.http.len() > MOST {
            wrong.push(("http", format!("must be {MOST} tools at most")));
        }
        for tool in &self.http {
            let mut tell = |message: String| wrong.push(("http", format!("`{}` {message}", tool.name)));
            if !is_name(&tool.name) {
                tell("is no name of a tool: 1 to 64 letters, digits, _ and -".to_owned());
            }
            if !names.insert(&tool.name) {
                tell("is the name of another tool".to_owned());
            }
            tool.problems().into_iter().for_each(tell);
        }
        let mut labels = BTreeSet::new();
        if self.mcp.len() > MOST {
            wrong.push(("mcp", format!("must be {MOST} servers at most")));
        }
        for server in &self.mcp {
            let mut tell = |message: String| wrong.push(("mcp", format!("`{}` {message}", server.label)));
            if !is_name(&server.label) || server.label.len() > LONGEST_LABEL {
                tell(format!("is no label: 1 to {LONGEST_LABEL} letters, digits, _ and -"));
            }
            if !labels.insert(&server.label) {
                tell("is the label of another server".to_owned());
            }
            server.problems().into_iter().for_each(tell);
        }
        wrong
    }
}

impl Http {
    fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.description.trim().is_empty() || self.description.len() > LONGEST_DESCRIPTION {
            wrong.push(format!("needs a description of at most {LONGEST_DESCRIPTION} bytes"));
        }
        wrong.extend(url_problem(&self.url));
        wrong.extend(timeout_problem(self.timeout_ms));
        let object = |schema: &toml::Table| schema.get("type").is_none_or(|kind| kind.as_str() == Some("object"));
        if !object(&self.parameters) || self.parameters.get("properties").is_some_and(|all| !all.is_table()) {
            wrong.push("needs parameters that are the JSON Schema of an object".to_owned());
        }
        if reqwest::header::HeaderName::from_bytes(self.header().as_bytes()).is_err() {
            wrong.push("needs a secret_header that is a header's name".to_owned());
        }
        wrong.extend(secret_problem(&self.secret_env, &self.secret));
        wrong
    }

    pub(super) fn header(&self) -> &str {
        if self.secret_header.is_empty() { "authorization" } else { &self.secret_header }
    }

    pub(super) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

impl Mcp {
    fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        match (self.url.is_empty(), self.command.is_empty()) {
            (false, true) => wrong.extend(url_problem(&self.url)),
            (true, false) => {}
            _ => wrong.push("needs a url or a command".to_owned()),
        }
        wrong.extend(timeout_problem(self.timeout_ms));
        wrong.extend(secret_problem(&self.secret_env, &self.secret));
        wrong
    }

    pub(super) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

fn url_problem(url: &str) -> Option<String> {
    let web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let fine = Url::parse(url).is_ok_and(|url| web(&url));
    (!fine).then(|| "needs a url that begins with http:// or https://".to_owned())
}

fn timeout_problem(ms: u64) -> Option<String> {
    (!MS.contains(&ms)).then(|| format!("needs a timeout_ms from {} to {}", MS.start(), MS.end()))
}

fn secret_problem(variable: &str, secret: &Secret) -> Option<String> {
    let missing = !variable.is_empty() && secret.expose_secret().is_empty();
    missing.then(|| format!("needs its secret in the variable {variable}"))
}

/// What every model takes for the name of a function.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Tools of one kind: each is told to the model with every reply.
const MOST: usize = 64;
/// Bytes of a server's label: the names of its tools have 64 with it.
const LONGEST_LABEL: usize = 24;
/// Bytes of a description.
const LONGEST_DESCRIPTION: usize = 1_024;
/// How long an answer may take: a reply waits for it.
const MS: std::ops::RangeInclusive<u64> = 100..=30_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_cannot_be_is_told_by_the_tools_name() {
        assert_eq!(Config::default().validate(), []);
        let fine = "[[http]]\nname = \"visit\"\ndescription = \"Books.\"\nurl = \"https://a.example/x\"\n";
        assert_eq!(config(fine).validate(), []);
        for (change, expected) in [
            ("url = \"ftp://a\"", "needs a url"),
            ("timeout_ms = 5", "needs a timeout_ms from 100 to 30000"),
            ("secret_env = \"NOWHERE\"", "needs its secret in the variable NOWHERE"),
            ("secret_header = \"a b\"", "needs a secret_header"),
            ("parameters = {type = \"string\"}", "needs parameters"),
            ("name = \"search_knowledge_base\"", "is the name of another tool"),
            ("name = \"a b\"", "is no name of a tool"),
        ] {
            let key = change.split(" =").next().unwrap();
            let kept: Vec<_> = fine.lines().filter(|line| !line.starts_with(&format!("{key} ="))).collect();
            let wrong = config(&format!("{}\n{change}\n", kept.join("\n"))).validate();
            assert!(wrong.iter().any(|(key, told)| *key == "http" && told.contains(expected)), "{change}: {wrong:?}");
        }
        assert_eq!(config(&fine.repeat(2)).validate().len(), 1, "a name is one tool's");
        assert!(toml::from_str::<Config>("search = 1").is_err());
    }

    #[test]
    fn a_server_is_at_a_url_or_a_program() {
        let wrong = |text: &str| config(&format!("[[mcp]]\nlabel = \"a\"\n{text}")).validate();
        for fine in ["url = \"http://a.example/mcp\"", "command = \"serve\"\nargs = [\"x\"]\nenv = [\"KEY\"]"] {
            assert_eq!(wrong(fine), [], "{fine}");
        }
        for broken in ["", "url = \"nowhere\"", "command = \"a\"\nurl = \"http://a.example\""] {
            assert_eq!(wrong(broken).len(), 1, "{broken}");
        }
        let twice = "[[mcp]]\nlabel = \"a\"\ncommand = \"b\"\n".repeat(2);
        assert_eq!(config(&twice).validate(), [("mcp", "`a` is the label of another server".to_owned())]);
    }

    #[test]
    fn a_secret_comes_from_its_variable_and_is_not_shown() {
        let mut config =
            config("[[http]]\nname = \"a\"\ndescription = \"b\"\nurl = \"http://a.example\"\nsecret_env = \"KEY\"\n");
        config.fill(|name| (name == "KEY").then(|| "hidden-word".to_owned()));
        assert_eq!(config.validate(), []);
        let shown = format!("{config:?}{}", toml::to_string(&config).unwrap());
        assert!(!shown.contains("hidden-word"), "{shown}");
    }
}
