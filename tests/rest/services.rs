//! Tools that others run: services over HTTP, and servers of the Model Context Protocol at a URL and in a process.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::RawQuery,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;
use voice_relay::tools;

use crate::{
    files::until,
    live::{next, owner, send},
    server::Server,
    tools::{Obedient, Step, equipped, say},
};

/// Serves on a port of its own.
async fn serve(router: Router) -> (String, AbortOnDropHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, AbortOnDropHandle::new(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })))
}

fn config(text: &str) -> tools::Config {
    let mut config: tools::Config = toml::from_str(&format!("clinical_updates = false\n{text}")).unwrap();
    config.fill(|name| (name == "WEATHER_KEY").then(|| "s3cret".to_owned()));
    assert_eq!(config.validate(), []);
    config
}

/// A new conversation's path.
async fn conversation(server: &Server) -> String {
    format!("/api/sessions/{}", server.session().await)
}

/// What a model that calls this tool once is told.
async fn told(config: tools::Config, name: &'static str, arguments: Value) -> String {
    let model = Obedient::new(vec![Step::Calls(name, arguments), Step::Says("Fine.")]);
    let server = equipped(&model, true, config).await;
    say(&server, &conversation(&server).await, "go on").await;
    model.result()
}

#[tokio::test]
async fn a_service_is_asked_with_its_secret_and_what_it_says_is_told() {
    let weather = async |headers: HeaderMap, RawQuery(query): RawQuery| {
        assert_eq!(headers["x-key"], "s3cret");
        format!("sunny for {}", query.unwrap())
    };
    let broken = async || (StatusCode::NOT_FOUND, "no such town").into_response();
    let secret_seen = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&secret_seen);
    let elsewhere = async move |headers: HeaderMap| seen.store(headers.contains_key("x-key"), Ordering::SeqCst);
    let long = async || "x".repeat(1 << 20);
    let slow = async || std::future::pending::<()>().await;
    let router = Router::new()
        .route("/weather", get(weather))
        .route("/broken", get(broken))
        .route("/moved", get(async || Redirect::temporary("/elsewhere")))
        .route("/elsewhere", get(elsewhere))
        .route("/long", get(long))
        .route("/slow", get(slow));
    let (url, _serving) = serve(router).await;
    let tool = |path: &str| {
        let parameters = "parameters = {properties = {city = {type = \"string\"}}, required = [\"city\"]}";
        config(&format!(
            "[[http]]\nname = \"weather\"\ndescription = \"Tells the weather.\"\nurl = \"{url}/{path}\"\nmethod = \"GET\"\n\
             writes = false\ntimeout_ms = 500\nsecret_env = \"WEATHER_KEY\"\nsecret_header = \"X-Key\"\n{parameters}\n"
        ))
    };
    let oslo = || json!({"city": "Oslo"});
    assert_eq!(told(tool("weather"), "weather", oslo()).await, "sunny for city=Oslo");
    assert_eq!(told(tool("weather"), "weather", json!({"city": 1})).await, "Error: `city` must be of type string");
    let refused = told(tool("broken"), "weather", oslo()).await;
    assert_eq!(refused, "Error: the service refused it with status 404: no such town");
    assert!(told(tool("moved"), "weather", oslo()).await.starts_with("Error: the service refused it with status 307"));
    assert!(!secret_seen.load(Ordering::SeqCst), "no redirect is followed");
    let long = told(tool("long"), "weather", oslo()).await;
    assert!(long.len() < 40_000 && long.ends_with("[Cut: the result is longer.]"), "{}", long.len());
    assert_eq!(told(tool("slow"), "weather", oslo()).await, "Error: the service gave no answer in time");
}

