//! How long a search takes among 100 000 passages: `cargo test --test store -- --ignored --nocapture a_hundred_thousand`.
//!
//! Texts are made of words by Zipf's law, vectors are random; the question is embedded by the real model, where it is
//! (`VOICE_RELAY_MODELS`).

#![expect(clippy::disallowed_methods, reason = "it measures how long things really take")]

use std::{fs, io::Write as _, path::Path, sync::Arc, time::Instant};

use providers::{
    EmbeddingModel,
    local::{minilm::MiniLm, pool::Pool},
    scripted,
};
use voice_relay::{
    knowledge::{Library, Model, Question},
    store::{
        DocumentId,
        documents::{self, Added, Content},
        passages::{self, Filter, New, Terms},
    },
};

use crate::{Scene, at};

const PASSAGES: usize = 100_000;
const A_DOCUMENT: usize = 30;
const WORDS: usize = 130;
const QUESTIONS: usize = 200;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Words, about by how often they are used, and how often a text has one up to each.
struct Language {
    words: Vec<String>,
    sums: Vec<f64>,
}

impl Language {
    fn new() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers/src/local/minilm/vocab.txt");
        let text = fs::read_to_string(file).unwrap();
        let words = text.lines().filter(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_lowercase()));
        let words: Vec<String> = words.map(str::to_owned).collect();
        let mut sum = 0.0;
        let sums = (0..words.len()).map(|rank| {
            sum += 1.0 / (rank as f64 + 2.7);
            sum
        });
        Self { sums: sums.collect(), words }
    }

    fn word(&self, random: &mut Random) -> &str {
        let wanted = random.share() * self.sums.last().unwrap();
        &self.words[self.sums.partition_point(|sum| *sum < wanted)]
    }

    fn text(&self, random: &mut Random) -> String {
        (0..WORDS).map(|_| self.word(random)).collect::<Vec<_>>().join(" ")
    }

    /// Six words that people ask about: neither the commonest nor the rarest.
    fn question(&self, random: &mut Random) -> String {
        let word = |random: &mut Random| self.words[(100.0 * 80_f64.powf(random.share())) as usize].as_str();
        let words: Vec<_> = (0..6).map(|_| word(random)).collect();
        format!(
            "what is the {} {} of the {} {} when {} {}?",
            words[0], words[1], words[2], words[3], words[4], words[5]
        )
    }
}

fn told(what: &str, times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let _ =
        writeln!(std::io::stderr(), "{what}: p50 {:.1} ms, p95 {:.1} ms, most {:.1} ms", at(0.5), at(0.95), at(1.0));
    at(0.95)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute and a quiet machine"]
async fn a_hundred_thousand_passages_are_searched_in_time() {
    let scene = Scene::new().await;
    let (language, mut random) = (Language::new(), Random(1));
    let path = Path::new(&std::env::var_os("VOICE_RELAY_MODELS").unwrap_or_default()).join("minilm.onnx");
    let real = path.exists();
    let engine: Arc<dyn EmbeddingModel> = match real {
        true => Arc::new(MiniLm::load(&path, Pool::new(2, 8)).unwrap()),
        false => Arc::new(scripted::EmbeddingModel),
    };
    let dimensions = engine.capabilities().dimensions.unwrap();
    let began = Instant::now();
    for number in 0..PASSAGES.div_ceil(A_DOCUMENT) {
        let sha256 = number.to_string();
        let new = documents::New { shared: false, content: Content::Text(""), size: 0, sha256: &sha256, source: "{}" };
        let added = documents::add(&scene.db, scene.ann, DocumentId::new(at(2)), new, 1_000_000, at(2)).await.unwrap();
        let Added::Kept(kept) = added else { panic!("{added:?}") };
        let made: Vec<(String, Vec<f32>)> = (0..A_DOCUMENT)
            .map(|_| (language.text(&mut random), (0..dimensions).map(|_| random.share() as f32 - 0.5).collect()))
            .collect();
        let rows: Vec<_> = made
            .iter()
            .map(|(text, vector)| New {
                text,
                heading: None,
                page: None,
                start: 0,
                end: text.len(),
                vector: Some(vector),
            })
            .collect();
        passages::put(&scene.db, kept.id, Some("m"), &rows, at(3)).await.unwrap();
    }
    let _ = writeln!(std::io::stderr(), "{PASSAGES} passages were put in {:?}; real model: {real}", began.elapsed());
    let library = Library::new(scene.db.clone(), Some(Model { name: "m".into(), engine: Arc::clone(&engine) }));
    let questions: Vec<_> = (0..QUESTIONS).map(|_| language.question(&mut random)).collect();
    let (mut whole, mut words, mut meaning) = (Vec::new(), Vec::new(), Vec::new());
    let millis = |began: Instant| began.elapsed().as_secs_f64() * 1_000.0;
    let vector: Vec<f32> = (0..dimensions).map(|_| random.share() as f32 - 0.5).collect();
    for text in &questions {
        let question = Question { text: text.clone(), top_k: 5, ..Question::default() };
        let began = Instant::now();
        let found = library.search(scene.ann, &question).await.unwrap();
        whole.push(millis(began));
        assert_eq!((found.passages.len(), found.semantic), (5, true));
        let (terms, filter) = (Terms::of(text).unwrap(), Filter::default());
        let began = Instant::now();
        passages::by_words(&scene.db, scene.ann, &terms, &filter, 60).await.unwrap();
        words.push(millis(began));
        let began = Instant::now();
        let near = passages::by_meaning(&scene.db, scene.ann, "m", &vector, &filter, 300).await.unwrap();
        passages::nearness(&scene.db, scene.ann, "m", &vector, &near).await.unwrap();
        meaning.push(millis(began));
    }
    told("by words", &mut words);
    told("by meaning, without the question's embedding", &mut meaning);
    let p95 = told("a search", &mut whole);
    assert!(p95 < 300.0, "{p95} ms is far from 30");
}
