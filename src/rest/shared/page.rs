//! A shared conversation for people: one page without scripts, written as it is read.
//!
//! All that was said is text: escaped, and shown under a policy by which nothing on the page runs, loads or is framed.

use std::{
    borrow::Cow,
    fmt::Write,
    sync::{Arc, LazyLock},
};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use providers::Secret;
use sha2::{Digest, Sha256};

use super::{Closed, Opened, PRIVATE, Visit};
use crate::{
    documents::export::{Citation, Message, Modality, Role, Status},
    rest::{Context, body, fault::Fault, page::time},
    store::shares::Door,
};

/// `GET /shared/{token}`: the conversation, or a page that says what is in the way.
pub(in crate::rest) async fn show(visit: Visit) -> Result<Response, Fault> {
    answer(visit.open(None).await)
}

/// `POST /shared/{token}`: the same with the password of the page's form.
pub(in crate::rest) async fn unlock(
    visit: Visit,
    State(context): State<Arc<Context>>,
    request: Request,
) -> Result<Response, Fault> {
    let form = body::read(request, &context).await?;
    let field = form_urlencoded::parse(&form).find(|(name, _)| name == "password");
    let password = field.map(|(_, password)| Secret::from(password.into_owned()));
    answer(visit.open(password).await)
}

fn answer(opened: Result<Opened, Closed>) -> Result<Response, Fault> {
    match opened {
        Ok(opened) => Ok(conversation(opened)),
        Err(Closed::Failed(fault)) => Err(fault),
        Err(closed) => Ok(refusal(closed)),
    }
}

fn conversation(opened: Opened) -> Response {
    let Opened { door: Door { session, messages, expires_at, .. }, history } = opened;
    let title = session.title.as_deref().unwrap_or("Untitled conversation");
    let count = match messages {
        0 => "Nothing was said yet".to_owned(),
        1 => "1 message".to_owned(),
        more => format!("{more} messages"),
    };
    let lost = if session.complete { "" } else { " · not all that was said could be kept" };
    let head = format!(
        "{}<h1 dir=\"auto\">{}</h1>\n<p class=\"facts\">{} · {count}{lost}</p>\n<ol class=\"turns\">",
        top(title, "Shared, to read only"),
        escaped(title),
        at(session.created_at),
    );
    let foot = format!("\n</ol>\n</main>\n<footer class=\"foot\">This link ends {}.</footer>\n{END}", at(expires_at));
    let body = history.written(head, |message, _| turn(message), move || foot.clone());
    (guards(), body).into_response()
}

/// A message as one item of the list.
fn turn(message: &Message) -> String {
    let (class, role) = match message.role {
        Role::System => ("system", "System"),
        Role::User => ("user", "User"),
        Role::Assistant => ("assistant", "Assistant"),
        Role::Tool => ("tool", "Tool"),
    };
    let how = match message.modality {
        Modality::Text => "",
        Modality::Audio => "<span>spoken</span>",
    };
    let state = match message.status {
        Status::Completed => "",
        Status::InProgress => "<span>in progress</span>",
        Status::Incomplete => "<span>cut short</span>",
    };
    let (words, call) = match (message.role, &message.call) {
        (Role::Tool, _) => ("", Some(("Result".into(), message.content.as_str()))),
        (Role::System | Role::User | Role::Assistant, None) => (message.content.as_str(), None),
        (Role::System | Role::User | Role::Assistant, Some(call)) => {
            let label = format!("Call of {}", call.name.as_deref().unwrap_or("a function"));
            (message.content.as_str(), Some((label, call.arguments.as_deref().unwrap_or_default())))
        }
    };
    let mut said = String::new();
    if !words.is_empty() {
        let _ = write!(said, "<div class=\"words\" dir=\"auto\">{}</div>", escaped(words));
    }
    if let Some((label, code)) = call {
        let (label, code) = (escaped(&label), escaped(code));
        let _ = write!(said, "<p class=\"words\">{label}</p><pre class=\"code\">{code}</pre>");
    }
    if !message.citations.is_empty() {
        let sources: String = message.citations.iter().map(source).collect();
        let _ = write!(said, "<ol class=\"sources\">{sources}</ol>");
    }
    let who = format!("<p class=\"who\"><b>{role}</b>{how}{state}{}</p>", at(message.at));
    format!("\n<li class=\"turn {class}\">{who}{said}</li>")
}

