//! The store on a real database: order, ownership, concurrency; and a file of SQLite dying at any instant.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/database.rs"]
mod database;
mod passages;
mod recall;
mod upgrade;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use jiff::{SignedDuration, Timestamp};
use providers::tool::{Act, ActState};
use voice_relay::{
    cost::Spending,
    knowledge::source::{Cited, Source},
    store::{
        Config, Db, MessageId, SessionId, StoreError, UserId, acts,
        citations::{self, Reference},
        idempotency::{self, Answer, Content, Named, Standing},
        keys::{self, NewKey},
        messages::{self, Call, Entry, Message, Modality, Role, Status},
        replies::{self, Reply},
        sessions::{self, Filter},
        spending,
        users::{self, Role as UserRole},
        voice_sessions::{self, VoiceSession},
    },
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

struct Scene {
    _dir: tempfile::TempDir,
    db: Db,
    ann: UserId,
    bob: UserId,
}

impl Scene {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = database::open(dir.path()).await;
        let ann = users::owner(&db, at(0)).await.unwrap().id;
        let bob = users::create(&db, UserRole::User, at(1)).await.unwrap().id;
        Self { _dir: dir, db, ann, bob }
    }

    async fn session(&self, user: UserId) -> SessionId {
        sessions::create(&self.db, user, SessionId::new(at(2)), at(2)).await.unwrap().id
    }

    async fn say(&self, session: SessionId, item: &str, previous: Option<&str>, text: &str) {
        messages::upsert(&self.db, self.ann, session, item, previous, &said(text), at(3)).await.unwrap();
    }

    async fn read(&self, session: SessionId) -> Vec<Message> {
        messages::list(&self.db, self.ann, session, None, 100).await.unwrap().items
    }

    async fn words(&self, session: SessionId) -> Vec<String> {
        self.read(session).await.into_iter().map(|message| message.entry.content).collect()
    }
}

fn said(text: &str) -> Entry {
    Entry {
        role: Role::User,
        modality: Modality::Audio,
        content: text.to_owned(),
        status: Status::Completed,
        call: None,
    }
}

#[tokio::test]
async fn messages_stand_where_the_conversation_has_them_however_late_they_come() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    scene.say(session, "b", Some("a"), "two").await; // `a` is not known yet: appended
    scene.say(session, "a", None, "one").await; // nothing before it: the front
    scene.say(session, "d", Some("b"), "four").await;
    scene.say(session, "c", Some("b"), "three").await; // between two
    scene.say(session, "e", Some("gone"), "five").await;
    assert_eq!(scene.words(session).await, ["one", "two", "three", "four", "five"]);
}

#[tokio::test]
async fn a_truncated_item_changes_its_words_and_keeps_its_place() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    scene.say(session, "a", None, "one").await;
    scene.say(session, "b", Some("a"), "a long reply").await;
    scene.say(session, "c", Some("b"), "stop").await;
    let before = scene.read(session).await;
    let cut = Entry { content: "a long".into(), status: Status::Incomplete, ..said("") };
    messages::upsert(&scene.db, scene.ann, session, "b", None, &cut, at(9)).await.unwrap();
    let after = scene.read(session).await;
    assert_eq!(scene.words(session).await, ["one", "a long", "stop"]);
    assert_eq!((after[1].id, after[1].entry.status), (before[1].id, Status::Incomplete));
    assert_eq!((after[1].created_at, after[1].updated_at), (at(3), at(9)));
}

#[tokio::test]
async fn a_deleted_item_is_gone_and_deleting_it_again_is_no_error() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    scene.say(session, "a", None, "one").await;
    scene.say(session, "b", Some("a"), "two").await;
    messages::delete_item(&scene.db, scene.bob, session, "a").await.unwrap();
    assert_eq!(scene.words(session).await.len(), 2, "it is not bob's to delete");
    for _ in 0..2 {
        messages::delete_item(&scene.db, scene.ann, session, "a").await.unwrap();
    }
    assert_eq!(scene.words(session).await, ["two"]);
}

