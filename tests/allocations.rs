//! The paths that run fifty times a second for every session allocate nothing once warm.

#![expect(unsafe_code, reason = "counting allocations takes an allocator, and GlobalAlloc is an unsafe trait")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use audio::vad;
use voice_relay::realtime::{
    ingest::{Hearing, Ingest},
    protocol::{ClientEvent, Dialect, Encoder, Query, decode, settings},
    session::{
        ids::{ItemId, ResponseId},
        output::PartRef,
        settings::{Eagerness, Endpointing, Modality, TurnDetection},
    },
};

#[test]
fn a_warm_append_allocates_nothing() {
    let query = Query::Conversation { model: Some("m".to_owned()) };
    let settings = settings::initial(&query, None, &settings::Defaults::default()).unwrap();
    let audio = "AbC/".repeat(320);
    let text = format!(r#"{{"type":"input_audio_buffer.append","event_id":"e1","audio":"{audio}"}}"#);
    let mut scratch = Vec::new();
    let mut append = || {
        let event = decode(&text, Dialect::Ga, &settings, &mut scratch).unwrap();
        assert!(matches!(event, ClientEvent::Append { audio, event_id: Some(_) } if audio.len() == 960));
    };
    append();
    assert_eq!(allocations_of(append), 0);
}

#[test]
fn a_warm_delta_allocates_nothing() {
    let part = PartRef {
        response: ResponseId::new("resp_1"),
        item: ItemId::new("item_1"),
        output_index: 0,
        content_index: 0,
        modality: Modality::Audio,
    };
    let (mut encoder, mut out) = (Encoder::new("sess_1", 0), String::new());
    let mut delta = || {
        out.clear();
        encoder.audio_delta(&part, &[7; 4800], &mut out);
    };
    delta();
    assert_eq!(allocations_of(delta), 0);
}

#[test]
fn a_warm_microphone_allocates_nothing_and_an_open_turn_once_a_second_at_most() {
    let query = Query::Conversation { model: Some("m".to_owned()) };
    let mut input = settings::initial(&query, None, &settings::Defaults::default()).unwrap().input;
    let policy = Endpointing::Semantic { eagerness: Eagerness::Medium };
    input.turn_detection = Some(TurnDetection { policy, create_response: true, interrupt_response: true });
    let mut ingest = Ingest::new(&input, Hearing { advice: true, detector: vad::Engine::Earshot });
    let seconds = |ingest: &mut Ingest, seconds: usize| {
        for _ in 0..seconds * 50 {
            ingest.take(&[1; 960]);
            while ingest.next().is_some() {}
        }
    };
    seconds(&mut ingest, 2);
    assert_eq!(allocations_of(|| seconds(&mut ingest, 10)), 0);
    ingest.hold(ingest.position());
    let growing = allocations_of(|| seconds(&mut ingest, 10));
    assert!((1..=8).contains(&growing), "{growing}");
    assert_eq!(allocations_of(|| seconds(&mut ingest, 10)), 0, "no turn keeps more than 8 s");
}

fn allocations_of(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is the system allocator's, with the arguments it was given.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
