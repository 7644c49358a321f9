//! What server messages mean for the replies that were asked for.
//!
//! Messages name no turn; their order does. A turn that was asked for ends with `turnComplete`; one that is interrupted
//! says so first, and what comes after that is the next one's.

use audio::Clip;

use super::wire::{Answered, Call, Content, Told};
use crate::{
    ErrorKind, ProviderError,
    dialogue::{Draft, fitting},
    llm::{Finish, Thought},
    net::pcm::Samples,
    realtime::{Event, Step},
};

/// The turns of one conversation.
#[derive(Debug)]
pub(super) struct Turns {
    /// Replies are spoken, not written.
    voiced: bool,
    reply: Option<Reply>,
    newest: Turn,
    /// Something of the newest turn has come.
    begun: bool,
    /// Older turns that may still say something, and those whose end has not come.
    stale: u32,
    owed: u32,
    /// Calls the model waits for, with what was answered.
    calls: Vec<(Call, Option<String>)>,
    /// The person is speaking.
    pub(super) activity: bool,
    leaving: bool,
}

/// What may still come of the turn asked for last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    /// Anything.
    Speaking,
    /// Its end, and its cost.
    Generated,
    /// Its calls are to be answered.
    Calling,
    /// Nothing.
    Complete,
}

#[derive(Debug)]
struct Reply {
    number: u64,
    draft: Draft,
    samples: Samples,
}

impl Turns {
    pub(super) fn new(voiced: bool) -> Self {
        Self {
            voiced,
            reply: None,
            newest: Turn::Complete,
            begun: false,
            stale: 0,
            owed: 0,
            calls: Vec::new(),
            activity: false,
            leaving: false,
        }
    }

    /// Whether a reply is under way.
    pub(super) const fn is_replying(&self) -> bool {
        self.reply.is_some()
    }

    /// Whether all of a reply has come but its end.
    pub(super) fn is_generated(&self) -> bool {
        self.reply.is_some() && self.newest == Turn::Generated
    }

    /// Whether the vendor has asked to leave and nothing is under way that this would cut.
    pub(super) const fn may_leave(&self) -> bool {
        self.leaving && self.reply.is_none() && !self.activity
    }

    /// A reply is asked for: with functions' answers, or in another way.
    pub(super) fn ask(&mut self, number: u64, answers: bool) {
        match (self.newest, answers) {
            (Turn::Complete, _) | (Turn::Calling, true) => {}
            (Turn::Calling, false) | (Turn::Generated, _) => self.owed += 1,
            (Turn::Speaking, _) => {
                self.owed += 1;
                self.stale += 1;
            }
        }
        (self.newest, self.begun) = (Turn::Speaking, false);
        self.reply = Some(Reply { number, draft: Draft::default(), samples: Samples::default() });
    }

    /// The reply under way is no longer wanted.
    pub(super) fn cancel(&mut self) {
        self.reply = None;
    }

    /// Takes a function's answer, if the model waits for it.
    pub(super) fn answer(&mut self, call: &str, output: &str) -> bool {
        let found = self.calls.iter_mut().find(|(made, _)| fitting(&made.id) == call || made.id == call);
        found.map(|(_, answered)| *answered = Some(output.to_owned())).is_some()
    }

    /// The functions' answers, if there are any: the model goes on only when it has all.
    pub(super) fn answers(&mut self) -> Vec<Answered> {
        let calls = std::mem::take(&mut self.calls);
        if calls.iter().all(|(_, output)| output.is_none()) {
            return Vec::new();
        }
        let answered = |(call, output): (Call, Option<String>)| Answered {
            id: call.id,
            name: call.name,
            output: output.unwrap_or_else(|| "(no result yet)".to_owned()),
        };
        calls.into_iter().map(answered).collect()
    }

    /// Takes what the vendor told, and adds what that means.
    pub(super) fn take(&mut self, told: Told, out: &mut Vec<Event>) {
        self.leaving |= told.leaving;
        self.calls.retain(|(call, _)| !told.withdrawn.contains(&call.id));
        if let (Some(usage), Some(reply)) = (told.usage, self.reply.as_mut().filter(|_| self.stale == 0)) {
            reply.draft.cost(usage);
        }
        if let Some(content) = &told.content {
            self.content(content, out);
        }
        if !told.calls.is_empty() && self.stale == 0 {
            self.call(told.calls, out);
        }
        if let Some(content) = told.content {
            self.mark(&content, out);
        }
    }

    /// The end of a reply is long in coming: it has it without.
    pub(super) fn settle(&mut self, out: &mut Vec<Event>) {
        if self.is_generated() {
            self.finish(Finish::Stop, out);
        }
    }

    fn content(&mut self, content: &Content, out: &mut Vec<Event>) {
        let words = if self.voiced { &content.transcript } else { &content.text };
        if self.stale > 0 || words.is_empty() && content.sound.is_empty() {
            return;
        }
        self.begun = true;
        let Some(reply) = &mut self.reply else { return };
        let number = reply.number;
        reply.think(out, |draft, thoughts| draft.say(words, thoughts));
        for (rate, bytes) in &content.sound {
            let samples = reply.samples.feed(bytes);
            if !samples.is_empty() {
                out.push(Event { reply: number, step: Step::Sound(Clip::new(*rate, samples)) });
            }
        }
    }

