//! Files come with messages, are had back as they were, and go with them.

use reqwest::{
    Method, StatusCode,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use voice_relay::storage::{Config, Storage};

use crate::{
    files::{crew, docx, download, every_type, files, id, kept, message, send, send_raw, until, upload, zipped},
    server::{Answer, Server},
};

#[tokio::test]
async fn every_type_goes_in_and_comes_out_as_it_was() {
    let server = Server::start().await;
    let (session, message) = message(&server).await;
    let mut records = Vec::new();
    for (name, bytes, _) in every_type() {
        let sent = upload(&server, &message, name, bytes.clone()).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{name}: {}", sent.body);
        let record = sent.body;
        assert_eq!((&record["name"], &record["message_id"]), (&json!(name), &json!(message)));
        assert_eq!((&record["size"], &record["state"]), (&json!(bytes.len()), &json!("pending")));
        let kind = record["kind"].as_str().unwrap();
        assert!(name.to_lowercase().ends_with(kind) || kind == "jpeg", "{name}: {kind}");
        assert_eq!(download(&server, &id(&record)).await, bytes, "{name}");
        assert_eq!(server.get(&format!("/api/attachments/{}", id(&record))).await.body, record);
        records.push(record);
    }
    let listed = server.get(&format!("/api/messages/{message}/attachments?limit=100")).await.body;
    assert_eq!(listed["items"], json!(records));
    let page = server.get(&format!("/api/messages/{message}/attachments?limit=5")).await.body;
    let rest = format!("/api/messages/{message}/attachments?limit=100&after={}", page["next"].as_str().unwrap());
    assert_eq!(server.get(&rest).await.body["items"], json!(records[5..]));
    assert_eq!(server.get(&format!("/api/messages/{message}")).await.body["attachments"], json!(records));
    let messages = server.get(&format!("/api/sessions/{session}/messages")).await.body;
    assert_eq!(messages["items"][0]["attachments"], json!(records));
}

#[tokio::test]
async fn a_download_is_a_file_to_save_and_nothing_else() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let record = upload(&server, &message, "Grüße.txt", "hello").await.body;
    let file = server.get(&format!("/api/attachments/{}/download", id(&record))).await;
    assert_eq!(file.header("content-type"), "text/plain");
    assert_eq!(file.header("content-length"), "5");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"
    );
    assert_eq!(record["sha256"], "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(file.header("etag"), format!("\"{}\"", record["sha256"].as_str().unwrap()));
}

#[tokio::test]
async fn ranges_and_tags_are_honoured() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let bytes: Vec<u8> = (0..100_000u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
    let record = upload(&server, &message, "a.txt", bytes.clone()).await.body;
    let path = format!("/api/attachments/{}/download", id(&record));
    let tag = format!("\"{}\"", record["sha256"].as_str().unwrap());
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = server.request(Method::GET, &path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, response.bytes().await.unwrap())
    };
    let size = bytes.len();
    for (range, from, to) in [("bytes=10-19", 10, 20), ("bytes=500000-", 500_000, size), ("bytes=-7", size - 7, size)] {
        let (status, headers, part) = ask(&[("range", range)]).await;
        assert_eq!((status, &part[..]), (206, &bytes[from..to]), "{range}");
        assert_eq!(headers["content-range"], format!("bytes {from}-{}/{size}", to - 1));
        assert_eq!(headers["content-length"], (to - from).to_string());
    }
    let (status, headers, body) = ask(&[("range", "bytes=9999999-")]).await;
    assert_eq!((status, &headers["content-range"]), (416, &format!("bytes */{size}").parse().unwrap()));
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["code"], "range_not_satisfiable");
    assert_eq!(ask(&[("range", "bytes=0-1,4-5")]).await.2, bytes, "several ranges are passed over");
    assert_eq!(ask(&[("range", "bytes=0-1"), ("if-range", &tag)]).await.0, 206);
    assert_eq!(ask(&[("range", "bytes=0-1"), ("if-range", "\"other\"")]).await.2, bytes);
    for matching in [tag.as_str(), "*", &format!("\"x\", W/{tag}")] {
        let (status, headers, body) = ask(&[("if-none-match", matching)]).await;
        assert_eq!((status, body.len()), (304, 0), "{matching}");
        assert_eq!(headers["etag"], tag);
    }
    assert_eq!(ask(&[("if-none-match", "\"other\"")]).await.0, 200);
}