#[tokio::test]
async fn tool_calls_and_results_come_back_as_they_were() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    let call =
        Call { id: "call_1".into(), name: Some("weather".into()), arguments: Some("{\"city\":\"Köln\"}".into()) };
    let entry = Entry { role: Role::Assistant, modality: Modality::Text, call: Some(call), ..said("") };
    messages::upsert(&scene.db, scene.ann, session, "f", None, &entry, at(3)).await.unwrap();
    let result = Entry {
        role: Role::Tool,
        call: Some(Call { id: "call_1".into(), name: None, arguments: None }),
        ..said("rain\u{FFFD} and \u{1F327}")
    };
    let written = Entry { content: "rain\0 and \u{1F327}".to_owned(), ..result.clone() };
    messages::upsert(&scene.db, scene.ann, session, "g", Some("f"), &written, at(3)).await.unwrap();
    let read: Vec<_> = scene.read(session).await.into_iter().map(|message| message.entry).collect();
    assert_eq!(read, [entry, result]);
    assert_eq!(sessions::get(&scene.db, scene.ann, session).await.unwrap().title, None, "only the person's words");
}

#[tokio::test]
async fn pages_cover_the_list_once_and_end() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    let mut previous: Option<String> = None;
    for n in 0..25 {
        let item = format!("item{n}");
        scene.say(session, &item, previous.as_deref(), &n.to_string()).await;
        previous = Some(item);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = messages::list(&scene.db, scene.ann, session, after.as_ref(), 10).await.unwrap();
        seen.extend(page.items.into_iter().map(|message| message.entry.content));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..25).map(|n| n.to_string()).collect::<Vec<_>>());

    let made = [scene.session(scene.ann).await, scene.session(scene.ann).await];
    let first = sessions::list(&scene.db, scene.ann, Filter::default(), None, 2).await.unwrap();
    let second = sessions::list(&scene.db, scene.ann, Filter::default(), first.next.as_ref(), 2).await.unwrap();
    let listed: Vec<_> = first.items.iter().chain(&second.items).map(|session| session.id).collect();
    assert_eq!(listed, [made[1], made[0], session], "newest first");
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    scene.say(session, "a", None, "private").await;
    let (db, bob) = (&scene.db, scene.bob);
    let gone = |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::NotFound)));
    gone(sessions::get(db, bob, session).await.map(drop));
    gone(sessions::delete(db, bob, session).await);
    gone(messages::list(db, bob, session, None, 10).await.map(drop));
    gone(messages::upsert(db, bob, session, "a", None, &said("mine"), at(4)).await.map(drop));
    sessions::mark_incomplete(db, bob, session).await.unwrap();
    sessions::forget_if_empty(db, bob, session).await.unwrap();
    assert!(sessions::list(db, bob, Filter::default(), None, 10).await.unwrap().items.is_empty());
    assert_eq!(scene.words(session).await, ["private"]);
    assert!(sessions::get(db, scene.ann, session).await.unwrap().complete);

    let new = NewKey { name: "k", hash: &[7; 32], hint: "vr_…", scopes: "realtime", expires_at: None };
    let key = keys::create(db, scene.ann, new, at(5)).await.unwrap();
    gone(keys::revoke(db, bob, key.id, at(6)).await);
    assert!(keys::list(db, bob, None, 10).await.unwrap().items.is_empty());
    keys::revoke(db, scene.ann, key.id, at(6)).await.unwrap();
    gone(keys::revoke(db, scene.ann, key.id, at(7)).await);
}

#[tokio::test]
async fn the_persons_first_words_become_the_title() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    let long = format!("\n  {}", "ü".repeat(200));
    scene.say(session, "a", None, "").await;
    scene.say(session, "b", Some("a"), &long).await;
    scene.say(session, "c", Some("b"), "later").await;
    let title = sessions::get(&scene.db, scene.ann, session).await.unwrap().title.unwrap();
    assert_eq!(title, format!("{}…", "ü".repeat(79)));
}

#[tokio::test]
async fn a_voice_session_without_a_word_leaves_no_trace_unless_words_were_lost() {
    let scene = Scene::new().await;
    let (silent, lost, spoken) =
        (scene.session(scene.ann).await, scene.session(scene.ann).await, scene.session(scene.ann).await);
    scene.say(spoken, "a", None, "hello").await;
    sessions::mark_incomplete(&scene.db, scene.ann, lost).await.unwrap();
    for session in [silent, lost, spoken] {
        sessions::forget_if_empty(&scene.db, scene.ann, session).await.unwrap();
    }
    let kept = sessions::list(&scene.db, scene.ann, Filter::default(), None, 10).await.unwrap().items;
    let kept: Vec<_> = kept.into_iter().map(|session| (session.id, session.complete)).collect();
    assert_eq!(kept, [(spoken, true), (lost, false)]);
}

