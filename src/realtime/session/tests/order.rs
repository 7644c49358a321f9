//! The order of events is the protocol: clients hang on it.

use providers::llm::{Finish, Thought, Usage};

use super::{
    super::{
        input::ResponseRequest,
        settings::{Modality, Player},
    },
    scene::{Scene, millis, profile, settings},
};

#[test]
fn a_spoken_turn_and_its_spoken_reply_follow_the_wires_order() {
    let mut scene = Scene::new();
    assert_eq!(scene.news(), ["session.created"]);
    scene.quiet(400);
    scene.speaks(600);
    assert_eq!(scene.news(), ["start", "speech_started"]);
    scene.quiet(500);
    assert_eq!(scene.news(), ["speech_stopped", "finish", "committed", "item.added", "item.done"]);
    scene.understood("hello");
    assert_eq!(scene.news(), ["transcription.completed", "response.created", "infer"]);
    scene.says("Hello to you, too.");
    assert_eq!(scene.news(), ["output_item.added", "item.added", "part.added", "text.delta", "synthesize"]);
    scene.finishes(Finish::Stop);
    assert_eq!(scene.news(), ["synthesize", "synthesize_end"]);
    scene.sounds(0, 500);
    assert_eq!(scene.news(), ["audio.delta"]);
    scene.sounds(1, 300);
    scene.voice_ends();
    assert_eq!(
        scene.news(),
        ["audio.delta", "audio.done", "text.done", "part.done", "item.done", "output_item.done", "response.done"]
    );
}

#[test]
fn a_written_reply_has_text_and_no_sound() {
    let mut scene = Scene::with(|settings| settings.modality = Modality::Text, |_| {});
    scene.types("hello");
    scene.responds(ResponseRequest::default());
    scene.news();
    scene.says("Hello");
    scene.says(" there.");
    scene.finishes(Finish::Stop);
    assert_eq!(
        scene.news(),
        [
            "output_item.added",
            "item.added",
            "part.added",
            "text.delta",
            "text.delta",
            "text.done",
            "part.done",
            "item.done",
            "output_item.done",
            "response.done",
        ]
    );
}

#[test]
fn where_we_play_the_playing_is_told_too() {
    let mut scene = Scene::mid_reply_with(
        |_| {},
        |profile| {
            profile.player = Player::Relay;
            profile.lead = millis(60);
        },
    );
    scene.run_for(millis(4000));
    let told: Vec<_> = scene
        .news()
        .into_iter()
        .filter(|name| name.starts_with("playback") || matches!(*name, "part.added" | "response.done"))
        .collect();
    assert_eq!(told, ["part.added", "playback.started", "response.done", "playback.stopped"]);
    assert!(scene.when("playback.stopped") >= scene.when("response.done") + millis(20));
}

#[test]
fn usage_is_summed_and_told_at_the_end() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.thinks(Thought::Usage(Usage { input_tokens: 7, cached_tokens: 2, output_tokens: 3 }));
    scene.replies("Hello.", 500);
    assert_eq!(scene.done().usage, Some(Usage { input_tokens: 7, cached_tokens: 2, output_tokens: 3 }));
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.asks("stop");
    let again = scene.replay(profile(settings()));
    assert!(scene.outputs().eq(&again));
}

#[test]
fn sessions_side_by_side_share_nothing() {
    let act = |scene: &mut Scene, step: u32| match step {
        0 => scene.speaks(600),
        1 => scene.quiet(500),
        2 => scene.understood("hello"),
        3 => scene.replies("Hello there.", 900),
        4 => scene.quiet(300),
        _ => scene.asks("stop"),
    };
    let mut alone = Scene::new();
    (0..6).for_each(|step| act(&mut alone, step));
    let (mut one, mut silent) = (Scene::new(), Scene::new());
    for step in 0..6 {
        silent.quiet(700);
        act(&mut one, step);
    }
    assert!(alone.outputs().eq(one.outputs()));
    assert_eq!(silent.news(), ["session.created"]);
}