#[tokio::test]
async fn any_name_is_kept_and_none_is_a_path() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let long = format!("{}.txt", "語".repeat(300));
    for (given, expected) in [
        ("Überweisung – 漢字 🎉.txt", "Überweisung – 漢字 🎉.txt"),
        ("../../etc/x.txt", "x.txt"),
        ("C:\\Users\\me\\x.txt", "x.txt"),
        ("...txt", "...txt"),
        ("'; DROP TABLE attachments; --.txt", "'; DROP TABLE attachments; --.txt"),
        (&long, &long),
    ] {
        let record = upload(&server, &message, given, "x").await;
        assert_eq!((record.status, &record.body["name"]), (StatusCode::CREATED, &json!(expected)), "{given}");
        let file = server.get(&format!("/api/attachments/{}/download", id(&record.body))).await;
        let told = file.header("content-disposition").to_owned();
        assert!(!told.contains(['/', '\\']) && told.len() < 1000, "{told}");
    }
    let record =
        send_raw(&server, &message, "filename*=UTF-8''a%0D%0Aset-cookie:%20b%3D%E2%82%AC.txt", b"x").await.body;
    assert_eq!(record["name"], "a  set-cookie: b=€.txt");
    let file = server.get(&format!("/api/attachments/{}/download", id(&record))).await;
    assert!(file.headers.get("set-cookie").is_none());
    let too_long = upload(&server, &message, &format!("{}.txt", "x".repeat(500)), "x").await;
    assert_eq!(too_long.problem(422).1, "file");
    for path in kept(server.dir.path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.parse::<uuid::Uuid>().is_ok(), "{name}");
    }
}

#[tokio::test]
async fn what_is_not_taken_is_told_why_and_leaves_nothing() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let png = b"\x89PNG\r\n\x1A\n".to_vec();
    for (name, bytes, status, code) in [
        ("a.exe", b"MZ".to_vec(), 415, "unsupported_media_type"),
        ("noextension", b"text".to_vec(), 415, "unsupported_media_type"),
        ("a.pdf", png.clone(), 415, "unsupported_media_type"),
        ("a.txt", png.clone(), 415, "unsupported_media_type"),
        ("a.docx", zipped(&[("x", b"y")]), 415, "unsupported_media_type"),
        ("a.odt", docx("x"), 415, "unsupported_media_type"),
        ("a.png", Vec::new(), 422, "empty_file"),
    ] {
        let refused = upload(&server, &message, name, bytes).await;
        assert_eq!(refused.problem(status), (code.to_owned(), "file".to_owned()), "{name}");
    }
    let part = || Part::bytes(b"x".to_vec()).file_name("a.txt");
    for (form, field) in [
        (Form::new().part("file", part()).part("file", part()), "file"),
        (Form::new().text("title", "x").part("file", part()), "title"),
        (Form::new().part("file", part()).text("note", "x"), "note"),
        (Form::new().text("file", "no name"), "file"),
    ] {
        assert_eq!(send(&server, &message, form).await.problem(422).1, field);
    }
    let path = format!("/api/messages/{message}/attachments");
    assert_eq!(server.post(&path, json!({"file": "x"})).await.problem(422).0, "invalid_multipart");
    let nothing = server.request(Method::POST, &path).header("content-type", "multipart/form-data; boundary=x");
    assert_eq!(Answer::of(nothing.body("--x--\r\n")).await.problem(422).0, "missing_required_parameter");
    let listed = server.get(&path).await.body;
    assert_eq!(listed["items"], json!([]));
    assert_eq!((kept(server.dir.path()).len(), files(server.dir.path(), "arriving").len()), (0, 0));
}