#[tokio::test]
async fn a_conversation_costs_what_was_typed_and_spoken_in_it_and_others_cannot_charge_it() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    let cost = |total: f64| Spending { currency: "USD".into(), total, ..Spending::default() };
    assert_eq!(sessions::get(&scene.db, scene.ann, session).await.unwrap().cost, None);
    let (id, transport) = (uuid::Uuid::now_v7().into(), "ws".to_owned());
    let (model, started_at) = ("m".to_owned(), at(3));
    let voice = VoiceSession { id, session, transport, model, cost: None, started_at, ended_at: None };
    voice_sessions::open(&scene.db, scene.ann, &voice).await.unwrap();
    for spoken in [1.0, 2.0] {
        let spoken = serde_json::to_string(&cost(spoken)).unwrap();
        voice_sessions::charge(&scene.db, scene.ann, id, &spoken).await.unwrap();
        spending::sum_up(&scene.db, scene.ann, session).await.unwrap();
    }
    // However many at once, nothing is lost.
    let typed = cost(0.5);
    let adding = (0..8).map(|_| spending::add(&scene.db, scene.ann, session, &typed));
    futures_util::future::try_join_all(adding).await.unwrap();
    let foreign = spending::add(&scene.db, scene.bob, session, &cost(9.0)).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    spending::sum_up(&scene.db, scene.ann, session).await.unwrap();
    let kept = sessions::get(&scene.db, scene.ann, session).await.unwrap().cost.unwrap();
    assert_eq!(serde_json::from_str::<Spending>(&kept).unwrap(), cost(6.0));
}

#[tokio::test]
async fn a_conversation_is_held_by_one_reply_until_it_lets_go_or_its_time_is_over() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    scene.say(session, "a", None, "one").await;
    let asked = scene.read(session).await[0].id;
    let (db, ann) = (&scene.db, scene.ann);
    let (first, second) = (MessageId::new(at(4)), MessageId::new(at(5)));
    let foreign = replies::begin(db, scene.bob, session, second, at(30), at(5)).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    assert!(replies::begin(db, ann, session, first, at(30), at(5)).await.unwrap());
    assert!(!replies::begin(db, ann, session, second, at(50), at(29)).await.unwrap());
    replies::renew(db, ann, session, first, at(40)).await.unwrap();
    assert!(!replies::begin(db, ann, session, second, at(50), at(39)).await.unwrap());
    assert!(replies::begin(db, ann, session, second, at(50), at(40)).await.unwrap(), "its maker is gone");
    assert!(matches!(replies::renew(db, ann, session, first, at(60)).await, Err(StoreError::NotFound)));
    let source = Source { title: Some("Rain \0in Oslo".into()), ..Source::default() };
    let cites = [Reference {
        cited: Cited { index: 1, source, relevance_score: Some(101.0), ..Cited::default() },
        ..Reference::default()
    }];
    let acts = [act("c", ActState::Done)];
    let reply = |id| Reply { id, to: asked, content: "two", status: Status::Completed, cites: &cites, acts: &acts };
    let late = replies::keep(db, ann, session, reply(first), at(41)).await;
    assert!(matches!(late, Err(StoreError::NotFound)), "who lost the hold keeps nothing");
    replies::give_up(db, ann, session, first).await.unwrap();
    let kept = replies::keep(db, ann, session, reply(second), at(42)).await.unwrap();
    assert_eq!((kept.id, kept.parent, kept.entry.content.as_str()), (second, Some(asked), "two"));
    assert_eq!(scene.read(session).await.last(), Some(&kept));
    let [cited] = <[_; 1]>::try_from(citations::of_message(db, ann, kept.id).await.unwrap()).unwrap();
    let cited = cited.reference.cited;
    assert_eq!((&cited.source, cited.relevance_score), (&cites[0].cited.source, Some(100.0)));
    assert_eq!(acts::by_message(db, ann, std::slice::from_ref(&kept)).await.unwrap()[&kept.id], acts);
    assert!(replies::begin(db, ann, session, MessageId::new(at(43)), at(60), at(43)).await.unwrap());
}

/// Something that was done.
fn act(id: &str, state: ActState) -> Act {
    let call = providers::llm::Call { call: id.into(), name: "look".into(), arguments: "{\"a\":1}".into() };
    Act { call, output: "blue".into(), state, writes: true, confidential: true }
}

