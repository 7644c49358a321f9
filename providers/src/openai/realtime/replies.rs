//! What server events mean for the replies that were asked for.
//!
//! One reply is under way at a time. The next is asked for only when the vendor has ended the one before, cancelled or
//! not, since it refuses two; until then events of a cancelled reply are dropped here. Ids of the vendor's replies stay
//! within.

use std::time::Duration;

use audio::{Clip, SampleRate};

use super::wire::{Call, Ended, Fault, Part, Told};
use crate::{
    ErrorKind,
    dialogue::{Draft, fitting},
    llm::{Finish, Thought},
    net::pcm::Samples,
    realtime::{Event, Step},
};

/// The replies of one conversation.
#[derive(Default, Debug)]
pub(super) struct Replies {
    current: Current,
    /// The vendor's id of the reply before: stragglers of it are not the next one's.
    before: String,
    /// Speech of the newest reply, item by item.
    spoken: Vec<Spoken>,
    /// Sound has come in this conversation.
    voiced: bool,
    /// A reply that was cancelled too early, and has begun since.
    again: Option<String>,
}

#[derive(Default, Debug)]
enum Current {
    #[default]
    None,
    /// Asked for; the vendor has not begun it.
    Asked {
        reply: u64,
    },
    Active(Box<Active>),
    /// No longer wanted; its end is awaited. Without an id the vendor has not begun it, and where it then knew of nothing to
    /// cancel it is to be told again.
    Leaving {
        reply: u64,
        id: Option<String>,
        early: bool,
    },
}

#[derive(Debug)]
struct Active {
    reply: u64,
    id: String,
    draft: Draft,
    samples: Samples,
    /// Items whose words were told.
    worded: Vec<String>,
    /// Calls named and not yet complete: item, name.
    named: Vec<(String, String)>,
    /// Calls told.
    called: Vec<String>,
}

/// One item's speech.
#[derive(Debug)]
struct Spoken {
    item: String,
    content: u32,
    length: Duration,
}

/// Where an item's speech is to be cut off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    pub(super) item: String,
    pub(super) content: u32,
    pub(super) heard: Duration,
}