#[tokio::test]
async fn a_file_over_the_limit_is_cut_off_while_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { max_file_size_mb: 1, ..Config::default() };
    let storage = Storage::open(&config, dir.path()).unwrap();
    let server = Server::with(|context| context.storage = storage).await;
    let (_, message) = message(&server).await;
    assert_eq!(server.get("/api/limits").await.body, json!({"file_bytes": 1 << 20}), "it is told before");
    assert_eq!(upload(&server, &message, "a.txt", "x".repeat(1 << 20)).await.status, StatusCode::CREATED);
    let refused = upload(&server, &message, "a.txt", "x".repeat((1 << 20) + 1)).await;
    assert_eq!(refused.problem(413), ("payload_too_large".to_owned(), "file".to_owned()));
    // A part whose head does not end.
    let endless = format!("--x\r\nx-endless: {}", "y".repeat(3 << 20));
    let request = server.request(Method::POST, &format!("/api/messages/{message}/attachments"));
    let request = request.header("content-type", "multipart/form-data; boundary=x").body(endless);
    assert_eq!(Answer::of(request).await.problem(400).0, "invalid_multipart");
}

#[tokio::test]
async fn an_upload_cut_in_its_middle_leaves_nothing() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let address = server.url.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/messages/{message}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: 1000000\r\n\r\n\
         --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{}",
        server.key,
        "half a file ".repeat(10_000)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let arriving = || files(server.dir.path(), "arriving").len();
    until(async || arriving() == 1).await;
    drop(socket);
    until(async || arriving() == 0).await;
    assert_eq!(server.get(&format!("/api/messages/{message}/attachments")).await.body["items"], json!([]));
    assert_eq!(kept(server.dir.path()).len(), 0);
}

#[tokio::test]
async fn bytes_go_with_their_attachment_message_or_session() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let left = || kept(server.dir.path()).len();
    let (session, message) = message(&server).await;
    let mut records = Vec::new();
    for n in 0..3 {
        records.push(upload(&server, &message, &format!("{n}.txt"), format!("file {n}")).await.body);
    }
    assert_eq!(left(), 3);
    let path = format!("/api/attachments/{}", id(&records[0]));
    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    for path in [path.clone(), format!("{path}/download"), format!("{path}/text"), format!("{path}/thumbnail")] {
        assert_eq!(server.get(&path).await.problem(404).0, "not_found");
    }
    until(async || left() == 2).await;
    assert_eq!(server.delete(&format!("/api/messages/{message}")).await.status, StatusCode::NO_CONTENT);
    until(async || left() == 0).await;
    let other =
        server.post(&format!("/api/sessions/{session}/messages"), json!({"role": "user", "content": "x"})).await;
    upload(&server, &id(&other.body), "a.txt", "x").await;
    assert_eq!(left(), 1);
    assert_eq!(server.delete(&format!("/api/sessions/{session}")).await.status, StatusCode::NO_CONTENT);
    until(async || left() == 0).await;
}