#[tokio::test]
async fn a_service_that_changes_something_is_asked_after_a_yes_with_exactly_what_was_said() {
    let asked: Arc<Mutex<Vec<(HeaderMap, Value)>>> = Arc::default();
    let noted = Arc::clone(&asked);
    let book = async move |headers: HeaderMap, Json(body): Json<Value>| {
        noted.lock().unwrap().push((headers, body));
        "booked"
    };
    let (url, _serving) = serve(Router::new().route("/", post(book))).await;
    let config = config(&format!(
        "[[http]]\nname = \"book_visit\"\ndescription = \"Books a visit.\"\nurl = \"{url}\"\nparameters = {{properties = \
         {{day = {{type = \"string\"}}}}}}\n"
    ));
    let call = Step::Calls("book_visit", json!({"day": "Monday"}));
    let model = Obedient::new(vec![call, Step::Says("It is booked.")]);
    let server = equipped(&model, true, config).await;
    let path = conversation(&server).await;
    let reply = say(&server, &path, "book a visit on Monday").await;
    assert_eq!(reply["content"], "I would do this: book visit with day: Monday. Shall I?");
    assert_eq!(asked.lock().unwrap().len(), 0);
    let reply = say(&server, &path, "yes please").await;
    assert_eq!((&reply["tools"][0]["state"], &reply["tools"][0]["output"]), (&json!("done"), &json!("booked")));
    let asked = asked.lock().unwrap();
    assert_eq!((asked.len(), &asked[0].1), (1, &json!({"day": "Monday"})));
    assert_eq!(asked[0].0["idempotency-key"].len(), 32);
}

/// A server of the older age of the protocol, which wants a session, answers with a stream of events and forgets what it knew
/// when it is told to.
struct Older {
    session: Mutex<Option<String>>,
    sessions: AtomicUsize,
}

impl Older {
    fn answer(&self, headers: &HeaderMap, message: &Value) -> Response {
        assert_eq!(headers[header::ACCEPT], "application/json, text/event-stream");
        assert_eq!(headers[header::AUTHORIZATION], "Bearer s3cret");
        let said = |result: Value| json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
        if message["method"] == "initialize" {
            let session = format!("session-{}", self.sessions.fetch_add(1, Ordering::SeqCst));
            *self.session.lock().unwrap() = Some(session.clone());
            let told = json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {}});
            return ([("mcp-session-id", session)], Json(said(told))).into_response();
        }
        let known = self.session.lock().unwrap().clone();
        if headers.get("mcp-session-id").and_then(|id| id.to_str().ok()) != known.as_deref() {
            return StatusCode::NOT_FOUND.into_response();
        }
        assert_eq!(headers["mcp-protocol-version"], "2025-06-18");
        let result = match message["method"].as_str().unwrap() {
            "notifications/initialized" => return StatusCode::ACCEPTED.into_response(),
            "tools/list" if message["params"]["cursor"].is_null() => {
                json!({"tools": [tool("look", true), tool("hidden", true)], "nextCursor": "2"})
            }
            "tools/list" => json!({"tools": [tool("write", false)]}),
            "tools/call" => {
                let text = format!("{} {}", message["params"]["name"], message["params"]["arguments"]);
                json!({"content": [{"type": "text", "text": text}]})
            }
            other => panic!("{other}"),
        };
        let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {}});
        let events = format!("event: message\ndata: {log}\n\nevent: message\ndata: {}\n\n", said(result));
        ([(header::CONTENT_TYPE, "text/event-stream")], events).into_response()
    }
}

fn tool(name: &str, reads: bool) -> Value {
    let schema = json!({"type": "object", "properties": {"at": {"type": "integer"}}});
    json!({"name": name, "description": "Does.", "inputSchema": schema, "annotations": {"readOnlyHint": reads}})
}

/// Says something until the model is offered this tool, or is not.
async fn offered(server: &Server, model: &Obedient, name: &str, wanted: bool) {
    let path = conversation(server).await;
    until(async || {
        say(server, &path, "hello").await;
        model.asked().last().unwrap().tools.iter().any(|tool| tool.name == name) == wanted
    })
    .await;
}