impl Replies {
    /// Whether the next reply may be asked for.
    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.current, Current::None)
    }

    /// Whether the assistant has spoken.
    pub(super) const fn has_voice(&self) -> bool {
        self.voiced
    }

    /// A reply is asked for. Returns the id of the event that does so.
    pub(super) fn ask(&mut self, reply: u64) -> String {
        self.current = Current::Asked { reply };
        self.spoken.clear();
        event_of(reply)
    }

    /// The reply under way is no longer wanted. Returns the vendor's id of it, where there is something to cancel.
    pub(super) fn cancel(&mut self) -> Option<String> {
        let (reply, id) = match &self.current {
            Current::None | Current::Leaving { .. } => return None,
            Current::Asked { reply } => (*reply, None),
            Current::Active(active) => (active.reply, Some(active.id.clone())),
        };
        self.current = Current::Leaving { reply, id: id.clone(), early: false };
        Some(id.unwrap_or_default())
    }

    /// The vendor's id of a reply that must be cancelled once more.
    pub(super) fn cancel_again(&mut self) -> Option<String> {
        self.again.take()
    }

    /// Whether there is something for the sending half to do.
    pub(super) const fn calls(&self) -> bool {
        self.is_idle() || self.again.is_some()
    }

    /// Where to cut the newest reply's speech of which only this much was heard.
    pub(super) fn cut(&mut self, heard: Duration) -> Vec<Cut> {
        let mut left = heard;
        let mut cuts = Vec::new();
        for spoken in &mut self.spoken {
            let kept = left.min(spoken.length);
            left -= kept;
            if kept < spoken.length {
                spoken.length = kept;
                cuts.push(Cut { item: spoken.item.clone(), content: spoken.content, heard: kept });
            }
        }
        cuts
    }

    /// Takes what the vendor told, and adds what that means.
    ///
    /// # Errors
    ///
    /// The fault that ends the conversation.
    pub(super) fn take(&mut self, told: Told, out: &mut Vec<Event>) -> Result<(), Fault> {
        match told {
            Told::Greeting | Told::Updated | Told::Other => {}
            Told::Began { response } => self.begin(response),
            Told::Words { part, text } => {
                let Some(active) = self.active(&part) else { return Ok(()) };
                active.note(&part.item);
                active.say(&text, out);
            }
            Told::AllWords { part, text } => {
                let Some(active) = self.active(&part) else { return Ok(()) };
                if active.note(&part.item) {
                    active.say(&text, out);
                }
            }
            Told::Sound { part, bytes } => self.sound(&part, &bytes, out),
            Told::Named { part, name } => {
                if let Some(active) = self.active(&part) {
                    active.named.push((part.item, name));
                }
            }
            Told::Called { part, call } => {
                if let Some(active) = self.active(&part) {
                    active.call(&part.item, call, out);
                }
            }
            Told::Ended(ended) => self.end(*ended, out),
            Told::Refused(fault) => return self.refused(fault, out),
        }
        Ok(())
    }

    fn begin(&mut self, response: String) {
        match &mut self.current {
            Current::Asked { reply } => self.current = Current::Active(Box::new(Active::new(*reply, response))),
            Current::Leaving { id: id @ None, early, .. } => {
                self.again = early.then(|| response.clone());
                *id = Some(response);
            }
            // Nobody asked for it, or it was told before.
            Current::None | Current::Active(_) | Current::Leaving { .. } => {}
        }
    }

    /// The reply this belongs to, if it is the one under way. Servers that do not say when a reply begins, or which one
    /// something belongs to, are believed to speak of the one that was asked for.
    fn active(&mut self, part: &Part) -> Option<&mut Active> {
        let id = &part.response;
        if let Current::Asked { reply } = self.current
            && (id.is_empty() || *id != self.before)
        {
            self.current = Current::Active(Box::new(Active::new(reply, id.clone())));
        }
        match &mut self.current {
            Current::Active(active) if active.is(id) => Some(active),
            Current::None | Current::Asked { .. } | Current::Active(_) | Current::Leaving { .. } => None,
        }
    }

    fn sound(&mut self, part: &Part, bytes: &[u8], out: &mut Vec<Event>) {
        let Some(active) = self.active(part) else { return };
        let samples = active.samples.feed(bytes);
        if samples.is_empty() {
            return;
        }
        let clip = Clip::new(SampleRate::HZ_24000, samples);
        let (reply, length) = (active.reply, clip.duration());
        self.voiced = true;
        match self.spoken.iter_mut().find(|spoken| spoken.item == part.item && spoken.content == part.content) {
            Some(spoken) => spoken.length += length,
            None => self.spoken.push(Spoken { item: part.item.clone(), content: part.content, length }),
        }
        out.push(Event { reply, step: Step::Sound(clip) });
    }

    fn end(&mut self, mut ended: Ended, out: &mut Vec<Event>) {
        let part = Part { response: ended.response.clone(), ..Part::default() };
        if let Current::Leaving { id, .. } = &self.current
            && (ended.response.is_empty() || id.as_ref().is_none_or(|id| id.is_empty() || *id == ended.response))
        {
            (self.current, self.before) = (Current::None, ended.response);
            return;
        }
        let Some(active) = self.active(&part) else { return };
        if ended.status == "completed" {
            for call in std::mem::take(&mut ended.calls) {
                active.call("", call, out);
            }
        }
        active.end(&ended, out);
        (self.current, self.before) = (Current::None, ended.response);
    }

    fn refused(&mut self, fault: Fault, out: &mut Vec<Event>) -> Result<(), Fault> {
        if fault.ends_all() {
            return Err(fault);
        }
        let is_of = |reply: u64| match &fault.event {
            Some(event) => *event == event_of(reply),
            None => !fault.is_aside(),
        };
        match &mut self.current {
            Current::Asked { reply } if is_of(*reply) => {
                out.push(Event { reply: *reply, step: Step::Failed(fault_error(&fault)) });
                self.current = Current::None;
            }
            Current::Leaving { id: None, reply, .. } if is_of(*reply) => self.current = Current::None,
            Current::Leaving { id: None, early, .. } if fault.cancels_nothing() => *early = true,
            // It had ended before; its last event is nobody's any more.
            Current::Leaving { id: Some(id), .. } if fault.cancels_nothing() => {
                self.before = std::mem::take(id);
                self.current = Current::None;
            }
            Current::None | Current::Asked { .. } | Current::Active(_) | Current::Leaving { .. } => {
                // Its words may quote what it was told.
                tracing::debug!(code = fault.code, "a realtime server complains");
            }
        }
        Ok(())
    }
}

