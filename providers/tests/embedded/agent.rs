//! The embedded agent as the session uses it: prompts in, thoughts out.

use futures_util::StreamExt;
use providers::{
    Json, LanguageModel,
    llm::{Call, Finish, Message, Prompt, Thought, Tool, ToolChoice},
    local::agent::Agent,
};

fn agent() -> Agent {
    Agent::new(|| "2026-11-22T15:05:00[UTC]".parse().unwrap())
}

async fn ask(prompt: Prompt) -> Vec<Thought> {
    agent().reply(prompt).await.unwrap().map(Result::unwrap).collect().await
}

fn text_of(thoughts: &[Thought]) -> String {
    let texts = thoughts
        .iter()
        .filter_map(|thought| if let Thought::Text(text) = thought { Some(text.as_str()) } else { None });
    texts.collect()
}

fn said(text: &str) -> Prompt {
    Prompt { messages: vec![Message::User(text.into())], ..Prompt::default() }
}

fn weather() -> Tool {
    let parameters = r#"{"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}"#;
    Tool {
        name: "get_weather".into(),
        description: "Get the weather".into(),
        parameters: Json::from_checked(parameters),
    }
}

#[tokio::test]
async fn a_reply_streams_word_by_word_and_ends_with_its_cost() {
    let thoughts = ask(said("What time is it?")).await;
    assert_eq!(text_of(&thoughts), "It is 3:05 PM.");
    let [.., Thought::Usage(usage), Thought::Finished(Finish::Stop)] = &thoughts[..] else { panic!("{thoughts:?}") };
    assert_eq!((usage.input_tokens, usage.output_tokens), (4, 4));
    assert_eq!(thoughts.len(), 4 + 2);
}

#[tokio::test]
async fn the_token_limit_cuts_the_reply() {
    let thoughts = ask(Prompt { max_output_tokens: Some(2), ..said("What time is it?") }).await;
    assert_eq!(text_of(&thoughts), "It is ");
    assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::Length)));
}

#[tokio::test]
async fn a_conversation_nobody_began_opens_with_a_greeting() {
    let prompt = Prompt { instructions: "Greet the caller.".into(), ..Prompt::default() };
    assert_eq!(text_of(&ask(prompt).await), "Good afternoon. What can I do for you?");
}

#[tokio::test]
async fn a_required_function_is_called_and_its_result_told() {
    let mut prompt = Prompt {
        tools: vec![weather()],
        tool_choice: ToolChoice::Required,
        ..said("What's the weather in San Francisco?")
    };
    let thoughts = ask(prompt.clone()).await;
    let Thought::CallStarted { call, name } = &thoughts[0] else { panic!("{thoughts:?}") };
    assert_eq!(name, "get_weather");
    assert!(call.len() <= 32, "{call}");
    let arguments: String = thoughts
        .iter()
        .filter_map(|thought| if let Thought::CallArguments(more) = thought { Some(more.as_str()) } else { None })
        .collect();
    assert_eq!(arguments, r#"{"location":"San Francisco"}"#);
    assert!(thoughts.contains(&Thought::CallDone));

    prompt.messages.push(Message::Call(Call { call: call.clone(), name: name.clone(), arguments }));
    prompt.messages.push(Message::Result { call: call.clone(), output: r#"{"temperature":18,"sky":"foggy"}"#.into() });
    assert_eq!(text_of(&ask(prompt.clone()).await), "The weather says: sky foggy, temperature 18.");

    prompt.messages.push(Message::User("And in Rome?".into()));
    assert!(matches!(&ask(prompt).await[0], Thought::CallStarted { .. }), "a new turn is a new demand");
}

#[tokio::test]
async fn calls_have_distinct_ids() {
    let agent = agent();
    let prompt =
        Prompt { tools: vec![weather()], tool_choice: ToolChoice::Function("get_weather".into()), ..said("hi") };
    let mut ids = Vec::new();
    for _ in 0..3 {
        let thoughts: Vec<_> = agent.reply(prompt.clone()).await.unwrap().collect().await;
        let Some(Ok(Thought::CallStarted { call, .. })) = thoughts.first() else { panic!("{thoughts:?}") };
        ids.push(call.clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn unknown_words_are_acknowledged_honestly() {
    for text in ["Go forward ten meters.", "It was the best of times, it was the worst of times.", "¿?", "…"] {
        let reply = text_of(&ask(said(text)).await);
        assert!(reply.chars().any(char::is_alphabetic), "{text}: {reply}");
    }
    assert!(text_of(&ask(said("Go forward ten meters.")).await).contains("Go forward ten meters."));
}

#[tokio::test]
async fn earlier_words_are_remembered_across_turns() {
    let messages = vec![
        Message::User("Hi, I'm in a hurry. My name is Zoë.".into()),
        Message::Assistant("Nice to meet you, Zoë.".into()),
        Message::User("What's my name?".into()),
    ];
    assert_eq!(text_of(&ask(Prompt { messages, ..Prompt::default() }).await), "You told me your name is Zoë.");
}

#[tokio::test]
async fn a_very_long_conversation_is_answered_as_well() {
    let mut messages = vec![Message::User("My name is Ann.".into())];
    messages.extend((0..150).map(|n| Message::User(format!("Utterance number {n} is about nothing in particular."))));
    messages.push(Message::User("What's my name?".into()));
    assert_eq!(text_of(&ask(Prompt { messages, ..Prompt::default() }).await), "You told me your name is Ann.");
    let thoughts = ask(said(&"the quick brown fox jumps. ".repeat(4_000))).await;
    assert!(text_of(&thoughts).contains("and so on."));
}
