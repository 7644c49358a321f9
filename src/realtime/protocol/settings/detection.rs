//! `turn_detection`: how turns end by themselves.

use std::time::Duration;

use crate::realtime::{
    protocol::{
        json::{Field, Fields, Object},
        millis::Millis,
    },
    session::{
        output::ClientError,
        settings::{Eagerness, Endpointing, Kind, TurnDetection},
    },
};

/// The default of every session. In a transcription session turns answer nothing and interrupt nothing.
pub(super) fn server_vad(kind: Kind) -> TurnDetection {
    let policy = Endpointing::Silence {
        threshold: 0.5,
        prefix_padding: Duration::from_millis(300),
        silence: Duration::from_millis(500),
        idle_timeout: None,
    };
    started(policy, kind)
}

/// What turn detection becomes. A type other than the current one starts from that type's defaults.
pub(super) fn read(
    current: Option<&TurnDetection>,
    kind: Kind,
    field: &Field<'_>,
) -> Result<TurnDetection, ClientError> {
    let fields = field.object()?;
    let mut next = match (fields.given("type"), current) {
        (None, Some(current)) => current.clone(),
        (None, None) => return Err(fields.missing("type")),
        (Some(policy), current) => {
            let fresh = if policy.choice(POLICIES)? { semantic_vad(kind) } else { server_vad(kind) };
            let same = |current: &&TurnDetection| is_semantic(&current.policy) == is_semantic(&fresh.policy);
            current.filter(same).cloned().unwrap_or(fresh)
        }
    };
    apply_policy(&mut next.policy, kind, &fields)?;
    if kind == Kind::Conversation {
        set_truth(&mut next.create_response, &fields, "create_response")?;
        set_truth(&mut next.interrupt_response, &fields, "interrupt_response")?;
    }
    Ok(next)
}

pub(super) fn write(detection: Option<&TurnDetection>, kind: Kind, side: &mut Object<'_>) {
    let Some(detection) = detection else { return side.null("turn_detection") };
    side.object("turn_detection", |object| {
        let idle_timeout = match &detection.policy {
            Endpointing::Silence { threshold, prefix_padding, silence, idle_timeout } => {
                object.text("type", "server_vad");
                object.decimal("threshold", *threshold);
                object.millis("prefix_padding_ms", *prefix_padding);
                object.millis("silence_duration_ms", *silence);
                Some(*idle_timeout)
            }
            Endpointing::Semantic { eagerness } => {
                object.text("type", "semantic_vad");
                object.text("eagerness", name_of(*eagerness));
                None
            }
        };
        if kind == Kind::Transcription {
            return;
        }
        match idle_timeout {
            Some(Some(idle)) => object.millis("idle_timeout_ms", idle),
            Some(None) => object.null("idle_timeout_ms"),
            None => {}
        }
        object.truth("create_response", detection.create_response);
        object.truth("interrupt_response", detection.interrupt_response);
    });
}

fn apply_policy(policy: &mut Endpointing, kind: Kind, fields: &Fields<'_>) -> Result<(), ClientError> {
    match policy {
        Endpointing::Silence { threshold, prefix_padding, silence, idle_timeout } => {
            if let Some(given) = fields.given("threshold") {
                *threshold = given.number(0.0..=1.0)?;
            }
            set_millis(prefix_padding, fields, "prefix_padding_ms", 0, LONGEST_PADDING)?;
            set_millis(silence, fields, "silence_duration_ms", 0, LONGEST_SILENCE)?;
            if kind == Kind::Conversation && fields.given("idle_timeout_ms").is_some() {
                set_millis(idle_timeout.get_or_insert_default(), fields, "idle_timeout_ms", 5_000, 30_000)?;
            }
        }
        Endpointing::Semantic { eagerness } => {
            if let Some(given) = fields.given("eagerness") {
                *eagerness = given.choice(EAGERNESS)?;
            }
        }
    }
    Ok(())
}

fn set_millis(span: &mut Duration, fields: &Fields<'_>, name: &str, least: u32, most: u32) -> Result<(), ClientError> {
    if let Some(given) = fields.given(name) {
        *span = Millis(given.integer(least..=most)?.into()).into();
    }
    Ok(())
}

fn set_truth(value: &mut bool, fields: &Fields<'_>, name: &str) -> Result<(), ClientError> {
    if let Some(given) = fields.given(name) {
        *value = given.truth()?;
    }
    Ok(())
}

fn semantic_vad(kind: Kind) -> TurnDetection {
    started(Endpointing::Semantic { eagerness: Eagerness::Auto }, kind)
}

fn started(policy: Endpointing, kind: Kind) -> TurnDetection {
    let answers = kind == Kind::Conversation;
    TurnDetection { policy, create_response: answers, interrupt_response: answers }
}

fn is_semantic(policy: &Endpointing) -> bool {
    matches!(policy, Endpointing::Semantic { .. })
}

fn name_of(eagerness: Eagerness) -> &'static str {
    match eagerness {
        Eagerness::Low => "low",
        Eagerness::Medium => "medium",
        Eagerness::High => "high",
        Eagerness::Auto => "auto",
    }
}

/// Whether a type is semantic.
const POLICIES: &[(&str, bool)] = &[("server_vad", false), ("semantic_vad", true)];

const EAGERNESS: &[(&str, Eagerness)] =
    &[("low", Eagerness::Low), ("medium", Eagerness::Medium), ("high", Eagerness::High), ("auto", Eagerness::Auto)];

/// Longest audio from before the onset, in milliseconds: the pre-roll must be able to keep it.
const LONGEST_PADDING: u32 = 5_000;

/// Longest pause that may end a turn, in milliseconds; beyond a minute nobody waits for an answer.
const LONGEST_SILENCE: u32 = 60_000;