impl Active {
    fn new(reply: u64, id: String) -> Self {
        let (draft, samples) = (Draft::default(), Samples::default());
        Self { reply, id, draft, samples, worded: Vec::new(), named: Vec::new(), called: Vec::new() }
    }

    fn is(&self, id: &str) -> bool {
        id.is_empty() || self.id.is_empty() || self.id == id
    }

    /// Notes that words of this item were told; whether they are the first.
    fn note(&mut self, item: &str) -> bool {
        let first = !self.worded.iter().any(|worded| worded == item);
        if first {
            self.worded.push(item.to_owned());
        }
        first
    }

    fn say(&mut self, text: &str, out: &mut Vec<Event>) {
        self.think(out, |draft, thoughts| draft.say(text, thoughts));
    }

    /// A complete call, told once however often the vendor tells it.
    fn call(&mut self, item: &str, call: Call, out: &mut Vec<Event>) {
        let named = self.named.iter().find(|(named, _)| named == item).map(|(_, name)| name.clone());
        let name = if call.name.is_empty() { named.unwrap_or_default() } else { call.name };
        if name.is_empty() || self.called.contains(&call.id) {
            return;
        }
        self.called.push(call.id.clone());
        self.think(out, |draft, thoughts| {
            draft.call(fitting(&call.id), &name, thoughts);
            draft.arguments(&call.arguments, thoughts);
            draft.close(thoughts);
        });
    }

    fn end(&mut self, ended: &Ended, out: &mut Vec<Event>) {
        let finish = match (ended.status.as_str(), ended.reason.as_str()) {
            ("incomplete", "max_output_tokens") => Finish::Length,
            ("incomplete", "content_filter") => Finish::ContentFilter,
            ("failed" | "cancelled", _) => {
                let told = ended.fault.as_ref().map(fault_error);
                let why = format!("the server ended the reply as {}: {}", ended.status, ended.reason);
                let error = told.unwrap_or_else(|| error(ErrorKind::Unavailable, &why));
                out.push(Event { reply: self.reply, step: Step::Failed(error) });
                return;
            }
            _ => Finish::Stop,
        };
        self.think(out, |draft, thoughts| {
            if let Some(usage) = ended.usage {
                draft.cost(usage);
            }
            draft.finish(finish, thoughts);
            // It has just been told why it ends.
            let _ = draft.end(thoughts);
        });
    }

    fn think(&mut self, out: &mut Vec<Event>, tell: impl FnOnce(&mut Draft, &mut Vec<Thought>)) {
        let mut thoughts = Vec::new();
        tell(&mut self.draft, &mut thoughts);
        out.extend(thoughts.into_iter().map(|thought| Event { reply: self.reply, step: Step::Thought(thought) }));
    }
}

/// The id of the event that asks for a reply.
fn event_of(reply: u64) -> String {
    format!("reply_{reply}")
}

fn fault_error(fault: &Fault) -> crate::ProviderError {
    error(fault.kind, &fault.detail)
}