#[tokio::test]
async fn bytes_whose_upload_never_ended_are_removed_in_time() {
    use voice_relay::{
        storage::LONGEST,
        store::{AttachmentId, attachments, strays},
    };
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let (db, owner) = (&server.context.db, server.context.auth.owner().id);
    let now = || jiff::Timestamp::try_from(server.clock.wall()).unwrap();
    // As a process leaves it that died before the row was written.
    let stray = AttachmentId::new(now());
    strays::expect(db, stray, now() + LONGEST).await.unwrap();
    let mut arriving = server.context.storage.receive();
    arriving.write("half".into()).await.unwrap();
    server.context.storage.keep(stray.into(), arriving.finish().await.unwrap()).await.unwrap();
    assert!(strays::due(db, now(), 10).await.unwrap().is_empty(), "it may still be on its way");
    server.clock.advance(LONGEST);
    let new = attachments::New { name: "a.txt", kind: "txt", size: 4, sha256: "" };
    let late = attachments::add(db, owner, message.parse().unwrap(), stray, new, now()).await.unwrap();
    assert_eq!(late, attachments::Added::Late, "whoever comes back now comes too late");
    tokio::spawn(crew(&server).work());
    until(async || kept(server.dir.path()).is_empty()).await;
    until(async || strays::due(db, now(), 10).await.unwrap().is_empty()).await;
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let attachment = id(&upload(&server, &message, "a.txt", "mine").await.body);
    let (_, key) = server.stranger().await;
    let unknown = "0190b0a0-0000-7000-8000-000000000000";
    for (method, path) in [
        (Method::GET, "/api/messages/{m}/attachments"),
        (Method::POST, "/api/messages/{m}/attachments"),
        (Method::GET, "/api/attachments/{a}"),
        (Method::GET, "/api/attachments/{a}/download"),
        (Method::GET, "/api/attachments/{a}/text"),
        (Method::GET, "/api/attachments/{a}/thumbnail"),
        (Method::DELETE, "/api/attachments/{a}"),
    ] {
        let ask = async |message: &str, attachment: &str| {
            let path = path.replace("{m}", message).replace("{a}", attachment);
            let part = Part::bytes(b"theirs".to_vec()).file_name("a.txt");
            let request = server.bare(method.clone(), &path).bearer_auth(&key);
            Answer::of(request.multipart(Form::new().part("file", part))).await
        };
        let (foreign, missing) = (ask(&message, &attachment).await, ask(unknown, unknown).await);
        assert_eq!(foreign.problem(404).0, "not_found", "{method} {path}");
        assert_eq!(foreign.body, missing.body, "{method} {path}");
    }
    assert_eq!(download(&server, &attachment).await, b"mine");
}

#[tokio::test]
async fn a_message_has_so_many_attachments_and_no_more() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    for n in 0..50 {
        assert_eq!(upload(&server, &message, &format!("{n}.txt"), "x").await.status, StatusCode::CREATED);
    }
    assert_eq!(upload(&server, &message, "one more.txt", "x").await.problem(422).0, "too_many_attachments");
}

#[tokio::test]
async fn exports_name_the_attachments() {
    let server = Server::start().await;
    let (session, message) = message(&server).await;
    let record = upload(&server, &message, "<b>plan*.txt", "hello").await.body;
    let path = format!("/api/sessions/{session}/export");
    let json = server.get(&format!("{path}/json")).await.body;
    let expected = json!({
        "id": record["id"], "name": "<b>plan*.txt", "kind": "txt", "size": 5, "sha256": record["sha256"],
    });
    assert_eq!(json["messages"][0]["attachments"], json!([expected]));
    let markdown = server.get(&format!("{path}/markdown")).await.body;
    let markdown = markdown.as_str().unwrap();
    assert!(markdown.contains("\nAttached: \\<b\\>plan\\*.txt (txt, 5 bytes)\n"), "{markdown}");
    let pdf = server.request(Method::GET, &format!("{path}/pdf")).send().await.unwrap();
    assert_eq!(pdf.status(), StatusCode::OK);
}

#[tokio::test]
async fn storage_that_does_not_work_is_told_and_loses_nothing() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let record = upload(&server, &message, "a.txt", "kept").await.body;
    let folder = server.dir.path().join("files");
    std::fs::rename(folder.join("kept"), folder.join("away")).unwrap();
    let refused = upload(&server, &message, "b.txt", "x").await;
    assert_eq!(refused.problem(503).0, "storage_unavailable");
    assert_eq!(refused.header("retry-after"), "10");
    let path = format!("/api/attachments/{}/download", id(&record));
    assert_eq!(server.get(&path).await.problem(503).0, "storage_unavailable");
    std::fs::rename(folder.join("away"), folder.join("kept")).unwrap();
    assert_eq!(download(&server, &id(&record)).await, b"kept");
    let listed = server.get(&format!("/api/messages/{message}/attachments")).await.body;
    assert_eq!(listed["items"], json!([record]));
    assert_eq!(files(server.dir.path(), "arriving").len(), 0);
}
