//! The document as one page for people: no scripts, nothing from elsewhere, under a policy by which nothing else runs.

use std::fmt::Write;

use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::rest::shared::page::escaped;

/// The page, and what it may do: be read.
pub(super) fn of(document: &Value) -> (String, HeaderValue) {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'");
    let policy = HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    (Page::default().whole(document), policy)
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn whole(mut self, document: &Value) -> String {
        let info = &document["info"];
        self.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>voice-relay API</title>\n");
        self.raw(&format!(
            "<style>{STYLE}</style>\n</head>\n<body>\n<nav><b>voice-relay {}</b>",
            text(&info["version"])
        ));
        for tag in array(&document["tags"]) {
            self.raw(&format!("<a href=\"#{0}\">{0}</a>", text(&tag["name"])));
        }
        self.raw(
            "<a href=\"#schemas\">Schemas</a><a href=\"/openapi.json\">openapi.json</a></nav>\n<main>\n<h1>API</h1>\n",
        );
        text(&info["description"]).split("\n\n").for_each(|part| self.paragraph(part));
        for tag in array(&document["tags"]) {
            self.chapter(tag, document);
        }
        self.raw("<h2 id=\"schemas\">Schemas</h2>\n");
        for (name, schema) in object(&document["components"]["schemas"]) {
            // What a link leads to inside of something closed is opened by browsers.
            self.raw(&format!("<details><summary><code>{0}</code></summary><pre id=\"schema-{0}\">", escaped(name)));
            self.raw(&format!("{}</pre>", escaped(&pretty(schema))));
            self.raw("</details>\n");
        }
        self.raw("</main>\n</body>\n</html>\n");
        self.0
    }

    fn chapter(&mut self, tag: &Value, document: &Value) {
        let name = text(&tag["name"]);
        self.raw(&format!("<h2 id=\"{0}\">{0}</h2>\n", escaped(name)));
        self.paragraph(text(&tag["description"]));
        for (path, methods) in object(&document["paths"]) {
            for (method, operation) in object(methods) {
                // What is another name of something is told in the document alone.
                if operation["tags"][0] == name && !text(&operation["operationId"]).contains("__") {
                    self.operation(path, method, operation);
                }
            }
        }
    }

    fn operation(&mut self, path: &str, method: &str, operation: &Value) {
        let (id, summary) = (text(&operation["operationId"]), escaped(text(&operation["summary"])));
        let method = method.to_uppercase();
        self.raw(&format!(
            "<details id=\"{id}\"><summary><b class=\"{method}\">{method}</b> <code>{}</code> <span>{summary}</span></summary>\n",
            escaped(path),
        ));
        self.paragraph(text(&operation["description"]));
        let need = match text(&operation["x-need"]) {
            "nothing" => "Takes no credential.".to_owned(),
            "call" => "Takes the signature of a phone network, or a call's own token.".to_owned(),
            "key" => "Takes any key, or a login.".to_owned(),
            "login" | "account" => "Takes a login, or a key with the scope `admin`.".to_owned(),
            "voice" => "Takes a key with the scope `realtime`, a login, or a client secret.".to_owned(),
            scope => format!("Takes a key with the scope `{scope}`, or a login that may do this."),
        };
        self.paragraph(&need);
        self.parameters(operation);
        for (media, content) in object(&operation["requestBody"]["content"]) {
            self.content("Body", media, content);
        }
        if operation["requestBody"]["content"]["application/json"]["example"].is_object() {
            self.curl(path, &method, &operation["requestBody"]["content"]["application/json"]["example"]);
        }
        for (status, response) in object(&operation["responses"]) {
            let title = format!("{status} {}", text(&response["description"]));
            let (good, contents) = (status.starts_with('2'), object(&response["content"]));
            if good && contents.clone().next().is_some() {
                contents.for_each(|(media, content)| self.content(&title, media, content));
            } else {
                self.raw(&format!("<h4>{}</h4>\n", marked(&title)));
            }
        }
        self.raw("</details>\n");
    }

    fn parameters(&mut self, operation: &Value) {
        let parameters = array(&operation["parameters"]);
        if parameters.is_empty() {
            return;
        }
        self.raw("<table>");
        for parameter in parameters {
            let schema = parameter["schema"].to_string();
            let cells = [text(&parameter["name"]), text(&parameter["in"]), text(&parameter["description"]), &schema];
            let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
            self.raw(&format!("<tr>{cells}</tr>"));
        }
        self.raw("</table>\n");
    }

    fn content(&mut self, title: &str, media: &str, content: &Value) {
        self.raw(&format!("<h4>{} · <code>{}</code></h4>\n", marked(title), escaped(media)));
        match text(&content["schema"]["$ref"]).rsplit('/').next().filter(|name| !name.is_empty()) {
            Some(name) => self.raw(&format!("<p><a href=\"#schema-{0}\">{0}</a></p>\n", escaped(name))),
            None if object(&content["schema"]).next().is_some() => self.code(&pretty(&content["schema"])),
            None => {}
        }
        if !content["example"].is_null() {
            self.code(&pretty(&content["example"]));
        }
    }

    fn curl(&mut self, path: &str, method: &str, body: &Value) {
        let body = body.to_string().replace('\'', "'\\''");
        self.code(&format!(
            "curl -X {method} \"$RELAY{path}\" -H \"Authorization: Bearer $KEY\" \\\n  -H 'Content-Type: application/json' -d '{body}'"
        ));
    }

    fn paragraph(&mut self, words: &str) {
        if !words.is_empty() {
            let _ = writeln!(self.0, "<p>{}</p>", marked(words));
        }
    }

    fn code(&mut self, code: &str) {
        let _ = writeln!(self.0, "<pre>{}</pre>", escaped(code));
    }

    fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }
}

/// Words in which code stands between back-ticks.
fn marked(words: &str) -> String {
    let part =
        |(n, part)| if n % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part).into_owned() };
    words.split('`').enumerate().map(part).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> + Clone {
    value.as_object().into_iter().flatten()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

const STYLE: &str = concat!(include_str!("../palette.css"), include_str!("page.css"));
