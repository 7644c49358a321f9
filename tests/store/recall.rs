//! Whether questions in other words find the passage that answers: over a corpus of our own, with the real model.
//!
//! `corpus/questions.txt` has a question a line: the document, words of the passage that answers, the question. Needs the
//! model (`VOICE_RELAY_MODELS`); without it this says so and is skipped.

#![expect(clippy::disallowed_methods, reason = "it measures how long things really take")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use futures_util::StreamExt;
use providers::{
    EmbeddingModel, LanguageModel,
    embed::Purpose,
    llm::{Message, Prompt, Thought},
    local::{agent::Agent, minilm::MiniLm, pool::Pool},
};
use voice_relay::{
    knowledge::{Library, Model, Question, chunk, cite},
    store::{
        DocumentId, UserId,
        documents::{self, Added, Content},
        passages::{self, Filter, New, SignCache},
    },
};

use crate::{Scene, at};

const MODEL: &str = "local/minilm";

fn model() -> Option<Arc<dyn EmbeddingModel>> {
    let path = Path::new(&std::env::var_os("VOICE_RELAY_MODELS").unwrap_or_default()).join("minilm.onnx");
    if !path.exists() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no minilm.onnx in VOICE_RELAY_MODELS");
        return None;
    }
    Some(Arc::new(MiniLm::load(&path, Pool::new(1, 8)).unwrap()))
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/corpus")
}

struct Asked {
    document: String,
    answer: String,
    question: String,
}

