//! Language models: what every one of them promises, however it thinks.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    LanguageModel,
    layers::{Fallback, Observed, Timed},
    llm::{Call, Message, Prompt, Thought},
    local::agent::Agent,
    scripted::{self, LlmScript},
};

use super::{Deaf, LIMITS, live, wire};
use crate::support::Server;

/// Every model, and the server it speaks to if it is a vendor's.
async fn models() -> Vec<(&'static str, Arc<dyn LanguageModel>, Option<Server>)> {
    let agent = || Arc::new(Agent::new(|| "2026-11-22T15:05:00[UTC]".parse().unwrap())) as Arc<dyn LanguageModel>;
    let script = LlmScript { pace: Duration::from_millis(1), ..LlmScript::default() };
    let scripted: Arc<dyn LanguageModel> = Arc::new(scripted::LanguageModel::new(script));
    let mut all = vec![
        ("scripted", scripted.clone(), None),
        ("agent", agent(), None),
        ("timed", Arc::new(Timed::<dyn LanguageModel>::new("timed", LIMITS, agent())), None),
        ("observed", Arc::new(Observed::<dyn LanguageModel>::new("observed", Arc::new(Deaf), agent())), None),
        ("fallback", Arc::new(Fallback::new(scripted, vec![agent()])), None),
    ];
    for vendor in wire::VENDORS {
        for exchange in [vendor.text, vendor.calls] {
            let (model, server) = vendor.answering(exchange).await;
            all.push((vendor.name, model, Some(server)));
        }
    }
    all.extend(live::models().into_iter().map(|(name, model)| (name, model, None)));
    all
}

pub(crate) fn prompt() -> Prompt {
    Prompt { messages: vec![Message::User("What time is it?".into())], ..Prompt::default() }
}

#[tokio::test]
async fn a_reply_is_text_and_calls_in_order_then_its_cost_then_its_end() {
    for (name, model, _server) in models().await {
        let thoughts: Vec<_> = model.reply(prompt()).await.unwrap().map(Result::unwrap).collect().await;
        let says = |thought: &Thought| {
            matches!(thought, Thought::Text(text) if !text.is_empty()) || matches!(thought, Thought::CallStarted { .. })
        };
        assert!(thoughts.iter().any(says), "{name}");
        let (last, before) = thoughts.split_last().unwrap();
        assert!(matches!(last, Thought::Finished(_)), "{name}: {thoughts:?}");
        let mut open = false;
        let mut usages = 0;
        for thought in before {
            match thought {
                Thought::Text(_) | Thought::Cited(_) | Thought::Acted(_) => assert!(!open && usages == 0, "{name}"),
                Thought::CallStarted { call, .. } => {
                    assert!(!std::mem::replace(&mut open, true), "{name}");
                    assert!((1..=32).contains(&call.len()), "{name}: {call}");
                }
                Thought::CallArguments(_) => assert!(open, "{name}"),
                Thought::CallDone => assert!(std::mem::take(&mut open), "{name}"),
                Thought::Usage(_) => usages += 1,
                Thought::Finished(_) => panic!("{name}: two ends"),
            }
        }
        assert!(usages <= 1 && !open, "{name}");
    }
}

#[tokio::test]
async fn a_reply_stays_ended() {
    for (name, model, _server) in models().await {
        let mut thoughts = model.reply(prompt()).await.unwrap();
        while thoughts.next().await.is_some() {}
        assert!(thoughts.next().await.is_none(), "{name}");
    }
}

#[tokio::test]
async fn replies_do_not_disturb_each_other() {
    for (name, model, _server) in models().await {
        let mut abandoned = model.reply(prompt()).await.unwrap();
        assert!(abandoned.next().await.unwrap().is_ok(), "{name}");
        let whole: Vec<_> = model.reply(prompt()).await.unwrap().collect().await;
        drop(abandoned);
        assert!(matches!(whole.last(), Some(Ok(Thought::Finished(_)))), "{name}");
    }
}

#[tokio::test]
async fn any_conversation_is_answered() {
    let call = || Message::Call(Call { call: "a".into(), name: "look".into(), arguments: "{\"half".into() });
    for (name, model, _server) in models().await {
        for messages in [
            vec![],
            vec![Message::User(String::new())],
            vec![Message::Assistant("Hello.".into())],
            vec![Message::Result { call: "gone".into(), output: "{".into() }],
            vec![Message::System("Be brief.".into()), Message::User("Hi".into()), Message::User("there".into())],
            vec![Message::User("Look".into()), call(), Message::User("Well?".into())],
        ] {
            let prompt = Prompt { messages: messages.clone(), ..Prompt::default() };
            let thoughts: Vec<_> = model.reply(prompt).await.unwrap().collect().await;
            assert!(matches!(thoughts.last(), Some(Ok(Thought::Finished(_)))), "{name}: {messages:?}");
        }
    }
}