#[tokio::test]
async fn what_led_to_a_message_is_its_owners_and_goes_with_it() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    let (db, ann, bob) = (&scene.db, scene.ann, scene.bob);
    scene.say(session, "a", None, "one").await;
    scene.say(session, "b", Some("a"), "two").await;
    let messages = scene.read(session).await;
    let (first, second) = (messages[0].id, messages[1].id);
    let both = [act("x", ActState::Done), act("y", ActState::Proposed)];
    acts::keep(db, ann, second, &[act("x", ActState::Unknown)], at(4)).await.unwrap();
    acts::keep(db, ann, second, &both, at(5)).await.unwrap();
    assert!(matches!(acts::keep(db, bob, first, &both, at(5)).await, Err(StoreError::NotFound)));
    let messages = scene.read(session).await;
    let kept = acts::by_message(db, ann, &messages).await.unwrap();
    assert_eq!((kept.len(), &kept[&second][..]), (1, &both[..]), "the latest stands");
    assert!(acts::by_message(db, bob, &messages).await.unwrap().is_empty());
    messages::delete(db, ann, second).await.unwrap();
    assert!(acts::by_message(db, ann, &messages).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_proposal_is_agreed_to_once_by_its_owner_alone() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    let (db, ann) = (&scene.db, scene.ann);
    let foreign = acts::agree(db, scene.bob, session, "p", at(3)).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    let agreed = (0..10).map(|_| acts::agree(db, ann, session, "p", at(3)));
    let agreed = futures_util::future::try_join_all(agreed).await.unwrap();
    assert_eq!(agreed.into_iter().filter(|first| *first).count(), 1);
    assert!(acts::agree(db, ann, session, "q", at(3)).await.unwrap());
    assert!(acts::agree(db, ann, scene.session(ann).await, "p", at(3)).await.unwrap(), "another conversation's");
}

#[tokio::test]
async fn of_many_requests_of_one_name_one_is_run_and_its_answer_kept() {
    let scene = Scene::new().await;
    let (db, now) = (&scene.db, at(3));
    let named = |user, fingerprint| Named { user, name: "n", fingerprint };
    let begin = |user, fingerprint, now| {
        idempotency::begin(db, named(user, fingerprint), now + SignedDuration::from_secs(60), at(900), now)
    };
    let begun = futures_util::future::try_join_all((0..20).map(|_| begin(scene.ann, b"x", now))).await.unwrap();
    let runs: Vec<_> = begun.iter().filter(|standing| !matches!(standing, Standing::Running)).collect();
    let [Standing::Run(run)] = runs[..] else { panic!("{begun:?}") };
    assert_eq!(begin(scene.ann, b"y", now).await.unwrap(), Standing::Other);
    assert!(matches!(begin(scene.bob, b"y", now).await.unwrap(), Standing::Run(_)));

    // Its process died: another runs it, and what the first says late is not heard.
    let Standing::Run(again) = begin(scene.ann, b"x", at(63)).await.unwrap() else { panic!("it is not run again") };
    let content = Content { headers: "[]".into(), body: b"b\0dy".to_vec() };
    let answer = Answer { status: 201, content: Some(content) };
    let other = Answer { status: 204, content: None };
    idempotency::answer(db, named(scene.ann, b"x"), *run, &other).await.unwrap();
    idempotency::answer(db, named(scene.ann, b"x"), again, &answer).await.unwrap();
    idempotency::give_up(db, named(scene.ann, b"x"), *run).await.unwrap();
    assert_eq!(begin(scene.ann, b"x", at(899)).await.unwrap(), Standing::Answered(answer));
    assert_eq!(begin(scene.ann, b"y", at(899)).await.unwrap(), Standing::Other);
    assert!(matches!(begin(scene.ann, b"y", at(900)).await.unwrap(), Standing::Run(_)), "all is forgotten");
}

