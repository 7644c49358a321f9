//! Clinical contexts: kept, checked, one a conversation; and, with attached files, told to the model of every answer.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, future::BoxFuture, future::join_all};
use providers::{
    LanguageModel, ProviderError,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    scripted::{self, LlmScript},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use voice_relay::store::{ClinicalContextId, SessionId, UserId, reading, users};

use crate::{
    files::{id, upload},
    live::{Socket, dial, next, send},
    server::{Answer, START, Server},
};

const PATH: &str = "/api/clinical-contexts";

fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(START as i64).unwrap()
}

async fn put(server: &Server, id: &str, body: Value) -> Answer {
    Answer::of(server.request(Method::PUT, &format!("{PATH}/{id}")).json(&body)).await
}

/// A context of the owner's.
async fn made(server: &Server, body: Value) -> String {
    let made = server.post(PATH, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    id(&made.body)
}

#[tokio::test]
async fn a_context_is_made_read_changed_and_deleted() {
    let server = Server::start().await;
    let session = server.session().await.to_string();
    let whole = json!({
        "session_id": session, "age": 54, "gender": " female ", "weight_kg": 70.5, "height_cm": 172.0,
        "chief_complaint": "chest pain\nsince noon", "problems": ["asthma", "atrial fibrillation"],
        "medications": ["warfarin 5 mg"], "allergies": ["penicillin"],
        "vitals": {"temperature": 37.2, "heart_rate": 88, "blood_pressure": "120 / 80", "respiratory_rate": 16, "spo2": 97.0},
    });
    let made = server.post(PATH, whole).await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"));
    let expected = json!({
        "id": made.body["id"], "session_id": session, "age": 54, "gender": "female", "weight_kg": 70.5,
        "height_cm": 172.0, "chief_complaint": "chest pain\nsince noon", "problems": ["asthma", "atrial fibrillation"],
        "medications": ["warfarin 5 mg"], "allergies": ["penicillin"],
        "vitals": {"temperature": 37.2, "heart_rate": 88, "blood_pressure": "120/80", "respiratory_rate": 16, "spo2": 97.0},
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(made.body, expected);
    let own = id(&made.body);
    let path = format!("{PATH}/{own}");
    assert_eq!(server.get(&path).await.body, expected);
    assert_eq!(server.get(&format!("{PATH}/current?session_id={session}")).await.body, expected);
    assert_eq!(server.get(&format!("{PATH}/current")).await.problem(404).0, "not_found");

    server.clock.advance(std::time::Duration::from_secs(60));
    let changed = put(
        &server,
        &own,
        json!({"age": 55, "gender": null, "problems": null, "vitals": {"heart_rate": null, "spo2": 95.5}}),
    );
    let changed = changed.await.body;
    assert_eq!((&changed["age"], &changed["gender"], &changed["problems"]), (&json!(55), &Value::Null, &json!([])));
    assert_eq!((&changed["vitals"]["heart_rate"], &changed["vitals"]["spo2"]), (&Value::Null, &json!(95.5)));
    assert_eq!(
        (&changed["medications"], &changed["vitals"]["temperature"]),
        (&json!(["warfarin 5 mg"]), &json!(37.2)),
        "what is absent stays"
    );
    assert_eq!(changed["updated_at"], "2026-01-01T00:01:00.000Z");
    assert_eq!(put(&server, &own, json!({"vitals": null})).await.body["vitals"], Value::Null);
    assert_eq!(server.get(&path).await.body["weight_kg"], 70.5);
    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    for gone in [server.get(&path).await, server.delete(&path).await, put(&server, &own, json!({})).await] {
        assert_eq!(gone.problem(404).0, "not_found");
    }
}

#[tokio::test]
async fn what_is_not_plausible_is_refused_by_its_field() {
    let server = Server::start().await;
    let long = |count: usize| vec!["x"; count];
    for (body, field) in [
        (json!({"age": -1}), "age"),
        (json!({"age": 131}), "age"),
        (json!({"age": 40.5}), "age"),
        (json!({"age": "40"}), "age"),
        (json!({"gender": ""}), "gender"),
        (json!({"gender": "x".repeat(51)}), "gender"),
        (json!({"gender": "a\nb"}), "gender"),
        (json!({"weight_kg": 700.1}), "weight_kg"),
        (json!({"weight_kg": -0.1}), "weight_kg"),
        (json!({"height_cm": 301}), "height_cm"),
        (json!({"chief_complaint": " \n "}), "chief_complaint"),
        (json!({"chief_complaint": "x".repeat(1_001)}), "chief_complaint"),
        (json!({"chief_complaint": "a\u{0}b"}), "chief_complaint"),
        (json!({"problems": "asthma"}), "problems"),
        (json!({"problems": long(51)}), "problems"),
        (json!({"medications": ["ok", ""]}), "medications[1]"),
        (json!({"medications": ["ok", 7]}), "medications[1]"),
        (json!({"allergies": ["x".repeat(201)]}), "allergies[0]"),
        (json!({"allergies": ["a\nb"]}), "allergies[0]"),
        (json!({"vitals": 7}), "vitals"),
        (json!({"vitals": {"temperature": 19.9}}), "vitals.temperature"),
        (json!({"vitals": {"temperature": 98.6}}), "vitals.temperature"),
        (json!({"vitals": {"heart_rate": 351}}), "vitals.heart_rate"),
        (json!({"vitals": {"heart_rate": 70.5}}), "vitals.heart_rate"),
        (json!({"vitals": {"respiratory_rate": 121}}), "vitals.respiratory_rate"),
        (json!({"vitals": {"spo2": 100.5}}), "vitals.spo2"),
        (json!({"vitals": {"blood_pressure": "80/120"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"blood_pressure": "120/120"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"blood_pressure": "120"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"blood_pressure": "120/80/60"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"blood_pressure": "-120/80"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"blood_pressure": "351/80"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"blood_pressure": "29/12"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"blood_pressure": "120/9"}}), "vitals.blood_pressure"),
        (json!({"vitals": {"pulse": 70}}), "vitals.pulse"),
        (json!({"session_id": "x"}), "session_id"),
        (json!({"name": "Ann"}), "name"),
        (json!({"user_id": "x"}), "user_id"),
    ] {
        assert_eq!(server.post(PATH, body.clone()).await.problem(422).1, field, "{body}");
    }
    assert_eq!(server.get(&format!("{PATH}/current")).await.problem(404).0, "not_found", "nothing of it is kept");
    let empty = made(&server, json!({})).await;
    for (body, field) in [
        (json!({"age": 131}), "age"),
        (json!({"age": 50, "vitals": {"spo2": -1}}), "vitals.spo2"),
        (json!({"id": empty}), "id"),
    ] {
        assert_eq!(put(&server, &empty, body.clone()).await.problem(422).1, field, "{body}");
    }
    assert_eq!(server.get(&format!("{PATH}/{empty}")).await.body["age"], Value::Null, "nor half of a change");
    for edge in [
        json!({"age": 0, "weight_kg": 0, "height_cm": 0, "gender": null, "vitals": {}}),
        json!({"age": 130, "weight_kg": 700, "height_cm": 300, "problems": long(50), "allergies": ["é".repeat(200)]}),
        json!({"vitals": {"temperature": 20, "heart_rate": 0, "respiratory_rate": 0, "spo2": 0, "blood_pressure": "30/10"}}),
        json!({"vitals": {"temperature": 46, "heart_rate": 350, "respiratory_rate": 120, "spo2": 100,
            "blood_pressure": "350/250"}}),
    ] {
        let kept = put(&server, &empty, edge.clone()).await;
        assert_eq!(kept.status, StatusCode::OK, "{edge}: {}", kept.body);
    }
    assert_eq!(server.get(&format!("{PATH}/current?age=5")).await.problem(422).1, "age");
    assert_eq!(server.get(&format!("{PATH}/current?session_id=x")).await.problem(404).0, "not_found");
}

#[tokio::test]
async fn a_conversation_has_one_and_all_others_have_one_also_when_made_at_once() {
    let server = Server::start().await;
    let (first, second) = (server.session().await.to_string(), server.session().await.to_string());
    for body in [json!({"session_id": first}), json!({"session_id": null}), json!({"session_id": second})] {
        let at_once = join_all((0..20).map(|_| server.post(PATH, body.clone()))).await;
        let won = at_once.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
        let lost = at_once.iter().filter(|answer| answer.status == StatusCode::CONFLICT);
        assert_eq!((won, lost.clone().count()), (1, 19), "{body}");
        lost.for_each(|answer| assert_eq!(answer.problem(409).0, "context_exists"));
    }
    let (_, key) = server.stranger().await;
    let theirs = server.bare(Method::POST, PATH).bearer_auth(key).json(&json!({}));
    assert_eq!(Answer::of(theirs).await.status, StatusCode::CREATED, "somebody else's");

    let current = async |query: &str| id(&server.get(&format!("{PATH}/current{query}")).await.body);
    let (own, others) = (current(&format!("?session_id={first}")).await, current("").await);
    assert_eq!(put(&server, &own, json!({"session_id": null})).await.problem(409).0, "context_exists");
    assert_eq!(put(&server, &others, json!({"session_id": second})).await.problem(409).0, "context_exists");
    assert_eq!(server.delete(&format!("{PATH}/{others}")).await.status, StatusCode::NO_CONTENT);
    let moved = put(&server, &own, json!({"session_id": null, "age": 3})).await;
    assert_eq!((&moved.body["session_id"], &moved.body["age"]), (&Value::Null, &json!(3)));
    assert_eq!(current("").await, own);
    assert_eq!(server.get(&format!("{PATH}/current?session_id={first}")).await.problem(404).0, "not_found");
    assert_eq!(put(&server, &own, json!({"session_id": first})).await.body["session_id"], first);
}

#[tokio::test]
async fn changes_at_once_do_not_undo_each_other() {
    let server = Server::start().await;
    let own = made(&server, json!({"age": 1})).await;
    let parts = [
        json!({"age": 50}),
        json!({"gender": "male"}),
        json!({"weight_kg": 80.5}),
        json!({"allergies": ["latex"]}),
        json!({"vitals": {"heart_rate": 70}}),
        json!({"vitals": {"spo2": 99.5}}),
    ];
    let at_once = join_all(parts.iter().map(|part| put(&server, &own, part.clone()))).await;
    assert!(at_once.iter().all(|answer| answer.status == StatusCode::OK));
    let whole = server.get(&format!("{PATH}/{own}")).await.body;
    for part in parts {
        for (name, value) in part.as_object().unwrap() {
            match value.as_object() {
                Some(members) => members.iter().for_each(|(member, value)| assert_eq!(&whole[name][member], value)),
                None => assert_eq!(&whole[name], value),
            }
        }
    }
}

#[tokio::test]
async fn somebody_elses_answers_as_what_is_not_there() {
    let server = Server::start().await;
    let (stranger, key) = server.stranger().await;
    let session = server.session().await;
    let own = made(&server, json!({"session_id": session, "age": 54})).await;
    let nowhere = ClinicalContextId::new(now()).to_string();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let ask = |id: &str| {
            let request = server.bare(method.clone(), &format!("{PATH}/{id}")).bearer_auth(&key);
            Answer::of(if method == Method::PUT { request.json(&json!({"age": 1})) } else { request })
        };
        let (foreign, missing) = (ask(&own).await, ask(&nowhere).await);
        assert_eq!(foreign.problem(404), missing.problem(404), "{method}");
        assert_eq!(foreign.body, missing.body);
    }
    let (theirs, none) = (server.session_of(stranger).await, SessionId::new(now()));
    let mine = made(&server, json!({})).await;
    for session in [theirs, none] {
        assert_eq!(server.post(PATH, json!({"session_id": session})).await.problem(404).0, "not_found");
        assert_eq!(put(&server, &mine, json!({"session_id": session, "age": 9})).await.problem(404).0, "not_found");
        assert_eq!(server.get(&format!("{PATH}/current?session_id={session}")).await.problem(404).0, "not_found");
    }
    let spied = server.bare(Method::GET, &format!("{PATH}/current?session_id={session}")).bearer_auth(&key);
    assert_eq!(Answer::of(spied).await.problem(404).0, "not_found");
    assert_eq!(server.get(&format!("{PATH}/{mine}")).await.body["age"], Value::Null, "nothing of it was changed");
    assert_eq!(server.get(&format!("{PATH}/{own}")).await.body["age"], 54);
}

#[tokio::test]
async fn a_context_goes_with_its_conversation_and_with_its_user() {
    let server = Server::start().await;
    let session = server.session().await;
    let own = made(&server, json!({"session_id": session})).await;
    assert_eq!(server.delete(&format!("/api/sessions/{session}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.get(&format!("{PATH}/{own}")).await.problem(404).0, "not_found");
    let (stranger, key) = server.stranger().await;
    let theirs = server.bare(Method::POST, PATH).bearer_auth(key).json(&json!({"age": 30}));
    assert_eq!(Answer::of(theirs).await.status, StatusCode::CREATED);
    users::delete(&server.context.db, stranger).await.unwrap();
}

/// A model that notes what it is told, as an engine that is cleared.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl LanguageModel for Listener {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities::default()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let told = prompt.aside.as_ref().map_or(String::new(), |told| told.expose(true).unwrap());
        self.0.lock().unwrap().push(told);
        async { scripted::LanguageModel::new(LlmScript::default()).reply(Prompt::default()).await }.boxed()
    }
}

/// Talks in a conversation: what its model is told for one answer.
async fn told(socket: &mut Socket, listener: &Listener) -> String {
    send(socket, json!({"type": "response.create", "response": {"output_modalities": ["text"]}})).await;
    assert_eq!(next(socket, "response.done").await["response"]["status"], "completed");
    listener.0.lock().unwrap().pop().unwrap()
}

async fn talk(server: &Server, session: &str) -> Socket {
    let promise = server.post("/voice/realtime-session", json!({"conversation_id": session})).await.body;
    let bearer = format!("Bearer {}", promise["client_secret"]["value"].as_str().unwrap());
    let mut socket = dial(server, "", &[("authorization", &bearer)]).await.unwrap().0;
    next(&mut socket, "session.created").await;
    socket
}

#[tokio::test]
async fn every_answer_is_told_what_holds_then() {
    let listener = Listener::default();
    let server = Server::with(|context| context.providers.llm = Arc::new(listener.clone())).await;
    let session = server.session().await.to_string();
    let mut socket = talk(&server, &session).await;
    assert_eq!(told(&mut socket, &listener).await, "", "nothing is known");
    let usual = made(&server, json!({"allergies": ["latex"]})).await;
    assert!(told(&mut socket, &listener).await.contains("Allergies:\n- latex\n"), "what holds for all");
    let own = made(&server, json!({"session_id": session, "medications": ["warfarin"]})).await;
    let sheet = told(&mut socket, &listener).await;
    assert!(sheet.contains("Medications:\n- warfarin\n") && !sheet.contains("latex"), "{sheet}");
    put(&server, &own, json!({"medications": ["heparin"]})).await;
    let sheet = told(&mut socket, &listener).await;
    assert!(sheet.contains("- heparin\n") && !sheet.contains("warfarin"), "{sheet}");
    server.delete(&format!("{PATH}/{own}")).await;
    assert!(told(&mut socket, &listener).await.contains("- latex\n"));
    server.delete(&format!("{PATH}/{usual}")).await;
    assert_eq!(told(&mut socket, &listener).await, "");
}

#[tokio::test]
async fn a_typed_answer_is_told_the_same() {
    let listener = Listener::default();
    let server = Server::with(|context| context.providers.llm = Arc::new(listener.clone())).await;
    let session = server.session().await.to_string();
    made(&server, json!({"session_id": session, "medications": ["warfarin"]})).await;
    attached(&server, &session, "letter.txt", "Dear colleague.").await;
    let replied = server.post(&format!("/api/sessions/{session}/replies"), json!({})).await;
    assert_eq!(replied.status, StatusCode::CREATED, "{}", replied.body);
    let sheet = listener.0.lock().unwrap().pop().unwrap();
    assert!(sheet.contains("- warfarin\n") && sheet.contains("> Dear colleague."), "{sheet}");
}

#[tokio::test]
async fn a_database_that_is_away_stops_no_voice() {
    let listener = Listener::default();
    let server = Server::with(|context| context.providers.llm = Arc::new(listener.clone())).await;
    let session = server.session().await.to_string();
    made(&server, json!({"session_id": session, "medications": ["warfarin"]})).await;
    let mut socket = talk(&server, &session).await;
    let sheet = told(&mut socket, &listener).await;
    assert!(sheet.contains("- warfarin\n"));
    server.context.db.close().await;
    assert_eq!(told(&mut socket, &listener).await, sheet, "what was last known");
}

/// A file of this text in a message of this conversation, as it is once it was read.
async fn attached(server: &Server, session: &str, name: &str, text: &str) -> String {
    let path = format!("/api/sessions/{session}/messages");
    let message = server.post(&path, json!({"role": "user", "content": "Please read this."})).await;
    let file = id(&upload(server, &id(&message.body), name, "on its way").await.body);
    let found = reading::Findings {
        text: Some(text.to_owned()),
        metadata: "{}".into(),
        warnings: "[]".into(),
        thumbnail: None,
    };
    reading::ready(&server.context.db, file.parse().unwrap(), &found, now()).await.unwrap();
    file
}

async fn dossier(server: &Server, user: UserId, session: &str) -> Option<String> {
    let session: SessionId = session.parse().unwrap();
    let dossiers = server.context.engine.dossiers.as_ref().unwrap();
    let found = dossiers.find(&user.to_string(), session.into()).await.unwrap();
    found.aside.as_ref().and_then(|aside| aside.expose(true))
}

#[tokio::test]
async fn the_text_of_a_conversations_files_is_told_with_it() {
    let listener = Listener::default();
    let server = Server::with(|context| context.providers.llm = Arc::new(listener.clone())).await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await.to_string());
    let first = attached(&server, &session, "letter.txt", "The MRI shows\na meniscus tear.").await;
    attached(&server, &session, "long.txt", &"ü".repeat(12_001)).await;
    attached(&server, &session, "blank.txt", "").await;
    let elsewhere = server.session().await.to_string();
    attached(&server, &elsewhere, "other.txt", "of another conversation").await;
    made(&server, json!({"age": 54})).await;

    let mut socket = talk(&server, &session).await;
    let sheet = told(&mut socket, &listener).await;
    assert!(sheet.contains("File \"letter.txt\":\n> The MRI shows\n> a meniscus tear.\n"), "{sheet}");
    assert!(sheet.contains("File \"long.txt\", cut short: only its beginning is here:\n"), "{sheet}");
    assert_eq!(sheet.matches('ü').count(), 12_000);
    assert!(sheet.find("long.txt") < sheet.find("letter.txt"), "the newest comes first");
    assert!(sheet.starts_with("[Clinical context") && sheet.contains("Age: 54 years"));
    assert!(!sheet.contains("blank.txt") && !sheet.contains("other.txt") && !sheet.contains("on its way"));
    assert_eq!(dossier(&server, owner, &session).await, Some(sheet), "typed answers are told the same");
    let (stranger, _) = server.stranger().await;
    assert_eq!(dossier(&server, stranger, &session).await, None);

    server.delete(&format!("/api/attachments/{first}")).await;
    assert!(!told(&mut socket, &listener).await.contains("meniscus"));
}