#[tokio::test]
async fn the_tools_of_a_server_join_ours_and_only_what_reads_runs_unasked() {
    let older = Arc::new(Older { session: Mutex::default(), sessions: AtomicUsize::new(0) });
    let answering = Arc::clone(&older);
    let answer = async move |headers: HeaderMap, Json(message): Json<Value>| answering.answer(&headers, &message);
    let (url, _serving) = serve(Router::new().route("/mcp", post(answer))).await;
    let config = config(&format!(
        "[[mcp]]\nlabel = \"desk\"\nurl = \"{url}/mcp\"\nsecret_env = \"WEATHER_KEY\"\nallow = [\"look\", \"write\"]\n"
    ));
    let model = Obedient::new(vec![]);
    let server = equipped(&model, true, config).await;
    offered(&server, &model, "desk_look", true).await;
    let names: Vec<_> = model.asked().pop().unwrap().tools.into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["desk_look", "desk_write"], "what is not allowed is not offered");

    let path = conversation(&server).await;
    model.then(vec![Step::Calls("desk_look", json!({"at": 3})), Step::Calls("desk_write", json!({"at": 4}))]);
    let reply = say(&server, &path, "look and write").await;
    assert_eq!(
        (&reply["tools"][0]["output"], &reply["tools"][0]["state"]),
        (&json!("\"look\" {\"at\":3}"), &json!("done"))
    );
    assert_eq!(reply["content"], "I would do this: desk write with at: 4. Shall I?");
    let reply = say(&server, &path, "yes").await;
    assert_eq!(
        (&reply["tools"][0]["output"], &reply["tools"][0]["state"]),
        (&json!("\"write\" {\"at\":4}"), &json!("done"))
    );

    // The server forgets: the next call fails, and another session begins.
    *older.session.lock().unwrap() = None;
    model.then(vec![Step::Calls("desk_look", json!({}))]);
    let reply = say(&server, &path, "look").await;
    assert_eq!(reply["tools"][0]["state"], "failed", "{reply}");
    until(async || older.sessions.load(Ordering::SeqCst) == 2).await;
    offered(&server, &model, "desk_look", true).await;
}

#[tokio::test]
async fn a_server_without_handshakes_is_told_all_with_each_request() {
    let answer = async |headers: HeaderMap, Json(message): Json<Value>| {
        let method = message["method"].as_str().unwrap();
        let say = |body: Value| {
            Json(json!({"jsonrpc": "2.0", "id": message["id"], body["kind"].as_str().unwrap(): body["of"]}))
        };
        if method == "initialize" {
            let error = json!({"code": -32601, "message": "Method not found"});
            return (StatusCode::NOT_FOUND, say(json!({"kind": "error", "of": error}))).into_response();
        }
        assert_eq!(
            (&headers["mcp-protocol-version"], &headers["mcp-method"]),
            (&"2026-07-28".parse().unwrap(), &method.parse().unwrap())
        );
        let meta = &message["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        let result = match method {
            "tools/list" => json!({"resultType": "complete", "tools": [tool("look", true)]}),
            "tools/call" => {
                assert_eq!(headers["mcp-name"], "look");
                json!({"resultType": "complete", "content": [], "structuredContent": {"seen": true}})
            }
            other => panic!("{other}"),
        };
        say(json!({"kind": "result", "of": result})).into_response()
    };
    let (url, _serving) = serve(Router::new().route("/", any(answer))).await;
    let model = Obedient::new(vec![]);
    let server = equipped(&model, true, config(&format!("[[mcp]]\nlabel = \"new\"\nurl = \"{url}\"\n"))).await;
    offered(&server, &model, "new_look", true).await;
    model.then(vec![Step::Calls("new_look", json!({}))]);
    say(&server, &conversation(&server).await, "look").await;
    assert_eq!(model.result(), "{\"seen\":true}");
}

/// Answers a line at a time; a call with "die" ends it.
const PROGRAM: &str = r#"
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"initialize"'*) result='{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{}}' ;;
    *'"tools/list"'*) result='{"tools":[{"name":"look","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]}' ;;
    *'"die"'*) exit 1 ;;
    *'"tools/call"'*) result="{\"content\":[{\"type\":\"text\",\"text\":\"home is ${HOME:-hidden}\"}]}" ;;
    *) continue ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
"#;

