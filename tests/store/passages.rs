//! Passages: found by words and by meaning, by those alone who may read their document.

use serde_json::json;
use voice_relay::store::{
    DocumentId, StoreError, UserId,
    documents::{self, Added, Caller, Content},
    passages::{self, Filter, New, Place, SignCache, Terms},
    users,
};

use crate::{Scene, at};

/// A document of this user whose passages are these texts, without vectors.
pub(crate) async fn shelve(scene: &Scene, user: UserId, shared: bool, title: &str, texts: &[&str]) -> DocumentId {
    let source = json!({"title": title, "source_type": if shared { "guideline" } else { "article" }}).to_string();
    let new = documents::New { shared, content: Content::Text(""), size: 0, sha256: title, source: &source };
    let added = documents::add(&scene.db, user, DocumentId::new(at(2)), new, 1_000, at(2)).await.unwrap();
    let Added::Kept(kept) = added else { panic!("{added:?}") };
    passages::put(&scene.db, kept.id, None, &rows(texts), at(3)).await.unwrap();
    kept.id
}

fn rows<'a>(texts: &[&'a str]) -> Vec<New<'a>> {
    let row = |text: &&'a str| New { text, heading: None, page: Some(1), start: 0, end: text.len(), vector: None };
    texts.iter().map(row).collect()
}

/// The texts that this question finds by its words, the best first.
async fn found(scene: &Scene, user: UserId, question: &str, filter: &Filter) -> Vec<String> {
    let terms = Terms::of(question).unwrap();
    let places = passages::by_words(&scene.db, user, &terms, filter, 10).await.unwrap().places;
    let kept = passages::read(&scene.db, user, &places).await.unwrap();
    let text = |place: &Place| kept.iter().find(|kept| kept.place == *place).map(|kept| kept.text.clone());
    places.iter().map(|place| text(place).unwrap()).collect()
}

#[tokio::test]
async fn words_are_found_by_their_stems_and_rare_ones_go_first() {
    let scene = Scene::new().await;
    let texts = ["Doses of digoxin are small.", "The dose was given.", "A dose a day.", "Nothing."];
    let document = shelve(&scene, scene.ann, false, "Hearts", &texts).await;
    let all = Filter::default();
    let got = found(&scene, scene.ann, "Which dosing for digoxin?", &all).await;
    assert_eq!(got[0], texts[0]);
    assert_eq!(got.len(), 3, "{got:?}");
    assert_eq!(found(&scene, scene.ann, "given", &all).await, [texts[1]]);
    assert_eq!(found(&scene, scene.ann, "hearts", &all).await.len(), 4, "a title is of all passages");
    assert!(found(&scene, scene.ann, "elephant", &all).await.is_empty());
    let terms = Terms::of("digoxin elephant dose").unwrap();
    let words = passages::by_words(&scene.db, scene.ann, &terms, &all, 10).await.unwrap().words;
    let weight = |word: &str| words.iter().find(|weighed| weighed.word == word).unwrap().weight;
    assert!(weight("elephant") > weight("digoxin") && weight("digoxin") > weight("dose"), "{words:?}");
    assert_eq!(
        passages::unread(&scene.db, document, 2, 5).await.unwrap(),
        [(None, texts[2].into()), (None, texts[3].into())]
    );
}