#[tokio::test]
async fn a_conversation_cites_in_the_order_of_its_messages_and_each_description_once() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    let (db, ann) = (&scene.db, scene.ann);
    let cite = |index, title: &str| {
        let source = Source { title: Some(title.into()), authors: vec!["Ann \"A\" 漢".into()], ..Source::default() };
        Reference { cited: Cited { index, source, ..Cited::default() }, ..Reference::default() }
    };
    scene.say(session, "a", None, "one").await;
    scene.say(session, "b", Some("a"), "two").await;
    let messages = scene.read(session).await;
    citations::keep(db, ann, messages[1].id, &[cite(1, "c"), cite(2, "a")], at(4)).await.unwrap();
    citations::keep(db, ann, messages[0].id, &[cite(3, "b"), cite(1, "c")], at(5)).await.unwrap();
    let titles = |sources: Vec<Source>| sources.into_iter().filter_map(|source| source.title).collect::<Vec<_>>();
    assert_eq!(titles(citations::of_session(db, ann, session, 10).await.unwrap()), ["c", "b", "a"]);
    assert_eq!(titles(citations::of_session(db, ann, session, 2).await.unwrap()), ["c", "b"]);
    let messages = scene.read(session).await;
    let all = citations::of_messages(db, ann, &messages).await.unwrap();
    let told: Vec<_> = all.iter().map(|it| (it.message, it.reference.cited.index)).collect();
    let (first, second) = (messages[0].id, messages[1].id);
    assert_eq!(told, [(first, 1), (first, 3), (second, 1), (second, 2)]);
    assert_eq!(citations::of_messages(db, scene.bob, &messages).await.unwrap(), []);
    let twice = citations::keep(db, ann, first, &[cite(1, "x"), cite(1, "y")], at(6)).await;
    assert!(twice.is_err(), "a number stands for one thing");
    assert_eq!(citations::of_message(db, ann, first).await.unwrap().len(), 2, "and what was kept stays");
}

