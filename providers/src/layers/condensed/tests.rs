use std::sync::Mutex;

use futures_util::{StreamExt, stream};

use super::*;
use crate::llm::{Call, Finish, Thought};

/// Notes what it is told; asked for a summary it says this.
struct Notes {
    told: Mutex<Vec<Vec<Message>>>,
    records: Mutex<Vec<String>>,
    summary: &'static str,
}

impl LanguageModel for Notes {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities::default()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let says = if prompt.instructions.starts_with("You keep the notes") {
            self.records.lock().unwrap().push(prompt.question().unwrap().to_owned());
            self.summary
        } else {
            self.told.lock().unwrap().push(prompt.messages);
            "Yes."
        };
        let thoughts = [Ok(Thought::Text(says.to_owned())), Ok(Thought::Finished(Finish::Stop))];
        async { Ok(stream::iter(thoughts).boxed()) }.boxed()
    }
}

/// A conversation that goes on, with a window of 1000 tokens.
struct Talk {
    notes: Arc<Notes>,
    memory: Arc<Memory>,
    messages: Vec<Message>,
    patience: Duration,
}

impl Talk {
    fn new(summary: &'static str) -> Self {
        let notes = Arc::new(Notes { told: Mutex::default(), records: Mutex::default(), summary });
        Self { notes, memory: Arc::default(), messages: Vec::new(), patience: Duration::from_secs(1) }
    }

    /// Adds this turn, of a question of some 50 tokens, a call and an answer of as many.
    fn turn(&mut self, number: usize) {
        let filler = "words ".repeat(33);
        self.messages.push(Message::User(format!("question {number} {filler}")));
        let call = Call { call: format!("call{number}"), name: "f".into(), arguments: "{}".into() };
        self.messages.push(Message::Call(call.clone()));
        self.messages.push(Message::Result { call: call.call, output: format!("secret {number}") });
        self.messages.push(Message::Assistant(format!("answer {number} {filler}")));
    }

    /// What the model is told when it is asked now.
    async fn asked(&self) -> Vec<Message> {
        let model = Condensed::new(Arc::clone(&self.notes) as _, Arc::clone(&self.memory), 1_000);
        let prompt = Prompt { messages: self.messages.clone(), ..Prompt::default() };
        let thoughts = model.waiting(self.patience).reply(prompt).await.unwrap();
        assert_eq!(thoughts.count().await, 2);
        self.notes.told.lock().unwrap().last().unwrap().clone()
    }
}

fn note(messages: &[Message]) -> &str {
    let Message::System(note) = &messages[0] else { panic!("{:?}", messages[0]) };
    note
}

#[tokio::test(start_paused = true)]
async fn what_fits_is_told_as_it_is() {
    let mut talk = Talk::new("Summary: all of it.");
    for turn in 1..=5 {
        talk.turn(turn);
    }
    assert_eq!(talk.asked().await, talk.messages);
    assert!(talk.notes.records.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn older_turns_are_told_summarised_and_no_turn_is_cut() {
    let mut talk = Talk::new("Summary: they greeted.\nNothing is open.");
    for turn in 1..=60 {
        talk.turn(turn);
        let told = talk.asked().await;
        let weight: usize = told.iter().map(window::weigh).sum();
        assert!(weight <= 1_050, "{weight}");
        assert_eq!(told.last(), talk.messages.last());
        if told.len() == talk.messages.len() {
            continue;
        }
        let note = note(&told);
        assert!(
            note.contains("> they greeted.\n> Nothing is open.\n[End of summary]") && !note.contains("left out"),
            "{note}"
        );
        assert!(matches!(&told[1], Message::User(text) if text.starts_with("question")), "whole turns: {told:?}");
        assert_eq!(told[1..], talk.messages[talk.messages.len() + 1 - told.len()..]);
    }
    let records = talk.notes.records.lock().unwrap().clone();
    assert!(records.len() >= 8, "{}", records.len());
    assert!(
        records[0].starts_with("[Record.") && records[1].starts_with("[Summary of what was before]\n> they greeted.")
    );
    let all = records.concat();
    assert!(!all.contains("secret"), "what functions answered may be for some engines only");
    for turn in 1..=50 {
        assert_eq!(all.matches(&format!("> question {turn} ")).count(), 1, "each turn is summarised once");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_summary_whole_turns_are_left_out_and_that_is_told() {
    // A model that does not do as it is told makes no summary.
    for summary in ["I cannot do that.", "Summary:  ", ""] {
        let mut talk = Talk::new(summary);
        for turn in 1..=20 {
            talk.turn(turn);
        }
        let told = talk.asked().await;
        assert!(note(&told).starts_with("[Turns of this conversation are left out here"), "{told:?}");
        assert!(matches!(&told[1], Message::User(text) if text.starts_with("question 1")), "{told:?}");
        assert!(told.len() > 20);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_may_not_wait_does_not() {
    let mut talk = Talk::new("Summary: they greeted.");
    talk.patience = Duration::ZERO;
    for turn in 1..=20 {
        talk.turn(turn);
    }
    assert!(note(&talk.asked().await).contains("left out"));
    talk.memory.settled(Duration::from_secs(1)).await;
    talk.turn(21);
    let told = talk.asked().await;
    assert!(note(&told).contains("they greeted") && !note(&told).contains("left out"));
}

#[tokio::test(start_paused = true)]
async fn another_beginning_is_another_conversation() {
    let mut talk = Talk::new("Summary: they greeted.");
    for turn in 1..=20 {
        talk.turn(turn);
    }
    assert!(note(&talk.asked().await).contains("they greeted"));
    talk.messages.remove(0);
    assert!(talk.memory.known(&talk.messages).is_none(), "one of its messages was deleted");
    talk.messages.clear();
    talk.turn(1);
    assert_eq!(talk.asked().await, talk.messages);
}

#[tokio::test(start_paused = true)]
async fn one_turn_longer_than_the_window_is_told_whole() {
    let mut talk = Talk::new("Summary: they greeted.");
    talk.turn(1);
    talk.messages.push(Message::User("word ".repeat(2_000)));
    let told = talk.asked().await;
    assert_eq!((told.len(), told.last()), (2, talk.messages.last()));
}

#[tokio::test(start_paused = true)]
async fn of_many_messages_in_a_row_the_newest_are_told() {
    let mut talk = Talk::new("I cannot do that.");
    talk.turn(1);
    talk.messages.extend((1..=30).map(|number| Message::User(format!("{number} {}", "words ".repeat(33)))));
    let told = talk.asked().await;
    assert!(note(&told).contains("left out"));
    assert!((15..=20).contains(&told.len()) && told[1..] == talk.messages[talk.messages.len() + 1 - told.len()..]);
}

#[test]
fn the_least_recently_used_are_forgotten() {
    let memories = Memories::default();
    let first = memories.of(0);
    for conversation in 1..1_000 {
        memories.of(conversation);
    }
    assert!(Arc::ptr_eq(&first, &memories.of(0)));
    memories.of(1_000);
    assert!(Arc::ptr_eq(&first, &memories.of(0)), "it was used last but one");
    assert_eq!(Arc::strong_count(&memories.of(1)), 2, "this one was forgotten and is new");
}