    /// Calls come whole and together; the model then waits for their answers.
    fn call(&mut self, calls: Vec<Call>, out: &mut Vec<Event>) {
        (self.newest, self.begun) = (Turn::Calling, true);
        // Calls of a reply that was cancelled are nobody's.
        let Some(reply) = &mut self.reply else { return };
        for mut call in calls {
            let id = fitting(&call.id);
            reply.think(out, |draft, thoughts| {
                draft.call(id.clone(), &call.name, thoughts);
                draft.arguments(&call.arguments, thoughts);
                draft.close(thoughts);
            });
            if call.id.is_empty() {
                call.id = id;
            }
            self.calls.push((call, None));
        }
        self.finish(Finish::Stop, out);
    }

    fn mark(&mut self, content: &Content, out: &mut Vec<Event>) {
        if content.interrupted {
            if self.stale > 0 {
                self.stale -= 1;
            } else if self.reply.is_none() && self.newest == Turn::Speaking {
                self.newest = Turn::Generated;
            }
        }
        if content.generated {
            if self.stale > 0 {
                self.stale -= 1;
            } else if self.newest == Turn::Speaking {
                self.newest = Turn::Generated;
            }
        }
        if !content.complete {
            return;
        }
        if self.stale > 0 {
            (self.stale, self.owed) = (self.stale - 1, self.owed.saturating_sub(1));
        } else if self.owed > 0 && !self.begun && content.reason.is_empty() {
            self.owed -= 1;
        } else {
            self.owed = 0;
            if self.newest != Turn::Calling {
                self.newest = Turn::Complete;
            }
            self.complete(&content.reason, out);
        }
    }

    fn complete(&mut self, reason: &str, out: &mut Vec<Event>) {
        if reason == "MALFORMED_FUNCTION_CALL" {
            if let Some(reply) = self.reply.take() {
                // The line puts the provider's name to it.
                let error = ProviderError::new("", ErrorKind::Protocol, "the model made a call that is none");
                out.push(Event { reply: reply.number, step: Step::Failed(error) });
            }
            return;
        }
        let filtered = ["PROHIBITED", "SAFETY", "BLOCKLIST", "REJECTED", "INPUT_OTHER", "RECITATION", "CELEBRITY"];
        let filtered = filtered.iter().any(|word| reason.contains(word));
        self.finish(if filtered { Finish::ContentFilter } else { Finish::Stop }, out);
    }

    fn finish(&mut self, finish: Finish, out: &mut Vec<Event>) {
        if let Some(mut reply) = self.reply.take() {
            reply.think(out, |draft, thoughts| {
                draft.finish(finish, thoughts);
                // It has just been told why it ends.
                let _ = draft.end(thoughts);
            });
        }
    }
}

