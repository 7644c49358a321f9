//! The real model, where it is (`VOICE_RELAY_MODELS`).

use std::{io::Write as _, time::Instant};

use rten_gemm::GemmExecutor;

use super::*;

/// `None`, and told, where the model is not installed.
fn model() -> Option<MiniLm> {
    let path = Path::new(&std::env::var_os("VOICE_RELAY_MODELS").unwrap_or_default()).join("minilm.onnx");
    if !path.exists() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no minilm.onnx in VOICE_RELAY_MODELS");
        return None;
    }
    Some(MiniLm::load(&path, Pool::new(2, 8)).unwrap())
}

async fn vectors(model: &MiniLm, texts: &[&str], purpose: Purpose) -> Vec<Vec<f32>> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    model.embed(texts, purpose).await.unwrap().vectors
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[tokio::test]
async fn texts_of_one_meaning_are_near_and_the_vectors_are_those_of_the_reference() {
    let Some(model) = model() else { return };
    let found = vectors(
        &model,
        &["a man is eating food", "someone is having a meal", "the stock market fell"],
        Purpose::Passages,
    )
    .await;
    // onnxruntime 1.23 with the same file: 0.6695, -0.0282, and the first vector begins so. Its arithmetic rounds otherwise.
    assert!((cosine(&found[0], &found[1]) - 0.6695).abs() < 0.03, "{}", cosine(&found[0], &found[1]));
    assert!((cosine(&found[0], &found[2]) + 0.0282).abs() < 0.03, "{}", cosine(&found[0], &found[2]));
    for (value, reference) in found[0].iter().zip([0.0317, 0.0031, 0.0014, 0.0458, -0.1327, -0.0348]) {
        assert!((value - reference).abs() < 0.01, "{value} {reference}");
    }
    assert!(found.iter().all(|vector| (cosine(vector, vector) - 1.0).abs() < 1e-5));
}

#[tokio::test]
async fn products_of_integers_give_the_vectors_that_those_of_floats_do() {
    let Some(model) = model() else { return };
    let path = Path::new(&std::env::var_os("VOICE_RELAY_MODELS").unwrap()).join("minilm.onnx");
    let file = fs::read(path).unwrap();
    let overflows = GemmExecutor::<u8, i8, i32>::default().may_saturate();
    assert_eq!(integers::multiplied(file.clone().into()).is_none(), overflows);
    let floats = MiniLm::of(file, Pool::new(2, 8)).unwrap();
    let long =
        "The usual starting dose of lisinopril in adults with hypertension is ten milligrams once a day. ".repeat(8);
    let texts = ["warfarin", "Who won the football cup in 1974?", "asdf qwer \u{1f980} ?!", &long];
    let (found, exact) =
        tokio::join!(vectors(&model, &texts, Purpose::Passages), vectors(&floats, &texts, Purpose::Passages));
    for ((found, exact), text) in found.iter().zip(&exact).zip(texts) {
        assert!(cosine(found, exact) > 0.997, "{text}: {}", cosine(found, exact));
    }
}

#[test]
fn a_file_that_is_another_is_left_as_it_is() {
    for file in [&b""[..], b"\x08\x08", b"not a graph at all", &[0xff; 64]] {
        assert_eq!(integers::multiplied(Bytes::copy_from_slice(file)), None);
    }
}

#[tokio::test]
async fn a_text_has_one_vector_whatever_stands_beside_it() {
    let Some(model) = model() else { return };
    let alone = vectors(&model, &["warfarin"], Purpose::Question).await;
    let long = "word ".repeat(5_000);
    let among = vectors(&model, &[&long, "warfarin", "Aspirin is given for pain."], Purpose::Passages).await;
    assert_eq!(alone[0], among[1]);
    let read = vectors(&model, &[&"word ".repeat(254)], Purpose::Question).await;
    assert_eq!(among[0], read[0], "what is longer is read up to the window");
}

#[tokio::test]
async fn a_blank_text_is_refused_and_a_missing_file_told() {
    let missing = MiniLm::load(Path::new("nowhere/minilm.onnx"), Pool::new(1, 1)).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::Unavailable);
    assert!(missing.detail.contains("no such file") && missing.detail.contains("models install"), "{missing}");
    let Some(model) = model() else { return };
    let error = model.embed(vec!["one".into(), " \n".into()], Purpose::Passages).await.unwrap_err();
    assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::Rejected, "text 1 is blank"));
    assert_eq!(
        model.embed(Vec::new(), Purpose::Passages).await.unwrap(),
        Embeddings { tokens: Some(0), ..Embeddings::default() }
    );
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it tells how long it really takes, and fails on no slow day")]
async fn how_fast_a_book_is_indexed_is_told() {
    let Some(model) = model() else { return };
    let passage =
        "The usual starting dose of lisinopril in adults with hypertension is ten milligrams once a day. ".repeat(8);
    let started = Instant::now();
    let found = vectors(&model, &[passage.as_str(); 40], Purpose::Passages).await;
    let each = started.elapsed() / 40;
    let _ = writeln!(std::io::stderr(), "{} passages of 180 tokens: {each:?} each, one at a time", found.len());
}
