//! The voice library.

use super::*;

#[tokio::test]
async fn the_library_is_listed_page_by_page() {
    let pages = [
        include_str!("../../exchanges/elevenlabs/voices-1.json"),
        include_str!("../../exchanges/elevenlabs/voices-2.json"),
    ];
    let server = Server::start(pages.map(|page| answer("200 OK", "", page)).into()).await;
    let voices = Library::new("elevenlabs", Arc::new(config(&server.base_url))).list().await.unwrap();
    let expected = [
        ("JBFqnCBsd6RMkjVDRZzb", "George", Category::Premade),
        ("abcdefghij0123456789", "Me", Category::Cloned),
        ("zyxwvutsrq9876543210", "New", Category::Other),
    ];
    let found: Vec<_> =
        voices.iter().map(|voice| (&*voice.id, voice.name.as_deref().unwrap(), voice.category)).collect();
    assert_eq!(found, expected);
    let requests = server.requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("GET /v2/voices?page_size=100&include_total_count=false HTTP/1.1\r\n"));
    assert!(requests[0].contains("xi-api-key: sk_tiger"));
    assert!(requests[1].contains("&next_page_token=page+two"), "{}", requests[1]);
}

#[tokio::test]
async fn pages_without_end_are_given_up() {
    let page =
        |token: &str| answer("200 OK", "", format!(r#"{{"voices":[],"has_more":true,"next_page_token":"{token}"}}"#));
    let server = Server::start(vec![page("a"), page("b"), page("a"), page("b"), page("b")]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    assert_eq!(library.list().await.unwrap(), [], "a page that names itself is the last");
    let server = Server::start(vec![answer("200 OK", "", "[]")]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    assert_eq!(library.list().await.unwrap_err().kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn one_voice_is_found_by_its_id_and_told_apart_from_what_is_not_ones_own() {
    let id = "abcdefghij0123456789";
    let voice = |more: &str| answer("200 OK", "", format!(r#"{{"voice_id":"{id}","name":"Me",{more}}}"#));
    let unknown = r#"{"detail":{"status":"voice_not_found","message":"A voice with that id was not found."}}"#;
    let answers = vec![
        voice(r#""category":"cloned","is_owner":true"#),
        voice(r#""category":"cloned","is_owner":null"#),
        voice(r#""category":"cloned","is_owner":false"#),
        voice(r#""category":"premade","is_owner":true"#),
        answer("400 Bad Request", "", unknown),
        answer("200 OK", "", r#"{"voice_id":"another"}"#),
        answer("401 Unauthorized", "", r#"{"detail":{"status":"invalid_api_key","message":"m"}}"#),
    ];
    let server = Server::start(answers).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    for own in [true, true, false, false] {
        assert_eq!(library.find(id).await.unwrap().unwrap().is_own_clone(), own);
    }
    assert_eq!(library.find(id).await.unwrap(), None);
    assert_eq!(library.find("../user").await.unwrap(), None, "nothing is sent for what is no id");
    assert_eq!(library.find(id).await.unwrap_err().kind, ErrorKind::Protocol);
    assert_eq!(library.find(id).await.unwrap_err().kind, ErrorKind::Unauthorized);
    let requests = server.requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("GET /v1/voices/abcdefghij0123456789 HTTP/1.1\r\n"), "{}", requests[0]);
    assert_eq!(requests.len(), 7);
}

fn new_voice() -> NewVoice {
    NewVoice {
        name: " Me ".into(),
        description: Some("My own".into()),
        labels: [("accent".to_owned(), "swiss".to_owned())].into(),
        samples: vec![Sample { name: "me.wav".into(), bytes: "RIFF-sound".into() }],
        consent: true,
        remove_background_noise: false,
    }
}

#[tokio::test]
async fn a_voice_is_cloned_from_samples_and_deleted() {
    let cloned = answer("200 OK", "", include_str!("../../exchanges/elevenlabs/cloned.json"));
    let server = Server::start(vec![cloned, answer("200 OK", "", r#"{"status":"ok"}"#)]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    let voice = library.clone_voice(new_voice()).await.unwrap();
    assert_eq!((&*voice.id, voice.requires_verification), ("c38kUX8pkfYO2kHyqfFy", false));
    library.delete(&voice.id).await.unwrap();
    let requests = server.requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("POST /v1/voices/add HTTP/1.1\r\n"), "{}", requests[0]);
    let parts = [
        "name=\"name\"\r\n\r\nMe\r\n",
        "name=\"description\"\r\n\r\nMy own",
        "{\"accent\":\"swiss\"}",
        "name=\"files\"; filename=\"me.wav\"",
        "RIFF-sound",
        "name=\"remove_background_noise\"\r\n\r\nfalse",
    ];
    for part in parts {
        assert!(requests[0].contains(part), "{part}: {}", requests[0]);
    }
    assert!(requests[1].starts_with("DELETE /v1/voices/c38kUX8pkfYO2kHyqfFy HTTP/1.1\r\n"), "{}", requests[1]);
}

#[tokio::test]
async fn nothing_is_sent_without_consent_or_beyond_the_vendors_bounds() {
    let server = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    let sample = |size: usize| Sample { name: "s".into(), bytes: vec![0; size].into() };
    for voice in [
        NewVoice { consent: false, ..new_voice() },
        NewVoice { name: " ".into(), ..new_voice() },
        NewVoice { samples: Vec::new(), ..new_voice() },
        NewVoice { samples: vec![sample(1); 26], ..new_voice() },
        NewVoice { samples: vec![sample(0)], ..new_voice() },
        NewVoice { samples: vec![sample((10 << 20) + 1)], ..new_voice() },
    ] {
        assert_eq!(library.clone_voice(voice).await.unwrap_err().kind, ErrorKind::Rejected);
    }
    assert_eq!(library.delete("../user").await.unwrap_err().kind, ErrorKind::Rejected);
    assert!(server.requests.lock().unwrap().is_empty());
    let text = format!("{:?}", new_voice());
    assert!(!text.contains("RIFF"), "recordings are not printed: {text}");
}
