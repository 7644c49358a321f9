//! Python package indexes, by the simple repository API (PEP 503 in HTML, PEP 691 in JSON).

use std::process::{Command, Stdio};

use reqwest::{
    Client, Url,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::Deserialize;

/// The index this machine's pip would use, so that a configured mirror is honoured: `PIP_INDEX_URL`, else pip's
/// configuration, else pip's own default. Blocks for the time of starting Python.
pub fn configured() -> Option<String> {
    let variable = std::env::var("PIP_INDEX_URL").ok();
    let asked = || python(&["-m", "pip", "config", "get", "global.index-url"]);
    let default = || python(&["-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"]);
    variable.filter(|url| !url.trim().is_empty()).or_else(asked).or_else(default)
}

fn python(arguments: &[&str]) -> Option<String> {
    let output = Command::new("python3").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    let answer = answer.trim();
    (output.status.success() && !answer.is_empty()).then(|| answer.to_owned())
}

/// Where the index keeps `file` of `project`.
pub(super) async fn locate(client: &Client, index: &str, project: &str, file: &str) -> Result<Url, String> {
    const FORMATS: &str =
        "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";
    let page = Url::parse(&format!("{}/{project}/", index.trim_end_matches('/')))
        .map_err(|error| format!("the package index is no URL: {error}"))?;
    let response = client.get(page).header(ACCEPT, FORMATS).send().await.map_err(|error| plain(&error))?;
    let response = response.error_for_status().map_err(|error| plain(&error))?;
    let base = response.url().clone();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json = kind.contains("json");
    let text = response.text().await.map_err(|error| plain(&error))?;
    let link = if is_json { in_json(&text, file) } else { in_html(&text, file) };
    let link = link.ok_or_else(|| format!("the package index has no {file}"))?;
    let mut url = base.join(&link).map_err(|error| format!("a broken link to {file}: {error}"))?;
    url.set_fragment(None);
    // An index that asks for a password asks for it at its files too.
    if url.host_str() == base.host_str() && url.username().is_empty() && !base.username().is_empty() {
        let _ = url.set_username(base.username());
        let _ = url.set_password(base.password());
    }
    Ok(url)
}

/// An error without the URL, which may hold a password.
pub(super) fn plain(error: &reqwest::Error) -> String {
    let mut text =
        if let Some(status) = error.status() { format!("HTTP {status}") } else { "no connection".to_owned() };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[derive(Deserialize)]
struct Page {
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    filename: String,
    url: String,
}

fn in_json(text: &str, file: &str) -> Option<String> {
    let page: Page = serde_json::from_str(text).ok()?;
    page.files.into_iter().find(|entry| entry.filename == file).map(|entry| entry.url)
}

/// The anchor whose link ends in the file's name.
fn in_html(text: &str, file: &str) -> Option<String> {
    let links = text.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest[1..].split(quote).next()
    });
    let mut links = links.map(|link| link.replace("&amp;", "&"));
    links.find(|link| link.split(['#', '?']).next().is_some_and(|path| path.rsplit('/').next() == Some(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_both_formats() {
        let html =
            r#"<a href="../../x/a-1.0.whl#sha256=00">a-1.0.whl</a><a data-x="1" href='b-1.0.whl?k=1&amp;l=2'>b</a>"#;
        assert_eq!(in_html(html, "a-1.0.whl").unwrap(), "../../x/a-1.0.whl#sha256=00");
        assert_eq!(in_html(html, "b-1.0.whl").unwrap(), "b-1.0.whl?k=1&l=2");
        assert_eq!(in_html(html, "0.whl"), None);
        let json = r#"{"meta":{},"files":[{"filename":"a-1.0.whl","url":"/x","hashes":{}}]}"#;
        assert_eq!(in_json(json, "a-1.0.whl").unwrap(), "/x");
        assert_eq!(in_json("<html>", "a-1.0.whl"), None);
    }
}