/// What a message cites as one item of its list: the reference, where it leads to, and the words it is about.
fn source(Citation { cited, formatted }: &Citation) -> String {
    let doi = cited.source.doi.as_ref().map(|doi| format!("https://doi.org/{}", utf8_percent_encode(doi, DOI)));
    let target = doi.as_deref().or(cited.source.url.as_deref()).filter(|url| url.starts_with("http"));
    let reference = match target {
        Some(target) => {
            format!("<a href=\"{}\" rel=\"nofollow noreferrer\">{}</a>", escaped(target), escaped(formatted))
        }
        None => escaped(formatted).into_owned(),
    };
    let quoted = cited.quoted_text.as_ref().map(|words| format!(" <q>{}</q>", escaped(words))).unwrap_or_default();
    format!("<li value=\"{}\" dir=\"auto\">{reference}{quoted}</li>", cited.index)
}

/// A page that says why there is no conversation on it, and asks for what would open it.
fn refusal(closed: Closed) -> Response {
    const FORM: &str = "<form method=\"post\"><label>Password<input type=\"password\" name=\"password\" required \
                        maxlength=\"256\" autocomplete=\"off\" autofocus></label><button>Open</button></form>\n";
    let (title, note, form) = match &closed {
        Closed::Unknown => ("Nothing here", "There is no such link, or its owner took it back.", ""),
        Closed::Expired => ("This link has ended", "Ask whoever sent it to you for a new one.", ""),
        Closed::Strangers => (
            "Only for those known here",
            "This conversation is shared with those who have an account: open it with a client that signs in.",
            "",
        ),
        Closed::Locked => ("A shared conversation", "Whoever sent you this link set a password for it.", FORM),
        Closed::Wrong => ("A shared conversation", "That was not the password. Try again.", FORM),
        Closed::TooMany(_) => {
            ("Please wait", "There were too many wrong passwords for this link. Try again in a minute.", FORM)
        }
        Closed::Failed(_) => ("Please wait", "This cannot be shown for now.", ""),
    };
    let noted = match closed {
        Closed::Wrong | Closed::TooMany(_) => "class=\"note wrong\" role=\"alert\"",
        Closed::Unknown | Closed::Expired | Closed::Strangers | Closed::Locked | Closed::Failed(_) => "class=\"note\"",
    };
    let page = format!("{}<h1>{title}</h1>\n<p {noted}>{note}</p>\n{form}</main>\n{END}", top(title, "Shared"));
    let fault = Fault::from(closed);
    fault.shown((guards(), page).into_response())
}

/// All that stands above a page's heading.
fn top(title: &str, chip: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex, nofollow\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{} · voice-relay</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header class=\"head\"><span class=\"brand\">{LOGO}voice-relay</span><span class=\"chip\">{chip}</span></header>\n\
         <main>\n",
        escaped(title)
    )
}

/// A time, for people and for programs.
fn at(when: Timestamp) -> String {
    format!("<time datetime=\"{}\">{}</time>", time(when), when.strftime("%-d %B %Y, %H:%M UTC"))
}

/// Text that is nothing but text, between tags and within quotes.
pub(in crate::rest) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '\0']) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.into()
}

/// What the page may do: be read, and send its form to where it came from.
fn guards() -> [(HeaderName, HeaderValue); 3] {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
    });
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    [PRIVATE, (header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY.clone())]
}

/// What a DOI has besides letters and digits and an address too; all else is spelled out there.
const DOI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'(')
    .remove(b')')
    .remove(b';')
    .remove(b':');
const STYLE: &str = concat!(include_str!("../palette.css"), include_str!("page.css"));
const LOGO: &str = "<svg viewBox=\"0 0 32 32\" aria-hidden=\"true\"><rect width=\"32\" height=\"32\" rx=\"9\" fill=\"#1f6f5c\"/>\
                    <g stroke=\"#fff\" stroke-width=\"2.6\" stroke-linecap=\"round\">\
                    <path d=\"M8 14v4M13 10v12M18 7v18M23 12v8\"/></g></svg>";
const END: &str = "</body>\n</html>\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        let hostile = "</title><script>alert('1')</script>\" onload=\"x\0 &lt;";
        let text = escaped(hostile);
        assert!(!text.contains(['<', '>', '"', '\'', '\0']), "{text}");
        assert!(text.ends_with("&amp;lt;"), "what looks escaped is text too: {text}");
        assert!(matches!(escaped("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_policy_names_the_style_and_nothing_else() {
        let guards = guards();
        let policy =
            guards.iter().find(|(name, _)| *name == header::CONTENT_SECURITY_POLICY).unwrap().1.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert!(!STYLE.contains("url(") && !STYLE.contains("</"), "nothing is loaded, and nothing ends the style");
    }
}
