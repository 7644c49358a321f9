//! The order of events is the protocol: clients hang on it.

use super::scene::Scene;

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
    scene.finishes(providers::llm::Finish::Stop);
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
