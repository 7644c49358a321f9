//! A long silence after a reply: the assistant speaks up, once.

use std::time::Duration;

use providers::llm::Message;

use super::{
    super::{Wake, output::Event, settings::Endpointing},
    scene::{Scene, millis},
};

fn patient() -> Scene {
    Scene::mid_reply_with(
        |settings| {
            settings.input.turn_detection.as_mut().unwrap().policy = Endpointing::Silence {
                threshold: 0.5,
                prefix_padding: millis(300),
                silence: millis(500),
                idle_timeout: Some(millis(6000)),
            };
        },
        |profile| profile.lead = Duration::from_secs(10),
    )
}

#[test]
fn the_silence_counts_from_the_end_of_the_playing_and_ends_in_a_response() {
    let mut scene = patient();
    scene.quiet(3000 + 5980);
    assert_eq!(scene.wake(), Some(Wake::Silence));
    assert_eq!(scene.count("timeout_triggered"), 0);
    scene.news();
    scene.quiet(40);
    assert_eq!(
        scene.news(),
        [
            "timeout_triggered",
            "committed",
            "item.added",
            "item.done",
            "transcription.completed",
            "response.created",
            "infer",
        ]
    );
    let span = scene.events().find_map(|event| match event {
        Event::IdleTimeout { start, end, .. } => Some((*start, *end)),
        _ => None,
    });
    assert_eq!(span, Some((millis(4480), millis(10_480))));
    assert!(matches!(scene.prompt().messages.last(), Some(Message::System(note)) if note.contains("6 seconds")));
}

#[test]
fn a_silence_is_broken_once() {
    let mut scene = patient();
    scene.quiet(10_000);
    scene.replies("Are you still there?", 1000);
    scene.quiet(20_000);
    assert_eq!(scene.count("timeout_triggered"), 1);
    scene.asks("yes I am");
    scene.replies("Good.", 500);
    scene.quiet(10_000);
    assert_eq!(scene.count("timeout_triggered"), 2);
}

#[test]
fn who_speaks_in_time_is_not_asked() {
    let mut scene = patient();
    scene.quiet(8000);
    scene.asks("and tomorrow");
    scene.quiet(8000);
    assert_eq!(scene.count("timeout_triggered"), 0);
}