impl Reply {
    fn think(&mut self, out: &mut Vec<Event>, tell: impl FnOnce(&mut Draft, &mut Vec<Thought>)) {
        let mut thoughts = Vec::new();
        tell(&mut self.draft, &mut thoughts);
        out.extend(thoughts.into_iter().map(|thought| Event { reply: self.number, step: Step::Thought(thought) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemini::live::wire::read;

    /// What these messages mean, as short words.
    fn told(turns: &mut Turns, messages: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        for message in messages {
            turns.take(read(message.as_bytes()).unwrap(), &mut out);
        }
        out.iter().map(word).collect()
    }

    fn word(event: &Event) -> String {
        let step = match &event.step {
            Step::Thought(Thought::Text(text)) => text.clone(),
            Step::Thought(Thought::Cited(citation)) => citation.number.to_string(),
            Step::Thought(Thought::Acted(act)) => act.call.name.clone(),
            Step::Thought(Thought::CallStarted { name, .. }) => name.clone(),
            Step::Thought(Thought::CallArguments(arguments)) => arguments.clone(),
            Step::Thought(Thought::CallDone) => "done".into(),
            Step::Thought(Thought::Usage(usage)) => format!("{} tokens", usage.output_tokens),
            Step::Thought(Thought::Finished(finish)) => format!("{finish:?}"),
            Step::Sound(clip) => format!("{} samples", clip.samples.len()),
            Step::Failed(error) => error.kind.to_string(),
        };
        format!("{}: {step}", event.reply)
    }

    const WORDS: &str = r#"{"serverContent":{"outputTranscription":{"text":"Hi"}}}"#;
    const SOUND: &str = r#"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AQABAA=="}}]}}}"#;
    const GENERATED: &str = r#"{"serverContent":{"generationComplete":true}}"#;
    const INTERRUPTED: &str = r#"{"serverContent":{"interrupted":true}}"#;
    const COMPLETE: &str = r#"{"serverContent":{"turnComplete":true},"usageMetadata":{"responseTokenCount":3}}"#;
    const CALL: &str = r#"{"toolCall":{"functionCalls":[{"id":"c","name":"look","args":{}}]}}"#;

    #[test]
    fn a_reply_has_sound_words_cost_and_an_end() {
        let mut turns = Turns::new(true);
        turns.ask(4, false);
        let all = told(&mut turns, &[SOUND, WORDS, GENERATED, COMPLETE]);
        assert_eq!(all, ["4: 2 samples", "4: Hi", "4: 3 tokens", "4: Stop"]);
        turns.ask(5, false);
        assert_eq!(told(&mut turns, &[WORDS, GENERATED]), ["5: Hi"]);
        let mut out = Vec::new();
        turns.settle(&mut out);
        assert_eq!(
            out.iter().map(word).collect::<Vec<_>>(),
            ["5: Stop"],
            "an end that does not come is not waited for"
        );
        turns.ask(6, false);
        assert_eq!(told(&mut turns, &[COMPLETE, WORDS, COMPLETE]), ["6: Hi", "6: 3 tokens", "6: Stop"]);
    }

    #[test]
    fn nothing_of_a_cancelled_reply_is_told_however_late_it_comes() {
        let endings: [&[&str]; 4] = [
            &[WORDS, INTERRUPTED, COMPLETE],
            &[WORDS, GENERATED, COMPLETE],
            &[SOUND, COMPLETE],
            &[INTERRUPTED, COMPLETE],
        ];
        for ending in endings {
            for late in 0..=ending.len() {
                let mut turns = Turns::new(true);
                turns.ask(1, false);
                assert_eq!(told(&mut turns, &[WORDS]), ["1: Hi"]);
                turns.cancel();
                let (before, after) = ending.split_at(late);
                assert_eq!(told(&mut turns, before), [""; 0]);
                turns.ask(2, false);
                assert_eq!(told(&mut turns, after), [""; 0], "{ending:?} from {late}");
                assert_eq!(told(&mut turns, &[WORDS, COMPLETE]).last().map(String::as_str), Some("2: Stop"));
                turns.ask(3, false);
                assert_eq!(told(&mut turns, &[WORDS]), ["3: Hi"], "{ending:?} from {late}");
            }
        }
    }

    #[test]
    fn a_call_ends_the_reply_and_its_answer_goes_on_with_the_turn() {
        let mut turns = Turns::new(true);
        turns.ask(1, false);
        assert_eq!(told(&mut turns, &[WORDS, CALL]), ["1: Hi", "1: look", "1: {}", "1: done", "1: Stop"]);
        assert!(!turns.is_replying());
        assert!(turns.answer("c", "seen") && !turns.answer("d", "x"));
        let answers = turns.answers();
        assert_eq!((answers[0].id.as_str(), answers[0].output.as_str()), ("c", "seen"));
        turns.ask(2, true);
        assert_eq!(told(&mut turns, &[WORDS, COMPLETE]), ["2: Hi", "2: 3 tokens", "2: Stop"]);
        assert_eq!(turns.answers(), []);
    }

    #[test]
    fn calls_that_nobody_answers_or_that_are_withdrawn_are_forgotten() {
        let mut turns = Turns::new(true);
        turns.ask(1, false);
        told(&mut turns, &[CALL, r#"{"toolCallCancellation":{"ids":["c"]}}"#]);
        assert!(!turns.answer("c", "late"));
        turns.ask(2, false);
        told(&mut turns, &[CALL]);
        assert_eq!(turns.answers(), []);
        assert!(!turns.answer("c", "late"));
    }

    #[test]
    fn ends_mean_what_they_say_and_writing_is_not_speaking() {
        for (reason, expected) in [
            ("PROHIBITED_INPUT_CONTENT", "1: ContentFilter"),
            ("GENERATED_AUDIO_SAFETY", "1: ContentFilter"),
            ("MALFORMED_FUNCTION_CALL", "1: protocol violated"),
            ("NEED_MORE_INPUT", "1: Stop"),
        ] {
            let mut turns = Turns::new(true);
            turns.ask(1, false);
            let end = format!(r#"{{"serverContent":{{"turnComplete":true,"turnCompleteReason":"{reason}"}}}}"#);
            assert_eq!(told(&mut turns, &[&end]), [expected], "{reason}");
        }
        let mut turns = Turns::new(false);
        turns.ask(1, false);
        let written = r#"{"serverContent":{"modelTurn":{"parts":[{"text":"So"}]},"outputTranscription":{"text":"x"}}}"#;
        assert_eq!(told(&mut turns, &[written]), ["1: So"]);
    }

    #[test]
    fn a_farewell_waits_until_nothing_is_cut() {
        let mut turns = Turns::new(true);
        turns.ask(1, false);
        told(&mut turns, &[r#"{"goAway":{"timeLeft":"50s"}}"#]);
        assert!(!turns.may_leave());
        told(&mut turns, &[WORDS, COMPLETE]);
        turns.activity = true;
        assert!(!turns.may_leave());
        turns.activity = false;
        assert!(turns.may_leave());
    }
}