#[tokio::test]
async fn a_server_in_a_process_sees_nothing_of_ours_and_is_begun_anew_when_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("server.sh");
    std::fs::write(&program, PROGRAM).unwrap();
    let model = Obedient::new(vec![]);
    let config =
        config(&format!("[[mcp]]\nlabel = \"own\"\ncommand = \"sh\"\nargs = [{:?}]\n", program.display().to_string()));
    let server = equipped(&model, true, config).await;
    offered(&server, &model, "own_look", true).await;
    let path = conversation(&server).await;
    model.then(vec![Step::Calls("own_look", json!({}))]);
    say(&server, &path, "look").await;
    assert_eq!(model.result(), "home is hidden");
    model.then(vec![Step::Calls("own_look", json!({"die": 1}))]);
    let reply = say(&server, &path, "look").await;
    assert_eq!((&reply["tools"][0]["state"], &reply["content"]), (&json!("failed"), &json!("Fine.")), "{reply}");
    offered(&server, &model, "own_look", true).await;
    model.then(vec![Step::Calls("own_look", json!({}))]);
    say(&server, &path, "look").await;
    assert_eq!(model.result(), "home is hidden");
}

#[tokio::test]
async fn a_server_that_is_away_costs_nothing_and_joins_when_it_is_there() {
    let older = Arc::new(Older { session: Mutex::default(), sessions: AtomicUsize::new(0) });
    let (there, model) = (Arc::new(AtomicBool::new(false)), Obedient::new(vec![]));
    let open = Arc::clone(&there);
    let answer = async move |mut headers: HeaderMap, Json(message): Json<Value>| {
        if !open.load(Ordering::SeqCst) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        headers.insert(header::AUTHORIZATION, "Bearer s3cret".parse().unwrap());
        older.answer(&headers, &message)
    };
    let (url, _serving) = serve(Router::new().route("/", post(answer))).await;
    // Nobody answers at the first port.
    let never = "[[mcp]]\nlabel = \"never\"\nurl = \"http://127.0.0.1:1\"\n";
    let config = config(&format!("{never}[[mcp]]\nlabel = \"late\"\nurl = \"{url}\"\n"));
    let server = equipped(&model, true, config).await;
    let reply = say(&server, &conversation(&server).await, "hello").await;
    assert_eq!((&reply["content"], model.asked()[0].tools.len()), (&json!("Fine."), 0));
    there.store(true, Ordering::SeqCst);
    offered(&server, &model, "late_look", true).await;
}

/// Tells when it is dropped.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_reply_that_is_cancelled_lets_go_of_the_service_and_the_session_goes_on() {
    let (asked, gone) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (noted, guard) = (Arc::clone(&asked), Arc::clone(&gone));
    let hang = async move || {
        let _guard = Gone(guard);
        noted.store(true, Ordering::SeqCst);
        std::future::pending::<()>().await;
    };
    let (url, _serving) = serve(Router::new().route("/", get(hang))).await;
    let config = config(&format!(
        "[[http]]\nname = \"wait\"\ndescription = \"Waits.\"\nurl = \"{url}\"\nmethod = \"GET\"\nwrites = false\n\
         timeout_ms = 30000\n"
    ));
    let model = Obedient::new(vec![Step::Calls("wait", json!({})), Step::Says("Here I am.")]);
    let server = equipped(&model, true, config).await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let content = json!([{"type": "input_text", "text": "wait"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    send(&mut socket, json!({"type": "conversation.item.create", "item": item})).await;
    send(&mut socket, json!({"type": "response.create"})).await;
    until(async || asked.load(Ordering::SeqCst)).await;
    send(&mut socket, json!({"type": "response.cancel"})).await;
    let done = next(&mut socket, "response.done").await;
    assert_eq!((&done["response"]["status"], &done["response"]["output"]), (&json!("cancelled"), &json!([])));
    until(async || gone.load(Ordering::SeqCst)).await;
    send(&mut socket, json!({"type": "response.create"})).await;
    let item = next(&mut socket, "response.output_item.done").await["item"].clone();
    assert_eq!(item["content"][0]["transcript"], "Here I am.", "{item}");
}