#[tokio::test]
async fn deleting_a_session_deletes_its_messages() {
    let scene = Scene::new().await;
    let session = scene.session(scene.ann).await;
    scene.say(session, "a", None, "one").await;
    sessions::delete(&scene.db, scene.ann, session).await.unwrap();
    let error = messages::upsert(&scene.db, scene.ann, session, "b", None, &said("late"), at(4)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound), "a late record does not bring it back");
    assert!(matches!(messages::list(&scene.db, scene.ann, session, None, 10).await, Err(StoreError::NotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_and_readers_lose_nothing() {
    let scene = std::sync::Arc::new(Scene::new().await);
    let tasks = (0..16).map(|writer| {
        let scene = scene.clone();
        tokio::spawn(async move {
            let session = scene.session(scene.ann).await;
            let mut previous: Option<String> = None;
            for n in 0..20 {
                let item = format!("{writer}-{n}");
                scene.say(session, &item, previous.as_deref(), &item).await;
                assert_eq!(scene.words(session).await.len(), n + 1, "a writer reads what it wrote");
                previous = Some(item);
            }
            session
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        let session = task.await.unwrap();
        assert_eq!(scene.words(session).await.len(), 20);
    }
}

#[tokio::test]
async fn a_reopened_file_holds_what_was_written_and_keeps_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.db");
    let db = Db::open(&path).await.unwrap();
    let owner = users::owner(&db, at(0)).await.unwrap();
    users::set_admin_key(&db, owner.id, &[1; 32], at(0)).await.unwrap();
    users::set_admin_key(&db, owner.id, &[2; 32], at(1)).await.unwrap();
    db.close().await;
    let db = Db::open(&path).await.unwrap();
    assert_eq!(users::owner(&db, at(9)).await.unwrap(), owner);
    assert_eq!(users::admin_key(&db, owner.id).await.unwrap(), Some(vec![2; 32]));
}

#[tokio::test]
async fn a_file_of_another_kind_or_a_missing_folder_is_refused_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.db");
    std::fs::write(&path, "this is no database, and longer than a header of one hundred bytes ".repeat(10)).unwrap();
    assert!(Db::open(&path).await.is_err());
    let missing = dir.path().join("no/relay.db");
    let Err(StoreError::Open { what, .. }) = Db::open(&missing).await else { panic!("must not open") };
    assert_eq!(what, missing.display().to_string());
}

#[tokio::test]
async fn a_backup_is_what_was_there_at_one_moment_and_never_overwrites() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("relay.db")).await.unwrap();
    let ann = users::owner(&db, at(0)).await.unwrap().id;
    let session = sessions::create(&db, ann, SessionId::new(at(2)), at(2)).await.unwrap().id;
    let write = async |from: usize| {
        for n in from..from + 50 {
            messages::upsert(&db, ann, session, &n.to_string(), None, &said("word"), at(3)).await.unwrap();
        }
    };
    write(0).await;
    let copy = dir.path().join("it's a copy.db");
    let (size, ()) = tokio::join!(db.backup(&copy), write(50));
    assert!(size.unwrap() > 0);
    let there = Db::open(&copy).await.unwrap();
    let count = messages::list(&there, ann, session, None, 100).await.unwrap().items.len();
    assert!((50..=100).contains(&count), "{count}");
    assert!(db.backup(&copy).await.unwrap_err().to_string().contains("exists"));
    assert_eq!(messages::list(&there, ann, session, None, 100).await.unwrap().items.len(), count);
}

#[tokio::test]
async fn a_database_that_others_hold_too_long_is_away_for_now_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.db");
    let db = Db::open(&path).await.unwrap();
    let ann = users::owner(&db, at(0)).await.unwrap().id;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let held = sessions::create(&db, ann, SessionId::new(at(2)), at(2)).await.unwrap_err();
    assert!(held.is_passing(), "{held:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    sessions::create(&db, ann, SessionId::new(at(2)), at(2)).await.unwrap();
    let stranger = UserId::new(at(9));
    let refused = sessions::create(&db, stranger, SessionId::new(at(2)), at(2)).await.unwrap_err();
    assert!(!refused.is_passing(), "{refused:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("relay.db")).await.unwrap();
    users::owner(&db, at(0)).await.unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn relays_that_start_at_once_on_a_new_database_agree_on_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let config = database::config(dir.path()).await;
    let start = || async {
        let db = Db::of(&config, dir.path()).await.unwrap();
        users::owner(&db, at(0)).await.unwrap()
    };
    let owners = futures_util::future::join_all((0..4).map(|_| start())).await;
    assert!(owners.iter().all(|owner| *owner == owners[0]), "{owners:?}");
}

#[tokio::test]
async fn a_database_server_that_is_not_there_is_told_without_its_password() {
    let config = Config { url: "postgres://relay:hunter2@127.0.0.1:1/calls".into(), ..Config::default() };
    let Err(error) = Db::of(&config, Path::new("/")).await else { panic!("nobody is there") };
    let told = format!("{error} {error:?}");
    assert!(told.contains("127.0.0.1:1/calls") && !told.contains("hunter2"), "{told}");
    let config = Config { url: "postgres://relay:hunter2@[nonsense/calls".into(), ..Config::default() };
    let Err(error) = Db::of(&config, Path::new("/")).await else { panic!("no URL") };
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

/// Set for the child that [`killed_at_any_instant_it_has_all_it_said_was_written`] starts and kills.
const CHILD: &str = "VOICE_RELAY_TEST_STORE";

#[test]
fn killed_at_any_instant_it_has_all_it_said_was_written() {
    if let Ok(path) = std::env::var(CHILD) {
        return write_until_killed(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay.db");
    let mut session = None;
    let mut told = 0;
    for round in 1..=3 {
        told += kill_after(&path, round * 40);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let db = Db::open(&path).await.unwrap();
            let owner = users::owner(&db, at(0)).await.unwrap().id;
            let kept = sessions::list(&db, owner, Filter::default(), None, 100).await.unwrap().items;
            assert!(session.replace(kept[0].id) != Some(kept[0].id), "every round is a session of its own");
            let mut count = 0;
            for session in kept {
                let mut after = None;
                loop {
                    let page = messages::list(&db, owner, session.id, after.as_ref(), 100).await.unwrap();
                    count += page.items.len();
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            assert!(count >= told, "{told} messages were reported as written, {count} are there");
            assert!(count <= told + round, "at most the one in progress more, each round");
        });
    }
}

/// Runs the writing child and kills it, with no chance to clean up, when it has reported `lines` messages.
fn kill_after(path: &Path, lines: usize) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_at_any_instant_it_has_all_it_said_was_written", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        told += usize::from(line.unwrap().ends_with("written"));
        if told == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    told
}

fn write_until_killed(path: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = Db::open(path).await.unwrap();
        let owner = users::owner(&db, at(0)).await.unwrap().id;
        let session = sessions::create(&db, owner, SessionId::new(Timestamp::now()), at(2)).await.unwrap().id;
        let mut previous: Option<String> = None;
        for n in 0.. {
            let item = n.to_string();
            messages::upsert(&db, owner, session, &item, previous.as_deref(), &said("word"), at(3)).await.unwrap();
            println!("{n} written");
            previous = Some(item);
        }
    });
}