fn questions() -> Vec<Asked> {
    let text = fs::read_to_string(corpus().join("questions.txt")).unwrap();
    let asked = |line: &str| {
        let [document, answer, question] = line.splitn(3, " | ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        Asked { document: document.into(), answer: answer.to_lowercase(), question: question.into() }
    };
    text.lines().map(asked).collect()
}

/// Puts the whole corpus into a database, with vectors; returns how many passages there are.
async fn shelve(scene: &Scene, engine: &Arc<dyn EmbeddingModel>) -> usize {
    let mut files: Vec<_> = fs::read_dir(corpus()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut count = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(file).unwrap();
        let title = text.lines().next().unwrap().trim_start_matches("# ").to_owned();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let source = serde_json::json!({"title": title, "url": format!("https://corpus.example/{name}")}).to_string();
        let new =
            documents::New { shared: false, content: Content::Text(&text), size: 1, sha256: name, source: &source };
        let added = documents::add(&scene.db, scene.ann, DocumentId::new(at(2)), new, 1_000, at(2)).await.unwrap();
        let Added::Kept(kept) = added else { panic!("{added:?}") };
        let chunks = chunk::chunks(&text);
        let told = chunks.iter().map(|chunk| chunk.in_context(Some(&title)));
        let vectors = engine.embed(told.collect(), Purpose::Passages).await.unwrap().vectors;
        let rows: Vec<_> = chunks
            .iter()
            .zip(&vectors)
            .map(|(chunk, vector)| New {
                text: &chunk.text,
                heading: chunk.heading.as_deref(),
                page: chunk.page,
                start: chunk.start,
                end: chunk.end,
                vector: Some(vector),
            })
            .collect();
        passages::put(&scene.db, kept.id, Some(MODEL), &rows, at(3)).await.unwrap();
        count += rows.len();
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_in_other_words_find_the_passage_that_answers() {
    let Some(engine) = model() else { return };
    let scene = Scene::new().await;
    let began = Instant::now();
    let count = shelve(&scene, &engine).await;
    let rate = count as f64 / began.elapsed().as_secs_f64();
    let both = Library::new(scene.db.clone(), Some(Model { name: MODEL.into(), engine: Arc::clone(&engine) }));
    let words = Library::new(scene.db.clone(), None);
    let (cache, all) = (SignCache::default(), Filter::default());
    let asked = questions();
    let mut recall = [0_usize; 3];
    let mut sure = Vec::new();
    for Asked { document, answer, question } in &asked {
        let answers = |text: &str, url: Option<&str>| {
            text.to_lowercase().contains(answer) && url.is_some_and(|url| url.ends_with(&format!("/{document}")))
        };
        for (found, library) in recall.iter_mut().zip([&both, &words]) {
            let asked = Question { text: question.clone(), top_k: 5, ..Question::default() };
            let passages = library.search(scene.ann, &asked).await.unwrap().passages;
            match passages.iter().find(|passage| answers(&passage.text, passage.source.url.as_deref())) {
                Some(passage) => {
                    *found += 1;
                    sure.push(passage.score);
                }
                None => {
                    let _ =
                        writeln!(std::io::stderr(), "not found (semantic: {}): {question}", library.model().is_some());
                }
            }
        }
        let vector = engine.embed(vec![question.clone()], Purpose::Question).await.unwrap().vectors.remove(0);
        let signed = passages::signed(&scene.db, &cache, scene.ann, MODEL, &all).await.unwrap();
        let near = signed.nearest(&vector, count).await.unwrap();
        let mut near = passages::nearness(&scene.db, scene.ann, MODEL, &vector, &near).await.unwrap();
        near.sort_by(|(_, one), (_, two)| two.total_cmp(one));
        let near: Vec<_> = near.into_iter().take(5).map(|(place, _)| place).collect();
        let kept = passages::read(&scene.db, scene.ann, &near).await.unwrap();
        recall[2] += usize::from(kept.iter().any(|kept| kept.text.to_lowercase().contains(answer)));
    }
    let share = |found: usize| found as f64 / asked.len() as f64;
    let [both, words, meaning] = recall.map(share);
    let _ = writeln!(
        std::io::stderr(),
        "{count} passages, {} questions; recall@5: fused {both:.3}, words alone {words:.3}, meaning alone {meaning:.3}; \
         {rate:.0} passages a second",
        asked.len()
    );
    assert!(asked.len() >= 40);
    assert!(both >= 0.9 && both > words && both >= meaning, "{both} {words} {meaning}");
    sure.sort_by(f32::total_cmp);
    assert!(sure[sure.len() / 2] > 50.0, "what answers is likely to: {sure:?}");
}

/// What the built-in agent says to a question, given what was found for it.
async fn told(library: &Library, user: UserId, question: &str) -> String {
    let asked = Question { text: question.to_owned(), top_k: 6, min_score: 20.0, ..Question::default() };
    let passages = cite::told(library.search(user, &asked).await.unwrap().passages);
    let messages = vec![Message::User(question.to_owned())];
    let prompt = Prompt { messages, passages: Some(passages), ..Prompt::default() };
    let thoughts: Vec<_> = Agent::new(jiff::Zoned::now).reply(prompt).await.unwrap().collect().await;
    let words = |thought| if let Ok(Thought::Text(words)) = thought { Some(words) } else { None };
    thoughts.into_iter().filter_map(words).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_answers_with_the_sentence_that_answers() {
    let Some(engine) = model() else { return };
    let scene = Scene::new().await;
    shelve(&scene, &engine).await;
    let library = Library::new(scene.db.clone(), Some(Model { name: MODEL.into(), engine }));
    let asked = questions();
    let mut answered = 0;
    for Asked { answer, question, .. } in &asked {
        let told = told(&library, scene.ann, question).await;
        if told.to_lowercase().contains(answer) {
            answered += 1;
        } else {
            let _ = writeln!(std::io::stderr(), "not answered ({answer}): {question}\n    {told}");
        }
    }
    let share = f64::from(answered) / asked.len() as f64;
    let _ = writeln!(std::io::stderr(), "{} questions; with the answering sentence {share:.3}", asked.len());
    assert!(share >= 0.9, "{share}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_about_nothing_in_the_documents_finds_nothing_sure() {
    let Some(engine) = model() else { return };
    let scene = Scene::new().await;
    shelve(&scene, &engine).await;
    let library = Library::new(scene.db.clone(), Some(Model { name: MODEL.into(), engine }));
    for text in ["Who won the football cup in 1974?", "asdf qwer", "How do I file for divorce in Nevada?"] {
        let question = Question { text: text.into(), top_k: 5, min_score: 50.0, ..Question::default() };
        let found = library.search(scene.ann, &question).await.unwrap();
        assert!(found.passages.is_empty() && found.semantic, "{text}: {found:?}");
    }
}
