//! Folders: made, moved, deleted, and conversations filed in them.

use futures_util::future::join_all;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use voice_relay::store::{
    FolderId, SessionId,
    folders::{self, NewFolder},
};

use crate::server::{Answer, START, Server};

async fn put(server: &Server, id: &str, body: Value) -> Answer {
    Answer::of(server.request(Method::PUT, &format!("/api/folders/{id}")).json(&body)).await
}

async fn make(server: &Server, name: &str, parent: Option<&str>) -> String {
    let made = server.post("/api/folders", json!({"name": name, "parent_folder_id": parent})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

async fn relocate(server: &Server, id: &str, target: &str) -> Answer {
    Answer::of(server.request(Method::POST, &format!("/api/folders/{id}/move/{target}"))).await
}

/// The tree as names: `[["home", []], ["work", [["calls", []]]]]`.
async fn tree(server: &Server) -> Value {
    fn names(items: &Value) -> Value {
        let named = |item: &Value| json!([item["name"], names(&item["children"])]);
        items.as_array().unwrap().iter().map(named).collect()
    }
    let tree = server.get("/api/folders/tree").await;
    assert_eq!((tree.status, tree.header("content-type")), (StatusCode::OK, "application/json"));
    names(&tree.body["items"])
}

fn names(list: &Answer) -> Vec<&str> {
    list.body["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_folder_is_made_changed_and_deleted() {
    let server = Server::start().await;
    let made = server.post("/api/folders", json!({"name": "  Work ", "color": "#ff8800", "icon": "📁"})).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    let expected = json!({
        "id": id, "name": "Work", "color": "#ff8800", "icon": "📁", "parent_folder_id": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!((made.status, &made.body), (StatusCode::CREATED, &expected));
    assert_eq!(server.get(&format!("/api/folders/{id}")).await.body, expected);

    let changed = put(&server, &id, json!({"name": "Play"})).await;
    assert_eq!((changed.status, &changed.body["name"]), (StatusCode::OK, &json!("Play")));
    assert_eq!(changed.body["color"], "#ff8800", "what is absent stays");
    let cleared = put(&server, &id, json!({"color": null, "icon": null})).await.body;
    assert_eq!((&cleared["color"], &cleared["icon"], &cleared["name"]), (&Value::Null, &Value::Null, &json!("Play")));

    assert_eq!(server.delete(&format!("/api/folders/{id}")).await.status, StatusCode::NO_CONTENT);
    for gone in [server.get(&format!("/api/folders/{id}")).await, server.delete(&format!("/api/folders/{id}")).await] {
        assert_eq!(gone.problem(404).0, "not_found");
    }
}

#[tokio::test]
async fn the_tree_shows_each_folder_as_it_is_by_the_order_of_bytes() {
    let server = Server::start().await;
    let strange = ["Zebra", "a \"quoted\" \\ one", "émile", "日本 📁", "null"];
    for (n, name) in strange.iter().enumerate() {
        let icon = (n % 2 == 0).then_some("}\"]");
        let made = server.post("/api/folders", json!({"name": name, "color": "#123456", "icon": icon})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        put(&server, made.body["id"].as_str().unwrap(), json!({"color": null})).await;
    }
    let tree = server.get("/api/folders/tree").await.body;
    let mut shown = Vec::new();
    for item in tree["items"].as_array().unwrap() {
        let mut alone = server.get(&format!("/api/folders/{}", item["id"].as_str().unwrap())).await.body;
        alone["children"] = json!([]);
        assert_eq!(item, &alone);
        shown.push(item["name"].as_str().unwrap());
    }
    let mut sorted = strange.to_vec();
    sorted.sort_unstable();
    assert_eq!(shown, sorted);
}

#[tokio::test]
async fn a_name_is_one_folder_of_a_parent_and_one_at_the_top() {
    let server = Server::start().await;
    let work = make(&server, "Work", None).await;
    let taken = server.post("/api/folders", json!({"name": "Work"})).await;
    assert_eq!(taken.problem(409), ("name_taken".into(), "name".into()));
    make(&server, "Work", Some(&work)).await;
    make(&server, "work", None).await;
    make(&server, "Caf\u{e9}", None).await;
    let decomposed = server.post("/api/folders", json!({"name": "Cafe\u{301}"})).await;
    assert_eq!(decomposed.problem(409).0, "name_taken", "however it was typed");
    let other = make(&server, "Other", None).await;
    assert_eq!(put(&server, &other, json!({"name": "Work"})).await.problem(409).0, "name_taken");
    let inner = make(&server, "Other", Some(&work)).await;
    assert_eq!(relocate(&server, &inner, "root").await.problem(409).0, "name_taken");
    let (_, key) = server.stranger().await;
    let theirs = server.bare(Method::POST, "/api/folders").bearer_auth(key).json(&json!({"name": "Work"}));
    assert_eq!(Answer::of(theirs).await.status, StatusCode::CREATED, "somebody else's");

    let at_once = join_all((0..10).map(|_| server.post("/api/folders", json!({"name": "Once"})))).await;
    let made = at_once.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    let refused = at_once.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!((made, refused), (1, 9));
}

#[tokio::test]
async fn a_folder_moves_with_all_that_is_in_it_but_not_into_itself() {
    let server = Server::start().await;
    let a = make(&server, "a", None).await;
    let b = make(&server, "b", Some(&a)).await;
    let c = make(&server, "c", Some(&b)).await;
    let d = make(&server, "d", None).await;
    for target in [&a, &b, &c] {
        assert_eq!(relocate(&server, &a, target).await.problem(409).0, "circular_move");
        assert_eq!(put(&server, &a, json!({"parent_folder_id": target})).await.problem(409).0, "circular_move");
    }
    let moved = relocate(&server, &b, &d).await;
    assert_eq!((moved.status, &moved.body["parent_folder_id"]), (StatusCode::OK, &json!(d)));
    assert_eq!(tree(&server).await, json!([["a", []], ["d", [["b", [["c", []]]]]]]));
    assert_eq!(relocate(&server, &a, &c).await.status, StatusCode::OK, "which was in it before");
    assert_eq!(relocate(&server, &c, "root").await.body["parent_folder_id"], Value::Null);
    assert_eq!(put(&server, &b, json!({"parent_folder_id": null})).await.body["parent_folder_id"], Value::Null);
    assert_eq!(tree(&server).await, json!([["b", []], ["c", [["a", []]]], ["d", []]]));
    let nowhere = FolderId::new(jiff::Timestamp::UNIX_EPOCH).to_string();
    for (folder, target) in [(&a, "top"), (&a, nowhere.as_str()), (&nowhere, "root"), (&nowhere, d.as_str())] {
        assert_eq!(relocate(&server, folder, target).await.problem(404).0, "not_found");
    }
    let stray = put(&server, &a, json!({"parent_folder_id": nowhere})).await;
    assert_eq!(stray.problem(422).1, "parent_folder_id");
}

#[tokio::test]
async fn moves_that_race_never_make_a_ring() {
    const FOLDERS: usize = 6;
    let server = Server::start().await;
    let mut ids = Vec::new();
    for n in 0..FOLDERS {
        ids.push(make(&server, &n.to_string(), None).await);
    }
    let some = proptest::collection::vec((0..FOLDERS, 0..=FOLDERS), 12);
    let mut runner = TestRunner::default();
    let mut done = 0;
    for round in 0..25 {
        let moves = some.new_tree(&mut runner).unwrap().current();
        let target = |n: usize| ids.get(n).map_or("root", String::as_str);
        let answers = join_all(moves.iter().map(|(from, to)| relocate(&server, &ids[*from], target(*to)))).await;
        for answer in &answers {
            assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&answer.status), "{}", answer.body);
        }
        done += answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        // What is in a ring hangs from nothing, so it is not in the tree.
        let tree = server.get("/api/folders/tree").await.body.to_string();
        let lost: Vec<_> = ids.iter().filter(|id| !tree.contains(&format!("\"id\":\"{id}\""))).collect();
        assert!(lost.is_empty(), "round {round}: {moves:?} lost {lost:?}");
    }
    assert!(done > 50, "{done} moves were made");
}

#[tokio::test]
async fn a_tree_may_be_deep() {
    const DEPTH: usize = 300;
    let server = Server::start().await;
    let (owner, now) = (server.context.auth.owner().id, jiff::Timestamp::from_second(START as i64).unwrap());
    let mut chain = Vec::new();
    for n in 0..DEPTH {
        let new = NewFolder { name: &n.to_string(), parent: chain.last().copied(), color: None, icon: None };
        let made = folders::create(&server.context.db, owner, new, now).await;
        chain.push(made.unwrap_or_else(|error| panic!("{n}: {error}")).id);
    }
    let tree = server.get("/api/folders/tree").await;
    let text = tree.body.as_str().expect("deeper than this reader's limit");
    assert_eq!((text.matches("\"children\":[").count(), text.matches("]}").count()), (DEPTH, DEPTH + 1));
    let (top, bottom) = (chain[0].to_string(), chain[DEPTH - 1].to_string());
    assert_eq!(relocate(&server, &top, &bottom).await.problem(409).0, "circular_move");
    assert_eq!(relocate(&server, &bottom, "root").await.status, StatusCode::OK);
    assert_eq!(relocate(&server, &top, &bottom).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_was_in_a_deleted_folder_moves_up_and_loses_nothing() {
    let server = Server::start().await;
    let top = make(&server, "top", None).await;
    let gone = make(&server, "gone", Some(&top)).await;
    make(&server, "calls", Some(&top)).await;
    let same = make(&server, "gone", Some(&gone)).await;
    let calls = make(&server, "calls", Some(&gone)).await;
    make(&server, "inner", Some(&calls)).await;
    let session = server.post("/api/sessions", json!({"folder_id": gone})).await.body["id"].clone();
    let deep = server.post("/api/sessions", json!({"folder_id": calls})).await.body["id"].clone();
    assert_eq!(server.delete(&format!("/api/folders/{gone}")).await.status, StatusCode::NO_CONTENT);
    let expected = json!([["top", [["calls", []], ["calls (2)", [["inner", []]]], ["gone", []]]]]);
    assert_eq!(tree(&server).await, expected);
    assert_eq!(server.get(&format!("/api/folders/{same}")).await.body["parent_folder_id"], top);
    let folder = async |id: &Value| {
        server.get(&format!("/api/sessions/{}", id.as_str().unwrap())).await.body["folder_id"].clone()
    };
    assert_eq!((folder(&session).await, folder(&deep).await), (Value::Null, json!(calls)));
    assert_eq!(server.delete(&format!("/api/folders/{top}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(tree(&server).await, json!([["calls", []], ["calls (2)", [["inner", []]]], ["gone", []]]));
}

#[tokio::test]
async fn conversations_are_filed_and_found_by_folder() {
    let server = Server::start().await;
    let (work, home) = (make(&server, "work", None).await, make(&server, "home", None).await);
    let filed = server.post("/api/sessions", json!({"title": "in", "folder_id": work})).await.body;
    let loose = server.post("/api/sessions", json!({"title": "out", "folder_id": null})).await.body;
    assert_eq!((&filed["folder_id"], &loose["folder_id"]), (&json!(work), &Value::Null));
    let found = async |query: &str| {
        let list = server.get(&format!("/api/sessions?{query}")).await;
        list.body["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found(&format!("folder_id={work}")).await, [filed["id"].clone()]);
    assert_eq!(found("folder_id=none").await, [loose["id"].clone()]);
    assert_eq!(found("").await.len(), 2);

    let path = format!("/api/sessions/{}", filed["id"].as_str().unwrap());
    let patch = async |body: Value| Answer::of(server.request(Method::PATCH, &path).json(&body)).await;
    assert_eq!(patch(json!({"folder_id": home})).await.body["folder_id"], home);
    assert_eq!(patch(json!({"title": "still in"})).await.body["folder_id"], home, "what is absent stays");
    assert_eq!(found(&format!("archived=false&folder_id={home}")).await, [filed["id"].clone()]);
    assert_eq!(patch(json!({"folder_id": null})).await.body["folder_id"], Value::Null);

    let (stranger, _) = server.stranger().await;
    let now = jiff::Timestamp::from_second(START as i64).unwrap();
    let new = NewFolder { name: "theirs", parent: None, color: None, icon: None };
    let theirs = folders::create(&server.context.db, stranger, new, now).await.unwrap().id.to_string();
    let nowhere = FolderId::new(now).to_string();
    for folder in [&theirs, &nowhere] {
        assert_eq!(patch(json!({"folder_id": folder})).await.problem(422).1, "folder_id");
        let begun = server.post("/api/sessions", json!({"folder_id": folder})).await;
        assert_eq!(begun.problem(422).1, "folder_id");
        assert_eq!(found(&format!("folder_id={folder}")).await, Vec::<Value>::new());
    }
    assert_eq!(patch(json!({"folder_id": "work"})).await.problem(422).1, "folder_id");
    assert_eq!(server.get("/api/sessions?folder_id=work").await.problem(422).1, "folder_id");
    let nobody = format!("/api/sessions/{}", SessionId::new(now));
    let missing = Answer::of(server.request(Method::PATCH, &nobody).json(&json!({"folder_id": home}))).await;
    assert_eq!(missing.problem(404).0, "not_found");
}

#[tokio::test]
async fn folders_are_listed_by_parent_and_page() {
    let server = Server::start().await;
    let top = make(&server, "top", None).await;
    for name in ["c", "a", "b"] {
        make(&server, name, Some(&top)).await;
    }
    make(&server, "last", None).await;
    assert_eq!(names(&server.get("/api/folders").await), ["top", "c", "a", "b", "last"]);
    assert_eq!(names(&server.get("/api/folders?parent_folder_id=root").await), ["top", "last"]);
    let within = format!("/api/folders?parent_folder_id={top}&limit=2");
    let first = server.get(&within).await;
    assert_eq!(names(&first), ["c", "a"]);
    let rest = server.get(&format!("{within}&after={}", first.body["next"].as_str().unwrap())).await;
    assert_eq!((names(&rest), &rest.body["next"]), (vec!["b"], &Value::Null));
    assert_eq!(server.get("/api/folders?parent_folder_id=top").await.problem(422).1, "parent_folder_id");
    assert_eq!(server.get("/api/folders?name=top").await.problem(422).1, "name");
    assert_eq!(tree(&server).await, json!([["last", []], ["top", [["a", []], ["b", []], ["c", []]]]]));
}

#[tokio::test]
async fn somebody_elses_folder_answers_as_one_that_does_not_exist() {
    let server = Server::start().await;
    let (_, key) = server.stranger().await;
    let own = make(&server, "private", None).await;
    let nowhere = FolderId::new(jiff::Timestamp::UNIX_EPOCH).to_string();
    for (method, suffix) in [(Method::GET, ""), (Method::PUT, ""), (Method::DELETE, ""), (Method::POST, "/move/root")] {
        let ask = |id: &str| {
            let request = server.bare(method.clone(), &format!("/api/folders/{id}{suffix}")).bearer_auth(&key);
            Answer::of(if method == Method::PUT { request.json(&json!({"name": "mine"})) } else { request })
        };
        let (foreign, missing) = (ask(&own).await, ask(&nowhere).await);
        assert_eq!(foreign.problem(404), missing.problem(404), "{method}");
        assert_eq!(foreign.body, missing.body);
    }
    let inside = server.bare(Method::POST, "/api/folders").bearer_auth(&key);
    let inside = Answer::of(inside.json(&json!({"name": "spy", "parent_folder_id": own}))).await;
    assert_eq!(inside.problem(422).1, "parent_folder_id");
    for list in ["/api/folders", "/api/folders/tree"] {
        let theirs = Answer::of(server.bare(Method::GET, list).bearer_auth(&key)).await;
        assert_eq!(theirs.body["items"], json!([]));
    }
    assert_eq!(server.get(&format!("/api/folders/{own}")).await.body["name"], "private");
}

#[tokio::test]
async fn what_cannot_be_a_folder_is_told_and_what_looks_dangerous_is_a_name() {
    let server = Server::start().await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "   "}), "name"),
        (json!({"name": "a\u{0}b"}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"name": 7}), "name"),
        (json!({"name": "a", "color": "#12345"}), "color"),
        (json!({"name": "a", "color": "red;}"}), "color"),
        (json!({"name": "a", "icon": ""}), "icon"),
        (json!({"name": "a", "icon": "x".repeat(65)}), "icon"),
        (json!({"name": "a", "parent_folder_id": "root"}), "parent_folder_id"),
        (json!({"name": "a", "owner": "me"}), "owner"),
    ] {
        assert_eq!(server.post("/api/folders", body.clone()).await.problem(422).1, field, "{body}");
    }
    let id = make(&server, "x", None).await;
    assert_eq!(put(&server, &id, json!({"name": null})).await.problem(422).1, "name");
    assert_eq!(put(&server, &id, json!({"user_id": id})).await.problem(422).1, "user_id");
    for name in [
        "'; DROP TABLE folders; --",
        "<script>alert(1)</script>",
        "../../etc",
        "\u{202e}gpj",
        "名".repeat(100).as_str(),
    ] {
        let id = make(&server, name, None).await;
        assert_eq!(server.get(&format!("/api/folders/{id}")).await.body["name"], name);
    }
}

#[tokio::test]
async fn pages_that_may_call_the_relay_may_put() {
    let server = Server::with(|context| context.config.allowed_origins = vec!["https://app.example.org".into()]).await;
    let preflight = server
        .bare(Method::OPTIONS, "/api/folders/x")
        .header("origin", "https://app.example.org")
        .header("access-control-request-method", "PUT");
    assert!(Answer::of(preflight).await.header("access-control-allow-methods").contains("PUT"));
}
