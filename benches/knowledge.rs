//! How fast documents are indexed, and how long a search takes among 100 000 passages, on both databases; see docs/benchmarks.md.
//!
//! Passages that are indexed are those of the tests' corpus and some as long as they get, on one core, by the embedded model
//! (`VOICE_RELAY_MODELS`). Passages that are searched are made of words by Zipf's law, with random vectors; what takes the time
//! does not know what they mean. A question is embedded by the model, as it would be.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark that cannot go on stops")]

#[path = "../tests/support/database.rs"]
mod database;

use std::{fs, path::Path, sync::Arc, time::Instant};

use jiff::Timestamp;
use providers::{
    EmbeddingModel,
    embed::Purpose,
    local::{minilm::MiniLm, pool::Pool},
};
use voice_relay::{
    knowledge::{Library, Model, Question, chunk},
    store::{
        Db, DocumentId, UserId,
        documents::{self, Added, Content},
        passages::{self, Filter, New, SignCache, Terms},
        users,
    },
};

const PASSAGES: usize = 100_000;
const A_DOCUMENT: usize = 30;
const WORDS: usize = 130;
const QUESTIONS: usize = 200;

fn main() {
    let build = if cfg!(debug_assertions) { "a development build: only a release build counts" } else { "release" };
    println!("Knowledge base, {build}\n");
    let models = std::env::var_os("VOICE_RELAY_MODELS").expect("VOICE_RELAY_MODELS says where minilm.onnx is");
    let path = Path::new(&models).join("minilm.onnx");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let alone = MiniLm::load(&path, Pool::new(1, 8)).unwrap();
        index("the tests' corpus", &alone, corpus()).await;
        let long = "The usual starting dose of lisinopril in adults with hypertension is ten milligrams once a day. "
            .repeat(8);
        index("passages as long as they get", &alone, vec![long; 40]).await;
        reference();
        let model: Arc<dyn EmbeddingModel> = Arc::new(MiniLm::load(&path, Pool::new(2, 8)).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let kind = if std::env::var_os(database::POSTGRES).is_some() { "PostgreSQL" } else { "SQLite" };
        search(kind, &database::open(dir.path()).await, model).await;
    });
}

/// What is embedded of the corpus.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/corpus");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let texts = files.filter(|file| file.extension().is_some_and(|end| end == "md"));
    let of = |text: String| {
        let title = text.lines().next().unwrap().trim_start_matches("# ").to_owned();
        chunk::chunks(&text).iter().map(|chunk| chunk.in_context(Some(&title))).collect::<Vec<_>>()
    };
    texts.flat_map(|file| of(fs::read_to_string(file).unwrap())).collect()
}

async fn index(what: &str, model: &dyn EmbeddingModel, texts: Vec<String>) {
    let count = texts.len();
    let began = Instant::now();
    let tokens = model.embed(texts, Purpose::Passages).await.unwrap().tokens.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let mean = tokens as f64 / count as f64;
    println!("indexed on one core, {what}: {:.0} passages/s of {mean:.0} tokens", count as f64 / seconds);
}

/// A plain walk over as many vectors in memory.
fn reference() {
    let mut random = Random(2);
    let vectors: Vec<f32> = (0..PASSAGES * MiniLm::DIMENSIONS).map(|_| random.share() as f32 - 0.5).collect();
    let question: Vec<f32> = (0..MiniLm::DIMENSIONS).map(|_| random.share() as f32 - 0.5).collect();
    let mut times: Vec<f64> = (0..20)
        .map(|_| {
            let began = Instant::now();
            let cosine = |vector: &[f32]| vector.iter().zip(&question).map(|(one, other)| one * other).sum::<f32>();
            std::hint::black_box(vectors.chunks_exact(MiniLm::DIMENSIONS).map(cosine).fold(f32::MIN, f32::max));
            millis(began)
        })
        .collect();
    told("reference: a plain walk over 100 000 vectors in memory", &mut times);
}

async fn search(kind: &str, db: &Db, model: Arc<dyn EmbeddingModel>) {
    let (language, mut random) = (Language::new(), Random(1));
    let user = users::owner(db, at(0)).await.unwrap().id;
    let began = Instant::now();
    fill(db, user, &language, &mut random).await;
    println!("{kind}: {PASSAGES} passages were put in {:.0} s", began.elapsed().as_secs_f64());
    let library = Library::new(db.clone(), Some(Model { name: "m".into(), engine: model }));
    let questions: Vec<_> = (0..QUESTIONS).map(|_| language.question(&mut random)).collect();
    let cache = SignCache::default();
    let (mut whole, mut words, mut meaning) = (Vec::new(), Vec::new(), Vec::new());
    let vector = random.vector();
    for text in &questions {
        let question = Question { text: text.clone(), top_k: 5, ..Question::default() };
        let began = Instant::now();
        let found = library.search(user, &question).await.unwrap();
        whole.push(millis(began));
        assert_eq!((found.passages.len(), found.semantic), (5, true));
        let (terms, filter) = (Terms::of(text).unwrap(), Filter::default());
        let began = Instant::now();
        passages::by_words(db, user, &terms, &filter, 60).await.unwrap();
        words.push(millis(began));
        let began = Instant::now();
        let near = passages::signed(db, &cache, user, "m", &filter).await.unwrap().nearest(&vector, 200).await.unwrap();
        passages::nearness(db, user, "m", &vector, &near).await.unwrap();
        meaning.push(millis(began));
    }
    told(&format!("{kind}: by words"), &mut words);
    told(&format!("{kind}: by meaning, without the question's embedding"), &mut meaning);
    told(&format!("{kind}: a search, all in all"), &mut whole);
}

async fn fill(db: &Db, user: UserId, language: &Language, random: &mut Random) {
    for number in 0..PASSAGES.div_ceil(A_DOCUMENT) {
        let sha256 = number.to_string();
        let new = documents::New { shared: false, content: Content::Text(""), size: 0, sha256: &sha256, source: "{}" };
        let added = documents::add(db, user, DocumentId::new(at(2)), new, 1_000_000, at(2)).await.unwrap();
        let Added::Kept(kept) = added else { panic!("{added:?}") };
        let made: Vec<(String, Vec<f32>)> = (0..A_DOCUMENT).map(|_| (language.text(random), random.vector())).collect();
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
        passages::put(db, kept.id, Some("m"), &rows, at(3)).await.unwrap();
    }
}

fn told(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{what}: p50 {:.1} ms, p95 {:.1} ms, most {:.1} ms", at(0.5), at(0.95), at(1.0));
}

fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

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

    fn vector(&mut self) -> Vec<f32> {
        (0..MiniLm::DIMENSIONS).map(|_| self.share() as f32 - 0.5).collect()
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