#[tokio::test]
async fn who_may_not_read_a_document_finds_nothing_of_it() {
    let scene = Scene::new().await;
    let hers = shelve(&scene, scene.ann, false, "hers", &["My secret dose is nine."]).await;
    let shared = shelve(&scene, scene.ann, true, "all's", &["The usual dose is five."]).await;
    let his = shelve(&scene, scene.bob, false, "his", &["His dose is two."]).await;
    let only = |documents: &[DocumentId]| Filter { documents: Some(documents.to_vec()), source_type: None };
    let bobs = found(&scene, scene.bob, "dose", &Filter::default()).await;
    assert_eq!(bobs.len(), 2, "{bobs:?}");
    assert!(found(&scene, scene.bob, "secret nine", &Filter::default()).await.is_empty());
    assert!(found(&scene, scene.bob, "dose", &only(&[hers])).await.is_empty());
    assert_eq!(found(&scene, scene.bob, "dose", &only(&[hers, his])).await, ["His dose is two."]);
    let guidelines = Filter { source_type: Some("guideline".into()), ..Filter::default() };
    assert_eq!(found(&scene, scene.ann, "dose", &guidelines).await, ["The usual dose is five."]);
    let strange = Filter { source_type: Some("x\" OR tags : \"shared".into()), ..Filter::default() };
    assert!(found(&scene, scene.ann, "dose", &strange).await.is_empty());

    let vector = [0.5_f32, -0.5];
    for document in [hers, shared, his] {
        passages::embed(&scene.db, document, 0, &[vector.to_vec()]).await.unwrap();
        passages::seal(&scene.db, document, "m").await.unwrap();
    }
    let (cache, place) = (SignCache::default(), |document| Place { document, position: 0 });
    let near = async |filter: Filter| {
        let signed = passages::signed(&scene.db, &cache, scene.bob, "m", &filter).await.unwrap();
        signed.nearest(&vector, 9).await.unwrap()
    };
    let anywhere = near(Filter::default()).await;
    assert_eq!(anywhere.len(), 2);
    assert!(!anywhere.contains(&place(hers)));
    assert!(near(only(&[hers])).await.is_empty());
    let all = [place(hers), place(shared), place(his)];
    assert_eq!(passages::nearness(&scene.db, scene.bob, "m", &vector, &all).await.unwrap().len(), 2);
    assert_eq!(passages::read(&scene.db, scene.bob, &all).await.unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_in_a_question_is_an_operator() {
    let scene = Scene::new().await;
    let text = "Tea and coffee NEAR the sea, or not.";
    shelve(&scene, scene.ann, false, "x", &[text]).await;
    for question in
        ["tea AND \"", "coffee*) OR (", "NEAR(tea, 2)", "title : tea", "tea' & !| coffee:*", "-sea ^tea", "\u{0} tea"]
    {
        assert_eq!(found(&scene, scene.ann, question, &Filter::default()).await, [text], "{question}");
    }
}

#[tokio::test]
async fn meaning_is_found_once_all_vectors_of_the_model_are_there() {
    let scene = Scene::new().await;
    let document = shelve(&scene, scene.ann, false, "x", &["north", "east", "south"]).await;
    let (db, cache, ann, all) = (&scene.db, SignCache::default(), scene.ann, Filter::default());
    let vectors = [vec![3.0_f32, 0.1], vec![0.1, 2.0], vec![-1.0, 0.1]];
    let beside = async |model: &str, vector: &[f32]| {
        let signed = passages::signed(db, &cache, ann, model, &all).await.unwrap();
        signed.nearest(vector, 9).await.unwrap()
    };
    let near = async |model: &str| beside(model, &[1.0, 0.0]).await;
    passages::embed(db, document, 0, &vectors[..2]).await.unwrap();
    assert!(matches!(passages::seal(db, document, "m").await, Err(StoreError::NotFound)), "one is missing");
    assert!(near("m").await.is_empty());
    passages::embed(db, document, 2, &vectors[2..]).await.unwrap();
    passages::seal(db, document, "m").await.unwrap();
    let places = near("m").await;
    assert_eq!((places.len(), places[2].position), (3, 2), "the opposite is last");
    assert!(near("other").await.is_empty(), "another model's vectors are not compared");
    assert!(beside("m", &[1.0, 0.0, 0.0]).await.is_empty(), "nor are those of another length");
    let mut cosines = passages::nearness(db, ann, "m", &[2.0, 0.0], &places).await.unwrap();
    cosines.sort_by_key(|(place, _)| place.position);
    let cosines: Vec<_> = cosines.iter().map(|(_, cosine)| (cosine * 100.0).round()).collect();
    assert_eq!(cosines, [100.0, 5.0, -100.0]);
    assert!(matches!(passages::embed(db, document, 3, &vectors[..1]).await, Err(StoreError::NotFound)));

    let row = |vector| New { vector: Some(vector), ..rows(&["all at once"])[0] };
    passages::put(db, document, Some("n"), &[row(vectors[1].as_slice())], at(9)).await.unwrap();
    assert_eq!((near("m").await.len(), near("n").await.len()), (0, 1));
    assert_eq!(found(&scene, ann, "north", &all).await, [""; 0], "what was there before is gone");
}

#[tokio::test]
async fn what_changes_of_a_document_is_found_and_what_is_deleted_is_not() {
    let scene = Scene::new().await;
    let (db, all) = (&scene.db, Filter::default());
    let document = shelve(&scene, scene.ann, true, "Old name", &["words"]).await;
    let caller = Caller { user: scene.ann, admin: true };
    let renamed = |_: &str| json!({"title": "Fresh name", "source_type": "report"}).to_string();
    documents::describe(db, caller, document, renamed, at(5)).await.unwrap();
    assert!(found(&scene, scene.bob, "old", &all).await.is_empty());
    assert_eq!(found(&scene, scene.bob, "fresh", &all).await, ["words"]);
    let reports = Filter { source_type: Some("report".into()), ..Filter::default() };
    assert_eq!(found(&scene, scene.bob, "words", &reports).await, ["words"]);
    documents::delete(db, caller, document).await.unwrap();
    assert!(found(&scene, scene.ann, "words", &all).await.is_empty());
    let late = passages::put(db, document, None, &rows(&["late"]), at(6)).await;
    assert!(matches!(late, Err(StoreError::NotFound)), "it does not come back");

    let hers = shelve(&scene, scene.ann, false, "hers", &["gone with her"]).await;
    users::delete(db, scene.ann).await.unwrap();
    shelve(&scene, scene.bob, false, "his", &["his own words"]).await;
    assert!(found(&scene, scene.bob, "gone", &all).await.is_empty(), "{hers} stood where his stands now");
    assert_eq!(found(&scene, scene.bob, "own words", &all).await, ["his own words"]);
}
