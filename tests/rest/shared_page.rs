//! The page a link leads to.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    server::{Answer, Server},
    sharing::{said, share},
};

async fn open(server: &Server, token: &str) -> Answer {
    Answer::of(server.bare(Method::GET, &format!("/shared/{token}"))).await
}

pub(crate) async fn unlock(server: &Server, token: &str, password: &str) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("password", password).finish();
    let request = server.bare(Method::POST, &format!("/shared/{token}")).body(form);
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await
}

#[tokio::test]
async fn a_conversation_is_a_page_on_which_nothing_said_is_markup() {
    let server = Server::start().await;
    let hostile = "</title></style><script>alert('x')</script><img src=//evil.example onerror=\"alert(1)\">";
    let session = said(&server, &[hostile, "It is *noon*,\n漢字 & العربية 🎉", "<!--", "]]>"]).await;
    let token = share(&server, session, json!({})).await;
    let page = open(&server, &token).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let html = page.body.as_str().unwrap();
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;img src=//evil.example"));
    assert!(html.contains("It is *noon*,\n漢字 &amp; العربية 🎉</div>"));
    for tag in ["<script", "<img", "<!--", "]]>", "onerror=\""] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert_eq!(html.matches("<title>").count() + html.matches("<style>").count(), 2);
    assert!(!html.contains(&session.to_string()) && !html.contains("item0"), "no ids");
    assert!(
        html.contains("4 messages") && html.contains("This link ends <time datetime=\"2026-01-02T00:00:00.000Z\">")
    );
    let shares = server.get(&format!("/api/sessions/{session}/shares")).await.body;
    assert_eq!(shares["items"][0]["access_count"], 1);
}

#[tokio::test]
async fn the_page_may_do_nothing_but_be_read() {
    let server = Server::start().await;
    let token = share(&server, said(&server, &["hello"]).await, json!({"password": "secret"})).await;
    for page in [open(&server, &token).await, unlock(&server, &token, "secret").await, open(&server, "none").await] {
        let html = page.body.as_str().unwrap();
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = BASE64_STANDARD.encode(Sha256::digest(style));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(page.header("content-security-policy"), policy);
        assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!((page.header("x-content-type-options"), page.header("x-frame-options")), ("nosniff", "DENY"));
        assert!(page.header("x-request-id").starts_with("req_"));
        assert!(!html.contains("http://") && !html.contains("https://"), "no other host");
    }
}

#[tokio::test]
async fn a_form_asks_for_the_password() {
    let server = Server::start().await;
    let token = share(&server, said(&server, &["private words"]).await, json!({"password": "open & <shut>"})).await;
    let asked = open(&server, &token).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let html = asked.body.as_str().unwrap();
    assert!(html.contains("<form method=\"post\">") && html.contains("type=\"password\" name=\"password\""));
    assert!(!html.contains("private words"), "neither its words nor its title");
    let wrong = unlock(&server, &token, "open").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let html = wrong.body.as_str().unwrap();
    assert!(html.contains("That was not the password") && html.contains("<form") && !html.contains("private words"));
    let right = unlock(&server, &token, "open & <shut>").await;
    assert_eq!(right.status, StatusCode::OK);
    assert!(right.body.as_str().unwrap().contains("private words"));
}

#[tokio::test]
async fn a_link_that_does_not_open_says_why_in_words() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let known = share(&server, session, json!({"allow_anonymous": false})).await;
    let short = share(&server, session, json!({"expires_in_hours": 1})).await;
    server.clock.advance(Duration::from_secs(3600));
    for (token, status, words) in [
        ("unknown", StatusCode::NOT_FOUND, "There is no such link"),
        (&short, StatusCode::GONE, "This link has ended"),
        (&known, StatusCode::UNAUTHORIZED, "Only for those known here"),
    ] {
        let page = open(&server, token).await;
        assert_eq!((page.status, page.header("content-type")), (status, "text/html; charset=utf-8"));
        let html = page.body.as_str().unwrap();
        assert!(html.contains(words) && !html.contains("hello") && !html.contains("<form"), "{html}");
    }
    let (_, key) = server.stranger().await;
    let page = Answer::of(server.bare(Method::GET, &format!("/shared/{known}")).bearer_auth(key)).await;
    assert_eq!(page.status, StatusCode::OK);
    server.context.db.close().await;
    assert_eq!(open(&server, &known).await.problem(503).0, "storage_unavailable");
}
