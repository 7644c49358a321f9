//! What a reply cites is shown with it and not read out.

use std::sync::Arc;

use providers::{
    Json,
    llm::{Finish, Thought},
    passage::{Citation, Passage},
};

use super::{
    super::output::{Event, Output},
    scene::{Scene, text},
};

fn citation(number: u32) -> Citation {
    let passage = Passage {
        id: "p".into(),
        document: "d".into(),
        title: None,
        source: Json::from_checked("{}"),
        heading: None,
        page: None,
        text: "Adults take 5 mg.".into(),
        relevance: 80,
    };
    Citation { number, passage: Arc::new(passage), quote: "Adults take 5 mg.".into() }
}

#[test]
fn a_spoken_reply_shows_its_numbers_and_says_only_its_words() {
    let mut scene = Scene::new();
    scene.asks("How much?");
    scene.says("Adults take 5 mg [1]. Children take none of it at all [2], ever.");
    scene.thinks(Thought::Cited(citation(1)));
    scene.thinks(Thought::Cited(citation(2)));
    scene.finishes(Finish::Stop);
    let clauses: Vec<_> = scene
        .outputs()
        .filter_map(|output| match output {
            Output::Synthesize { clause, .. } => Some(clause.text.split_whitespace().collect::<Vec<_>>().join(" ")),
            _ => None,
        })
        .collect();
    assert_eq!(clauses.join(" "), "Adults take 5 mg. Children take none of it at all, ever.");
    for (clause, _) in (0..).zip(&clauses) {
        scene.sounds(clause, 400);
    }
    scene.voice_ends();
    scene.run_for(super::scene::millis(3_000));
    let done = scene.events().find_map(|event| match event {
        Event::OutputItemDone { item, .. } => Some(item),
        _ => None,
    });
    let done = done.unwrap();
    assert_eq!(text(done), "Adults take 5 mg [1]. Children take none of it at all [2], ever.");
    let numbers: Vec<_> = done.citations.iter().map(|citation| citation.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(scene.history(&done.id).citations, done.citations);
}
