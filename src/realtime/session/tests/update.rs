//! Settings that change: at once for what follows, never for what is under way.

use providers::llm::Message;

use super::{
    super::{
        input::Request,
        settings::{Endpointing, Kind, Modality},
    },
    scene::{Scene, millis},
};

#[test]
fn an_update_in_mid_turn_keeps_the_turn() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.updates(|settings| {
        settings.instructions = "Sing.".into();
        settings.input.turn_detection.as_mut().unwrap().policy = Endpointing::Silence {
            threshold: 0.5,
            prefix_padding: millis(0),
            silence: millis(200),
            idle_timeout: None,
        };
    });
    scene.quiet(200);
    scene.understood("hello");
    assert_eq!(scene.count("session.updated"), 1);
    assert_eq!(scene.prompt().messages, [Message::User("hello".into())]);
    assert_eq!(scene.prompt().instructions, "Sing.");
}

#[test]
fn a_turn_under_way_outlives_the_switch_to_manual_turns() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.updates(|settings| settings.input.turn_detection = None);
    scene.quiet(3000);
    assert_eq!((scene.count("speech_stopped"), scene.count("committed")), (1, 0));
    scene.asks_for(Request::Commit);
    assert_eq!((scene.count("start"), scene.count("committed")), (1, 1));
}

#[test]
fn what_was_gathered_by_hand_is_a_turn_once_turns_end_by_themselves() {
    let mut scene = Scene::with(|settings| settings.input.turn_detection = None, |_| {});
    scene.speaks(600);
    scene.quiet(100);
    scene.updates(|settings| settings.input.turn_detection = super::scene::settings().input.turn_detection);
    assert_eq!(scene.count("speech_started"), 1);
    scene.quiet(400);
    assert_eq!(scene.count("committed"), 1);
}

#[test]
fn the_voice_is_locked_once_it_was_heard() {
    let mut scene = Scene::new();
    scene.updates(|settings| settings.output.voice = "marin".into());
    assert_eq!(scene.session.settings().output.voice, "marin");
    scene.asks("hello");
    scene.replies("Hello.", 500);
    scene.updates(|settings| {
        settings.output.voice = "alloy".into();
        settings.instructions = "Sing.".into();
    });
    assert_eq!(scene.error().code, Some("cannot_update_voice"));
    assert_eq!(scene.session.settings().instructions, "Be brief.", "nothing changes");
    scene.updates(|settings| settings.instructions = "Sing.".into());
    assert_eq!(scene.session.settings().instructions, "Sing.");
}

#[test]
fn the_type_is_fixed_and_the_model_stays() {
    let mut scene = Scene::new();
    scene.updates(|settings| settings.kind = Kind::Transcription);
    assert_eq!(scene.error().param.as_deref(), Some("session.type"));
    scene.updates(|settings| settings.model = "other".into());
    assert_eq!((scene.session.settings().model.as_str(), scene.count("session.updated")), ("relay", 1));
}

#[test]
fn a_response_reads_one_snapshot() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.updates(|settings| settings.modality = Modality::Text);
    scene.replies("Hello.", 500);
    assert_eq!(scene.done().modality, Modality::Audio);
    assert_eq!(scene.count("audio.done"), 1);
}