/// The line puts the provider's name to it.
fn error(kind: ErrorKind, detail: &str) -> crate::ProviderError {
    crate::ProviderError::new("", kind, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{llm::Usage, openai::realtime::wire::read};

    /// What these events mean, as short words.
    fn told(replies: &mut Replies, events: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        for event in events {
            replies.take(read(event).unwrap(), &mut out).unwrap();
        }
        out.iter().map(word).collect()
    }

    fn word(event: &Event) -> String {
        let step = match &event.step {
            Step::Thought(Thought::Text(text)) => text.clone(),
            Step::Thought(Thought::Cited(citation)) => citation.number.to_string(),
            Step::Thought(Thought::Acted(act)) => act.call.name.clone(),
            Step::Thought(Thought::CallStarted { call, name }) => format!("{name}#{call}"),
            Step::Thought(Thought::CallArguments(arguments)) => arguments.clone(),
            Step::Thought(Thought::CallDone) => "done".into(),
            Step::Thought(Thought::Usage(Usage { output_tokens, .. })) => format!("{output_tokens} tokens"),
            Step::Thought(Thought::Finished(finish)) => format!("{finish:?}"),
            Step::Sound(clip) => format!("{} samples", clip.samples.len()),
            Step::Failed(error) => error.kind.to_string(),
        };
        format!("{}: {step}", event.reply)
    }

    const BEGAN: &str = r#"{"type":"response.created","response":{"id":"r1"}}"#;
    const WORDS: &str =
        r#"{"type":"response.output_audio_transcript.delta","response_id":"r1","item_id":"i1","delta":"Hi"}"#;
    const SOUND: &str =
        r#"{"type":"response.output_audio.delta","response_id":"r1","item_id":"i1","delta":"AQABAA=="}"#;
    const DONE: &str =
        r#"{"type":"response.done","response":{"id":"r1","status":"completed","usage":{"output_tokens":3}}}"#;

    #[test]
    fn a_reply_has_words_sound_cost_and_an_end() {
        let mut replies = Replies::default();
        assert_eq!(replies.ask(5), "reply_5");
        let all = told(&mut replies, &[BEGAN, WORDS, SOUND, DONE]);
        assert_eq!(all, ["5: Hi", "5: 2 samples", "5: 3 tokens", "5: Stop"]);
        assert!(replies.is_idle() && replies.has_voice());
    }

    #[test]
    fn nothing_of_a_cancelled_reply_is_told_and_the_next_waits_for_its_end() {
        let mut replies = Replies::default();
        replies.ask(1);
        told(&mut replies, &[BEGAN, WORDS]);
        assert_eq!(replies.cancel().as_deref(), Some("r1"));
        assert_eq!(told(&mut replies, &[WORDS, SOUND]), [""; 0]);
        assert!(!replies.is_idle());
        let cancelled = r#"{"type":"response.done","response":{"id":"r1","status":"cancelled"}}"#;
        assert_eq!(told(&mut replies, &[cancelled]), [""; 0]);
        assert!(replies.is_idle());
        replies.ask(2);
        assert_eq!(told(&mut replies, &[WORDS]), [""; 0], "a straggler of the first is not the second's");
        let second = r#"{"type":"response.output_text.delta","response_id":"r2","item_id":"i2","delta":"So"}"#;
        assert_eq!(told(&mut replies, &[second]), ["2: So"]);
    }

    #[test]
    fn a_reply_cancelled_before_it_began_or_after_it_ended_leaves_no_trace() {
        let mut replies = Replies::default();
        replies.ask(1);
        assert_eq!(replies.cancel().as_deref(), Some(""));
        assert_eq!(told(&mut replies, &[BEGAN, WORDS, DONE]), [""; 0]);
        assert!(replies.is_idle());
        replies.ask(2);
        told(&mut replies, &[r#"{"type":"response.created","response":{"id":"r2"}}"#]);
        replies.cancel();
        let late = r#"{"type":"error","error":{"code":"response_cancel_not_active","message":"Cancellation failed"}}"#;
        assert_eq!(told(&mut replies, &[late]), [""; 0]);
        assert!(replies.is_idle() && replies.cancel().is_none());
    }

    #[test]
    fn a_reply_cancelled_before_the_vendor_knew_it_is_cancelled_again() {
        let mut replies = Replies::default();
        replies.ask(1);
        replies.cancel();
        let early = r#"{"type":"error","error":{"code":"response_cancel_not_active","message":"Cancellation failed"}}"#;
        told(&mut replies, &[early]);
        assert!(!replies.calls());
        assert_eq!(told(&mut replies, &[BEGAN, WORDS]), [""; 0]);
        assert!(replies.calls() && !replies.is_idle());
        assert_eq!(replies.cancel_again().as_deref(), Some("r1"));
        assert_eq!(told(&mut replies, &[DONE]), [""; 0]);
        assert!(replies.is_idle() && replies.cancel_again().is_none());
    }

    #[test]
    fn calls_are_told_once_however_often_they_come() {
        let mut replies = Replies::default();
        replies.ask(1);
        let events = [
            BEGAN,
            r#"{"type":"response.output_item.added","response_id":"r1","item":{"id":"i2","type":"function_call","name":"look","call_id":"c1","arguments":""}}"#,
            r#"{"type":"response.function_call_arguments.delta","response_id":"r1","item_id":"i2","delta":"{}"}"#,
            r#"{"type":"response.function_call_arguments.done","response_id":"r1","item_id":"i2","call_id":"c1","arguments":"{\"at\":1}"}"#,
            r#"{"type":"response.output_item.done","response_id":"r1","item":{"id":"i2","type":"function_call","name":"look","call_id":"c1","arguments":"{\"at\":1}"}}"#,
            r#"{"type":"response.done","response":{"id":"r1","status":"completed","output":[
                {"type":"function_call","name":"look","call_id":"c1","arguments":"{\"at\":1}"},
                {"type":"function_call","name":"wait","call_id":"c2","arguments":""}]}}"#,
        ];
        let expected = ["1: look#c1", r#"1: {"at":1}"#, "1: done", "1: wait#c2", "1: {}", "1: done", "1: Stop"];
        assert_eq!(told(&mut replies, &events), expected);
    }

    #[test]
    fn ends_mean_what_they_say() {
        for (status, expected) in [
            (r#""incomplete","status_details":{"reason":"max_output_tokens"}"#, "1: Length"),
            (r#""incomplete","status_details":{"reason":"content_filter"}"#, "1: ContentFilter"),
            (
                r#""failed","status_details":{"error":{"code":"rate_limit_exceeded","message":"slow"}}"#,
                "1: rate limited",
            ),
            (r#""failed","status_details":null"#, "1: unavailable"),
            (r#""cancelled","status_details":{"reason":"turn_detected"}"#, "1: unavailable"),
        ] {
            let mut replies = Replies::default();
            replies.ask(1);
            let done = format!(r#"{{"type":"response.done","response":{{"id":"r1","status":{status}}}}}"#);
            assert_eq!(told(&mut replies, &[BEGAN, &done]), [expected]);
            assert!(replies.is_idle());
        }
    }

    #[test]
    fn complaints_fail_the_reply_they_are_about_or_all_or_nothing() {
        let error = |rest: &str| format!(r#"{{"type":"error","error":{{"type":"invalid_request_error",{rest}}}}}"#);
        for (rest, expected) in [
            (r#""code":"conversation_already_has_active_response","event_id":"reply_1""#, &["1: rejected"][..]),
            (r#""code":"invalid_value","event_id":null"#, &["1: rejected"]),
            (r#""code":"item_truncate_invalid_item_id","event_id":null"#, &[]),
            (r#""code":"invalid_value","event_id":"reply_0""#, &[]),
        ] {
            let mut replies = Replies::default();
            replies.ask(1);
            assert_eq!(told(&mut replies, &[&error(rest)]), expected, "{rest}");
        }
        let expired = read(&error(r#""code":"session_expired""#)).unwrap();
        assert_eq!(Replies::default().take(expired, &mut Vec::new()).unwrap_err().kind, ErrorKind::Unavailable);
    }

    #[test]
    fn what_was_not_heard_is_cut_item_by_item() {
        let mut replies = Replies::default();
        replies.ask(1);
        let samples = |item: &str, millis: usize| Told::Sound {
            part: Part { response: "r1".into(), item: item.into(), content: 0 },
            bytes: vec![0; millis * 48],
        };
        let mut out = Vec::new();
        for told in [samples("a", 300), samples("a", 200), samples("b", 400)] {
            replies.take(told, &mut out).unwrap();
        }
        let cut = |item: &str, heard| Cut { item: item.into(), content: 0, heard: Duration::from_millis(heard) };
        assert_eq!(replies.cut(Duration::from_secs(5)), []);
        assert_eq!(replies.cut(Duration::from_millis(700)), [cut("b", 200)]);
        assert_eq!(replies.cut(Duration::from_millis(100)), [cut("a", 100), cut("b", 0)]);
        assert_eq!(replies.cut(Duration::from_millis(100)), [], "nothing is cut twice");
    }

    #[test]
    fn servers_that_name_nothing_are_understood() {
        let mut replies = Replies::default();
        replies.ask(3);
        let events = [
            r#"{"type":"response.audio_transcript.done","transcript":"All at once."}"#,
            r#"{"type":"response.audio.delta","delta":"AQA="}"#,
            r#"{"type":"response.done","response":{"status":"completed"}}"#,
        ];
        assert_eq!(told(&mut replies, &events), ["3: All at once.", "3: 1 samples", "3: Stop"]);
    }
}
